"""Public functions say what they take and return; whether it is true, mypy says: `.ci/types`."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
#: Rooms of which every public function is annotated.
ANNOTATED = ("__init__", "__main__", "units")
FOLDERS = {"descriptors": ROOT / "descriptors"}
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


def sources(room):
    """Paths of the modules of a room."""
    folder = FOLDERS.get(room, ROOT / "src/vibentropy" / room)
    return sorted(folder.rglob("*.py")) or [folder.with_suffix(".py")]


def is_public(name):
    """Whether outsiders may use a name: methods like `__len__` are used, if not by name."""
    return not name.startswith("_") or (name.startswith("__") and name.endswith("__"))


def public_functions(tree, prefix=""):
    """Functions of a module and methods of its public classes, as pairs of a dotted name and the node."""
    for node in tree.body:
        if isinstance(node, FUNCTIONS) and is_public(node.name):
            yield prefix + node.name, node
        elif isinstance(node, ast.ClassDef) and is_public(node.name):
            yield from public_functions(node, f"{prefix}{node.name}.")


def unannotated(source):
    """What lacks a type in the public functions of a text of Python."""
    for name, node in public_functions(ast.parse(source)):
        arguments = node.args
        positional = [*arguments.posonlyargs, *arguments.args]
        is_static = any(isinstance(d, ast.Name) and d.id == "staticmethod" for d in node.decorator_list)
        if "." in name and not is_static:
            positional = positional[1:]
        all_arguments = [*positional, *arguments.kwonlyargs, arguments.vararg, arguments.kwarg]
        lacking = [argument.arg for argument in all_arguments if argument and argument.annotation is None]
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
