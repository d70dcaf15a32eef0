"""Radial densities against their definition."""

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from definition import environment, radial

from vibentropy.descriptors import create


@pytest.mark.parametrize("n_max", [1, 5, 20])
def test_sum_over_neighbours(n_max):
    atoms = bulk("Fe", "hcp", a=2.5)
    vectors, _ = environment(atoms, 1, 4.6)
    expected = sum(radial(np.linalg.norm(v.astype(float)), n_max, 4.6) for v in vectors).astype(float)
    found = create("two_body", n_max=n_max, r_cut=4.6).local(atoms)[1]
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-13 * np.abs(expected).max())


def test_each_species_has_its_own():
    atoms = Atoms("FeCrCr", positions=[(0, 0, 0), (2, 0, 0), (0, 3, 0)])
    descriptor = create("two_body", n_max=2, r_cut=3.5, species=["Fe", "Cr"])
    features = dict(zip(descriptor.feature_names, descriptor.local(atoms).T, strict=True))
    g = {r: radial(r, 2, 3.5).astype(float) for r in (2.0, 3.0)}
    np.testing.assert_allclose(features["R_Fe_Cr_n2"], [g[2][1] + g[3][1], 0, 0], rtol=1e-13)
    np.testing.assert_allclose(features["R_Cr_Fe_n1"], [0, g[2][0], g[3][0]], rtol=1e-13)
    assert not features["R_Fe_Fe_n1"].any()
    assert not features["R_Cr_Cr_n1"].any()  # √13 Å apart


def test_feature_names():
    assert create("two_body", n_max=2).feature_names == ["R_n1", "R_n2"]
