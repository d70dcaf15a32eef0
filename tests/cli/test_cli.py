"""The command line: what commands print and write, how they end, and that every example in their help runs."""

import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
import tomllib
import weakref
from io import StringIO
from itertools import product
from pathlib import Path

import ase.io
import numpy as np
import pandas as pd
import pytest
import yaml
from ase.build import bulk
from ase.geometry import get_distances
from ase.units import kB
from click.shell_completion import BashComplete
from click.testing import CliRunner
from dumps import write_dump
from pages import PAGES, blocks, commands

from vibentropy import EntropyModel, Potential, formation_entropy
from vibentropy.atoms import reading_in_parts
from vibentropy.atoms.reading import read_frames
from vibentropy.cli import main, meter, reading
from vibentropy.cli.output import number as text_of
from vibentropy.datasets.store import ConfigurationSet
from vibentropy.descriptors import available, create
from vibentropy.features.sets import FeatureSet, bulk_features, extensive_features
from vibentropy.model import SHIPPED
from vibentropy.potentials.newton import newton_relax
from vibentropy.sources import archives
from vibentropy.sources.perfect import filled
from vibentropy.studies.benchmark.cells import crystal_file

ROOT = Path(__file__).resolve().parents[2]
A = 2.8553127
POTENTIAL = "FeP_mm.eam.fs"

#: A run that makes little, and reads what other tests wrote.
CONFIG = {
    "seed": 7,
    "potential": {"file": POTENTIAL, "element": "Fe"},
    "lattice": {"structure": "bcc", "a": 2.8553},
    "datasets": {
        "train": {
            "role": "train",
            "recipe": {
                "cells": [[3, 3, 3]],
                "anneal": {"temperature": 900, "time_step": 0.002, "steps_between": 20, "snapshots": 1},
                "defects": {"V1": {"vacancies": 1, "trajectories": 3}},
            },
        },
        "mine": {"role": "test", "files": ["my.xyz"], "reference": "bulk.xyz"},
    },
    "descriptors": {"afs_3_10": {"kind": "afs", "n_max": 2, "l_max": 2, "r_cut": 4.0}},
    "regressors": {"ridge": {"kind": "ridge"}},
    "evaluation": {"folds": 2},
}


def crystal(n=3, strain=0.0):
    perfect = bulk("Fe", "bcc", a=A, cubic=True) * n
    perfect.set_cell(perfect.cell[:] * [1 + strain, 1.0, 1.0], scale_atoms=True)
    del perfect.arrays["initial_magmoms"]
    return perfect


@pytest.fixture(scope="module")
def vacancies(iron):
    """Relaxed cells with one, two and three vacancies."""
    frames = []
    for number in (1, 2, 3):
        atoms = crystal()
        del atoms[np.arange(number) * 7]
        frames.append(newton_relax(atoms, iron, 1e-6)[0])
    return frames


@pytest.fixture(scope="module")
def shipped():
    return EntropyModel.load()


@pytest.fixture(scope="module")
def folder(tmp_path_factory, vacancies, shipped):
    """Every file that the examples name."""
    folder = tmp_path_factory.mktemp("with a space")
    ase.io.write(folder / "bulk.xyz", crystal(), format="extxyz")
    labelled = [atoms.copy() for atoms in vacancies]
    for atoms, entropy in zip(labelled, (2.6, 5.3, 7.9), strict=True):
        atoms.info["S_f"] = entropy
    ase.io.write(folder / "my.xyz", labelled, format="extxyz")
    ase.io.write(folder / "other.xyz", vacancies[:1], format="extxyz")
    ase.io.write(folder / "strained_bulk.xyz", crystal(strain=0.01), format="extxyz")
    strained = [atoms.copy() for atoms in vacancies[:1]]
    strained[0].set_cell(crystal(strain=0.01).cell, scale_atoms=True)
    ase.io.write(folder / "strained.xyz", strained, format="extxyz")
    (folder / "my.yaml").write_text(yaml.safe_dump(CONFIG))
    for path in ("model.h5", "results/models/afs_3_10/ridge.h5"):
        shipped.save(folder / path)
    (folder / "data").mkdir()
    (folder / "data/clusters.h5").symlink_to(ROOT / "data/cells_1024.h5")
    # A frame that is no number, one of another element, and a file that ends too early.
    spoilt = [vacancies[0].copy(), vacancies[0].copy(), bulk("W", cubic=True) * 3, vacancies[1]]
    spoilt[1].positions[3, 0] = np.nan
    ase.io.write(folder / "bad.xyz", spoilt, format="extxyz")
    lines = (folder / "my.xyz").read_text().splitlines(keepends=True)
    (folder / "cut.xyz").write_text("".join(lines[:-20]))
    return folder


