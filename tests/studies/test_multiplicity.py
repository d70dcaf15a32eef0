"""Numbers of orientations of known defects."""

import numpy as np
import pytest
from ase.build import bulk
from hypothesis import given, settings
from hypothesis import strategies as st

from vibentropy.studies.multiplicity import multiplicity


def perfect(structure, n=4):
    return bulk("Fe", structure, a=2.855 if structure == "bcc" else 3.6, cubic=True).repeat(n)


def breathing(atoms, centres, amplitude=0.2):
    """Push atoms away from points, as relaxed surroundings of a defect are."""
    moved = atoms.copy()
    for centre in centres:
        away = atoms.positions - centre
        away -= np.round(away @ np.linalg.inv(atoms.cell[:])) @ atoms.cell[:]
        r = np.linalg.norm(away, axis=1, keepdims=True)
        moved.positions += amplitude * away / np.maximum(r, 0.5) * np.exp(-((r / 2.5) ** 2))
    return moved


def vacancies(crystal, *offsets):
    """Take away atom 0 and those at some distances from it (Å)."""
    points = crystal.positions[0] + np.array([(0, 0, 0), *offsets], dtype=float)
    distances = crystal.get_scaled_positions()[:, None] - crystal.cell.scaled_positions(points)
    distances = np.linalg.norm((distances - np.round(distances)) @ crystal.cell[:], axis=2)
    kept = crystal.copy()
    del kept[np.flatnonzero((distances < 0.1).any(axis=1))]
    assert len(crystal) - len(kept) == len(points)
    return breathing(kept, points)


def solutes(atoms, crystal, *offsets):
    """Make P of the atoms at some distances (Å) from site 0 of a crystal."""
    alloy = atoms.copy()
    for offset in offsets:
        away = alloy.positions - crystal.positions[0] - offset
        away -= np.round(away @ np.linalg.inv(alloy.cell[:])) @ alloy.cell[:]
        alloy.symbols[int(np.linalg.norm(away, axis=1).argmin())] = "P"
    return alloy


def dumbbell(crystal, direction):
    """Split atom 0 along a direction."""
    unit = np.array(direction) / np.linalg.norm(direction)
    split = crystal.copy()
    site = split.positions[0].copy()
    surrounded = breathing(split, [site])
    surrounded.positions[0] = site + 0.9 * unit
    surrounded.append(split[0])
    surrounded.positions[-1] = site - 0.9 * unit
    return surrounded


BCC, FCC = perfect("bcc"), perfect("fcc", 3)


@pytest.mark.parametrize(
    ("atoms", "crystal", "expected"),
    [
        (vacancies(BCC), BCC, 1),
        (vacancies(BCC, (1.4275, 1.4275, 1.4275)), BCC, 4),  # eight neighbours, each pair counted once
        (vacancies(BCC, (2.855, 0, 0)), BCC, 3),
        (dumbbell(BCC, (1, 1, 0)), BCC, 6),
        (dumbbell(BCC, (1, 1, 1)), BCC, 4),
        (dumbbell(BCC, (1, 0, 0)), BCC, 3),
        (dumbbell(BCC, (1, 2, 3)), BCC, 24),  # inversion alone is left
        (vacancies(FCC), FCC, 1),
        (vacancies(FCC, (1.8, 1.8, 0)), FCC, 6),
        (dumbbell(FCC, (1, 0, 0)), FCC, 3),
    ],
)
def test_orientations_of_known_defects(atoms, crystal, expected):
    assert multiplicity(atoms, crystal) == expected


@pytest.mark.parametrize(
    ("atoms", "expected"),
    [
        (solutes(BCC, BCC, (0, 0, 0)), 1),  # with surroundings that say nothing
        (solutes(vacancies(BCC), BCC, (1.4275, 1.4275, 1.4275)), 8),
        (solutes(vacancies(BCC), BCC, (2.855, 0, 0)), 6),
        (solutes(BCC, BCC, (0, 0, 0), (1.4275, 1.4275, 1.4275)), 4),
        # A vacancy between two solutes, and two vacancies of which one has a solute on the line through both.
        (solutes(vacancies(BCC), BCC, (1.4275, 1.4275, 1.4275), (-1.4275, -1.4275, -1.4275)), 4),
        (solutes(vacancies(BCC, (2.855, 0, 0)), BCC, (5.71, 0, 0)), 6),
        (solutes(dumbbell(BCC, (1, 1, 0)), BCC, (0.6, 0.6, 0)), 12),
    ],
)
def test_solutes_are_told_from_the_crystal(atoms, expected):
    assert multiplicity(atoms, BCC) == expected


def test_sites_of_a_compound_are_those_of_all_sublattices():
    crystal = bulk("FeAl", "cesiumchloride", a=2.9).repeat(4)
    assert multiplicity(vacancies(crystal), crystal) == 0.5
    antisite = crystal.copy()
    antisite.symbols[0] = "Al"
    assert multiplicity(antisite, crystal) == 0.5
    # Eight antisites around a vacancy of iron, the other iron of the nearest ones.
    assert multiplicity(solutes(vacancies(crystal), crystal, (1.45, 1.45, 1.45)), crystal) == 4


def test_diamond_has_two_kinds_of_sites_and_no_pure_inversion():
    crystal = bulk("Si", "diamond", a=5.43, cubic=True).repeat(2)
    assert multiplicity(vacancies(crystal), crystal) == 1
    assert multiplicity(vacancies(crystal, (1.3575, 1.3575, 1.3575)), crystal) == 2  # four bonds, each shared by two


def test_cells_of_primitive_vectors_have_the_same_orientations():
    # Operations in units of such a cell are no orthogonal matrices.
    crystal = bulk("Fe", "bcc", a=2.855).repeat(6)
    assert multiplicity(vacancies(crystal), crystal) == 1
    assert multiplicity(dumbbell(crystal, (1, 1, 0)), crystal) == 6


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_orientations_depend_neither_on_order_nor_on_where_the_defect_is(seed):
    rng = np.random.default_rng(seed)
    atoms = dumbbell(BCC, (1, 1, 0))
    moved = atoms[rng.permutation(len(atoms))]
    moved.positions += rng.uniform(-30, 30, 3) + rng.normal(0, 1e-5, (len(atoms), 3))
    assert multiplicity(moved, BCC) == 6


def test_a_broken_symmetry_counts_all_operations():
    atoms = vacancies(BCC)
    atoms.positions[[3, 10, 20]] += [[0.1, 0.05, 0.2], [0.2, 0, 0.1], [0, 0.1, -0.15]]
    assert multiplicity(atoms, BCC) == 48
