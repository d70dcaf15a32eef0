"""`vibentropy new`."""

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import ase.io
import pandas as pd
import pytest
import yaml
from ase.build import bulk
from iron_files import POTENTIAL, ROOT
from workflow_runs import like_the_repository

COPPER = "Cu_mishin1.eam.alloy", "--element", "Cu"


def test_a_potential(run, tmp_path):
    result = run("new", POTENTIAL, "--element", "Fe", f"{tmp_path}/iron/", "--quick")
    assert re.search(r"108 configurations of 128 to 250 sites take, .*^  labels +5 ", result.stdout, re.M | re.S)
    assert result.stderr == ""
    # What it writes is what `check` accepts, and says the same of its cost.
    again = run("check", tmp_path / "iron/run.yaml")
    assert again.stdout.split("108 config")[1] == result.stdout.split("108 config")[1].split("Then, in your clone")[0]
    assert result.stdout.endswith(f"\n  snakemake --cores 2 --configfile {tmp_path}/iron/run.yaml\n")


def test_paths_are_as_they_are_typed_in_the_clone_and_in_full_elsewhere(run, tmp_path, monkeypatch):
    monkeypatch.chdir(like_the_repository(tmp_path / "clone"))
    shutil.copy(ROOT / "Snakefile", "Snakefile")
    run("new", *COPPER, "--quick", "copper")
    assert yaml.safe_load(Path("copper/run.yaml").read_text())["results"] == "copper/results"
    monkeypatch.chdir(tmp_path)
    Path("my.eam.alloy").symlink_to(sorted(Path(sys.prefix).rglob(COPPER[0]))[0])
    result = run("new", "my.eam.alloy", *COPPER[1:], "--quick", "copper")
    read = yaml.safe_load(Path("copper/run.yaml").read_text())
    assert read["results"] == f"{tmp_path}/copper/results"
    assert read["potential"]["file"] == f"{tmp_path}/my.eam.alloy"
    assert f"snakemake --cores 2 --configfile {tmp_path}/copper/run.yaml" in result.stdout


def test_files_as_the_shell_expands_them(run, folder, tmp_path):
    """Those of `--files my/*.xyz` without quotes but for the first stand before the folder."""
    files = sorted(str(path) for path in (folder / "my").glob("*.xyz"))
    options = "--reference", "bulk.xyz", "--entropy", "S_f", tmp_path / "out"
    result = run("new", "--files", *files, *options)
    datasets = yaml.safe_load((tmp_path / "out/run.yaml").read_text())["datasets"]
    assert datasets["train"]["files"] == files
    assert datasets["train"]["reference"] == str(folder / "bulk.xyz")
    assert "--test" in result.stderr
    shutil.rmtree(tmp_path / "out")
    run("new", "--files", "my/*.xyz", *options)
    assert yaml.safe_load((tmp_path / "out/run.yaml").read_text())["datasets"]["train"]["files"] == [
        f"{folder}/my/*.xyz"
    ]


def test_files_with_a_potential(run, tmp_path):
    options = "--reference", "bulk.xyz", "--potential", POTENTIAL, "--test", "other.xyz", tmp_path
    lines = run("new", "--files", "my/*.xyz", *options).stderr.splitlines()
    assert [line for line in lines if "distinct minima for" not in line] == []
    read = yaml.safe_load((tmp_path / "run.yaml").read_text())
    assert read["potential"] == {"file": POTENTIAL, "element": "Fe"}
    assert read["datasets"]["test"]["role"] == "test"


