"""Reduced rows have the squared errors of those that they stand for, and fits to them are those to all rows."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.linear_model import BayesianRidge, Ridge

from vibentropy.learning import reduced_rows
from vibentropy.learning.base import group_splits
from vibentropy.learning.bayesian import ExtensiveBayesianRidge
from vibentropy.learning.least_squares import ExtensiveLeastSquares
from vibentropy.learning.reduced_rows import ReducedRows
from vibentropy.learning.ridge import ExtensiveRidge
from vibentropy.learning.scaling import RootMeanSquareScaler, scales, size


@pytest.fixture(autouse=True)
def _small_blocks(monkeypatch):
    """Blocks so small that a few rows are several."""
    monkeypatch.setattr(reduced_rows, "_SMALLEST_BLOCK", 1)


def draw(seed, n, n_features, dependence=1e-3):
    """Features of very different size, some nearly dependent, one of them zero."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, n_features)) * np.logspace(-3, 3, n_features)
    X[:, -1] = 0.0
    X[:, 1] = X[:, 0] * (1 + dependence * rng.normal(size=n))
    return X, X @ (rng.normal(size=n_features) / np.logspace(-3, 3, n_features)) + rng.normal(size=n)


@given(st.integers(0, 2**32 - 1), st.integers(0, 100), st.integers(2, 8))
def test_squared_errors_and_scales_are_those_of_the_rows(seed, n, n_features):
    X, y = draw(seed, n, n_features)
    weights = np.random.default_rng(seed).normal(size=(3, n_features))
    rows = ReducedRows.of(X, y)
    assert rows.n == n
    assert rows.factor.shape == (min(n, n_features + 1), n_features + 1)
    expected = ((y[:, None] - X @ weights.T) ** 2).sum(axis=0)
    np.testing.assert_allclose(rows.squared_errors(weights), expected, rtol=1e-10)
    if n:
        np.testing.assert_allclose(scales(rows.root_mean_squares()), RootMeanSquareScaler().fit(X).scale_, rtol=1e-12)
        weighted = rows.weighted(0.25)
        np.testing.assert_allclose(((weighted @ [*weights[0], -1.0]) ** 2).sum(), 0.25 * expected[0] / n, rtol=1e-10)
    parts = [ReducedRows.of(X[part], y[part]) for part in (slice(n // 3), slice(n // 3, None))]
    joined = ReducedRows.join(parts, n_features)
    assert joined.n == n
    halved = joined.divided(np.full(n_features, 2.0))
    np.testing.assert_allclose(halved.squared_errors(2 * weights), expected, rtol=1e-10)


def test_nothing_is_no_rows():
    assert ReducedRows.join([], 6).weighted(1.0).shape == (0, 7)
    assert ReducedRows.of(np.ones((20, 6)), np.ones(20)).weighted(0.0).shape == (0, 7)


@pytest.mark.parametrize("n", [30, 400])
def test_ridge_is_that_of_the_singular_values_of_all_rows(n):
    """To 1e-8 at the smallest penalty, where the condition of the features counts; held-out errors as well."""
    X, y = draw(1, n, 40, dependence=1e-4)
    groups = np.arange(n) // 3
    penalties = np.array([1e-2, 1e-12])
    model = ExtensiveRidge(penalties).fit(X, y, groups)
    squared = np.zeros(2)
    for train, test in group_splits(n, groups, 5):
        scale = RootMeanSquareScaler().fit(X[train]).scale_
        for k, penalty in enumerate(penalties):
            ridge = Ridge(alpha=len(train) * penalty, fit_intercept=False, solver="svd").fit(X[train] / scale, y[train])
            squared[k] += ((ridge.predict(X[test] / scale) - y[test]) ** 2).sum()
    np.testing.assert_allclose(model.cv_rmse_, np.sqrt(squared / n), rtol=1e-8)
    smallest = ExtensiveRidge([1e-12]).fit(X, y)
    whole = Ridge(alpha=n * 1e-12, fit_intercept=False, solver="svd").fit(X / smallest.scale_, y)
    # That of the feature which is always zero means nothing: it is rounding over the penalty.
    found = smallest.coef_ * smallest.scale_
    np.testing.assert_allclose(found[:-1], whole.coef_[:-1], rtol=1e-8, atol=1e-8)


def test_least_squares_are_those_of_all_rows():
    X, y = draw(2, 400, 20)
    model = ExtensiveLeastSquares().fit(X, y)
    Z = X / model.scale_
    np.testing.assert_allclose(model.coef_ * model.scale_, np.linalg.lstsq(Z, y)[0], rtol=1e-8, atol=1e-10)
    np.testing.assert_allclose(model.singular_values_, np.linalg.svd(Z / 20, compute_uv=False), atol=1e-12)
    assert model.rank_ == 19


def test_evidence_is_that_of_all_rows():
    X, y = draw(3, 400, 20)
    model = ExtensiveBayesianRidge(tol=1e-10).fit(X, y)
    Z = X / model.scale_
    root = np.sqrt(size(Z))
    whole = BayesianRidge(max_iter=3000, tol=1e-10, fit_intercept=False).fit(Z / root[:, None], y / root)
    np.testing.assert_allclose(model.noise_variance_, 1 / whole.alpha_, rtol=1e-8)
    np.testing.assert_allclose(model.weight_precision_, whole.lambda_, rtol=1e-8)
    np.testing.assert_allclose(model.covariance_, whole.sigma_, rtol=1e-6, atol=1e-12)
    np.testing.assert_allclose(model.coef_ * model.scale_, whole.coef_, rtol=1e-7, atol=1e-9)
