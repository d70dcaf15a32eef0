"""Screening of a pair by other atoms, from where it begins to where nothing is left."""

from dataclasses import replace

import numpy as np
import pytest
from ase import Atoms
from lammps_meam import disordered, potential_of
from stiffness import assert_hessian, assert_symmetries

from vibentropy.atoms.neighbours import neighbour_pairs
from vibentropy.potentials.meam.functions import constants
from vibentropy.potentials.meam.potential import Meam
from vibentropy.potentials.meam.screening import allocate_screening_atoms, find_screening_atoms, screened_pairs

IRON = potential_of("Fe 2018")
P = constants(IRON.parameters)


class TestScreening:
    """Three atoms, of which the third comes between the two others: C falls from above Cmax to below Cmin."""

    @staticmethod
    def with_height(height):
        return Atoms("Fe3", [[0, 0, 0], [2.8, 0, 0], [1.3, height, 0.05]])

    @staticmethod
    def c_of(atoms):
        a, b, d = (atoms.get_distance(i, j) ** 2 for i, j in ((0, 1), (0, 2), (1, 2)))
        return 1 + 2 * a * (b + d - a) / (a * a - (b - d) ** 2)

    def heights(self, *values):
        """Heights at which C has these values."""
        found = []
        for value in values:
            low, high = 0.1, 4.0
            for _ in range(80):
                middle = (low + high) / 2
                low, high = (middle, high) if self.c_of(self.with_height(middle)) < value else (low, middle)
            found.append(high)
        return found

    def test_hessian_on_the_way(self):
        for height in self.heights(0.3, 0.52, 0.55, 1.0, 2.0, 2.75, 2.85, 4.0):
            assert_hessian(IRON, self.with_height(height))
            assert_symmetries(IRON, self.with_height(height))

    def test_forces_are_continuous_and_the_hessian_jumps_at_cmin(self):
        (height,) = self.heights(0.533)
        before, after = (self.with_height(height + change) for change in (-1e-9, 1e-9))
        np.testing.assert_allclose(*(IRON.energy_and_forces(atoms)[1] for atoms in (before, after)), atol=1e-7)
        hessians = [IRON.hessian(atoms).toarray() for atoms in (before, after)]
        # f'' jumps to 32/(Cmax - Cmin)².
        assert np.abs(hessians[1] - hessians[0]).max() > 0.1
        # At Cmin and below the pair does not interact.
        np.testing.assert_allclose(hessians[0], IRON.hessian(self.with_height(height - 1e-7)).toarray(), atol=1e-4)

    def test_nothing_jumps_at_cmax(self):
        (height,) = self.heights(2.8)
        before, after = (IRON.hessian(self.with_height(height + change)).toarray() for change in (-1e-9, 1e-9))
        np.testing.assert_allclose(before, after, atol=1e-6)

    def test_an_atom_on_the_line_between(self):
        """The two pairs that are left are those within a cutoff of 2.5 Å."""
        atoms = Atoms("Fe3", [[0, 0, 0], [3.0, 0, 0], [1.5, 0, 0]])
        assert_hessian(IRON, atoms)
        assert_symmetries(IRON, atoms)
        without = Meam(replace(IRON.parameters, rc=2.5))
        (energy, forces), (expected, expected_forces) = (p.energy_and_forces(atoms) for p in (IRON, without))
        assert energy == pytest.approx(expected, rel=1e-12)
        np.testing.assert_allclose(forces, expected_forces, rtol=0, atol=1e-11)
        hessian, expected_hessian = (p.hessian(atoms).toarray() for p in (IRON, without))
        np.testing.assert_allclose(hessian, expected_hessian, rtol=0, atol=1e-10)
        # With the third atom aside, the long pair counts.
        atoms.positions[2] = [1.5, 4.0, 0]
        assert abs(IRON.energy_and_forces(atoms)[0] - without.energy_and_forces(atoms)[0]) > 0.1


def literally(atoms, i, j):
    """S of two atoms of a cluster, by the ellipse that each third atom is on: x² + y²/C = (r_ij/2)²."""
    ends, screening = atoms.positions[[i, j]], 1.0
    half = np.linalg.norm(ends[1] - ends[0]) / 2
    axis = (ends[1] - ends[0]) / (2 * half)
    for k in set(range(len(atoms))) - {i, j}:
        from_middle = atoms.positions[k] - ends.mean(axis=0)
        x = from_middle @ axis
        y = np.linalg.norm(from_middle - x * axis)
        if abs(x) < half:
            c = y**2 / (half**2 - x**2)
            f = np.clip((c - P.c_min) / (P.c_max - P.c_min), 0, 1)
            screening *= (1 - (1 - f) ** 4) ** 2
    return screening


def test_screening_is_that_of_ellipses():
    atoms = disordered(IRON, 7, n_atoms=20, pbc=False)
    pairs = screened_pairs(*neighbour_pairs(atoms, P.r_cut * np.sqrt(P.farthest)), P)
    screening = pairs.screening
    expected = [
        literally(atoms, i, pairs.second[pair]) if pairs.squares[pair] < P.r_cut**2 else 0.0
        for i in range(20)
        for pair in range(pairs.starts[i], pairs.starts[i + 1])
    ]
    np.testing.assert_allclose(screening, expected, rtol=1e-10, atol=1e-14)
    assert 0.1 < np.mean(screening == 0) < 0.9
    assert np.count_nonzero((screening > 0) & (screening < 1)) > 20


def test_derivatives_of_the_logarithm():
    """By the squared distances of a triangle, each changed in turn."""
    sides = np.array([2.8**2, 2.5**2, 2.2**2])

    def of(sides):
        """ln S, and what the third atom does to it."""
        a, b, d = sides
        x = (a + b - d) / (2 * np.sqrt(a))
        vectors = np.array([[np.sqrt(a), 0.0, 0.0], [x, np.sqrt(b - x**2), 0.0]])
        pairs = screened_pairs(np.array([0, 2]), np.array([1, 2]), vectors, np.linalg.norm(vectors, axis=1), P)
        found = allocate_screening_atoms(pairs)
        assert find_screening_atoms(0, 0, pairs, P, found) == 1
        assert found.to_third[0] == 1
        return np.log(pairs.screening[0]), found.slopes[0], found.curvatures[0]

    _, slopes, curvatures = of(sides)
    h = 1e-5
    for k in range(3):
        (up, up_slopes, _), (down, down_slopes, _) = (of(sides + sign * h * np.eye(3)[k]) for sign in (1, -1))
        assert slopes[k] == pytest.approx((up - down) / (2 * h), rel=1e-7)
        np.testing.assert_allclose(curvatures[k], (up_slopes - down_slopes) / (2 * h), rtol=1e-6, atol=1e-8)
    np.testing.assert_array_equal(curvatures, curvatures.T)