@pytest.fixture
def run(folder, monkeypatch, iron):
    """Run a command in the folder of the files; the potential is represented once for all."""
    monkeypatch.chdir(folder)
    represent = Potential.from_setfl
    known = {(POTENTIAL, "Fe"): iron}
    monkeypatch.setattr(Potential, "from_setfl", lambda *given: known.get(given) or represent(*given))

    def run(*arguments, code=0):
        result = CliRunner().invoke(main, [str(argument) for argument in arguments], prog_name="vibentropy")
        assert result.exit_code == code, result.output
        assert "Traceback" not in result.output
        return result

    return run


def test_threads_that_wait_sleep_unless_told_otherwise():
    """What they do is settled when OpenMP is loaded: the package says it before it loads anything."""
    script = "import os, vibentropy; print(os.environ['OMP_WAIT_POLICY'])"
    inherited = {name: value for name, value in os.environ.items() if name != "OMP_WAIT_POLICY"}
    for given, expected in (({}, "passive"), ({"OMP_WAIT_POLICY": "active"}, "active")):
        command = [sys.executable, "-c", script]
        assert subprocess.check_output(command, env=inherited | given, text=True).strip() == expected


def test_commands_and_version(run):
    listed = re.findall(r"^  (\w+)  ", run("--help").stdout.split("Commands:")[1], re.M)
    assert listed == ["predict", "label", "describe", "generate", "check", "info"] == list(main.commands)
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert run("--version").stdout == f"vibentropy, version {version}\n"


def completed(*words):
    complete = BashComplete(main, {}, "vibentropy", "_VIBENTROPY_COMPLETE")
    return [item.value for item in complete.get_completions(list(words[:-1]), words[-1])]


def test_shells_complete_commands_and_options():
    assert completed("pre") == ["predict"]
    assert "--per-atom" in completed("predict", "--p")
    assert completed("check", "--unit", "J") == ["J/mol/K"]


def examples(lines):
    """Those of lines that are commands, as lists of words."""
    return [shlex.split(line, comments=True)[1:] for line in lines if line.strip().startswith("vibentropy ")]


IN_HELP = [words for command in (main, *main.commands.values()) for words in examples(command.epilog.splitlines())]
#: The tutorial's have data of their own (test_documentation.py).
ON_PAGES = [words for page in PAGES if page != "docs/tutorial.md" for words in examples(commands(page))]


def test_every_command_has_examples():
    for shown in (IN_HELP, examples(commands("README.md"))):
        assert {words[0] for words in shown} >= set(main.commands)


@pytest.mark.parametrize("words", {" ".join(words): words for words in IN_HELP + ON_PAGES}.values(), ids=" ".join)
def test_examples_run(run, words):
    result = run(*words)
    output = [words[i + 1] for i, word in enumerate(words) if word in ("-o", "--output")]
    assert result.stdout or all(Path(file).stat().st_size for file in output)
    for file in output:
        Path(file).unlink()


