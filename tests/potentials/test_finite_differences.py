"""Hessians of differences of forces against analytic ones."""

import numpy as np
import pytest
from ase.build import bulk
from hypothesis import given
from hypothesis import strategies as st

from vibentropy import formation_entropy
from vibentropy.labels.determinants import log_determinant
from vibentropy.potentials.finite_differences import FiniteDifferencePotential, translation_invariant
from vibentropy.potentials.lammps_engine import LammpsEngine
from vibentropy.potentials.newton import newton_relax


@pytest.fixture(scope="module")
def by_lammps(fine_table):
    """The iron of the other tests, as a potential that has nothing but forces."""
    with LammpsEngine.on_table(fine_table, ["Fe"]) as engine:
        yield FiniteDifferencePotential(engine, ("Fe",), 0.001)


@given(n_atoms=st.integers(2, 6), seed=st.integers(0, 2**32 - 1))
def test_projection_is_the_closest_matrix_with_the_symmetries(n_atoms, seed):
    rng = np.random.default_rng(seed)
    matrix = rng.standard_normal((3 * n_atoms, 3 * n_atoms))
    given_matrix = matrix.copy()
    hessian, asymmetry, net_force = translation_invariant(matrix)
    np.testing.assert_array_equal(matrix, given_matrix)
    translations = np.tile(np.eye(3), (n_atoms, 1)) / np.sqrt(n_atoms)
    projector = np.eye(3 * n_atoms) - translations @ translations.T
    symmetric = (matrix + matrix.T) / 2
    np.testing.assert_allclose(hessian, projector @ symmetric @ projector, atol=1e-12)
    assert asymmetry == np.abs(matrix - matrix.T).max()
    assert net_force == pytest.approx(np.abs(symmetric @ translations * np.sqrt(n_atoms)).max())
    # What is right already stays, and the errors of what was corrected are gone.
    again, asymmetry, net_force = translation_invariant(hessian)
    np.testing.assert_allclose(again, hessian, atol=1e-12)
    assert asymmetry < 1e-12
    assert net_force < 1e-12


def test_determinant_does_not_feel_how_the_translations_are_left_out(by_lammps, iron_crystal):
    atoms = iron_crystal(2)
    hessian = by_lammps.hessian(atoms)
    eigenvalues = np.linalg.eigvalsh(hessian)
    assert np.abs(eigenvalues[:3]).max() < 1e-10
    assert log_determinant(hessian).value == pytest.approx(np.log(eigenvalues[3:]).sum(), abs=1e-9)


def test_hessian_is_the_analytic_one(by_lammps, iron, iron_crystal):
    atoms = iron_crystal(3)
    del atoms[0]
    atoms.rattle(0.05, seed=3)
    assert np.abs(by_lammps.hessian(atoms) - iron.hessian(atoms).toarray()).max() < 2e-3
    energy, forces = by_lammps.energy_and_forces(atoms)
    assert energy == pytest.approx(iron.energy_and_forces(atoms)[0], abs=1e-9)
    np.testing.assert_allclose(forces, iron.energy_and_forces(atoms)[1], atol=1e-8)
    assert by_lammps.masses[0] == pytest.approx(55.845, abs=1e-3)


def test_label_is_the_analytic_one(by_lammps, iron, iron_crystal):
    perfect = iron_crystal(3)
    vacancy = perfect.copy()
    del vacancy[0]
    relaxed, _, largest = newton_relax(by_lammps.engine.relax(vacancy, 1e-4), by_lammps, 1e-8)
    assert largest <= 1e-8
    label = formation_entropy(relaxed, perfect, by_lammps)
    assert label == pytest.approx(formation_entropy(relaxed, perfect, iron), abs=1e-4)


def test_lammps_and_ase_differentiate_alike(lennard_jones):
    atoms = bulk("Cu", "fcc", a=3.6, cubic=True) * 2
    atoms.rattle(0.05, seed=1)
    # Strained and turned: LAMMPS has its own axes.
    deformation = np.eye(3) + [[0.0, 0.03, -0.02], [0.01, 0.0, 0.01], [0.02, -0.01, 0.0]]
    atoms.set_cell(atoms.cell[:] @ deformation, scale_atoms=True)
    lammps, ase = (FiniteDifferencePotential(engine, ("Cu",), 0.001) for engine in lennard_jones)
    np.testing.assert_allclose(lammps.energy_and_forces(atoms)[1], ase.energy_and_forces(atoms)[1], atol=1e-9)
    # The same to the square of the step, along different axes.
    np.testing.assert_allclose(lammps.hessian(atoms), ase.hessian(atoms), atol=1e-5)
