"""Triple splines against the sum over pairs of neighbours that defines them."""

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from definition import environment
from scipy.interpolate import BSpline
from scipy.special import eval_legendre

from vibentropy.descriptors import create
from vibentropy.errors import ConfigError


def literal(vectors, symbols, descriptor):
    """Sum over pairs of neighbours of one atom, by the name of the feature: no symmetry, no recurrence."""
    vectors = vectors.astype(float)
    lengths = np.linalg.norm(vectors, axis=1)
    distances = np.maximum(lengths, descriptor.knots[descriptor.degree])
    element = dict.fromkeys(symbols, "") if descriptor.species is None else {s: s for s in symbols}

    def spline(centre, r):
        knots = centre + descriptor.spacing * (np.arange(descriptor.degree + 2) - (descriptor.degree + 1) / 2)
        return np.nan_to_num(BSpline.basis_element(knots, extrapolate=False)(r))

    channels = [(s, r) for s in descriptor.species or [""] for r in descriptor.bin_centres]
    found = {}
    for a, (s, r) in enumerate(channels):
        for t, q in channels[a:]:
            for degree in descriptor.angular or [0, 1, 2]:
                total = 0.0
                for j, k in np.argwhere(~np.eye(len(vectors), dtype=bool)):
                    if (element[symbols[j]], element[symbols[k]]) == (s, t):
                        cosine = vectors[j] @ vectors[k] / lengths[j] / lengths[k]
                        total += spline(r, distances[j]) * spline(q, distances[k]) * eval_legendre(degree, cosine)
                found[s, t, f"{r:.3f}_{q:.3f}_l{degree}"] = total / 2 if (s, r) == (t, q) else total
    return found


@pytest.mark.parametrize(("degree", "angular"), [(1, None), (2, [0, 1, 3, 4])])
def test_sum_over_pairs_of_neighbours(degree, angular):
    atoms = bulk("Fe", "bcc", a=2.86, cubic=True).repeat((2, 1, 1))
    atoms.rattle(0.2, seed=3)
    descriptor = create("triple_spline", r_min=2.0, r_cut=3.2, spacing=0.3, degree=degree, angular=angular)
    vectors, symbols = environment(atoms, 1, 3.2)
    expected = literal(vectors, symbols, descriptor)
    features = dict(zip(descriptor.feature_names, descriptor.local(atoms)[1], strict=True))
    assert [f"T_{name}" for _, _, name in expected] == descriptor.feature_names
    np.testing.assert_allclose(list(features.values()), list(expected.values()), rtol=0, atol=1e-12)
    assert max(expected.values()) > 1


def test_each_species_has_its_own():
    atoms = Atoms("FeCrCrFe", positions=[(0, 0, 0), (2.1, 0.2, 0), (-1.9, 1.1, 0.4), (0.3, -2.2, 0.5)])
    descriptor = create("triple_spline", r_min=1.8, r_cut=3.0, spacing=0.4, angular=[2], species=["Fe", "Cr"])
    vectors, symbols = environment(atoms, 0, 3.0)
    expected = literal(vectors, symbols, descriptor)
    features = dict(zip(descriptor.feature_names, descriptor.local(atoms)[0], strict=True))
    for (s, t, name), value in expected.items():
        assert features[f"T_Fe_{s}-{t}_{name}"] == pytest.approx(value, abs=1e-12)
    assert not any(value for name, value in features.items() if name.startswith("T_Cr"))
    assert sum(map(bool, expected.values())) > 3


def test_neighbours_that_are_too_near_count():
    near, lowest = (Atoms("Fe3", positions=[(0, 0, 0), (r, 0, 0), (0, 2.2, 0)]) for r in (1.5, 1.8))
    descriptor = create("triple_spline", r_min=1.8, r_cut=2.4, spacing=0.2)
    np.testing.assert_allclose(descriptor.local(near)[0], descriptor.local(lowest)[0], rtol=0, atol=1e-12)
    assert descriptor.local(near)[0].any()


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"r_min": 5.2, "r_cut": 5.2}, "must be at least one spacing"),
        ({"angular": [2, 0]}, "angular == .*, must ascend"),
        ({"angular": []}, "must hold at least one"),
    ],
)
def test_parameters(parameters, message):
    with pytest.raises(ConfigError, match=message):
        create("triple_spline", **parameters)
