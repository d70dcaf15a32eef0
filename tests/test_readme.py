"""What the README says about adding a descriptor is what happens."""

import re
import sys
from pathlib import Path

import numpy as np
import pytest
import yaml

ROOT = Path(__file__).resolve().parents[1]
sys.path.append(str(ROOT / "tests/descriptors"))

import test_contract as contract  # noqa: E402

from vibentropy import preflight  # noqa: E402
from vibentropy.config import validate  # noqa: E402
from vibentropy.descriptors import create  # noqa: E402
from vibentropy.inspection import cost_in_words  # noqa: E402

SECTION = re.search(r"^## Add a descriptor$(.*?)^## ", (ROOT / "README.md").read_text(), re.M | re.S)[1]
(SNIPPET,) = re.findall(r"```python\n(.*?)```", SECTION, re.S)
(CONFIGURATION,) = re.findall(r"```yaml\n(.*?)```", SECTION, re.S)


@pytest.fixture(scope="module")
def recipe(tmp_path_factory):
    """Kind and parameters that the README configures, its file being importable."""
    folder = tmp_path_factory.mktemp("readme")
    (folder / "smooth_count.py").write_text(SNIPPET)
    (parameters,) = yaml.safe_load(CONFIGURATION)["descriptors"].values()
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(folder)
        yield parameters.pop("kind"), parameters
    sys.modules.pop("smooth_count", None)


@pytest.fixture(scope="module")
def descriptor(recipe):
    kind, parameters = recipe
    return create(kind, **parameters)


def test_it_is_about_ten_lines():
    body = SNIPPET.split("class ")[1]
    assert len([line for line in body.splitlines() if line.strip()]) <= 10


def test_the_configuration_is_accepted():
    config = yaml.safe_load((ROOT / "config.yaml").read_text()) | yaml.safe_load(CONFIGURATION)
    validate(config, ROOT / "workflow/schemas/config.schema.yaml")


def test_it_counts(descriptor, iron_crystal):
    """Eight neighbours at a √3/2, six at a, twelve at a √2."""
    crystal = iron_crystal(2)
    a = crystal.cell[0, 0] / 2
    weights = [n * (1 - (d * a / 4.5) ** 2) ** 3 for n, d in ((8, np.sqrt(0.75)), (6, 1), (12, np.sqrt(2)))]
    np.testing.assert_allclose(descriptor.local(crystal), sum(weights), rtol=1e-12)


BLOCKS = re.findall(r"```yaml\n(.*?)```", (ROOT / "README.md").read_text(), re.S)


@pytest.mark.parametrize("text", [b for b in BLOCKS if "my_package" not in b and "bulk.extxyz" not in b])
def test_configurations_of_the_readme_are_accepted(text):
    """Those that name files and classes of the reader's own excepted."""
    block = yaml.safe_load(text)
    config = yaml.safe_load((ROOT / "config.yaml").read_text()) | block
    if "datasets" in block:  # tests of the default run are of its own data sets
        del config["evaluation"]
    config = validate(config, ROOT / "workflow/schemas/config.schema.yaml")
    preflight.check(config)
    assert "core time" in cost_in_words(config)


def test_files_and_folders_that_the_readme_links_to_exist():
    for target in re.findall(r"\]\(([^)#]+)\)", (ROOT / "README.md").read_text()):
        assert target.startswith("https://") or (ROOT / target).exists(), target


def test_configurations_that_the_readme_lists_are_those_that_ship():
    table = re.search(r"^\| configuration \|.*?\n\n", (ROOT / "README.md").read_text(), re.M | re.S)[0]
    listed = re.findall(r"^\| `(\w+)` \|", table, re.M)
    ship = {path.stem for path in (ROOT / "workflow/configs").glob("*.yaml")}
    assert set(listed) == ship - {"tiny"}


# The contract tests of registered descriptors, on the fixtures of this file.
TestInvariance = contract.TestInvariance
TestAdditivity = contract.TestAdditivity
TestBoundaries = contract.TestBoundaries
TestParameters = contract.TestParameters
TestRefusals = contract.TestRefusals
