"""Sums over waves, against the Hessians of whole crystals."""

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk, make_supercell

from vibentropy import Potential
from vibentropy.labels.bloch import crystal_eigenvalues
from vibentropy.labels.block_matrix import from_parts
from vibentropy.labels.dissection import dissect
from vibentropy.labels.multifrontal import factorise_sparse
from vibentropy.potentials.differences import central_differences
from vibentropy.potentials.finite_differences import FiniteDifferencePotential
from vibentropy.potentials.protocols import Engine

SKEW = [[3, 1, 0], [0, 4, 1], [-1, 0, 3]]


def dense(potential, crystal):
    hessian = potential.hessian(crystal)
    eigenvalues = np.linalg.eigvalsh(hessian.toarray() if hasattr(hessian, "toarray") else hessian)
    return np.sort(eigenvalues[np.abs(eigenvalues).argsort(kind="stable")[3:]])


@pytest.mark.parametrize("structure", ["bcc", "fcc", "hcp", "diamond"])
def test_every_eigenvalue_is_one_of_the_whole_hessian(iron, structure):
    unit = {
        "bcc": bulk("Fe", a=2.8553127),
        "fcc": bulk("Fe", "fcc", a=3.66),
        "hcp": bulk("Fe", "hcp", a=2.6, c=4.2),
        "diamond": bulk("Fe", "diamond", a=4.9),
    }[structure]
    unit.set_cell(unit.cell[:] @ (np.eye(3) + [[0.01, 0.02, 0], [-0.01, 0, 0.015], [0.02, 0, -0.01]]), scale_atoms=True)
    crystal = make_supercell(unit, SKEW)
    crystal = crystal[np.random.default_rng(1).permutation(len(crystal))]
    crystal.positions += 5.0
    np.testing.assert_allclose(crystal_eigenvalues(crystal, iron), dense(iron, crystal), atol=1e-9)


def test_cells_smaller_than_the_range(iron, iron_crystal):
    for crystal in (iron_crystal(1), iron_crystal((1, 2, 3)), bulk("Fe", a=2.8553127).repeat((1, 1, 2))):
        np.testing.assert_allclose(crystal_eigenvalues(crystal, iron), dense(iron, crystal), atol=1e-10)


def test_rounded_positions_are_put_on_their_sites(iron, iron_crystal):
    crystal = iron_crystal(5)
    rounded = crystal.copy()
    rounded.positions = np.round(rounded.positions + 0.1234567, 4)
    exact, found = (np.log(crystal_eigenvalues(atoms, iron)).sum() for atoms in (crystal, rounded))
    # As it is, the rounded cell would be off by 3e-5.
    assert found == pytest.approx(exact, abs=1e-7)


def test_a_small_cell_stands_for_large_ones(iron, iron_crystal):
    crystal = iron_crystal(12)
    matrix = from_parts(iron.hessian_parts(crystal))
    factor = factorise_sparse(matrix, dissect(matrix, crystal)).log_determinant + 3 * np.log(len(crystal))
    assert np.log(crystal_eigenvalues(crystal, iron)).sum() == pytest.approx(factor, abs=1e-8)


def test_finite_differences_ask_for_the_rows_of_one_atom(iron):
    copper = Potential.from_setfl("Cu_mishin1.eam.alloy", "Cu")
    asked = []

    class OfCopper(Engine):
        def response(self, atoms, step, groups):
            def forces(positions):
                asked.append(len(atoms))
                return copper.energy_and_forces(Atoms(atoms, positions=positions))[1]

            return central_differences(atoms.positions, step, groups, forces)

    crystal = bulk("Cu", cubic=True, a=3.615).repeat(3)
    by_differences = FiniteDifferencePotential(OfCopper(), ("Cu",), 1e-3)
    np.testing.assert_allclose(
        crystal_eigenvalues(crystal, by_differences), crystal_eigenvalues(crystal, copper), atol=1e-4
    )
    assert asked == [108] * 6
