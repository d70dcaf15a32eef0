"""What all regressors share: scikit-learn's contract, extensivity, independence of units."""

import numpy as np
import pytest
from sklearn.linear_model import Ridge
from sklearn.utils.estimator_checks import parametrize_with_checks

from vibentropy.learning.bayesian import ExtensiveARD, ExtensiveBayesianRidge
from vibentropy.learning.least_squares import ExtensiveLeastSquares
from vibentropy.learning.registry import create_regressor
from vibentropy.learning.ridge import ExtensiveRidge
from vibentropy.learning.scaling import RootMeanSquareScaler
from vibentropy.learning.wrapped import ExtensiveLinear

KINDS = [
    "least_squares",
    "ridge",
    "bayesian_ridge",
    "ard",
    "sklearn.linear_model.HuberRegressor",
    "sklearn.linear_model.Lasso",
]


@parametrize_with_checks(
    [
        RootMeanSquareScaler(),
        ExtensiveLeastSquares(),
        ExtensiveRidge(),
        ExtensiveBayesianRidge(),
        ExtensiveARD(),
        ExtensiveLinear(Ridge(fit_intercept=False)),
    ]
)
def test_scikit_learn_contract(estimator, check):
    check(estimator)


@pytest.mark.parametrize("kind", KINDS)
def test_predictions_are_extensive(kind, data):
    X, y, groups = data
    model = create_regressor(kind).fit(X, y, groups=groups)
    np.testing.assert_array_equal(model.predict(np.zeros((1, 6))), 0.0)
    np.testing.assert_allclose(model.predict(27 * X), 27 * model.predict(X), rtol=1e-8)
    np.testing.assert_allclose(model.predict(X[:30] + X[30:]), model.predict(X[:30]) + model.predict(X[30:]), atol=1e-8)
    np.testing.assert_allclose(model.predict(X), X @ model.coef_, rtol=1e-12)


@pytest.mark.parametrize("kind", KINDS)
def test_units_of_the_features_do_not_matter(kind, data):
    X, y, groups = data
    units = np.logspace(6, -6, 6)
    one, other = (create_regressor(kind).fit(Z, y, groups=groups) for Z in (X, X * units))
    # Huber's iterations end a little earlier or later.
    np.testing.assert_allclose(other.predict(X * units), one.predict(X), rtol=1e-4 if "Huber" in kind else 1e-8)
    np.testing.assert_allclose(other.scale_, one.scale_ * units)
