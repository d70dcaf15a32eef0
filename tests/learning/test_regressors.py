"""Regressions against normal equations, grid search, evidence maximised by brute force, and their own model."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.optimize import minimize
from scipy.stats import multivariate_normal
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import ARDRegression, Lasso, LinearRegression, Ridge
from sklearn.model_selection import GridSearchCV, GroupKFold
from sklearn.pipeline import make_pipeline
from sklearn.utils.estimator_checks import parametrize_with_checks

from vibentropy.errors import ConfigError, DataError
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


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.fixture
def data(rng):
    """60 rows in 12 groups of five, six features of very different size, little noise."""
    X = rng.normal(size=(60, 6)) @ rng.normal(size=(6, 6)) * np.logspace(-4, 4, 6)
    y = X @ (rng.normal(size=6) / np.logspace(-4, 4, 6)) + 0.1 * rng.normal(size=60)
    return X, y, np.repeat(np.arange(12), 5)


def scaled(X):
    return X / np.sqrt((X**2).mean(axis=0))


def test_scaler_divides_by_the_root_mean_square():
    X = np.array([[3.0, 0.0, 10.0], [4.0, 0.0, 10.0]])
    scaler = RootMeanSquareScaler().fit(X)
    np.testing.assert_allclose(scaler.scale_, [np.sqrt(12.5), 1.0, 10.0], rtol=1e-15)
    # A constant column stays a constant, and a feature unknown to the training keeps its unit.
    np.testing.assert_allclose(scaler.transform([[0.0, 7.0, 10.0]]), [[0.0, 7.0, 1.0]], rtol=1e-15)


@given(
    arrays(float, (5, 3), elements=st.floats(-1e3, 1e3, allow_subnormal=False)),
    st.floats(1e-3, 1e3),
)
def test_scaler_never_centres(X, factor):
    scaler = RootMeanSquareScaler().fit(X)
    np.testing.assert_array_equal(scaler.transform(np.zeros((1, 3))), 0.0)
    np.testing.assert_allclose(scaler.transform(factor * X), factor * scaler.transform(X), rtol=1e-12)


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


def test_registered_kinds():
    ridge = create_regressor("ridge", n_folds=3)
    assert isinstance(ridge, ExtensiveRidge)
    assert ridge.n_folds == 3
    assert isinstance(create_regressor("bayesian_ridge", tol=0.1), ExtensiveBayesianRidge)


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


@pytest.mark.parametrize(
    ("kind", "parameters", "message"),
    [
        ("rigde", {}, "no regressor 'rigde' .did you mean 'ridge'.*known are least_squares, ridge, bayesian_ridge"),
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
