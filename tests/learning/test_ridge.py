"""Ridge against normal equations and a grid search over groups."""

import numpy as np
import pytest
from scaled_rows import scaled
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV, GroupKFold
from sklearn.pipeline import make_pipeline

from vibentropy.errors import DataError
from vibentropy.learning.ridge import ExtensiveRidge
from vibentropy.learning.scaling import RootMeanSquareScaler


def test_ridge_solves_the_normal_equations(data):
    X, y, _ = data
    Z, penalty = scaled(X), 0.03
    weights = np.linalg.solve(Z.T @ Z / 60 + penalty * np.eye(6), Z.T @ y / 60)
    model = ExtensiveRidge(penalties=[penalty]).fit(X, y)
    np.testing.assert_allclose(model.coef_ * model.scale_, weights, rtol=1e-10)
    assert model.penalty_ == penalty


def test_ridge_chooses_like_a_grid_search(rng):
    X = rng.normal(size=(60, 30)) * np.logspace(-2, 2, 30)
    y = X @ (rng.normal(size=30) / np.logspace(-2, 2, 30)) + 2 * rng.normal(size=60)
    groups = rng.permutation(np.repeat(np.arange(12), 5))
    penalties = np.logspace(-4, 1, 11)
    # Four folds of 15 rows: sklearn's penalty, which multiplies the sum and not the mean, is 45 times as large.
    search = GridSearchCV(
        make_pipeline(RootMeanSquareScaler(), Ridge(fit_intercept=False)),
        {"ridge__alpha": 45 * penalties},
        scoring="neg_mean_squared_error",
        cv=GroupKFold(4),
    ).fit(X, y, groups=groups)
    model = ExtensiveRidge(penalties, n_folds=4).fit(X, y, groups=groups)
    assert penalties[0] < model.penalty_ < penalties[-1]
    np.testing.assert_allclose(model.penalty_, search.best_params_["ridge__alpha"] / 45)
    np.testing.assert_allclose(model.cv_rmse_[::-1] ** 2, -search.cv_results_["mean_test_score"], rtol=1e-8)


def test_ridge_keeps_groups_together(rng):
    """Labels are noise that the rows of a group share: only folds that tear groups find something to learn."""
    groups = np.repeat(np.arange(20), 4)
    X = rng.normal(size=(20, 40))[groups] + 1e-3 * rng.normal(size=(80, 40))
    y = rng.normal(size=20)[groups]
    together = ExtensiveRidge().fit(X, y, groups=groups)
    torn = ExtensiveRidge().fit(X, y)
    assert torn.penalty_ < 1e-3
    assert torn.cv_rmse_.min() < 0.1
    assert together.penalty_ > 1
    assert together.cv_rmse_.min() > 0.95 * np.sqrt(np.mean(y**2))


def test_ridge_of_equal_errors_takes_the_largest_penalty():
    model = ExtensiveRidge([1e-3, 1e-1, 1e-2]).fit(np.eye(4), np.zeros(4))
    assert model.penalty_ == 1e-1
    np.testing.assert_array_equal(model.penalties_, [1e-1, 1e-2, 1e-3])


def test_ridge_has_no_standard_deviation(data):
    X, y, _ = data
    mean, std = ExtensiveRidge().fit(X, y).predict(X, return_std=True)
    assert np.isfinite(mean).all()
    assert np.isnan(std).all()


@pytest.mark.parametrize("penalties", [[], [0.0], [-1.0, 1.0], [[1.0]], [np.nan], np.array([1.0, 0.0]), 1.0])
def test_ridge_refuses_impossible_penalties(penalties, data):
    with pytest.raises((TypeError, ValueError), match=r"penalties(\[\d\])? == .*, must"):
        ExtensiveRidge(penalties).fit(*data[:2])


def test_one_group_cannot_be_cross_validated(data):
    with pytest.raises(DataError, match="all 60 training rows belong to one group"):
        ExtensiveRidge().fit(*data[:2], groups=["a"] * 60)
