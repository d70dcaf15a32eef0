"""The same configuration gives the same files, byte by byte, however, where and in which order it is computed."""

import copy
import os
import re
import subprocess
import sys

import pytest
import yaml
from workflow_runs import ROOT, RULES, TINY, digests

#: What a user's shell may set. Snakemake gives jobs threads of its own counting.
HERE = {"OMP_NUM_THREADS": "2", "OPENBLAS_NUM_THREADS": "2", "MKL_NUM_THREADS": "2", "NUMBA_NUM_THREADS": "2"}
ELSEWHERE = dict.fromkeys(HERE, "1") | {"LC_ALL": "C", "TZ": "Asia/Tokyo", "PYTHONHASHSEED": "271828"}


def small():
    """Configuration of more shards and other fits than the tiny run, of one descriptor: several are timed."""
    config = copy.deepcopy(TINY) | {"results": "results", "shard_size": 2, "labels": {"site_entropies": True}}
    pairs = {"kind": "pair_spline", "r_min": 1.8, "r_cut": 4.5, "spacing": 0.5}
    config["descriptors"] = {
        "both": {"kind": "union", "parts": {"pairs": pairs, "angles": TINY["descriptors"]["afs_2_3"]}}
    }
    config["regressors"] = {"ridge": {"kind": "ridge", "site_weights": [0, 1]}, "ard": {"kind": "ard"}}
    return config


def run(folder, environment, *arguments):
    folder.mkdir(exist_ok=True)
    path = folder / "small.yaml"
    path.write_text(yaml.safe_dump(small()), encoding="utf-8")
    command = [sys.executable, "-m", "snakemake", "--snakefile", ROOT / "Snakefile", "--configfile", path]
    command += ["--directory", folder, *arguments]
    finished = subprocess.run(
        command, env=os.environ | environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=900
    )
    assert finished.returncode == 0, finished.stdout
    return folder / "results"


def made(results, pattern):
    """Names of files in the order in which they were made."""
    files = sorted(results.glob(pattern), key=lambda path: path.stat().st_mtime_ns)
    return [path.relative_to(results).as_posix() for path in files]


@pytest.mark.slow
def test_cores_order_environment_and_folder_do_not_show(tmp_path):
    here = run(tmp_path / "here", HERE, "--cores", "2", "all")

    # One core, and first those shards that came last here.
    shards = made(here, "labels/*/*.h5")
    late = shards[len(shards) // 2 :]
    arguments = [tmp_path / "anywhere élse", ELSEWHERE, "--cores", "1", "--scheduler", "greedy"]
    run(*arguments, *(f"results/{name}" for name in late))
    there = run(*arguments, "all")
    order = made(there, "labels/*/*.h5")
    assert set(order[: len(late)]) == set(late)
    assert set(order) == set(shards)

    found, expected = digests(there), digests(here)
    assert found.keys() == expected.keys()
    assert [name for name in expected if found[name] != expected[name]] == []
    kinds = ("structures", "labels", "features", "models", "predictions", "figures", "tables")
    counts = {kind: sum(name.startswith(f"{kind}/") for name in expected) for kind in kinds}
    assert min(counts.values()) > 1
    print(f"\nthe same bytes on 1 and 2 cores, in another order: {len(expected)} files, {counts}")


def test_no_job_takes_more_threads_where_there_are_more_cores():
    threads = {
        name: match[1].strip()
        for name, text in RULES.items()
        if (match := re.search(r"^ *threads:(.*)$", text, re.M)) and match[1].strip() != "1"
    }
    # A measurement has one thread and takes the other cores to be alone.
    assert threads.keys() == {"measure"}
