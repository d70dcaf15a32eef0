"""FILES: parts of files, standard input, and what is typed wrongly."""

import csv
import shutil
from io import StringIO

import pytest
from dumps import write_dump

DESCRIBED = "--descriptor", "pair_spline", "--set", "r_cut=4.0"


def numbers(printed):
    """Frames in rows of a table on the screen."""
    return [int(line.split()[1]) for line in printed.splitlines()[1:]]


@pytest.mark.parametrize(
    ("part", "frames"),
    [("0", [0]), ("-1", [2]), (":", [0, 1, 2]), ("1:", [1, 2]), ("0:9", [0, 1, 2]), ("::2", [0, 2]), ("-2:-1", [1])],
)
def test_parts_have_the_numbers_and_values_of_the_whole(run, part, frames):
    whole = run("predict", "-q", "my.xyz").stdout.splitlines()[1:]
    found = run("predict", "-q", f"my.xyz@{part}").stdout.splitlines()[1:]
    assert found == [whole[number] for number in frames]


def test_parts_of_files_that_only_reading_counts(run, monkeypatch):
    monkeypatch.setattr("vibentropy.cli.reading.count_frames", lambda *_: None)
    for part, frames in (("1", [1]), ("-1", [2]), ("-2:", [1, 2]), ("::2", [0, 2])):
        assert numbers(run("predict", f"my.xyz@{part}").stdout) == frames
    assert "my.xyz: holds no frame 7, they are numbered from 0" in run("predict", "my.xyz@7", code=2).stderr


def test_parts_of_files_of_this_package(run):
    assert numbers(run("predict", "data/clusters.h5@5:9:2").stdout) == [5, 7]


def test_the_part_is_read_without_what_is_before_it(run, monkeypatch):
    parts = []

    def read_any(path, file_format, element, within, start, stop):
        parts.append((start, stop))
        yield from ()

    monkeypatch.setattr("vibentropy.cli.reading.read_any", read_any)
    run("predict", "my.xyz@1:3")
    assert parts == [(1, 3)]


def test_names_with_an_at_sign(run):
    shutil.copy("my.xyz", "two@1.xyz")
    shutil.copy("my.xyz", "two@1")
    assert numbers(run("predict", "two@1.xyz", "two@1.xyz@2").stdout) == [0, 1, 2, 2]
    assert numbers(run("predict", "two@1", "--format", "extxyz").stdout) == [0, 1, 2]
    assert "nowhere.xyz@0: no such file" in run("predict", "nowhere.xyz@0", code=2).stderr


@pytest.mark.parametrize("part", ["first", "1-2", "", "1:2:0", "::-1", "1:2:3:4"])
def test_parts_that_are_none(run, part):
    error = run("predict", f"my.xyz@{part}", code=2).stderr
    assert f"'my.xyz@{part}' should end in a frame or a range of them, from 0: my.xyz@3, my.xyz@-1" in error


@pytest.mark.parametrize("part", ["3", "-4", "5:9", "2:1"])
def test_frames_that_are_not_there(run, part):
    result = run("predict", f"my.xyz@{part}", "other.xyz", code=1)
    assert f"my.xyz: holds frames 0 to 2, not {part}" in result.stderr
    assert numbers(result.stdout) == [0, 0]
    if part == "3":
        assert "other.xyz: holds frame 0 only, not 3" in run("predict", "other.xyz@3", code=2).stderr


def test_standard_input(run, folder):
    text = (folder / "my.xyz").read_bytes()
    expected = run("predict", "my.xyz", "-o", "-").stdout.replace("my.xyz", "-")
    assert run("predict", "-", "-o", "-", stdin=text).stdout == expected
    assert run("predict", "model.h5", "-", "-o", "-", stdin=text).stdout == expected
    (model,) = (path.read_bytes() for path in [folder / "model.h5"])
    assert numbers(run("predict", "-", "my.xyz", stdin=model).stdout) == [0, 1, 2]
    described = run("describe", "-", *DESCRIBED, stdin=text).stdout
    assert described == run("describe", "my.xyz", *DESCRIBED, "-o", "-").stdout.replace("my.xyz", "-")


def test_standard_input_of_another_format(run, vacancies, tmp_path):
    vacancies[0].write(tmp_path / "POSCAR", format="vasp")
    text = (tmp_path / "POSCAR").read_bytes()
    (row,) = csv.DictReader(StringIO(run("predict", "-", "--format", "vasp", "-o", "-", stdin=text).stdout))
    assert row["n_atoms"] == "53"
    refused = run("predict", "-", stdin=text, code=2).stderr
    assert refused.splitlines()[-1].startswith("-: unknown type of file; give its type with `--format`")
    assert "vibentropy-" not in refused
    write_dump(tmp_path / "x.dump", vacancies, types=True)
    assert numbers(run("predict", "-", stdin=(tmp_path / "x.dump").read_bytes()).stdout) == [0, 1, 2]


def test_faults_in_standard_input_have_its_name_and_the_frame(run, folder):
    refused = run("predict", "-", stdin=(folder / "cut.xyz").read_bytes(), code=2).stderr
    assert refused.splitlines()[-1].startswith("-, frame 2: ")


def test_standard_input_is_read_once(run):
    assert "standard input (-) can be read only once" in run("predict", "-", "-", stdin=b"", code=2).stderr
