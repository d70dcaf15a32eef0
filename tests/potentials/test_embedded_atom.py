import numpy as np
import pytest
from ase import Atoms
from hypothesis import given, settings
from hypothesis import strategies as st
from liquid_iron import cells, inside
from scipy.spatial.transform import Rotation

from vibentropy.errors import PotentialError, StructureError
from vibentropy.potentials.lammps_engine import LammpsEngine


@settings(max_examples=40)
@given(atoms=cells)
def test_forces_and_hessian_are_derivatives_of_the_energy(iron, atoms):
    if not inside(iron, atoms):
        return
    h = 2e-4
    hessian = iron.hessian(atoms).toarray()
    _, forces = iron.energy_and_forces(atoms)
    scale = max(1.0, np.abs(hessian).max())
    for k in range(3 * len(atoms)):
        plus, minus = atoms.copy(), atoms.copy()
        plus.positions.flat[k] += h
        minus.positions.flat[k] -= h
        if not (inside(iron, plus) and inside(iron, minus)):
            return
        (e_plus, f_plus), (e_minus, f_minus) = iron.energy_and_forces(plus), iron.energy_and_forces(minus)
        column = -(f_plus - f_minus).ravel() / (2 * h)
        # Where a pair is within h of 2.05 Å the difference straddles the potential's own jump of 13 eV/Å².
        if np.abs(column - hessian[k]).max() < 3.0:
            assert np.abs(column - hessian[k]).max() < 1e-4 * scale
            assert -(e_plus - e_minus) / (2 * h) == pytest.approx(forces.flat[k], abs=1e-4 * scale)


@settings(max_examples=40)
@given(atoms=cells, seed=st.integers(0, 10**6))
def test_symmetries(iron, atoms, seed):
    if not inside(iron, atoms):
        return
    energy, forces = iron.energy_and_forces(atoms)
    hessian = iron.hessian(atoms).toarray()
    scale = np.abs(hessian).max() + 1
    np.testing.assert_allclose(hessian, hessian.T, atol=1e-12 * scale)
    # Translation: rows sum to zero.
    sums = hessian.reshape(3 * len(atoms), len(atoms), 3).sum(axis=1)
    assert np.abs(sums).max() < 1e-10 * scale
    assert np.abs(forces.sum(axis=0)).max() < 1e-10 * scale

    rng = np.random.default_rng(seed)
    turn = Rotation.random(rng=rng).as_matrix()
    order = rng.permutation(len(atoms))
    moved = atoms[order]
    moved.set_cell(atoms.cell[:] @ turn.T)
    moved.positions = atoms.positions[order] @ turn.T + rng.normal(size=3)
    moved_energy, moved_forces = iron.energy_and_forces(moved)
    assert moved_energy == pytest.approx(energy, abs=1e-9 * scale)
    np.testing.assert_allclose(moved_forces, forces[order] @ turn.T, atol=1e-9 * scale)
    turned = np.einsum("ab,ibjc,dc->iajd", turn, hessian.reshape(len(atoms), 3, len(atoms), 3), turn)
    turned = turned[np.ix_(order, range(3), order, range(3))].reshape(hessian.shape)
    np.testing.assert_allclose(iron.hessian(moved).toarray(), turned, atol=1e-8 * scale)


def test_forces_are_those_of_lammps_on_the_fine_table(iron, fine_table, iron_crystal):
    atoms = iron_crystal(4)
    del atoms[0]
    atoms.rattle(0.1, seed=1)
    atoms.set_cell(atoms.cell[:] @ (np.eye(3) + [[0.01, 0.02, 0], [0, -0.01, 0.03], [-0.01, 0, 0]]), scale_atoms=True)
    energy, forces = iron.energy_and_forces(atoms)
    with LammpsEngine.on_table(fine_table, ["Fe"]) as engine:
        lammps_energy, lammps_forces = engine.energy_and_forces(atoms)
    assert lammps_energy == pytest.approx(energy, abs=1e-9)
    assert np.abs(lammps_forces - forces).max() < 1e-8


@pytest.mark.parametrize(
    ("atoms", "error", "message"),
    [
        (Atoms("Ni", pbc=True, cell=[3, 3, 3]), StructureError, "holds Ni where only Fe"),
        (Atoms("Fe2", [[0, 0, 0], [0, 0, 1.2]]), PotentialError, "atoms 0 and 1 are 1.200 Å apart"),
        (Atoms("Fe2", [[0, 0, 0], [0, 0, 20]]), PotentialError, "density at atom 0 is 0"),
        (Atoms("Fe2", [[0, 0, 0], [0, 0, 0]]), StructureError, "on one site"),
        (Atoms("Fe", [[0, np.nan, 0]]), StructureError, "position of atom 0 is"),
    ],
)
def test_configurations_outside_the_domain_are_refused(iron, atoms, error, message):
    with pytest.raises(error, match=message):
        iron.energy_and_forces(atoms)
    with pytest.raises(error, match=message):
        iron.hessian(atoms)
