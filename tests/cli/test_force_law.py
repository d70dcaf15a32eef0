"""`vibentropy force-law`."""

import re

import pytest
from iron_files import ROOT

import vibentropy
from vibentropy.atoms.crystal import Crystal
from vibentropy.cli.force_law import _taken_evenly
from vibentropy.learning.force_law import learn_force_law

ARCHIVE = ROOT / "data/cells_1024.h5"


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
