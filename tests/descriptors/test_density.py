"""The functions in which densities are expanded, against their defining properties."""

import mpmath
import numpy as np
import pytest
from definition import radial
from scipy.special import eval_legendre

from vibentropy.descriptors.density import make_basis, radial_functions, real_harmonics
from vibentropy.descriptors.radial import overlap


def evaluate_radial(r, r_cut, n_max):
    t = 1 - r / r_cut
    g, scratch = np.zeros((2, n_max, len(r)))
    radial_functions(t, len(t), make_basis(r_cut, n_max, 0), scratch, g)
    return g


@pytest.mark.parametrize("n_max", [1, 2, 3, 8, 20, 30, 40])
def test_radial_functions_are_orthonormal(n_max):
    r_cut = 5.0
    nodes, weights = np.polynomial.legendre.leggauss(n_max + 3)
    g = evaluate_radial(r_cut * (nodes + 1) / 2, r_cut, n_max)
    np.testing.assert_allclose(
        (g * weights * r_cut / 2) @ g.T, np.eye(n_max), rtol=0, atol=1e-13 if n_max <= 30 else 1e-12
    )


@pytest.mark.parametrize("n_max", [3, 20])
def test_radial_functions_are_the_definition(n_max):
    """S^(-1/2) φ formed directly, signs included."""
    r_cut = 4.5
    r = np.linspace(0.5, r_cut, 50)
    expected = np.array([radial(distance, n_max, r_cut) for distance in r]).T
    assert np.abs(evaluate_radial(r, r_cut, n_max) - expected).max() < 1e-13 * np.abs(expected).max()


def test_overlap_is_the_integral():
    r_cut = 5
    S = overlap(3)
    for a in (1, 2, 3):
        for b in (1, 2, 3):
            norm = mpmath.sqrt(mpmath.mpf(r_cut) ** (2 * a + 2 * b + 10) / (2 * a + 5) / (2 * b + 5))
            integral = mpmath.quad(lambda r, a=a, b=b: (r_cut - r) ** (a + b + 4), [0, r_cut])
            assert abs(integral / norm - S[a - 1, b - 1]) < 1e-13


@pytest.mark.parametrize("l_max", [0, 1, 2, 10, 40])
def test_harmonics_obey_the_addition_theorem(l_max):
    u, v = np.random.default_rng(0).normal(size=(2, 3, 20))
    # The poles and the equator, where formulas in angles break.
    u[:, :4] = np.array([(0, 0, 1), (0, 0, -1), (1, 0, 0), (0, -1, 0)]).T
    u, v = u / np.linalg.norm(u, axis=0), v / np.linalg.norm(v, axis=0)
    Yu, Yv = np.zeros((2, (l_max + 1) ** 2, 20))
    basis = make_basis(5.0, 1, l_max)
    real_harmonics(*u, 20, basis, Yu)
    real_harmonics(*v, 20, basis, Yv)
    for degree in range(l_max + 1):
        rows = slice(degree**2, (degree + 1) ** 2)
        expected = eval_legendre(degree, (u * v).sum(axis=0))
        np.testing.assert_allclose((Yu[rows] * Yv[rows]).sum(axis=0), expected, rtol=0, atol=1e-12)


def test_harmonics_of_first_degree_are_the_vector():
    u = np.random.default_rng(0).normal(size=(3, 5))
    u /= np.linalg.norm(u, axis=0)
    Y = np.zeros((4, 5))
    real_harmonics(*u, 5, make_basis(5.0, 1, 1), Y)
    np.testing.assert_array_equal(Y, [np.ones(5), u[1], u[2], u[0]])
