import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse import bsr_array, csr_array, eye_array
from threadpoolctl import threadpool_limits

from vibentropy.errors import SaddlePointError, StructureError
from vibentropy.labels.cholesky import MAX_ROWS, factorise


def translations(n_atoms):
    return np.tile(np.eye(3), (n_atoms, 1)) / np.sqrt(n_atoms)


def stable_hessian(n_atoms, seed):
    """Positive but for the translations."""
    directions = translations(n_atoms)
    projector = np.eye(3 * n_atoms) - directions @ directions.T
    root = projector @ np.random.default_rng(seed).normal(size=(3 * n_atoms, 6 * n_atoms))
    return root @ root.T


@given(n_atoms=st.integers(2, 9), seed=st.integers(0, 10**6))
def test_factor_is_that_of_numpy(n_atoms, seed):
    # Even and odd sizes are packed differently.
    hessian = stable_hessian(n_atoms, seed)
    factor = factorise(hessian)
    lifted = hessian + factor.shift * translations(n_atoms) @ translations(n_atoms).T
    logs = np.linalg.slogdet(lifted)
    assert factor.log_determinant() == pytest.approx(logs[1] - 3 * np.log(factor.shift), abs=1e-8)
    assert factor.shift == pytest.approx(np.linalg.eigvalsh(hessian).mean())
    vectors = np.random.default_rng(seed).normal(size=(3 * n_atoms, 2))
    np.testing.assert_allclose(factor.solve(vectors), np.linalg.solve(lifted, vectors), rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize("n_atoms", [5, 6])
def test_sparse_and_dense_hessians_have_one_factor(n_atoms):
    hessian = stable_hessian(n_atoms, 3)
    expected = factorise(hessian).packed
    for other in bsr_array(hessian, blocksize=(3, 3)), csr_array(hessian), np.asfortranarray(hessian):
        np.testing.assert_allclose(factorise(other).packed, expected, rtol=0, atol=1e-12)


def test_memory_is_half_a_matrix(iron, iron_crystal):
    hessian = iron.hessian(iron_crystal(5))
    factorise(hessian)
    tracemalloc.start()
    factorise(hessian)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 36.5 * 250**2


def test_threads_do_not_matter(iron, iron_crystal):
    hessian = iron.hessian(iron_crystal(5))
    one = factorise(hessian).log_determinant()
    with threadpool_limits(2):
        assert factorise(hessian).log_determinant() == pytest.approx(one, abs=1e-9)


def test_what_has_negative_eigenvalues_is_refused():
    hessian = stable_hessian(4, 0)
    with pytest.raises(SaddlePointError, match="mean eigenvalue of the Hessian is -"):
        factorise(-hessian)
    direction = np.array([1, 0, 0, -1, 0, 0, 0, 1, 0, 0, -1, 0])
    with pytest.raises(SaddlePointError, match=r"stops at row \d+ of 12"):
        factorise(hessian - 20.0 * np.outer(direction, direction))


def test_what_lapack_cannot_count_is_refused_before_it_is_made():
    assert MAX_ROWS * (MAX_ROWS + 1) < 2**31 <= (MAX_ROWS + 1) * (MAX_ROWS + 2)
    stiff = eye_array(3 * (MAX_ROWS // 3 + 1))
    with pytest.raises(StructureError, match="a dense factor for 15447 atoms .* 15446; .* a sparse Hessian"):
        factorise(stiff)
