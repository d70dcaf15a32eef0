"""Data sets survive files and rearrangement, and duplicates are the ones of the definition."""

import tracemalloc

import ase.io
import numpy as np
import pandas as pd
import pytest
from ase import Atoms
from ase.calculators.singlepoint import SinglePointCalculator
from hypothesis import given, settings
from hypothesis import strategies as st

from vibentropy.datasets.duplicates import mark_duplicates
from vibentropy.datasets.export import write_extxyz
from vibentropy.datasets.merge import collect, merge
from vibentropy.datasets.store import ConfigurationSet, load_element, load_table, stored_frames
from vibentropy.datasets.table import COLUMNS, Status, check_labelled, complete_table, groups, outcomes, usable
from vibentropy.errors import DataError
from vibentropy.files import hdf5

reproducible = settings(derandomize=True, deadline=None, max_examples=30)


def random_set(seed, n_configurations, dataset="train"):
    rng = np.random.default_rng(seed)
    frames = []
    for n_atoms in rng.integers(1, 9, n_configurations):
        atoms = Atoms(
            rng.integers(1, 100, n_atoms),
            positions=rng.normal(scale=5, size=(n_atoms, 3)),
            cell=rng.normal(size=(3, 3)),
        )
        atoms.pbc = rng.random(3) < 0.5
        frames.append(atoms)
    table = pd.DataFrame(
        {
            "dataset": dataset,
            "trajectory": [f"I2-{number // 3}" for number in range(n_configurations)],
            "energy": rng.normal(size=n_configurations),
            "status": rng.choice(["relaxed", "labelled", "saddle"], n_configurations),
            "reason": rng.choice(["", 'Å and "quotes"'], n_configurations),
            "temperature": rng.normal(size=n_configurations),
            "large": rng.random(n_configurations) < 0.5,
            "comment": rng.choice(["", "a", "b c"], n_configurations),
            "formation_entropy": rng.normal(size=n_configurations),
        }
    )
    return ConfigurationSet(frames, table, {"seed": seed, "config_hash": "abc", "vector": rng.normal(size=3)})


def assert_same(one, other):
    pd.testing.assert_frame_equal(one.table, other.table)
    assert len(one.frames) == len(other.frames)
    for a, b in zip(one.frames, other.frames, strict=True):
        np.testing.assert_array_equal(a.numbers, b.numbers)
        np.testing.assert_array_equal(a.positions, b.positions)
        np.testing.assert_array_equal(a.cell, b.cell)
        np.testing.assert_array_equal(a.pbc, b.pbc)


@given(seed=st.integers(0, 1000), n_configurations=st.integers(0, 12))
@reproducible
def test_hdf5_round_trip_is_exact(tmp_path_factory, seed, n_configurations):
    path = tmp_path_factory.mktemp("set") / "set.h5"
    one = random_set(seed, n_configurations)
    one.save(path)
    other = ConfigurationSet.load(path)
    assert_same(one, other)
    np.testing.assert_equal(other.attributes, one.attributes)
    before = path.read_bytes()
    other.save(path)
    assert path.read_bytes() == before


def test_columns_fill_in_and_keep_their_types():
    table = complete_table(pd.DataFrame({"trajectory": ["a", "a", "b"], "n_sites": [250, None, 54], "zeta": [1, 2, 3]}))
    assert list(table) == [*COLUMNS, "zeta"]
    assert list(table["id"]) == ["/a/0000", "/a/0001", "/b/0000"]
    assert list(table["n_sites"]) == [250, -1, 54]
    assert table["n_sites"].dtype == np.int64
    assert (table["status"] == "relaxed").all()
    assert table["formation_entropy"].isna().all()
    assert (table["duplicate_of"] == "").all()
    assert table["zeta"].dtype == np.int64


