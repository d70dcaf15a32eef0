"""Pair splines against the definition of B-splines, and sums of pair terms that they stand for."""

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from definition import environment
from scipy.interpolate import BSpline

from vibentropy.descriptors import create
from vibentropy.errors import ConfigError


def basis(r, centre, spacing, degree):
    """B-spline in closed form."""
    x = abs(r - centre) / spacing
    if degree == 1:
        return np.maximum(1 - x, 0.0)
    return np.where(x < 1, 2 / 3 - x**2 + x**3 / 2, np.where(x < 2, (2 - x) ** 3 / 6, 0.0))


@pytest.mark.parametrize(("degree", "lowest"), [(1, 1.8), (3, 1.6)])
def test_sum_over_neighbours(degree, lowest):
    atoms = bulk("Fe", "hcp", a=2.5)
    vectors, _ = environment(atoms, 1, 4.6)
    distances = np.linalg.norm(vectors.astype(float), axis=1)
    descriptor = create("pair_spline", r_min=1.8, r_cut=4.6, spacing=0.2, degree=degree)
    found = descriptor.local(atoms)[1]
    centres = [float(name.split("_")[1]) for name in descriptor.feature_names]
    assert centres == pytest.approx(lowest + 0.2 * np.arange(14))
    expected = [basis(distances, centre, 0.2, degree).sum() for centre in centres]
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-12)


def test_any_smooth_pair_term_is_a_sum_of_features():
    """Splines reproduce cubic polynomials: (r_cut - r)^3 is one that they may end with."""
    atoms = bulk("Fe", "bcc", a=2.86, cubic=True).repeat(2)
    atoms.rattle(0.1, seed=1)
    descriptor = create("pair_spline", r_min=1.8, r_cut=4.5, spacing=0.13, degree=3)
    vectors, _ = environment(atoms, 3, 4.5)
    expected = ((4.5 - np.linalg.norm(vectors.astype(float), axis=1)) ** 3).sum()
    knots = descriptor.knots
    r = np.linspace(knots[3], knots[-4], 400)
    weights = np.linalg.lstsq(BSpline.design_matrix(r, knots, 3).toarray(), (4.5 - r) ** 3, rcond=None)[0]
    assert np.abs(weights[descriptor.n_features :]).max() < 1e-10
    found = descriptor.local(atoms)[3] @ weights[: descriptor.n_features]
    assert found == pytest.approx(expected, rel=1e-10)


def test_neighbours_that_are_too_near_count():
    near, lowest = (Atoms("Fe2", positions=[(0, 0, 0), (r, 0, 0)]) for r in (1.1, 1.8))
    descriptor = create("pair_spline", r_min=1.8, r_cut=4.3, spacing=0.5)
    np.testing.assert_allclose(descriptor.total(near), descriptor.total(lowest), atol=1e-12)
    assert descriptor.total(near).sum() == pytest.approx(2)


def test_each_species_has_its_own():
    atoms = Atoms("FeCrCr", positions=[(0, 0, 0), (2, 0, 0), (0, 3, 0)])
    alone = create("pair_spline", r_cut=3.5, spacing=0.5)
    descriptor = create("pair_spline", r_cut=3.5, spacing=0.5, species=["Fe", "Cr"])
    features = descriptor.local(atoms).reshape(3, 4, alone.n_features)
    bond = {r: alone.local(Atoms("Fe2", positions=[(0, 0, 0), (r, 0, 0)]))[0] for r in (2.0, 3.0)}
    np.testing.assert_allclose(features[0], [0 * bond[2.0], bond[2.0] + bond[3.0], 0 * bond[2.0], 0 * bond[2.0]])
    np.testing.assert_allclose(features[1:, 2], [bond[2.0], bond[3.0]])
    assert not features[:, 3].any()  # √13 Å apart
    assert descriptor.feature_names[alone.n_features] == "B_Fe_Cr_1.500"


@pytest.mark.parametrize(
    ("parameters", "message"),
    [({"r_min": 5.2, "r_cut": 5.2}, "must be at least one spacing"), ({"spacing": 0.0}, "spacing == 0.0, must be > 0")],
)
def test_parameters(parameters, message):
    with pytest.raises(ConfigError, match=message):
        create("pair_spline", **parameters)
