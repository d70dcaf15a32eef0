"""Extensive features: zero for the perfect crystal, and proportional to the number of defects."""

from types import SimpleNamespace

import numpy as np
import pytest
from ase.build import bulk
from hypothesis import given
from hypothesis import strategies as st
from pair_sums import CRYSTAL, PairSums, vacancy

from vibentropy.atoms.crystal import Crystal
from vibentropy.descriptors import create
from vibentropy.features.extensive import (
    CrystalFeatures,
    bulk_features,
    crystals_by_dataset,
    describe_references,
    extensive_features,
)
from vibentropy.sources.perfect import filled


def test_perfect_crystal_has_no_features(afs):
    reference = bulk_features(afs, bulk("Fe", "bcc", a=2.8553))
    X = extensive_features(afs, [CRYSTAL, CRYSTAL * (2, 1, 1)], reference)
    assert X.shape == (2, 8)
    np.testing.assert_allclose(X, 0.0, atol=1e-11 * 54 * np.abs(reference).max())
    np.testing.assert_allclose(bulk_features(afs, CRYSTAL), reference, rtol=1e-11)


def test_features_are_the_total_minus_that_of_as_many_bulk_atoms(afs):
    atoms = vacancy()
    bulk_sum = afs.local(CRYSTAL).sum(axis=0)
    expected = afs.local(atoms).sum(axis=0) - 53 / 54 * bulk_sum
    X = extensive_features(afs, atoms, bulk_features(afs, CRYSTAL))
    assert X.shape == (1, 8)
    np.testing.assert_allclose(X[0], expected, rtol=1e-9, atol=1e-11 * np.abs(bulk_sum).max())


@given(st.tuples(*[st.integers(1, 2)] * 3))
def test_repeated_cells_have_repeated_features(repetitions):
    descriptor = create("afs", n_max=2, l_max=3, r_cut=4.0)
    reference = bulk_features(descriptor, CRYSTAL)
    one, many = (extensive_features(descriptor, atoms, reference) for atoms in (vacancy(), vacancy() * repetitions))
    np.testing.assert_allclose(many, np.prod(repetitions) * one, rtol=1e-10, atol=1e-10 * np.abs(one).max())


def test_no_configurations_have_no_rows(afs):
    assert extensive_features(afs, [], np.zeros(8)).shape == (0, 8)


@pytest.mark.parametrize(
    "specification",
    [
        {"kind": "afs", "n_max": 2, "l_max": 3, "r_cut": 4.0},
        {
            "kind": "hessian_stiffness",
            "potential": {"file": "FeP_mm.eam.fs", "element": "Fe"},
            "radii": [0.0, 3.4, 5.4],
        },
        {"kind": "scattering", "n_scales": 2, "l_max": 1},
    ],
)
def test_strained_crystals_are_those_of_the_whole_cell(specification):
    descriptor = create(**specification)
    perfect = filled(Crystal("Fe", "bcc", 2.8553))
    strain = np.eye(3) + [[0.01, 0.004, 0.0], [0.0, -0.012, 0.006], [0.0, 0.0, 0.008]]
    row = {"repetitions": "5x6x8"}
    whole = perfect(row, perfect(row).cell[:] @ strain)
    described = []
    of_crystal = CrystalFeatures(descriptor, lambda *about: described.append(perfect(*about)) or described[-1])
    found, expected = of_crystal(row, whole.cell[:]), bulk_features(descriptor, whole)
    np.testing.assert_allclose(found, expected, rtol=1e-10, atol=1e-10 * np.abs(expected).max())
    assert len(described[0]) == (2 * 4**3 if descriptor.has_local else len(whole))


def test_crystals_are_built_and_described_once_for_each_cell(afs):
    strained = CRYSTAL.copy()
    strained.set_cell(1.01 * CRYSTAL.cell[:], scale_atoms=True)
    crystals, built, described = {"3x3x3": CRYSTAL, "6x3x3": CRYSTAL * (2, 1, 1), "": strained}, [], []

    class Counting(PairSums):
        def _total(self, atoms):
            described.append(len(atoms))
            return super()._total(atoms)

    def perfect(row, cell):
        built.append(row["repetitions"])
        return crystals[row["repetitions"]]

    descriptor = Counting()
    of_crystal = CrystalFeatures(descriptor, perfect)
    for repetitions, cell in [("3x3x3", CRYSTAL.cell), ("6x3x3", crystals["6x3x3"].cell), ("3x3x3", CRYSTAL.cell)] * 2:
        features = of_crystal({"repetitions": repetitions}, cell)
        np.testing.assert_array_equal(features, bulk_features(PairSums(), crystals[repetitions]))
    assert built == ["3x3x3", "6x3x3"]
    assert described == [54, 108]
    # The one reference of files belongs to all cells.
    for cell in (strained.cell[:], 1.1 * strained.cell[:]):
        of_crystal({"repetitions": ""}, cell)
    assert described == [54, 108, 54]


def test_each_data_set_has_the_crystals_of_its_source():
    descriptor, row = PairSums(species=["Fe", "P"]), {"repetitions": ""}
    solute, strained = CRYSTAL.copy(), CRYSTAL.copy()
    solute.symbols[0] = "P"
    strained.set_cell(0.98 * CRYSTAL.cell[:], scale_atoms=True)
    # In cells of one size, each with its atoms elsewhere.
    arrangements = [vacancy(), vacancy()]
    arrangements[1].rattle(0.1, seed=2)

    def source(perfect, others=(), own_crystals=False):
        at = {"lattice.json": (lambda row, cell: perfect(row)), None: None}
        return SimpleNamespace(
            perfect=at.get, others={"lattice.json": others, None: None}.get, own_crystals=own_crystals
        )

    sources = {
        "crystal": source(lambda row: strained),
        "solutes": source(lambda row: CRYSTAL, [solute]),
        "random": source(lambda row: arrangements[row["seed"]], own_crystals=True),
    }
    compared = crystals_by_dataset(descriptor, sources, "lattice.json")
    found = compared(row | {"dataset": "crystal"}, CRYSTAL.cell)
    np.testing.assert_array_equal(found, bulk_features(descriptor, strained))
    found = compared(row | {"dataset": "solutes"}, CRYSTAL.cell)
    np.testing.assert_array_equal(found.values, describe_references(descriptor, CRYSTAL, [solute]).values)
    for seed, atoms in enumerate(arrangements):
        found = compared(row | {"dataset": "random", "seed": seed}, CRYSTAL.cell)
        np.testing.assert_array_equal(found, bulk_features(descriptor, atoms))
