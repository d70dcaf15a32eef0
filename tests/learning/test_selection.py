"""The choice of what to label next, against recomputing everything."""

import itertools
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vibentropy.errors import DataError
from vibentropy.learning.bayesian import ExtensiveBayesianRidge
from vibentropy.learning.ridge import ExtensiveRidge
from vibentropy.learning.selection import PENALTY, select


@st.composite
def pools(draw, max_features=4):
    """Features of a few cells with defects of very different sizes, in units of very different sizes."""
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    n, p = draw(st.integers(3, 9)), draw(st.integers(1, max_features))
    return random.normal(size=(n, p)) * random.uniform(0.2, 5, size=(n, 1)) * 10.0 ** random.integers(-4, 5, size=p)


def of_unit_noise(X, scale):
    """Rows z / √m, and m."""
    Z = X / scale
    measure = np.sqrt((Z**2).mean(axis=1))
    return Z / np.sqrt(measure)[:, None], measure


def rms(X):
    return np.sqrt((X**2).mean(axis=0))


def log_information(U, chosen):
    return np.linalg.slogdet(PENALTY * np.eye(U.shape[1]) + U[chosen].T @ U[chosen])[1]


@given(pools())
def test_leverage_adds_most_to_the_determinant_at_every_step(X):
    U, _ = of_unit_noise(X, rms(X))
    chosen = select(X, len(X)).tolist()
    assert sorted(chosen) == list(range(len(X)))
    for step, row in enumerate(chosen):
        before = chosen[:step]
        gains = {k: log_information(U, [*before, k]) for k in range(len(X)) if k not in before}
        assert gains[row] >= max(gains.values()) - 1e-7


@given(pools(max_features=3))
def test_greedy_choice_comes_close_to_the_best_of_all(X):
    """Information is submodular: the greedy choice has at least 1 - 1/e of the most that any has (Nemhauser 1978)."""
    U, _ = of_unit_noise(X, rms(X))
    nothing = log_information(U, [])
    best = max(log_information(U, list(chosen)) for chosen in itertools.combinations(range(len(X)), 3))
    assert log_information(U, select(X, 3)) - nothing >= (1 - np.exp(-1)) * (best - nothing) - 1e-9


def test_leverage_against_recomputing_everything():
    random = np.random.default_rng(1)
    X, known = random.normal(size=(60, 8)) @ random.normal(size=(8, 8)) ** 3, random.normal(size=(5, 8))
    U, _ = of_unit_noise(np.concatenate([X, known]), rms(np.concatenate([X, known])))
    chosen = []
    for _ in range(40):
        seen = U[[*range(60, 65), *chosen]]
        leverage = np.diag(U[:60] @ np.linalg.inv(PENALTY * np.eye(8) + seen.T @ seen) @ U[:60].T).copy()
        leverage[chosen] = -1
        chosen.append(int(leverage.argmax()))
    assert select(X, 40, known).tolist() == chosen


def test_variance_against_recomputing_everything():
    random = np.random.default_rng(2)
    X = random.normal(size=(50, 6)) * random.uniform(0.2, 5, size=(50, 1))
    y = X @ random.normal(size=6) + random.normal(size=50)
    model = ExtensiveBayesianRidge().fit(X[:15], y[:15])
    pool = X[15:]
    U, measure = of_unit_noise(pool, model.scale_)
    precision, chosen = np.linalg.inv(model.covariance_), []
    # At first these are the predictive variances.
    np.testing.assert_allclose(
        measure * (model.noise_variance_ + np.einsum("ij,jk,ik->i", U, model.covariance_, U)),
        model.predict(pool, return_std=True)[1] ** 2,
    )
    for _ in range(25):
        seen = precision + U[chosen].T @ U[chosen] / model.noise_variance_
        variance = measure * (model.noise_variance_ + np.einsum("ij,ij->i", U @ np.linalg.inv(seen), U))
        variance[chosen] = -1
        chosen.append(int(variance.argmax()))
    assert select(pool, 25, criterion="variance", model=model).tolist() == chosen
    # A model that was read from a file has the same arrays under names of its own.
    names = ("scale", "covariance", "noise_variance")
    read = SimpleNamespace(**{name: getattr(model, name + "_") for name in names})
    assert select(pool, 25, criterion="variance", model=read).tolist() == chosen


