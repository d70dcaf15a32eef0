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


#: Other processors and libraries of linear algebra round otherwise: by so much of the largest feature of a structure,
TOLERANCE = 1e-9
#: and more where a descriptor amplifies rounding, which shows when coordinates change in their last digits. Scattering
#: does: in the empty space around a cluster |U| is nothing but the rounding of Fourier transforms, 1e-16 of its largest
#: value, which U^(1/2) makes 1e-8 and the integral adds up over all of the box. On two processors such features differ
#: by 2e-9 of the largest. Whatever the amplification, nothing may differ by more than this.
LARGEST_TOLERANCE = 2e-8


def tolerances(kind, examples):
    """Differences that rounding explains, an array for each structure of each example of `generate.features`."""
    rounded_otherwise = generate.features(kind, noise=1e-15)
    return [
        {
            name: np.clip(
                3 * np.abs(values - other["totals"][name]),
                TOLERANCE * np.abs(values).max(),
                LARGEST_TOLERANCE * np.abs(values).max(),
            )
            for name, values in example["totals"].items()
        }
        for example, other in zip(examples, rounded_otherwise, strict=True)
    ]


@pytest.fixture(scope="module", params=REGISTRY)
def kind(request):
    return request.param


@pytest.fixture(scope="module")
def golden(kind):
    """Contents of the file of a descriptor."""
    path = FOLDER / f"{kind}.json"
    assert path.stat().st_size < 200_000
    return json.loads(path.read_text())


@pytest.fixture(scope="module")
def allowed(kind):
    return tolerances(kind, generate.features(kind))


def changed(examples, golden, allowed):
    """Names of features that are not those of the file, with the structure and by how much they differ."""
    return [
        (structure, name, difference)
        for example, expected, tolerance in zip(examples, golden, allowed, strict=True)
        for structure, values in example["totals"].items()
        for name, difference, limit in zip(
            example["names"],
            np.abs(values - expected["totals"][structure]),
            tolerance[structure],
            strict=True,
        )
        if not difference <= limit
    ]


def test_numbers_have_not_changed(kind, golden, allowed):
    examples = generate.features(kind)
    assert [example["parameters"] for example in examples] == [example["parameters"] for example in golden]
    for example, expected in zip(examples, golden, strict=True):
        assert example["names"] == expected["names"]
        assert example["totals"].keys() == expected["totals"].keys()
    assert changed(examples, golden, allowed) == []


def by_a_millionth(value):
    """Parameters with all lengths and other real numbers in them, however deep, a millionth larger."""
    if isinstance(value, dict):
        return {key: by_a_millionth(item) for key, item in value.items()}
    if isinstance(value, list):
        return [by_a_millionth(item) for item in value]
    return value * (1 + 1e-6) if isinstance(value, float) else value


def test_a_parameter_that_is_off_by_a_millionth_is_noticed(kind, golden, allowed):
    if not any(by_a_millionth(example["parameters"]) != example["parameters"] for example in golden):
        pytest.skip(f"{kind} has no real numbers for parameters")
    if kind == "hessian_clusters":
        pytest.skip("its radii choose atoms: between two shells of neighbours they change nothing")
    assert changed(generate.features(kind, by_a_millionth), golden, allowed)


def test_coordinates_that_are_off_by_a_millionth_are_noticed(kind, golden, allowed):
    assert changed(generate.features(kind, noise=1e-6), golden, allowed)


def test_no_file_without_a_descriptor():
    assert {path.stem for path in FOLDER.glob("*.json")} == set(REGISTRY)
