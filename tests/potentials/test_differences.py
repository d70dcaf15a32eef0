"""Differences of forces for several atoms at once are those for one after the other."""

import numpy as np
import pytest
from ase.build import bulk
from ase.geometry import get_distances

from vibentropy.errors import ConfigError
from vibentropy.potentials.differences import central_differences, difference_hessian
from vibentropy.potentials.lammps_engine import LammpsEngine
from vibentropy.potentials.protocols import Engine

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


class Counted(Engine):
    """Forces of an engine, or none, and where they were asked for."""

    def __init__(self, engine=None):
        self._engine, self.asked = engine, []

    def response(self, atoms, step, groups):
        def forces(positions):
            self.asked.append(positions)
            moved = atoms.copy()
            moved.positions = positions
            return self._engine.energy_and_forces(moved)[1] if self._engine else np.zeros((len(atoms), 3))

        return central_differences(atoms.positions, step, groups, forces)


def test_groups_give_the_same_matrix_with_fewer_forces(engine, crystal):
    one_by_one, together = Counted(engine), Counted(engine)
    expected = difference_hessian(crystal, 0.005, one_by_one)
    found = difference_hessian(crystal, 0.005, together, R_CUT + 0.02)
    assert len(one_by_one.asked) == 6 * len(crystal)
    assert len(together.asked) < len(one_by_one.asked) / 3
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-10)
    # Without starting LAMMPS again for each displacement.
    np.testing.assert_allclose(difference_hessian(crystal, 0.005, engine), expected, rtol=0, atol=1e-10)
    # Another implementation, by LAMMPS, along other axes.
    np.testing.assert_allclose(engine.dynamical_matrix(crystal, 0.005), expected, rtol=0, atol=1e-6)


def test_atoms_of_a_group_are_apart(crystal):
    """Also across the boundaries of the cell."""
    counted = Counted()
    difference_hessian(crystal, 0.01, counted, 3.2)
    groups = [np.flatnonzero(np.abs(asked - crystal.positions).max(axis=1) > 1e-6) for asked in counted.asked]
    assert sorted(np.concatenate(groups[::6]).tolist()) == list(range(len(crystal)))
    assert max(map(len, groups)) > 2
    for group in groups[::6]:
        distances = get_distances(crystal.positions[group], cell=crystal.cell, pbc=True)[1]
        assert (distances + 99 * np.eye(len(group))).min() > 6.4


def test_range_that_is_too_short_is_noticed(engine, crystal):
    with pytest.raises(ConfigError, match=r"coupling_range 2 Å is too short: .* force on atom \d+ by \d"):
        difference_hessian(crystal, 0.005, Counted(engine), 2.0)
