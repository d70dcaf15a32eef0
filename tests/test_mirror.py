"""Tests of a module are in the file of its name: ``tests/<room>/test_<module>.py``."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]

#: Modules without such a file, and where they are tested. This list may become shorter, not longer.
ELSEWHERE = {
    "cli/options": "cli/test_cli.py",
    "cli/reading": "cli/test_predict.py",
    "descriptors/body_order": "descriptors/test_four_body.py",
    "descriptors/invariants": "descriptors/test_four_body.py",
    "descriptors/parameters": "run/test_parameter_schema.py",
    "descriptors/radial": "descriptors/test_density.py",
    "files/heaps": "robustness/test_bad_input.py",
    "potentials/lammps": "potentials/test_newton.py",
    "potentials/lammps_engine": "potentials/test_newton.py",
    # Figures of a study are drawn of the tables that its tests make.
    "report/figures/cost_and_error": "studies/test_cost_and_error.py",
    "report/figures/extensivity": "studies/test_extensivity.py",
    "report/figures/learning_curves": "studies/test_learning_curves.py",
    "report/figures/overview": "studies/benchmark/test_measure.py",
    "report/figures/site_maps": "studies/test_site_maps.py",
    "report/figures/thermodynamics": "studies/test_thermodynamics.py",
    "run/data_check": "cli/test_check.py",
    "run/file_info": "cli/test_info.py",
    "run/settings": "run/test_config.py",
    "sources/any_file": "cli/test_predict.py",
    "sources/lattice": "sources/test_source.py",
    "sources/sampling": "sources/test_recipes.py",
    "studies/benchmark/cells": "studies/benchmark/test_peers.py",
    "studies/benchmark/programs": "studies/benchmark/test_peers.py",
    # Glue between files and functions that have tests of their own: whole runs go through it.
    "report/steps/benchmark": "workflow/test_benchmark.py",
    "report/steps/comparison": "workflow/test_workflow.py",
    "report/steps/configurations": "workflow/test_workflow.py",
    "report/steps/figures": "workflow/test_workflow.py",
    "report/steps/maps": "workflow/test_workflow.py",
    "report/steps/nonlinear": "studies/test_extensivity.py",
    "report/steps/page": "workflow/test_workflow.py",
    "report/steps/readme": "workflow/test_workflow.py",
    "run/steps/describe": "workflow/test_workflow.py",
    "run/steps/environments": "studies/test_extensivity.py",
    "run/steps/features": "workflow/test_workflow.py",
    "run/steps/folds": "workflow/test_workflow.py",
    "run/steps/label": "workflow/test_workflow.py",
    "run/steps/shipped_model": "workflow/test_workflow.py",
    "run/steps/site_map": "workflow/test_workflow.py",
}


def modules():
    """Paths of all modules without the ending, from their package; those with an underscore are of their neighbours."""
    for package, room in ((ROOT / "src/vibentropy", ""), (ROOT / "descriptors", "descriptors/")):
        for path in package.rglob("*.py"):
            if not path.name.startswith("_"):
                yield f"{room}{path.relative_to(package).with_suffix('').as_posix()}"


def test_every_module_has_its_tests_in_the_file_of_its_name():
    missing = set()
    for module in modules():
        folder, _, name = module.rpartition("/")
        if not (ROOT / "tests" / folder / f"test_{name}.py").exists():
            missing.add(module)
    assert sorted(missing - ELSEWHERE.keys()) == [], "write their tests into files of their names"
    assert sorted(ELSEWHERE.keys() - missing) == [], "they have a file of their own or are gone: shorten the list"


def test_what_is_tested_elsewhere_is_tested_there():
    for module, file in ELSEWHERE.items():
        assert (ROOT / "tests" / file).exists(), f"{module}: {file}"
