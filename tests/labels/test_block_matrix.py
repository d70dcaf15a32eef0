"""Hessians in blocks, against whole ones."""

import hypothesis.strategies as st
import numpy as np
from hypothesis import given
from random_springs import cells, springs, whole
from scipy.sparse import bsr_array

from vibentropy.labels.block_matrix import from_hessian, from_parts


def full(matrix):
    """All elements of a matrix."""
    starts = np.cumsum(matrix.sizes) - matrix.sizes
    dense = np.zeros((matrix.sizes.sum(), matrix.sizes.sum()))
    for v, (begin, end) in enumerate(zip(matrix.first[:-1], matrix.first[1:], strict=True)):
        for k in range(begin, end):
            w = matrix.neighbour[k]
            block = matrix.values[matrix.start[k] :][: matrix.sizes[v] * matrix.sizes[w]]
            rows, columns = (slice(starts[u], starts[u] + matrix.sizes[u]) for u in (v, w))
            dense[rows, columns] += block.reshape(matrix.sizes[v], matrix.sizes[w])
    return dense


@given(cells(), st.booleans())
def test_the_hessian_is_what_is_left_without_densities(case, densities):
    atoms, random = case
    parts = springs(atoms, random, densities)
    hessian = whole(parts)
    matrix = from_parts(parts)
    dense, n = full(matrix), 3 * len(atoms)
    np.testing.assert_allclose(dense, dense.T, atol=1e-14)
    assert len(matrix.signs) == (parts.curvatures != 0).sum()
    left = dense[:n, :n] - dense[:n, n:] @ np.linalg.inv(dense[n:, n:]) @ dense[n:, :n]
    np.testing.assert_allclose(left, hessian, atol=1e-12)
    # Densities are of determinant one but for the sign.
    np.testing.assert_array_equal(dense[n:, n:], -np.diag(matrix.signs))
    blocks = from_hessian(bsr_array(hessian, blocksize=(3, 3)))
    np.testing.assert_array_equal(full(blocks), hessian)
    vector = random.normal(size=n)
    for one in (matrix, blocks):
        np.testing.assert_allclose(one.apply(vector), hessian @ vector, atol=1e-11)


def test_parts_of_a_potential_add_up_to_its_hessian(iron, iron_crystal):
    random = np.random.default_rng(0)
    for repetitions in ((1, 1, 1), (2, 3, 2), (4, 4, 4)):
        atoms = iron_crystal(repetitions)
        atoms.positions += random.normal(scale=0.05, size=(len(atoms), 3))
        parts = iron.hessian_parts(atoms)
        np.testing.assert_allclose(whole(parts), iron.hessian(atoms).toarray(), atol=1e-11)
