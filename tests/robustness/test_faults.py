"""Crashes, kills, full disks: what they cost, what they say, and that a second attempt ends in the same files."""

import ast
import dataclasses
import os
import signal
import subprocess

import h5py
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from fragile import MortalEngine, Springs
from numpy.linalg import LinAlgError
from small_files import A, configuration_set, feature_set, write_model
from trajectories import IRON, V2
from workflow_runs import ROOT, TINY, snakemake

from vibentropy.atoms.crystal import Crystal
from vibentropy.datasets.store import ConfigurationSet
from vibentropy.errors import OutputError
from vibentropy.files.hdf5 import create
from vibentropy.files.logs import logged
from vibentropy.files.tables import save_table
from vibentropy.labels.labelling import Labeller
from vibentropy.potentials.finite_differences import FiniteDifferencePotential
from vibentropy.potentials.lammps_engine import LammpsEngine
from vibentropy.potentials.own_process import IsolatedEngine
from vibentropy.report.figures.style import save_figure
from vibentropy.sources import archives
from vibentropy.sources.sampling import sample


def test_crash_of_lammps_costs_its_trajectory(iron, fine_table):
    planned = [dataclasses.replace(V2, name=name, steps_between=10) for name in "ab"]
    doomed = planned[0].seed(2020)
    with IsolatedEngine(MortalEngine.on, fine_table, doomed, signal.SIGABRT) as engine:
        found = sample(planned, IRON, iron, engine, 2020)
    assert list(found.table["trajectory"]) == ["a", "b", "b"]
    assert list(found.table["status"]) == ["rejected", "relaxed", "relaxed"]
    assert "ended by SIGABRT (Aborted) in `anneal`" in found.table["reason"][0]
    # The other to the last bit as in one process.
    with LammpsEngine.on_table(fine_table, ["Fe"]) as engine:
        expected = sample(planned[1:], IRON, iron, engine, 2020)
    found = found.subset(found.table["trajectory"] == "b")
    pd.testing.assert_frame_equal(found.table[expected.table.columns], expected.table, check_exact=True)
    for one, other in zip(found.frames, expected.frames, strict=True):
        np.testing.assert_array_equal(one.positions, other.positions)


@pytest.mark.parametrize("processes", [1, 2])
def test_crash_in_a_hessian_costs_its_label(iron_crystal, processes):
    perfect = iron_crystal(2)
    fates = {15: signal.SIGFPE, 14: LinAlgError, 12: MemoryError}
    frames = [perfect[:n] for n in (15, 14, 13)]
    table = pd.DataFrame({"id": ["a", "b", "c"], "status": "relaxed", "reason": ""})
    with IsolatedEngine(Springs, fates, processes=processes) as engine:
        potential = FiniteDifferencePotential(engine, ("Fe",), 0.01)
        found = Labeller(potential).label(ConfigurationSet(frames, table), lambda row, cell: perfect).table
        assert list(found["status"]) == ["rejected", "rejected", "labelled"]
        assert "SIGFPE" in found["reason"][0]
        assert "did not converge" in found["reason"][1]
        # Memory is a property of the machine: no row, but a job that can be repeated.
        configurations = ConfigurationSet([perfect[:12]], table[:1])
        with pytest.raises(MemoryError):
            Labeller(potential).label(configurations, lambda row, cell: perfect)


def mount(*arguments):
    finished = subprocess.run(["mount", *arguments], capture_output=True, text=True, check=False)
    if finished.returncode:
        pytest.skip(f"no file systems can be mounted here: {finished.stderr.strip()}")


@pytest.fixture
def disk(tmp_path):
    """Folder on a small file system of its own; a function makes it full or read-only."""
    folder = tmp_path / "disk é"
    folder.mkdir()
    mount("-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder))

    def spoil(how):
        if how == "read-only":
            mount("-o", "remount,ro", str(folder))
            return "Read-only file system"
        # Some writers fail at once, some on the way.
        room = os.statvfs(folder)
        (folder / "filler").write_bytes(bytes(room.f_bavail * room.f_bsize - (0 if how == "full" else 2**12)))
        return "No space left on device"

    try:
        yield folder, spoil
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)