def test_python_does_the_same(run, folder, vacancies, iron):
    """The snippet of the README, on the files that it names."""
    (snippet,) = blocks("README.md", "python")
    ase.io.write("defect.xyz", vacancies[0], format="extxyz")
    ase.io.write("defects.xyz", vacancies, format="extxyz")
    shutil.copy("model.h5", "results/models/afs_3_10/bayesian_ridge.h5")
    names = {}
    exec(snippet.text, names)
    assert names["exact"] == pytest.approx(formation_entropy(vacancies[0], crystal(), iron), abs=1e-5)
    predicted = EntropyModel.load("model.h5").predict(vacancies)["formation_entropy"]
    np.testing.assert_allclose(names["table"]["formation_entropy"], predicted, atol=1e-6)


@pytest.mark.slow
def test_a_million_atoms_from_a_compressed_file(tmp_path):
    """Time is printed; memory is held below what the machine of a laptop can spare."""
    # Files that go with their objects.
    file, small, output = crystal_file(80), crystal_file(10), tmp_path / "million.csv"
    command = [sys.executable, "-m", "vibentropy", "predict", file.name, "--output", output]
    start = time.monotonic()
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    seconds, megabytes = time.monotonic() - start, used.ru_maxrss * 1024 / 1e6
    print(f"\n1,024,000 atoms: {seconds:.0f} s, {used.ru_utime:.0f} s of one core, {megabytes:.0f} MB")
    assert process.returncode == 0
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
        assert shipped.validity() in result.stderr

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
        assert table["domain"][2] == f"outside: {expected['domain'][2]}"

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
        assert named.stderr.startswith("model.h5: For defects in bcc Fe")
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

    def test_another_volume_is_warned_of_with_its_place(self, run, tmp_path):
        ase.io.write(tmp_path / "wide.xyz", bulk("Fe", "bcc", a=3.2, cubic=True) * 3, format="extxyz")
        result = run("predict", "my.xyz", tmp_path / "wide.xyz")
        assert re.search(r"wide.xyz, frame 0: warning: the cell has 54 atoms in the volume of 76 sites", result.stderr)

    def test_bad_frames_are_named_and_the_others_predicted(self, run):
        result = run("predict", "bad.xyz", "cut.xyz", "my.xyz", "-o", "some.csv", code=1)
        assert "bad.xyz, frame 1: position of atom 3" in result.stderr
        assert "bad.xyz, frame 2: a crystal of W; the model is of Fe" in result.stderr
        assert re.search(r"^cut.xyz, frame 2: .*truncated", result.stderr, re.M)
        assert (
            "some.csv: 7 configurations read; 2 could not be used; 1 file could not be read to the end" in result.stderr
        )
        table = pd.read_csv("some.csv")
        assert list(table["error"].isna()[table["file"] == "bad.xyz"]) == [True, False, False, True]
        assert table["formation_entropy"].notna()[table["file"] == "my.xyz"].all()
        run("predict", "bad.xyz", "-o", "some.xyz", code=1)
        assert len(ase.io.read("some.xyz", index=":")) == 2

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            (["nowhere.xyz"], "does not exist"),
            (["my.yaml"], "my.yaml.*ASE does not know"),
            (["my.xyz", "-o", "some.txt"], "should end in .csv"),
            (["my.xyz", "--per-atom"], "needs a file that can hold values of atoms"),
            (["my.xyz", "--per-atom", "-o", "some.csv"], "needs a file that can hold values of atoms"),
            (["my.xyz", "--reference", "my.xyz"], "error: my.xyz: holds 3 configurations"),
            (["my.xyz", "-o", "my.yaml/some.csv"], "error: .*my.yaml"),
            (["my.xyz", "model.h5", "--format", "extxyz", "--wrong"], "No such option"),
        ],
    )
    def test_what_is_wrong_from_the_start(self, run, arguments, message):
        assert re.search(message, run("predict", *arguments, code=2).stderr)

    def test_features_are_no_configurations(self, run):
        result = run("predict", "my.xyz", "model.h5", code=1)
        assert "model.h5: the file is of kind 'entropy model', expected configurations" in result.stderr

    def test_models_of_cells_as_a_whole(self, run, shipped, tmp_path):
        descriptor = create("scattering", n_scales=1, l_max=0)
        n = descriptor.n_features
        whole = EntropyModel(descriptor, np.ones(n), np.ones(n), np.ones(n), None, None, "Fe", 11.6, (0, 1), "ridge")
        whole.save(tmp_path / "whole.h5")
        result = run("predict", tmp_path / "whole.h5", "my.xyz", "--per-atom", "-o", "some.xyz", code=2)
        assert re.search(r"error: .*atoms have no shares; leave out --per-atom", result.stderr)
        assert "--reference" in run("predict", tmp_path / "whole.h5", "my.xyz", code=2).stderr

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
        assert re.search(r"bad.xyz, frame 2: the cell of the configuration", result.stderr)
        assert result.stdout.count("  labelled") == 3

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
        assert result.stdout.splitlines()[1].split()[3:] == ["0.000", "0.000", "0.000", "labelled"]
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

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            ([], "one of --potential and --config"),
            (["--potential", POTENTIAL, "--config", "my.yaml"], "one of --potential and --config"),
            (["--potential", "none.eam"], "error: none.eam: no such file"),
            (["--potential", POTENTIAL, "--element", "Cu"], "error: .*Cu"),
            (["--potential", POTENTIAL, "--temperatures", "300,hot"], "should be numbers above zero"),
            (["--potential", POTENTIAL, "--site-entropies"], "needs a file that can hold"),
            (["--config", "bulk.xyz"], "error: bulk.xyz"),
        ],
    )
    def test_what_is_wrong_from_the_start(self, run, arguments, message):
        assert re.search(message, run(*self.ARGUMENTS, *arguments, code=2).stderr)


