"""Errors say what is wrong and, once, where."""

import pickle
import re
from pathlib import Path

import pytest
from fragile import Mortal

from vibentropy import errors
from vibentropy.errors import DataError, StructureError, VibentropyError, at
from vibentropy.potentials.embedded_atom import Potential
from vibentropy.potentials.own_process import Isolated
from vibentropy.potentials.potential_files import find_potential
from vibentropy.potentials.setfl import read_setfl
from vibentropy.report.results_table import write_between
from vibentropy.run.config import load
from vibentropy.run.file_info import contents

ROOT = Path(__file__).resolve().parents[1]


def test_the_place_stands_before_the_message():
    assert str(DataError("it is empty")) == "it is empty"
    error = DataError("it is empty", Path("a.xyz"))
    assert (str(error), error.message, error.place) == ("a.xyz: it is empty", "it is empty", ("a.xyz",))


def test_contexts_nest_from_the_outside():
    with pytest.raises(StructureError) as caught, at("a.xyz", "frame 3"), at("the reference"):
        raise StructureError("two atoms on one site")
    assert caught.value.place == ("a.xyz", "frame 3", "the reference")
    assert str(caught.value) == "a.xyz, frame 3, the reference: two atoms on one site"
    assert caught.value.message == "two atoms on one site"


@pytest.mark.parametrize(
    ("typed", "meant"),
    [("asf", "afs"), ("acs", "acsf"), ("sopa", "soap"), ("ab", "ba"), ("snpa", "snap"), ("zzz", None)],
)
def test_letters_that_changed_places_win(typed, meant):
    hint = errors.did_you_mean(typed, ["acsf", "afs", "soap", "snap", "ba"])
    assert hint == (f" (did you mean {meant!r}?)" if meant else "")


@pytest.mark.parametrize("inner", [["a.xyz"], ["a.xyz", "frame 3"]])
def test_the_place_is_said_once(inner):
    """Also where the text of the message has the name of the file in it, or the place has that of another one."""
    with pytest.raises(DataError) as caught, at("a.xyz", "frame 5", remedy="copy it"), at(*inner):
        raise DataError("a.xyz is empty")
    assert str(caught.value) == f"{', '.join(inner)}: a.xyz is empty"


def test_a_remedy_is_for_those_that_get_their_place():
    with pytest.raises(DataError) as caught, at("a.h5", remedy="copy it again"):
        raise DataError("a hole in it")
    assert str(caught.value) == "a.h5: a hole in it; copy it again"


def test_errors_of_others_and_no_place_leave_errors_alone():
    with pytest.raises(ValueError, match="^x$"), at("a.xyz"):
        raise ValueError("x")
    with pytest.raises(DataError, match="^x$"), at():
        raise DataError("x")


@pytest.mark.parametrize(
    "kind", [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, VibentropyError)]
)
def test_copies_keep_type_and_place(kind):
    error = kind("too close", "a.xyz")
    error.locate("a data set")
    copy = pickle.loads(pickle.dumps(error))
    assert (type(copy), str(copy), copy.place) == (kind, "a data set, a.xyz: too close", ("a data set", "a.xyz"))


def test_errors_of_another_process_keep_their_place():
    with Isolated(Mortal) as mortal, pytest.raises(StructureError) as caught, at("data"):
        mortal.call("refuse", "too close", "a.xyz", "frame 3")
    assert caught.value.place == ("data", "a.xyz", "frame 3")


def test_no_place_is_read_back_from_the_text_of_an_error():
    parsed = re.compile(r"\bin str\(error\)|type\(error\)\(|removeprefix\(.configuration")
    sources = [*(ROOT / "src").rglob("*.py"), *(ROOT / "descriptors").rglob("*.py")]
    assert [path.name for path in sources if parsed.search(path.read_text(encoding="utf-8"))] == []


@pytest.mark.parametrize("path", sorted([*ROOT.glob("src/**/*.py"), *ROOT.glob("descriptors/*.py")]), ids=str)
def test_files_are_said_as_the_place(path):
    """Whoever catches an error can then ask it where, and the file is not said twice."""
    in_message = r'(?<!Usage)Error\(\s*f"\{(\w*path|file|folder|config)\}'
    assert not re.search(in_message, path.read_text(encoding="utf-8"))


def test_errors_of_files_know_their_place(tmp_path):
    short = tmp_path / "Fe.eam.fs"
    short.write_text("no\ntable\n")
    for read in (
        lambda: read_setfl(short, ["Fe"]),
        lambda: Potential.from_setfl(short, "Fe"),
        lambda: find_potential(tmp_path / "none.eam.fs"),
        lambda: load(short),
        lambda: load(tmp_path / "none.yaml"),
        lambda: write_between(tmp_path / "none.md", "text"),
        lambda: write_between(short, "text"),
        lambda: contents(short),
    ):
        with pytest.raises(VibentropyError) as caught:
            read()
        assert caught.value.place[0].startswith(str(tmp_path))
        assert str(tmp_path) not in caught.value.message
