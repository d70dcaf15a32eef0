"""Estimators of others, by their dotted path."""

import numpy as np
import pytest
from scaled_rows import scaled
from sklearn.linear_model import Lasso

from vibentropy.errors import ConfigError
from vibentropy.learning.registry import create_regressor
from vibentropy.learning.wrapped import ExtensiveLinear


def test_dotted_kinds_lose_their_intercept():
    lasso = create_regressor("sklearn.linear_model.Lasso", alpha=0.2).estimator
    assert isinstance(lasso, Lasso)
    assert lasso.alpha == 0.2
    assert lasso.fit_intercept is False


def test_dotted_kinds_match_the_estimator_itself(data):
    X, y, _ = data
    model = create_regressor("sklearn.linear_model.Lasso", alpha=0.2).fit(X, y)
    expected = Lasso(alpha=0.2, fit_intercept=False).fit(scaled(X), y)
    np.testing.assert_allclose(model.coef_ * model.scale_, expected.coef_, rtol=1e-12)
    assert np.isnan(model.predict(X, return_std=True)[1]).all()


def test_dotted_kinds_that_cross_validate_are_given_groups(data):
    X, y, groups = data
    model = create_regressor("sklearn.linear_model.LassoCV", cv=4).fit(X, y, groups=groups)
    splits = model.estimator_.cv
    assert len(splits) == 4
    assert all(set(groups[train]).isdisjoint(groups[test]) for train, test in splits)
    assert model.estimator.cv == 4


def test_what_is_wrapped_has_to_be_an_estimator(data):
    with pytest.raises(TypeError, match="estimator == 3, must be an estimator with fit and predict"):
        ExtensiveLinear(3).fit(*data[:2])


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("sklearn.tree.DecisionTreeRegressor", "DecisionTreeRegressor has no coef_"),
        ("sklearn.linear_model.PoissonRegressor", "predictions of PoissonRegressor are not its coef_ times"),
        ("sklearn.cross_decomposition.PLSRegression", "predictions of PLSRegression are not its coef_ times"),
    ],
)
def test_regressors_that_are_not_extensive_are_refused(kind, message, data):
    X, y, _ = data
    with pytest.raises(ConfigError, match=message):
        create_regressor(kind).fit(X, np.abs(y))
