"""The runs that a newcomer starts with: what they promise, on the real configurations."""

import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest

ROOT = Path(__file__).resolve().parent.parent


def results(folder, *arguments):
    """Usable configurations and errors by regressor and stage of a run of two cores; what it took is printed."""
    start = time.monotonic()
    command = [sys.executable, "-m", "snakemake", "--cores", "2", "--quiet", "all", *arguments]
    subprocess.run([*command, "--config", f"results={folder}"], cwd=ROOT, check=True)
    table = pd.read_csv(folder / "configurations.csv", keep_default_na=False)
    usable = table[(table["status"] == "labelled") & (table["duplicate_of"] == "")]
    usable = usable.assign(formation_entropy=pd.to_numeric(usable["formation_entropy"]))
    print(f"\nsnakemake {' '.join(arguments)} took {time.monotonic() - start:.0f} s on two cores.")
    print(usable.groupby(["role", "dataset", "n_sites"])["formation_entropy"].describe().to_string())
    metrics = pd.read_csv(folder / "tables/metrics.csv")
    shown = ["regressor", "stage", "value", "n", "rmse", "mae", "slope"]
    print(metrics.loc[metrics["by"].isin(["overall", "dataset"]), shown].to_string(index=False))
    return usable, metrics.set_index(["by", "value", "regressor", "stage"])


@pytest.mark.slow
def test_default_run_keeps_its_promises(tmp_path):
    usable, metrics = results(tmp_path)
    entropy = usable["formation_entropy"]
    training, test = usable["role"] == "train", usable["role"] == "test"
    assert training.sum() >= 1500
    assert set(usable["n_sites"][training]) == {1024}
    assert set(usable["defect_class"][training]) == {"I1", "I2", "I3", "I4", "V1", "V2", "V3", "V4"}
    assert set(usable["n_sites"][test]) == {1024, 2000, 3456}
    assert entropy[test].max() > 5 * entropy[training].max()
    for regressor in ("ridge", "bayesian_ridge"):
        # Less than a third of the spread of the labels; slopes near one are what extensive features are for.
        held_out = metrics.loc[("overall", "all", regressor, "cross-validation"), "rmse"]
        assert held_out < entropy[training].std() / 3
        for dataset in ("cells_1024", "cells_2000", "cells_3456"):
            assert metrics.loc[("dataset", dataset, regressor, "test"), "slope"] == pytest.approx(1, abs=0.15)


@pytest.mark.slow
def test_run_from_scratch_keeps_its_promises(tmp_path):
    usable, metrics = results(tmp_path, "--configfile", "workflow/configs/scratch.yaml")
    entropy = usable["formation_entropy"]
    training, test = usable["role"] == "train", usable["role"] == "test"
    assert set(usable["n_sites"][training]) == {250}
    assert set(usable["defect_class"][training]) == {"I1", "I2", "I3", "I4", "V1", "V2", "V3", "V4"}
    assert training.sum() >= 150
    assert set(usable["n_sites"][test]) == {432, 686, 1024}
    assert test.sum() >= 40
    assert entropy[test].max() > 3 * entropy[training].max()
    for regressor in ("ridge", "bayesian_ridge"):
        assert metrics.loc[("overall", "all", regressor, "cross-validation"), "rmse"] < 1.3
        assert metrics.loc[("overall", "all", regressor, "test"), "slope"] == pytest.approx(1, abs=0.1)