def test_only_geometry_is_kept_and_atoms_are_counted():
    atoms = Atoms(
        "Fe2",
        positions=[[0, 0, 0], [0, 0, 2]],
        cell=[3, 3, 4],
        pbc=[True, False, True],
        info={"S": 3},
        velocities=np.ones((2, 3)),
    )
    atoms.calc = SinglePointCalculator(atoms, energy=1.0)
    one = ConfigurationSet([atoms], pd.DataFrame({"id": ["x"], "n_atoms": [7]}))
    assert set(one.frames[0].arrays) == {"numbers", "positions"}
    assert not one.frames[0].info
    assert one.frames[0].calc is None
    assert list(one.frames[0].pbc) == [True, False, True]
    np.testing.assert_array_equal(one.frames[0].cell, np.diag([3, 3, 4]))
    assert one.table["n_atoms"].item() == 2
    atoms.positions[0] = 1.0
    assert (one.frames[0].positions[0] == 0).all()


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"id": ["a", "a"]}, "id 'a' occurs more than once"),
        ({"id": ["a", "b"], "status": ["relaxed", "fine"]}, "status of b is 'fine'; expected one of relaxed"),
        ({"energy": [1.0, "low"]}, "'energy' should hold float.*low"),
        ({"extra": [1.0, "low"]}, "'extra' holds float, str; expected only"),
        ({"extra": [{}, {}]}, "'extra' holds dict"),
        ({"id": ["a"]}, "2 frames but 1 rows"),
    ],
)
def test_tables_that_make_no_sense_are_refused(table, message):
    with pytest.raises(DataError, match=message):
        ConfigurationSet([Atoms("Fe"), Atoms("Fe")], pd.DataFrame(table))


def in_memory(shards, roles, **attributes):
    """What `merge` does, with everything in memory and one configuration at a time."""
    rows = [row for shard in shards for row in shard.table.to_dict("records")]
    frames = {name: atoms for shard in shards for name, atoms in zip(shard.table["id"], shard.frames, strict=True)}
    table = pd.DataFrame(sorted(rows, key=lambda row: row["id"])).reindex(columns=shards[0].table.columns)
    table = table.astype(shards[0].table.dtypes)
    whole = ConfigurationSet([frames[name] for name in table["id"]], table, attributes)
    whole.table["role"] = whole.table["dataset"].map(roles).astype(str)
    whole.table = mark_duplicates(whole.table)
    return whole


@given(
    seed=st.integers(0, 1000), sizes=st.lists(st.integers(0, 5), min_size=1, max_size=3), resolved=st.floats(0.0, 1.0)
)
@settings(reproducible, max_examples=12)
def test_merged_shards_are_the_whole_byte_by_byte(tmp_path_factory, seed, sizes, resolved):
    """Shards of rows drawn at random: in the worst case no two neighbours of the whole come from one shard."""
    folder = tmp_path_factory.mktemp("set")
    rng = np.random.default_rng(seed)
    whole = random_set(seed, sum(sizes))
    for atoms in whole.frames:
        if rng.random() < resolved:
            atoms.set_array("site_entropy", rng.normal(size=len(atoms)))
    order = rng.permutation(len(whole))
    shards = [whole.subset(order[stop - size : stop]) for size, stop in zip(sizes, np.cumsum(sizes), strict=True)]
    for number, shard in enumerate(shards):
        shard.attributes["seed"] = number
        shard.save(folder / f"{number}.h5")
    paths = [folder / f"{number}.h5" for number in range(len(shards))]
    shared = {"config_hash": "abc", "vector": whole.attributes["vector"], "units": "Å"}
    if len(shards) == 1:
        shared["seed"] = 0
    expected = in_memory(shards, {"train": "test"}, **shared)
    labelled = np.flatnonzero(expected.table["status"] == "labelled")
    if len(labelled):
        expected.attributes["element"] = expected.frames[labelled[0]].symbols[0]
    table = merge(paths, folder / "merged.h5", {"train": "test"}, units="Å")
    pd.testing.assert_frame_equal(table, expected.table)
    expected.save(folder / "expected.h5")
    assert (folder / "merged.h5").read_bytes() == (folder / "expected.h5").read_bytes()
    write_extxyz(folder / "merged.extxyz", stored_frames(folder / "merged.h5"), table)
    expected.to_extxyz(folder / "expected.extxyz")
    assert (folder / "merged.extxyz").read_bytes() == (folder / "expected.extxyz").read_bytes()


