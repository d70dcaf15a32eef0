"""Symmetry functions against a loop over their definition."""

import re
from itertools import combinations

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from definition import environment

from vibentropy.descriptors import create
from vibentropy.errors import ConfigError


def switch(r, r_cut):
    return np.where(r < r_cut, (1 + np.cos(np.pi * r / r_cut)) / 2, 0.0)


def by_definition(atoms, centre, r_cut, name):
    """One function of one atom; the name says which."""
    kind, *rest = name.split("_")
    species = [part for part in rest if not part.startswith(("eta", "R", "zeta", "lambda"))]
    numbers = [float(re.sub("^[A-Za-z]+", "", part)) for part in rest if part not in species]
    vectors, symbols = environment(atoms, centre, r_cut)
    vectors, symbols = np.asarray(vectors, dtype=float), list(symbols)
    if species and species[0] != atoms[centre].symbol:
        return 0.0
    if kind != "G4":
        chosen = [not species or symbol == species[1] for symbol in symbols]
        r = np.linalg.norm(vectors[chosen], axis=1)
        eta, shift = numbers or (0.0, 0.0)
        return (np.exp(-eta * (r - shift) ** 2) * switch(r, r_cut)).sum()
    eta, zeta, sign = numbers
    total = 0.0
    for j, k in combinations(range(len(vectors)), 2):
        if species and sorted((symbols[j], symbols[k])) != sorted(species[1].split("-")):
            continue
        a, b, c = (np.linalg.norm(v) for v in (vectors[j], vectors[k], vectors[j] - vectors[k]))
        cosine = np.clip(vectors[j] @ vectors[k] / a / b, -1, 1)
        gauss = np.exp(-eta * (a**2 + b**2 + c**2)) * switch(a, r_cut) * switch(b, r_cut) * switch(c, r_cut)
        total += 2 ** (1 - zeta) * (1 + sign * cosine) ** zeta * gauss
    return total


@pytest.mark.parametrize("species", [None, ["Fe", "Ni", "Cr"]])
def test_definition(species):
    atoms = bulk("Fe", a=2.8553, cubic=True).repeat((1, 1, 2))
    atoms.rattle(0.1, seed=3)
    if species:
        atoms.symbols = ["Cr", "Fe", "Ni", "Cr"]
    descriptor = create("acsf", r_cut=4.0, species=species)
    features = descriptor.local(atoms)
    for centre in (0, 1, 2):
        expected = [by_definition(atoms, centre, 4.0, name) for name in descriptor.feature_names]
        np.testing.assert_allclose(features[centre], expected, rtol=1e-10, atol=1e-13)


def test_the_functions_asked_for():
    """Two neighbours at a right angle, by hand."""
    atoms = Atoms("Fe3", positions=[(0, 0, 0), (2, 0, 0), (0, 2, 0)])
    descriptor = create("acsf", r_cut=4.0, g2=[[0.25, 1.0]], g4=[[0.125, 2, 1]])
    assert descriptor.feature_names == ["G1", "G2_eta0.25_R1", "G4_eta0.125_zeta2_lambda+1"]
    third = (1 + np.cos(np.pi / np.sqrt(2))) / 2
    expected = [1.0, np.exp(-0.25), 0.5 * np.exp(-2.0) * 0.25 * third]
    np.testing.assert_allclose(descriptor.local(atoms)[0], expected, rtol=1e-14)


def test_straight_angles():
    """The cosine of a straight angle is rounded to less than -1 for some distances."""
    for distance in np.linspace(2.0, 2.5, 100):
        atoms = Atoms("Fe3", positions=[(0, 0, 0), (distance, 0, 0), (-1.1 * distance, 0, 0)])
        features = create("acsf", r_cut=6.0, g4=[[0.01, 1, 1], [0.01, 16, -1]]).local(atoms)
        assert np.isfinite(features).all()
        assert abs(features[0, -2]) < 1e-15


def test_none_at_all():
    assert create("acsf", g2=[], g4=[]).feature_names == ["G1"]
    assert len(create("acsf").feature_names) == 1 + 7 + 16
    assert len(create("acsf", species=["Fe", "Cr"]).feature_names) == 2 * (2 * 8 + 3 * 16)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"r_cut": 0.0}, "r_cut"),
        ({"g2": [[1.0]]}, r"g2\[0\] == \[1.0\], must be a list \[η: number ≥ 0, R: number\]"),
        ({"g2": 3}, "g2"),
        ({"g2": [[-1.0, 2.0]]}, "η of g2"),
        ({"g2": [[1.0, float("nan")]]}, "g2"),
        ({"g2": [[1.0, 2.0], [1, 2]]}, "must hold each item once"),
        ({"g4": [[0.1, 1.5, 1]]}, "ζ of g4"),
        ({"g4": [[0.1, 1, 0]]}, "λ of g4"),
        ({"g4": [[0.1, "1", 1]]}, "g4"),
    ],
)
def test_parameters_out_of_range(wrong, message):
    with pytest.raises(ConfigError, match=message):
        create("acsf", **wrong)
