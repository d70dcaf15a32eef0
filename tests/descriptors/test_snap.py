"""The bispectrum against its definition, with matrices of SU(2) and Clebsch-Gordan coefficients made here."""

from math import comb, factorial, sqrt

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from scipy.special import eval_chebyu

from vibentropy.descriptors import create
from vibentropy.descriptors.snap import Bispectrum
from vibentropy.errors import ConfigError

CLUSTER = Atoms("FeCrFeFeCr", positions=[(0, 0, 0), (1.9, 0.8, 0.3), (-1.2, 2.0, 0.9), (0.4, -0.7, 2.8), (-2, -1, -1)])


def points(vectors, r_cut, rfac0, rmin0):
    """Points on the three-sphere, and their weights; the pole is (1, 0, 0, 0)."""
    r = np.linalg.norm(vectors, axis=1)
    x = (r - rmin0) / (r_cut - rmin0)
    sphere = np.column_stack([np.cos(rfac0 * np.pi * x), np.sin(rfac0 * np.pi * x)[:, None] * vectors / r[:, None]])
    return sphere, np.where(r < rmin0, 1.0, (1 + np.cos(np.pi * x)) / 2) * (r < r_cut)


def representation(point, twoj):
    """Matrix of an element of SU(2) on the polynomials of degree 2j in two variables, orthonormalised."""
    w, x, y, z = point
    a, b = complex(w, z), complex(y, x)
    matrix = np.zeros((twoj + 1, twoj + 1), dtype=complex)
    for column in range(twoj + 1):
        # (a p + b q)^k (-b* p + a* q)^(2j - k), with np.poly1d in p for q = 1.
        image = np.poly1d([a, b]) ** column * np.poly1d([-b.conjugate(), a.conjugate()]) ** (twoj - column)
        coefficients = np.zeros(twoj + 1, dtype=complex)
        coefficients[: len(image.c)] = image.c[::-1]
        matrix[:, column] = coefficients
    norm = np.array([1 / sqrt(comb(twoj, k)) for k in range(twoj + 1)])
    return norm[:, None] * matrix / norm


