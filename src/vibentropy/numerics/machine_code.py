"""Compiled functions, and a cache of their machine code that notices edits.

Numba keeps machine code beside the source file of a function and makes it anew when that file changes. It does not
notice when a function of another file changes that the first one calls. Here the machine code of all of vibentropy lies
in a folder named by a hash of all sources with compiled functions, so that none survives an edit.
"""

import hashlib
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any, TypeVar

import numba

#: Its attributes are made when numba is imported, which no type checker sees.
_config: Any = numba.config

_Function = TypeVar("_Function", bound=Callable[..., Any])

#: Folders of earlier sources that are kept: for those who go back and forth between two versions.
_KEPT = 2


def njit(**options: Any) -> Callable[[_Function], _Function]:
    """Compile a function by `numba.njit`, with a cache of its machine code that notices edits in other files.

    What the function uses from other files (functions, constants) must come from files that use this decorator, too:
    only these are watched. Functions of your own package may call those of vibentropy.

    Parameters
    ----------
    **options
        Those of `numba.njit` but for ``cache``.

    Returns
    -------
    callable
        Decorator.
    """

    def decorate(function: _Function) -> _Function:
        folder = cache_folder()
        with _numba_caches_in(folder):
            return numba.njit(cache=folder is not None, **options)(function)

    return decorate


@cache
def cache_folder() -> Path | None:
    """Make the folder for machine code of the sources as they are, and remove those of old sources.

    Returns
    -------
    Path or None
        In ``NUMBA_CACHE_DIR`` where that is set, else in ``__pycache__`` of the package, or in the cache folder of the
        user where the package is read-only. None if nothing can be written anywhere: every process compiles anew.
    """
    package = Path(__file__).parents[1]
    elsewhere = f"vibentropy-{hashlib.sha256(str(package).encode()).hexdigest()[:12]}"
    users = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    candidates = [Path(users, elsewhere), package / "__pycache__/machine_code"]
    if _config.CACHE_DIR:
        candidates.append(Path(_config.CACHE_DIR, elsewhere))
    sources = sources_hash()
    while candidates:
        with suppress(OSError, RuntimeError):  # RuntimeError where there is no home.
            parent = candidates.pop().expanduser()
            folder = parent / sources
            is_new = not folder.exists()
            folder.mkdir(parents=True, exist_ok=True)
            TemporaryFile(dir=folder).close()
            if is_new:
                _remove_old(parent, folder)
            return folder
    return None


def sources_hash() -> str:
    """Hash of all source files with compiled functions."""
    total = hashlib.sha256()
    for path in compiled_sources():
        total.update(hashlib.sha256(path.read_bytes()).digest())
    return total.hexdigest()[:16]


def compiled_sources() -> list[Path]:
    """Source files of vibentropy with functions that are compiled, in the order of their paths in the package."""
    folders = {"": Path(__file__).parents[1]}
    # In a checkout the descriptors are in a folder beside the package.
    spec = find_spec("vibentropy.descriptors")
    if spec and spec.submodule_search_locations:
        folders["descriptors"] = Path(spec.submodule_search_locations[0])
    paths = {
        f"{name}/{path.relative_to(folder)}": path for name, folder in folders.items() for path in folder.rglob("*.py")
    }
    return [path for _, path in sorted(paths.items()) if b"njit" in path.read_bytes()]


def _remove_old(parent: Path, current: Path) -> None:
    """Remove folders of earlier sources, the last ones excepted."""
    with suppress(OSError):  # Another process removes them.
        others = [folder for folder in parent.iterdir() if folder != current]
        others.sort(key=lambda folder: folder.stat().st_mtime)
        for folder in others[:-_KEPT]:
            shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _numba_caches_in(folder: Path | None) -> Iterator[None]:
    """Let numba choose a folder for the caches of functions that are decorated now, and of no others."""
    before = _config.CACHE_DIR
    _config.CACHE_DIR = str(folder or before)
    try:
        yield
    finally:
        _config.CACHE_DIR = before
