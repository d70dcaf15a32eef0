"""The arrays of the reference work: small ones of the same names and shapes, whole and with all that can be wrong."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from ase.build import bulk
from workflow_runs import HANGS

from vibentropy.datasets.merge import merge_tables
from vibentropy.datasets.table import groups, usable
from vibentropy.descriptors import create
from vibentropy.errors import DataError, StructureError
from vibentropy.features.extensive import bulk_features, extensive_features
from vibentropy.learning.folds import folds_table
from vibentropy.sources import published_arrays
from vibentropy.sources.source import source_of

ROOT = Path(__file__).resolve().parents[2]
A = 2.8553
NET = {"I2": 2, "I3": 3, "I4": 4, "V4": -4}


def cells(n=4):
    """Perfect crystal of 2 n³ sites as the published one is given: (1, N, 3), and its lattice."""
    crystal = bulk("Fe", a=A, cubic=True) * n
    return crystal.positions[None], crystal.cell[:]


def defects(positions, net, n_rows, rng, a=A):
    """Rattled cells with atoms beside others, or without some."""
    frames = []
    for _ in range(n_rows):
        sites = rng.permutation(len(positions))
        if net > 0:
            frame = np.concatenate([positions, positions[sites[:net]] + [0.5 * a, 0.05 * a, 0.25 * a]])
        else:
            frame = positions[np.sort(sites[-net:])]
        frames.append(frame + rng.normal(scale=0.02, size=frame.shape))
    return np.array(frames)


@pytest.fixture
def write(tmp_path):
    """Write the three files of one potential, changed as asked for; return the block of the configuration."""

    def write(change=lambda configurations, entropies: None, n_rows=6, lattice=None, perfect=None):
        rng = np.random.default_rng(3)
        positions, box = cells()
        configurations = {f"{name}_EAM": defects(positions[0], net, n_rows, rng) for name, net in NET.items()}
        configurations["lattice"] = box if lattice is None else lattice
        entropies = {name: 2.0 + np.arange(n_rows) + rng.uniform(0.1, 0.9, n_rows) for name in NET}
        change(configurations, entropies)
        np.savez(tmp_path / "configs_EAM.npz", **configurations)
        np.savez(tmp_path / "entropies_EAM.npz", **entropies)
        np.save(tmp_path / "config_bulk.npy", positions if perfect is None else perfect)
        return {
            "configurations": str(tmp_path / "configs_EAM.npz"),
            "entropies": str(tmp_path / "entropies_EAM.npz"),
            "bulk": str(tmp_path / "config_bulk.npy"),
            "element": "Fe",
        }

    return write


def test_rows_come_as_they_are_in_the_order_of_the_file(write):
    given = {}

    def remember(configurations, entropies):
        given.update(configurations=dict(configurations), entropies=dict(entropies))

    arrays = write(remember, n_rows=12)
    sets = [source_of("EAM", {"arrays": arrays}).read(name) for name in NET]
    for name, one in zip(NET, sets, strict=True):
        np.testing.assert_array_equal([atoms.positions for atoms in one.frames], given["configurations"][f"{name}_EAM"])
        np.testing.assert_array_equal(one.table["formation_entropy"], given["entropies"][name])
        assert set(one.table["status"]) == {"labelled"}
        assert set(one.table["label_source"]) == {"given"}
        assert set(one.table["n_atoms"]) == {128 + NET[name]}
        assert set(one.table["n_sites"]) == {128}
        assert all((atoms.cell[:] == given["configurations"]["lattice"]).all() for atoms in one.frames)
    # Sorted by their ids, rows are those of the published program: all classes, one after the other.
    whole = merge_tables([one.table for one in sets[::-1]], {"EAM": "train"})
    np.testing.assert_array_equal(whole["formation_entropy"], np.concatenate(list(given["entropies"].values())))
    folds = folds_table(whole, 5, ["file_order"])["fold"]
    assert list(np.bincount(folds)) == [10, 10, 10, 9, 9]
    assert (np.diff(folds) >= 0).all()


def test_zero_is_no_label_and_a_bad_row_is_set_aside(write):
    def spoil(configurations, entropies):
        entropies["I3"][[0, 4]] = 0.0
        entropies["I3"][1] = np.nan
        configurations["I3_EAM"][2, 7, 1] = np.inf
        configurations["I3_EAM"][3, 5] = configurations["I3_EAM"][3, 6]
        # Without a label nothing else matters.
        configurations["I3_EAM"][4] = 0.0

    table = source_of("EAM", {"arrays": write(spoil)}).read("I3").table
    assert list(table["status"]) == ["rejected"] * 5 + ["labelled"]
    for row, reason in enumerate(
        [published_arrays.NO_LABEL, "the entropy is nan", "position of atom 7", "", published_arrays.NO_LABEL]
    ):
        assert reason in table["reason"][row]
    assert all(table["reason"][:5])
    assert table["formation_entropy"].notna().tolist() == [False] * 5 + [True]


def test_repeats_of_a_minimum_share_a_group_and_are_marked(write):
    values = np.array([5.0, 7.0, 5.0 + 0.8e-5, 0.0, 7.0 + 3e-5, 5.0 + 1.6e-5])
    one = source_of("EAM", {"arrays": write(lambda _, entropies: entropies.update(V4=values))}).read("V4")
    table = merge_tables([one.table], {"EAM": "train"})
    assert list(table["trajectory"]) == ["V4/00000", "V4/00001", "V4/00000", "V4/00003", "V4/00004", "V4/00000"]
    assert list(table["duplicate_of"]) == ["", "", "EAM/V4/00000", "", "", "EAM/V4/00000"]
    assert list(usable(table)) == [True, True, False, False, True, False]
    rows = table[usable(table, exclude_duplicates=False)]
    folds = folds_table(rows, 3, exclude_duplicates=False)["fold"].to_numpy()
    assert len(set(folds[groups(rows) == "EAM/V4/00000"])) == 1
    arrays = write(lambda _, entropies: entropies.update(V4=values)) | {"repeat_tolerance": 1e-4}
    assert source_of("EAM", {"arrays": arrays}).read("V4").table["trajectory"].nunique() == 3


def test_first_of_minimum_by_brute_force():
    rng = np.random.default_rng(2)
    values = rng.integers(0, 40, 30) / 8.0
    near = np.abs(values[:, None] - values) <= 0.125
    for _ in range(len(values)):
        near = near @ near
    np.testing.assert_array_equal(published_arrays.first_of_minimum(values, 0.125), near.argmax(axis=1))
    assert published_arrays.first_of_minimum(np.array([]), 1.0).size == 0


def test_features_vanish_in_the_bulk_and_do_not_care_about_the_box(write):
    """Positions outside the box, as the published ones may be, and the reference that features are relative to."""
    shifted = {}

    def shift(configurations, entropies):
        shifted["I2"] = configurations["I2_EAM"].copy()
        configurations["I2_EAM"][:, ::3] += configurations["lattice"][0] - 2 * configurations["lattice"][2]

    arrays = write(shift)
    perfect = source_of("a", {"arrays": arrays}).perfect(None)(None)
    descriptor = create("afs", n_max=2, l_max=3, r_cut=4.5)
    per_atom = bulk_features(descriptor, perfect)
    assert np.abs(extensive_features(descriptor, perfect, per_atom)).max() < 1e-10
    one = source_of("EAM", {"arrays": arrays}).read("I2")
    inside = [atoms.copy() for atoms in one.frames]
    for atoms, positions in zip(inside, shifted["I2"], strict=True):
        atoms.positions = positions
    np.testing.assert_allclose(
        extensive_features(descriptor, one.frames, per_atom),
        extensive_features(descriptor, inside, per_atom),
        rtol=1e-9,
        atol=1e-9,
    )


def rename(old, new):
    return lambda configurations, entropies: configurations.update({new: configurations.pop(old)})


def replace(**arrays):
    return lambda configurations, entropies: configurations.update(arrays)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (rename("I2_EAM", "J2"), r"configs_EAM.npz: found the arrays .*, expected one I2 or I2_"),
        (lambda c, e: c.update(I2_MEAM=c["I2_EAM"]), r"found the arrays .*I2_EAM.*I2_MEAM, expected one I2"),
        (lambda c, e: c.update(I2_EAM=c["I3_EAM"]), r"I2 has 131 atoms, expected 130 in a cell of 128 sites"),
        (
            lambda c, e: c.update(I2_EAM=c["I2_EAM"][0]),
            r"configs_EAM.npz, I2: has shape \(130, 3\), expected \(n, n, 3\)",
        ),
        (lambda c, e: c.update(I2_EAM=c["I2_EAM"].astype(str)), r"I2: holds <U\d+, expected numbers"),
        (lambda c, e: c.update(I2_EAM=c["I2_EAM"] * 1j), "I2: holds complex128, expected numbers"),
        (lambda c, e: c.update(I2_EAM=np.array([None, {}])), "without pickled objects"),
        (lambda c, e: c.pop("lattice"), "expected one lattice"),
        (replace(lattice=np.ones(3)), r"lattice.*: has shape \(3,\), expected \(3, 3\)"),
        (lambda c, e: e.update(I2=e["I2"][:-1]), r"entropies_EAM.npz, I2: has shape \(5,\), expected \(6\)"),
        (
            lambda c, e: e.update(I2=0 * e["I2"]),
            "none of the 6 configurations I2 can be used; no label in the published",
        ),
    ],
)
def test_what_is_wrong_with_a_file_stops_the_run(write, change, message):
    with pytest.raises(DataError, match=message):
        source_of("EAM", {"arrays": write(change)}).read("I2")


@pytest.mark.parametrize(
    ("lattice", "message"),
    [
        (5 * A * np.eye(3), "numbers of neighbours are from"),
        (4 * A * np.diag([1.0, 1.0, 1.003]), "distances to neighbours differ by 0.0"),
        (np.full((3, 3), 4 * A), "zero or parallel"),
        (np.full((3, 3), np.nan), "not finite"),
        (3 * A * np.eye(3), "on one site"),
    ],
)
def test_a_lattice_that_is_not_the_crystals(write, lattice, message):
    with pytest.raises((DataError, StructureError), match=message):
        source_of("EAM", {"arrays": write(lattice=lattice)}).perfect_crystal()


def test_a_bulk_that_is_something_else(write):
    positions, _ = cells()
    for other in (positions[0], positions[:, :-1], np.concatenate([positions, positions])):
        with pytest.raises(DataError, match="config_bulk.npy"):
            source_of("EAM", {"arrays": write(perfect=other)}).perfect_crystal()
    # The published numbers have five decimals.
    assert (
        len(
            source_of(
                "EAM", {"arrays": write(perfect=positions.round(5), lattice=(4 * A * np.eye(3)).round(4))}
            ).perfect_crystal()
        )
        == 128
    )


@pytest.mark.parametrize("structure", ["sc", "fcc", "diamond", "hcp"])
def test_other_crystals_are_perfect_too(write, structure):
    crystal = (
        bulk("Fe", structure, a=3.0, **({"cubic": True} if structure != "hcp" else {"covera": np.sqrt(8 / 3)})) * 3
    )
    arrays = write(perfect=crystal.positions[None], lattice=crystal.cell[:])
    assert len(source_of("EAM", {"arrays": arrays}).perfect_crystal()) == len(crystal)


def test_files_that_are_missing_or_broken(write, tmp_path):
    arrays = write()
    with pytest.raises(DataError, match=r"none.npz: no such file; it is published at .*louity/AFS-python"):
        source_of("EAM", {"arrays": arrays | {"configurations": "none.npz"}}).read("I2")
    with pytest.raises(DataError, match="found one array, expected the other"):
        source_of("EAM", {"arrays": arrays | {"entropies": arrays["bulk"]}}).read("I2")
    with pytest.raises(DataError, match="found an archive, expected the other"):
        source_of("EAM", {"arrays": arrays | {"bulk": arrays["entropies"]}}).perfect_crystal()
    whole = (tmp_path / "configs_EAM.npz").read_bytes()
    for broken in (b"", b"text", whole[: len(whole) // 2], whole[:3000] + b"x" * 50 + whole[3050:]):
        (tmp_path / "configs_EAM.npz").write_bytes(broken)
        with pytest.raises(DataError, match=r"configs_EAM.npz: truncated, or no file of numpy arrays"):
            source_of("EAM", {"arrays": arrays}).read("I2")


@pytest.mark.slow(minutes=1.5)
def test_one_command_from_the_arrays_to_the_figure(tmp_path):
    """The shipped configuration, run where a folder `published` holds arrays of these names."""
    rng = np.random.default_rng(8)
    positions, box = cells()
    configurations = {f"{name}_EAM": defects(positions[0], net, 12, rng) for name, net in NET.items()}
    entropies = {name: rng.uniform(1, 12, 12) for name in NET}
    entropies["V4"][[2, 5]] = 0.0, entropies["V4"][7]
    (tmp_path / "published").mkdir()
    np.savez(tmp_path / "published/configs_EAM.npz", lattice=box, **configurations)
    np.savez(tmp_path / "published/entropies_EAM.npz", **entropies)
    np.save(tmp_path / "published/config_bulk.npy", positions)
    command = [sys.executable, "-m", "snakemake", "--snakefile", ROOT / "Snakefile", "--directory", tmp_path]
    command += ["--configfile", ROOT / "workflow/configs/published.yaml", "--cores", "2"]
    results = tmp_path / "results/published"
    wanted = ("summary.csv", "tables/outcomes.csv", "figures/parity.png", "figures/labels.png")
    command += [f"results/published/{name}" for name in wanted]
    run = subprocess.run(command, capture_output=True, text=True, timeout=HANGS)
    assert run.returncode == 0, run.stderr

    summary = pd.read_csv(results / "summary.csv")
    assert list(summary["regressor"]) == ["bayesian_ridge"] * 2 + ["ridge"] * 2
    assert list(summary["split"]) == ["groups", "file_order"] * 2
    assert set(summary["cross_validation_n"]) == {47}
    table = pd.read_csv(results / "configurations.csv", keep_default_na=False).set_index("id")
    assert table["reason"]["EAM/V4/00002"] == published_arrays.NO_LABEL
    assert table["duplicate_of"]["EAM/V4/00007"] == "EAM/V4/00005"
    outcomes = pd.read_csv(results / "tables/outcomes.csv").set_index("defect_class")
    assert outcomes.loc["V4", ["labelled", "rejected", "duplicates"]].tolist() == [11, 1, 1]
    folds = pd.read_csv(results / "folds.csv").set_index(["split", "id"])["fold"]
    assert (np.diff(folds["file_order"]) >= 0).all()
    assert folds["groups", "EAM/V4/00007"] == folds["groups", "EAM/V4/00005"]
    for figure in ("parity", "labels"):
        assert (results / f"figures/{figure}.png").stat().st_size > 10_000
