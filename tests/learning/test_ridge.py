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


def block_data(rng):
    """Two blocks of different unit, the second of many features that say nothing; groups of three rows."""
    X = np.hstack([rng.normal(size=(90, 5)), 100 * rng.normal(size=(90, 40))])
    X[:, 5:] *= np.logspace(0, -3, 40)
    y = X[:, :5] @ rng.normal(size=5) + 0.3 * rng.normal(size=90)
    return X, y, np.arange(90) // 3, ["a"] * 5 + ["b"] * 40


def test_blocks_have_one_scale_each(rng):
    """Weights of ridge on features divided by one number per block; with it, the mean square of all of them is 1."""
    X, y, _, blocks = block_data(rng)
    model = ExtensiveRidge([1e-3], scale="block", blocks=blocks).fit(X, y)
    scale = np.repeat([np.sqrt(np.mean(X[:, :5] ** 2)), np.sqrt(np.mean(X[:, 5:] ** 2))], [5, 40])
    np.testing.assert_allclose(model.scale_, scale, rtol=1e-10)
    expected = Ridge(alpha=90e-3, fit_intercept=False).fit(X / scale, y).coef_
    np.testing.assert_allclose(model.coef_ * scale, expected, rtol=1e-6, atol=1e-10)
    # Without names, all features are one block.
    one = ExtensiveRidge([1e-3], scale="block").fit(X, y)
    np.testing.assert_allclose(one.scale_, np.sqrt(np.mean(X**2)), rtol=1e-10)


@pytest.mark.parametrize("scale", ["feature", "block"])
def test_penalties_of_blocks_are_chosen_like_a_grid_search(scale, rng):
    X, y, groups, blocks = block_data(rng)
    candidates, penalties = [1.0, 1e2, 1e4], np.logspace(-8, 0, 9)
    model = ExtensiveRidge(penalties, scale=scale, block_penalties=candidates, blocks=blocks).fit(X, y, groups)
    errors = {
        ratio: ExtensiveRidge(penalties, scale=scale, block_penalties=[1.0, ratio], blocks=blocks)
        .fit(X, y, groups)
        .cv_rmse_.min()
        for ratio in candidates
    }
    assert model.block_penalties_["b"] / model.block_penalties_["a"] == min(errors, key=errors.get) > 1
    plain = ExtensiveRidge(penalties, scale=scale, blocks=blocks).fit(X, y, groups)
    assert model.cv_rmse_.min() < 0.9 * plain.cv_rmse_.min()
    # The penalties of the blocks are in the scale, for what is computed from scaled features.
    Z = X / model.scale_
    np.testing.assert_allclose(np.mean(Z**2), 1, rtol=1e-10)
    expected = Ridge(alpha=90 * model.penalty_, fit_intercept=False).fit(Z, y).coef_
    np.testing.assert_allclose(model.coef_ * model.scale_, expected, rtol=1e-6, atol=1e-10)


def test_blocks_of_another_number_of_features(data):
    with pytest.raises(ValueError, match="blocks of 2 features; X has 6"):
        ExtensiveRidge([1.0], scale="block", blocks=["a", "b"]).fit(*data[:2])
