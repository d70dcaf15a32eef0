"""Parts of files are what ASE reads there."""

import time
from itertools import accumulate
from pathlib import Path

import ase.db
import ase.io
import numpy as np
import pytest
from labelled_files import COUNTED, write_many

from vibentropy.atoms import reading, reading_in_parts
from vibentropy.errors import DataError


@pytest.mark.parametrize("name", COUNTED)
def test_parts_of_a_file_are_what_ase_reads_there(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_many(tmp_path)
    # Frames of the file begin and end in other blocks.
    monkeypatch.setattr(reading, "_BLOCK", 333)
    whole = list(ase.io.iread(name, index=":"))
    assert reading.count(name) == len(whole) == 7
    for start, stop in [(0, 3), (3, 6), (6, 7), (2, 3), (0, None)]:
        part = list(reading.read_frames(name, None, start, stop))
        assert len(part) == len(whole[start:stop])
        for read, atoms in zip(part, whole[start:stop], strict=True):
            np.testing.assert_array_equal(read.positions, atoms.positions)
            np.testing.assert_array_equal(read.cell[:], atoms.cell[:])
    with pytest.raises(DataError, match=rf"^{name}: holds 7 configurations, and 9 were counted before"):
        list(reading.read_frames(name, None, 6, 9))


@pytest.mark.parametrize("block", [1, 7, 64, 1 << 20])
def test_frames_are_found_whatever_the_lines(block, tmp_path, monkeypatch):
    """Beside the lines as Python splits them: long ones, empty ones, cell vectors after the atoms, no end."""
    monkeypatch.setattr(reading, "_BLOCK", block)
    frames = [
        "2\n\nFe 0 0 0\nFe 1 1 1\n",
        " 1 \nshort\nFe 0 0 0\nVEC1 1 0 0\n VEC2 0 1 0\n",
        f"1\n{'x' * 999}\nFe 0 0 0",
    ]
    path = tmp_path / "a.xyz"
    for last in ("", "\n", "\n\n", "\n\nanything at all"):
        path.write_text("".join(frames) + last)
        starts = [0, *accumulate(map(len, frames))]
        starts[-1] += bool(last)
        assert reading._offsets_of_xyz(path) == starts
        assert reading._offsets_of_xyz(path, 2) == starts[:3]
    path.write_text(frames[0] + "3\n\nFe 0 0 0\nFe 1 1 1")
    with pytest.raises(DataError, match="frame 1: line 5 counts 3 atoms, and 2 lines follow that of the properties"):
        reading.count(path)


def test_counting_is_much_faster_than_reading(tmp_path):
    """As a ratio: counting looks at the first line of each frame and at no atom."""
    path, frames = tmp_path / "a.xyz", 300
    frame = '1024\nLattice="23 0 0 0 23 0 0 0 23"\n' + "Fe       1.12345678      10.12345678      20.12345678\n" * 1024
    path.write_text(frame * frames)
    start = time.process_time()
    assert reading.count(path, "extxyz") == frames
    counted = (time.process_time() - start) / frames
    start = time.process_time()
    assert len(ase.io.read(path, index=":10")) == 10
    read = (time.process_time() - start) / 10
    print(f"a frame of 1024 atoms is counted in {1e6 * counted:.0f} µs and read in {1e6 * read:.0f} µs")
    assert counted < read / 20


def of_types(numbers, lattice=' Lattice="2.86 0 0 0 2.86 0 0 0 2.86"', properties=" Properties=species:S:1:pos:R:3"):
    """Text of XYZ as LAMMPS writes it for want of elements."""
    lines = [f"{number} {0.01 * k} 0.0 0.0\n" for k, number in enumerate(numbers)]
    return f"{len(lines)}\nTimestep=0{lattice}{properties}\n" + "".join(lines)


@pytest.mark.parametrize("block", [60, 1 << 20])
@pytest.mark.parametrize("lines", [[1] * 9, [26] * 9])
def test_types_in_extended_xyz_have_the_element_of_the_reference(lines, block, tmp_path, monkeypatch):
    monkeypatch.setattr(reading_in_parts, "BLOCK", block)
    path = tmp_path / "a.xyz"
    path.write_text(of_types(lines))
    (atoms,) = reading.read_frames(path, element="Fe")
    assert list(atoms.symbols) == ["Fe"] * 9
    np.testing.assert_allclose(atoms.positions[:, 0], 0.01 * np.arange(9))
    with pytest.raises(DataError, match=r"a.xyz, frame 0: it says the types .* not their elements; .*dump_modify"):
        list(reading.read_frames(path))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            of_types([1, 1], "", ""),
            r"it has type numbers in place of elements and no cell, as `dump xyz` .*`dump 1 all custom",
        ),
        (of_types([1, 2]), r"atoms of types 1, 2, expected one type; have LAMMPS write elements"),
        # Not the type of LAMMPS but tungsten, perhaps.
        (of_types([74, 74]), r"74 in place of an element, expected its symbol or type 1"),
    ],
)
def test_types_in_xyz_that_tell_no_element(text, message, tmp_path):
    path = tmp_path / "a.xyz"
    path.write_text(text)
    with pytest.raises(DataError, match=f"a.xyz, frame 0: {message}"):
        list(reading.read_frames(path, element="Fe"))


def test_numbers_before_elements_stay_what_they_are(tmp_path):
    path = tmp_path / "a.xyz"
    path.write_text(of_types(["7 Fe", "8 Fe"], properties=" Properties=id:I:1:species:S:1:pos:R:3"))
    (atoms,) = reading.read_frames(path, element="W")
    assert list(atoms.symbols) == ["Fe", "Fe"]
    assert list(atoms.arrays["id"]) == [7, 8]


GIVE = r"give its type with `--format`, for example `--format lammps-data`"


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("a.what", "text", f"a.what: unknown type of file; {GIVE}"),
        ("a.lmp", "text", f"a.lmp: unknown type of file; {GIVE}"),
        ("a.data", "text", f"a.data: holds no configurations; if it is of another type, {GIVE}"),
        ("a.cell", "text", f"a.cell, frame 0: cannot be read; .*of another type than its name suggests: then {GIVE}"),
        ("a.cif", "text", "a.cif, frame 0: cannot be read as cif; the file is truncated or malformed"),
        ("a.xyz", "", "a.xyz: the file is empty"),
    ],
)
@pytest.mark.filterwarnings("ignore")
def test_files_of_unknown_types_say_what_to_type(name, text, message, tmp_path, monkeypatch):
    """Guesses of ASE that only it knows, such as runnerdata, are none of the user's business."""
    monkeypatch.chdir(tmp_path)
    Path(name).write_text(text)
    with pytest.raises(DataError, match=f"^{message}") as caught:
        list(reading.read_frames(name))
    assert "runner" not in str(caught.value)
