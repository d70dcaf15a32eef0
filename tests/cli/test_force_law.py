"""`vibentropy force-law`."""

import re

import ase.io
import numpy as np
import pytest
import yaml
from ase.build import bulk
from iron_files import ROOT
from meam_minima import minima_of

import vibentropy
from vibentropy.atoms.crystal import Crystal
from vibentropy.cli.force_law import _taken_evenly
from vibentropy.learning import meam_law
from vibentropy.learning.force_law import learn_force_law

ARCHIVE = ROOT / "data/cells_1024.h5"


@pytest.mark.slow(minutes=1)
def test_modified_embedded_atoms(run, tmp_path):
    """Four minima of MEAM iron in 54 sites hold a law; files and what to type come out."""
    library, settings = (ROOT / f"data/potentials/Fe_Etesami_2018{end}.meam" for end in (".library", ""))
    exact = vibentropy.load_potential(pair_style="meam", pair_coeff=[f"* * {library} Fe {settings} Fe"], element="Fe")
    perfect = bulk("Fe", a=2.8553, cubic=True) * 3
    cells = list(minima_of(exact, perfect))
    unseen = perfect.copy()
    del unseen[[0, 1, 30]]
    unseen = vibentropy.relax(unseen, exact)
    ase.io.write(tmp_path / "minima.extxyz", cells)
    ase.io.write(tmp_path / "bulk.extxyz", perfect)
    output = tmp_path / "a {law} of ours.meam"
    arguments = tmp_path / "minima.extxyz", "--reference", tmp_path / "bulk.extxyz"
    result = run("force-law", *arguments, "-o", output)
    assert re.search(
        r"from \d+ components of forces in 4 of 4 cells; the largest one that is left, .*, is (\S+) Å", result.stderr
    )
    block = yaml.safe_load("\n".join(re.findall(r"`(\w+: [^`]*)`", result.stderr)))
    law = vibentropy.load_potential(**block)
    assert np.abs(law.energy_and_forces(unseen)[1]).max() < 1e-3
    assert {path.name for path in tmp_path.glob("a *")} == {"a {law} of ours.library.meam", output.name}
    # It may be learnt anew, but a potential is not overwritten.
    (tmp_path / "mine.library.meam").write_text("# UNITS: metal")
    for name, message in (("mine.meam", "holds no force law"), ("law.library.meam", "name the file of parameters")):
        assert message in run("force-law", *arguments, "-o", tmp_path / name, code=2).stderr


def test_a_law_that_is_not_exact_says_so(run, tmp_path, monkeypatch):
    for name, value in {"_FORMS": (0,), "_CUTOFFS": (1.8,), "_MAX_STEPS": 1}.items():
        monkeypatch.setattr(meam_law, name, value)
    cells, reference = (ROOT / f"data/meam/{name}.h5" for name in ("cells_1024", "clusters_1"))
    result = run("force-law", f"{cells}@:2", "--reference", reference, "-o", tmp_path / "law.meam")
    assert "The law is not exact: the potential is of another form, " in result.stderr


@pytest.mark.parametrize("option", ["--r-cut", "--spacing"])
def test_options_of_embedded_atoms(run, tmp_path, option):
    result = run("force-law", "my.xyz", "--reference", "bulk.xyz", option, 5, "-o", tmp_path / "law.meam", code=2)
    assert f"{option} is for embedded atoms, and " in result.stderr


class TestForceLaw:
    @pytest.fixture(scope="class")
    @staticmethod
    def law():
        minima = vibentropy.read_archive(ARCHIVE, "cells_1024")
        return learn_force_law(minima.frames[:3], Crystal.from_facts(minima.attributes).cell(1), spacing=0.1)

    def test_an_archive_is_its_own_reference(self, run, law, tmp_path):
        output = tmp_path / "law.eam.alloy"
        result = run("force-law", f"{ARCHIVE}@:3", "--reference", ARCHIVE, "--spacing", 0.1, "-o", output)
        told = r"from (\d+) components of forces in 3 of 3 cells; what is left of them is (\S+) of the forces of single"
        found = re.search(told, result.stderr)
        assert int(found[1]) == law.n_forces
        assert float(found[2]) == pytest.approx(law.unbalanced, rel=0.1)
        written = vibentropy.load_potential(file=output, element="Fe")
        for name, function in law.potential().functions.items():
            x = 1.0 if name == "embedding" else 2.5
            assert written.functions[name](x)[2] == pytest.approx(function(x)[2], rel=1e-6)

    def test_bad_input(self, run, tmp_path):
        output = "-o", tmp_path / "law.eam.alloy"
        result = run("force-law", "bulk.xyz", "--reference", "bulk.xyz", *output, code=2)
        assert "0 components of forces next to defects in 1 cells" in result.stderr
        assert not output[1].exists()
        result = run("force-law", "my.xyz", "--reference", "my.xyz", *output, code=2)
        assert "expected" in result.stderr
        result = run("force-law", "my.xyz", "--reference", "bulk.xyz", "-o", tmp_path / "law.txt", code=2)
        assert "should end in .eam.alloy" in result.stderr


@pytest.mark.parametrize(
    ("number", "most", "taken"), [(5, 5, range(5)), (6, 5, range(0, 6, 2)), (100, 7, range(0, 100, 16))]
)
def test_cells_are_taken_evenly_and_few_at_a_time(number, most, taken):
    assert _taken_evenly(iter(range(number)), most) == list(taken)
