"""The files that a script stands on."""

import re
import sys
from pathlib import Path

import pytest
from workflow_runs import ROOT, RULES

import vibentropy
from vibentropy import descriptors
from vibentropy.learning.registry import find_regressor
from vibentropy.run.source_files import NOT_FOLLOWED, source_files

SCRIPTS = sorted((ROOT / "workflow/scripts").glob("*.py"))
PACKAGE = Path(vibentropy.__file__).parent


def modules(*starts):
    """Dotted names, without that of the package, of the files that scripts or modules stand on."""
    names = set()
    for file in map(Path, source_files(*starts)):
        folder = ROOT if (ROOT / "descriptors") in file.parents else PACKAGE
        names.add(".".join(file.relative_to(folder).with_suffix("").parts))
    return names


def script(name):
    return ROOT / f"workflow/scripts/{name}.py"


@pytest.fixture
def files_of_text(tmp_path):
    """Files of vibentropy that a script of this text stands on."""

    def find(text):
        # What a file imports is read once.
        path = tmp_path / f"{len(list(tmp_path.iterdir()))}.py"
        path.write_text(text, encoding="utf-8")
        return modules(path)

    return find


# --- What is followed ------------------------------------------------------------------------------------------------


def test_imports_of_modules_of_names_in_them_and_within_functions_are_followed(files_of_text):
    assert files_of_text("import vibentropy.units") == {"units"}
    assert files_of_text("from vibentropy import units") == {"__init__", "units"}
    assert files_of_text("from vibentropy.units import BOLTZMANN as k") == {"units"}
    assert files_of_text("def later():\n    with open('x'):\n        from vibentropy import units") == {
        "__init__",
        "units",
    }


def test_imports_for_type_checkers_are_not_followed(files_of_text):
    text = (
        "if TYPE_CHECKING:\n    from vibentropy.model.entropy_model import EntropyModel\nfrom vibentropy import units\n"
    )
    assert files_of_text(text) == {"__init__", "units"}


def test_text_other_packages_and_names_that_are_no_modules_are_not_followed(files_of_text):
    assert (
        files_of_text(
            '"""import vibentropy.model.files"""\nkind = "vibentropy.model.entropy_model.EntropyModel"\nimport numpy'
        )
        == set()
    )
    assert files_of_text("from vibentropy.units import no_such_name") == {"units"}
    assert files_of_text("from vibentropy.no_such_module import name") == set()


def test_what_is_imported_imports_in_its_turn(files_of_text):
    names = files_of_text("from vibentropy.sources.user_files import Files")
    assert {"sources.user_files", "atoms.reading", "files.atomic", "errors"} <= names
    assert "model.entropy_model" not in names


def test_relative_imports_are_followed_in_modules_and_in_packages(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    folder = tmp_path / "relative_package"
    (folder / "inner").mkdir(parents=True)
    (folder / "__init__.py").write_text("")  # which nothing imports from
    (folder / "side.py").write_text("NUMBER = 1\n")
    (folder / "inner/__init__.py").write_text("from .beside import NUMBER\n")
    (folder / "inner/beside.py").write_text("from ..side import NUMBER\nfrom . import last\n")
    (folder / "inner/last.py").write_text("from vibentropy import units\n")
    paths = {str(path) for path in folder.rglob("*.py")} - {str(folder / "__init__.py")}
    assert set(source_files("relative_package.inner")) >= paths
    assert any(path.endswith("vibentropy/units.py") for path in source_files("relative_package.inner"))


def test_a_module_of_ones_own_is_followed_and_what_it_is_made_of(tmp_path, monkeypatch):
    """As `PYTHONPATH=. snakemake` finds it."""
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "my_descriptor.py").write_text(
        "import numpy\nimport other_of_mine\nfrom vibentropy.descriptors.base import Descriptor\n"
        "class Mine(Descriptor):\n    pass\n"
    )
    (tmp_path / "other_of_mine.py").write_text("")
    mine = descriptors.find("my_descriptor.Mine")
    try:
        files = source_files(mine.__module__)
    finally:
        sys.modules.pop("my_descriptor", None)
        sys.modules.pop("other_of_mine", None)
    assert str(tmp_path / "my_descriptor.py") in files
    assert not any("numpy" in file for file in files)
    # Other packages are theirs who installed them, whatever lies beside the module.
    assert str(tmp_path / "other_of_mine.py") not in files
    assert str(ROOT / "descriptors/base.py") in files


# --- What the rules of the workflow stand on -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("fit", {"model.entropy_model", "learning.registry", "learning.uncertainty", "evaluation.fitting"}),
        ("evaluate", {"evaluation.metrics", "evaluation.coverage", "evaluation.predictions"}),
        ("label", {"labels.entropy", "labels.cholesky", "potentials.embedded_atom", "potentials.splines"}),
        ("features", {"features.sets", "features.extensive", "features.atom_labels", "descriptors.base"}),
        ("figures", {"report.figures.style"}),
        ("structures", {"sources.source", "files.logs"}),
    ],
)
def test_scripts_stand_on_what_they_use_by_way_of_others(name, expected):
    assert expected <= modules(script(name))


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("lasso", {"learning.sparse", "learning.base", "learning.scaling"}),
        ("bayesian_ridge", {"learning.bayesian", "learning.base"}),
    ],
)
def test_a_regressor_stands_on_its_file_which_fit_does_not_import(kind, expected):
    names = modules(find_regressor(kind).__module__)
    assert expected <= names
    assert "model.entropy_model" not in names


def test_a_descriptor_stands_on_its_file_and_not_on_other_descriptors():
    names = modules(descriptors.find("afs").__module__)
    assert {"descriptors.afs", "descriptors.base", "atoms.neighbours"} <= names
    assert not names & {"descriptors.scattering", "descriptors.soap", "learning.ridge"}


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.stem)
def test_every_script_stands_on_something_but_not_on_what_records_its_origin(path):
    names = modules(path)
    assert "files.logs" in names
    assert not names & {name.removeprefix("vibentropy.") for name in NOT_FOLLOWED}
    assert {"vibentropy.run.config", "vibentropy.run.settings", "vibentropy.run.provenance"} == NOT_FOLLOWED


#: They write down what others have made, and are made again with it.
WITHOUT_CODE = {"readme", "checksums", "potentials"}


@pytest.mark.parametrize("name", [name for name, text in RULES.items() if "script:" in text])
def test_every_rule_with_a_script_has_its_code_among_its_inputs(name):
    text = RULES[name]
    (called,) = set(re.findall(r"scripts/(\w+)\.py", text))
    if name in WITHOUT_CODE:
        assert "code" not in text
        return
    inputs = text.partition("output:")[0]
    assert f'code=code_of("{called}")' in inputs or f'code=lambda wildcards: code_of("{called}")' in inputs
