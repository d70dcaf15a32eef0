"""The Angular Fourier Series against its definition, in extended precision."""

from itertools import combinations

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from ase.geometry import wrap_positions
from definition import double_loop, environment, radial

from vibentropy.descriptors import create
from vibentropy.descriptors.afs import chebyshev_in_legendre

A = 2.8553


def assert_agrees(found, expected, bound):
    """Largest error over n and l, in units of the largest feature of the same l."""
    scale = np.abs(expected).max(axis=0)
    assert (np.abs(found - expected) / scale).max() < bound


@pytest.fixture(scope="module")
def vacancy():
    atoms = bulk("Fe", "bcc", a=A, cubic=True).repeat(4)
    del atoms[0]
    return atoms


@pytest.fixture(scope="module")
def disorder():
    """Thirty atoms in free space around the first, as near to each other as 2 Å."""
    rng = np.random.default_rng(5)
    positions = [np.zeros(3)]
    while len(positions) < 30:
        trial = rng.uniform(-5, 5, 3)
        if np.linalg.norm(np.array(positions) - trial, axis=1).min() > 2.0:
            positions.append(trial)
    return Atoms("Fe30", positions=positions)


class TestAgainstTheDefinition:
    @pytest.mark.parametrize("n_max", [3, 8, 20])
    @pytest.mark.parametrize("name", ["vacancy", "disorder"])
    def test_one_species(self, n_max, name, request):
        atoms = request.getfixturevalue(name)
        # The atom beside the vacancy: it has lost one of its 58 neighbours.
        centre = int(np.argmin(np.linalg.norm(wrap_positions(atoms.positions, atoms.cell, atoms.pbc), axis=1)))
        vectors, _ = environment(atoms, centre, 5.0)
        assert len(vectors) == {"vacancy": 57}.get(name, len(vectors))
        expected = double_loop(vectors, n_max, 10, 5.0, combinations(range(len(vectors)), 2))
        found = create("afs", n_max=n_max, l_max=10, r_cut=5.0).local(atoms)[centre].reshape(n_max, 11)
        assert_agrees(found, expected, 1e-12)

    def test_more_neighbours_than_a_tile_and_large_l(self):
        atoms = bulk("Fe", "bcc", a=A)
        vectors, _ = environment(atoms, 0, 6.5)
        assert len(vectors) > 64
        expected = double_loop(vectors, 3, 20, 6.5, combinations(range(len(vectors)), 2))
        found = create("afs", n_max=3, l_max=20, r_cut=6.5).local(atoms)[0].reshape(3, 21)
        assert_agrees(found, expected, 1e-12)

    def test_several_species(self, disorder):
        species = ["Fe", "Cr", "Ni"]
        atoms = disorder.copy()
        atoms.symbols = np.random.default_rng(0).choice(species, len(atoms))
        descriptor = create("afs", n_max=3, l_max=4, r_cut=5.0, species=species)
        features = dict(zip(descriptor.feature_names, descriptor.local(atoms).T, strict=True))
        vectors, symbols = environment(atoms, 0, 5.0)
        everything = list(combinations(range(len(vectors)), 2))
        for first, second in [("Fe", "Fe"), ("Fe", "Cr"), ("Fe", "Ni"), ("Cr", "Cr"), ("Cr", "Ni"), ("Ni", "Ni")]:
            pairs = [(j, k) for j, k in everything if {symbols[j], symbols[k]} == {first, second}]
            expected = double_loop(vectors, 3, 4, 5.0, pairs)
            for centre in species:
                label = f"A_{centre}_{first}-{second}"
                found = np.array([[features[f"{label}_n{n}_l{m}"][0] for m in range(5)] for n in (1, 2, 3)])
                if centre == atoms[0].symbol:
                    assert_agrees(found, expected, 1e-12)
                else:
                    assert not found.any()

    def test_two_neighbours(self):
        """A single term: g g cos(lθ)."""
        theta = 0.7
        atoms = Atoms("Fe3", positions=[(0, 0, 0), (2.5, 0, 0), (3 * np.cos(theta), 3 * np.sin(theta), 0)])
        found = create("afs", n_max=4, l_max=6, r_cut=4.0).local(atoms)[0].reshape(4, 7)
        g = (radial(2.5, 4, 4.0) * radial(3.0, 4, 4.0)).astype(float)
        np.testing.assert_allclose(found, np.outer(g, np.cos(np.arange(7) * theta)), rtol=1e-12, atol=1e-15)


class TestSpecies:
    def test_pairs_of_species_add_up_to_none_told_apart(self, disorder):
        atoms = disorder.copy()
        atoms.symbols = ["Fe", "Cr"] * 15
        told_apart = create("afs", species=["Cr", "Fe"]).local(atoms).reshape(30, 2, 3, 33)
        np.testing.assert_allclose(told_apart.sum(axis=(1, 2)), create("afs").local(disorder), rtol=1e-11, atol=1e-13)

    def test_one_declared_species_is_the_default(self, disorder):
        declared = create("afs", species=["Fe"])
        np.testing.assert_array_equal(declared.local(disorder), create("afs").local(disorder))
        assert declared.feature_names == create("afs").feature_names


def test_no_neighbours_no_features():
    atoms = Atoms("Fe2", positions=[(0, 0, 0), (5.001, 0, 0)])
    assert not create("afs", r_cut=5.0).local(atoms).any()


def test_feature_names():
    names = create("afs", n_max=2, l_max=1).feature_names
    assert names == ["A_n1_l0", "A_n1_l1", "A_n2_l0", "A_n2_l1"]


def test_chebyshev_in_legendre():
    x = np.linspace(-1, 1, 101)
    series = np.polynomial.legendre.legval(x, chebyshev_in_legendre(30).T)
    np.testing.assert_allclose(series, np.cos(np.outer(np.arange(31), np.arccos(x))), rtol=0, atol=1e-12)
