"""Choices of configurations against brute force, and learning curves against fits made by hand."""

import itertools
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from sklearn.base import BaseEstimator

from vibentropy.errors import DataError
from vibentropy.evaluation.fitting import cross_predict
from vibentropy.features.sets import FeatureSet
from vibentropy.files.tables import save_table
from vibentropy.learning.bayesian import ExtensiveBayesianRidge
from vibentropy.learning.ridge import ExtensiveRidge
from vibentropy.learning.selection import PENALTY, select
from vibentropy.report.figures.learning_curves import learning_figure
from vibentropy.report.figures.style import DOUBLE, SINGLE, save_figure
from vibentropy.studies.learning_curves import SELECTIONS, learning_curve, load_curves, medians

ROOT = Path(__file__).resolve().parents[2]


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


class Recorder(BaseEstimator):
    """Remembers what it was fitted to, in a list of the caller, and predicts the mean."""

    def __init__(self, fits):
        self.fits = fits

    def __sklearn_clone__(self):
        return Recorder(self.fits)

    def fit(self, X, y, groups=None):
        """Remember."""
        self.fits.append((np.array(X), np.array(y), np.array(groups)))
        self.mean_ = np.mean(y)
        return self

    def predict(self, X):
        """Predict the mean."""
        return np.full(len(X), self.mean_)


def small_run():
    """Forty training minima of twenty trajectories, ten test cells in two sets, one row without features."""
    random = np.random.default_rng(6)
    table = pd.DataFrame({"id": [f"t/{k // 2:02d}/{k % 2}" for k in range(40)] + [f"u/{k}/0" for k in range(10)]})
    table["dataset"] = ["t"] * 40 + ["u"] * 4 + ["v"] * 6
    table["role"] = ["train"] * 40 + ["test"] * 10
    table["status"], table["duplicate_of"] = "labelled", ""
    X = random.normal(size=(50, 4)) * random.uniform(0.5, 3, size=(50, 1))
    table["formation_entropy"] = X @ [1.0, 2.0, -1.0, 0.5] + 0.3 * random.normal(size=50)
    features = {
        name: FeatureSet(
            X[rows][:last], tuple(table["id"][rows][:last]), tuple("abcd"), np.zeros(4), {"kind": "made up"}
        )
        for name in ("t", "u", "v")
        for rows, last in [((table["dataset"] == name).to_numpy(), -1 if name == "v" else None)]
    }
    folds = pd.DataFrame({"id": table["id"][:40], "group": [f"g{k // 2}" for k in range(40)]})
    folds["fold"] = np.arange(40) // 2 % 4
    folds = pd.concat([folds.assign(split="shuffled", fold=0), folds.assign(split="groups")])
    return SimpleNamespace(table=table, features=features, folds=folds, X=X, y=table["formation_entropy"].to_numpy())


@pytest.fixture
def chain():
    return small_run()


NAMES = {"descriptor": "afs", "regressor": "ridge"}


def curve_of(chain, regressor=None, **options):
    options = {"sizes": (5, 10, 100), "repeats": 3, "names": NAMES} | options
    return learning_curve(regressor or ExtensiveRidge(), chain.table, chain.features, chain.folds, **options)


def test_rows_of_a_learning_curve(chain):
    curve = curve_of(chain, tests={"far": ["v"], "elsewhere": ["w"]})
    assert set(curve["n_configurations"]) == {5, 10, 30}
    assert set(zip(curve["stage"], curve["by"], curve["value"], strict=True)) == {
        ("cross-validation", "overall", "all"),
        ("test", "overall", "all"),
        ("test", "test", "far"),
        ("test", "dataset", "u"),
        ("test", "dataset", "v"),
    }
    fits = curve[curve["stage"] == "cross-validation"].groupby(["selection", "n_configurations"]).size()
    assert fits.to_dict() == {
        (selection, n): 4 * (3 if selection == "random" and n < 30 else 1)
        for selection in SELECTIONS
        for n in (5, 10, 30)
    }
    assert set(curve.loc[curve["value"] == "v", "n"]) == {5}
    assert (curve.loc[curve["value"] == "far", "mae"].to_numpy() == curve.loc[curve["value"] == "v", "mae"]).all()


def test_with_everything_it_is_the_cross_validation(chain):
    curve = curve_of(chain)
    groups, folds = (chain.folds[chain.folds["split"] == "groups"][name] for name in ("group", "fold"))
    held_out = cross_predict(ExtensiveRidge(), chain.X[:40], chain.y[:40], groups, folds)
    error = np.abs(held_out["prediction"] - chain.y[:40])
    whole = curve[(curve["n_configurations"] == 30) & (curve["stage"] == "cross-validation")]
    for selection in SELECTIONS:
        of_selection = whole[whole["selection"] == selection].set_index("fold")["mae"]
        np.testing.assert_allclose(of_selection, error.groupby(held_out["fold"]).mean(), rtol=1e-9)