@given(seed=st.integers(0, 1000))
@settings(reproducible, max_examples=5)
def test_rows_of_a_file_are_those_of_the_set(tmp_path_factory, seed):
    path = tmp_path_factory.mktemp("set") / "set.h5"
    whole = random_set(seed, 9)
    whole.frames[4].set_array("site_entropy", np.ones(len(whole.frames[4])))
    whole.save(path)
    rng = np.random.default_rng(seed)
    for rows in (rng.permutation(9)[:5], rng.random(9) < 0.5, [], [3, 4, 5, 8]):
        assert_same(ConfigurationSet.load(path, rows), whole.subset(rows))
    pd.testing.assert_frame_equal(load_table(path), whole.table)


def test_memory_of_a_merge_is_that_of_a_shard(tmp_path):
    atoms = Atoms(numbers=[26] * 5000, positions=np.arange(15000.0).reshape(-1, 3), cell=np.eye(3), pbc=True)
    paths = [tmp_path / f"{number}.h5" for number in range(10)]
    for number, path in enumerate(paths):
        # Every shard has a configuration in every part of the whole.
        ids = [f"{place:03d}/{number:03d}" for place in range(20)]
        ConfigurationSet([atoms] * 20, pd.DataFrame({"id": ids, "dataset": "a"})).save(path)
    tracemalloc.start()
    merge(paths, tmp_path / "merged.h5", {"a": "train"})
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert (tmp_path / "merged.h5").stat().st_size > 200 * 5000 * 24
    # A shard as it is read and copied, and tables.
    assert peak < 4.5 * 20 * 5000 * 32