def figure():
    figure, axes = plt.subplots()
    axes.plot(*np.random.default_rng(0).standard_normal((2, 3000)))
    plt.close(figure)
    return figure


def writers():
    """A writer for each kind of file, of more than a page each."""
    few = configuration_set()
    many = ConfigurationSet(few.frames * 30, pd.concat([few.table.drop(columns="id")] * 30))
    numbers = np.random.default_rng(0).standard_normal(2000)
    table = pd.DataFrame({"a": numbers})
    crystal = Crystal("Fe", "bcc", A)
    return {
        "a.h5": lambda path: write_groups(path, numbers),
        "configurations.h5": many.save,
        "configurations.extxyz": many.to_extxyz,
        "archive.h5": lambda path: archives.write_archive(path, many, crystal),
        "features.h5": feature_set(ids=[f"configuration {i}" for i in range(300)]).save,
        "model.h5": write_model,
        "table.csv": lambda path: save_table(table, path),
        "table.json": lambda path: save_table(table, path),
        "figure.png": lambda path: save_figure(figure(), path),
        "figure.pdf": lambda path: save_figure(figure(), path),
    }


def write_groups(path, numbers):
    """A file whose parts are all written late: the worst case for the HDF5 library."""
    with create(path, "a kind") as file:
        for i in range(100):
            file[f"group {i}/numbers"] = numbers[:3]
        file.create_dataset("packed", data=numbers, compression="gzip")
        file.create_dataset("text", data=np.array(["x" * 99] * 999, dtype=object), dtype=h5py.string_dtype())


@pytest.mark.parametrize("how", ["full", "nearly full", "read-only"])
def test_what_cannot_be_written_leaves_the_old_file(disk, how):
    folder, spoil = disk
    for name in writers():
        (folder / name).write_bytes(b"old")
    words = spoil(how)
    before = sorted(folder.iterdir())
    for name, write in writers().items():
        with pytest.raises(OutputError, match=f"{name}: cannot be written: .*{words}.*`results`"):
            write(folder / name)
        assert (folder / name).read_bytes() == b"old"
        assert sorted(folder.iterdir()) == before
    if how == "read-only":
        with pytest.raises(OutputError, match=words):
            write_model(folder / "new folder/model.h5")


def test_results_do_not_depend_on_their_log(disk):
    folder, spoil = disk
    words = spoil("full")
    with logged(folder / "log") as progress:
        progress.note("one line")
    with pytest.raises(SystemExit, match=f"error: .*{words}"), logged(folder / "log") as progress:
        write_model(folder / "model.h5")
    with pytest.raises(SystemExit, match="error: no log can be written: .*No such file"), logged(folder / "a/log"):
        pass


@pytest.mark.slow
@pytest.mark.parametrize("how", ["full", "read-only"])
def test_workflow_says_that_its_disk_is_full(disk, tmp_path, how):
    folder, spoil = disk
    words = spoil(how)
    code, output = snakemake(tmp_path / "run", TINY | {"results": str(folder / "results")}, "labels")
    assert code != 0
    assert words in output
    assert not [path for path in folder.rglob("*") if path.is_file() and path.name.startswith(".partial")]
    assert not list(folder.rglob("potential/*"))
    if how == "full":
        assert f"error: {folder}/results/potential/lattice.json: cannot be written" in output
        assert "free space there or write to another place" in output
        assert "Traceback" not in output


@pytest.mark.parametrize("path", sorted((ROOT / "workflow/scripts").glob("*.py")), ids=lambda path: path.stem)
def test_nothing_of_a_job_fails_outside_its_log(path):
    imports = ast.Import | ast.ImportFrom
    (block,) = [node for node in ast.parse(path.read_text()).body if not isinstance(node, imports)]
    assert isinstance(block, ast.With)
    assert block.items[0].context_expr.func.id == "logged"
