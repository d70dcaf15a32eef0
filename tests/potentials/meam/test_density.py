"""Moments at sites, against sums over Cartesian indices, and the energy as a function of them."""

from dataclasses import replace

import numpy as np
import pytest
from lammps_meam import FORMS, of_form

from vibentropy.potentials.meam.density import (
    N_MOMENTS,
    all_moments,
    allocate_moments,
    embed,
    moment_weights,
    moments_of,
)
from vibentropy.potentials.meam.functions import constants, cutoff_at
from vibentropy.potentials.meam.screening import Pairs

IRON = of_form("all defaults of LAMMPS").parameters


@pytest.fixture(scope="module")
def surroundings():
    """Pairs of one atom: nine neighbours between 2 and 4 Å, screened by different amounts."""
    rng = np.random.default_rng(1)
    vectors = rng.normal(size=(9, 3))
    vectors *= (rng.uniform(2.0, 3.99, 9) / np.linalg.norm(vectors, axis=1))[:, None]
    second, squares = np.arange(1, 10), (vectors**2).sum(axis=1)
    return Pairs(np.array([0, 9]), second, vectors, squares, rng.uniform(0.1, 1.0, 9))


def test_moments_are_the_partial_densities(surroundings):
    """X = t1 A1² + t2 (A2² - B2²/3) + t3 (A3² - 3/5 B3²), written out."""
    p = constants(IRON)
    total = all_moments(surroundings, p)[0]
    r = np.linalg.norm(surroundings.vectors, axis=1)
    n = surroundings.vectors / r[:, None]
    f_c = np.array([cutoff_at(x, p)[0] for x in r])
    rho = [np.exp(-beta * (r / 2.48 - 1)) * f_c * surroundings.screening for beta in IRON.beta]
    assert total[0] == pytest.approx(rho[0].sum())
    a1, b3 = rho[1] @ n, rho[3] @ n
    a2, a3 = np.einsum("i,ix,iy->xy", rho[2], n, n), np.einsum("i,ix,iy,iz->xyz", rho[3], n, n, n)
    t1, t2, t3 = IRON.t[0] + 0.6 * IRON.t[2], IRON.t[1], IRON.t[2]
    expected = t1 * (a1**2).sum() + t2 * ((a2**2).sum() - rho[2].sum() ** 2 / 3)
    expected += t3 * ((a3**2).sum() - 0.6 * (b3**2).sum())
    assert moment_weights(p) @ total**2 == pytest.approx(expected)
    assert embed(total[None], p).gamma[0] == pytest.approx(expected / total[0] ** 2)


def test_moments_are_differentiated(surroundings):
    p = constants(IRON)

    def of(vector):
        neighbour = allocate_moments()
        moments_of(vector, np.linalg.norm(vector), p, neighbour)
        return neighbour

    for vector in surroundings.vectors:
        for axis in range(3):
            step = 1e-5 * np.eye(3)[axis]
            expected = (of(vector + step).moments - of(vector - step).moments) / 2e-5
            np.testing.assert_allclose(of(vector).slopes[:, axis], expected, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("name", FORMS)
def test_energies_are_differentiated(surroundings, name):
    """As a function of 24 moments: slopes, and curvatures put together from four numbers."""
    p = constants(replace(of_form(name).parameters, rc=4.0))
    w = moment_weights(p)
    total = all_moments(surroundings, p)
    slopes = embed(total, p).slopes[0]
    by_x, twice_by_density, by_both, twice_by_x = embed(total, p).curvatures[0]
    x = 2 * w * total[0]
    density = np.eye(N_MOMENTS)[0]
    expected = 2 * by_x * np.diag(w) + twice_by_density * np.outer(density, density)
    expected += by_both * (np.outer(density, x) + np.outer(x, density)) + twice_by_x * np.outer(x, x)
    h = 1e-6
    for q in range(N_MOMENTS):
        up, down = (embed(total + sign * h * np.eye(N_MOMENTS)[q], p) for sign in (1, -1))
        scale = max(1.0, np.abs(slopes).max())
        assert slopes[q] == pytest.approx((up.energy - down.energy)[0] / (2 * h), rel=1e-6, abs=1e-7 * scale)
        differences = (up.slopes - down.slopes)[0] / (2 * h)
        np.testing.assert_allclose(expected[q], differences, rtol=1e-5, atol=1e-6 * max(1.0, np.abs(expected).max()))


def test_a_site_without_neighbours_has_no_energy():
    p = constants(IRON)
    for value in (0.0, 1e-160, 1e-200):
        site = embed(np.full((1, N_MOMENTS), value), p)
        assert site.energy[0] == 0.0
        assert not site.slopes.any()
        assert not site.curvatures.any()
