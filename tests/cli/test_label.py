"""`vibentropy label`."""

import json
import re
from pathlib import Path

import ase.io
import numpy as np
import pandas as pd
import pytest
import yaml
from ase.build import bulk
from ase.units import kB
from dumps import write_dump
from iron_files import POTENTIAL, crystal

from vibentropy import formation_entropy, load_potential, relax
from vibentropy.cli.output import number as text_of
from vibentropy.errors import NotConvergedError
from vibentropy.labels import labelling
from vibentropy.labels.infinite import InfiniteEntropy
from vibentropy.potentials.newton import newton_relax

ROOT = Path(__file__).parents[2]


class TestLabel:
    ARGUMENTS = "label", "my.xyz", "--reference", "bulk.xyz"

    def test_labels_are_those_of_the_library(self, run, iron):
        run(*self.ARGUMENTS, "--potential", POTENTIAL, "--temperatures", "300", "-o", "labels.csv")
        table = pd.read_csv("labels.csv")
        perfect = ase.io.read("bulk.xyz")
        expected = [formation_entropy(atoms, perfect, iron) for atoms in ase.io.read("my.xyz", index=":")]
        np.testing.assert_allclose(table["formation_entropy"], expected, atol=1e-9)
        # Frozen modes: fewer of them count in the defect, which is softer.
        assert (table["formation_entropy_300K"] < table["formation_entropy"]).all()
        classical = table["formation_energy"] - 300 * kB * table["formation_entropy"]
        np.testing.assert_allclose(table["formation_free_energy_300K"], classical, atol=0.02)
        energies = [iron.energy_and_forces(atoms)[0] for atoms in (ase.io.read("my.xyz"), perfect)]
        assert table["formation_energy"][2] == pytest.approx(energies[0] - 51 / 54 * energies[1], abs=1e-9)

    def test_the_screen_says_what_has_none(self, run, tmp_path):
        saddle = crystal()[1:]  # unrelaxed
        ase.io.write(tmp_path / "loud.xyz", saddle, format="extxyz")
        arguments = ["--reference", "bulk.xyz", "--potential", POTENTIAL]
        result = run("label", tmp_path / "loud.xyz", "other.xyz", "bad.xyz", *arguments, code=1)
        assert "not converged" in result.stdout
        assert re.search(r"loud.xyz, frame 0: the largest force", result.stderr)
        assert re.search(r"bad.xyz, frame 2: the configuration holds W, of which no reference", result.stderr)
        assert result.stdout.count("  labelled") == 3

    def test_nothing_usable_is_no_success(self, run, tmp_path):
        ase.io.write(tmp_path / "loud.xyz", crystal()[1:], format="extxyz")
        run("label", tmp_path / "loud.xyz", "--reference", "bulk.xyz", "--potential", POTENTIAL, code=2)

    @pytest.mark.parametrize(("file", "relax"), [("raw.xyz", ["--relax"]), ("other.xyz", [])])
    def test_predictions_stay_if_they_are_for_these_positions(self, run, tmp_path, file, relax):
        ase.io.write("raw.xyz", crystal()[1:], format="extxyz")
        predicted, labelled = tmp_path / "predicted.extxyz", tmp_path / "labelled.extxyz"
        run("predict", file, "-o", predicted)
        arguments = ["--reference", "bulk.xyz", "--potential", POTENTIAL, *relax]
        run("label", predicted, *arguments, "-o", labelled)
        (atoms,) = ase.io.read(labelled, index=":")
        assert atoms.info["formation_entropy"] == pytest.approx(2.6, abs=0.1)
        assert ("predicted_formation_entropy" in atoms.info) == (not relax)

    def test_a_crystal_without_defects_has_no_entropy(self, run):
        result = run("label", "bulk.xyz", "--reference", "bulk.xyz", "--potential", POTENTIAL)
        assert result.stdout.splitlines()[1].split()[3:] == ["0.000", "0.00000", "0.000", "0.000", "labelled"]
        # Whatever the last bits are.
        assert [text_of("x")({"x": x}) for x in (-1e-9, -0.6e-3, float("nan"))] == ["0.000", "-0.001", "-"]

    def test_dumps_of_types_have_the_element_of_the_potential(self, run):
        for name in ("my", "bulk"):
            write_dump(f"{name}.dump", ase.io.read(f"{name}.xyz", index=":"), types=True)
        plain = run(*self.ARGUMENTS, "--potential", POTENTIAL).stdout.replace("my.xyz", "my.dump")
        for reference, element in [("bulk.xyz", []), ("bulk.dump", ["--element", "Fe"])]:
            found = run("label", "my.dump", "--reference", reference, "--potential", POTENTIAL, *element)
            # Positions have six decimals there.
            assert [row.split()[:4] for row in found.stdout.splitlines()] == [
                row.split()[:4] for row in plain.splitlines()
            ]
        assert (
            "elements" in run("label", "my.dump", "--reference", "bulk.dump", "--potential", POTENTIAL, code=2).stderr
        )

    def test_relaxation_leads_to_the_minimum(self, run, vacancies):
        rng = np.random.default_rng(1)
        moved = vacancies[0].copy()
        moved.positions += rng.normal(scale=0.02, size=moved.positions.shape)
        ase.io.write("moved.xyz", moved, format="extxyz")
        arguments = "--reference", "bulk.xyz", "--potential", POTENTIAL, "--site-entropies", "--relax"
        run("label", "moved.xyz", "other.xyz", *arguments, "-o", "l.extxyz")
        relaxed, known = ase.io.read("l.extxyz", index=":")
        assert relaxed.info["formation_entropy"] == pytest.approx(known.info["formation_entropy"], abs=1e-4)
        assert relaxed.info["status"] == "labelled"
        per_atom = relaxed.info["formation_entropy_per_atom_convention"]
        assert relaxed.arrays["site_entropy"].sum() == pytest.approx(per_atom, abs=1e-5)

    def test_the_perfect_crystal_is_analysed_once(self, run, monkeypatch, iron):
        sizes, hessian = [], type(iron).hessian
        monkeypatch.setattr(type(iron), "hessian", lambda self, atoms: sizes.append(len(atoms)) or hessian(self, atoms))
        run(*self.ARGUMENTS, "--potential", POTENTIAL)
        assert sizes.count(54) == 1

    def test_limits_of_larger_cells_stand_beside_the_label(self, run, tmp_path):
        output = tmp_path / "labels.csv"
        arguments = "--reference", "bulk.xyz", "--potential", POTENTIAL, "--infinite", "--sizes", "250,432,686"
        result = run("label", "other.xyz", "bulk.xyz", *arguments, "-o", output, code=1)
        vacancy, crystal = pd.read_csv(output).to_dict("records")
        assert vacancy["formation_entropy_infinite"] == pytest.approx(2.62, abs=0.03)
        assert 0 < vacancy["formation_entropy_infinite_uncertainty"] < 0.05
        assert np.isnan(vacancy["infinite_reason"])
        # What has none keeps the label of its own cell.
        assert crystal["status"] == "labelled"
        assert crystal["formation_entropy"] == pytest.approx(0, abs=1e-9)
        assert np.isnan(crystal["formation_entropy_infinite"])
        assert crystal["infinite_reason"].startswith("the cell holds no defect")
        assert re.search(r"cells of 250, 432, 686 sites, which takes about \d s and up to 0\.\d GB", result.stderr)
        for number, sites in enumerate((250, 432, 686), 1):
            assert f"infinite crystal: cell {number} of 3, {sites} sites" in result.stderr
        assert "bulk.xyz, frame 0: infinite crystal: the cell holds no defect" in result.stderr
        assert "2 configurations read; 1 only in part" in result.stderr

    def test_modified_embedded_atoms_by_the_configuration_of_a_run(self, run, tmp_path):
        """Analytic, with an infinite crystal in sight: else that would take days."""
        meam = ROOT / "workflow/configs/meam.yaml"
        named = yaml.safe_load(meam.read_text(encoding="utf-8"))["potential"]
        perfect = bulk("Fe", "bcc", a=2.86, cubic=True) * 3
        perfect.write("meam_bulk.xyz")
        perfect[1:].write("meam.xyz", format="extxyz")
        output = tmp_path / "labels.csv"
        arguments = "--reference", "meam_bulk.xyz", "--config", meam, "--relax", "-o", output
        result = run("label", "meam.xyz", *arguments, "--infinite", "--sizes", "128,250,432")
        (label,) = pd.read_csv(output).to_dict("records")
        potential = load_potential(**named)
        relaxed = newton_relax(perfect[1:], potential, 1e-6)[0]
        assert label["formation_entropy"] == pytest.approx(formation_entropy(relaxed, perfect, potential), abs=1e-6)
        # 4.89 in 432 sites, found before at a lattice constant of 2.8553 Å.
        assert label["formation_entropy_infinite"] == pytest.approx(4.88, abs=0.05)
        assert re.search(r"cells of 128, 250, 432 sites, which takes about \d s", result.stderr)

    def test_limits_are_those_of_the_configuration(self, run, iron):
        settings = yaml.safe_load((ROOT / "workflow/configs/tiny.yaml").read_text(encoding="utf-8"))
        atoms = ase.io.read("my.xyz")
        atoms.rattle(0.01)
        atoms.write("shaken.xyz", format="extxyz")
        for force, status, code in ((1e-4, "not converged", 2), (10.0, "labelled", 0)):
            Path("run.yaml").write_text(yaml.safe_dump(settings | {"labels": {"max_force": force}}))
            result = run("label", "shaken.xyz", *self.ARGUMENTS[2:], "--config", "run.yaml", code=code)
            assert status in result.stdout

    def test_limits_are_on_the_screen_and_in_json(self, run, tmp_path, monkeypatch):
        limit = InfiniteEntropy(2.6217, 0.0002, (), (), (), None)
        asked = []

        def infinite_entropy(atoms, crystal, potential, max_force, min_eigenvalue, sizes, **options):
            asked.append(sizes)
            if len(atoms) < 53:
                raise NotConvergedError("another minimum")
            return limit

        monkeypatch.setattr(labelling, "infinite_entropy", infinite_entropy)
        arguments = *self.ARGUMENTS, "--potential", POTENTIAL, "--infinite"
        result = run(*arguments, code=1)
        heading, *rows = (line.split() for line in result.stdout.splitlines())
        assert [row[7:] for row in rows] == [["2.622", "0.0002", "labelled"], *[["-", "-", "labelled"]] * 2]
        assert heading[-3:] == ["infinite", "+-", "status"]
        assert asked == [(3456, 8192, 16_000)] * 3
        assert "about 2 min and up to 2.7 GB" in result.stderr
        run(*arguments, "-o", tmp_path / "labels.json", code=1)
        first, second, _ = json.loads((tmp_path / "labels.json").read_text())
        assert (first["formation_entropy_infinite"], first["infinite_reason"]) == (2.6217, "")
        assert (second["formation_entropy_infinite"], second["infinite_reason"]) == (None, "another minimum")

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            ([], "one of --potential, --pair-style, --calculator, --config is needed.*; found none of them"),
            (["--potential", POTENTIAL, "--config", "my.yaml"], "; found --potential and --config"),
            (["--potential", "none.eam"], "Error: none.eam: no such file"),
            (["--potential", POTENTIAL, "--element", "Cu"], "Error: .*Cu"),
            (["--potential", POTENTIAL, "--temperatures", "300,hot"], "should be positive numbers"),
            (["--potential", POTENTIAL, "--sizes", "1024,2000,3456"], "--sizes needs --infinite"),
            (["--potential", POTENTIAL, "--infinite", "--sizes", "1024,2000"], "1024,2000 should be three or more"),
            (["--potential", POTENTIAL, "--infinite", "--sizes", "9,9,99"], "9,9,99 should be .* ascending"),
            (["--potential", POTENTIAL, "--site-entropies"], "needs a file that can hold"),
            (["--config", "bulk.xyz"], "Error: bulk.xyz"),
        ],
    )
    def test_what_is_wrong_from_the_start(self, run, arguments, message):
        assert re.search(message, run(*self.ARGUMENTS, *arguments, code=2).stderr)


