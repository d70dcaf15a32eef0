"""What cells are compared with, in files: it comes back as it was, and damage is named."""

import h5py
import numpy as np
import pytest

from vibentropy.errors import DataError
from vibentropy.features.bulk_files import read_bulk, write_bulk
from vibentropy.features.extensive import ElementFeatures

RNG = np.random.default_rng(3)
OF_ONE = RNG.normal(size=4)
OF_COMPOUND = ElementFeatures(("Fe", "Al"), RNG.normal(size=(2, 4)), np.array([0.75, 0.25]))
OF_RANDOM_ALLOY = ElementFeatures(
    ("Cr", "Fe", "V"), RNG.normal(size=(3, 4)), np.full(3, 1 / 3), RNG.normal(size=(2, 4))
)


@pytest.fixture
def file():
    with h5py.File("bulk.h5", "w", driver="core", backing_store=False) as file:
        yield file


def test_a_perfect_crystal_comes_back(file):
    write_bulk(file, OF_ONE)
    assert (list(file), list(file.attrs)) == (["bulk"], [])
    np.testing.assert_array_equal(read_bulk(file, 4), OF_ONE)


@pytest.mark.parametrize("bulk", [OF_COMPOUND, OF_RANDOM_ALLOY])
def test_elements_come_back(file, bulk):
    write_bulk(file, bulk)
    again = read_bulk(file, 4)
    assert again.elements == bulk.elements
    np.testing.assert_array_equal(again.values, bulk.values)
    np.testing.assert_array_equal(again.shares, bulk.shares)
    if bulk.conditions is None:
        assert again.conditions is None
    else:
        np.testing.assert_array_equal(again.conditions, bulk.conditions)


def replace(file, name, value):
    del file[name]
    file[name] = value


@pytest.mark.parametrize(
    ("bulk", "damage", "message"),
    [
        (OF_ONE, lambda f: replace(f, "bulk", OF_ONE[1:]), r"/bulk has shape \(3,\)"),
        (OF_ONE, lambda f: replace(f, "bulk", [0, np.nan, 0, 0]), r"/bulk\[1\] is nan"),
        (OF_COMPOUND, lambda f: replace(f, "bulk", OF_ONE), r"/bulk has shape \(4,\)"),
        (OF_COMPOUND, lambda f: f.attrs.update(shares=[1.0]), r"shares has shape \(1,\)"),
        (OF_COMPOUND, lambda f: f.attrs.update(elements=["Fe", "Fe"]), "its elements are Fe, Fe, expected chemical"),
        (OF_COMPOUND, lambda f: f.attrs.update(elements=["Fe", "Ax"]), "its elements are Fe, Ax, expected chemical"),
        (OF_COMPOUND, lambda f: f.attrs.update(elements=["Fe", "X"]), "its elements are Fe, X, expected chemical"),
        (
            OF_RANDOM_ALLOY,
            lambda f: replace(f, "conditions", OF_RANDOM_ALLOY.values),
            r"/conditions has shape \(3, 4\)",
        ),
    ],
)
def test_damage_is_named(file, bulk, damage, message):
    write_bulk(file, bulk)
    damage(file)
    with pytest.raises(DataError, match=message):
        read_bulk(file, 4)
