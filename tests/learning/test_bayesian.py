"""Bayesian regressions against evidence maximised by brute force, and their own model."""

import numpy as np
import pytest
from scaled_rows import scaled
from scipy.optimize import minimize
from scipy.stats import multivariate_normal
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import ARDRegression

from vibentropy.errors import DataError
from vibentropy.learning.bayesian import ExtensiveARD, ExtensiveBayesianRidge


def draw(rng, weights, n, sigma):
    """Features whose cells differ in size, and labels from the model of the Bayesian ridge itself."""
    X = rng.normal(size=(n, len(weights))) * rng.lognormal(0, 1, size=(n, 1)) * np.logspace(-1, 1, len(weights))
    Z = scaled(X)
    measure = np.sqrt((Z**2).mean(axis=1))
    return X, Z @ weights + sigma * np.sqrt(measure) * rng.normal(size=n), Z, measure


@pytest.mark.parametrize("n", [8, 60])
def test_bayesian_posterior_and_evidence(rng, n):
    """Posterior in closed form; λ and σ² against a search for the largest evidence, from the density of the data."""
    X, y, Z, measure = draw(rng, rng.normal(size=12), n, 0.5)
    model = ExtensiveBayesianRidge(tol=1e-12, max_iter=100000).fit(X, y)
    precision = model.weight_precision_ * np.eye(12) + Z.T @ (Z / measure[:, None]) / model.noise_variance_
    covariance = np.linalg.inv(precision)
    np.testing.assert_allclose(model.covariance_, covariance, rtol=1e-6, atol=1e-9)
    weights = covariance @ Z.T @ (y / measure) / model.noise_variance_
    np.testing.assert_allclose(model.coef_ * model.scale_, weights, rtol=1e-6)

    def minus_log_evidence(logs):
        noise, precision = np.exp(logs)
        return -multivariate_normal.logpdf(y, np.zeros(n), noise * np.diag(measure) + Z @ Z.T / precision)

    if n > 12:  # with fewer rows than features the evidence has no maximum away from zero noise
        found = np.log([model.noise_variance_, model.weight_precision_])
        best = minimize(minus_log_evidence, [0.0, 0.0], method="Nelder-Mead", options={"xatol": 1e-6, "fatol": 1e-10})
        np.testing.assert_allclose(found, best.x, atol=1e-3)


def test_bayesian_variance_of_nothing_and_of_two_cells(rng):
    X, y, Z, measure = draw(rng, rng.normal(size=4), 40, 0.5)
    model = ExtensiveBayesianRidge().fit(X, y)
    mean, std = model.predict(np.zeros((1, 4)), return_std=True)
    assert mean[0] == std[0] == 0.0
    weights_part = np.einsum("ni,ij,nj->n", Z, model.covariance_, Z)
    single, double = (model.predict(k * X, return_std=True)[1] ** 2 for k in (1, 2))
    np.testing.assert_allclose(single - weights_part, model.noise_variance_ * measure, rtol=1e-9)
    np.testing.assert_allclose(double - 4 * weights_part, 2 * (single - weights_part), rtol=1e-9)


def test_bayesian_intervals_cover_what_the_model_draws(rng):
    X, y, _, _ = draw(rng, rng.normal(size=8), 4200, 0.5)
    train = slice(0, 200)
    model = ExtensiveBayesianRidge().fit(X[train], y[train])
    mean, std = model.predict(X[200:], return_std=True)
    z = np.abs(y[200:] - mean) / std
    # Standard errors of 4000 draws are 0.7 and 0.3 per cent.
    assert abs(np.mean(z < 0.9945) - 0.68) < 0.03
    assert abs(np.mean(z < 1.9600) - 0.95) < 0.015


def test_bayesian_ridge_leaves_out_perfect_crystals(rng):
    X, y, _, _ = draw(rng, rng.normal(size=4), 40, 0.5)
    alone = ExtensiveBayesianRidge(tol=1e-10).fit(X, y)
    with_crystals = ExtensiveBayesianRidge(tol=1e-10).fit(np.vstack([X, np.zeros((7, 4))]), np.append(y, np.ones(7)))
    np.testing.assert_allclose(with_crystals.predict(X), alone.predict(X), rtol=1e-2)
    assert with_crystals.noise_variance_ < 2 * alone.noise_variance_
    with pytest.raises(DataError, match="1 of 8 training rows differ from the perfect crystal"):
        ExtensiveBayesianRidge().fit(np.vstack([X[:1], np.zeros((7, 4))]), np.ones(8))


def test_bayesian_ridge_says_when_it_stops_early(data):
    with pytest.warns(ConvergenceWarning, match="in 1 iterations"):
        ExtensiveBayesianRidge(max_iter=1).fit(*data[:2])


def test_ard_is_that_of_scikit_learn_on_rows_divided_by_the_root_of_the_measure(rng):
    X, y, Z, measure = draw(rng, np.array([2.0, -1.0, 0, 0, 0, 0.5, 0, 0]), 80, 0.2)
    model = ExtensiveARD(tol=1e-8, max_iter=3000).fit(X, y)
    root = np.sqrt(measure)
    expected = ARDRegression(fit_intercept=False, tol=1e-8, max_iter=3000, compute_score=False)
    expected.fit(Z / root[:, None], y / root)
    np.testing.assert_allclose(model.coef_ * model.scale_, expected.coef_, rtol=1e-10)
    kept = expected.lambda_ < 1e4
    assert 3 <= model.n_selected_ == kept.sum() < 8
    np.testing.assert_array_equal(model.coef_ != 0, kept)
    np.testing.assert_array_equal(model.covariance_[~kept], 0.0)
    # The posterior in closed form, given the precisions that were found.
    inverse = np.diag(expected.lambda_[kept]) + Z[:, kept].T @ (Z[:, kept] / measure[:, None]) / model.noise_variance_
    np.testing.assert_allclose(model.covariance_[np.ix_(kept, kept)], np.linalg.inv(inverse), rtol=1e-4, atol=1e-8)
    mean, std = model.predict(X, return_std=True)
    weights_part = np.einsum("ni,ij,nj->n", Z[:, kept], model.covariance_[np.ix_(kept, kept)], Z[:, kept])
    np.testing.assert_allclose(std**2, model.noise_variance_ * measure + weights_part, rtol=1e-9)
    np.testing.assert_allclose(mean, Z @ expected.coef_, rtol=1e-9)
    assert ExtensiveARD(max_precision=1e-3).fit(X, y).n_selected_ == 0
