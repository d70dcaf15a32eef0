"""The command line: what commands print and write, how they end, and that every example in their help runs."""

import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import ase.io
import numpy as np
import pytest
from click.shell_completion import BashComplete
from iron_files import POTENTIAL, ROOT, crystal
from pages import PAGES, blocks, commands

from vibentropy import EntropyModel, formation_entropy
from vibentropy.cli import main
from vibentropy.labels import infinite
from vibentropy.learning import meam_law


def test_threads_that_wait_sleep_unless_told_otherwise():
    """What they do is settled when OpenMP is loaded: the package says it before it loads anything."""
    script = "import os, vibentropy; print(os.environ['OMP_WAIT_POLICY'])"
    inherited = {name: value for name, value in os.environ.items() if name != "OMP_WAIT_POLICY"}
    for given, expected in (({}, "passive"), ({"OMP_WAIT_POLICY": "active"}, "active")):
        command = [sys.executable, "-c", script]
        assert subprocess.check_output(command, env=inherited | given, text=True).strip() == expected


def test_commands_and_version(run):
    listed = re.findall(r"^  ([\w-]+)  ", run("--help").stdout.split("Commands:")[1], re.M)
    assert (
        listed
        == ["predict", "label", "binding", "describe", "force-law", "new", "generate", "check", "info"]
        == list(main.commands)
    )
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert run("--version").stdout == f"vibentropy, version {version}\n"


@pytest.mark.parametrize(
    ("words", "command"),
    [
        (["predict", "--wrong"], "vibentropy predict"),
        (["label", "my.xyz"], "vibentropy label"),
        (["predict", "--model", "iron", "model.h5", "my.xyz"], "vibentropy predict"),
        (["pre"], "vibentropy"),
        (["--wrong"], "vibentropy"),
    ],
)
def test_wrong_usage_looks_like_other_errors(run, words, command):
    error, hint = run(*words, code=2).stderr.splitlines()
    assert error.startswith("Error: ")
    assert hint == f"`{command} --help` shows what there is"


def test_no_command_is_a_request_for_help(run):
    result = run(code=2)
    assert result.output == run("--help").output


def completed(*words):
    complete = BashComplete(main, {}, "vibentropy", "_VIBENTROPY_COMPLETE")
    return [item.value for item in complete.get_completions(list(words[:-1]), words[-1])]


def test_shells_complete_commands_and_options():
    assert completed("pre") == ["predict"]
    assert "--per-atom" in completed("predict", "--p")
    assert completed("check", "--unit", "J") == ["J/mol/K"]
    # Standard input is not read to find that out.
    assert "--per-atom" in completed("predict", "-", "my.xyz@0", "--p")


def examples(lines):
    """Those of lines that are commands, as lists of words."""
    return [shlex.split(line, comments=True)[1:] for line in lines if line.strip().startswith("vibentropy ")]


IN_HELP = [words for command in (main, *main.commands.values()) for words in examples(command.epilog.splitlines())]


#: Two pages have data of their own (test_documentation.py).
TOLD_ELSEWHERE = {"docs/tutorial.md", "docs/from_lammps.md"}
ON_PAGES = [words for page in PAGES if page not in TOLD_ELSEWHERE for words in examples(commands(page))]


def test_every_command_has_examples():
    for shown in (IN_HELP, examples(commands("docs/cli.md"))):
        assert {words[0] for words in shown} >= set(main.commands)


@pytest.mark.parametrize("words", {" ".join(words): words for words in IN_HELP + ON_PAGES}.values(), ids=" ".join)
def test_examples_run(run, words, monkeypatch):
    # Of the infinite crystal and of a search for parameters, which take minutes otherwise.
    monkeypatch.setattr(infinite, "SIZES", (250, 432, 686))
    for name, value in {"_FORMS": (0,), "_CUTOFFS": (1.8,), "_MAX_STEPS": 1}.items():
        monkeypatch.setattr(meam_law, name, value)
    result = run(*words)
    output = [words[i + 1] for i, word in enumerate(words) if word in ("-o", "--output")]
    files = [Path(file) for file in output if not file.startswith("-")]
    assert result.stdout or all(file.stat().st_size for file in files)
    for file in files:
        file.unlink()


def test_python_does_the_same(run, folder, vacancies, iron):
    """The snippet of the page, on the files that it names."""
    (snippet,) = blocks("docs/python.md", "python")
    ase.io.write("defects.xyz", vacancies, format="extxyz")
    shutil.copy("model.h5", "results/models/afs_3_10/bayesian_ridge.h5")
    names = {}
    exec(snippet.text, names)
    assert names["exact"] == pytest.approx(formation_entropy(vacancies[0], crystal(), iron), abs=1e-5)
    predicted = EntropyModel.load("model.h5").predict(vacancies)["formation_entropy"]
    np.testing.assert_allclose(names["table"]["formation_entropy"], predicted, atol=1e-6)


@pytest.mark.parametrize(
    ("words", "output"),
    [
        ("predict my.xyz", "my.xyz"),
        ("predict my.xyz", "link.xyz"),
        ("predict other.xyz --reference strained_bulk.xyz", "strained_bulk.xyz"),
        ("predict link.xyz", "./my.xyz"),
        (f"label other.xyz --reference bulk.xyz --potential {POTENTIAL}", "bulk.xyz"),
        ("label other.xyz --reference bulk.xyz --config config.h5", "other.xyz"),
        ("describe features.csv -d afs", "features.csv"),
        ("describe my.xyz -d afs --config config.h5", "config.h5"),
        ("generate config.h5", "config.h5"),
    ],
)
def test_no_file_is_written_over_one_that_is_read(run, folder, words, output):
    for link, target in [("link.xyz", "my.xyz"), ("features.csv", "my.xyz"), ("config.h5", "my.yaml")]:
        Path(link).unlink(missing_ok=True)
        Path(link).symlink_to(folder / target)
    before = Path(output).read_bytes()
    result = run(*words.split(), "-o", output, code=2)
    assert "is an input: write to another file, such as --output " in result.stderr
    assert f"{Path(output).stem}_new{Path(output).suffix}" in result.stderr
    assert Path(output).read_bytes() == before


def test_earlier_results_are_written_over(run):
    for _ in range(2):
        run("predict", "my.xyz", "-o", "again.xyz")
