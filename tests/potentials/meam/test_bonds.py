"""The effective pair potential, and forces as derivatives of the energy."""

import numpy as np
import pytest
from lammps_meam import FORMS, SETS, disordered, of_form, potential_of, tabulated

from vibentropy.potentials.meam import bonds
from vibentropy.potentials.meam.functions import constants, pair_potential


def energy_gradient_error(potential, atoms, seed=0):
    """Error of F·u against differences of the energy, eV/Å."""
    rng = np.random.default_rng(seed)
    forces = potential.energy_and_forces(atoms)[1]
    direction = rng.normal(size=forces.shape)
    energies = []
    h = 1e-4
    for k in (-2, -1, 1, 2):
        moved = atoms.copy()
        moved.positions += k * h * direction
        energies.append(potential.energy_and_forces(moved)[0])
    slope = np.array([1, -8, 8, -1]) @ energies / (12 * h)
    return abs((forces * direction).sum() + slope) / max(1.0, np.abs(forces).max())


@pytest.mark.parametrize("potential", [*map(potential_of, SETS), *map(of_form, FORMS)], ids=[*SETS, *FORMS])
def test_forces_are_derivatives_of_the_energy(potential):
    for seed in (1, 2):
        assert energy_gradient_error(potential, disordered(potential, seed, n_atoms=12)) < 1e-6


def effective_potential(vector, slopes, p):
    bond = bonds.allocate_bond()
    w, f_phi = bonds.effective_potential(vector, np.linalg.norm(vector), *slopes, p, bonds.EXACT, bond)
    return w, f_phi, bond.gradient, bond.hessian


def test_effective_potential_is_the_same_from_either_end():
    """Its derivatives are those of its value."""
    p = constants(potential_of("Fe 2018").parameters)
    rng = np.random.default_rng(3)
    slopes = rng.normal(size=(2, 24))
    for distance in (1.5, 2.5, 3.3, 3.9):
        vector = rng.normal(size=3)
        vector *= distance / np.linalg.norm(vector)
        w, f_phi, gradient, hessian = effective_potential(vector, slopes, p)
        other = effective_potential(-vector, slopes[::-1], p)
        assert other[0] == pytest.approx(w)
        np.testing.assert_allclose(other[2], -gradient, rtol=1e-10)
        np.testing.assert_allclose(other[3], hessian, rtol=1e-10)
        assert f_phi == pytest.approx(pair_potential(distance, p)[0] * bonds.cutoff_at(distance, p)[0])
        h = 1e-4
        for axis in range(3):
            up, down = (effective_potential(vector + sign * h * np.eye(3)[axis], slopes, p) for sign in (1, -1))
            assert gradient[axis] == pytest.approx((up[0] - down[0]) / (2 * h), rel=1e-5, abs=1e-6)
            np.testing.assert_allclose(hessian[axis], (up[2] - down[2]) / (2 * h), rtol=1e-4, atol=1e-4)
        np.testing.assert_array_equal(hessian, hessian.T)


def test_tables_are_interpolated():
    potential = tabulated(potential_of("Fe 2018"))
    p = constants(potential.parameters)
    for r in (2.4, 2.4001, 3.1, 3.9):
        exact = pair_potential(r, p)
        found = bonds.tabulated(r, potential.table)
        assert found[0] == pytest.approx(exact[0], abs=1e-7)
        assert found[1] == pytest.approx(exact[1], abs=1e-5)
        assert found[2] == pytest.approx(exact[2], abs=2e-2)


def test_each_pair_is_counted_once():
    rng = np.random.default_rng(0)
    for vector in (*rng.normal(size=(5, 3)), np.array([0.0, 0.0, -2.0]), np.array([0.0, 3.0, -1.0])):
        assert bonds.is_counted(1, 2, vector) != bonds.is_counted(2, 1, -vector)
        assert bonds.is_counted(4, 4, vector) != bonds.is_counted(4, 4, -vector)
