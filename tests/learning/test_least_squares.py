"""Least squares are those of scikit-learn, of smallest weights where there are many."""

import numpy as np
from scaled_rows import scaled
from sklearn.linear_model import LinearRegression

from vibentropy.learning.least_squares import ExtensiveLeastSquares


def test_least_squares_is_that_of_scikit_learn(data):
    X, y, _ = data
    model = ExtensiveLeastSquares().fit(X, y)
    expected = LinearRegression(fit_intercept=False).fit(scaled(X), y)
    np.testing.assert_allclose(model.coef_ * model.scale_, expected.coef_, rtol=1e-9)
    np.testing.assert_allclose(model.singular_values_, np.linalg.svd(scaled(X) / np.sqrt(60), compute_uv=False))
    assert model.rank_ == model.n_selected_ == 6
    assert np.isnan(model.predict(X, return_std=True)[1]).all()


def test_least_squares_of_smallest_weights(data, rng):
    """Of repeated features each has its share; of fewer rows than features all labels are met."""
    X, y, _ = data
    twice = ExtensiveLeastSquares().fit(np.hstack([X, X]), y)
    assert twice.rank_ == 6
    weights = (twice.coef_ * twice.scale_).reshape(2, 6)
    np.testing.assert_allclose(weights, [ExtensiveLeastSquares().fit(X, y).coef_ * twice.scale_[:6] / 2] * 2, rtol=1e-6)
    few = ExtensiveLeastSquares().fit(X[:4], y[:4])
    np.testing.assert_allclose(few.coef_ * few.scale_, np.linalg.pinv(scaled(X[:4])) @ y[:4], rtol=1e-8)
    # A feature that differs from another one by rounding only has no direction of its own.
    nearly = np.column_stack([X, X[:, 0] * (1 + 1e-13 * rng.normal(size=60))])
    assert np.abs((lambda m: m.coef_ * m.scale_)(ExtensiveLeastSquares().fit(nearly, y))).max() < 1e3
    assert ExtensiveLeastSquares(rcond=0.0).fit(nearly, y).rank_ == 7
