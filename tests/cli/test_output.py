"""Results on stdout, for other programs."""

import json
import subprocess
import sys
from io import StringIO
from pathlib import Path

import ase.io
import pandas as pd
import pytest
from iron_files import POTENTIAL

LABEL = "label", "my.xyz", "--reference", "bulk.xyz", "--potential", POTENTIAL


@pytest.mark.parametrize("command", [("predict", "my.xyz"), LABEL])
@pytest.mark.parametrize("suffix", [".csv", ".json", ".extxyz"])
def test_stdout_has_what_the_file_has(run, command, suffix):
    run(*command, "-o", f"all{suffix}")
    printed = run(*command, "-o", f"-{suffix}")
    assert printed.stdout == Path(f"all{suffix}").read_text()
    assert not Path(f"-{suffix}").exists()


def test_a_dash_is_csv(run):
    printed = run(*LABEL, "-o", "-").stdout
    assert list(pd.read_csv(StringIO(printed))["status"]) == ["labelled"] * 3


def test_shares_of_atoms_go_to_stdout_as_well(run):
    rows = json.loads(run("predict", "my.xyz", "--per-atom", "-o", "-.json").stdout)
    assert [len(row["predicted_site_entropy"]) for row in rows] == [53, 52, 51]
    assert "needs a file that can hold" in run("predict", "my.xyz", "--per-atom", "-o", "-", code=2).stderr


def test_what_one_command_prints_another_reads(run, folder):
    labelled = run(*LABEL, "-q", "-o", "-.extxyz").stdout
    predicted = run("predict", "-", "-o", "-.extxyz", stdin=labelled).stdout
    frames = ase.io.read(StringIO(predicted), format="extxyz", index=":")
    assert [atoms.info["status"] for atoms in frames] == ["labelled"] * 3
    assert [atoms.info["predicted_status"] for atoms in frames] == ["predicted"] * 3


@pytest.mark.parametrize(("command", "suffix"), [("describe", ".h5"), ("generate", ".xyz")])
def test_what_is_no_text_or_no_row_stays_in_files(run, command, suffix):
    words = {"describe": ["describe", "my.xyz", "-d", "afs"], "generate": ["generate", "my.yaml"]}[command]
    assert "this kind of file cannot go to stdout" in run(*words, "-o", f"-{suffix}", code=2).stderr


@pytest.mark.parametrize("name", ["predict", "label"])
def test_failures_have_the_same_columns_everywhere(run, name):
    command = {"predict": ["predict"], "label": ["label", *LABEL[2:]]}[name]
    ase.io.write("mixed.xyz", ase.io.read("bad.xyz", index="2:"), format="extxyz")
    for suffix in ("csv", "json", "extxyz"):
        run(*command, "mixed.xyz", "-o", f"all.{suffix}", code=1)
    table = pd.read_csv("all.csv", keep_default_na=False)
    rows = json.loads(Path("all.json").read_text())
    infos = [atoms.info for atoms in ase.io.read("all.extxyz", index=":")]
    prefix = "predicted_" if name == "predict" else ""
    done = {"predict": "predicted", "label": "labelled"}[name]
    for statuses in (table["status"], [row["status"] for row in rows], [info[f"{prefix}status"] for info in infos]):
        assert list(statuses) == ["rejected", done]
    reasons = [row["reason"] for row in rows]
    assert reasons[0]
    assert list(table["reason"]) == reasons == [info.get(f"{prefix}reason", "") for info in infos]


def test_a_label_that_fails_leaves_no_older_one(run):
    frames = ase.io.read("my.xyz", index=":")
    for atoms in frames:
        atoms.info |= {"formation_entropy": 99.0, "reason": "none", "mine": 1}
    frames[0].positions[0] += 0.1
    ase.io.write("older.xyz", frames, format="extxyz")
    run("label", "older.xyz", *LABEL[2:], "-o", "newer.extxyz", code=1)
    first, second, _ = (atoms.info for atoms in ase.io.read("newer.extxyz", index=":"))
    assert first["status"] == "not converged"
    assert first["mine"] == 1
    assert "formation_entropy" not in first
    assert second["formation_entropy"] < 10
    assert "reason" not in second


def test_the_reader_of_a_pipe_may_go(folder):
    """As `| head -1` does."""
    command = [sys.executable, "-m", "vibentropy", "predict", "-q", *["my.xyz"] * 50, "-o", "-"]
    process = subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout.readline().startswith("file,")
    process.stdout.close()
    assert process.wait(timeout=300) == 141
    assert process.stderr.read() == ""
