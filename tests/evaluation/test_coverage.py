"""How often intervals held what they promised, against values worked out by hand."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm

from vibentropy.evaluation.coverage import against_goal, coverage_table, tolerance
from vibentropy.evaluation.predictions import (
    UNCERTAINTY_COLUMNS,
)
from vibentropy.files.tables import save_table

ENDS = (("low", -1), ("high", 1))


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
        descriptor="afs", regressor="bayes", stage="test", split="", **dict.fromkeys(UNCERTAINTY_COLUMNS),
        dataset="a", trajectory="t", domain="inside",
    )  # fmt: skip
    coverage = coverage_table(table, by=["overall"]).iloc[0]
    for level in (68, 95):
        assert coverage[f"coverage_{level}"] == pytest.approx(level / 100, abs=0.01)


def test_goal_counts_trajectories_and_cells_inside():
    """20 cells of 5 trajectories: 12 of them within both intervals, 2 more within the wider one."""
    error = np.repeat([0.5, 1.5, 9.0], [12, 2, 6])
    table = pd.DataFrame({"formation_entropy": error, "prediction": 0.0, "std": np.nan, "test": "far"})
    table = table.assign(**dict.fromkeys(UNCERTAINTY_COLUMNS)).assign(
        low_68=-1.0, high_68=1.0, low_95=-2.0, high_95=2.0,
        descriptor="afs", regressor="ridge", stage="test", split="", dataset="a",
        trajectory=np.arange(20) % 5, domain=np.where(np.arange(20) < 15, "inside", "outside: strained"),
    )  # fmt: skip
    # Other methods have no part in it.
    table = table.assign(**{f"pops_{end}_{level}": 9.0 * sign for level in (68, 95, 100) for end, sign in ENDS})
    held_out = table.assign(stage="cross-validation", test=None, formation_entropy=0.0, trajectory=np.arange(20))
    rows = against_goal(coverage_table(pd.concat([table, held_out]), by=["overall", "test"])).to_dict("records")
    (row,), (other,) = ([row for row in rows if (row["cells"] == "held out") is held] for held in (False, True))
    # All are inside; twenty trajectories allow 21 points at 68 % and 10 at 95 %.
    assert (other["n"], other["off_68"], other["off_95"]) == (20, "high", "")
    assert (row["cells"], row["n"], row["n_trajectories"]) == ("far", 20, 5)
    assert (row["coverage_68"], row["coverage_95"]) == (pytest.approx(60), pytest.approx(70))
    # Five trajectories allow 42 points at 68 % and 19 at 95 %.
    assert (row["off_68"], row["off_95"]) == ("", "low")
    assert row["inside_95"] == pytest.approx(100 * 14 / 15)
    assert against_goal(coverage_table(table.assign(domain="outside: x"), by=["test"]))["inside_95"].isna().all()
    np.testing.assert_allclose(tolerance(0.95, [19, 10_000]), [0.1, 0.05])


def test_coverage_without_standard_deviations(predictions, tmp_path):
    coverage = coverage_table(predictions[predictions["regressor"] == "ridge"])
    assert coverage.empty
    save_table(coverage, tmp_path / "coverage.csv")
    assert pd.read_csv(tmp_path / "coverage.csv").empty
