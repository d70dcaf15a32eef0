"""Perfect crystals are recognised in any description, and sites are counted."""

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from vibentropy import formation_entropy
from vibentropy.atoms.reference import check_perfect, count_sites, crystal_in_cell
from vibentropy.errors import StructureError

CRYSTALS = {
    "sc": bulk("Fe", "sc", a=2.5),
    "bcc": bulk("Fe", "bcc", a=2.87),
    "fcc": bulk("Cu", "fcc", a=3.6),
    "hcp": bulk("Ti", "hcp", a=2.95, c=4.68),
    "diamond": bulk("Si", "diamond", a=5.43),
}


@st.composite
def crystals(draw):
    """A perfect crystal of several units: sheared, rotated, in a longer description, atoms anywhere, in any order."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    unit = CRYSTALS[draw(st.sampled_from(sorted(CRYSTALS)))]
    atoms = unit.repeat(draw(st.sampled_from([(3, 3, 3), (2, 4, 5), (1, 1, 12), (4, 4, 1)])))
    cell = atoms.cell[:] @ (np.eye(3) + rng.uniform(-0.05, 0.05, (3, 3)))
    atoms.set_cell(cell, scale_atoms=True)
    cell[1] += draw(st.sampled_from([-1, 0, 1])) * cell[0]
    atoms.set_cell(cell)
    turn = Rotation.random(rng=rng).as_matrix()
    atoms.set_cell(atoms.cell[:] @ turn, scale_atoms=True)
    atoms.positions += rng.integers(-2, 3, (len(atoms), 3)) @ atoms.cell[:] + rng.normal(size=3)
    return atoms[rng.permutation(len(atoms))], rng


@given(crystals())
def test_crystals_are_perfect_in_any_description(drawn):
    check_perfect(drawn[0])


@given(crystals())
def test_crystals_with_a_defect_are_not(drawn):
    atoms, rng = drawn
    spoilt = atoms.copy()
    del spoilt[int(rng.integers(len(atoms)))]
    moved = atoms.copy()
    moved.positions[int(rng.integers(len(atoms)))] += [0.2, 0.1, 0.0]
    for defective in (spoilt, moved):
        with pytest.raises(StructureError, match="expected the perfect crystal"):
            check_perfect(defective)


def test_units_of_a_crystal_are_perfect():
    for unit in CRYSTALS.values():
        check_perfect(unit)
    check_perfect(bulk("Si", "diamond", a=5.43, cubic=True))


def test_entropies_do_not_refer_to_a_cell_with_a_defect(iron, iron_crystal):
    """A vacancy and its crystal, taken for each other."""
    crystal = iron_crystal(3)
    with pytest.raises(StructureError, match="expected the perfect crystal"):
        formation_entropy(crystal, crystal[1:], iron)


def test_sites_are_counted_as_exactly_as_lattice_constants_are_known():
    # Only its volume counts.
    crystal = Atoms(cell=[100 * 2.85531254] * 3, pbc=True)
    volume = crystal.cell.volume / 2_000_000
    assert count_sites(crystal, volume, "iron", "") == 2_000_000
    assert count_sites(crystal, volume * (1 + 5e-8), "iron", "") == 2_000_000
    with pytest.raises(StructureError, match="1999999.400 sites of iron, expected a whole number: look"):
        count_sites(crystal, volume * (1 + 3e-7), "iron", "look")
    small = bulk("Fe", "bcc", a=2.85531254, cubic=True) * 4
    with pytest.raises(StructureError, match="127.9"):
        count_sites(small, volume * 1.0005, "iron", "")


def turned(atoms, vector):
    turn = Rotation.from_rotvec(vector).as_matrix()
    atoms = atoms.copy()
    atoms.set_cell(atoms.cell[:] @ turn, scale_atoms=True)
    return atoms


def test_the_crystal_is_turned_as_the_cell_is():
    crystal = CRYSTALS["hcp"].repeat(3)
    assert crystal_in_cell(crystal[1:], crystal) is crystal
    for vector in ([0, 0, np.pi / 2], [0.3, -1.0, 0.7], [np.pi, 0, 0]):
        there = crystal_in_cell(turned(crystal, vector)[1:], crystal)
        np.testing.assert_allclose(there.positions, turned(crystal, vector).positions, atol=1e-9)
        np.testing.assert_allclose(there.cell[:], turned(crystal, vector).cell[:], atol=1e-9)
    # Digits that are left out are no strain: the crystal is turned and nothing else.
    there = crystal_in_cell(Atoms(cell=turned(crystal, vector).cell[:].round(4)), crystal)
    np.testing.assert_allclose(there.cell.lengths(), crystal.cell.lengths(), atol=1e-9)


@pytest.mark.parametrize(
    ("deformation", "message"),
    [
        (
            np.diag([1.002, 1, 1]),
            r"that of the perfect crystal: length a \(Å\) is 10.8216 and should be 10.8000;",
        ),
        (
            [[1, 0, 0], [0.01, 1, 0], [0, 0, 1]],
            r"that of the perfect crystal: angle gamma \(degrees\) is 89.427 and should be 90.000;",
        ),
        # Another size of cell.
        (2 * np.eye(3), r"length a \(Å\) is 21.6000 and should be 10.8000, length b .*, length c [^,]*; formation"),
        (np.nan * np.eye(3), r"length a \(Å\) is nan"),
    ],
)
def test_cells_that_differ_are_told_by_lengths_and_angles(deformation, message):
    crystal = CRYSTALS["fcc"].repeat(3)
    crystal.set_cell(10.8 * np.eye(3))
    other = Atoms(cell=crystal.cell[:] @ deformation)
    for cell in (other, other if np.isnan(other.cell[0, 0]) else turned(other, [0.3, -1.0, 0.7])):
        with pytest.raises(StructureError, match=message) as caught:
            crystal_in_cell(cell, crystal)
        assert "[" not in str(caught.value)


def test_lattice_constants_that_are_off_by_whole_sites():
    """The volume of 11 666 sites of the crystal, and 11 664 sites of the cell's own."""
    atoms = (bulk("Fe", "bcc", a=2.85548, cubic=True) * 18)[27:]
    volume = 2.8553125**3 / 2
    with pytest.raises(StructureError, match="11666.0.. sites of iron, expected 11664.*2.85548 Å .*2.85531 Å .*: look"):
        count_sites(atoms, volume, "iron", "look")
    assert count_sites(atoms, 2.85548**3 / 2, "iron", "look") == 11664
