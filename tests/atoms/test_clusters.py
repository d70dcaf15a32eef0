"""Clusters against the neighbour list of the whole cell."""

import numpy as np
import pytest
from ase import Atoms
from hypothesis import given, settings
from hypothesis import strategies as st
from odd_cells import odd_cells

from vibentropy.atoms.clusters import clusters
from vibentropy.atoms.neighbours import neighbour_pairs
from vibentropy.errors import StructureError


@settings(max_examples=40, deadline=None, derandomize=True)
@given(odd_cells(["Fe", "Cr"]), st.floats(0.5, 7.0), st.integers(1, 5))
def test_surroundings_are_those_of_the_cell(atoms, reach, size):
    first, neighbour, vectors, _ = neighbour_pairs(atoms, reach)
    seen = []
    for centres, positions, index in clusters(atoms, reach, size):
        assert 0 < len(centres) <= size
        np.testing.assert_array_equal(index[: len(centres)], centres)
        for k, i in enumerate(centres):
            away = positions - positions[k]
            found = np.column_stack([index, away])[np.linalg.norm(away, axis=1) <= reach]
            expected = [[i, 0, 0, 0], *np.column_stack([neighbour, vectors])[first[i] : first[i + 1]]]
            order = [np.lexsort(np.round(rows, 6).T) for rows in (found, np.array(expected))]
            np.testing.assert_allclose(found[order[0]], np.array(expected)[order[1]], rtol=0, atol=1e-9)
        seen.extend(centres)
    assert sorted(seen) == list(range(len(atoms)))


def test_an_atom_on_the_image_of_another_is_named():
    atoms = Atoms("Fe3", positions=[(0, 0, 0), (2, 2, 2), (0, 0, 9.99)], cell=[10, 10, 10], pbc=True)
    with pytest.raises(StructureError, match=r"atoms 0 and 2|atoms 2 and 0"):
        list(clusters(atoms, 3.0, 100))
