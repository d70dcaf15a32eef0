"""A long `vibentropy label` goes on where it stopped."""

import json
import os
import signal
from pathlib import Path

import ase.io
import numpy as np
import pytest
from iron_files import POTENTIAL

from vibentropy.cli.resuming import files_named
from vibentropy.labels.labelling import Labeller
from vibentropy.potentials.response_file import ResponseFile

LABEL = "label", "moved.xyz", "--reference", "bulk.xyz", "--potential", POTENTIAL, "--relax"


@pytest.fixture
def calls(monkeypatch, folder, vacancies):
    """Numbers of atoms of what is labelled rather than taken over."""
    rng, frames = np.random.default_rng(5), [atoms.copy() for atoms in vacancies]
    for atoms in frames:
        atoms.positions += rng.normal(scale=0.01, size=atoms.positions.shape)
    ase.io.write(folder / "moved.xyz", frames, format="extxyz")
    label_cell, made = Labeller.label_cell, []

    def counted(self, atoms, *others):
        made.append(len(atoms))
        return label_cell(self, atoms, *others)

    monkeypatch.setattr(Labeller, "label_cell", counted)
    return made


@pytest.fixture
def interrupted(run, monkeypatch, calls):
    """Begin a command that is interrupted in its third label."""

    def begin(*words, number=signal.SIGINT):
        counted = Labeller.label_cell
        # Shells have what they start in the background ignore interrupts.
        before_this = signal.signal(signal.SIGINT, signal.default_int_handler)

        def until_the_third(self, atoms, *others):
            if len(calls) == 2:
                os.kill(os.getpid(), number)
            return counted(self, atoms, *others)

        try:
            with monkeypatch.context() as patched:
                patched.setattr(Labeller, "label_cell", until_the_third)
                result = run(*words, code=130)
        finally:
            signal.signal(signal.SIGINT, before_this)
        assert calls == [53, 52]
        calls.clear()
        return result

    return begin


@pytest.fixture
def output(tmp_path):
    return tmp_path / "labels.csv"


@pytest.mark.parametrize(
    ("suffix", "more", "number"),
    [
        ("csv", [], signal.SIGTERM),
        ("json", ["--site-entropies"], signal.SIGINT),
        ("extxyz", ["--site-entropies"], signal.SIGINT),
    ],
)
def test_the_same_command_goes_on(run, interrupted, calls, tmp_path, suffix, more, number):
    words = *LABEL, *more
    output, whole = tmp_path / f"labels.{suffix}", tmp_path / f"whole.{suffix}"
    kept = Path(f"{output}.partial")
    run(*words, "-o", whole)
    calls.clear()
    result = interrupted(*words, "-o", output, number=number)
    assert f"{kept} keeps 2 rows: the same command goes on from there\ninterrupted" in result.stderr
    assert not output.exists()
    result = run(*words, "-o", output)
    assert f"{kept}: 2 rows of an interrupted command are taken over" in result.stderr
    assert calls == [51]
    assert output.read_text() == whole.read_text()
    assert not kept.exists()


def test_rows_of_other_options_or_files_are_not_taken_over(run, folder, interrupted, calls, output):
    words = *LABEL, "-o", output
    interrupted(*words)
    rows = Path(f"{output}.partial").read_bytes()
    perfect = ase.io.read("bulk.xyz")
    ase.io.write("same_bulk.xyz", perfect, format="extxyz")
    perfect.positions += 1e-6
    ase.io.write("shifted_bulk.xyz", perfect, format="extxyz")
    frames = ase.io.read("moved.xyz", index=":")
    frames[0].positions[0] += 1e-6
    ase.io.write("moved_again.xyz", frames, format="extxyz")
    for change, expected in [
        ([*words, "--temperatures", "300"], [53, 52, 51]),
        ([str(word).replace("bulk.xyz", "shifted_bulk.xyz") for word in words], [53, 52, 51]),
        ([words[0], "moved_again.xyz", *words[2:]], [53, 51]),
        ([str(word).replace("bulk.xyz", "same_bulk.xyz") for word in words], [51]),
    ]:
        Path(f"{output}.partial").write_bytes(rows)
        calls.clear()
        result = run(*change)
        assert calls == expected
        assert ("are not taken over" in result.stderr) == (len(expected) == 3)
        assert f"{output}.partial: {3 - len(expected)} rows of" in result.stderr or len(expected) == 3


