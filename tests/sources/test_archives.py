"""Archives give back what was written, to 1e-7 Å, whole or in parts."""

import h5py
import numpy as np
import pandas as pd
import pytest
from ase.geometry import find_mic

from vibentropy.atoms.crystal import Crystal
from vibentropy.datasets.store import ConfigurationSet
from vibentropy.errors import DataError, StructureError
from vibentropy.sources import archives
from vibentropy.sources.random_alloys import RandomCells
from vibentropy.sources.source import source_of

IRON = Crystal("Fe", "bcc", 2.8553125)


def test_round_trip_to_the_resolution(configurations, path):
    read = archives.read_archive(path, "made")
    pd.testing.assert_frame_equal(read.table, configurations.table)
    for one, other in zip(read.frames, configurations.frames, strict=True):
        np.testing.assert_array_equal(one.cell, other.cell)
        np.testing.assert_array_equal(one.numbers, other.numbers)
        assert one.pbc.all()
        difference, _ = find_mic(one.positions - other.positions, other.cell, pbc=True)
        assert np.abs(difference).max() <= 0.5001e-7
    np.testing.assert_allclose(
        read.frames[2].arrays["site_entropy"], configurations.frames[2].arrays["site_entropy"], rtol=1e-7
    )
    assert not read.frames[0].has("site_entropy")
    assert archives.read_header(path).crystal == IRON


def test_crystals_of_hcp_come_back(configurations, tmp_path):
    magnesium = Crystal("Mg", "hcp", 3.184, 1.628)
    frames = [magnesium.cell((3, 2, 2))[1:] for _ in range(2)]
    for frame in frames:
        frame.rattle(0.1, seed=1)
    table = configurations.table[:2].assign(repetitions="3x2x2", n_sites=48, id=["made/a/00", "made/a/01"])
    archives.write_archive(tmp_path / "hcp.h5", ConfigurationSet(frames, table), magnesium)
    assert archives.read_header(tmp_path / "hcp.h5").crystal == magnesium
    for one, other in zip(archives.read_archive(tmp_path / "hcp.h5", "made").frames, frames, strict=True):
        difference, _ = find_mic(one.positions - other.positions, other.cell, pbc=True)
        assert np.abs(difference).max() <= 0.5001e-7


def test_rounding_is_what_reading_gives(configurations, path):
    for one, other in zip(
        archives.rounded(configurations, IRON).frames, archives.read_archive(path, "x").frames, strict=True
    ):
        np.testing.assert_array_equal(one.positions, other.positions)


def test_the_layout_is_the_documented_one(configurations, path):
    with h5py.File(path) as file:
        assert dict(file.attrs)["seed"] == 3
        a, b = file["first"][2:4]
        positions = file["sites/2x3x4"][:][file["site"][a:b]] @ file["cells"][2] + 1e-7 * file["displacement"][a:b]
    difference, _ = find_mic(positions - configurations.frames[2].positions, configurations.frames[2].cell, pbc=True)
    assert np.abs(difference).max() < 1e-7


def test_the_same_content_gives_the_same_bytes(configurations, path, tmp_path):
    archives.write_archive(tmp_path / "again.h5", configurations, IRON, seed=3)
    assert path.read_bytes() == (tmp_path / "again.h5").read_bytes()
    # What was read is written again without loss.
    archives.write_archive(tmp_path / "third.h5", archives.read_archive(path, "made"), IRON, seed=3)
    assert path.read_bytes() == (tmp_path / "third.h5").read_bytes()


def test_parts_by_class_and_by_shard_are_the_whole(path):
    whole = archives.read_archive(path, "mine")
    assert list(whole.table["id"][:1]) == ["mine/3x3x3-X-0000/00"]
    assert set(whole.table["dataset"]) == {"mine"}
    named = source_of("a", {"archive": path, "classes": None}).shards(1)
    assert named == {"000": [0, 2], "001": [2, 3], "002": [3, 4]}
    parts = [archives.read_archive(path, "mine", rows=rows) for rows in named.values()]
    assert [name for part in parts for name in part.table["id"]] == whole.table["id"].tolist()
    vacancies = archives.read_archive(path, "mine", classes=["V1"])
    assert vacancies.table["defect_class"].tolist() == ["V1", "V1"]
    assert source_of("a", {"archive": path, "classes": ["I1"]}).shards(5) == {"000": [0, 2]}
    (only,) = archives.read_archive(path, "mine", classes=["I1"], rows=(1, 2)).table["id"]
    assert only == whole.table["id"][3]


def test_rows_are_a_part(path):
    whole = archives.read_archive(path, "mine").table["id"].tolist()
    for rows in ([1, 3], (0, 4, 2), np.array([1, 2])):
        assert archives.read_archive(path, "mine", rows=rows).table["id"].tolist() == whole[slice(*rows)]
    for rows in (range(0, 10, 2), [1], ["a", "b"], [0, 4, 0]):
        with pytest.raises(DataError, match=r"^rows == .*expected \[first, one after the last\] or"):
            archives.read_archive(path, "mine", rows=rows)


