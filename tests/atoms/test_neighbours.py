from pathlib import Path

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from ase.neighborlist import neighbor_list
from hypothesis import given
from hypothesis import strategies as st
from matscipy.neighbours import neighbour_list

from vibentropy.atoms.clusters import clusters
from vibentropy.atoms.neighbours import check_sites, neighbour_blocks, neighbour_pairs
from vibentropy.errors import StructureError


def sorted_rows(*columns):
    """Pairs in an order that depends on nothing but themselves."""
    rows = np.column_stack(columns)
    return rows[np.lexsort(rows.round(6).T)]


@pytest.fixture
def liquid():
    """A sheared cell of atoms at random, up to two cells outside the box."""
    rng = np.random.default_rng(1)
    cell = np.array([[22.0, 0, 0], [5.0, 17.0, 0], [-4.0, 3.0, 12.0]])
    return Atoms("Fe400", scaled_positions=rng.uniform(-2, 3, (400, 3)), cell=cell)


@given(
    seed=st.integers(0, 10**6),
    n_atoms=st.integers(1, 6),
    pbc=st.tuples(st.booleans(), st.booleans(), st.booleans()),
    without_vectors=st.booleans(),
)
def test_pairs_are_those_of_ase(seed, n_atoms, pbc, without_vectors):
    rng = np.random.default_rng(seed)
    cell = rng.normal(size=(3, 3)) * rng.uniform(1, 5)
    cell[~np.array(pbc)] *= 0 if without_vectors else 1
    periodic = cell[np.array(pbc)]
    if len(periodic) and np.linalg.svd(periodic, compute_uv=False)[-1] < 0.5:
        return
    atoms = Atoms(f"Fe{n_atoms}", positions=10 * rng.normal(size=(n_atoms, 3)), cell=cell, pbc=pbc)
    first, neighbour, vectors, distances = neighbour_pairs(atoms, 4.5)
    i, j, expected = neighbor_list("ijD", atoms, 4.5)
    assert first[0] == 0
    assert first[-1] == len(neighbour) == len(i)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), distances, atol=1e-12)
    for atom in range(n_atoms):
        mine = slice(first[atom], first[atom + 1])
        ours = sorted_rows(neighbour[mine], vectors[mine])
        np.testing.assert_allclose(ours, sorted_rows(j[i == atom], expected[i == atom]), atol=1e-5)


@pytest.mark.parametrize("pbc", [(True, True, True), (True, False, True), (False, False, True), (False, False, False)])
@pytest.mark.parametrize("r_cut", [1.0, 3.0, 7.0, 19.0])
def test_pairs_of_many_atoms_are_those_of_matscipy(liquid, pbc, r_cut):
    liquid.pbc = pbc
    # matscipy keeps the vectors of directions without periodicity; here they mean nothing.
    i, j, expected = neighbour_list("ijD", positions=liquid.positions, cell=liquid.cell[:], pbc=pbc, cutoff=r_cut)
    first, neighbour, vectors, _ = neighbour_pairs(liquid, r_cut)
    ours = sorted_rows(np.repeat(np.arange(400), np.diff(first)), neighbour, vectors)
    np.testing.assert_allclose(ours, sorted_rows(i, j, expected), atol=1e-9)


@pytest.mark.parametrize("size", [1, 7, 400, 1000])
def test_blocks_hold_every_atom_once_with_its_neighbours(liquid, size):
    liquid.pbc = True
    first, neighbour, vectors, distances = neighbour_pairs(liquid, 4.0)
    seen = []
    for centres, some_first, *some in neighbour_blocks(liquid, 4.0, size):
        assert 0 < len(centres) <= size
        assert some_first[0] == 0
        seen.extend(centres)
        mine = np.concatenate([np.arange(first[i], first[i + 1]) for i in centres])
        np.testing.assert_array_equal(np.diff(some_first), np.diff(first)[centres])
        for found, expected in zip(some, (neighbour, vectors, distances), strict=True):
            np.testing.assert_array_equal(found, expected[mine])
    assert sorted(seen) == list(range(400))


