"""Held-out predictions and error tables, against values worked out by hand."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm
from sklearn.base import clone

from vibentropy.datasets.table import usable
from vibentropy.errors import DataError
from vibentropy.evaluation.coverage import coverage_table
from vibentropy.evaluation.fitting import cross_predict, fit_and_predict, fit_table
from vibentropy.evaluation.metrics import (
    RESOLVED,
    different_rows,
    error_metrics,
    metrics_table,
    named_tests,
    summary_table,
)
from vibentropy.evaluation.predictions import (
    PREDICTION_COLUMNS,
    UNCERTAINTY_COLUMNS,
    load_predictions,
    predictions_table,
)
from vibentropy.features.sets import FeatureSet, LocalValues
from vibentropy.files.tables import save_table
from vibentropy.learning.bayesian import ExtensiveBayesianRidge
from vibentropy.learning.folds import folds_table, torn_rows
from vibentropy.learning.ridge import ExtensiveRidge


@pytest.fixture
def predictions(configurations):
    """Two models, one with standard deviations, both stages; errors +1 for I2 and -2 for V1."""
    error = np.where(configurations["defect_class"] == "I2", 1.0, -2.0)
    predicted = pd.DataFrame({"prediction": configurations["formation_entropy"] + error, "std": np.nan})
    tables = []
    for regressor, std in [("ridge", np.nan), ("bayes", 1.5)]:
        for stage in ("cross-validation", "test"):
            predicted["std"] = std
            predicted["fold"] = np.arange(12) % 3
            tables.append(
                predictions_table(configurations, predicted, stage=stage, descriptor="afs", regressor=regressor)
            )
    return pd.concat(tables)


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


def test_error_metrics_by_hand():
    metrics = error_metrics([1.0, 2.0, 4.0], [2.0, 2.0, 1.0])
    assert metrics == {
        "n": 3,
        "rmse": pytest.approx(np.sqrt(10 / 3)),
        "mae": pytest.approx(4 / 3),
        "max_error": 3.0,
        "bias": pytest.approx(-2 / 3),
        "slope": pytest.approx(10 / 21),
    }


def test_slope_of_proportional_predictions():
    truth = np.random.default_rng(2).uniform(1, 100, 50)
    assert error_metrics(truth, 1.03 * truth)["slope"] == pytest.approx(1.03)
    assert np.isnan(error_metrics([0.0], [1.0])["slope"])


@pytest.mark.parametrize(("truth", "n"), [([], "0 of 0"), ([1.0, np.nan], "1 of 2")])
def test_errors_without_labels_are_refused(truth, n):
    with pytest.raises(DataError, match=f"{n} rows have both"):
        error_metrics(truth, np.ones(len(truth)))


def test_predictions_table(predictions):
    assert list(predictions.columns) == PREDICTION_COLUMNS
    first = predictions.iloc[0]
    assert (first["id"], first["formation_entropy"], first["prediction"]) == ("a/x/0", 1.0, 2.0)


def test_predictions_table_of_rows_that_were_not_held_out(configurations):
    predicted = pd.DataFrame({"prediction": np.arange(12.0), "std": 0.0})
    table = predictions_table(configurations[::-1], predicted, stage="test", descriptor="afs", regressor="ridge")
    assert set(table["fold"]) == {-1}
    np.testing.assert_array_equal(table["prediction"], np.arange(12.0))
    np.testing.assert_array_equal(table["formation_entropy"], np.arange(12.0, 0.0, -1.0))


def test_predictions_table_refuses(configurations):
    predicted = pd.DataFrame({"prediction": np.zeros(11), "std": 0.0})
    with pytest.raises(DataError, match="11 predictions for 12 configurations"):
        predictions_table(configurations, predicted, stage="test", descriptor="afs", regressor="ridge")
    with pytest.raises(DataError, match="stage 'tests' is none of"):
        predictions_table(configurations[:11], predicted, stage="tests", descriptor="afs", regressor="ridge")


def test_metrics_table(predictions):
    metrics = metrics_table(predictions)
    assert len(metrics) == 2 * 2 * (1 + 2 + 2 + 2)
    row = metrics.set_index(["regressor", "stage", "by", "value"]).sort_index().loc[("bayes", "test")]
    assert row.loc[("overall", "all"), "rmse"] == pytest.approx(np.sqrt(2.5))
    assert row.loc[("overall", "all"), "n"] == 12
    assert row.loc[("defect_class", "I2"), "bias"] == 1.0
    assert row.loc[("n_sites", "432"), "mae"] == 2.0
    assert list(metrics_table(predictions, by=["dataset"])["value"]) == ["a", "b"] * 4


def test_share_outside_the_domain_is_of_the_cells_that_were_judged(predictions):
    test = predictions[predictions["stage"] == "test"].assign(domain="")
    # Of six judged cells, all of I2, one is outside; what is said of the others does not count.
    test["pops_low_95"] = np.where(test["defect_class"] == "I2", 0.0, np.nan)
    test["domain"] = np.where(test["id"].isin(["a/x/0", "b/x/0"]), "far away", "")
    metrics = metrics_table(test[test["regressor"] == "bayes"]).set_index(["by", "value"])["flagged"]
    assert metrics["overall", "all"] == metrics["defect_class", "I2"] == pytest.approx(1 / 6)
    assert np.isnan(metrics["defect_class", "V1"])


def test_coverage_table_by_hand(predictions):
    predictions["std"] = np.where(predictions["regressor"] == "bayes", 1.5, np.nan)
    coverage = coverage_table(predictions).set_index(["stage", "by", "value"])
    assert set(coverage["regressor"]) == {"bayes"}
    # Half of the errors are 1 = 0.67 std, the others 2 = 1.33 std; limits are at 0.99 and 1.96 std.
    overall = coverage.loc[("test", "overall", "all")]
    assert (overall["coverage_68"], overall["coverage_95"]) == (0.5, 1.0)
    assert (overall["n"], overall["method"], overall["rmse"]) == (12, "bayesian", pytest.approx(np.sqrt(2.5)))
    half = 1.5 * norm.ppf(0.84)
    assert overall["width_68"] == pytest.approx(2 * half)
    assert overall["score_68"] == pytest.approx(2 * half + (2 - half) / 0.32)
    assert overall["score_95"] == overall["width_95"] == pytest.approx(3 * norm.ppf(0.975))
    assert coverage.loc[("test", "defect_class", "I2"), "coverage_68"] == 1.0
    assert coverage.loc[("test", "defect_class", "V1"), "coverage_68"] == 0.0


def test_coverage_of_gaussian_errors():
    rng = np.random.default_rng(3)
    std = rng.uniform(0.1, 3.0, 40000)
    table = pd.DataFrame({"formation_entropy": 0.0, "prediction": std * rng.normal(size=40000), "std": std})
    table = table.assign(
        descriptor="afs", regressor="bayes", stage="test", split="", **dict.fromkeys(UNCERTAINTY_COLUMNS)
    )
    coverage = coverage_table(table, by=["overall"]).iloc[0]
    for level in (68, 95):
        assert coverage[f"coverage_{level}"] == pytest.approx(level / 100, abs=0.01)


def test_coverage_without_standard_deviations(predictions, tmp_path):
    coverage = coverage_table(predictions[predictions["regressor"] == "ridge"])
    assert coverage.empty
    save_table(coverage, tmp_path / "coverage.csv")
    assert pd.read_csv(tmp_path / "coverage.csv").empty


def test_summary_has_one_row_per_model(predictions):
    summary = summary_table(metrics_table(predictions), coverage_table(predictions))
    assert list(summary["regressor"]) == ["ridge", "bayes"]
    np.testing.assert_allclose(summary["test_rmse"], np.sqrt(2.5))
    np.testing.assert_allclose(summary["cross_validation_mae"], 1.5)
    np.testing.assert_array_equal(summary["test_bayesian_coverage_68"], [np.nan, 0.5])
    assert not any(name.startswith("training") for name in summary)
    metrics = metrics_table(predictions)
    alone = summary_table(metrics, coverage_table(predictions[predictions["std"].isna()]))
    assert len(alone) == 2
    assert not any("coverage" in name for name in alone)


def test_summary_has_columns_for_named_tests(predictions):
    named = named_tests(predictions, {"small": ["a"], "large": ["b"], "empty": ["c"]})
    held_out = named["stage"] == "cross-validation"
    assert named["test"][held_out].isna().all()
    by = [*RESOLVED, "test"]
    summary = summary_table(metrics_table(named, by), coverage_table(named, by))
    np.testing.assert_allclose(summary["small_mae"], 1.0)
    np.testing.assert_allclose(summary["large_mae"], 2.0)
    assert list(summary["large_n"]) == [6, 6]
    np.testing.assert_array_equal(summary["small_bayesian_coverage_68"], [np.nan, 1.0])
    assert not [name for name in summary if name.startswith("empty")]
    # The rest is as without.
    plain = summary_table(metrics_table(predictions), coverage_table(predictions))
    pd.testing.assert_frame_equal(summary[plain.columns], plain)


def test_models_that_leave_out_cells_are_named(predictions):
    assert different_rows(predictions) == []
    of_ridge = (predictions["regressor"] == "ridge") & (predictions["stage"] == "test")
    without = predictions[~(of_ridge & predictions["id"].isin(["a/x/1", "b/z/0"]))]
    (line,) = different_rows(without)
    assert line.startswith("afs/ridge, test: errors are over 10 of 12 cells that models predict, without a/x/1 and oth")
    # As many cells, and yet not the same ones.
    of_bayes = (without["regressor"] == "bayes") & (without["stage"] == "test")
    other = without[~(of_bayes & without["id"].isin(["a/y/0", "a/y/1"]))]
    assert [line.partition(":")[0] for line in different_rows(other)] == ["afs/ridge, test", "afs/bayes, test"]


def test_summary_says_what_the_fits_chose(predictions):
    rng = np.random.default_rng(6)
    X = rng.normal(size=(30, 3))
    models = {"ridge": ExtensiveRidge(), "bayes": ExtensiveBayesianRidge()}
    fits = [fit_table(model.fit(X, X[:, 0]), descriptor="afs", regressor=name) for name, model in models.items()]
    summary = summary_table(metrics_table(predictions), coverage_table(predictions), pd.concat(fits[::-1]))
    assert list(summary.columns[2:6]) == ["split", "n_features", "n_selected", "penalty"]
    assert list(summary["regressor"]) == ["ridge", "bayes"]
    assert list(summary["n_features"]) == list(summary["n_selected"]) == [3, 3]
    np.testing.assert_array_equal(summary["penalty"], [models["ridge"].penalty_, np.nan])


def test_summary_has_one_row_per_split(predictions):
    held_out = predictions[predictions["stage"] == "cross-validation"]
    other = held_out.assign(split="shuffled", prediction=held_out["formation_entropy"] + 0.5)
    both = pd.concat([held_out.assign(split="groups"), other, predictions[predictions["stage"] == "test"]])
    summary = summary_table(metrics_table(both), coverage_table(both))
    assert list(summary.columns[:3]) == ["descriptor", "regressor", "split"]
    assert list(summary["split"]) == ["groups", "shuffled"] * 2
    np.testing.assert_allclose(summary["cross_validation_mae"], [1.5, 0.5] * 2)
    np.testing.assert_allclose(summary["test_rmse"], np.sqrt(2.5))
    np.testing.assert_array_equal(summary["cross_validation_bayesian_coverage_68"], [np.nan, np.nan, 0.5, 1.0])


def test_tables_come_back_as_they_were_written(predictions, tmp_path):
    predictions["prediction"] += np.pi * 1e-5
    predictions["defect_class"] = ["", "None", "NA", "I2,V1", "Å", "nan"] * 8
    predictions["trajectory"] = [f"{k:03d}" for k in range(48)]
    save_table(predictions[:20], tmp_path / "a.csv")
    save_table(predictions[20:], tmp_path / "b.csv")
    again = load_predictions(tmp_path / "a.csv", tmp_path / "b.csv")
    pd.testing.assert_frame_equal(again, predictions.reset_index(drop=True), check_exact=True)


def test_tables_of_something_else_are_refused(tmp_path):
    (tmp_path / "other.csv").write_text("id,prediction\na,1.0\n")
    with pytest.raises(DataError, match=r"other.csv: .*no column dataset, role"):
        load_predictions(tmp_path / "other.csv")
    (tmp_path / "text.csv").write_text("id,prediction\na,much\n")
    with pytest.raises(DataError, match=r"text.csv: not a table"):
        load_predictions(tmp_path / "text.csv")
    with pytest.raises(DataError, match=r"none.csv"):
        load_predictions(tmp_path / "none.csv")


def test_json_has_null_for_what_is_unknown(tmp_path):
    table = pd.DataFrame({"class": ["Å"], "n": [3], "slope": [np.nan], "rmse": [0.1 + 0.2]})
    save_table(table, tmp_path / "table.json")
    text = (tmp_path / "table.json").read_text()
    assert json.loads(text) == [{"class": "Å", "n": 3, "slope": None, "rmse": 0.1 + 0.2}]
    assert "Å" in text


def test_other_formats_are_refused(tmp_path):
    with pytest.raises(DataError, match=r"table.xlsx: tables are written as .csv or .json"):
        save_table(pd.DataFrame({"a": [1]}), tmp_path / "table.xlsx")
    assert not list(tmp_path.iterdir())


@pytest.fixture
def chain(configurations):
    """Nine trajectories of two minima for training and three larger cells, as they come from `collect`."""
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
    assert {name for name, reason in found.items() if "c of an atom" in reason} == {"test/0"}
    assert {name for name, reason in found.items() if "perfect crystal" in reason} == {"test/1"}
    assert uncertainty.domain.lowest[3] == -1.5


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
