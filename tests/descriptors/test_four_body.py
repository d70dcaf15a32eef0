"""The bispectrum against Wigner's 3j symbols with complex harmonics, and against closed forms; the ladder below it."""

from functools import cache
from math import factorial, prod, sqrt

import numpy as np
import pytest
from ase import Atoms
from definition import environment, radial
from odd_cells import cluster, rattled
from scipy.special import sph_harm_y

from vibentropy.descriptors import create
from vibentropy.errors import ConfigError


@cache
def wigner_3j(l1, l2, l3, m1, m2, m3):
    """Racah's formula (Messiah, Quantum Mechanics, appendix C), in whole numbers up to the last root."""
    if m1 + m2 + m3 or not abs(l1 - l2) <= l3 <= l1 + l2 or abs(m1) > l1 or abs(m2) > l2 or abs(m3) > l3:
        return 0.0
    triangle = factorial(l1 + l2 - l3) * factorial(l1 - l2 + l3) * factorial(l2 + l3 - l1)
    states = [factorial(degree + sign * m) for degree, m in ((l1, m1), (l2, m2), (l3, m3)) for sign in (1, -1)]
    total = 0.0
    for t in range(max(0, l2 - l3 - m1, l1 - l3 + m2), min(l1 + l2 - l3, l1 - m1, l2 + m2) + 1):
        below = factorial(t) * factorial(l3 - l2 + t + m1) * factorial(l3 - l1 + t - m2)
        below *= factorial(l1 + l2 - l3 - t) * factorial(l1 - t - m1) * factorial(l2 - t + m2)
        total += (-1) ** t / below
    return (-1) ** (l1 - l2 - m3) * sqrt(triangle * prod(states) / factorial(l1 + l2 + l3 + 1)) * total


def complex_density(vectors, n_max, l_max, r_cut):
    """c_{nlm} with complex harmonics in Racah's normalisation, by n, l and m."""
    r = np.linalg.norm(vectors, axis=1)
    g = np.array([radial(distance, n_max, r_cut) for distance in r]).astype(float)
    polar, azimuth = np.arccos(vectors[:, 2] / r), np.arctan2(vectors[:, 1], vectors[:, 0])
    return {
        (n + 1, degree, m): sqrt(4 * np.pi / (2 * degree + 1)) * (g[:, n] @ sph_harm_y(degree, m, polar, azimuth))
        for n in range(n_max)
        for degree in range(l_max + 1)
        for m in range(-degree, degree + 1)
    }


def coupled(densities, functions, degrees):
    """3j(l₁ 0, l₂ 0, l₃ 0) Σ 3j(l₁m₁, l₂m₂, l₃m₃) c c c of three densities."""
    total = 0.0
    for m1 in range(-degrees[0], degrees[0] + 1):
        for m2 in range(-degrees[1], degrees[1] + 1):
            if abs(m1 + m2) <= degrees[2]:
                orders = (m1, m2, -m1 - m2)
                keys = zip(functions, degrees, orders, strict=True)
                factors = [c[key] for c, key in zip(densities, keys, strict=True)]
                total += wigner_3j(*degrees, *orders) * np.prod(factors)
    assert abs(total.imag) < 1e-12
    return wigner_3j(*degrees, 0, 0, 0) * total.real


def parse(name):
    """Radial functions and degrees out of a name that ends in n1-n1-n2_l0-l1-l1."""
    return [[int(part[1:]) for part in group.split("-")] for group in name.split("_")[-2:]]


@pytest.fixture(scope="module")
def atoms():
    return cluster(create("four_body"))


@pytest.mark.parametrize(("n_max", "l_max"), [(1, 0), (2, 4), (3, 2)])
def test_one_species(atoms, n_max, l_max):
    descriptor = create("four_body", n_max=n_max, l_max=l_max, r_cut=4.5)
    vectors = environment(atoms, 0, 4.5)[0].astype(float)
    c = complex_density(vectors, n_max, l_max, 4.5)
    expected = [coupled([c] * 3, *parse(name)) for name in descriptor.feature_names]
    found = descriptor.local(atoms)[0]
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-12 * np.abs(found).max())
    assert np.abs(found).min() > 1e-10 * np.abs(found).max()


