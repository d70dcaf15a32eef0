"""Shards become one set, whatever their order."""

import tracemalloc

import numpy as np
import pandas as pd
import pytest
from ase import Atoms
from hypothesis import given, settings
from hypothesis import strategies as st
from random_sets import random_set, reproducible

from vibentropy.datasets.duplicates import mark_duplicates
from vibentropy.datasets.export import write_extxyz
from vibentropy.datasets.merge import merge, merge_tables
from vibentropy.datasets.store import ConfigurationSet, load_element, stored_frames
from vibentropy.datasets.table import Status, complete_table, groups, outcomes
from vibentropy.errors import DataError
from vibentropy.files import hdf5


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
        symbols = {symbol for row in labelled for symbol in expected.frames[row].symbols}
        expected.attributes["element"] = "-".join(sorted(symbols))
    table = merge(paths, folder / "merged.h5", {"train": "test"}, units="Å")
    pd.testing.assert_frame_equal(table, expected.table)
    expected.save(folder / "expected.h5")
    assert (folder / "merged.h5").read_bytes() == (folder / "expected.h5").read_bytes()
    write_extxyz(folder / "merged.extxyz", stored_frames(folder / "merged.h5"), table)
    expected.to_extxyz(folder / "expected.extxyz")
    assert (folder / "merged.extxyz").read_bytes() == (folder / "expected.extxyz").read_bytes()


@pytest.mark.slow
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


def test_collected_shards_do_not_depend_on_their_order():
    shards = [random_set(seed, 7, dataset=name) for seed, name in enumerate(["train", "small", "large"])]
    for shard in shards:
        shard.table["formation_entropy"] = 1.0
        shard.table.loc[[2, 5], "status"] = "labelled"
        shard.table.loc[[2, 5], "energy"] = 0.5
        shard.table.loc[[2, 5], "n_atoms"] = 3
    roles = {"train": "train", "small": "test", "large": "test"}
    one = merge_tables([shard.table for shard in shards], roles)
    pd.testing.assert_frame_equal(one, merge_tables([shard.table for shard in shards[::-1]], roles))
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