class TestSeveralElements:
    """A solute, and a vacancy next to it; the numbers are those of tests/labels/test_alloys.py in a smaller cell."""

    @pytest.fixture
    def cells(self, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        crystal = bulk("Fe", "bcc", a=2.8553127, cubic=True) * 3
        solute, pair = crystal.copy(), crystal.copy()
        solute.symbols[1] = pair.symbols[1] = "P"
        del pair[0]
        for name, atoms in (("bulk", crystal), ("solute", solute), ("pair", pair)):
            atoms.write(f"{name}.xyz", format="extxyz")
        return crystal, solute, pair

    def test_each_has_a_reference(self, run, cells):
        command = ["label", "pair.xyz", "--reference", "bulk.xyz", "--reference", "solute.xyz", "--relax"]
        run(*command, "--potential", "FeP_mm.eam.fs", "--output", "labels.csv")
        (row,) = pd.read_csv("labels.csv").to_dict("records")
        potential = load_potential(file="FeP_mm.eam.fs", elements=["Fe", "P"])
        crystal, solute, pair = cells
        solute, pair = (relax(atoms, potential) for atoms in (solute, pair))
        expected = formation_entropy(pair, [crystal, solute], potential)
        assert row["formation_entropy"] == pytest.approx(expected, abs=1e-8)

    def test_what_is_of_one_element_says_so(self, run, cells):
        command = ["label", "pair.xyz", "--reference", "bulk.xyz", "--potential", "FeP_mm.eam.fs"]
        assert "of which no reference cell has atoms" in run(*command, "--element", "Fe", code=2).stderr

    def test_atoms_have_shares(self, run, cells):
        command = ["label", "pair.xyz", "--reference", "bulk.xyz", "--reference", "solute.xyz", "--relax"]
        run(*command, "--potential", "FeP_mm.eam.fs", "--site-entropies", "--output", "labels.xyz")
        labelled = ase.io.read("labels.xyz")
        expected = labelled.info["formation_entropy_per_atom_convention"]
        assert labelled.arrays["site_entropy"].sum() == pytest.approx(expected, abs=1e-5)