class TestDescribe:
    PARAMETERS = "--descriptor", "afs", "--set", "n_max=2", "--set", "l_max=2", "--set", "r_cut=4.0"

    def test_features_are_those_of_models(self, run):
        descriptor, perfect = create("afs", n_max=2, l_max=2, r_cut=4.0), ase.io.read("bulk.xyz")
        frames = ase.io.read("my.xyz", index=":")
        expected = extensive_features(descriptor, frames, bulk_features(descriptor, perfect))
        printed = run("describe", "my.xyz", *self.PARAMETERS, "--reference", "bulk.xyz")
        lines = [line.split(",") for line in printed.stdout.splitlines()]
        assert lines[0] == ["id", *descriptor.feature_names]
        np.testing.assert_allclose(np.array(lines[1:])[:, 1:].astype(float), expected, atol=1e-9)
        # The same by the name in a configuration, as a file of features.
        run("describe", "my.xyz", "--config", "my.yaml", "-d", "afs_3_10", "--reference", "bulk.xyz", "-o", "f.h5")
        features = FeatureSet.load("f.h5")
        np.testing.assert_allclose(features.X, expected, atol=1e-9)
        assert features.ids == ("my.xyz/0000", "my.xyz/0001", "my.xyz/0002")

    def test_without_a_reference_they_are_sums(self, run):
        run("describe", "other.xyz", *self.PARAMETERS, "-o", "f.csv")
        total = create("afs", n_max=2, l_max=2, r_cut=4.0).total(ase.io.read("other.xyz"))
        np.testing.assert_allclose(pd.read_csv("f.csv").iloc[0, 1:].astype(float), total, rtol=1e-12)

    def test_dumps_of_types_have_the_element_of_the_reference_or_the_potential(self, run):
        write_dump("my.dump", ase.io.read("my.xyz", index=":"), types=True)
        write_dump("bulk.dump", [ase.io.read("bulk.xyz")], types=True)
        named = "--config", "my.yaml", "-d", "afs_3_10"
        expected = run("describe", "my.xyz", *self.PARAMETERS, "--reference", "bulk.xyz").stdout
        for arguments in ([*self.PARAMETERS, "--reference", "bulk.xyz"], [*named, "--reference", "bulk.dump"]):
            found = run("describe", "my.dump", *arguments).stdout.replace("my.dump", "my.xyz")
            table, known = (pd.read_csv(StringIO(text), index_col="id") for text in (found, expected))
            pd.testing.assert_frame_equal(table, known, atol=1e-4)
        assert run("describe", "my.dump", *named).stdout
        assert "elements" in run("describe", "my.dump", *self.PARAMETERS, code=2).stderr

    def test_kinds_are_listed_with_their_parameters(self, run):
        listed = run("describe", "--list").stdout
        assert re.findall(r"^(\w+): ", listed, re.M) == list(available())
        assert "afs: Angular Fourier Series, three-body: " in listed
        assert "  n_max=3  number of radial functions (whole number from 1 to 40)\n" in listed
        assert "  r_cut=5.0  cutoff, Å (number > 0 and ≤ 20)\n" in listed

    def test_bad_frames(self, run):
        result = run("describe", "bad.xyz", "cut.xyz", *self.PARAMETERS, code=1)
        assert "bad.xyz, frame 1: StructureError: position of atom 3" in result.stderr
        assert len(result.stdout.splitlines()) == 4
        run("describe", "cut.xyz", *self.PARAMETERS, code=2)

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            (["my.xyz"], "FILES and --descriptor"),
            (["my.xyz", "-d", "affs"], r"did you mean 'afs'\?"),
            (["my.xyz", "-d", "afs", "--set", "n_mx=1"], r"did you mean 'n_max'\?"),
            (["my.xyz", "-d", "afs", "--set", "n_max"], "should be NAME=VALUE"),
            (["my.xyz", "-d", "afs", "--set", "n_max=[1"], "which is no YAML"),
            (["my.xyz", "-d", "afs_3_1", "--config", "my.yaml"], r"did you mean 'afs_3_10'\?"),
        ],
    )
    def test_what_is_wrong_from_the_start(self, run, arguments, message):
        assert re.search(message, run("describe", *arguments, code=2).stderr)


