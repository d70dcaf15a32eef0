"""The run that a newcomer starts with: what it promises, on the real configuration."""

import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest

ROOT = Path(__file__).resolve().parent.parent


@pytest.mark.slow
def test_default_run_keeps_its_promises(tmp_path):
    start = time.monotonic()
    command = [sys.executable, "-m", "snakemake", "--cores", "2", "--quiet", "all", "--config", f"results={tmp_path}"]
    subprocess.run(command, cwd=ROOT, check=True)
    table = pd.read_csv(tmp_path / "configurations.csv", keep_default_na=False)
    usable = table[(table["status"] == "labelled") & (table["duplicate_of"] == "")]
    entropy = pd.to_numeric(usable["formation_entropy"])
    training, test = usable["role"] == "train", usable["role"] == "test"
    print(f"\nThe default run took {time.monotonic() - start:.0f} s on two cores.")
    print(usable.assign(entropy=entropy).groupby(["role", "n_sites"])["entropy"].describe().to_string())
    print(pd.read_csv(tmp_path / "summary.csv").T.to_string())

    assert set(usable["n_sites"][training]) == {250}
    assert set(usable["defect_class"][training]) == {"I1", "I2", "I3", "I4", "V1", "V2", "V3", "V4"}
    assert training.sum() >= 150
    assert set(usable["n_sites"][test]) == {432, 686, 1024}
    assert test.sum() >= 40
    assert entropy[test].max() > 3 * entropy[training].max()

    metrics = pd.read_csv(tmp_path / "tables/metrics.csv")
    overall = metrics[metrics["by"] == "overall"].set_index(["regressor", "stage"])
    for regressor in ("ridge", "bayesian_ridge"):
        # A third of the spread of the labels; slopes near one are what extensive features are for.
        assert overall.loc[(regressor, "cross-validation"), "rmse"] < 1.3
        assert overall.loc[(regressor, "test"), "slope"] == pytest.approx(1, abs=0.1)
