"""Which source files a piece of code stands on, computed from its imports.

Rules of the workflow take them as inputs, so that editing one makes again what stands on it. Nothing is listed by hand.
Imports are read from the text, those within functions as well, and nothing is imported: the workflow starts without
loading what only its jobs need. Names in registries are text and not followed: whoever chooses from one names the
module that was chosen.
"""

import ast
import sys
from collections.abc import Iterator
from functools import cache
from importlib.machinery import PathFinder
from importlib.util import find_spec
from pathlib import Path

#: Modules that say where results come from and not what they are: editing them makes no result again.
NOT_FOLLOWED = {"vibentropy.run.config", "vibentropy.run.settings", "vibentropy.run.provenance"}


def source_files(*starts: str | Path) -> list[str]:
    """Find the modules that scripts or modules import, directly or by way of others.

    Parameters
    ----------
    *starts : str or Path
        Dotted names of modules, which are among the files that are found; or paths of scripts, which are not:
        Snakemake watches those itself.

    Returns
    -------
    list of str
        Paths, sorted: modules of vibentropy, and of the packages that the named modules are in.
    """
    packages = {"vibentropy"} | {start.partition(".")[0] for start in starts if isinstance(start, str)}
    pending = [start for start in starts if isinstance(start, str)]
    for script in starts:
        if isinstance(script, Path):
            pending += _imported(script, "")
    files: dict[str, str] = {}
    while pending:
        name = pending.pop()
        if name in files or name in NOT_FOLLOWED or name.partition(".")[0] not in packages:
            continue
        path = _file_of(name)
        files[name] = path or ""
        if path:
            is_package = Path(path).name == "__init__.py"
            pending += _imported(Path(path), name if is_package else name.rpartition(".")[0])
    return sorted({path for path in files.values() if path})


def _file_of(name: str) -> str | None:
    """File of a module; None if that is no module, but a name in one."""
    file, _ = _place_of(name)
    return file if file and file.endswith(".py") else None


@cache
def _place_of(name: str) -> tuple[str | None, tuple[str, ...]]:
    """File of a module, and the folders of a package. `find_spec` would import what is before the last dot."""
    parent, _, last = name.rpartition(".")
    if not parent:
        spec = find_spec(name)
        return (spec.origin, tuple(spec.submodule_search_locations or ())) if spec else (None, ())
    _, folders = _place_of(parent)
    inside = [Path(folder) / last for folder in folders]
    for path in inside:
        if (path / "__init__.py").is_file():
            return str(path / "__init__.py"), (str(path),)
        if (path.parent / f"{last}.py").is_file():
            return str(path.parent / f"{last}.py"), ()
    # Editable installations may have a package elsewhere, and tell Python by finders of their own.
    for finder in sys.meta_path if folders else ():
        if finder is not PathFinder and hasattr(finder, "find_spec"):
            spec = finder.find_spec(name, list(folders), None)
            if spec:
                return spec.origin, tuple(spec.submodule_search_locations or ())
    return None, tuple(str(path) for path in inside if path.is_dir())


@cache
def _imported(path: Path, package: str) -> tuple[str, ...]:
    """Dotted names that a file imports; a name imported from a package may be a module or not."""
    return tuple(_names(ast.parse(path.read_text(encoding="utf-8")), package))


def _names(tree: ast.AST, package: str) -> Iterator[str]:
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.expr):
            continue  # nothing is imported within an expression
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            continue  # for type checkers only: nothing that is run depends on it
        yield from _names(node, package)
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            parents = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            module = ".".join([*parents, *([node.module] if node.module else [])])
            yield module
            yield from (f"{module}.{alias.name}" for alias in node.names)
