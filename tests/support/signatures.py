"""Public functions of a room, as their source text has them."""

import ast
from pathlib import Path

ROOT = Path(__file__).parents[2]
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


def arguments_of(name, node):
    """Arguments of a function or, without the object, of a method, in the order of the signature."""
    arguments = node.args
    positional = [*arguments.posonlyargs, *arguments.args]
    is_static = any(isinstance(d, ast.Name) and d.id == "staticmethod" for d in node.decorator_list)
    if "." in name and not is_static:
        positional = positional[1:]
    in_order = [*positional, arguments.vararg, *arguments.kwonlyargs, arguments.kwarg]
    return [argument for argument in in_order if argument]
