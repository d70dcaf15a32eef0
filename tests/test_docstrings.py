"""Docstrings of public functions name their parameters as the signature does, and say what is returned."""

import ast
import re

import pytest
from signatures import ROOT, arguments_of, public_functions, sources

ROOMS = (
    *("__init__", "__main__", "errors", "units", "files", "atoms", "potentials", "datasets", "labels", "sources"),
    *("descriptors", "features", "learning", "evaluation", "model", "studies", "run", "report", "cli"),
)
#: What functions return, and context managers yield, that have nothing to give.
NOTHING = {"None", "NoReturn", "Iterator[None]"}


def documented(docstring, section):
    """Names of a section of a numpydoc docstring; None where there is no such section."""
    match = re.search(rf"^{section}\n-+\n(.*?)(?=^\S[^\n]*\n-+\n|\Z)", docstring, re.M | re.S)
    if not match:
        return None
    headings = re.findall(r"^(\S[^\n]*?)(?: : |$)", match[1], re.M)
    return [name.strip("* ") for heading in headings for name in heading.split(",")]


def derived_methods(tree):
    """Methods of classes that derive from others, which may leave their parameters to these."""
    classes = [node for node in ast.walk(tree) if isinstance(node, ast.ClassDef) and node.bases]
    return {id(method) for node in classes for method in node.body}


def is_command(node):
    """Whether a function is a command or an option of click, whose docstring is help for people."""
    return any("click" in ast.unparse(decorator) for decorator in node.decorator_list)


def problems(source):
    """What is wrong with docstrings in a text of Python."""
    tree = ast.parse(source)
    derived = derived_methods(tree)
    for name, node in public_functions(tree):
        docstring = ast.get_docstring(node)
        if docstring is None or is_command(node):
            continue
        parameters = [argument.arg for argument in arguments_of(name, node)]
        said = documented(docstring, "Parameters")
        if said is not None and sorted(said) != sorted(parameters):
            yield f"line {node.lineno}: {name}: parameters are {parameters}, documented are {said}"
        is_told_elsewhere = id(node) in derived or name.rpartition(".")[2].startswith("__")
        if said is None and parameters and not is_told_elsewhere:
            yield f"line {node.lineno}: {name}: parameters are not documented"
        returns_something = node.returns is not None and ast.unparse(node.returns) not in NOTHING
        if said is not None and returns_something and not re.search(r"^(Returns|Yields)\n-+$", docstring, re.M):
            yield f"line {node.lineno}: {name}: does not say what it returns"


@pytest.mark.parametrize("room", ROOMS)
def test_docstrings_fit_their_functions(room):
    wrong = [
        f"{path.relative_to(ROOT)}, {problem}"
        for path in sources(room)
        for problem in problems(path.read_text(encoding="utf-8"))
    ]
    assert not wrong, "\n".join(wrong)


def test_what_docstrings_get_wrong_is_seen():
    source = '''
def right(a: int, *rest: int) -> int:
    """Do it.

    Parameters
    ----------
    a : int
    *rest : int
        More of them.

    Returns
    -------
    int
    """

def wrong(a: int, b: int) -> int:
    """Do it.

    Parameters
    ----------
    b, c : int
    """

def silent(a: int) -> None:
    """Do it."""

class Derived(Base):
    def method(self, a: int) -> None:
        """Do it."""
'''
    assert list(problems(source)) == [
        "line 16: wrong: parameters are ['a', 'b'], documented are ['b', 'c']",
        "line 16: wrong: does not say what it returns",
        "line 24: silent: parameters are not documented",
    ]