@pytest.fixture(scope="module")
def made(folder):
    """One trajectory, with labels."""
    arguments = [str(folder / "my.yaml"), "--trajectories", "1", "--label", "-o", str(folder / "made.h5")]
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        assert CliRunner().invoke(main, ["generate", *arguments]).exit_code == 0
    return ConfigurationSet.load(folder / "made.h5")


class TestGenerate:
    @pytest.mark.slow
    def test_one_trajectory_of_each_class_is_labelled(self, made):
        assert list(made.table["id"]) == ["train/3x3x3-V1-0000/00", "train/3x3x3-V1-0000/01"]
        assert list(made.table["status"]) == ["labelled"] * 2
        assert made.table["formation_entropy"].between(1.5, 4).all()

    @pytest.mark.slow
    def test_configurations_are_those_of_the_workflow(self, made, folder):
        command = ["-m", "snakemake", "--snakefile", ROOT / "Snakefile", "--configfile", "my.yaml", "--cores", "1"]
        recipe = CONFIG | {"datasets": {"train": CONFIG["datasets"]["train"]}}
        (folder / "workflow").mkdir()
        (folder / "workflow/my.yaml").write_text(yaml.safe_dump(recipe))
        subprocess.run(
            [sys.executable, *command, "--quiet", "all", "--", "labels"], cwd=folder / "workflow", check=True
        )
        expected = ConfigurationSet.load(folder / "workflow/results/configurations.h5").table.set_index("id")
        for row in made.table.itertuples():
            assert row.energy == pytest.approx(expected.loc[row.id, "energy"], abs=1e-9)
            assert row.formation_entropy == pytest.approx(expected.loc[row.id, "formation_entropy"], abs=1e-6)

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            (["my.yaml"], "Missing option '-o'"),
            (["my.yaml", "-o", "made.csv"], "should end in"),
            (["my.yaml", "--dataset", "mine", "-o", "made.xyz"], "data sets with a recipe: train; 'mine' is none"),
            (["my.yaml", "--dataset", "trian", "-o", "made.xyz"], r"did you mean 'train'\?"),
            (["bulk.xyz", "-o", "made.xyz"], "error: bulk.xyz"),
        ],
    )
    def test_what_is_wrong_from_the_start(self, run, arguments, message):
        assert re.search(message, run("generate", *arguments, code=2).stderr)


