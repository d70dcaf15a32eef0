"""Files appear whole or not at all, say what they are, and hold the same bytes for the same content."""

import re
import time

import h5py
import numpy as np
import pytest

from vibentropy import __version__
from vibentropy.errors import DataError
from vibentropy.files.atomic import atomic
from vibentropy.files.hdf5 import create, open_file

TEXT = ["", "Fe", "Å, k_B, Σ", "x" * 300]


def write_example(path, **attributes):
    with create(path, "example", **(attributes or {"seed": 3, "units": "eV/Å²"})) as file:
        file["group/numbers"] = np.arange(1000.0).reshape(250, 4)
        file["text"] = TEXT
        file.create_dataset("packed", data=np.arange(1000), compression="gzip", shuffle=True)


def test_round_trip_with_provenance(tmp_path):
    path = tmp_path / "new" / "folder" / "example.h5"
    write_example(path)
    with open_file(path, "example") as file:
        assert dict(file.attrs) == {
            "kind": "example",
            "schema": 1,
            "seed": 3,
            "units": "eV/Å²",
            "vibentropy_version": __version__,
        }
        assert list(file["text"].asstr()[:]) == TEXT
        assert h5py.check_string_dtype(file["text"].dtype).encoding == "utf-8"
        np.testing.assert_array_equal(file["group/numbers"][:], np.arange(1000.0).reshape(250, 4))
        with pytest.raises(ValueError, match="no write intent"):
            file.create_group("no writing while reading")


def test_same_content_gives_same_bytes(tmp_path):
    write_example(tmp_path / "a.h5")
    time.sleep(1.1)  # HDF5 keeps times in whole seconds
    write_example(tmp_path / "b.h5", units="eV/Å²", seed=3)
    write_example(tmp_path / "c.h5", seed=4, units="eV/Å²")
    contents = [(tmp_path / name).read_bytes() for name in ("a.h5", "b.h5", "c.h5")]
    assert contents[0] == contents[1]
    assert contents[0] != contents[2]


def test_failure_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "example.h5"
    write_example(path)
    before = path.read_bytes()
    with pytest.raises(ZeroDivisionError), create(path, "example") as file:
        file["numbers"] = np.full(10, 1 // 0)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_file_is_invisible_until_it_is_complete(tmp_path):
    path = tmp_path / "table.csv"
    with atomic(path) as temporary:
        temporary.write_text("id\n")
        assert temporary.suffix == path.suffix
        assert temporary.parent == path.parent
        assert not path.exists()
    assert path.read_text() == "id\n"
    assert list(tmp_path.iterdir()) == [path]


def test_what_a_killed_run_left_behind_is_overwritten(tmp_path):
    path = tmp_path / "example.h5"
    with atomic(path) as temporary:
        temporary.touch()
    temporary.write_bytes(b"half a file")
    write_example(path)
    assert list(tmp_path.iterdir()) == [path]


def test_objects_are_refused(tmp_path):
    with pytest.raises(TypeError), create(tmp_path / "a.h5", "example") as file:
        file["objects"] = np.array([{}, None], dtype=object)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda path: path.unlink(), "no such file"),
        (lambda path: path.write_bytes(path.read_bytes()[:-100]), "not a complete HDF5 file.*truncated"),
        (lambda path: path.write_text("id,energy\n"), "not a complete HDF5 file"),
        (lambda path: path.write_bytes(b""), "not a complete HDF5 file"),
        (lambda path: h5py.File(path, "w").close(), "kind None"),
    ],
)
def test_damaged_files_are_named(tmp_path, damage, message):
    path = tmp_path / "example.h5"
    write_example(path)
    damage(path)
    with pytest.raises(DataError, match=f"example.h5: .*{message}"), open_file(path, "example"):
        pass


@pytest.mark.parametrize(("kind", "schema"), [("features", 1), ("example", 2)])
def test_other_kinds_and_schemas_are_refused(tmp_path, kind, schema):
    write_example(tmp_path / "example.h5")
    expected = f"'example', schema 1; expected '{kind}', schema {schema}"
    with pytest.raises(DataError, match=expected), open_file(tmp_path / "example.h5", kind, schema):
        pass


def test_earlier_schemas_are_read_by_who_can(tmp_path):
    write_example(tmp_path / "example.h5")
    with open_file(tmp_path / "example.h5", "example", 3, earlier=(1, 2)) as file:
        assert file.attrs["schema"] == 1
    with pytest.raises(DataError, match="schema 1; expected 'example', schema 3"):
        with open_file(tmp_path / "example.h5", "example", 3, earlier=(2,)):
            pass


def test_a_heap_that_the_library_would_read_for_ever_is_refused(tmp_path):
    path = tmp_path / "a.h5"
    with create(path, "numbers", note="some text") as file:
        file.create_dataset("names", data=["a", "bc"], dtype=h5py.string_dtype())
    content = bytearray(path.read_bytes())
    heap = content.index(b"GCOL")
    # The first string becomes empty space of no size.
    content[heap + 16 : heap + 18] = bytes(2)
    content[heap + 24 : heap + 32] = bytes(8)
    for before in (0, 2**20 - heap - 3):  # a heap that lies across two pieces of the search
        damaged = tmp_path / f"{before}.h5"
        damaged.write_bytes(bytes(before) + content)
        with (
            pytest.raises(DataError, match=rf"{before}.h5: damaged .*byte {before + heap}\)"),
            open_file(damaged, "numbers"),
        ):
            pass


@pytest.mark.parametrize("what", ["units", "text"])
def test_text_whose_type_is_damaged_is_refused_before_it_is_read(tmp_path, what):
    """The HDF5 library would take it for a list of bytes somewhere in memory, which ends the process."""
    path = tmp_path / "example.h5"
    write_example(path)
    content, hit = path.read_bytes(), False
    # Text of variable length, as the library writes the type down.
    for place in (match.start() for match in re.finditer(rb"\x19\x01", content)):
        path.write_bytes(content[: place + 1] + b"\x65" + content[place + 2 :])
        with h5py.File(path, "r") as file:
            dtype = file.attrs.get_id(what).dtype if what in file.attrs else file[what].dtype
        if hit := h5py.check_string_dtype(dtype) is None:
            break
    assert hit
    with pytest.raises(DataError, match=rf"damaged \(the type of .*{what}"), open_file(path, "example"):
        pass
