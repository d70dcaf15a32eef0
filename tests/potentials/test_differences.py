"""Differences of forces for several atoms at once are those for one after the other."""

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from ase.geometry import get_distances

from vibentropy.errors import ConfigError
from vibentropy.potentials.differences import difference_hessian, is_wide
from vibentropy.potentials.lammps_engine import LammpsEngine

#: Cutoff of a Lennard-Jones crystal that feels its first neighbours, which is as far as forces reach.
R_CUT = 3.0
STYLE = f"lj/cut {R_CUT}", ["* * 0.4 2.3"], ["Cu"]


@pytest.fixture(scope="module")
def engine():
    with LammpsEngine(*STYLE) as engine:
        yield engine


@pytest.fixture
def crystal():
    """Strained and skewed, without an atom and away from rest."""
    atoms = bulk("Cu", "fcc", a=3.7, cubic=True) * (4, 4, 4)
    atoms.set_cell(atoms.cell[:] @ (np.eye(3) + [[0, 0, 0], [0.15, 0.02, 0], [0, -0.05, 0]]), scale_atoms=True)
    del atoms[17]
    atoms.rattle(0.03, seed=1)
    return atoms


class Counted:
    """Forces of an engine, and how often they were asked for."""

    def __init__(self, engine):
        self._engine, self.calls = engine, 0

    def __call__(self, atoms):
        self.calls += 1
        return self._engine.energy_and_forces(atoms)[1]


def test_groups_give_the_same_matrix_with_fewer_forces(engine, crystal):
    one_by_one, together = Counted(engine), Counted(engine)
    expected = difference_hessian(crystal, 0.005, one_by_one)
    found = difference_hessian(crystal, 0.005, together, R_CUT + 0.02)
    assert one_by_one.calls == 6 * len(crystal)
    assert together.calls < one_by_one.calls / 3
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-10)
    # Another implementation, by LAMMPS.
    np.testing.assert_allclose(engine.hessian(crystal, 0.005), expected, rtol=0, atol=1e-6)
    np.testing.assert_allclose(engine.hessian(crystal, 0.005, R_CUT + 0.02), found, rtol=0, atol=1e-12)


def test_atoms_of_a_group_are_apart(crystal):
    """Also across the boundaries of the cell."""
    groups = []

    def forces(atoms):
        moved = np.flatnonzero(np.abs(atoms.positions - crystal.positions).max(axis=1) > 1e-6)
        groups.append(moved)
        return np.zeros((len(atoms), 3))

    difference_hessian(crystal, 0.01, forces, 3.2)
    assert sorted(np.concatenate(groups[::6]).tolist()) == list(range(len(crystal)))
    assert max(map(len, groups)) > 2
    for group in groups[::6]:
        distances = get_distances(crystal.positions[group], cell=crystal.cell, pbc=True)[1]
        assert (distances + 99 * np.eye(len(group))).min() > 6.4


def test_range_that_is_too_short_is_noticed(engine, crystal):
    with pytest.raises(ConfigError, match=r"coupling_range 2 Å is too short: .* force on atom \d+ by \d"):
        difference_hessian(crystal, 0.005, Counted(engine), 2.0)


def test_cells_are_wide_in_terms_of_the_range():
    cell = Atoms("Cu", cell=[[12.0, 0, 0], [0, 12, 0], [11, 0, 10]], pbc=True)
    # Its first vectors are 12/√2.21 and 10 Å from the planes of the others.
    assert [is_wide(cell, r) for r in (2.6, 2.7, 3.4, None)] == [True, False, False, False]