class TestCheck:
    def test_a_configuration(self, run):
        result = run("check", "my.yaml")
        assert re.search(r"^train: 6 planned; trajectories: 3", result.stdout, re.M)
        assert re.search(r"^mine: 3 relaxed; atoms: 51 to 53; classes: V1, V2, V3; role: test", result.stdout, re.M)
        # Three of a recipe and their beginnings, and three of a file.
        assert re.search(r"^9 configurations of 54 sites take, .*^  labels +2 +1 min ", result.stdout, re.M | re.S)

    @pytest.mark.parametrize(
        ("changes", "message", "code"),
        [
            ({"descriptors": {"afs": {"kind": "afs", "n_mx": 3}}}, r"descriptors\.afs.*did you mean 'n_max'", 2),
            ({"lattice": None}, "lattice: missing", 2),
            ({"datasets": {"cut": {"role": "train", "files": ["cut.xyz"], "reference": "bulk.xyz"}}}, "truncated", 2),
            ({"datasets": {"bad": {"role": "train", "files": ["few.xyz"], "reference": "bulk.xyz"}}}, "0001: pos", 2),
            (
                {"datasets": {"swapped": {"role": "train", "files": ["my.xyz"], "reference": "other.xyz"}}},
                "datasets.swapped.reference: other.xyz: .*expected the perfect crystal",
                2,
            ),
            (
                {"datasets": {"m": {"role": "train", "files": ["my.xyz"], "reference": "bulk.xyz"}}},
                "evaluation.folds: 2 folds of 1 trajectories",
                2,
            ),
            (
                {
                    "datasets": {"m": {"role": "train", "files": ["my.xyz"], "reference": "bulk.xyz"}},
                    "potential": {"file": POTENTIAL, "element": "P"},
                    "lattice": None,
                },
                "datasets.m.reference: bulk.xyz: the configuration holds Fe where only P is expected by `potential`",
                2,
            ),
        ],
    )
    def test_a_configuration_with_faults(self, run, changes, message, code, vacancies):
        few = [vacancies[0], vacancies[1].copy()]
        few[1].positions[0, 0] = np.nan
        ase.io.write("few.xyz", few, format="extxyz")
        Path("faulty.yaml").write_text(yaml.safe_dump(CONFIG | changes))
        assert re.search(message, run("check", "faulty.yaml", code=code).stderr)

    def test_as_many_folds_as_trajectories(self, run):
        """Each file is one."""
        datasets = {"m": {"role": "train", "files": ["my.xyz", "other.xyz"], "reference": "bulk.xyz"}}
        Path("even.yaml").write_text(yaml.safe_dump(CONFIG | {"datasets": datasets}))
        run("check", "even.yaml")

    def test_files(self, run):
        assert run("check", "my.xyz").stdout == ("my.xyz: 3 readable; elements: Fe; atoms: 51 to 53; properties: S_f\n")
        result = run("check", "bad.xyz", code=1)
        assert "bad.xyz: 3 readable, 1 rejected; elements: Fe, W" in result.stdout
        assert "bad.xyz, frame 1: position of atom 3" in result.stderr
        run("check", "my.xyz", "cut.xyz", code=2)

    def test_files_as_a_data_set(self, run):
        arguments = "check", "my.xyz", "--reference", "bulk.xyz"
        assert "files: 3 relaxed" in run(*arguments).stdout
        assert "entropies: 2.6 to 7.9 k_B" in run(*arguments, "--entropy", "S_f").stdout
        assert "none of its 3" in run(*arguments, "--entropy", "S", code=2).stderr
        assert "--entropy needs --reference" in run("check", "my.xyz", "--entropy", "S_f", code=2).stderr
        assert "eV/K" in run(*arguments, "--entropy", "S_f", "--unit", "eV/K", code=2).stderr
        assert "one configuration at a time" in run("check", "my.yaml", "my.xyz", code=2).stderr


