"""A configuration to make mistakes in."""

import ase.io
import pytest
import yaml
from ase.build import bulk
from example_config import EXAMPLE


@pytest.fixture
def config(tmp_path):
    for name in ("bulk", "b", "a"):
        ase.io.write(tmp_path / f"{name}.xyz", bulk("Fe", cubic=True))
    return yaml.safe_load(EXAMPLE.replace("FOLDER", str(tmp_path)))
