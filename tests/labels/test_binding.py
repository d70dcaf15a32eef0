"""Binding within iron; with solutes in test_alloys.py."""

import numpy as np
import pytest

import vibentropy
from vibentropy import binding
from vibentropy.errors import StructureError
from vibentropy.labels.binding import Binding


@pytest.fixture(scope="module")
def cells(iron, iron_crystal):
    """Perfect crystal, a vacancy, and two of them that are second neighbours."""
    crystal = iron_crystal(3)
    vacancy = crystal.copy()
    del vacancy[0]
    second = int(np.argmin(np.abs(crystal.get_distances(0, range(len(crystal)), mic=True) - 2.8553)))
    pair = crystal.copy()
    del pair[[0, second]]
    return crystal, vibentropy.relax(vacancy, iron), vibentropy.relax(pair, iron)


def test_it_is_what_formation_leaves(iron, cells):
    crystal, vacancy, pair = cells
    found = binding(pair, [vacancy, vacancy], crystal, iron)
    formed = [vibentropy.formation_entropy(atoms, crystal, iron) for atoms in (pair, vacancy)]
    assert found.entropy == pytest.approx(formed[0] - 2 * formed[1], abs=1e-9)
    energies = [iron.energy_and_forces(atoms)[0] for atoms in (pair, vacancy, crystal)]
    assert found.energy == pytest.approx(energies[0] + energies[2] - 2 * energies[1], abs=1e-9)
    # Two vacancies attract each other.
    assert found.energy < -0.1
    assert isinstance(found, Binding)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda crystal, vacancy, pair: (pair, [vacancy], crystal), "two parts or more, found 1"),
        (
            lambda crystal, vacancy, pair: (pair, [vacancy, crystal], crystal),
            "do not hold the atoms of the parts, Fe53, Fe54",
        ),
        (lambda crystal, vacancy, pair: (pair, [vacancy, vacancy], crystal * 2), "compare both in the same cell"),
    ],
)
def test_cells_that_do_not_balance_are_refused(iron, cells, change, message):
    with pytest.raises(StructureError, match=message):
        binding(*change(*cells), iron)