class TestInfo:
    def test_the_model_that_ships(self, run, shipped):
        found = json.loads(run("info", "--json").stdout)
        assert found["kind"] == "entropy model"
        assert found["validity"] == shipped.validity()
        assert found["features"] == shipped.descriptor.n_features == 127
        assert "training entropies: 1.09114 to 21.6876" in run("info").stdout

    def test_a_model_of_a_run_says_everything_once(self, run, shipped, tmp_path):
        origin = {"seed": 7, "versions": "python 3, numpy 2", "inputs": "aa  my.xyz\nbb  bulk.xyz"}
        shipped.documented(**origin).save(tmp_path / "model.h5", **origin, config_sha256="c" * 64)
        result = run("info", tmp_path / "model.h5")
        assert result.stdout.count("python 3, numpy 2") == result.stdout.count("bb  bulk.xyz") == 1
        assert "  inputs: \n    aa  my.xyz\n    bb  bulk.xyz\n" in result.stdout
        # What the file says otherwise than the model is not lost.
        assert f"  config_sha256: {'c' * 64}" in result.stdout.split("made by:")[1]

    def test_an_archive_and_a_set(self, run):
        found = json.loads(run("info", "data/clusters.h5", "--json").stdout)
        table = archives.read_archive(ROOT / "data/cells_1024.h5", "x").table
        assert found["kind"] == "archive"
        assert found["status"] == {"labelled": len(table)}
        assert found["classes"] == table["defect_class"].value_counts().to_dict()
        assert found["formation entropies"] == [table["formation_entropy"].min(), table["formation_entropy"].max()]
        assert found["made by"]["potential"]["element"] == "Fe"

    def test_features(self, run):
        run("describe", "bad.xyz", *TestDescribe.PARAMETERS, "-o", "f.h5", code=1)
        found = json.loads(run("info", "f.h5", "--json").stdout)
        assert (found["kind"], found["configurations"], found["features"]) == ("features", 3, 6)
        assert list(found["without features"]) == ["bad.xyz/0001"]

    def test_other_files(self, run):
        assert "not a file of this package" in run("info", "my.xyz", code=2).stderr
        Path("cut.h5").write_bytes(Path("model.h5").read_bytes()[:-500])
        assert re.search(r"^error: cut.h5: not a complete HDF5 file", run("info", "cut.h5", code=2).stderr)


class TestShippedModel:
    """What `snakemake shipped_model` writes: the model, and what the run that fitted it predicted."""

    RECORDED = pd.read_csv(ROOT / "tests/golden/shipped_model.csv", keep_default_na=False)

    @pytest.mark.parametrize("dataset", sorted(set(RECORDED["dataset"])))
    def test_predictions_are_those_of_the_run(self, shipped, dataset):
        path = ROOT / f"data/{dataset}.h5"
        recorded = self.RECORDED[self.RECORDED["dataset"] == dataset].set_index("id")
        known, perfect = archives.read_archive(path, dataset), filled(archives.read_header(path).crystal)
        known = known.subset(known.table["id"].isin(recorded.index))
        assert len(known) == len(recorded) >= 1
        for atoms, row in zip(known.frames, known.table.to_dict("records"), strict=True):
            predicted, expected = shipped.predict(atoms, perfect(row, atoms.cell)).iloc[0], recorded.loc[row["id"]]
            ends = ["low_68", "high_68", "low_95", "high_95"]
            np.testing.assert_allclose(predicted[ends].astype(float), expected[ends].astype(float), atol=1e-6)
            assert predicted["formation_entropy"] == pytest.approx(expected["prediction"], abs=1e-6)
            assert predicted["domain"].split(":")[0] == expected["domain"].split(":")[0]
            assert row["formation_entropy"] == pytest.approx(expected["formation_entropy"], abs=1e-6)

    def test_validity(self, shipped):
        text = shipped.validity()
        for part in (
            "bcc Fe",
            POTENTIAL,
            "positions only",
            "minima (I1, I2, I3, I4, V1",
            "1.1 to 21.7 k_B",
            "held-out",
        ):
            assert part in text

    def test_it_is_small(self):
        assert SHIPPED.stat().st_size < 1_000_000


