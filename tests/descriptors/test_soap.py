"""SOAP against its definition by quadrature, and against dscribe's own average over periodic cells."""

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from dscribe.descriptors import SOAP
from scipy.integrate import quad
from scipy.special import eval_legendre, gamma, ive

from vibentropy.descriptors import create
from vibentropy.errors import ConfigError

A = 2.8553


def radial_basis(n_max, degree, r_cut):
    """Exponents and coefficients of the Gaussian-type functions, orthonormalised symmetrically."""
    ends = np.linspace(1, r_cut, n_max)
    alpha = -np.log(1e-3 / ends**degree) / ends**2
    overlap = 0.5 * gamma(degree + 1.5) * np.add.outer(alpha, alpha) ** (-degree - 1.5)
    values, vectors = np.linalg.eigh(overlap)
    return alpha, vectors @ np.diag(values**-0.5) @ vectors.T


def overlap_with_gaussian(n, degree, distance, n_max, r_cut, sigma):
    """4π ∫ r² g_nl(r) exp(-(r² + d²) / 2σ²) i_l(r d / σ²) dr, the coefficient up to the harmonic of the direction."""
    alpha, beta = radial_basis(n_max, degree, r_cut)

    def integrand(r):
        g = r**degree * np.exp(-alpha * r**2) @ beta[n]
        x = r * distance / sigma**2
        bessel = np.sqrt(np.pi / 2 / x) * ive(degree + 0.5, x) if x > 0 else float(degree == 0)
        return r**2 * g * np.exp(-((r - distance) ** 2) / 2 / sigma**2) * bessel

    centre = distance or sigma
    return 4 * np.pi * quad(integrand, 1e-12, distance + 12 * sigma, points=[centre], epsabs=1e-13, limit=200)[0]


def test_definition():
    """Gaussians on three neighbours and on the atom, of two species; the addition theorem sums over m."""
    parameters = {"n_max": 3, "l_max": 3, "r_cut": 4.5, "sigma": 0.6}
    atoms = Atoms("CrFeFeCr", positions=[(0, 0, 0), (1.9, 0.8, 0.3), (-1.2, 2.0, 0.9), (0.4, -0.7, 2.8)])
    descriptor = create("soap", species=["Fe", "Cr"], **parameters)
    found = dict(zip(descriptor.feature_names, descriptor.local(atoms)[0], strict=True))
    distances = np.linalg.norm(atoms.positions, axis=1)
    directions = atoms.positions / np.maximum(distances, 1e-300)[:, None]
    table = {
        (n, degree): np.array([overlap_with_gaussian(n, degree, d, 3, 4.5, 0.6) for d in distances])
        for n in range(3)
        for degree in range(4)
    }
    assert len(found) == 4 * (6 + 9 + 6)
    for name, value in found.items():
        _, species, *numbers = name.split("_")
        n, other, degree = (int(number[1:]) for number in numbers)
        first, second = ([symbol == wanted for symbol in atoms.symbols] for wanted in species.split("-"))
        angular = (2 * degree + 1) / (4 * np.pi) * eval_legendre(degree, directions @ directions.T)
        expected = (table[n - 1, degree] * first) @ angular @ (table[other - 1, degree] * second)
        expected *= np.pi * np.sqrt(8 / (2 * degree + 1))
        np.testing.assert_allclose(value, expected, rtol=1e-8, atol=1e-8, err_msg=name)


@pytest.mark.parametrize("repeat", [(1, 1, 1), (9, 9, 8)], ids=["less than the cutoff", "more than a block"])
def test_sum_is_the_number_of_atoms_times_the_outer_average(repeat):
    atoms = bulk("Fe", a=A).repeat(repeat)
    atoms.rattle(0.05, seed=1)
    parameters = {"n_max": 4, "l_max": 3, "r_cut": 4.5, "sigma": 0.5}
    average = SOAP(species=["Fe"], periodic=True, average="outer", **parameters).create(atoms)
    np.testing.assert_allclose(create("soap", **parameters).total(atoms), len(atoms) * average, rtol=1e-11, atol=1e-11)
    inner = SOAP(species=["Fe"], periodic=True, average="inner", **parameters).create(atoms)
    assert np.allclose(inner, average, rtol=1e-11, atol=1e-11) == (len(atoms) == 1)


def test_species_may_come_in_any_order():
    atoms = bulk("Fe", a=A, cubic=True).repeat(2)
    atoms.symbols[:5] = "Cr"
    one, other = create("soap", species=["Fe", "Cr"]), create("soap", species=["Cr", "Fe"])
    assert one.feature_names == other.feature_names
    np.testing.assert_array_equal(one.total(atoms), other.total(atoms))


@pytest.mark.parametrize(("l_max", "r_cut"), [(10, 5.0), (6, 3.0)])
def test_the_largest_basis_is_found_by_trying(l_max, r_cut):
    with pytest.raises(ConfigError, match=r"n_max == 30, must be <= \d+") as caught:
        create("soap", n_max=30, l_max=l_max, r_cut=r_cut)
    most = int(str(caught.value).split("<= ")[1].split(":")[0])
    assert 10 < most < 20
    atoms = bulk("Fe", a=A).repeat(2)
    assert np.isfinite(create("soap", n_max=most, l_max=l_max, r_cut=r_cut).total(atoms)).all()
    with pytest.raises(ConfigError, match=f"n_max == {most + 1}, must be <= {most}"):
        create("soap", n_max=most + 1, l_max=l_max, r_cut=r_cut)


@pytest.mark.parametrize("wrong", [{"n_max": 0}, {"l_max": 21}, {"r_cut": 1.0}, {"sigma": 0.0}, {"sigma": "wide"}])
def test_parameters_out_of_range(wrong):
    (name,) = wrong
    with pytest.raises(ConfigError, match=name):
        create("soap", **wrong)
