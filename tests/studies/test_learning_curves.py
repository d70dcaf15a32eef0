"""Learning curves: nested samples, and held-out groups that stay out."""

import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import yaml
from sklearn.base import BaseEstimator
from workflow_runs import HANGS

from vibentropy.errors import DataError
from vibentropy.evaluation.fitting import cross_predict
from vibentropy.features.sets import FeatureSet
from vibentropy.files.tables import save_table
from vibentropy.learning.bayesian import ExtensiveBayesianRidge
from vibentropy.learning.ridge import ExtensiveRidge
from vibentropy.report.figures.learning_curves import learning_figure
from vibentropy.report.figures.style import DOUBLE, SINGLE, save_figure
from vibentropy.studies.learning_curves import SELECTIONS, learning_curve, load_curves, medians

ROOT = Path(__file__).resolve().parents[2]


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


@pytest.mark.usefixtures("unplaced")
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
    finished = subprocess.run(command, capture_output=True, text=True, timeout=HANGS)
    assert finished.returncode == 0, finished.stdout + finished.stderr
    table = load_curves(tmp_path / "results/tables/learning.csv")
    assert set(table["regressor"]) == {"ridge", "bayesian_ridge"}
    assert set(table["selection"]) == set(SELECTIONS)
    assert {10, 50} < set(table["n_configurations"])
    assert "extrapolation" in set(table["value"])
    assert (tmp_path / "results/figures/learning.pdf").read_bytes().startswith(b"%PDF")
    assert (tmp_path / "results/figures/learning.png").stat().st_size > 10_000
