"""Entropies of clusters against logarithms of dense matrices, and the site entropies that they tend to."""

import numpy as np
import pytest
from scipy.linalg import logm

from vibentropy.atoms.crystal import Crystal
from vibentropy.descriptors import create
from vibentropy.errors import ConfigError, SaddlePointError
from vibentropy.labels.determinants import log_determinant
from vibentropy.labels.modes import modes
from vibentropy.potentials.embedded_atom import Potential

IRON = Potential.from_setfl("FeP_mm.eam.fs", "Fe")
A = 2.8553127


def clusters(radii):
    return create("hessian_clusters", potential={"file": "FeP_mm.eam.fs", "element": "Fe"}, radii=radii)


def rattled(repeat):
    atoms = Crystal("Fe", "bcc", A).cell(repeat)
    atoms.positions += np.random.default_rng(0).uniform(-0.05, 0.05, atoms.positions.shape)
    del atoms[5]
    return atoms


def test_logarithm_of_the_dense_block():
    atoms = rattled(6)
    hessian = IRON.hessian(atoms).toarray()
    distances = atoms.get_all_distances(mic=True)
    found = clusters([0.0, 3.0, 4.4]).local(atoms)
    for i in (0, 17, 300):
        for column, radius in enumerate([0.0, 3.0, 4.4]):
            near = np.flatnonzero(distances[i] <= radius)
            rows = (3 * near[:, None] + np.arange(3)).ravel()
            logarithm = logm(hessian[np.ix_(rows, rows)])
            own = 3 * np.flatnonzero(near == i)[0] + np.arange(3)
            assert found[i, column] == pytest.approx(-logarithm[own, own].sum() / 2, abs=1e-10)


def test_radius_zero_is_the_first_moment():
    atoms = rattled(3)
    np.testing.assert_allclose(
        clusters([0.0]).local(atoms)[:, 0], create("hessian_moments", max_order=2).local(atoms)[:, 0], rtol=1e-12
    )


def test_they_tend_to_site_entropies():
    atoms, perfect = rattled(5), Crystal("Fe", "bcc", A).cell(5)
    bulk = log_determinant(IRON.hessian(perfect))
    sites = modes(IRON.hessian(atoms), vectors=True).site_entropies() + 0.5 * bulk.value / bulk.n_atoms
    descriptor = clusters([0.0, 3.0, 5.2])
    found = descriptor.local(atoms) - descriptor.total(Crystal("Fe", "bcc", A).cell(1)) / 2
    errors = found - sites[:, None]
    assert abs(sites).max() > 0.1
    np.testing.assert_array_less(abs(errors).max(axis=0), [0.05, 0.01, 0.001])
    np.testing.assert_array_less(abs(errors.sum(axis=0)), [2.0, 0.3, 0.05])


class TestRefusals:
    def test_far_from_a_minimum(self):
        with pytest.raises(SaddlePointError, match=r"within 0\.0 Å of atom \d have a mode of -.* near minima"):
            clusters([0.0]).total(Crystal("Fe", "bcc", 1.3 * A).cell(2))

    @pytest.mark.parametrize(
        ("parameters", "message"),
        [
            ({"potential": {"file": "missing.eam.fs", "element": "Fe"}}, "missing.eam.fs: no such file"),
            ({"species": ["W"]}, "the potential is of Fe"),
            ({"radii": []}, "must hold at least one number"),
            ({"radii": 3.0}, "must be a list of numbers"),
            ({"radii": [-1.0]}, r"radii\[0\] == -1.0, must be >= 0"),
            ({"radii": [3.0, 3.0]}, "must ascend"),
        ],
    )
    def test_parameters(self, parameters, message):
        with pytest.raises(ConfigError, match=message):
            create("hessian_clusters", **parameters)
