"""The numbers of every descriptor are those of the golden files; ``python tests/golden/generate.py`` writes them."""

import importlib.util
import json
from pathlib import Path

import numpy as np
import pytest

from vibentropy.descriptors import REGISTRY

FOLDER = Path(__file__).parents[1] / "golden"
spec = importlib.util.spec_from_file_location("generate", FOLDER / "generate.py")
generate = importlib.util.module_from_spec(spec)
spec.loader.exec_module(generate)


@pytest.mark.parametrize("kind", REGISTRY)
def test_numbers_have_not_changed(kind):
    path = FOLDER / f"{kind}.json"
    assert path.stat().st_size < 200_000
    golden = json.loads(path.read_text())
    found = generate.features(kind)
    assert [example["parameters"] for example in found] == [example["parameters"] for example in golden]
    for example, expected in zip(found, golden, strict=True):
        assert example["names"] == expected["names"]
        assert example["totals"].keys() == expected["totals"].keys()
        for name, values in example["totals"].items():
            # Other processors and libraries of linear algebra round otherwise.
            scale = np.abs(values).max()
            np.testing.assert_allclose(values, expected["totals"][name], rtol=0, atol=1e-9 * scale, err_msg=name)


def test_no_file_without_a_descriptor():
    assert {path.stem for path in FOLDER.glob("*.json")} == set(REGISTRY)
