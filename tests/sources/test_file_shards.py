"""Files cut into shards: each frame once, and no more shards touched than need be."""

import re
from math import isnan

import ase.db
import ase.io
import numpy as np
import pytest
from labelled_files import COUNTED, FORMATION, concatenate, defective_cells, perfect, write_many

from vibentropy.atoms import reading
from vibentropy.sources import file_shards as shards_module
from vibentropy.sources.source import source_of


@pytest.mark.parametrize("name", COUNTED)
def test_shards_are_the_whole_whatever_their_size(name, write, tmp_path):
    specification = write(defective_cells()) | {"files": [name], "entropy": None}
    write_many(tmp_path)
    whole = source_of("mine", specification).read()
    for size in (3, 7):
        named = source_of("mine", specification).shards(size)
        parts = [source_of("mine", specification).read(parts) for parts in named.values()]
        assert max(map(len, parts)) <= size
        assert len(named) == -(-7 // size)
        assert all(re.fullmatch(r"[A-Za-z0-9_.+-]+", shard) for shard in named)
        together = concatenate(parts)
        assert together.table.equals(whole.table)
        for one, other in zip(together.frames, whole.frames, strict=True):
            np.testing.assert_array_equal(one.positions, other.positions)


def test_a_file_more_changes_one_shard_and_a_list_in_another_order_none(write, tmp_path):
    specification = write(defective_cells()[:1])
    one_frame, seven = (tmp_path / "a.xyz").read_text(), (tmp_path / "a.xyz").read_text() * 7
    names = [f"{k % 7}/é {k}.xyz" for k in range(30)] + ["7/long.xyz"]
    for k in range(8):
        (tmp_path / str(k)).mkdir()
    for name in names:
        (tmp_path / name).write_text(seven if "long" in name else one_frame)
    size = 5
    before = source_of("mine", specification | {"files": names}).shards(size)
    assert source_of("mine", specification | {"files": names[::-1]}).shards(size) == before
    assert sorted(path for parts in before.values() for path, *_ in parts) == sorted([*names, "7/long.xyz"])
    assert len(before) <= 2 * 37 / size
    for number in range(5):
        (tmp_path / f"3/new {number}.xyz").write_text(one_frame)
        after = source_of("mine", specification | {"files": [*names[:15], f"3/new {number}.xyz", *names[15:]]}).shards(
            size
        )
        lost = [parts for parts in before.values() if parts not in after.values()]
        assert len(lost) <= 1
        assert sum(len(parts) for parts in after.values() if parts not in before.values()) <= size + 1
    (tmp_path / "3/new long.xyz").write_text(seven)
    after = source_of("mine", specification | {"files": [*names, "3/new long.xyz"]}).shards(size)
    assert before.items() <= after.items()
    assert len(after) == len(before) + 2


def test_a_job_counts_only_what_could_be_in_its_shard(write, tmp_path, monkeypatch):
    specification = write(defective_cells())
    names = [f"{k}.xyz" for k in range(32)]
    for name in names:
        (tmp_path / name).write_text((tmp_path / "a.xyz").read_text() if name == "0.xyz" else "1\n\nFe 0 0 0\n")
    specification |= {"files": names}
    counted = []
    monkeypatch.setattr(shards_module, "count", lambda path, _: counted.append(path) or reading.count(path))
    for shard, parts in source_of("mine", specification).shards(3).items():
        counted.clear()
        assert source_of("mine", specification).content(shard, 3) == parts
        assert len(counted) <= 4 if shard.startswith("files") else not counted


@pytest.mark.parametrize("name", COUNTED)
def test_sizes_are_those_of_what_is_read(name, write, tmp_path):
    specification = write(defective_cells()) | {"files": [name], "entropy": None}
    write_many(tmp_path)
    for size in (3, 50):
        found = source_of("mine", specification).amounts(size)
        for shard, parts in source_of("mine", specification).shards(size).items():
            assert (found[shard].configurations, found[shard].sites) == (
                len(source_of("mine", specification).read(parts)),
                16,
            )
    # Given entropies may belong to cells of other sizes than the reference: the first configuration is one short.
    (whole,) = source_of("mine", specification | {"entropy": FORMATION}).amounts(50).values()
    assert (whole.configurations, whole.sites) == (7, 15)
    (whole,) = source_of("mine", specification | {"entropy": FORMATION | {"kind": "total"}}).amounts(50).values()
    assert whole.sites == 16


def test_a_file_is_counted_once_as_long_as_it_stays_the_same(write, tmp_path, monkeypatch):
    specification, counted = write(defective_cells()), []
    monkeypatch.setattr(shards_module, "count", lambda path, _: counted.append(path) or reading.count(path))
    for _ in range(2):
        assert [size.configurations for size in source_of("mine", specification).amounts(3).values()] == [3, 1]
        source_of("mine", specification).shards(3)
    assert counted == ["a.xyz"]
    write(defective_cells()[:2])
    assert [size.configurations for size in source_of("mine", specification).amounts(3).values()] == [2]


def test_files_that_cannot_be_counted_are_read_as_a_whole(write, tmp_path):
    specification = write(defective_cells(), entropy=None) | {"format": "cif"}
    ase.io.write("bulk.extxyz", perfect(), format="cif")
    for name in ("small.cif", "large.cif"):
        ase.io.write(name, [defective_cells()[0]] * 2, format="cif")
    (tmp_path / "large.cif").write_text((tmp_path / "large.cif").read_text() + "# comment\n" * 40_000)
    specification |= {"files": ["small.cif", "large.cif"]}
    whole, alone = sorted(source_of("mine", specification).shards(3))
    assert whole == "files"
    assert alone.startswith("large.cif-")
    assert all(isnan(size.configurations) for size in source_of("mine", specification).amounts(3).values())
    assert isnan(next(iter(source_of("mine", specification | {"entropy": FORMATION}).amounts(3).values())).sites)
    assert source_of("mine", specification).content(alone, 3) == [["large.cif", "large.cif"]]
    assert len(source_of("mine", specification).read([["small.cif", "small.cif"]])) == 2
