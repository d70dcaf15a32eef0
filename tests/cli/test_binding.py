"""`vibentropy binding`."""

import json
import re
from pathlib import Path

import ase.io
import pandas as pd
import pytest
from ase.build import bulk
from iron_files import POTENTIAL

from vibentropy import binding, load_potential, relax
from vibentropy.labels import binding as of_binding

FE_P = ["--reference", "bulk.xyz", "--potential", POTENTIAL]
TWO = ["--part", "vacancy.xyz", "--part", "vacancy.xyz"]


def test_it_binds_as_the_library_says(run):
    """With a solute, all of which are relaxed here."""
    run("binding", "VP.xyz", "--part", "vacancy.xyz", "--part", "solute.xyz", *FE_P, "--relax", "-o", "bound.csv")
    (row,) = pd.read_csv("bound.csv").to_dict("records")
    potential = load_potential(file=POTENTIAL, elements=["Fe", "P"])
    pair, vacancy, solute = (relax(ase.io.read(f"{name}.xyz"), potential) for name in ("VP", "vacancy", "solute"))
    expected = binding(pair, [vacancy, solute], ase.io.read("bulk.xyz"), potential)
    assert (row["binding_energy"], row["binding_entropy"]) == pytest.approx(expected, abs=1e-9)
    assert row["binding_energy"] < -0.3
    assert row["convention"] == "complex minus parts: negative energies attract"
    assert (row["status"], row["n_atoms"]) == ("labelled", 53)


def test_a_pair_in_250_sites_binds_as_an_independent_calculation_says(run, tmp_path):
    perfect = bulk("Fe", "bcc", a=2.8553127, cubic=True) * 5
    solute = perfect.copy()
    solute.symbols[1] = "P"
    for name, atoms in (("bulk", perfect), ("solute", solute), ("vacancy", perfect[1:]), ("pair", solute[1:])):
        atoms.write(tmp_path / f"{name}.xyz", format="extxyz")
    files = {name: tmp_path / f"{name}.xyz" for name in ("bulk", "solute", "vacancy", "pair")}
    parts = "--part", files["solute"], "--part", files["vacancy"], "--reference", files["bulk"]
    result = run("binding", files["pair"], *parts, "--potential", POTENTIAL, "--relax")
    assert result.stdout.splitlines()[1].split()[2:] == ["249", "-0.3625", "-0.425", "attract", "labelled"]


def test_parts_are_computed_once(run, monkeypatch):
    sizes, compute = [], of_binding.relaxed_log_determinant

    def counted(atoms, *limits, **options):
        sizes.append(len(atoms))
        return compute(atoms, *limits, **options)

    monkeypatch.setattr(of_binding, "relaxed_log_determinant", counted)
    result = run("binding", "pairs.xyz", "pairs.xyz", *TWO, *FE_P)
    assert sizes == [53, 52, 52]
    heading, *rows = result.stdout.splitlines()
    assert heading.split()[-2:] == ["parts", "status"]
    assert len(rows) == 2


def test_what_does_not_bind_is_named_and_the_others_are_written(run):
    result = run("binding", "my.xyz", *TWO, *FE_P, "-o", "bound.json", code=1)
    assert re.search(r"my.xyz, frame 0: .*do not hold the atoms of the parts, Fe53, Fe53", result.stderr)
    assert "my.xyz, frame 2: " in result.stderr
    first, second, _ = json.loads(Path("bound.json").read_text())
    assert first["status"] == "rejected"
    assert "binding_energy" not in first
    assert second["binding_energy"] < 0
    run("binding", "my.xyz", *TWO, *FE_P, "-o", "bound.extxyz", code=1)
    assert ase.io.read("bound.extxyz", index=1).info["convention"].startswith("complex minus parts")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--part", "vacancy.xyz", *FE_P], "a complex has two parts or more: give --part for each, twice"),
        (TWO, "Missing option '--reference'"),
        ([*TWO, "--reference", "bulk.xyz"], "one of --potential, .* is needed"),
        (["--part", "vacancy.xyz", "--part", "solute.xyz", *FE_P], r"part 2 \(Fe53P\): the largest force"),
        ([*TWO, *FE_P, "-o", "vacancy.xyz"], "is an input"),
        (["--part", "my.xyz", "--part", "vacancy.xyz", *FE_P], "my.xyz: holds 3 configurations, expected one"),
    ],
)
def test_what_is_wrong_from_the_start(run, arguments, message):
    assert re.search(message, run("binding", "VP.xyz", *arguments, code=2).stderr)
