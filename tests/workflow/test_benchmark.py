"""What the workflow measures, and with which configuration."""

import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from vibentropy.descriptors import REGISTRY, create
from vibentropy.run.config import validate
from vibentropy.run.provenance import config_hash
from vibentropy.studies.benchmark import peers, tables

ROOT = Path(__file__).resolve().parents[2]


def test_the_configuration_of_a_benchmark_is_not_that_of_the_science():
    config = yaml.safe_load((ROOT / "config.yaml").read_text())
    schema = ROOT / "workflow/schemas/config.schema.yaml"
    default = validate(config, schema)
    other = validate(config | {"benchmark": {"cells": [3]}}, schema)
    assert config_hash(default) == config_hash(other)
    assert 2 * max(default["benchmark"]["prediction_cells"]) ** 3 > 10**7
    cells = default["benchmark"]["cells"]
    assert (2 * min(cells) ** 3, 2 * max(cells) ** 3) == (250, 1_024_000)
    cells = default["benchmark"]["large_labels"]["cells"]
    assert (2 * min(cells) ** 3, 2 * max(cells) ** 3) == (250, 54_000)
    for specification in default["benchmark"]["descriptors"].values():
        create(**specification)


@pytest.mark.slow
def test_the_rules_measure_everything_that_is_known(tmp_path):
    """All are planned; only one is run, for the others would take minutes."""
    config = yaml.safe_load((ROOT / "workflow/configs/tiny.yaml").read_text()) | {"results": "results"}
    config["benchmark"] = {"cells": [3, 4], "descriptors": {}}
    path = tmp_path / "config.yaml"
    path.write_text(yaml.safe_dump(config))
    command = [sys.executable, "-m", "snakemake", "--snakefile", ROOT / "Snakefile", "--configfile", path]
    command += ["--directory", tmp_path, "--cores", "1"]
    dry = subprocess.run([*command, "--dry-run", "benchmark"], capture_output=True, text=True)
    assert dry.returncode == 0, dry.stdout + dry.stderr
    for name in (*REGISTRY, *peers.PEERS):
        assert f"results/speed/{'peer' if name in peers.PEERS else 'ours'}/{name}.csv" in dry.stdout
    for name in (*peers.LABELS, *peers.ALLOY_LABELS):
        assert f"results/speed/labels/{name}.csv" in dry.stdout
    for name in peers.HESSIANS:
        assert f"results/speed/hessians/{name}.csv" in dry.stdout
    for name in peers.PREDICTIONS:
        assert f"results/speed/predictions/{name}.csv" in dry.stdout
    for name in peers.FITS:
        assert f"results/speed/fits/{name}.csv" in dry.stdout
    assert "large_labels" not in dry.stdout
    large = subprocess.run([*command, "--dry-run", "benchmark_large"], capture_output=True, text=True)
    assert large.returncode == 0, large.stdout + large.stderr
    for name in peers.LABELS:
        assert f"results/speed/large_labels/{name}.csv" in large.stdout
    for name in peers.ALLOY_LABELS:
        assert name not in large.stdout
    everything = subprocess.run([*command, "--dry-run"], capture_output=True, text=True)
    assert "results/speed" not in everything.stdout

    measured = subprocess.run([*command, "results/speed/ours/afs_2_3.csv"], capture_output=True, text=True)
    assert measured.returncode == 0, measured.stdout + measured.stderr
    (table,) = tables.load(tmp_path / "results/speed/ours/afs_2_3.csv")
    assert list(table["n_atoms"]) == [54, 128]
    assert set(table["n_features"]) == {8}
