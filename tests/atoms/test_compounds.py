"""Ordered compounds: neighbours as the Strukturbericht has them, by definition and against spglib."""

import numpy as np
import pytest
import spglib
from hypothesis import given
from hypothesis import strategies as st

from vibentropy.atoms.compounds import COMPOUNDS
from vibentropy.atoms.crystal import NEAREST, SITES_PER_CELL, Crystal


def neighbours(atoms, index):
    """Elements of the nearest neighbours of an atom."""
    others = np.delete(np.arange(len(atoms)), index)
    apart = atoms.get_distances(index, others, mic=True)
    near = others[apart < apart.min() + 0.01]
    return apart.min(), "".join(sorted(atoms.symbols[near]))


@pytest.mark.parametrize(
    ("structure", "sublattice", "around"),
    [
        ("B2", "Fe", "Al" * 8),
        ("B2", "Al", "Fe" * 8),
        ("L1_2", "Fe", "Al" * 4 + "Fe" * 8),
        ("L1_2", "Al", "Fe" * 12),
        ("DO3", "FeI", "Fe" * 8),
        ("DO3", "FeII", "Al" * 4 + "Fe" * 4),
        ("DO3", "Al", "Fe" * 8),
    ],
)
def test_neighbours_of_each_sublattice(structure, sublattice, around):
    crystal = Crystal("Fe", structure, 4.0, partner="Al")
    atoms = crystal.cell(3)
    for index in np.flatnonzero(crystal.on(sublattice, len(atoms)))[:3]:
        distance, found = neighbours(atoms, index)
        assert found == around
        assert distance == pytest.approx(4.0 * NEAREST[COMPOUNDS[structure].parent] / COMPOUNDS[structure].edge)


@pytest.mark.parametrize(("structure", "group", "orbits"), [("B2", 221, 2), ("L1_2", 221, 2), ("DO3", 225, 3)])
def test_space_groups_and_sites_that_are_alike(structure, group, orbits):
    crystal = Crystal("Fe", structure, 4.0, partner="Al")
    unit = crystal.cell(1)
    found = spglib.get_symmetry_dataset((unit.cell[:], unit.get_scaled_positions(), unit.numbers))
    assert found.number == group
    assert len(unit) == SITES_PER_CELL[structure]
    pairs = set(zip(found.equivalent_atoms.tolist(), crystal.sublattices, strict=True))
    assert len(pairs) == len({orbit for orbit, _ in pairs}) == len({name for _, name in pairs}) == orbits


@given(structure=st.sampled_from(sorted(COMPOUNDS)), cell=st.tuples(*[st.integers(1, 3)] * 3))
def test_sublattices_make_up_the_cell(structure, cell):
    crystal = Crystal("Ba", structure, 4.0, partner="Al")
    atoms = crystal.cell(cell)
    names = list(dict.fromkeys(crystal.sublattices))
    on = np.array([crystal.on(name, len(atoms)) for name in names])
    assert (on.sum(axis=0) == 1).all()
    for name, sites in zip(names, on, strict=True):
        assert set(atoms.symbols[sites]) == {name.rstrip("I")}
    # An element is all of its sublattices.
    np.testing.assert_array_equal(crystal.on("Ba", len(atoms)), atoms.symbols == "Ba")


def test_compounds_have_names_and_facts(tmp_path):
    crystal = Crystal("Fe", "DO3", 5.8, partner="Al")
    assert str(crystal) == "DO3 Fe3Al, a = 5.8000000 Å"
    assert Crystal("Ba", "B2", 4.0, partner="Ba").name == "B2 BaBa"
    assert Crystal.from_facts(crystal.facts | {"seed": 1}) == crystal
    crystal.save(tmp_path / "lattice.json")
    assert Crystal.load(tmp_path / "lattice.json") == crystal
    assert "partner" not in Crystal("Fe", "bcc", 2.86).facts
