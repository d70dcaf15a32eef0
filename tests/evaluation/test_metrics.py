"""Tables of errors against values worked out by hand."""

import json

import numpy as np
import pandas as pd
import pytest

from vibentropy.errors import DataError
from vibentropy.evaluation.coverage import coverage_table
from vibentropy.evaluation.fitting import fit_table
from vibentropy.evaluation.metrics import (
    RESOLVED,
    error_metrics,
    metrics_table,
    named_tests,
    summary_table,
)
from vibentropy.files.tables import save_table
from vibentropy.learning.bayesian import ExtensiveBayesianRidge
from vibentropy.learning.ridge import ExtensiveRidge


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
    test["domain"] = np.where(test["id"].isin(["a/x/0", "b/x/0"]), "outside: far away", "inside")
    metrics = metrics_table(test[test["regressor"] == "bayes"]).set_index(["by", "value"])["flagged"]
    assert metrics["overall", "all"] == metrics["defect_class", "I2"] == pytest.approx(1 / 6)
    assert np.isnan(metrics["defect_class", "V1"])


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
