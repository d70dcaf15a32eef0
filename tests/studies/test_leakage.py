"""What repeats and folds do to held-out errors."""

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest

from vibentropy.errors import DataError
from vibentropy.evaluation.fitting import cross_predict
from vibentropy.features.sets import FeatureSet
from vibentropy.files.tables import save_table
from vibentropy.learning.bayesian import ExtensiveBayesianRidge
from vibentropy.learning.least_squares import ExtensiveLeastSquares
from vibentropy.learning.ridge import ExtensiveRidge
from vibentropy.studies.leakage import WAYS, Way, describe, leakage, load_leakage

NAMES = {"descriptor": "afs", "regressor": "ridge"}
OPTIONS = {"classes": [], "n_folds": 4, "seed": 1, "names": NAMES}


@pytest.fixture(scope="module")
def run():
    """Sixty minima of noise, each found three times, in turn; two classes; test cells that nobody looks at."""
    random = np.random.default_rng(3)
    minima = pd.DataFrame({"id": [f"t/{k:03d}/00" for k in range(60)], "trajectory": [f"{k:03d}" for k in range(60)]})
    minima["defect_class"] = ["V4"] * 30 + ["I2"] * 30
    minima["duplicate_of"] = ""
    X = random.normal(size=(60, 20))
    y = 10 * random.normal(size=60)
    again = [
        minima.assign(
            id=[f"t/{k:03d}/{n:02d}" for k in range(60)],
            duplicate_of=minima["id"],
        )
        for n in (1, 2)
    ]
    table = pd.concat([minima, *again], ignore_index=True)
    table["dataset"], table["role"], table["status"] = "t", "train", "labelled"
    table["formation_entropy"] = np.tile(y, 3)
    X = np.tile(X, (3, 1))
    order = np.argsort(table["id"])
    table, X = table.iloc[order].reset_index(drop=True), X[order]
    test = table[:2].assign(id=["u/0", "u/1"], dataset="u", role="test", formation_entropy=1e6, duplicate_of="")
    features = {
        name: FeatureSet(X[: len(part)], tuple(part["id"]), tuple(map(str, range(20))), np.zeros(20), {"kind": "x"})
        for name, part in (("t", table), ("u", test))
    }
    return pd.concat([table, test], ignore_index=True), features


def test_each_way_differs_from_the_one_before_by_one_choice():
    for before, after in pairwise(WAYS[:4]):
        assert sum(one != other for one, other in zip(before, after, strict=True)) == 1
    assert sum(one != other for one, other in zip(WAYS[2], WAYS[4], strict=True)) == 1
    assert describe(WAYS[0]) == "distinct minima, trajectories together"
    assert describe(WAYS[3]) == "with repeats, file order, penalty by the errors of the same rows"


def test_noise_cannot_be_learnt_but_remembered(run):
    table = leakage(ExtensiveLeastSquares(), *run, **OPTIONS).set_index(list(Way._fields))
    assert table["n"].tolist() == [60, 180, 180, 180]
    assert set(table["n_distinct"]) == {60}
    honest, repeated, _, shuffled = (table.loc[way] for way in WAYS if way.penalty == "nested")
    assert honest["remembered"] == repeated["remembered"] == 0
    assert honest["mae"] > 6
    assert repeated["mae"] > 6
    # All but a few are in two folds at least; weights of twenty features remember a third of sixty labels.
    assert shuffled["remembered"] > 0.8
    assert shuffled["mae"] < 0.8 * honest["mae"]


def test_rows_are_those_of_folds_and_fits_made_by_hand(run):
    table, features = run[0].copy(), run[1]
    # With something to learn, penalties differ from fit to fit.
    table.loc[table["role"] == "train", "formation_entropy"] += 5 * features["t"].X[:, :3].sum(axis=1)
    result = leakage(ExtensiveRidge(), table, features, **OPTIONS).set_index(list(Way._fields))
    train = table[table["role"] == "train"]
    X, y = features["t"].X, train["formation_entropy"].to_numpy()
    fold = np.repeat(np.arange(4), 45)
    by_hand = cross_predict(ExtensiveRidge(), X, y, train["trajectory"], fold, keep_groups=False)["prediction"]
    assert result.loc[WAYS[2], "mae"] == pytest.approx(np.abs(by_hand - y).mean())
    errors = [
        np.abs(cross_predict(ExtensiveRidge([penalty]), X, y, fold, fold, keep_groups=False)["prediction"] - y)
        for penalty in np.logspace(-12, 2, 57)
    ]
    smallest = min(errors, key=lambda error: np.sqrt(np.mean(error**2)))
    assert result.loc[WAYS[3], "mae"] == pytest.approx(smallest.mean())
    assert result.loc[WAYS[3], "rmse"] < result.loc[WAYS[2], "rmse"]


def test_classes_by_themselves(run):
    table = leakage(ExtensiveRidge(), *run, **OPTIONS | {"classes": ["I2"], "n_folds": 3})
    assert table["classes"].tolist() == ["all"] * 5 + ["I2"] * 5
    assert table["n"].tolist() == [60, 180, 180, 180, 180, 30, 90, 90, 90, 90]
    with pytest.raises(DataError, match="of the class 'I3'.*there are I2, V4"):
        leakage(ExtensiveRidge(), *run, **OPTIONS | {"classes": ["I2", "I3"]})


def test_classes_within_ranges(run):
    lines = []
    options = OPTIONS | {"classes": ["I2", "V4"], "n_folds": 3, "ranges": {"I2": (0.0, 10.0)}, "note": lines.append}
    table = leakage(ExtensiveRidge(), *run, **options)
    assert table["classes"].unique().tolist() == ["all", "I2 V4", "I2 V4 (published range)"]
    minima = run[0][(run[0]["role"] == "train") & (run[0]["duplicate_of"] == "")]
    inside = (minima["defect_class"] == "V4") | minima["formation_entropy"].between(0, 10)
    assert 0 < inside.sum() < 60
    assert table["n"].tolist()[10:] == [inside.sum(), *[3 * inside.sum()] * 4]
    assert lines[-1].startswith("I2 V4 (published range), with repeats, shuffled")


def test_without_a_penalty_there_is_none_to_share(run, tmp_path):
    lines = []
    table = leakage(ExtensiveBayesianRidge(), *run, **OPTIONS | {"note": lines.append})
    assert set(table["penalty"]) == {"nested"}
    assert lines[0].startswith("all, distinct minima, trajectories together: 60 rows, mean absolute error ")
    save_table(table, tmp_path / "table.csv")
    pd.testing.assert_frame_equal(load_leakage(tmp_path / "table.csv"), table, check_dtype=False)


def test_without_repeats_there_is_nothing_to_measure(run):
    table, features = run
    with pytest.raises(DataError, match="no training minimum repeats another.*`repeats: true`"):
        leakage(ExtensiveRidge(), table[table["duplicate_of"] == ""], features, **OPTIONS)
