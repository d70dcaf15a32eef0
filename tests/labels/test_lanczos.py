"""Lowest eigenvalues, against dense ones."""

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given

from vibentropy.errors import NotConvergedError
from vibentropy.labels.lanczos import lowest_eigenvalue
from vibentropy.potentials.newton import newton_relax


def matrix(eigenvalues, random):
    """A matrix with these eigenvalues and three translations."""
    n = len(eigenvalues) + 3
    vectors = np.concatenate([np.tile(np.eye(3), n // 3).T, random.normal(size=(n, n - 3))], axis=1)
    basis, _ = np.linalg.qr(vectors)
    return basis[:, 3:] * eigenvalues @ basis[:, 3:].T


@given(st.integers(2, 25), st.sampled_from([1e-6, 1e-2, 1.0]), st.booleans(), st.integers(0, 2**32 - 1))
def test_lowest_eigenvalue_of_any_matrix(n_atoms, lowest, negative, seed):
    random = np.random.default_rng(seed)
    eigenvalues = np.concatenate([[-lowest if negative else lowest], random.uniform(1.5, 20, 3 * n_atoms - 4)])
    product = matrix(eigenvalues, random)
    found = lowest_eigenvalue(lambda vector: product @ vector, n_atoms)
    assert found == pytest.approx(eigenvalues[0], rel=1e-3)


def test_degenerate_eigenvalues():
    product = matrix(np.repeat([0.5, 0.5001, 8.0], [3, 2, 16]), np.random.default_rng(1))
    assert lowest_eigenvalue(lambda vector: product @ vector, 8) == pytest.approx(0.5, rel=1e-3)


def test_cells_of_iron(iron, iron_crystal):
    atoms = iron_crystal(5)
    for defect in (atoms, newton_relax(atoms[1:], iron, 1e-6)[0]):
        hessian = iron.hessian(defect)
        exact = np.linalg.eigvalsh(hessian.toarray())[3]
        assert lowest_eigenvalue(lambda vector: hessian @ vector, len(defect)) == pytest.approx(exact, rel=1e-3)  # noqa: B023


def test_it_ends_early_below_the_floor_and_says_when_it_does_not_end():
    product = matrix(np.linspace(1e-5, 30, 297), np.random.default_rng(2))
    steps = []

    def apply(vector):
        steps.append(1)
        return product @ vector

    assert lowest_eigenvalue(apply, 100, floor=5.0) < 5.0
    assert len(steps) <= 40
    with pytest.raises(NotConvergedError, match="has not converged in 10 steps"):
        lowest_eigenvalue(apply, 100, max_steps=10)