def test_repeats_are_read_with_the_atoms_of_what_they_repeat(configurations, path, with_repeats):
    distinct = archives.read_archive(with_repeats, "made")
    assert distinct.table["id"].tolist() == configurations.table["id"].tolist()
    assert with_repeats.stat().st_size < path.stat().st_size + 50_000
    mine = archives.read_archive(with_repeats, "mine", repeats=True)
    assert mine.table["id"].tolist() == [
        "mine/2x3x4-X-0001/01",
        "mine/2x3x4-X-0001/02",
        "mine/3x3x3-X-0000/00",
        "mine/3x3x3-X-0000/01",
        "mine/3x3x3-X-0001/03",
        "mine/3x3x3-X-0001/04",
    ]
    assert mine.table["duplicate_of"].tolist() == ["mine/3x3x3-X-0000/00", "", "", "", "", "mine/3x3x3-X-0001/03"]
    for one, other in ((0, 2), (5, 4)):
        np.testing.assert_array_equal(mine.frames[one].positions, mine.frames[other].positions)
    assert mine.table["energy"].iloc[[0, 5]].tolist() == [1.5, 2.5]
    vacancies = archives.read_archive(with_repeats, "mine", classes=["V1"], rows=(0, 2), repeats=True)
    assert vacancies.table["id"].tolist() == mine.table["id"].iloc[[0, 2]].tolist()


def test_no_minimum_may_have_occurred_again(configurations, tmp_path):
    archives.write_archive(tmp_path / "none.h5", configurations, IRON, configurations.table[:0])
    whole = archives.read_archive(tmp_path / "none.h5", "made", repeats=True)
    pd.testing.assert_frame_equal(whole.table, archives.read_archive(tmp_path / "none.h5", "made").table)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"n_atoms": 5}, "made/new repeats made/3x3x3-X-0000/00, but its n_atoms is 5, expected 53"),
        ({"status": "saddle"}, "its status is saddle, expected labelled"),
        ({"dataset": "other"}, "its dataset is other, expected made"),
        ({"id": "made/3x3x3-X-0001/03"}, "made/3x3x3-X-0001/03 is there twice, expected unique ids"),
    ],
)
def test_repeats_that_are_something_else_are_refused(configurations, tmp_path, changes, message):
    row = {"id": "made/new", "duplicate_of": "made/3x3x3-X-0000/00"} | changes
    with pytest.raises(DataError, match=message):
        archives.write_archive(tmp_path / "x.h5", configurations, IRON, configurations.table.iloc[[0]].assign(**row))
    assert not (tmp_path / "x.h5").exists()


def test_repeats_of_nothing_are_refused(configurations, tmp_path):
    stranger = configurations.table.iloc[[0]].assign(id="made/x/00", duplicate_of="made/y/00")
    with pytest.raises(DataError, match="made/x/00 repeats made/y/00, expected one of the minima"):
        archives.write_archive(tmp_path / "x.h5", configurations, IRON, stranger)
    assert not (tmp_path / "x.h5").exists()


def test_what_cannot_be_archived_or_read_is_refused(configurations, path, tmp_path):
    with pytest.raises(DataError, match=r"no class 'V2'.*there are I1, V1"):
        archives.read_archive(path, "mine", classes=["V2"])
    with pytest.raises(DataError, match="without a column 'repetitions'"):
        archives.write_archive(
            tmp_path / "x.h5",
            ConfigurationSet(configurations.frames, configurations.table.drop(columns="repetitions")),
            IRON,
        )
    saddle = configurations.subset([0, 1])
    saddle.table.loc[1, "status"] = "saddle"
    with pytest.raises(DataError, match="made/3x3x3-X-0000/01 is saddle"):
        archives.write_archive(tmp_path / "x.h5", saddle, IRON)
    assert not (tmp_path / "x.h5").exists()
    with pytest.raises(StructureError, match="holds Fe where only Cu is expected"):
        archives.write_archive(tmp_path / "x.h5", configurations, Crystal("Cu", "bcc", 2.8553125))
    with pytest.raises(DataError, match="54 sites are not 3x3x3 unit cells of fcc"):
        archives.write_archive(tmp_path / "x.h5", configurations, Crystal("Fe", "fcc", 3.6))
    with pytest.raises(DataError, match="nothing to archive"):
        archives.write_archive(tmp_path / "x.h5", configurations.subset([]), IRON)
    assert not (tmp_path / "x.h5").exists()
    configurations.save(tmp_path / "set.h5")
    with pytest.raises(DataError, match="of kind 'configurations', schema 1; expected 'archive'"):
        archives.read_archive(tmp_path / "set.h5", "mine")


def test_damaged_archives_are_named(path):
    with h5py.File(path, "r+") as file:
        del file["displacement"]
    with pytest.raises(DataError, match=r"set\.h5: damaged \(KeyError"):
        archives.read_archive(path, "mine")
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    with pytest.raises(DataError, match=r"set\.h5: not a complete HDF5 file"):
        archives.read_archive(path, "mine")


