"""How often intervals held what they promised, against values worked out by hand."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm

from vibentropy.evaluation.coverage import coverage_table
from vibentropy.evaluation.predictions import (
    UNCERTAINTY_COLUMNS,
)
from vibentropy.files.tables import save_table


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
