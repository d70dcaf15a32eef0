"""Four ways to name a potential."""

import re

import ase.io
import pandas as pd
import pytest
from ase.calculators.emt import EMT
from iron_files import POTENTIAL

from vibentropy import formation_entropy, relax

IRON = "label", "my.xyz", "--reference", "bulk.xyz", "-o", "labels.csv"
COPPER = "label", "copper.xyz@0", "--reference", "copper_bulk.xyz", "--relax", "-o", "copper.csv"


@pytest.fixture(scope="module")
def expected(folder):
    """Entropy of the vacancy in copper, by EMT with a parameter that changes it, and without."""
    perfect, vacancy = ase.io.read(folder / "copper_bulk.xyz"), ase.io.read(folder / "copper.xyz", index=0)
    return [formation_entropy(relax(vacancy, emt), perfect, emt) for emt in (EMT(asap_cutoff=True), EMT())]


def test_a_calculator_by_its_class(run, expected):
    by_class = "--calculator", "ase.calculators.emt.EMT"
    run(*COPPER, *by_class, "--parameter", "asap_cutoff=true")
    assert pd.read_csv("copper.csv")["formation_entropy"][0] == pytest.approx(expected[0], abs=1e-4)
    assert abs(expected[0] - expected[1]) > 1e-3
    assert re.search("^Error: .*EMTT", run(*COPPER, "--calculator", "ase.calculators.emt.EMTT", code=2).stderr)


def test_a_file_with_the_potential_alone(run, expected, tmp_path):
    config = tmp_path / "emt.yaml"
    config.write_text("potential: {calculator: ase.calculators.emt.EMT, element: Cu}\n")
    run(*COPPER, "--config", config)
    assert pd.read_csv("copper.csv")["formation_entropy"][0] == pytest.approx(expected[1], abs=1e-4)


def test_data_of_the_run_need_not_be_there(run, tmp_path):
    config = tmp_path / "run.yaml"
    config.write_text(
        f"potential: {{file: {POTENTIAL}, element: Fe}}\n"
        "datasets: {mine: {role: train, files: [nowhere.xyz], reference: nowhere.xyz}}\n"
    )
    run(*IRON, "--config", config)
    assert list(pd.read_csv("labels.csv")["status"]) == ["labelled"] * 3


def test_commands_of_lammps(run, tmp_path):
    arguments = "--pair-style", "eam/fs", "--pair-coeff", f"* * {POTENTIAL} Fe"
    assert "eam/fs" in run(*IRON, *arguments[:2], "--pair-coeff", "* * none.eam.fs Fe", code=2).stderr
    run("label", "other.xyz", *IRON[2:], *arguments)
    (label,) = pd.read_csv("labels.csv").to_dict("records")
    run("label", "other.xyz", *IRON[2:], "--potential", POTENTIAL)
    assert label["formation_entropy"] == pytest.approx(pd.read_csv("labels.csv")["formation_entropy"][0], abs=0.03)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "one of --potential, --pair-style, --calculator, --config is needed, .*; found none of them"),
        (["--potential", "x", "--calculator", "y.z"], "found --potential and --calculator"),
        (["--pair-style", "sw"], "--pair-style needs its --pair-coeff"),
        (["--potential", "x", "--pair-coeff", "* *"], "belongs to --pair-style, and --potential names the"),
        (["--config", "my.yaml", "--parameter", "a=1"], "belongs to --calculator, and --config names the"),
        (["--config", "my.yaml", "--element", "Fe"], "my.yaml says which element it is: leave out --element"),
        (["--calculator", "ase.calculators.emt.EMT", "--parameter", "a"], "'a' should be NAME=VALUE"),
        (["--config", "wrong.yaml"], "^Error: wrong.yaml: potential: unknown key 'fiel'"),
        (["--config", "none.yaml"], r"^Error: none.yaml: has no `potential:` .*'potental' \(did you mean 'potential'"),
    ],
)
def test_what_is_wrong_from_the_start(run, folder, arguments, message):
    (folder / "wrong.yaml").write_text("potential: {calculator: a.b, fiel: x}\n")
    (folder / "none.yaml").write_text("potental: {file: x, element: Fe}\n")
    assert re.search(message, run(*IRON, *arguments, code=2).stderr)