def test_files_in_parameters_of_a_calculator_count(tmp_path):
    model = tmp_path / "model"
    model.write_text("a")
    parameters = {"model": str(model), "device": "cpu", "more": [{"path": str(model)}], "n": 3}
    before = files_named(parameters)
    assert list(before) == [str(model)]
    model.write_text("b")
    assert files_named(parameters) != before


def test_a_row_that_was_cut_is_computed_anew(run, interrupted, calls, output):
    interrupted(*LABEL, "-o", output)
    kept = Path(f"{output}.partial")
    lines = kept.read_text().splitlines()
    assert [json.loads(line)["columns"]["status"] for line in lines] == ["labelled"] * 2
    kept.write_text(lines[0] + "\n" + lines[1][:100])
    run(*LABEL, "-o", output)
    assert calls == [52, 51]
    assert not kept.exists()


def test_rows_stand_behind_one_that_was_cut(interrupted, calls, output):
    kept = Path(f"{output}.partial")
    kept.write_text('{"about": "x", "ke')
    interrupted(*LABEL, "-o", output)
    cut, *rows = kept.read_text().splitlines()
    assert cut == '{"about": "x", "ke'
    assert [json.loads(line)["columns"]["n_atoms"] for line in rows] == [53, 52]


def test_what_was_rejected_is_tried_again(run, interrupted, calls, output):
    """A crash or a time limit may not happen twice."""
    frames = ase.io.read("moved.xyz", index=":")
    frames[1].set_cell(1.1 * frames[1].cell[:], scale_atoms=True)
    ase.io.write("moved.xyz", frames, format="extxyz")
    interrupted(*LABEL, "-o", output)
    assert len(Path(f"{output}.partial").read_text().splitlines()) == 1
    assert run(*LABEL, "-o", output, "--quiet", code=1).stderr.startswith("moved.xyz, frame 1: ")
    assert calls == [52, 51]


def test_the_screen_keeps_nothing(run, interrupted, folder):
    before = set(os.listdir(folder))
    for words in ([], ["-o", "-"]):
        assert "keeps" not in interrupted(*LABEL, *words).stderr
    assert set(os.listdir(folder)) == before


def test_a_hessian_of_differences_goes_on(run, monkeypatch, output):
    """Killed in the second of its cells, whose forces are shared by two processes."""
    words = "label", "copper.xyz@0:2", "--reference", "copper_bulk.xyz", "--calculator", "ase.calculators.emt.EMT"
    words = *words, "--relax"
    run(*words, "-o", output.with_name("whole.csv"))
    parts, write = [], ResponseFile.write

    def counted(self, key, *part):
        if len(parts) == 13:
            os.kill(os.getpid(), signal.SIGTERM)
        parts.append(key)
        write(self, key, *part)

    monkeypatch.setattr(ResponseFile, "write", counted)
    result = run(*words, "--processes", "2", "-o", output, code=130)
    rows, forces = Path(f"{output}.partial"), Path(f"{output}.forces.partial")
    assert f"{rows} keeps 1 rows and {forces} keeps the forces of Hessians: the same command goes on" in result.stderr
    assert parts.count(parts[0]) == 8
    before, parts[:] = len(parts), []
    result = run(*words, "-o", output)
    # Of 31 and 30 atoms in parts of four.
    assert f"{forces}: {5 / 8:.0%} of the forces of a Hessian are taken over" in result.stderr
    assert (before, len(parts)) == (13, 3)
    assert output.read_text() == output.with_name("whole.csv").read_text()
    assert not rows.exists()
    assert not forces.exists()


def test_processes_are_for_finite_differences(run, output):
    words = "label", "defect.xyz", "--reference", "bulk.xyz", "--potential", POTENTIAL, "--processes", "2", "-o", output
    assert "no matter of finite differences: --processes changes nothing" in run(*words).stderr