def test_both_orders_of_a_pair_are_exactly_opposite(liquid):
    """So that both atoms agree about a neighbour at the cutoff, and forces cancel to the last digit."""
    liquid.pbc = True
    first, neighbour, vectors, _ = neighbour_pairs(liquid, 7.0)
    atom = np.repeat(np.arange(400), np.diff(first))
    forth, back = np.column_stack([atom, neighbour, vectors]), np.column_stack([neighbour, atom, -vectors])
    np.testing.assert_array_equal(forth[np.lexsort(forth.T)], back[np.lexsort(back.T)])


@pytest.mark.parametrize("shift", [0.0, 0.3, -1e-17, 1e-13])
def test_atoms_on_the_faces_of_bins(shift):
    """A crystal whose planes are where bins end: each atom of this one has six neighbours at 1 Å."""
    crystal = Atoms("Fe", cell=[1, 1, 1], pbc=True).repeat(9)
    crystal.positions += shift
    for r_cut in (1.0 + 1e-9, 1.125, 1.4):
        np.testing.assert_array_equal(np.diff(neighbour_pairs(crystal, r_cut)[0]), 6)
    np.testing.assert_array_equal(np.diff(neighbour_pairs(crystal, 1.0 - 1e-9)[0]), 0)


def test_atoms_far_apart_need_no_memory():
    atoms = Atoms("Fe4", positions=[(0, 0, 0), (1, 0, 0), (1e9, -1e9, 1e9), (1e9, 2 - 1e9, 1e9)])
    first, neighbour, _, distances = neighbour_pairs(atoms, 2.5)
    np.testing.assert_array_equal(first, range(5))
    np.testing.assert_array_equal(neighbour, [1, 0, 3, 2])
    np.testing.assert_array_equal(distances, [1, 1, 2, 2])


def test_long_cells_have_bins_too():
    """A wire of atoms: cost and memory follow their number whatever the shape of the cell."""
    wire = Atoms("Fe", cell=[2, 2, 2], pbc=[True, False, False]).repeat((20000, 1, 1))
    assert max(len(block[2]) for block in neighbour_blocks(wire, 3.0)) == 2 * 512


@pytest.mark.parametrize(
    ("atoms", "message"),
    [
        (Atoms("Fe2", [[0, 0, 0], [0, 0, 1e-3]]), "atoms . and . are on one site"),
        (Atoms("Fe2", [[0, 0, 0], [3, 3, 3]], cell=[3, 3, 3], pbc=True), "on one site"),
        (Atoms("Fe", [[0, np.inf, 0]]), "position of atom 0"),
        (Atoms("Fe", cell=[3, 0, 3], pbc=True), "zero or parallel"),
        (Atoms("Fe", cell=[[3, 0, 0], [6, 0, 0], [0, 0, 1]], pbc=True), "zero or parallel"),
        (Atoms(), "holds no atoms"),
    ],
)
def test_what_has_no_neighbours_is_refused(atoms, message):
    with pytest.raises(StructureError, match=message):
        neighbour_pairs(atoms, 4.0)


def test_sites_are_occupied_once():
    crystal = bulk("Fe", cubic=True) * 3
    check_sites(crystal)
    crystal += Atoms("Fe", positions=[crystal.positions[4] - [0, 0, 0.01]])
    with pytest.raises(StructureError, match=r"atoms 4 and 54 are on one site \(1.00e-02 Å apart\)"):
        check_sites(crystal)
    with pytest.raises(StructureError, match=r"are on one site \(1.00e-02 Å apart\)"):
        next(clusters(crystal, 4.0, 100))


def test_there_is_one_check_of_sites():
    root = Path(__file__).parents[2]
    sources = [*(root / "src").rglob("*.py"), *(root / "descriptors").rglob("*.py")]
    assert [path.stem for path in sources if "are on one site (" in path.read_text(encoding="utf-8")] == ["neighbours"]
