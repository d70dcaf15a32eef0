"""Machine code is that of the sources as they are."""

import ast
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from vibentropy.numerics import machine_code

ROOT = Path(__file__).parents[2]

CALLED = """
from vibentropy.numerics.machine_code import njit
@njit(inline="always")
def called():
    return 7.0
"""
CALLING = """
from vibentropy.files.called import called
from vibentropy.numerics.machine_code import njit
@njit(nogil=True)
def calling():
    return called()
"""
#: What a function returns that calls one of another file, and how often its machine code came from the cache.
PROGRAM = """
from vibentropy.files.calling import calling
print(calling(), sum(calling.stats.cache_hits.values()))
"""


@pytest.fixture
def copied(tmp_path):
    """Copy of the package with two modules more and no machine code, and a way to run programs with it."""
    folder = tmp_path / "vibentropy"
    without = shutil.ignore_patterns("__pycache__", "*.h5")
    shutil.copytree(ROOT / "src/vibentropy", folder, ignore=without)
    shutil.copytree(ROOT / "descriptors", folder / "descriptors", ignore=without)
    (folder / "files/called.py").write_text(CALLED)
    (folder / "files/calling.py").write_text(CALLING)

    def run(program=PROGRAM, **environment):
        environment = {"PYTHONPATH": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path / "cache")} | environment
        done = subprocess.run(
            [sys.executable, "-c", program],
            env=os.environ | environment,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
        return [float(word) for word in done.stdout.split()]

    return folder, run


def test_edits_in_other_files_are_noticed(copied):
    folder, run = copied
    assert run() == [7.0, 0]
    assert run() == [7.0, 1]
    (folder / "files/called.py").write_text(CALLED.replace("7.0", "8.0"))
    assert run() == [8.0, 0]


def test_machine_code_of_old_sources_is_removed(copied):
    folder, run = copied
    caches = folder / "__pycache__/machine_code"
    n_versions = machine_code._KEPT + 3
    run(f"""
import time
from pathlib import Path
from vibentropy.numerics import machine_code
for constant in range({n_versions}):
    Path({str(folder / "files/called.py")!r}).write_text({CALLED!r} + f"_UNUSED = {{constant}}\\n")
    machine_code.cache_folder.cache_clear()
    machine_code.cache_folder()
    assert len(list(Path({str(caches)!r}).iterdir())) == min(constant, {machine_code._KEPT}) + 1
    time.sleep(0.02)
""")
    assert len(list(caches.iterdir())) == machine_code._KEPT + 1


def test_it_lies_in_the_package_and_in_the_cache_of_the_user_where_that_cannot_be_written(copied, tmp_path):
    folder, run = copied
    run()
    assert list((folder / "__pycache__/machine_code").rglob("*.nbi"))
    assert not (tmp_path / "cache").exists()
    shutil.rmtree(folder / "__pycache__")
    # Root may write everywhere, but not into a file.
    (folder / "__pycache__").touch()
    assert run() == [7.0, 0]
    assert list((tmp_path / "cache").rglob("*.nbi"))
    assert run() == [7.0, 1]
    shutil.rmtree(tmp_path / "cache")
    (tmp_path / "cache").touch()
    assert run() == [7.0, 0]


def test_folders_that_users_choose_are_used_for_nothing_else(copied, tmp_path):
    folder, run = copied
    (tmp_path / "mine.py").write_text("import numba\n@numba.njit(cache=True)\ndef f():\n    return 1\n")
    chosen = tmp_path / "chosen"
    both = PROGRAM + "import mine; mine.f()"
    run(both, NUMBA_CACHE_DIR=str(chosen))
    assert not (folder / "__pycache__/machine_code").exists()
    assert list(chosen.glob("vibentropy-*/*/*/*.nbi"))
    shutil.rmtree(chosen)
    run(both)
    assert list((tmp_path / "__pycache__").glob("mine.f*.nbi"))


def compiled_functions(tree):
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and any("njit" in ast.unparse(d) for d in node.decorator_list):
            yield node


@pytest.mark.parametrize("path", machine_code.compiled_sources(), ids=lambda path: path.stem)
def test_compiled_functions_use_nothing_of_files_that_are_not_watched(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    watched = {other.stem for other in machine_code.compiled_sources()}
    origins = {
        alias.asname or alias.name: node.module
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and (node.level or node.module.startswith("vibentropy"))
        for alias in node.names
    }
    used = {
        node.id for function in compiled_functions(tree) for node in ast.walk(function) if isinstance(node, ast.Name)
    }
    assert {origins[name].rpartition(".")[2] for name in used & set(origins)} <= watched


def test_all_functions_are_compiled_by_the_decorator_with_that_cache():
    sources = [*(ROOT / "src").rglob("*.py"), *(ROOT / "descriptors").rglob("*.py")]
    for path in set(sources) - {Path(machine_code.__file__)}:
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"numba\.n?jit\b", text), path
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.ImportFrom) and node.module == "numba":
                assert not {alias.name for alias in node.names} & {"jit", "njit", "vectorize", "guvectorize"}, path
