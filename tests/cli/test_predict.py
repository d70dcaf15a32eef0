"""`vibentropy predict`."""

import json
import os
import re
import signal
import subprocess
import sys
import time
import weakref
from itertools import product
from pathlib import Path

import ase.io
import numpy as np
import pandas as pd
import pytest
from ase.build import bulk
from ase.geometry import get_distances
from iron_files import POTENTIAL, ROOT, crystal

from vibentropy import EntropyModel
from vibentropy.atoms import reading_in_parts
from vibentropy.atoms.reading import read_frames
from vibentropy.cli import meter, reading
from vibentropy.cli.predict import _interval
from vibentropy.data import SHIPPED
from vibentropy.datasets.store import ConfigurationSet
from vibentropy.descriptors import create
from vibentropy.features.extensive import describe_references, extensive_features
from vibentropy.potentials.newton import newton_relax
from vibentropy.sources import archives
from vibentropy.sources.perfect import filled
from vibentropy.studies.benchmark.cells import crystal_file


@pytest.mark.slow
def test_a_million_atoms_from_a_compressed_file(tmp_path):
    """Time is printed; memory is held below what the machine of a laptop can spare."""
    # Files that go with their objects.
    file, small, output = crystal_file(80), crystal_file(10), tmp_path / "million.csv"
    command = [sys.executable, "-m", "vibentropy", "predict", file.name, "--output", output]
    # A process starts with the largest memory that its parent has had: one that has done nothing stands between.
    launch = (
        "import resource, subprocess, sys; subprocess.run(sys.argv[1:], check=True); "
        "used = resource.getrusage(resource.RUSAGE_CHILDREN); print(used.ru_utime, used.ru_maxrss * 1024 / 1e6)"
    )
    start = time.monotonic()
    process = subprocess.run([sys.executable, "-c", launch, *command], capture_output=True, text=True)
    assert process.returncode == 0, process.stderr
    core_seconds, megabytes = map(float, process.stdout.split())
    seconds = time.monotonic() - start
    print(f"\n1,024,000 atoms: {seconds:.0f} s, {core_seconds:.0f} s of one core, {megabytes:.0f} MB")
    (row,) = pd.read_csv(output).to_dict("records")
    assert row["n_atoms"] == 1_024_000
    # Atoms are displaced by chance, alike in a crystal an eighth as large along each axis.
    (expected,) = EntropyModel.load().predict(next(read_frames(small.name)))["formation_entropy"]
    assert row["formation_entropy"] == pytest.approx(512 * expected, rel=0.1)
    assert megabytes < 1500


