"""Cells beside the crystal of a run: where their files lie, that they come to rest off saddles, and their table."""

from pathlib import Path

import numpy as np
import pytest
from ase import Atoms

from vibentropy.atoms.crystal import Crystal
from vibentropy.datasets.table import Status
from vibentropy.sources.made_cells import RANDOM_CELLS, REFERENCES, as_set, at_rest, beside

IRON = Crystal("Fe", "bcc", 2.8553127)
#: Where the middle one of three atoms is at rest on either side of the line through the others, Å.
OFF = 0.3


class DoubleWell:
    """Springs (1 eV/Å²) hold three atoms in a row, except that the middle one would rather be `OFF` the row."""

    #: From coordinates of the atoms to those of the springs: between the outer atoms, and of the middle one to these.
    _springs = np.kron([[1, 0, -1], [-0.5, 1, -0.5]], np.eye(3))
    _lengths = np.array([-4.0, 0, 0, 0, 0, 0])

    def _stretched(self, atoms):
        return self._springs @ atoms.positions.ravel() - self._lengths

    def energy_and_forces(self, atoms):
        *held, off = self._stretched(atoms)
        slopes = np.array([*held, 4 * off * (off**2 - OFF**2)])
        return sum(np.square(held)) / 2 + (off**2 - OFF**2) ** 2, -(slopes @ self._springs).reshape(-1, 3)

    def hessian(self, atoms):
        off = self._stretched(atoms)[-1]
        return self._springs.T @ np.diag([1, 1, 1, 1, 1, 12 * off**2 - 4 * OFF**2]) @ self._springs


@pytest.fixture
def row():
    return Atoms("Fe3", [[0, 5, 5], [2, 5, 5], [4, 5, 5]], cell=[10, 10, 10], pbc=True)


def test_files_lie_in_the_folder_of_the_crystal():
    """Under the names that runs of earlier versions have."""
    assert beside("run/potential/lattice.json", REFERENCES) == Path("run/potential/references.h5")
    assert beside(Path("lattice.json"), RANDOM_CELLS) == Path("random_cells.h5")


def test_atoms_do_not_rest_on_a_saddle(row):
    potential, given = DoubleWell(), row.copy()
    # Where no force moves them.
    assert np.abs(potential.energy_and_forces(row)[1]).max() == 0
    relaxed = at_rest(row, potential)
    away = relaxed.positions[1] - relaxed.positions[[0, 2]].mean(axis=0)
    np.testing.assert_allclose(np.abs(away), [0, 0, OFF], atol=1e-6)
    # The cell has not moved as a whole, and that which was given is as it was.
    np.testing.assert_allclose(relaxed.positions.mean(axis=0), row.positions.mean(axis=0), atol=1e-12)
    np.testing.assert_array_equal(row.positions, given.positions)
    np.testing.assert_array_equal(at_rest(row, potential).positions, relaxed.positions)


def test_a_set_says_what_its_cells_are(row):
    """Energies and forces by hand: the row of atoms, and one whose middle atom is 0.1 Å along it."""
    moved = row.copy()
    moved.positions[1, 0] += 0.1
    cells = [
        (row, {"trajectory": "one", "defect_class": "P_Fe"}),
        (moved, {"trajectory": "two", "repetitions": "1x1x1"}),
    ]
    made = as_set("some", cells, IRON, DoubleWell())
    assert [atoms.positions.tolist() for atoms in made.frames] == [row.positions.tolist(), moved.positions.tolist()]
    table = made.table
    assert table["id"].tolist() == ["some/one", "some/two"]
    assert table["trajectory"].tolist() == ["one", "two"]
    assert table["defect_class"].tolist() == ["P_Fe", ""]
    assert set(table["dataset"]) == {"some"}
    assert set(table["n_sites"]) == {3}
    assert set(table["status"]) == {Status.RELAXED}
    assert table["energy"].tolist() == pytest.approx([OFF**4, OFF**4 + 0.005])
    assert table["max_force"].tolist() == pytest.approx([0, 0.1])
    assert made.attributes == IRON.facts
