"""Public functions say what they take and return; whether it is true, mypy says: `.ci/types`."""

import ast

import pytest
from signatures import ROOT, arguments_of, public_functions, sources

#: Rooms of which every public function is annotated.
ANNOTATED = (
    *("__init__", "__main__", "errors", "units", "files", "atoms", "potentials", "datasets", "labels", "sources"),
    *("descriptors", "features", "learning", "evaluation", "model", "studies", "run", "report", "cli"),
)


def unannotated(source):
    """What lacks a type in the public functions of a text of Python."""
    for name, node in public_functions(ast.parse(source)):
        lacking = [argument.arg for argument in arguments_of(name, node) if argument.annotation is None]
        if node.returns is None:
            lacking.append("what it returns")
        if lacking:
            yield f"line {node.lineno}: {name}: {', '.join(lacking)}"


@pytest.mark.parametrize("room", ANNOTATED)
def test_public_functions_are_annotated(room):
    missing = [
        f"{path.relative_to(ROOT)}, {problem}"
        for path in sources(room)
        for problem in unannotated(path.read_text(encoding="utf-8"))
    ]
    assert not missing, "types are missing in\n" + "\n".join(missing)


def test_missing_types_are_seen():
    source = """
def half(a: int, /, b, *rest, c: int = 1, **options): ...
def whole(a: int, *rest: int) -> None: ...
def _private(a): ...

class Cell:
    def __init__(self, a) -> None: ...
    def __len__(self): ...
    @staticmethod
    def static(a) -> None: ...
    def _private(self, a): ...

class _Hidden:
    def method(self, a): ...
"""
    assert list(unannotated(source)) == [
        "line 2: half: b, rest, options, what it returns",
        "line 7: Cell.__init__: a",
        "line 8: Cell.__len__: what it returns",
        "line 10: Cell.static: a",
    ]


def test_users_type_checkers_read_these_types():
    assert (ROOT / "src/vibentropy/py.typed").exists()