class TestPredict:
    def test_table_on_the_screen(self, run, shipped, vacancies):
        result = run("predict", "my.xyz", "other.xyz")
        predicted = shipped.predict(vacancies)["formation_entropy"]
        rows = [line.split() for line in result.stdout.splitlines()]
        assert [row[:3] for row in rows[1:]] == [
            *(["my.xyz", str(k), str(len(atoms))] for k, atoms in enumerate(vacancies)),
            ["other.xyz", "0", "53"],
        ]
        assert [float(row[3]) for row in rows[1:4]] == pytest.approx(list(predicted), abs=6e-4)
        # In one line: the rest is asked for.
        (about,) = result.stderr.splitlines()
        assert about.startswith(f"iron, which comes with vibentropy: for {shipped.scope()}; `vibentropy info` says")
        assert run("predict", "--quiet", "my.xyz", "other.xyz").stderr == ""

    def test_csv_holds_all_that_python_gets(self, run, shipped, iron):
        larger = newton_relax(crystal(4)[1:], iron, 1e-6)[0]
        ase.io.write("larger.xyz", larger, format="extxyz")
        run("predict", "my.xyz", "larger.xyz", "-o", "all.csv")
        table = pd.read_csv("all.csv", keep_default_na=False, na_values=[""])
        expected = shipped.predict([*ase.io.read("my.xyz", index=":"), ase.io.read("larger.xyz")])
        numbers = expected.select_dtypes("number").columns
        np.testing.assert_allclose(table[numbers].astype(float), expected[numbers], rtol=0, atol=1e-10)
        assert list(table["frame"]) == [0, 1, 2, 0]
        # A vacancy is known; three of them, and images of them, in 54 sites are not.
        assert table["domain"][3] == "inside"
        assert list(table["domain"]) == list(expected["domain"])
        assert table["domain"][2].startswith("outside: ")

    def test_extended_xyz_has_the_shares_of_atoms(self, run, shipped):
        run("predict", "my.xyz", "--per-atom", "-o", "all.extxyz")
        # What OVITO takes for the names and types of its properties.
        assert "predicted_site_entropy:R:1" in Path("all.extxyz").read_text().splitlines()[1]
        expected = shipped.predict(ase.io.read("my.xyz", index=":"))
        for atoms, row in zip(ase.io.read("all.extxyz", index=":"), expected.itertuples(), strict=True):
            assert atoms.info["predicted_formation_entropy"] == pytest.approx(row.formation_entropy, abs=1e-10)
            assert atoms.info["predicted_low_68"] == pytest.approx(row.low_68, abs=1e-10)
            # Eight decimals, as positions have.
            assert atoms.arrays["predicted_site_entropy"].sum() == pytest.approx(row.formation_entropy, abs=1e-6)
            assert "S_f" in atoms.info  # from the file
        # The vacancy was at the origin: its eight neighbours are alike, and no others are.
        first = ase.io.read("all.extxyz", index=0)
        _, distances = get_distances(np.zeros(3), first.positions, cell=first.cell, pbc=True)
        shares, near = first.arrays["predicted_site_entropy"], distances[0] < 2.7
        assert near.sum() == 8
        assert np.ptp(shares[near]) < 1e-6 < np.ptp(shares[~near])

    def test_json_is_read_by_any_program(self, run, shipped):
        run("predict", "my.xyz", "--per-atom", "-o", "all.json")
        rows = json.loads(Path("all.json").read_text())
        shares = shipped.site_entropies(ase.io.read("my.xyz", index=1))
        np.testing.assert_allclose(rows[1]["predicted_site_entropy"], shares, atol=1e-12)
        assert rows[0]["std"] is None
        assert len(pd.read_json("all.json")) == 3

    def test_a_model_comes_first(self, run):
        named, default = run("predict", "model.h5", "my.xyz"), run("predict", "my.xyz")
        assert named.stdout == default.stdout
        assert named.stderr.startswith("model.h5: for defects in bcc Fe")
        assert "`vibentropy info model.h5`" in named.stderr
        assert "give files with configurations" in run("predict", "model.h5", code=2).stderr

    def test_strained_cells_need_their_crystal(self, run, shipped):
        run("predict", "strained.xyz", "--reference", "strained_bulk.xyz", "-o", "strained.csv")
        table = pd.read_csv("strained.csv")
        perfect = ase.io.read("strained_bulk.xyz")
        expected = shipped.predict(ase.io.read("strained.xyz"), reference=perfect)
        assert table["formation_entropy"][0] == pytest.approx(expected["formation_entropy"][0], abs=1e-10)
        assert "perfect crystal" in table["domain"][0]
        shares = shipped.site_entropies(ase.io.read("strained.xyz"), perfect)
        assert shares.sum() == pytest.approx(expected["formation_entropy"][0], abs=1e-9)

    def test_a_perfect_crystal_has_no_entropy_and_no_sign(self, run):
        assert "0.00 to 0.00" in (table := run("predict", "bulk.xyz").stdout)
        assert "-0.00" not in table
        # Whatever sign rounding gave it.
        assert _interval("low", "high")({"low": -1e-9, "high": -0.0}) == "0.00 to 0.00"

    def test_another_volume_is_warned_of_with_its_place(self, run, tmp_path):
        ase.io.write(tmp_path / "wide.xyz", bulk("Fe", "bcc", a=3.2, cubic=True) * 3, format="extxyz")
        result = run("predict", "my.xyz", tmp_path / "wide.xyz")
        assert re.search(r"wide.xyz, frame 0: warning: the cell has the volume of 76", result.stderr)

    def test_bad_frames_are_named_and_the_others_predicted(self, run):
        result = run("predict", "bad.xyz", "cut.xyz", "my.xyz", "-o", "some.csv", code=1)
        assert "bad.xyz, frame 1: position of atom 3" in result.stderr
        assert "bad.xyz, frame 2: a crystal of W; the model is of Fe" in result.stderr
        assert re.search(r"^cut.xyz, frame 2: .*truncated", result.stderr, re.M)
        assert (
            "some.csv: 7 configurations read; 2 could not be used; 1 file could not be read to the end" in result.stderr
        )
        table = pd.read_csv("some.csv")
        assert list(table["status"][table["file"] == "bad.xyz"]) == ["predicted", "rejected", "rejected", "predicted"]
        assert table["reason"][table["file"] == "bad.xyz"].iloc[2] == "a crystal of W; the model is of Fe"
        assert table["formation_entropy"].notna()[table["file"] == "my.xyz"].all()
        # In extended XYZ, frames stay where they were.
        run("predict", "bad.xyz", "-o", "some.xyz", code=1)
        frames = ase.io.read("some.xyz", index=":")
        assert [atoms.info["predicted_status"] for atoms in frames] == list(table["status"][:4])
        assert frames[2].info["predicted_reason"] == "a crystal of W; the model is of Fe"
        # What an earlier prediction said goes.
        frames[2].info["predicted_domain"] = "inside"
        frames[0].info["predicted_reason"] = "none"
        ase.io.write("again.xyz", frames, format="extxyz")
        run("predict", "again.xyz", "-o", "some.xyz", code=1)
        frames = ase.io.read("some.xyz", index=":")
        assert "predicted_domain" not in frames[2].info
        assert "predicted_reason" not in frames[0].info

    def test_a_file_that_is_missing_stops_no_other(self, run):
        result = run("predict", "my.xyz", "nowhere.xyz", "other.xyz", "-o", "some.csv", code=1)
        assert "nowhere.xyz: no such file\n" in result.stderr
        table = pd.read_csv("some.csv")
        assert list(table["file"]) == [*["my.xyz"] * 3, "nowhere.xyz", "other.xyz"]
        assert list(table["status"] == "rejected") == [False, False, False, True, False]

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            (["nowhere.xyz"], "nowhere.xyz: no such file"),
            (["nowhere.h5", "my.xyz"], "Error: nowhere.h5: no such file"),
            (["my.yaml"], "my.yaml.*unknown type of file"),
            (["my.xyz", "-o", "some.txt"], "should end in .csv"),
            (["my.xyz", "--per-atom"], "needs a file that can hold values per atom"),
            (["my.xyz", "--per-atom", "-o", "some.csv"], "needs a file that can hold values per atom"),
            (["my.xyz", "--reference", "my.xyz"], "Error: my.xyz: holds 3 configurations"),
            (["my.xyz", "-o", "my.yaml/some.csv"], "Error: .*there is no folder my.yaml: make it first"),
            (["my.xyz", "-o", "nowhere/some.csv"], "Error: .*there is no folder nowhere: make it first"),
            (["my.xyz", "model.h5", "--format", "extxyz", "--wrong"], "No such option"),
        ],
    )
    def test_what_is_wrong_from_the_start(self, run, arguments, message):
        assert re.search(message, run("predict", *arguments, code=2).stderr)

    def test_nothing_usable_is_no_success(self, run, tmp_path):
        ase.io.write(tmp_path / "w.xyz", bulk("W", cubic=True) * 3, format="extxyz")
        run("predict", tmp_path / "w.xyz", code=2)

    def test_features_are_no_configurations(self, run):
        result = run("predict", "my.xyz", "model.h5", code=1)
        assert "model.h5: the file is of kind 'entropy model', expected configurations" in result.stderr

    def test_models_of_cells_as_a_whole(self, run, shipped, tmp_path):
        descriptor = create("scattering", n_scales=1, l_max=0)
        n = descriptor.n_features
        whole = EntropyModel(descriptor, np.ones(n), np.ones(n), np.ones(n), None, None, "Fe", 11.6, (0, 1), "ridge")
        whole.save(tmp_path / "whole.h5")
        result = run("predict", tmp_path / "whole.h5", "my.xyz", "--per-atom", "-o", "some.xyz", code=2)
        assert re.search(r"Error: .*atoms have no shares; leave out --per-atom", result.stderr)
        assert "--reference" in run("predict", tmp_path / "whole.h5", "my.xyz", code=2).stderr

    def test_models_of_several_elements(self, run, tmp_path):
        """A reference for each element, or those of the fit; and no element that the model has not seen."""
        descriptor = create("two_body", n_max=2, r_cut=3.5, species=["Fe", "P"])
        perfect, solute, defect = (ase.io.read(name) for name in ("bulk.xyz", "solute.xyz", "defect.xyz"))
        defect.symbols[20:22] = "P"
        ase.io.write("alloy.xyz", [defect, solute, perfect], format="extxyz")
        n, described = descriptor.n_features, describe_references(descriptor, perfect, [solute])
        weights = np.linspace(0.1, 1, n)
        about = "Fe", perfect.get_volume() / len(perfect), (0, 1), "ridge"
        EntropyModel(descriptor, weights, described, np.ones(n), None, None, *about).save(tmp_path / "alloy.h5")
        expected = extensive_features(descriptor, [defect, solute, perfect], described) @ weights
        for arguments in ([], ["--reference", "bulk.xyz", "--reference", "solute.xyz"]):
            run("predict", tmp_path / "alloy.h5", "alloy.xyz", *arguments, "-o", "alloy.csv")
            np.testing.assert_allclose(pd.read_csv("alloy.csv")["formation_entropy"], expected, atol=1e-8)
        assert abs(expected[0]) > 1e-3
        refused = run("predict", tmp_path / "alloy.h5", "alloy.xyz", "--reference", "bulk.xyz", code=2)
        assert "1 cell for a model of Fe and P, expected one for each element" in refused.stderr
        assert (
            "holds Cu; the model is of Fe and P" in run("predict", tmp_path / "alloy.h5", "copper.xyz", code=2).stderr
        )
        assert "Fe and P" in run("info", tmp_path / "alloy.h5").stdout

    def test_files_of_this_package_are_read_as_well(self, run, shipped, vacancies):
        table = pd.DataFrame({"dataset": "mine", "trajectory": ["a", "b", "c"]})
        ConfigurationSet(vacancies, table).save("set.h5")
        run("predict", "set.h5", "-o", "set.csv")
        expected = shipped.predict(vacancies)["formation_entropy"]
        np.testing.assert_allclose(pd.read_csv("set.csv")["formation_entropy"], expected, atol=1e-10)

    def test_one_configuration_is_in_memory_at_a_time(self, run, monkeypatch):
        alive, most = [], []

        def many(*arguments):
            for _ in range(4):
                atoms = crystal(2)[1:]
                alive.append(weakref.ref(atoms))
                most.append(sum(one() is not None for one in alive))
                yield atoms

        monkeypatch.setattr(reading, "read_any", many)
        run("predict", "my.xyz", "--per-atom", "-o", "many.xyz")
        assert len(most) == 4
        # That of the generator and the one before, which is being replaced.
        assert max(most) <= 2
        assert len(ase.io.read("many.xyz", index=":")) == 4

    def test_progress_goes_on_within_a_configuration(self, run, monkeypatch):
        monkeypatch.setattr(meter, "PATIENCE", 0.0)
        monkeypatch.setattr(meter, "INTERVAL", 0.0)
        monkeypatch.setattr(reading_in_parts, "BLOCK", 1000)
        found = run("predict", "my.xyz", "--per-atom", "-o", "all.xyz")
        done = [
            float(number) for number in re.findall(r"^configurations: ([\d.]+) of 3, \d+ s left$", found.stderr, re.M)
        ]
        assert done == sorted(done)
        # Each is read in three parts and described by two parts of its descriptor, once.
        assert {round(whole + step / 3, 2) for whole in range(3) for step in (1, 2)} <= set(done)
        assert len(done) == 3 * (3 + 2 + 1)
        assert done[-1] == 3.0

    @pytest.mark.parametrize(
        ("suffix", "number"),
        [("csv", signal.SIGINT), ("json", signal.SIGINT), ("xyz", signal.SIGINT), ("csv", signal.SIGTERM)],
    )
    def test_interrupted_runs_leave_no_part_of_a_file(self, run, monkeypatch, suffix, number):
        # Shells have what they start in the background ignore interrupts.
        before_this = signal.signal(signal.SIGINT, signal.default_int_handler)
        predict, calls = EntropyModel.predict, []

        def interrupted(self, atoms, **others):
            calls.append(atoms)
            if len(calls) == 2:
                os.kill(os.getpid(), number)
            return predict(self, atoms, **others)

        before = set(os.listdir())
        monkeypatch.setattr(EntropyModel, "predict", interrupted)
        try:
            result = run("predict", "my.xyz", "-o", f"part.{suffix}", code=130)
        finally:
            signal.signal(signal.SIGINT, before_this)
        assert "interrupted" in result.stderr
        assert set(os.listdir()) == before