@given(pools(), st.integers(0, 2**32 - 1))
def test_units_and_order_of_features_do_not_matter(X, seed):
    random = np.random.default_rng(seed)
    units = 10.0 ** random.integers(-6, 7, size=X.shape[1])
    expected = select(X, len(X)).tolist()
    assert select(X * units, len(X)).tolist() == expected
    assert select(X[:, random.permutation(X.shape[1])], len(X)).tolist() == expected


@given(pools(), st.randoms(use_true_random=False))
def test_the_order_of_the_pool_matters_for_ties_only(X, random):
    order = list(range(len(X)))
    random.shuffle(order)
    assert [order[k] for k in select(X[order], len(X))] == select(X, len(X)).tolist()


def test_ties_go_to_the_first():
    random = np.random.default_rng(3)
    one = random.normal(size=(7, 5))
    # Products of many rows with a vector are not rounded alike in all of them.
    chosen = select(np.concatenate([one, one, one]), 21).tolist()
    for row in range(7):
        assert [k for k in chosen if k % 7 == row] == [row, row + 7, row + 14]
    assert select(np.ones((4, 2)), 4).tolist() == [0, 1, 2, 3]


@given(pools(), st.data())
def test_choosing_can_be_interrupted(X, data):
    first = data.draw(st.integers(0, len(X)))
    expected = select(X, len(X)).tolist()
    assert select(X, first).tolist() == expected[:first]
    rest = np.delete(np.arange(len(X)), expected[:first])
    further = select(X[rest], len(rest), known=X[expected[:first]])
    assert rest[further].tolist() == expected[first:]


def test_repeated_cells_have_leverage_in_proportion():
    """A cell of two defects of one kind is worth two cells with one, and similar cells are not chosen together."""
    one, other = np.array([1.0, 0.2]), np.array([-0.2, 1.0])
    assert select([one, 2 * one, other], 3).tolist() == [1, 2, 0]
    random = np.random.default_rng(4)
    X = random.normal(size=(30, 3))
    U, _ = of_unit_noise(np.concatenate([X, 2 * X]), rms(X))
    np.testing.assert_allclose((U[30:] ** 2).sum(axis=1), 2 * (U[:30] ** 2).sum(axis=1))


def test_perfect_crystals_and_features_that_are_always_zero():
    X = np.random.default_rng(5).normal(size=(6, 3)) * [1, 0, 1]
    X[[1, 4]] = 0
    assert select(X, 6).tolist()[-2:] == [1, 4]
    model = ExtensiveBayesianRidge().fit(X, X @ [1.0, 0, 2] + 0.1 * np.arange(6))
    assert select(X, 6, criterion="variance", model=model).tolist()[-2:] == [1, 4]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"n": 5}, "5 configurations are to be chosen from a pool of 4"),
        ({"criterion": "entropy"}, "'entropy' is none of leverage, variance"),
        ({"criterion": "variance"}, "needs a fitted Bayesian ridge: no model was given"),
        ({"criterion": "variance", "model": ExtensiveRidge()}, "ExtensiveRidge has no covariance"),
        ({"known": np.ones((3, 3))}, r"what is known has the shape \(3, 3\); expected \(n, 2\)"),
        ({"pool": np.ones(4)}, r"the pool has the shape \(4,\); expected \(n, n_features\)"),
        ({"pool": [[1.0, 2.0], [np.nan, 1.0]]}, "the pool: row 1 has features that are not finite"),
        ({"model": ExtensiveRidge()}, "leverages come from features alone"),
    ],
)
def test_what_cannot_be_chosen(arguments, message):
    with pytest.raises(DataError, match=message):
        select(**{"pool": np.ones((4, 2)), "n": 2} | arguments)


def test_what_a_model_cannot_choose():
    model = ExtensiveBayesianRidge().fit(np.eye(3), np.arange(3.0))
    with pytest.raises(DataError, match="the model has 3 features, the pool 2"):
        select(np.ones((4, 2)), 2, criterion="variance", model=model)
    with pytest.raises(DataError, match="knows what it was fitted to"):
        select(np.ones((4, 3)), 2, criterion="variance", model=model, known=np.ones((1, 3)))
