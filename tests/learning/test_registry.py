"""Regressors by name, and what is said of names that there are not."""

import pytest

from vibentropy.errors import ConfigError
from vibentropy.learning.bayesian import ExtensiveBayesianRidge
from vibentropy.learning.registry import create_regressor
from vibentropy.learning.ridge import ExtensiveRidge


def test_registered_kinds():
    ridge = create_regressor("ridge", n_folds=3)
    assert isinstance(ridge, ExtensiveRidge)
    assert ridge.n_folds == 3
    assert isinstance(create_regressor("bayesian_ridge", tol=0.1), ExtensiveBayesianRidge)


@pytest.mark.parametrize(
    ("kind", "parameters", "message"),
    [
        ("rigde", {}, "no regressor 'rigde' .did you mean 'ridge'.*there are least_squares, ridge, bayesian_ridge"),
        ("ridge", {"n_fold": 3}, "no parameter 'n_fold' .did you mean 'n_folds'"),
        ("ridge", {"n_folds": 1}, "n_folds == 1, must be >= 2"),
        ("bayesian_ridge", {"tol": -1.0}, "tol == -1.0, must be > 0"),
        ("sklearn.linear_model.Lasso", {"alhpa": 1.0}, "no parameter 'alhpa' .did you mean 'alpha'"),
        ("sklearn.linear_model.Lasso", {"fit_intercept": True}, "fit_intercept must be false"),
        ("sklearn.linear_model.Laso", {}, "has no attribute .Laso."),
        ("no_such_module.Lasso", {}, "No module named 'no_such_module'"),
        ("sklearn.linear_model.LogisticRegression", {}, "not a regressor"),
        ("sklearn.multioutput.MultiOutputRegressor", {}, "missing 1 required positional argument"),
        ("numpy.ndarray", {}, "not a class of estimators"),
    ],
)
def test_create_regressor_refuses(kind, parameters, message):
    with pytest.raises(ConfigError, match=message):
        create_regressor(kind, **parameters)


def test_values_that_other_regressors_refuse_show_when_they_are_fitted(data):
    with pytest.raises(ConfigError, match="'alpha' parameter of Lasso"):
        create_regressor("sklearn.linear_model.Lasso", alpha="much").fit(*data[:2])
