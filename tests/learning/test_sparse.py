"""Sparse regressions against scikit-learn, closed forms and the conditions of optimality."""

import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import ElasticNet, Lasso, LassoCV
from sklearn.utils.estimator_checks import parametrize_with_checks

from vibentropy.errors import DataError
from vibentropy.learning.base import group_splits
from vibentropy.learning.registry import create_regressor
from vibentropy.learning.scaling import RootMeanSquareScaler
from vibentropy.learning.sparse import ExtensiveElasticNet, ExtensiveLasso, ExtensiveMCP

# The library beneath compiles its solvers anew in every process: a quarter of a minute.
pytestmark = pytest.mark.slow

SPARSE = [ExtensiveLasso, ExtensiveElasticNet, ExtensiveMCP]


@parametrize_with_checks([cls([0.3, 0.01], n_folds=2) for cls in SPARSE])
def test_scikit_learn_contract(estimator, check):
    check(estimator)


@pytest.fixture
def data():
    """60 rows in 12 groups of five; eight features of very different size, of which three count."""
    rng = np.random.default_rng(0)
    scale = np.logspace(-3, 3, 8)
    X = (rng.normal(size=(60, 8)) + 0.5 * rng.normal(size=(60, 1))) * scale
    y = (X / scale)[:, :3] @ [3.0, -2.0, 1.0] + 0.1 * rng.normal(size=60)
    return X, y, np.repeat(np.arange(12), 5)


def scaled(X):
    return X / np.sqrt((X**2).mean(axis=0))


@pytest.mark.parametrize("fraction", [0.5, 0.1, 0.003])
@pytest.mark.parametrize("wide", [False, True])
def test_lasso_and_elastic_net_are_those_of_scikit_learn(data, fraction, wide):
    X, y, _ = data
    X, y = (X[:6], y[:6]) if wide else (X, y)
    largest = np.abs(scaled(X).T @ y).max() / len(y)
    lasso = ExtensiveLasso([fraction], tol=1e-8).fit(X, y)
    expected = Lasso(fraction * largest, fit_intercept=False, tol=1e-12, max_iter=10**6).fit(scaled(X), y)
    assert lasso.largest_penalty_ == pytest.approx(largest)
    np.testing.assert_allclose(lasso.coef_ * lasso.scale_, expected.coef_, atol=1e-6)
    assert lasso.n_selected_ == np.count_nonzero(expected.coef_)
    net = ExtensiveElasticNet([fraction], tol=1e-8, l1_ratio=0.7).fit(X, y)
    expected = ElasticNet(fraction * largest / 0.7, l1_ratio=0.7, fit_intercept=False, tol=1e-12, max_iter=10**6)
    np.testing.assert_allclose(net.coef_ * net.scale_, expected.fit(scaled(X), y).coef_, atol=1e-6)


def test_mcp_of_orthogonal_features_is_firm_thresholding():
    """Each weight by itself: zero, then drawn towards zero less and less, then left as it is."""
    rng = np.random.default_rng(1)
    Z = np.sqrt(40) * np.linalg.qr(rng.normal(size=(40, 12)))[0]
    least_squares = np.linspace(-3, 3, 12)
    y = Z @ least_squares
    for fraction in (0.1, 0.3, 0.6):
        model = ExtensiveMCP([fraction], tol=1e-10, gamma=2.5).fit(Z, y)
        penalty = fraction * 3.0
        soft = np.sign(least_squares) * np.maximum(np.abs(least_squares) - penalty, 0)
        firm = np.where(np.abs(least_squares) <= 2.5 * penalty, soft / (1 - 1 / 2.5), least_squares)
        np.testing.assert_allclose(model.coef_ * model.scale_, firm, atol=1e-8)


@pytest.mark.parametrize("cls", SPARSE)
@pytest.mark.parametrize("wide", [False, True])
def test_conditions_of_optimality(data, cls, wide):
    """The gradient of the squared error on all rows balances the slope of the cost of each weight."""
    X, y, _ = data
    X, y = (X[:6], y[:6]) if wide else (X, y)
    model = cls([0.05], tol=1e-6).fit(X, y)
    Z, v, penalty = scaled(X), model.coef_ * model.scale_, 0.05 * model.largest_penalty_
    gradient = Z.T @ (y - Z @ v) / len(y)
    size, sign = np.abs(v), np.sign(v)
    slope = {
        ExtensiveLasso: penalty * sign,
        ExtensiveElasticNet: penalty * (0.5 * sign + 0.5 * v),
        ExtensiveMCP: sign * np.maximum(penalty - size / 3.0, 0),
    }[cls]
    flat = penalty * (0.5 if cls is ExtensiveElasticNet else 1.0)
    assert 0 < model.n_selected_ < X.shape[1]
    np.testing.assert_allclose(gradient[v != 0], slope[v != 0], atol=2e-6 * penalty)
    assert (np.abs(gradient[v == 0]) <= flat * (1 + 1e-6)).all()


