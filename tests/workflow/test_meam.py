"""Iron of modified embedded atoms, from the configuration that ships, at a tiny scale: with its analytic Hessian and
with finite differences.
"""

import copy
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from vibentropy.atoms.crystal import Crystal
from vibentropy.labels.labelling import Labeller
from vibentropy.labels.step_test import TOLERANCE
from vibentropy.potentials.from_config import load_potential, start_engine
from vibentropy.run.config import validate
from vibentropy.sources.perfect import smallest_references
from vibentropy.sources.sampling import sample
from vibentropy.sources.source import source_of

ROOT = Path(__file__).parents[2]
SCHEMA = ROOT / "workflow/schemas/config.schema.yaml"
SHIPPED = yaml.safe_load((ROOT / "workflow/configs/meam.yaml").read_text(encoding="utf-8"))


#: Lattice constant of lowest energy, Å.
A = 2.8636458


#: In place of the analytic Hessian.
DIFFERENCES = {"hessian": "finite_differences", "step": 0.005}


@pytest.fixture(scope="module")
def potential():
    """By finite differences."""
    return load_potential(**validate(SHIPPED, SCHEMA)["potential"] | DIFFERENCES)


def tiny(n, *, changes=DIFFERENCES, **defects):
    """The configuration that ships, with cells and trajectories as small as they can be."""
    config = copy.deepcopy(SHIPPED)
    config["potential"] |= changes
    recipe = config["datasets"]["train"]["recipe"]
    recipe |= {"cells": [[n, n, n]], "defects": defects}
    recipe["anneal"] |= {"steps_between": 10}
    return config


@pytest.mark.parametrize("changes", [{}, pytest.param(DIFFERENCES, marks=pytest.mark.slow)])
def test_vacancy_is_sampled_and_labelled(changes):
    config = validate(tiny(2, changes=changes, V1={"vacancies": 1, "trajectories": 5}), SCHEMA)
    crystal = Crystal("Fe", "bcc", A)
    potential = load_potential(**config["potential"])
    planned = source_of("train", {"recipe": config["datasets"]["train"]["recipe"]}).trajectories()[:1]
    with start_engine(config["potential"]) as engine:
        minima = sample(planned, crystal, potential, engine, 1)
    assert list(minima.table["status"]) == ["relaxed"] * 2
    assert (minima.table["max_force"] <= 1e-6).all()
    table = Labeller(potential).label(minima, lambda row, cell=None: crystal.cell(2)).table
    assert list(table["status"]) == ["labelled"] * 2
    # Seed and snapshot fall into the same minimum.
    assert table["formation_entropy"][0] == pytest.approx(table["formation_entropy"][1], abs=1e-4)


def test_hessian_is_that_of_forces_on_displaced_cells(potential):
    atoms = Crystal("Fe", "bcc", A).cell(2)
    atoms.rattle(0.02, seed=1)
    forces = []
    for sign in (1, -1):
        moved = atoms.copy()
        moved.positions[3, 1] += sign * potential.step
        forces.append(potential.energy_and_forces(moved)[1].ravel())
    expected = (forces[1] - forces[0]) / (2 * potential.step)
    np.testing.assert_allclose(potential.hessian(atoms)[10], expected, atol=1e-3)


def test_smallest_cell_is_that_of_recipes_and_of_references(tmp_path):
    crystal = Crystal("Fe", "bcc", 2.86)
    crystal.save(tmp_path / "lattice.json")
    crystal.cell((1, 2, 2)).write(tmp_path / "bulk.xyz")
    recipes = {"a": {"recipe": {"cells": [[4, 4, 4], [3, 3, 4]]}}, "b": {"recipe": {"cells": [[2, 3, 3]]}}}
    files = {"c": {"files": [], "reference": str(tmp_path / "bulk.xyz"), "format": None, "entropy": None}}
    recipes, files = ([source_of(*named) for named in blocks.items()] for blocks in (recipes, files))
    # What the job is told is enough.
    recipes = [source_of(source.name, source.about_smallest()) for source in recipes]
    assert [len(cell) for cell in smallest_references(recipes, tmp_path / "lattice.json")] == [36]
    assert [len(cell) for cell in smallest_references(files, [])] == [8]
    assert [len(cell) for cell in smallest_references(recipes + files, tmp_path / "lattice.json")] == [8]


def run(folder, *targets, changes=DIFFERENCES, descriptor=None):
    """Run the workflow at a tiny scale and return the folder of its results."""
    defects = {
        "V1": {"vacancies": 1, "trajectories": 2},
        "V2": {"vacancies": 2, "trajectories": 2, "anneal": {"snapshots": 2}},
    }
    config = tiny(2, changes=changes, **defects)
    del config["datasets"]["test_432"]
    config |= {
        "results": "results",
        "labels": {"duplicates": {"exclude": False}},
        "evaluation": {"folds": 2},
        "descriptors": {"one": descriptor or {"kind": "two_body"}},
        # The few minima of such cells are of two groups, too few to choose a penalty within a fold.
        "regressors": {"ridge": {"kind": "ridge", "penalties": [1e-6]}},
    }
    (folder / "tiny.yaml").write_text(yaml.safe_dump(config), encoding="utf-8")
    command = [sys.executable, "-m", "snakemake", "--snakefile", ROOT / "Snakefile", "--directory", folder]
    command += ["--configfile", folder / "tiny.yaml", "--cores", "2", "--quiet", "all", "--", *targets]
    subprocess.run(command, check=True)
    return folder / "results"


def vacancies_of(results):
    table = pd.read_csv(results / "configurations.csv", keep_default_na=False)
    return pd.to_numeric(table.loc[table["defect_class"] == "V1", "formation_entropy"])


@pytest.mark.slow(minutes=1.5)
def test_tiny_run_through_the_workflow(tmp_path):
    results = run(tmp_path, "results/summary.csv", "results/potential/step_test.html")
    assert sorted(path.name for path in (results / "potential").iterdir()) == [
        "lattice.json",
        "step_test.csv",
        "step_test.html",
    ]
    steps = pd.read_csv(results / "potential/step_test.csv")
    assert list(steps["step"]) == [0.0025, 0.005, 0.01]
    assert steps["difference"].abs().max() < TOLERANCE
    assert Crystal.load(results / "potential/lattice.json").a == pytest.approx(A, abs=1e-6)
    assert "half and twice the step" in (results / "logs/step_test.log").read_text(encoding="utf-8")
    # Every vacancy is the same one, that of the step test.
    np.testing.assert_allclose(vacancies_of(results), steps["formation_entropy"][1], atol=1e-4)
    assert (results / "summary.csv").is_file()


@pytest.mark.slow
def test_tiny_run_with_the_analytic_hessian(tmp_path):
    """In labels and in a descriptor, without a table for LAMMPS and without a step to test."""
    named = {key: value for key, value in SHIPPED["potential"].items() if key != "step"}
    descriptor = {"kind": "hessian_stiffness", "potential": named, "radii": [0.0, 3.0]}
    results = run(tmp_path, "results/summary.csv", "results/SHA256SUMS", changes={}, descriptor=descriptor)
    assert [path.name for path in (results / "potential").iterdir()] == ["lattice.json"]
    assert Crystal.load(results / "potential/lattice.json").a == pytest.approx(A, abs=1e-6)
    entropies = vacancies_of(results)
    assert len(entropies) >= 2
    assert np.ptp(entropies) < 1e-6
    assert (results / "summary.csv").is_file()