class TestAlloys:
    @pytest.fixture
    def alloy(self, configurations):
        """The same cells with some chromium in them, and the crystal with one atom of it, relaxed."""
        frames = [atoms.copy() for atoms in configurations.frames]
        for number, atoms in enumerate(frames):
            atoms.symbols[number : 2 * number] = "Cr"
        solute = IRON.cell(2)
        solute.symbols[3] = "Cr"
        solute.rattle(0.01, seed=3)
        return ConfigurationSet(frames, configurations.table), solute

    def test_round_trip(self, alloy, tmp_path):
        configurations, solute = alloy
        paths = [tmp_path / name for name in ("alloy.h5", "again.h5")]
        for path in paths:
            archives.write_archive(path, configurations, IRON, others=[solute], seed=3)
        assert paths[0].read_bytes() == paths[1].read_bytes()
        read = archives.read_archive(paths[0], "made", rows=[1, 4])
        for one, other in zip(read.frames, configurations.frames[1:], strict=True):
            np.testing.assert_array_equal(one.numbers, other.numbers)
        header = archives.read_header(paths[0])
        assert header.crystal == IRON
        (other,) = header.others
        assert other == solute
        source = source_of("a", {"archive": str(paths[0])})
        assert source.others() == [solute]
        assert source.alloyed() == ("Fe", "Cr")

    def test_one_element_has_no_further_data(self, path):
        with h5py.File(path) as file:
            assert not {"numbers", "others"} & set(file)
        assert archives.read_header(path).others == ()
        source = source_of("a", {"archive": str(path)})
        assert not source.own_crystals
        assert source.others() == []
        assert source.alloyed() == ()

    def test_an_element_without_a_reference(self, alloy, tmp_path):
        configurations, solute = alloy
        with pytest.raises(StructureError, match="holds Cr where only Fe is expected"):
            archives.write_archive(tmp_path / "alloy.h5", configurations, IRON)
        solute.symbols[3] = "P"
        with pytest.raises(StructureError, match="holds Cr where Fe and P are expected"):
            archives.write_archive(tmp_path / "alloy.h5", configurations, IRON, others=[solute])

    def test_random_cells(self, alloy, tmp_path):
        configurations, _ = alloy
        configurations.table["seed"] = [7, 4, 6, 9]
        cells = {"3x3x3": [], "2x3x4": [], "9x9x9": []}
        for number in range(3):
            for size, found in cells.items():
                found.append(IRON.cell([int(n) for n in size.split("x")]))
                found[-1].symbols[number::3] = "Cr"
                found[-1].rattle(0.1, seed=number)
        random, chromium, path = RandomCells(cells), Crystal("Cr", "bcc", 2.88).cell(2), tmp_path / "random.h5"
        archives.write_archive(path, configurations, IRON, others=[chromium], random=random)
        source = source_of("a", {"archive": str(path)})
        assert source.own_crystals
        assert source.alloyed() == ("Cr", "Fe")
        perfect = source.perfect()
        # Each once, whatever the number of configurations, and none of other sizes; the smallest size first.
        assert {size: len(found) for size, found in perfect.cells.items()} == {"2x3x4": 3, "3x3x3": 3}
        assert source.unstrained() == cells["2x3x4"][0]
        read = source.read().table.to_dict("records")
        for row, (size, number) in zip(read, [("3x3x3", 1), ("3x3x3", 1), ("2x3x4", 0), ("3x3x3", 0)], strict=True):
            assert perfect(row) == random(row) == cells[size][number]
        with pytest.raises(DataError, match="no random cell of 2x3x4 unit cells, only of 3x3x3"):
            archives.write_archive(
                path, configurations, IRON, others=[chromium], random=RandomCells({"3x3x3": cells["3x3x3"]})
            )

    def test_repeats_beside_another_random_cell(self, alloy, tmp_path):
        configurations, _ = alloy
        configurations.table["seed"] = 0
        cells = [IRON.cell(3) for _ in range(2)]
        for number, atoms in enumerate(cells):
            atoms.symbols[number::2] = "Cr"
        random = RandomCells({"3x3x3": cells, "2x3x4": cells})
        repeats = configurations.table.iloc[[0]].assign(
            id="made/3x3x3-X-0009/00", duplicate_of=configurations.table["id"][0], seed=1
        )
        chromium = Crystal("Cr", "bcc", 2.88).cell(2)
        with pytest.raises(DataError, match="made/3x3x3-X-0009/00 repeats .* another cell of the random alloy"):
            archives.write_archive(tmp_path / "x.h5", configurations, IRON, repeats, others=[chromium], random=random)
        repeats["seed"] = 2
        archives.write_archive(tmp_path / "x.h5", configurations, IRON, repeats, others=[chromium], random=random)
        assert len(archives.read_archive(tmp_path / "x.h5", "made", repeats=True)) == 5

    def test_numbers_of_another_length(self, alloy, tmp_path):
        archives.write_archive(tmp_path / "alloy.h5", alloy[0], IRON, others=[alloy[1]])
        with h5py.File(tmp_path / "alloy.h5", "a") as file:
            numbers = file["numbers"][:-1]
            del file["numbers"]
            file["numbers"] = numbers
        with pytest.raises(DataError, match="alloy.h5.* atoms in /numbers"):
            archives.read_archive(tmp_path / "alloy.h5", "made")