def test_two_species():
    descriptor = create("four_body", n_max=2, l_max=2, r_cut=4.0, species=["Fe", "Cr"])
    atoms = rattled(descriptor)
    vectors, symbols = environment(atoms, 3, 4.0)
    c = {s: complex_density(vectors[symbols == s].astype(float), 2, 2, 4.0) for s in ("Fe", "Cr")}
    for name, found in zip(descriptor.feature_names, descriptor.local(atoms)[3], strict=True):
        _, centre, species, *_ = name.split("_")
        expected = coupled([c[s] for s in species.split("-")], *parse(name)) if centre == atoms[3].symbol else 0
        assert found == pytest.approx(expected, abs=1e-12)


def test_triple_sum_in_closed_form(atoms):
    """<(u·a)(u·b) P_2(u·c)> over the sphere is (a·c)(b·c)/5 - (a·b)/15, and <u·a u·b> is a·b/3."""
    descriptor = create("four_body", n_max=1, l_max=2, r_cut=4.5)
    features = dict(zip(descriptor.feature_names, descriptor.local(atoms)[0], strict=True))
    vectors = environment(atoms, 0, 4.5)[0].astype(float)
    r = np.linalg.norm(vectors, axis=1)
    g = np.array([radial(distance, 1, 4.5)[0] for distance in r]).astype(float)
    cosines = (vectors / r[:, None]) @ (vectors / r[:, None]).T
    expected = np.einsum("a,b,c,ac,bc->", g, g, g, cosines, cosines) / 5 - g.sum() * (g @ cosines @ g) / 15
    assert features["B_n1-n1-n1_l1-l1-l2"] == pytest.approx(expected, rel=1e-11)
    assert features["B_n1-n1-n1_l0-l1-l1"] == pytest.approx(g.sum() * (g @ cosines @ g) / 3, rel=1e-11)
    assert features["B_n1-n1-n1_l0-l0-l0"] == pytest.approx(g.sum() ** 3, rel=1e-11)


def test_mirror_images_are_the_same(atoms):
    descriptor = create("four_body", n_max=2, l_max=4)
    mirrored = atoms.copy()
    mirrored.positions[:, 0] *= -1
    expected = descriptor.total(atoms)
    np.testing.assert_allclose(descriptor.total(mirrored), expected, rtol=0, atol=1e-12 * np.abs(expected).max())


def test_it_sees_what_the_power_spectrum_does_not():
    """Two environments with the same distances and the same angles, each as often: rulers with equal differences."""
    sets = []
    for marks in ((0, 1, 4, 10, 12, 17), (0, 1, 8, 11, 13, 17)):
        angles = 2 * np.pi * np.array(marks) / 36
        ring = 2.5 * np.column_stack([np.cos(angles), np.sin(angles), np.zeros(6)])
        sets.append(Atoms("Fe7", positions=np.vstack([np.zeros(3), ring])))
    parameters = {"n_max": 1, "l_max": 4, "r_cut": 4.0}
    power = [create("power_spectrum", **parameters).local(ring)[0] for ring in sets]
    bispectrum = [create("four_body", **parameters).local(ring)[0] for ring in sets]
    np.testing.assert_allclose(*power, rtol=1e-12)
    assert np.abs(np.subtract(*bispectrum) / bispectrum[0]).max() > 0.1


class TestLadder:
    def test_each_step_adds_to_the_one_before(self, atoms):
        parameters = {"n_max": 2, "l_max": 3, "r_cut": 4.0}
        parts = [
            create("two_body", n_max=2, r_cut=4.0),
            create("power_spectrum", **parameters),
            create("four_body", **parameters),
        ]
        for body_order in (2, 3, 4):
            ladder = create("body_order", body_order=body_order, **parameters)
            below = parts[: body_order - 1]
            assert ladder.feature_names == [name for part in below for name in part.feature_names]
            expected = np.hstack([part.local(atoms) for part in below])
            np.testing.assert_allclose(ladder.local(atoms), expected, rtol=1e-12, atol=1e-14)

    def test_by_central_species_first(self):
        ladder = create("body_order", body_order=3, n_max=1, l_max=0, species=["Fe", "Cr"])
        of_iron = ["R_Fe_Fe_n1", "R_Fe_Cr_n1", *(f"P_Fe_{pair}_n1-n1_l0" for pair in ("Fe-Fe", "Fe-Cr", "Cr-Cr"))]
        assert ladder.feature_names[:5] == of_iron
        assert len(ladder.feature_names) == 10

    @pytest.mark.parametrize("body_order", [1, 5, 2.5])
    def test_there_are_three(self, body_order):
        with pytest.raises(ConfigError, match="body_order"):
            create("body_order", body_order=body_order)