def test_a_merge_reads_each_shard_once_and_leaves_nothing_else(tmp_path, monkeypatch):
    for number in range(3):
        random_set(number, 4, dataset=str(number)).save(tmp_path / f"{number}.h5")
    opened = []
    monkeypatch.setattr(hdf5, "check_heaps", lambda path: opened.append(path.name))
    sources = [tmp_path / f"{number}.h5" for number in range(3)]
    merge(sources, tmp_path / "merged.h5", {str(number): "train" for number in range(3)})
    assert opened == ["0.h5", "1.h5", "2.h5"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["0.h5", "1.h5", "2.h5", "merged.h5"]


def test_merge_keeps_what_is_shared_and_refuses_repeated_ids(tmp_path):
    for name, one in {
        "first": random_set(1, 4),
        "second": random_set(2, 3, dataset="test"),
        "again": random_set(2, 3),
    }.items():
        one.save(tmp_path / f"{name}.h5")
    first, second, again = (tmp_path / f"{name}.h5" for name in ("first", "second", "again"))
    table = merge([first, second], tmp_path / "both.h5", {"train": "train", "test": "test"})
    both = ConfigurationSet.load(tmp_path / "both.h5")
    assert set(both.attributes) == {"config_hash", "element"}
    assert load_element(tmp_path / "both.h5") == both.attributes["element"]
    with pytest.raises(DataError, match=r"first.h5.*no element"):
        load_element(first)
    assert set(groups(table)) == {"train/I2-0", "train/I2-1", "test/I2-0"}
    with pytest.raises(DataError, match="train/I2-0/0000"):
        merge([first, again], tmp_path / "none.h5", {"train": "train"})
    with pytest.raises(DataError, match="no data sets"):
        merge([], tmp_path / "none.h5", {})
    assert not (tmp_path / "none.h5").exists()


def test_extended_xyz_opens_in_ase_with_the_row(tmp_path):
    one = random_set(5, 6)
    one.table["formation_entropy"] = [3.25] + 5 * [np.nan]
    one.to_extxyz(tmp_path / "set.xyz")
    frames = ase.io.read(tmp_path / "set.xyz", ":")
    assert len(frames) == len(one)
    for frame, atoms, (_, row) in zip(frames, one.frames, one.table.iterrows(), strict=True):
        np.testing.assert_array_equal(frame.numbers, atoms.numbers)
        np.testing.assert_allclose(frame.positions, atoms.positions, atol=5.1e-9)
        np.testing.assert_allclose(frame.cell, atoms.cell, rtol=1e-12)
        np.testing.assert_array_equal(frame.pbc, atoms.pbc)
        assert frame.get_potential_energy() == pytest.approx(row["energy"], rel=1e-12)
        assert frame.info["id"] == row["id"]
        assert frame.info.get("reason", "") == row["reason"]
        assert frame.info["large"] == row["large"]
    assert frames[0].info["formation_entropy"] == 3.25
    assert "formation_entropy" not in frames[1].info


def brute_force_duplicates(table, energy_tolerance, entropy_tolerance):
    """The definition, word by word: quadratic, no sorting by energy."""
    # Rows without an energy keep what they come with.
    result = {row["id"]: row["duplicate_of"] if np.isnan(row["energy"]) else "" for row in table.to_dict("records")}
    rows = sorted(table.to_dict("records"), key=lambda row: row["id"])
    representatives = []
    for row in rows:
        if row["status"] != "labelled" or np.isnan(row["energy"]) or np.isnan(row["formation_entropy"]):
            continue
        for other in representatives:
            if (
                row["n_atoms"] == other["n_atoms"]
                and row["n_sites"] == other["n_sites"]
                and abs(row["energy"] - other["energy"]) <= energy_tolerance
                and abs(row["formation_entropy"] - other["formation_entropy"]) <= entropy_tolerance
            ):
                result[row["id"]] = other["id"]
                break
        else:
            representatives.append(row)
    return result


@given(seed=st.integers(0, 10_000), n_rows=st.integers(0, 40))
@reproducible
def test_duplicates_follow_the_definition_in_any_order(seed, n_rows):
    rng = np.random.default_rng(seed)
    table = complete_table(
        pd.DataFrame(
            {
                "id": [f"train/{number:02d}" for number in range(n_rows)],
                "defect_class": rng.choice(["I2", "C15-I2"], n_rows),
                "n_atoms": rng.choice([54, 56], n_rows),
                "n_sites": rng.choice([54, 128], n_rows),
                # Binary fractions: sums and differences are exact, so "within" has no rounding in it.
                "energy": rng.choice([0.0, 0.125, 0.25, 0.375, 1.0, np.nan], n_rows),
                "formation_entropy": rng.choice([0.0, 0.5, 1.0, 1.5, np.nan], n_rows),
                "status": rng.choice(["labelled", "labelled", "labelled", "saddle"], n_rows),
                "duplicate_of": "given",
            }
        )
    )
    marked = mark_duplicates(table, 0.125, 0.5)
    assert dict(zip(marked["id"], marked["duplicate_of"], strict=True)) == brute_force_duplicates(table, 0.125, 0.5)
    assert (table["duplicate_of"] == "given").all()
    shuffled = mark_duplicates(table.sample(frac=1, random_state=seed), 0.125, 0.5).sort_values("id")
    pd.testing.assert_frame_equal(shuffled.reset_index(drop=True), marked)


def test_duplicates_do_not_chain():
    table = complete_table(
        pd.DataFrame(
            {
                "id": ["a", "b", "c"],
                "status": "labelled",
                "energy": [0.0, 0.8e-4, 1.6e-4],
                "formation_entropy": [2.0, 2.0, 2.0],
            }
        )
    )
    marked = mark_duplicates(table)
    assert list(marked["duplicate_of"]) == ["", "a", ""]
    assert list(usable(marked)) == [True, False, True]
    assert list(usable(marked, exclude_duplicates=False)) == [True, True, True]
    assert list(usable(marked.assign(status=["labelled", "saddle", "rejected"]))) == [True, False, False]


def test_many_repeats_take_seconds_at_most():
    rng = np.random.default_rng(0)
    basins = rng.normal(size=(2000, 2))
    values = basins[rng.integers(0, len(basins), 30_000)] + rng.uniform(-1e-5, 1e-5, (30_000, 2))
    table = complete_table(
        pd.DataFrame({"status": "labelled", "energy": values[:, 0], "formation_entropy": values[:, 1]})
    )
    marked = mark_duplicates(table)
    assert (marked["duplicate_of"] == "").sum() == len(basins)


def test_collected_shards_do_not_depend_on_their_order():
    shards = [random_set(seed, 7, dataset=name) for seed, name in enumerate(["train", "small", "large"])]
    for shard in shards:
        shard.table["formation_entropy"] = 1.0
        shard.table.loc[[2, 5], "status"] = "labelled"
        shard.table.loc[[2, 5], "energy"] = 0.5
        shard.table.loc[[2, 5], "n_atoms"] = 3
    roles = {"train": "train", "small": "test", "large": "test"}
    one = collect([shard.table for shard in shards], roles)
    pd.testing.assert_frame_equal(one, collect([shard.table for shard in shards[::-1]], roles))
    assert list(one["id"]) == sorted(one["id"])
    assert set(one["role"][one["dataset"] == "small"]) == {"test"}
    # One number of atoms and of sites, whatever the data set: all but the first of the training repeat it.
    alike = one[one["energy"] == 0.5].set_index("id")["duplicate_of"]
    first = alike.index[alike.index.str.startswith("train")][0]
    assert alike[first] == ""
    assert list(alike.drop(first)) == [first] * 5

    counts = outcomes(one)
    assert list(counts["dataset"]) == ["large", "small", "train"]
    assert list(counts["configurations"]) == [7, 7, 7]
    assert list(counts[list(Status)].sum(axis=1)) == [7, 7, 7]
    assert list(counts["duplicates"]) == [2, 2, 1]
    assert counts["saddle"].sum() == (one["status"] == "saddle").sum()


def test_a_test_configuration_never_pushes_out_the_training_one_that_it_repeats():
    table = complete_table(
        pd.DataFrame(
            {
                "id": ["atest/a/00", "train/b/00"],
                "role": ["test", "train"],
                "defect_class": "V2",
                "n_sites": 250,
                "status": "labelled",
                "energy": -1.0,
                "formation_entropy": 5.0,
            }
        )
    )
    assert list(mark_duplicates(table)["duplicate_of"]) == ["train/b/00", ""]


def test_a_data_set_without_any_label_is_named_with_its_first_reason():
    table = complete_table(
        pd.DataFrame(
            {
                "id": ["train/a/00", "test/b/00", "test/b/01"],
                "dataset": ["train", "test", "test"],
                "status": ["labelled", "rejected", "saddle"],
                "reason": ["", "exploded", "negative"],
            }
        )
    )
    with pytest.raises(DataError, match="^test: none of its 2 configurations .* test/b/00 is rejected: exploded$"):
        check_labelled(table)
    check_labelled(table[table["dataset"] == "train"])


def test_site_entropies_survive_files_and_only_where_there_are_any(tmp_path):
    whole = random_set(3, 4)
    whole.frames[2].set_array("site_entropy", np.linspace(-1, 1, len(whole.frames[2])))
    whole.save(tmp_path / "set.h5")
    loaded = ConfigurationSet.load(tmp_path / "set.h5").subset([0, 2])
    assert not loaded.frames[0].has("site_entropy")
    np.testing.assert_array_equal(loaded.frames[1].arrays["site_entropy"], whole.frames[2].arrays["site_entropy"])
    loaded.to_extxyz(tmp_path / "set.extxyz")
    (_, read) = ase.io.read(tmp_path / "set.extxyz", ":")
    np.testing.assert_allclose(read.arrays["site_entropy"], whole.frames[2].arrays["site_entropy"], atol=1e-8)
