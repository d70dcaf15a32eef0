"""Routines on parts of matrices, against numpy on whole ones."""

import hypothesis.strategies as st
import numpy as np
from hypothesis import given

from vibentropy.numerics.blas import add_product, add_square, cholesky, divide_by_transposed

SIZES = st.integers(0, 9)


def part(rows, columns, random):
    """An array in column order that holds a matrix somewhere; the matrix, its place, and the distance of columns."""
    whole = np.asfortranarray(random.normal(size=(rows + 3, columns + 2)))
    return whole.ravel(order="K"), whole[2 : rows + 2, 1 : columns + 1].copy(), rows + 3 + 2, rows + 3


def read(array, place, rows, columns, stride):
    return np.array([[array[place + j * stride + i] for j in range(columns)] for i in range(rows)]).reshape(
        rows, columns
    )


@given(SIZES, SIZES, SIZES, st.integers(0, 2**32 - 1))
def test_products(m, n, k, seed):
    random = np.random.default_rng(seed)
    a, left, a_place, a_stride = part(m, k, random)
    b, right, b_place, b_stride = part(n, k, random)
    c, before, c_place, c_stride = part(m, n, random)
    add_product(m, n, k, 0.5, a, a_place, a_stride, b, b_place, b_stride, c, c_place, c_stride)
    expected = before + 0.5 * left @ right.T
    np.testing.assert_allclose(read(c, c_place, m, n, c_stride), expected, atol=1e-12)


@given(SIZES, SIZES, st.integers(0, 2**32 - 1))
def test_squares_change_the_lower_triangle_only(n, k, seed):
    random = np.random.default_rng(seed)
    a, factor, a_place, a_stride = part(n, k, random)
    c, before, c_place, c_stride = part(n, n, random)
    add_square(n, k, -2.0, a, a_place, a_stride, c, c_place, c_stride)
    expected = np.tril(before - 2.0 * factor @ factor.T) + np.triu(before, 1)
    np.testing.assert_allclose(read(c, c_place, n, n, c_stride), expected, atol=1e-12)


@given(st.integers(1, 9), SIZES, st.integers(0, 2**32 - 1))
def test_factors_and_quotients(n, m, seed):
    random = np.random.default_rng(seed)
    square = random.normal(size=(n, n))
    matrix = np.asfortranarray(np.vstack([square @ square.T + np.eye(n), random.normal(size=(m, n))]))
    array = matrix.ravel(order="K").copy()
    assert cholesky(n, array, 0, n + m)
    factor = np.linalg.cholesky(matrix[:n])
    np.testing.assert_allclose(np.tril(read(array, 0, n, n, n + m)), factor, atol=1e-10)
    divide_by_transposed(m, n, array, 0, n, n + m)
    np.testing.assert_allclose(read(array, n, m, n, n + m) @ factor.T, matrix[n:], atol=1e-10)


def test_what_is_not_positive_definite_is_said():
    assert not cholesky(2, np.array([1.0, 2.0, 2.0, 1.0]), 0, 2)
