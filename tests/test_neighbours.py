import numpy as np
import pytest
from ase import Atoms
from ase.neighborlist import neighbor_list
from hypothesis import given
from hypothesis import strategies as st

from vibentropy.errors import StructureError
from vibentropy.neighbours import neighbour_pairs


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
        ours = np.column_stack([neighbour[mine], vectors[mine]]).round(6)
        theirs = np.column_stack([j[i == atom], expected[i == atom]]).round(6)
        np.testing.assert_allclose(ours[np.lexsort(ours.T)], theirs[np.lexsort(theirs.T)], atol=1e-5)


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