@pytest.mark.parametrize("selection", SELECTIONS)
def test_samples_are_nested_and_held_out_groups_stay_out(chain, selection):
    fits = []
    curve_of(chain, Recorder(fits), selections=[selection])
    rows = [[int(np.flatnonzero((x == chain.X).all(axis=1))[0]) for x in X] for X, _, _ in fits]
    repeats = 3 if selection == "random" else 1
    assert len(rows) == 4 * (2 * repeats + 1)
    sizes = [5, 10, 30] + [5, 10] * (repeats - 1)
    for number in range(4):
        of_fold = rows[number * len(sizes) : (number + 1) * len(sizes)]
        assert [len(chosen) for chosen in of_fold] == sizes
        assert all(k // 2 % 4 != number for chosen in of_fold for k in chosen)
        assert all(len(set(chosen)) == len(chosen) for chosen in of_fold)
        starts = [0, *range(3, len(sizes), 2)]
        for start in starts:
            assert of_fold[start + 1][:5] == of_fold[start]
        assert of_fold[2][:10] == of_fold[1]
        assert len({tuple(of_fold[start]) for start in starts}) == repeats
    for (_, y, groups), chosen in zip(fits, rows, strict=True):
        assert y.tolist() == chain.y[chosen].tolist()
        assert groups.tolist() == [f"g{k // 2}" for k in chosen]


@pytest.mark.parametrize("selection", SELECTIONS)
def test_labels_of_what_is_not_chosen_do_not_matter(chain, selection):
    def chosen():
        fits = []
        curve_of(chain, Recorder(fits), sizes=[10, 20], selections=[selection], repeats=1)
        return [X for X, _, _ in fits]

    first = chosen()
    # Fold 0 is held out: its first ten choices stay what they are, the other labels change.
    kept = (chain.X[:, None] == first[0]).all(axis=2).any(axis=1)
    chain.table["formation_entropy"] = np.where(kept, chain.y, -3 * chain.y[::-1])
    second = chosen()
    assert np.array_equal(first[0], second[0])
    assert np.array_equal(first[1], second[1])


def test_random_orders_are_the_same_for_all_models_and_follow_the_seed(chain):
    fits, others, third = [], [], []
    curve_of(chain, Recorder(fits), selections=["random"])
    curve_of(chain, Recorder(others), selections=["leverage", "random"])
    curve_of(chain, Recorder(third), selections=["random"], seed=1)
    # Three fits by leverage come first in the second case.
    assert all(np.array_equal(a[0], b[0]) for a, b in zip(fits[:7], others[3:10], strict=True))
    assert not np.array_equal(fits[0][0], third[0][0])


def test_a_sample_of_one_group(chain):
    fits = []
    chain.folds["group"] = np.where(chain.folds["fold"] == 0, "g0", "g1")
    chain.folds.loc[chain.folds["split"] == "groups", "fold"] = np.arange(40) // 2 % 2
    curve_of(chain, Recorder(fits), sizes=[3], selections=["random"], repeats=1)
    assert all(len(set(groups)) == len(X) for X, _, groups in fits if len(set(groups)) > 2)
    assert np.isfinite(curve_of(chain, sizes=[3])["mae"]).all()


def test_without_test_sets(chain):
    chain.table = chain.table[:40]
    assert set(curve_of(chain)["stage"]) == {"cross-validation"}


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda chain: chain.folds.drop(chain.folds.index[chain.folds["split"] == "groups"]), "whole groups"),
        (lambda chain: chain.folds[chain.folds["id"] != "t/03/1"], "t/03/1 is in no fold"),
    ],
)
def test_folds_that_do_not_fit(chain, spoil, message):
    chain.folds = chain.folds[chain.folds["split"] != "groups"] if "whole" in message else spoil(chain)
    with pytest.raises(DataError, match=message):
        curve_of(chain)


def test_nothing_to_fit_to(chain):
    chain.table["status"] = "saddle"
    with pytest.raises(DataError, match="both a label and features"):
        curve_of(chain)


def test_unknown_selection(chain):
    with pytest.raises(DataError, match="'best' is none of random, leverage, variance"):
        curve_of(chain, selections=["best"])


@pytest.fixture(scope="module")
def all_curves():
    return pd.concat(
        [
            curve_of(small_run(), regressor, names={"descriptor": descriptor, "regressor": name}, tests={"far": ["v"]})
            for descriptor in ("afs", "None")
            for name, regressor in [("ridge", ExtensiveRidge()), ("bayes", ExtensiveBayesianRidge())]
        ],
        ignore_index=True,
    )


@pytest.fixture
def curves(all_curves):
    return all_curves.copy()


