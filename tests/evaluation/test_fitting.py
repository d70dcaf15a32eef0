"""From features and folds to held-out predictions."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone

from vibentropy.datasets.table import usable
from vibentropy.errors import DataError
from vibentropy.evaluation.fitting import cross_predict, fit_and_predict, judge
from vibentropy.evaluation.metrics import (
    scored_on_different_cells,
)
from vibentropy.evaluation.predictions import (
    LEVEL_COLUMNS,
    UNCERTAINTY_COLUMNS,
)
from vibentropy.features.sets import FeatureSet, LocalValues
from vibentropy.learning.bayesian import ExtensiveBayesianRidge
from vibentropy.learning.calibration import Calibration
from vibentropy.learning.folds import folds_table, torn_rows
from vibentropy.learning.registry import create_regressor
from vibentropy.learning.ridge import ExtensiveRidge


@pytest.fixture
def data():
    rng = np.random.default_rng(1)
    X = rng.normal(size=(60, 20))
    groups = np.repeat(np.arange(20), 3)
    return X, X @ rng.normal(size=20) + rng.normal(size=60), groups, groups % 4


def test_cross_predict_fits_to_the_other_folds(data):
    X, y, groups, folds = data
    regressor = ExtensiveBayesianRidge()
    held_out = cross_predict(regressor, X, y, groups, folds)
    assert list(held_out.columns) == ["prediction", "std", "fold"]
    np.testing.assert_array_equal(held_out["fold"], folds)
    assert not hasattr(regressor, "coef_")
    for number in range(4):
        mean, std = clone(regressor).fit(X[folds != number], y[folds != number]).predict(X, return_std=True)
        np.testing.assert_allclose(held_out["prediction"][folds == number], mean[folds == number], rtol=1e-12)
        np.testing.assert_allclose(held_out["std"][folds == number], std[folds == number], rtol=1e-12)


def test_penalty_is_chosen_within_the_other_folds(data):
    """Nested: labels of a fold never touch its own predictions, although they decide on the penalty elsewhere."""
    X, y, groups, folds = data
    before = cross_predict(ExtensiveRidge(), X, y, groups, folds)["prediction"]
    after = cross_predict(ExtensiveRidge(), X, np.where(folds == 2, -50 * y, y), groups, folds)["prediction"]
    np.testing.assert_array_equal(after[folds == 2], before[folds == 2])
    assert not np.isclose(after[folds != 2], before[folds != 2]).any()


def test_penalty_is_chosen_with_the_groups(data):
    X, y, groups, folds = data
    seen = []

    class Spy(ExtensiveRidge):
        def fit(self, X, y, groups=None):
            seen.append(groups)
            return super().fit(X, y, groups)

    cross_predict(Spy(), X, y, groups, folds)
    for number in range(4):
        np.testing.assert_array_equal(seen[number], groups[folds != number])


def test_torn_groups_are_refused(data):
    X, y, groups, folds = data
    with pytest.raises(DataError, match="group 7 lies in more than one fold"):
        cross_predict(ExtensiveRidge(), X, y, groups, np.where(np.arange(60) == 21, folds + 1, folds))


def test_models_that_leave_out_cells_are_named(predictions):
    assert scored_on_different_cells(predictions) == []
    of_ridge = (predictions["regressor"] == "ridge") & (predictions["stage"] == "test")
    without = predictions[~(of_ridge & predictions["id"].isin(["a/x/1", "b/z/0"]))]
    (line,) = scored_on_different_cells(without)
    assert line.startswith("afs/ridge, test: errors are over 10 of 12 cells that models predict, without a/x/1 and oth")
    # As many cells, and yet not the same ones.
    of_bayes = (without["regressor"] == "bayes") & (without["stage"] == "test")
    other = without[~(of_bayes & without["id"].isin(["a/y/0", "a/y/1"]))]
    assert [line.partition(":")[0] for line in scored_on_different_cells(other)] == [
        "afs/ridge, test",
        "afs/bayes, test",
    ]


@pytest.fixture
def chain(configurations):
    """Nine trajectories of two minima for training and three larger cells, as they come from `merge_tables`."""
    train = pd.concat(
        [configurations.assign(dataset="train", trajectory=configurations["trajectory"] + n) for n in "abc"]
    )
    train["id"] = [f"train/{k}" for k in range(36)]
    test = configurations[:3].assign(dataset="test", role="test", id=[f"test/{k}" for k in range(3)], n_sites=432)
    table = pd.concat([train, test], ignore_index=True).assign(status="labelled", duplicate_of="")
    rng = np.random.default_rng(5)
    X = rng.normal(size=(39, 4))
    table["formation_entropy"] = X @ [1.0, -2.0, 0.5, 3.0] + 0.1 * rng.normal(size=39)
    table.loc[5, "duplicate_of"] = "train/3"
    table.loc[6, ["status", "formation_entropy"]] = ["saddle", np.nan]

    def features(rows):
        return FeatureSet(X[rows], tuple(table["id"].iloc[rows]), tuple("abcd"), np.zeros(4), {})

    # In another order than the table, and without number 7.
    features = {"test": features([38, 36, 37]), "train": features([k for k in range(35, -1, -1) if k != 7])}
    training = table[usable(table) & (table["role"] == "train")]
    return table, X, features, folds_table(training, 3)


def test_chain_of_fit_and_predictions(chain):
    table, X, features, folds = chain
    regressor = ExtensiveBayesianRidge()
    names = {"descriptor": "afs", "regressor": "bayes"}
    fitted, predictions, uncertainty = fit_and_predict(regressor, table, features, folds, names=names)
    taken = np.setdiff1d(np.arange(36), [5, 6, 7])
    y = table["formation_entropy"].to_numpy()
    expected = ExtensiveBayesianRidge().fit(X[taken], y[taken])
    np.testing.assert_array_equal(fitted.coef_, expected.coef_)
    stages = dict(iter(predictions.groupby("stage")))
    assert {stage: list(rows["id"]) for stage, rows in stages.items()} == {
        "cross-validation": list(table["id"][taken]),
        "training": list(table["id"][taken]),
        "test": ["test/0", "test/1", "test/2"],
    }
    mean, std = expected.predict(X[36:], return_std=True)
    np.testing.assert_allclose(stages["test"][["prediction", "std"]], np.column_stack([mean, std]), rtol=1e-12)
    np.testing.assert_allclose(stages["training"]["prediction"], expected.predict(X[taken]), rtol=1e-12)
    held_out = stages["cross-validation"]
    assert set(held_out["split"]) == {"groups"}
    assert set(predictions.loc[predictions["stage"] != "cross-validation", "split"]) == {""}
    fold = folds.set_index("id")["fold"]
    np.testing.assert_array_equal(held_out["fold"], fold[held_out["id"]])
    other = held_out["fold"].to_numpy() != 1
    alone = ExtensiveBayesianRidge().fit(X[taken][other], y[taken][other]).predict(X[taken][~other])
    np.testing.assert_allclose(held_out["prediction"][~other], alone, rtol=1e-12)
    assert not hasattr(regressor, "coef_")
    # Intervals where nothing was fitted to; those of the model's own uncertainty for the test sets.
    assert predictions.loc[predictions["stage"] != "training", UNCERTAINTY_COLUMNS].notna().all(axis=None)
    assert predictions.loc[predictions["stage"] == "training", UNCERTAINTY_COLUMNS].isna().all(axis=None)
    offsets = uncertainty.intervals(X[36:] / fitted.scale_)
    np.testing.assert_allclose(stages["test"]["low_95"], mean + offsets["low_95"], rtol=1e-12)


def test_chain_judges_the_atoms_and_the_lattice_of_each_cell(chain):
    """Cells in another order than their features; what is known of one is not said of another."""
    table, _, features, folds = chain
    rng = np.random.default_rng(0)
    shapes = {name: len(one.ids) for name, one in features.items()}
    local = {
        name: LocalValues(np.sort(rng.uniform(-1, 1, (n, 2, 4)), axis=1), np.zeros((n, 4)))
        for name, n in shapes.items()
    }
    # Rows of the features are test/2, test/0, test/1 and train/35, train/34, ...
    local["test"].limits[1, 1, 2] = 30.0
    local["test"].crystals[2, 0] = 0.5
    local["train"].limits[4, 0, 3] = -1.5
    features = {name: replace(one, local=local[name]) for name, one in features.items()}
    names = {"descriptor": "afs", "regressor": "ridge"}
    _, predictions, uncertainty = fit_and_predict(ExtensiveRidge(), table, features, folds, names=names)
    found = predictions[predictions["stage"] != "training"].set_index("id")["domain"]
    assert {name for name, reason in found.items() if "an atom's feature c is" in reason} == {"test/0"}
    assert {name for name, reason in found.items() if "perfect crystal" in reason} == {"test/1"}
    assert uncertainty.domain.lowest[3] == -1.5


def test_cells_with_a_crystal_of_their_own_are_judged_by_errors_of_such_cells(chain):
    table, X, features, folds = chain
    n = {name: len(one.ids) for name, one in features.items()}
    local = {k: LocalValues(np.tile([[[-1.0] * 4, [1.0] * 4]], (n[k], 1, 1)), np.zeros((n[k], 4))) for k in n}
    features = {name: replace(one, local=local[name]) for name, one in features.items()}
    names = {"descriptor": "afs", "regressor": "ridge"}
    fitted, _, uncertainty = fit_and_predict(ExtensiveRidge(), table, features, folds, names=names)
    uncertainty = replace(uncertainty, own_crystal=Calibration(10 * uncertainty.calibration.scores))
    rows, y = (
        X[36:],
        fitted.predict(X[36:]) + uncertainty.calibration.scores[11] * uncertainty.scale(X[36:] / fitted.scale_),
    )
    own = replace(local["test"], crystals=0.5 * np.array([[0], [1], [0]]) * np.ones(4))
    plain, found = (judge(fitted, rows, uncertainty, y, local=one) for one in (local["test"], own))
    ratio = (found["high_95"] - found["prediction"]) / (plain["high_95"] - plain["prediction"])
    np.testing.assert_allclose(ratio, [1, 10, 1])
    np.testing.assert_array_equal(found["level"] < plain["level"], [False, True, False])


def test_chain_keeps_trajectories_together(chain):
    table, _, features, folds = chain
    names = {"descriptor": "afs", "regressor": "ridge"}
    torn = folds.assign(fold=np.arange(len(folds)) % 3)
    with pytest.raises(DataError, match=r"group train/.* lies in more than one fold"):
        fit_and_predict(ExtensiveRidge(), table, features, torn, names=names)
    with pytest.raises(DataError, match="train/5 is in no fold"):
        fit_and_predict(ExtensiveRidge(), table, features, folds, exclude_duplicates=False, names=names)
    with pytest.raises(DataError, match="no training configuration has both"):
        fit_and_predict(ExtensiveRidge(), table, {"test": features["test"]}, folds, names=names)


def test_chain_hands_on_the_groups_of_the_folds(chain):
    """Those of chained trajectories too, which the trajectories themselves do not show."""
    table, _, features, folds = chain
    seen = []

    class Spy(ExtensiveRidge):
        def fit(self, X, y, groups=None):
            seen.append(set(groups))
            return super().fit(X, y, groups)

    chained = folds.assign(group="group " + (folds["fold"] % 2).astype(str) + folds["group"].str[-2:])
    chained["fold"] %= 2
    fit_and_predict(Spy(), table, features, chained, names={"descriptor": "afs", "regressor": "ridge"})
    assert seen == [set(chained["group"]), *(set(chained.loc[chained["fold"] == k, "group"]) for k in (1, 0))]


@pytest.mark.parametrize(
    "regressor",
    [
        ExtensiveRidge(),
        ExtensiveRidge(scale="block", block_penalties=[1.0, 1e4], blocks=["x", "x", "y", "y"]),
        ExtensiveBayesianRidge(),
        create_regressor("ard"),
    ],
    ids=["ridge", "ridge_blocks", "bayesian_ridge", "ard"],
)
def test_labels_of_test_sets_have_no_say(chain, regressor):
    """Other labels of test cells leave weights, penalties, scales, intervals and domains as they are, bit by bit."""
    table, _, features, folds = chain
    names = {"descriptor": "afs", "regressor": "any"}
    others, of_test = table.copy(), (table["role"] == "test").to_numpy()
    others.loc[of_test, "formation_entropy"] = -50 * others.loc[of_test, "formation_entropy"].to_numpy()[::-1]
    results = [fit_and_predict(regressor, rows, features, folds, names=names) for rows in (table, others)]
    models = [vars(fitted) | {"uncertainty": uncertainty.arrays()} for fitted, _, uncertainty in results]
    np.testing.assert_equal(models[1], models[0])
    # How far off a test cell is has to differ, what is predicted of it must not.
    first, second = (predictions for _, predictions, _ in results)
    tested = first["stage"] == "test"
    assert not np.isclose(first["formation_entropy"][tested], second["formation_entropy"][tested]).any()
    seen = ["formation_entropy", *LEVEL_COLUMNS.values()]
    first, second = (rows.assign(**rows[seen].mask(tested)) for rows in (first, second))
    pd.testing.assert_frame_equal(second, first, check_exact=True)


def test_chain_with_two_splits(chain):
    table, _, features, folds = chain
    names = {"descriptor": "afs", "regressor": "ridge"}
    training = table[usable(table) & (table["role"] == "train")]
    both = folds_table(training, 3, ["groups", "file_order"])
    _, once, _ = fit_and_predict(ExtensiveRidge(), table, features, folds, names=names)
    _, twice, _ = fit_and_predict(ExtensiveRidge(), table, features, both, names=names)
    leaky = twice["split"] == "file_order"
    pd.testing.assert_frame_equal(twice[~leaky].reset_index(drop=True), once)
    # Those of the other split are what a fit to the rows before and after predicts, torn trajectories or not.
    assert leaky.sum() == 33
    assert torn_rows(twice["trajectory"][leaky], twice["fold"][leaky]).any()
    assert not np.allclose(twice["prediction"][leaky], twice["prediction"][twice["split"] == "groups"])


def test_chain_without_test_sets(chain):
    table, _, features, folds = chain
    names = {"descriptor": "afs", "regressor": "ridge"}
    _, predictions, _ = fit_and_predict(ExtensiveRidge(), table[:36], features, folds, names=names)
    assert set(predictions["stage"]) == {"cross-validation", "training"}