def test_what_is_worth_knowing_is_said(run, tmp_path):
    result = run("new", "Mg_mm.eam.fs", "--element", "Mg", "--structure", "fcc", "--quick", tmp_path)
    assert "hcp Mg is 12" in result.stderr
    assert (tmp_path / "run.yaml").exists()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        # Of the potential.
        ("CuNi.eam.alloy --element Cu out", "CuNi.eam.alloy: the entropy is uncertain by .* --pair-style"),
        ("Ni.adp --element Ni out", "name an angular-dependent potential as LAMMPS does"),
        ("Cu_mishin1.eam.alloy --element W out", "holds Cu, not W"),
        ("Cu_mishin1.eam.alloy --element cu out", "element is 'cu' .did you mean 'Cu'"),
        ("Cu_mishin1.eam.alloy out", "--element and its symbol"),
        ("none.eam --element Cu out", "no such file"),
        ("Cu_mishin1.eam.alloy --element Cu --structure diamond out", "not stable .* --structure fcc"),
        ("Cu_mishin1.eam.alloy --element Cu --structure hpc out", "did you mean 'hcp'"),
        ("Cu_mishin1.eam.alloy --element Cu --reference bulk.xyz out", "--reference goes with --files"),
        ("a b --element Cu out", "give one potential .*found a b"),
        ("--element Cu out", "give one potential .*found none"),
        ("--pair-style sw --element Si out", "pair_style sw needs its pair_coeff"),
        # Of files.
        ("--files my/*.xyz out", "--files needs --reference"),
        ("--files my/*.xyz --reference bulk.xyz out", "--entropy NAME if .* S_f"),
        ("--files yours/*.xyz --reference bulk.xyz --entropy S_f out", "no file matches"),
        ("--files my.xyz --reference bulk.xyz --entropy S_f out", "by --group"),
        ("--files my/*.xyz --reference bulk.xyz --entropy S out", "'S'.*there are .*S_f"),
        ("--files my/*.xyz --reference defect.xyz --entropy S_f out", "defect.xyz: .*perfect crystal"),
        ("--files my/*.xyz mixed.xyz --reference bulk.xyz --entropy S_f out", "mixed.xyz, frame 0: "),
        ("--files my/*.xyz --reference bulk.xyz --entropy S_f --structure bcc out", "--structure is for a potential"),
        (f"--files my/*.xyz --reference bulk.xyz --entropy S_f --potential {POTENTIAL} out", "give either --entropy"),
        # Of the folder.
        ("Cu_mishin1.eam.alloy --element Cu taken", "taken/run.yaml exists already"),
        ("Cu_mishin1.eam.alloy --element Cu my.xyz", "my.xyz is a file"),
    ],
)
def test_bad_input_is_said_before_anything_is_written(run, words, message):
    Path("taken").mkdir(exist_ok=True)
    Path("taken/run.yaml").write_text("mine: 1")
    mixed = bulk("Fe", "fcc", a=3.6, cubic=True) * 3
    del mixed[0]
    mixed.info["S_f"] = 2.0
    ase.io.write("mixed.xyz", mixed, format="extxyz")
    assert re.search(message, run("new", *shlex.split(words), code=2).stderr, re.S)
    assert not Path("out").exists()
    assert Path("taken/run.yaml").read_text() == "mine: 1"


@pytest.mark.slow(minutes=3)
def test_from_a_potential_to_a_model(tmp_path):
    """The line that is printed does the rest, for hcp, in a folder like that of the clone."""
    folder = like_the_repository(tmp_path)
    (folder / "Snakefile").symlink_to(ROOT / "Snakefile")
    words = [sys.executable, "-m", "vibentropy", "new", "Mg_mm.eam.fs", "--element", "Mg", "--quick", "magnesium/"]
    printed = subprocess.run(words, cwd=folder, capture_output=True, text=True, check=True).stdout
    line = printed.splitlines()[-1].strip()
    assert line == "snakemake --cores 2 --configfile magnesium/run.yaml"
    program = [sys.executable, "-m", *shlex.split(line), "--snakefile", str(ROOT / "Snakefile")]
    finished = subprocess.run(program, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert finished.returncode == 0, finished.stdout
    results = folder / "magnesium/results"
    table = pd.read_csv(results / "configurations.csv")
    assert (table["status"] == "labelled").mean() > 0.7
    summary = pd.read_csv(results / "summary.csv").set_index("descriptor")
    assert len(summary) == 3
    # The model that asks the potential knows most of what there is, in larger cells as well.
    assert summary.loc["stiffness", "cross_validation_mae"] < 0.2 * table["formation_entropy"].std()
    assert summary["test_mae"].idxmin() == "stiffness"