def test_curves_come_back_as_they_were_written(curves, tmp_path):
    for descriptor in ("afs", "None"):
        save_table(curves[curves["descriptor"] == descriptor], tmp_path / f"{descriptor}.csv")
    pd.testing.assert_frame_equal(load_curves(tmp_path / "afs.csv", tmp_path / "None.csv"), curves)


def test_medians(curves):
    table = medians(curves)
    rows = curves[(curves["stage"] == "cross-validation") & (curves["descriptor"] == "afs")]
    rows = rows[(rows["regressor"] == "bayes") & (rows["selection"] == "random") & (rows["n_configurations"] == 10)]
    assert len(rows) == 12
    assert table.loc[("afs", "bayes", "random"), 10] == np.median(rows["mae"])
    assert table.shape == (12, 3)


def test_figure(curves, tmp_path):
    figure = learning_figure(curves, "far")
    held_out, test, *choices = figure.axes
    assert [axes.get_title() for axes in figure.axes[:2]] == ["held-out groups", "far"]
    assert len(choices) == 2
    assert [line.get_label() for line in held_out.lines] == ["afs, ridge", "afs, bayes", "None, ridge", "None, bayes"]
    np.testing.assert_array_equal(
        held_out.lines[1].get_ydata(), medians(curves).loc[("afs", "bayes", "random")].to_numpy()
    )
    far = curves[(curves["value"] == "far") & (curves["selection"] == "random") & (curves["regressor"] == "ridge")]
    far = far[(far["descriptor"] == "afs")].groupby("n_configurations")["mae"].median()
    np.testing.assert_array_equal(test.lines[0].get_ydata(), far)
    for axes in choices:
        assert [line.get_label() for line in axes.lines] == list(SELECTIONS.values())
        assert axes.get_xscale() == axes.get_yscale() == "log"
    assert figure.get_size_inches()[0] == DOUBLE
    save_figure(figure, tmp_path / "learning.png", tmp_path / "learning.pdf")
    assert (tmp_path / "learning.pdf").read_bytes().startswith(b"%PDF")


def test_choices_are_shown_of_the_most_accurate_regressor(curves):
    whole = (curves["n_configurations"] == 30) & (curves["stage"] == "cross-validation")
    curves.loc[whole & (curves["regressor"] == "bayes") & (curves["descriptor"] == "None"), "mae"] /= 10
    curves.loc[whole & (curves["regressor"] == "ridge") & (curves["descriptor"] == "afs"), "mae"] /= 5
    titles = [axes.get_title() for axes in learning_figure(curves).axes]
    assert titles == ["held-out groups", "test sets", "None, bayes", "afs, ridge"]


def test_figure_of_one_curve(chain):
    chain.table = chain.table[:40]
    figure = learning_figure(curve_of(chain, selections=["leverage"]))
    (axes,) = figure.axes
    assert [line.get_label() for line in axes.lines] == ["afs, ridge"]
    assert figure.get_size_inches()[0] == SINGLE


def test_no_curves_are_refused(curves):
    with pytest.raises(DataError, match="no learning curves"):
        learning_figure(curves[:0])


@pytest.mark.slow
def test_learning_as_a_target(tmp_path):
    """Learning curves of a small run, from the shipped archives."""
    archives = {"train": ("clusters.h5", ["V2", "I2"]), "test": ("cells_1024.h5", ["3xV4"])}
    config = {
        "results": "results",
        "datasets": {
            role: {"role": role, "archive": str(ROOT / "data" / name), "classes": classes}
            for role, (name, classes) in archives.items()
        },
        "descriptors": {"afs_2_3": {"kind": "afs", "n_max": 2, "l_max": 3, "r_cut": 4.5}},
        "regressors": {"ridge": {"kind": "ridge"}, "bayesian_ridge": {"kind": "bayesian_ridge"}},
        "evaluation": {"tests": {"extrapolation": ["test"]}},
        "learning": {"sizes": [10, 50], "repeats": 2},
    }
    (tmp_path / "own.yaml").write_text(yaml.safe_dump(config))
    command = [sys.executable, "-m", "snakemake", "learning", "--snakefile", ROOT / "Snakefile", "--cores", "1"]
    command += ["--configfile", tmp_path / "own.yaml", "--directory", tmp_path]
    finished = subprocess.run(command, capture_output=True, text=True, timeout=900)
    assert finished.returncode == 0, finished.stdout + finished.stderr
    table = load_curves(tmp_path / "results/tables/learning.csv")
    assert set(table["regressor"]) == {"ridge", "bayesian_ridge"}
    assert set(table["selection"]) == set(SELECTIONS)
    assert {10, 50} < set(table["n_configurations"])
    assert "extrapolation" in set(table["value"])
    assert (tmp_path / "results/figures/learning.pdf").read_bytes().startswith(b"%PDF")
    assert (tmp_path / "results/figures/learning.png").stat().st_size > 10_000