#: What the runs predicted that fitted the models.
RECORDED = {name: pd.read_csv(ROOT / f"tests/golden/{name}.csv", keep_default_na=False) for name in SHIPPED}


class TestShippedModels:
    """What `snakemake shipped_models` writes: the models, and what the run that fitted them predicted."""

    @pytest.mark.parametrize(
        ("name", "dataset"),
        [
            # Cells of 16,000 sites take a while.
            pytest.param(name, dataset, marks=[pytest.mark.slow(minutes=1)] if dataset == "cells_large" else [])
            for name in SHIPPED
            for dataset in sorted(set(RECORDED[name]["dataset"]))
        ],
    )
    def test_predictions_are_those_of_the_run(self, name, dataset):
        model, path = EntropyModel.load(name), ROOT / f"data/{dataset}.h5"
        recorded = RECORDED[name][RECORDED[name]["dataset"] == dataset].set_index("id")
        known, perfect = archives.read_archive(path, dataset), filled(archives.read_header(path).crystal)
        known = known.subset(known.table["id"].isin(recorded.index))
        assert len(known) == len(recorded) >= 1
        for atoms, row in zip(known.frames, known.table.to_dict("records"), strict=True):
            predicted, expected = model.predict(atoms, perfect(row, atoms.cell)).iloc[0], recorded.loc[row["id"]]
            ends = ["low_68", "high_68", "low_95", "high_95"]
            np.testing.assert_allclose(predicted[ends].astype(float), expected[ends].astype(float), atol=1e-6)
            assert predicted["formation_entropy"] == pytest.approx(expected["prediction"], abs=1e-6)
            assert predicted["domain"].split(":")[0] == expected["domain"].split(":")[0]
            assert row["formation_entropy"] == pytest.approx(expected["formation_entropy"], abs=1e-6)

    @pytest.mark.parametrize(
        ("name", "needs"),
        [("iron", "positions only"), ("iron-law", "positions only"), ("iron-stiffness", "and the potential")],
    )
    def test_validity(self, name, needs):
        text = EntropyModel.load(name).validity()
        for part in ("bcc Fe", POTENTIAL, needs, "minima (I1, I2, I3, I4, V1", "1.1 to 21.7 k_B", "held-out"):
            assert part in text

    def test_those_with_a_hessian_are_closer(self):
        fast, law, stiffness = (EntropyModel.load(name).provenance["held_out"] for name in SHIPPED)
        assert max(law, stiffness) < fast / 2

    @pytest.mark.parametrize("name", SHIPPED)
    def test_they_are_small(self, name):
        assert SHIPPED[name].stat().st_size < 1_000_000

    def test_one_is_named_on_the_command_line(self, run):
        result = run("predict", "--model", "iron-stiffness", "my.xyz", "--output", "named.csv")
        assert "iron-stiffness, which comes with vibentropy" in result.stderr
        atoms = ase.io.read("my.xyz", index=0)
        expected = EntropyModel.load("iron-stiffness").predict(atoms)["formation_entropy"][0]
        assert pd.read_csv("named.csv")["formation_entropy"][0] == pytest.approx(expected, abs=1e-6)

    def test_two_models_are_refused(self, run):
        result = run("predict", "--model", "iron", "model.h5", "my.xyz", code=2)
        assert "model.h5 is a model, and --model names another one" in result.stderr


def test_shares_of_atoms_add_up_for_every_kind_of_sum(vacancies):
    """Projections of blocks, of parts, and of all local values at once are the same."""
    parts = {"a": {"kind": "afs", "n_max": 2, "l_max": 2, "r_cut": 4.0}, "b": {"kind": "pair_spline", "r_cut": 4.0}}
    for descriptor, atoms in product([create("union", parts=parts), create("afs", n_max=2, l_max=2)], vacancies[:1]):
        weights = np.random.default_rng(0).normal(size=descriptor.n_features)
        expected = descriptor.local(atoms) @ weights
        np.testing.assert_allclose(descriptor.project(atoms, weights), expected, rtol=1e-12)
