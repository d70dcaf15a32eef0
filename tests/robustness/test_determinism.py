"""The same configuration gives the same files, byte by byte, however, where and in which order it is computed."""

import copy
import os
import re
import subprocess

import pytest
from kills import KILLS, run_with_kills
from workflow_runs import HANGS, RULES, TINY, command, digests

#: What a user's shell may set. Snakemake gives jobs threads of its own counting.
HERE = {"OMP_NUM_THREADS": "2", "OPENBLAS_NUM_THREADS": "2", "MKL_NUM_THREADS": "2", "NUMBA_NUM_THREADS": "2"}
ELSEWHERE = dict.fromkeys(HERE, "1") | {"LC_ALL": "C", "TZ": "Asia/Tokyo", "PYTHONHASHSEED": "271828"}


def small():
    """Configuration of more shards and other fits than the tiny run, of one descriptor: several are timed."""
    config = copy.deepcopy(TINY) | {"results": "results", "shard_size": 6, "labels": {"site_entropies": True}}
    pairs = {"kind": "pair_spline", "r_min": 1.8, "r_cut": 4.5, "spacing": 0.5}
    config["descriptors"] = {
        "both": {"kind": "union", "parts": {"pairs": pairs, "angles": TINY["descriptors"]["afs_2_3"]}}
    }
    config["regressors"] = {"ridge": {"kind": "ridge", "site_weights": [0, 1]}, "ard": {"kind": "ard"}}
    return config


def run(folder, environment, cores, *arguments):
    """Run without kills; folder of the results."""
    finished = subprocess.run(
        command(folder, small(), *arguments, cores=cores),
        env=os.environ | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=HANGS,
    )
    assert finished.returncode == 0, finished.stdout
    return folder / "results"


def made(results, pattern):
    """Names of files in the order in which they were made."""
    files = sorted(results.glob(pattern), key=lambda path: path.stat().st_mtime_ns)
    return [path.relative_to(results).as_posix() for path in files]


@pytest.mark.slow(minutes=5)
def test_cores_order_environment_folder_and_kills_do_not_show(tmp_path):
    """Two runs that have nothing but their configuration in common, one of which is killed a dozen times."""
    killed = tmp_path / "here"
    kills = run_with_kills(command(killed, small()), os.environ | HERE, tmp_path / "output")
    here = killed / "results"
    assert kills.keys() == KILLS.keys()
    assert kills.total() >= 12
    assert not list(killed.rglob(".partial-*"))

    # One core, no kills, and first those shards that came last here.
    shards = made(here, "labels/*/*.h5")
    late = shards[len(shards) // 2 :]
    arguments = [tmp_path / "anywhere élse", ELSEWHERE, 1, "--scheduler", "greedy"]
    run(*arguments, *(f"results/{name}" for name in late))
    there = run(*arguments, "all")
    order = made(there, "labels/*/*.h5")
    assert set(order[: len(late)]) == set(late)
    assert set(order) == set(shards)

    files, others = digests(here), digests(there)
    assert files.keys() == others.keys()
    assert [name for name in files if files[name] != others[name]] == []
    kinds = ("structures", "labels", "features", "models", "predictions", "figures", "tables")
    counts = {kind: sum(name.startswith(f"{kind}/") for name in files) for kind in kinds}
    assert min(counts.values()) > 1
    print(f"\n{kills.total()} kills on 2 cores, none on 1 in another order: {len(files)} equal files, {counts}")


def test_no_job_takes_more_threads_where_there_are_more_cores():
    threads = {
        name: match[1].strip()
        for name, text in RULES.items()
        if (match := re.search(r"^ *threads:(.*)$", text, re.M)) and match[1].strip() != "1"
    }
    # A measurement has one thread and takes the other cores to be alone.
    assert threads.keys() == {"measure"}
