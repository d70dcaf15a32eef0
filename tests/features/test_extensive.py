"""Extensive features: zero for the perfect crystal, and proportional to the number of defects."""

import numpy as np
from ase.build import bulk
from hypothesis import given
from hypothesis import strategies as st
from pair_sums import CRYSTAL, PairSums, vacancy

from vibentropy.descriptors import create
from vibentropy.features.extensive import CrystalFeatures, bulk_features, extensive_features


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