def coupling(j1, j2, j):
    """Clebsch-Gordan coefficients [m, m1, m2] by Racah's formula; all arguments are doubled."""
    table = np.zeros((j + 1, j1 + 1, j2 + 1))
    half = lambda value: factorial(value // 2)  # noqa: E731
    for k1 in range(j1 + 1):
        for k2 in range(j2 + 1):
            m1, m2 = 2 * k1 - j1, 2 * k2 - j2
            m = m1 + m2
            if abs(m) > j:
                continue
            prefactor = (j + 1) * half(j + j1 - j2) * half(j - j1 + j2) * half(j1 + j2 - j) / half(j1 + j2 + j + 2)
            prefactor *= half(j + m) * half(j - m) * half(j1 - m1) * half(j1 + m1) * half(j2 - m2) * half(j2 + m2)
            total = 0.0
            for k in range((j1 + j2 - j) // 2 + 1):
                parts = [j1 + j2 - j - 2 * k, j1 - m1 - 2 * k, j2 + m2 - 2 * k]
                parts += [j - j2 + m1 + 2 * k, j - j1 - m2 + 2 * k]
                if min(parts) >= 0:
                    total += (-1) ** k / factorial(k) / np.prod([float(half(part)) for part in parts])
            table[(m + j) // 2, k1, k2] = sqrt(prefactor) * total
    return table


def by_definition(descriptor, atoms, centre):
    """All components of one atom, by name."""
    names = descriptor.species or [atoms[centre].symbol]
    vectors = np.delete(atoms.positions - atoms.positions[centre], centre, axis=0)
    symbols = np.delete(np.array(atoms.get_chemical_symbols()), centre)
    sphere, weights = points(vectors, descriptor.r_cut, descriptor.rfac0, descriptor.rmin0)

    def density(symbol, twoj, alone):
        u = float(symbol == atoms[centre].symbol) * np.eye(twoj + 1, dtype=complex)
        if not alone:
            for point, weight, other in zip(sphere, weights, symbols, strict=True):
                if other == symbol:
                    u = u + weight * representation(point, twoj)
        return u

    def component(triple, j1, j2, j, alone):
        u1, u2, u = (density(s, twoj, alone) for s, twoj in zip(triple, (j1, j2, j), strict=True))
        c = coupling(j1, j2, j)
        return np.einsum("mn,mab,ncd,ac,bd->", u.conj(), c, c, u1, u2).real

    result = {}
    for name in descriptor.feature_names:
        _, *species, j1, j2, j = name.split("_")
        triple = species[0].split("-") if species else names * 3
        j1, j2, j = int(j1), int(j2), int(j)
        result[name] = component(triple, j1, j2, j, False) - component(triple, j1, j2, j, True)
    return result


@pytest.mark.parametrize("species", [None, ["Fe", "Cr"]])
def test_definition(species):
    atoms = CLUSTER.copy()
    if species is None:
        atoms.symbols = "Fe5"
    descriptor = create("snap", twojmax=4 if species is None else 3, r_cut=4.0, rfac0=0.9, rmin0=0.4, species=species)
    features = descriptor.local(atoms)
    for centre in (0, 1):
        expected = by_definition(descriptor, atoms, centre)
        np.testing.assert_allclose(features[centre], list(expected.values()), rtol=1e-11, atol=1e-11)


def test_power_spectrum():
    """B_{j0j} = u⁰ Σ_ik w_i w_k χ_j of the rotation from i to k; the character is a Chebyshev polynomial."""
    atoms = CLUSTER.copy()
    atoms.symbols = "Fe5"
    descriptor = create("snap", twojmax=8, r_cut=5.0)
    features = dict(zip(descriptor.feature_names, descriptor.local(atoms)[0], strict=True))
    sphere, weights = points(atoms.positions[1:], 5.0, 0.99363, 0.0)
    sphere, weights = np.vstack([[1, 0, 0, 0], sphere]), np.append(1.0, weights)
    for twoj in range(9):
        expected = weights.sum() * weights @ eval_chebyu(twoj, sphere @ sphere.T) @ weights - (twoj + 1)
        np.testing.assert_allclose(features[f"B_{twoj}_0_{twoj}"], expected, rtol=1e-11)


@pytest.mark.parametrize("twojmax", range(11))
def test_number_of_components(twojmax):
    half = twojmax // 2
    if twojmax % 2:
        expected = (half + 1) * (half + 2) * (half + 3) // 3
    else:
        expected = (half + 1) * (half + 2) * (2 * half + 3) // 6
    assert Bispectrum(twojmax=twojmax).n_features == expected
    assert Bispectrum(twojmax=twojmax, species=["Fe", "Cr"]).n_features == 8 * expected


def test_an_atom_alone_has_no_features():
    assert np.abs(create("snap").total(Atoms("Fe"))).max() < 1e-11
    assert np.abs(create("snap", twojmax=2, species=["Fe", "Cr"]).total(Atoms("Cr"))).max() < 1e-12


def test_more_atoms_than_a_block():
    """Neighbours count whether or not they are centres of the same block."""
    atoms = bulk("FeCr", "cesiumchloride", a=2.86)
    descriptor = create("snap", twojmax=2, r_cut=3.5, species=["Fe", "Cr"])
    one, many = descriptor.local(atoms), descriptor.local(atoms.repeat(7))
    np.testing.assert_allclose(many, np.tile(one, (7**3, 1)), rtol=1e-10, atol=1e-10)


def test_other_uses_of_lammps_do_not_disturb():
    descriptor = create("snap", twojmax=2)
    before = descriptor.total(CLUSTER[[0, 2, 3]])
    create("snap", twojmax=3, species=["Fe", "Cr"]).total(CLUSTER)
    np.testing.assert_array_equal(descriptor.total(CLUSTER[[0, 2, 3]]), before)


@pytest.mark.parametrize(
    "wrong", [{"twojmax": -1}, {"r_cut": 0.0}, {"rfac0": 1.0}, {"rfac0": 0.0}, {"rmin0": 5.0}, {"rmin0": -0.1}]
)
def test_parameters_out_of_range(wrong):
    (name,) = wrong
    with pytest.raises(ConfigError, match=name):
        create("snap", **wrong)
