"""The runs that a newcomer starts with: what they promise, on the real configurations."""

from pathlib import Path

import pandas as pd
import pytest

from vibentropy import EntropyModel
from vibentropy.sources import archives

ROOT = Path(__file__).resolve().parents[2]


def results(folder):
    """Usable configurations of a run, and errors by regressor and stage."""
    table = pd.read_csv(folder / "configurations.csv", keep_default_na=False)
    usable = table[(table["status"] == "labelled") & (table["duplicate_of"] == "")]
    usable = usable.assign(formation_entropy=pd.to_numeric(usable["formation_entropy"]))
    print(usable.groupby(["role", "dataset", "n_sites"])["formation_entropy"].describe().to_string())
    metrics = pd.read_csv(folder / "tables/metrics.csv")
    shown = ["descriptor", "regressor", "stage", "value", "n", "rmse", "mae", "slope"]
    print(metrics.loc[metrics["by"].isin(["overall", "dataset"]), shown].to_string(index=False))
    return usable, metrics.set_index(["descriptor", "by", "value", "regressor", "stage"])


@pytest.mark.slow(minutes=4)
def test_default_run_keeps_its_promises(default_run):
    usable, metrics = results(default_run)
    entropy = usable["formation_entropy"]
    training, test = usable["role"] == "train", usable["role"] == "test"
    assert training.sum() >= 1500
    assert set(usable["n_sites"][training]) == {1024}
    assert set(usable["defect_class"][training]) == {"I1", "I2", "I3", "I4", "V1", "V2", "V3", "V4"}
    assert set(usable["n_sites"][test]) == {1024, 2000, 3456}
    assert entropy[test].max() > 5 * entropy[training].max()
    for regressor in ("ridge", "bayesian_ridge"):
        # Less than a third of the spread of the labels; slopes near one are what extensive features are for.
        held_out = metrics.loc[("afs_3_10", "overall", "all", regressor, "cross-validation"), "rmse"]
        assert held_out < entropy[training].std() / 3
        for dataset in ("cells_1024", "cells_2000", "cells_3456"):
            slope = metrics.loc[("afs_3_10", "dataset", dataset, regressor, "test"), "slope"]
            assert slope == pytest.approx(1, abs=0.15)
        # Five features of the Hessian, of one minimum in ten.
        assert metrics.loc[("stiffness", "overall", "all", regressor, "cross-validation"), "mae"] < 0.06
        assert metrics.loc[("stiffness", "overall", "all", regressor, "cross-validation"), "n"] < training.sum() / 8
        for dataset in ("cells_1024", "cells_2000", "cells_3456"):
            errors = metrics.loc[("stiffness", "dataset", dataset, regressor, "test")]
            assert errors["mae"] < 0.4
            assert errors["slope"] == pytest.approx(1, abs=0.01)
        # What resolution is worth.
        assert metrics.loc[("pairs_afs", "overall", "all", regressor, "cross-validation"), "mae"] < 0.2
        assert metrics.loc[("pairs_afs", "dataset", "cells_2000", regressor, "test"), "mae"] < 1.5

    (minimum,) = archives.read_archive(ROOT / "data/clusters.h5", "clusters", rows=[0, 1]).frames
    for path in default_run.glob("models/*/*.h5"):
        once, twice = EntropyModel.load(path).predict([minimum, minimum.repeat((1, 2, 1))])["formation_entropy"]
        assert twice == pytest.approx(2 * once, abs=1e-8), path


@pytest.mark.slow(minutes=6)
def test_run_from_scratch_keeps_its_promises(scratch_run):
    usable, metrics = results(scratch_run)
    entropy = usable["formation_entropy"]
    training, test = usable["role"] == "train", usable["role"] == "test"
    assert set(usable["n_sites"][training]) == {250}
    assert set(usable["defect_class"][training]) == {"I1", "I2", "I4", "V1", "V2", "V4"}
    assert training.sum() >= 40
    assert set(usable["n_sites"][test]) == {432, 686}
    assert test.sum() >= 4
    assert entropy[test].max() > 2 * entropy[training].max()
    for regressor in ("ridge", "bayesian_ridge"):
        assert metrics.loc[("afs_3_10", "overall", "all", regressor, "cross-validation"), "rmse"] < 1.3
        assert metrics.loc[("afs_3_10", "overall", "all", regressor, "test"), "slope"] == pytest.approx(1, abs=0.1)