class TestMeter:
    def test_lines_begin_late_and_say_what_remains(self, monkeypatch, capsys):
        clock = iter([0.0, *range(1, 101)])
        monkeypatch.setattr(meter.time, "monotonic", lambda: next(clock))
        with meter.meter("things", lambda: 100) as progress:
            for _ in range(100):
                progress()
        lines = capsys.readouterr().err.splitlines()
        assert lines == [f"things: {n} of 100, {100 - n} s left" for n in (3, 33, 63, 93)]

    def test_a_terminal_gets_a_bar(self, monkeypatch, capsys):
        monkeypatch.setattr(meter, "PATIENCE", 0.0)
        monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
        with meter.meter("things", lambda: 4) as progress:
            for _ in range(4):
                progress()
        assert "things" in capsys.readouterr().err

    def test_shares_of_one_that_takes_long(self, monkeypatch, capsys):
        clock = iter([0.0, 2.0, 40.0, 50.0, 80.0, 81.0])
        monkeypatch.setattr(meter.time, "monotonic", lambda: next(clock))
        with meter.meter("things", lambda: 2) as progress:
            for share in (0.2, 0.5, 0.6):
                progress.within(share)
            progress()
            progress.within(0.5)
        assert capsys.readouterr().err == "things: 0.50 of 2, 120 s left\nthings: 1 of 2, 80 s left\n"

    def test_a_bar_makes_way_for_other_lines(self, monkeypatch, capsys):
        monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
        clock = iter([0.0, 4.0, 5.0, 7.0, 8.0, 9.0])
        monkeypatch.setattr(meter.time, "monotonic", lambda: next(clock))
        with meter.meter("things", lambda: 4) as progress:
            progress.within(0.5)
            progress.pause()
            # Before it was away for as long as it waits to begin with, it does not come back.
            progress()
            shown = capsys.readouterr().err
            assert shown.endswith("\r\033[K\033[?25h")
            assert shown.count("things") == 1
            progress()
        assert "things" in capsys.readouterr().err

    @pytest.mark.parametrize(("name", "number"), [("my.xyz", 3), ("data/clusters.h5", 24), ("model.h5", None)])
    def test_configurations_are_counted_without_reading_them(self, folder, name, number):
        counted = reading.Reader([folder / name], None).total()
        assert counted == (number if name != "data/clusters.h5" else len(archives.read_archive(folder / name, "x")))


def test_shares_of_atoms_add_up_for_every_kind_of_sum(vacancies):
    """Projections of blocks, of parts, and of all local values at once are the same."""
    parts = {"a": {"kind": "afs", "n_max": 2, "l_max": 2, "r_cut": 4.0}, "b": {"kind": "pair_spline", "r_cut": 4.0}}
    for descriptor, atoms in product([create("union", parts=parts), create("afs", n_max=2, l_max=2)], vacancies[:1]):
        weights = np.random.default_rng(0).normal(size=descriptor.n_features)
        expected = descriptor.local(atoms) @ weights
        np.testing.assert_allclose(descriptor.project(atoms, weights), expected, rtol=1e-12)