def test_no_feature_survives_the_largest_penalty(data):
    X, y, _ = data
    for cls in SPARSE:
        model = cls([1.0]).fit(X, y)
        assert model.n_selected_ == 0
        assert cls([0.98]).fit(X, y).n_selected_ == 1
        np.testing.assert_array_equal(model.predict(X), 0.0)


def test_mcp_selects_the_features_that_count(data):
    X, y, groups = data
    lasso, mcp = (cls().fit(X, y, groups=groups) for cls in (ExtensiveLasso, ExtensiveMCP))
    assert mcp.n_selected_ <= lasso.n_selected_
    assert set(np.flatnonzero(mcp.coef_)) >= {0, 1, 2}
    chosen = list(mcp.penalties_).index(mcp.penalty_)
    assert mcp.n_selected_path_[chosen] == mcp.n_selected_
    assert mcp.n_selected_path_[0] == 0
    assert (mcp.n_selected_path_[chosen + 1 :] == -1).all()
    assert mcp.cv_rmse_[chosen] == mcp.cv_rmse_.min()


def test_penalty_is_chosen_over_groups_like_that_of_scikit_learn(data):
    X, y, groups = data
    y = y + 2 * np.random.default_rng(3).normal(size=60)
    model = ExtensiveLasso(np.logspace(-2, 0, 9), n_folds=4, tol=1e-6).fit(X, y, groups=groups)
    squared = np.zeros(9)
    for train, test in group_splits(60, groups, 4):
        scaler = RootMeanSquareScaler().fit(X[train])
        Z = scaler.transform(X[train])
        alphas = model.penalties_ * np.abs(Z.T @ y[train]).max() / len(train)
        path = [Lasso(alpha, fit_intercept=False, tol=1e-10, max_iter=10**6).fit(Z, y[train]).coef_ for alpha in alphas]
        squared += ((scaler.transform(X[test]) @ np.transpose(path) - y[test, None]) ** 2).sum(axis=0)
    np.testing.assert_allclose(model.cv_rmse_, np.sqrt(squared / 60), rtol=1e-6)
    assert model.penalty_ == model.penalties_[np.argmin(squared)]
    # On one scaling of all rows, as LassoCV has it, the choice is nearly the same.
    other = LassoCV(fit_intercept=False, cv=group_splits(60, groups, 4)).fit(scaled(X), y)
    assert 0.2 < other.alpha_ / (model.penalty_ * model.largest_penalty_) < 5


@pytest.mark.parametrize("kind", ["lasso", "elastic_net", "mcp"])
def test_predictions_are_extensive(kind, data):
    X, y, groups = data
    model = create_regressor(kind, penalties=[0.1, 0.01]).fit(X, y, groups=groups)
    np.testing.assert_array_equal(model.predict(np.zeros((1, 8))), 0.0)
    np.testing.assert_allclose(model.predict(27 * X), 27 * model.predict(X), rtol=1e-8)
    np.testing.assert_allclose(model.predict(X[:30] + X[30:]), model.predict(X[:30]) + model.predict(X[30:]), atol=1e-8)
    units = np.logspace(6, -6, 8)
    again = create_regressor(kind, penalties=[0.1, 0.01]).fit(X * units, y, groups=groups)
    np.testing.assert_allclose(again.predict(X * units), model.predict(X), rtol=1e-6)
    assert np.isnan(model.predict(X, return_std=True)[1]).all()


@pytest.mark.parametrize("penalties", [[], [0.0], [-1.0, 1.0], [[0.5]], [np.nan], [0.1, 2.0]])
def test_impossible_penalties_are_refused(penalties, data):
    with pytest.raises((TypeError, ValueError), match=r"penalties(\[\d\])? == .*, must"):
        ExtensiveLasso(penalties).fit(*data[:2])


def test_one_group_cannot_be_cross_validated(data):
    with pytest.raises(DataError, match="all 60 training rows belong to one group"):
        ExtensiveMCP().fit(*data[:2], groups=["a"] * 60)


def test_a_solution_that_has_not_converged_says_so(data, monkeypatch):
    monkeypatch.setattr("vibentropy.learning.sparse.MAX_ROUNDS", 1)
    monkeypatch.setattr("vibentropy.learning.sparse.MAX_SWEEPS", 1)
    with pytest.warns(ConvergenceWarning, match="coordinate descent left a violation of"):
        ExtensiveLasso([1e-3], tol=1e-9).fit(*data[:2])
