"""Configurations for files of the user."""

import re
from pathlib import Path

import ase.io
import numpy as np
import pytest
import yaml
from ase.build import bulk
from iron_files import POTENTIAL, crystal

from vibentropy.descriptors import create
from vibentropy.errors import ConfigError, DataError
from vibentropy.potentials.newton import newton_relax
from vibentropy.run.start_from_files import start_from_files
from vibentropy.sources.user_files import GivenEntropy

GIVEN = GivenEntropy("S_f", "k_B", "formation")
IRON = {"file": POTENTIAL, "element": "Fe"}


@pytest.fixture
def files(tmp_path, monkeypatch, iron):
    """Files of a vacancy and a crystal, each relaxed and with its entropy; the last frames are of another run."""
    monkeypatch.chdir(tmp_path)
    Path("my").mkdir()
    ase.io.write("bulk.xyz", crystal(), format="extxyz")
    for number in range(6):
        atoms = crystal()
        del atoms[[0, 5 + number]]
        atoms, energy, _ = newton_relax(atoms, iron, 1e-6)
        frames = [atoms.copy() for _ in range(2)]
        for run, frame in enumerate(frames):
            frame.info |= {"S_f": 5.0 + number / 10, "energy": energy, "trajectory": f"{number}-{run}"}
        ase.io.write(f"my/{number}.xyz", frames, format="extxyz")


@pytest.mark.parametrize("quick", [False, True])
def test_several_elements_have_several_references(files, quick):
    solute = crystal()
    solute.symbols[3] = "P"
    ase.io.write("solute.xyz", solute, format="extxyz")
    for number in range(6):
        frames = ase.io.read(f"my/{number}.xyz", ":")
        frames[0].symbols[[1, 7]] = "P"
        ase.io.write(f"my/{number}.xyz", frames, format="extxyz")
    potential = {"file": POTENTIAL, "elements": ["Fe", "P"]}
    start = start_from_files(["my/*.xyz"], ["bulk.xyz", "solute.xyz"], "out", potential=potential, quick=quick)
    block = yaml.safe_load(start.text)
    assert "Models of defects in Fe-P, from files" in start.text
    assert block["datasets"]["train"]["reference"] == ["bulk.xyz", "solute.xyz"]
    assert block["potential"] == potential
    for name, descriptor in block["descriptors"].items():
        assert descriptor["species"] == ["Fe", "P"], name
    (afs,) = (one for name, one in start.config.descriptors.items() if name.startswith("afs"))
    assert f"Angular Fourier Series of neighbours, {create(**afs).n_features} features" in start.text


def _beside_sufficiency(notes):
    """Notes but for those that three minima are too few to learn from, which is true of each descriptor."""
    few = [note for note in notes if "distinct minima for" in note]
    assert few
    return [note for note in notes if note not in few]


def test_files_with_entropies(files):
    start = start_from_files(["my/*.xyz"], ["bulk.xyz"], "out", entropy=GIVEN)
    block = yaml.safe_load(start.text)
    assert block["datasets"] == {
        "train": {
            "role": "train",
            "files": ["my/*.xyz"],
            "reference": "bulk.xyz",
            "entropy": {"key": "S_f", "unit": "k_B", "kind": "formation"},
            "group_key": "trajectory",
        }
    }
    assert "potential" not in block
    assert block["evaluation"]["folds"] == 5
    assert block["descriptors"].keys() == {"afs_3_10", "pairs_afs"}
    assert start.config.sources["train"].files == tuple(f"my/{number}.xyz" for number in range(6))
    (note,) = _beside_sufficiency(start.notes)
    assert "--test" in note


def test_files_to_label_and_to_test(files):
    start = start_from_files(["my/[0-3].xyz"], ["bulk.xyz"], "out", test_files=["my/4.xyz", "my/5.xyz"], potential=IRON)
    block = yaml.safe_load(start.text)
    assert block["datasets"]["test"]["files"] == ["my/4.xyz", "my/5.xyz"]
    assert block["datasets"]["test"]["role"] == "test"
    assert "entropy" not in block["datasets"]["train"]
    assert block["descriptors"]["stiffness"]["potential"] == block["potential"] == IRON
    assert _beside_sufficiency(start.notes) == []


def test_cutoffs_are_those_of_the_reference(files):
    start = start_from_files(["my/*.xyz"], ["bulk.xyz"], "out", entropy=GIVEN)
    low, high = map(
        float, re.search(r"half way between shells 5 and 6 of .* ([\d.]+) and ([\d.]+) Å", start.text).groups()
    )
    a = crystal().cell[0, 0] / 3
    assert (low, high) == pytest.approx((a * np.sqrt(3), a * 2), abs=6e-3)


def test_few_trajectories_make_few_folds(files):
    start = start_from_files(["my/0.xyz", "my/1.xyz"], ["bulk.xyz"], "out", entropy=GIVEN)
    assert start.config.evaluation.folds == 4
    assert "folds: 4  # of the cross-validation; trajectories stay together; as many as there are" in start.text
    for file in ("my/0.xyz", "my/1.xyz"):
        frames = ase.io.read(file, ":")
        for atoms in frames:
            del atoms.info["trajectory"]
        ase.io.write(file, frames, format="extxyz")
    start = start_from_files(["my/0.xyz", "my/1.xyz"], ["bulk.xyz"], "out", entropy=GIVEN)
    assert start.config.evaluation.folds == 2
    assert "each file counts as one trajectory" in start.text
    with pytest.raises(ConfigError, match=r"count as one trajectory, .* --group the .* S_f"):
        start_from_files(["my/0.xyz"], ["bulk.xyz"], "out", entropy=GIVEN)


def test_where_entropies_come_from_has_to_be_said(files):
    with pytest.raises(ConfigError, match=r"--entropy NAME if .* S_f, energy, trajectory; or --potential FILE"):
        start_from_files(["my/*.xyz"], ["bulk.xyz"], "out")


@pytest.mark.parametrize(
    ("patterns", "message"),
    [(["yours/*.xyz"], r"no file matches 'yours/\*.xyz'"), (["my/*.xyz", "none.xyz"], "'none.xyz'")],
)
def test_files_that_are_not_there(files, patterns, message):
    with pytest.raises((ConfigError, DataError), match=message):
        start_from_files(patterns, ["bulk.xyz"], "out", entropy=GIVEN)


@pytest.mark.parametrize("other", [bulk("Fe", "fcc", a=3.6, cubic=True) * 3, bulk("W", cubic=True) * 3])
def test_files_of_mixed_crystals(files, other):
    del other[0]
    other.info |= {"S_f": 2.0, "energy": -1.0, "trajectory": "x"}
    ase.io.write("my/7.xyz", other, format="extxyz")
    for source in ({"entropy": GIVEN}, {"potential": IRON}):
        with pytest.raises(DataError, match=r"my/7.xyz, frame 0: "):
            start_from_files(["my/*.xyz"], ["bulk.xyz"], "out", **source)


def test_frames_that_cannot_be_used_are_counted(files):
    frames = ase.io.read("my/3.xyz", ":")
    frames[1].info["S_f"] = np.nan
    ase.io.write("my/3.xyz", frames, format="extxyz")
    note, _ = _beside_sufficiency(start_from_files(["my/*.xyz"], ["bulk.xyz"], "out", entropy=GIVEN).notes)
    assert re.match(r"train: 1 cannot be used; train/3.xyz/0001: 'S_f' is nan", note)
