"""Parts of files are what ASE reads there."""

import time
from itertools import accumulate

import ase.db
import ase.io
import numpy as np
import pytest
from labelled_files import COUNTED, write_many

from vibentropy.atoms import reading
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
