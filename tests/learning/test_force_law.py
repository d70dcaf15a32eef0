"""The force law from relaxed positions, against the potential that relaxed them and that it never saw."""

import numpy as np
import pytest
from ase.build import bulk
from iron_files import ROOT

import vibentropy
from vibentropy.errors import DataError, StructureError
from vibentropy.labels.determinants import log_determinant
from vibentropy.labels.entropy import entropy_of
from vibentropy.learning.force_law import TRACE, learn_force_law

A = 2.8553127


@pytest.fixture(scope="module")
def minima():
    return vibentropy.read_archive(ROOT / "data/clusters.h5", "clusters")


@pytest.fixture(scope="module")
def law(minima):
    return learn_force_law(minima.frames[::90], bulk("Fe", "bcc", a=A), spacing=0.04)


@pytest.fixture(scope="module")
def crystal():
    """Distances of the neighbours of an atom."""
    first, _, _, distances = vibentropy.neighbour_pairs(bulk("Fe", "bcc", a=A), 5.6)
    return distances[: first[1]]


@pytest.fixture(scope="module")
def truth(crystal):
    """φ'(r) and φ''(r), and F''(ρ) in units of the density of the perfect crystal; in the unit of the law."""
    functions = vibentropy.load_potential(file="FeP_mm.eam.fs", element="Fe").functions

    def density(r):
        return [np.where(r < 4.2, values, 0.0) for values in functions["density"](r)]

    rho = density(crystal)[0].sum()
    # The file has F as a function of the root of the density.
    root = np.sqrt(rho)
    _, slope, curvature = functions["embedding"](root)
    first, second = slope / (2 * root), curvature / (4 * rho) - slope / (4 * rho * root)

    def pair(r):
        of_pair = [np.where(r < 5.3, values, 0.0) for values in functions["pair"](r)]
        return [v + 2 * first * f for v, f in zip(of_pair, density(r), strict=True)][1:]

    slopes, curvatures = pair(crystal)
    unit = TRACE / (curvatures + 2 * slopes / crystal).sum()
    return lambda r: [unit * values for values in pair(r)], unit * rho**2 * second


class TestAgainstThePotential:
    """Of Ackland and others, which relaxed the minima: the effective pair potential, and what density does."""

    def test_forces_of_bonds(self, law, truth):
        r = np.linspace(2.2, 5.55, 300)
        np.testing.assert_allclose(law.pair(r), truth[0](r)[0], atol=0.02)

    def test_their_stiffness(self, law, truth, crystal):
        exact = truth[0](crystal)[1]
        np.testing.assert_allclose(law.pair(crystal, 1), exact, atol=0.03 * exact.max())

    def test_density(self, law, truth):
        assert law.embedding[0] == pytest.approx(truth[1], rel=0.03)

    def test_beyond_the_cutoff_of_the_potential_there_is_nothing(self, law):
        assert np.abs(law.pair(np.linspace(5.35, 5.6, 20))).max() < 1e-3

    def test_entropies_without_a_label(self, law, minima):
        potential = law.potential()
        perfect = bulk("Fe", "bcc", a=A, cubic=True) * 8
        of_crystal = log_determinant(potential.hessian(perfect))
        table = minima.table
        for defect_class in ("V4", "I2"):
            row = table.index[table["defect_class"] == defect_class][0]
            entropy = entropy_of(log_determinant(potential.hessian(minima.frames[row])), of_crystal)[0]
            assert entropy == pytest.approx(table["formation_entropy"][row], abs=0.5), defect_class


class TestForceLaw:
    def test_minima_are_nearly_at_rest_in_its_potential(self, law, minima):
        potential = law.potential()
        for atoms in minima.frames[35:700:133]:
            assert np.abs(potential.energy_and_forces(atoms)[1]).max() < 0.05
        shaken = minima.frames[35].copy()
        shaken.rattle(0.01, seed=1)
        assert np.abs(potential.energy_and_forces(shaken)[1]).max() > 0.1
        assert 0 < law.unbalanced < 1e-4

    def test_its_potential_has_its_functions(self, law, crystal):
        functions = law.potential().functions
        r = np.linspace(law.r_min, law.r_cut, 500)
        np.testing.assert_allclose(functions["pair"](r)[1], law.pair(r), atol=3e-4)
        np.testing.assert_allclose(functions["density"](r)[1], law.density(r), atol=3e-4)
        np.testing.assert_allclose(functions["density"](crystal)[0].sum(), 1, atol=1e-7)
        rho = np.linspace(0.7, 1.3, 7)
        _, slope, _ = functions["embedding"](np.sqrt(rho))
        expected = np.polynomial.polynomial.polyval(rho - 1, [0, *law.embedding])
        np.testing.assert_allclose(slope / (2 * np.sqrt(rho)), expected, atol=1e-7)

    def test_bonds_that_are_too_short_are_springs(self, law):
        r = np.array([law.r_min - 0.1, law.r_min - 0.2])
        slope, curvature = law.potential().functions["pair"](r)[1:]
        np.testing.assert_allclose(curvature, law.pair(law.r_min, 1), rtol=1e-4)
        np.testing.assert_allclose(slope, law.pair(law.r_min) + (r - law.r_min) * law.pair(law.r_min, 1), rtol=1e-4)

    def test_turned_shifted_and_repeated_cells_have_the_same(self, minima):
        cells = minima.frames[::200]
        turned = [atoms.copy() for atoms in cells]
        for atoms in turned:
            atoms.rotate(33, (1, 2, 3), rotate_cell=True)
            atoms.translate((0.3, -7.0, 50.0))
        turned[0] *= (1, 1, 2)
        turned.append(cells[0])
        crystal = bulk("Fe", "bcc", a=A)
        one = learn_force_law([*cells, cells[0], cells[0]], crystal, spacing=0.1, order=2)
        other = learn_force_law(turned, crystal * (3, 2, 2), spacing=0.1, order=2)
        r = np.linspace(one.r_min, one.r_cut, 50)
        np.testing.assert_allclose(other.pair(r), one.pair(r), atol=1e-6)
        np.testing.assert_allclose(other.embedding, one.embedding, rtol=1e-5)
        assert (other.n_cells, other.n_forces) == (len(turned), one.n_forces)

    def test_what_is_left_is_counted_against_single_bonds(self, minima):
        """By loops over the atoms of one cell, written once more."""
        atoms = minima.frames[5]
        law = learn_force_law([atoms], bulk("Fe", "bcc", a=A), spacing=0.15, order=2)
        first, neighbour, vectors, r = vibentropy.neighbour_pairs(atoms, law.r_cut)
        r_in = np.maximum(r, law.r_min)
        area = law.density.antiderivative()
        of_bonds = area(r_in) - area(law.r_cut)
        rho = np.add.reduceat(of_bonds, first[:-1])
        g = np.polynomial.polynomial.polyval(rho - 1, [0, *law.embedding])
        shells = np.array([A * np.sqrt(0.75), A, A * np.sqrt(2)])
        left = of_single = count = 0.0
        for i in range(len(atoms)):
            bonds = slice(first[i], first[i + 1])
            near = r[bonds][r[bonds] < (1 + np.sqrt(2)) / 2 * A]
            distortion = max(np.abs(near[:, None] - shells).min(axis=1))
            if distortion <= 1e-2:
                continue
            force = law.pair(r[bonds]) + (g[i] + g[neighbour[bonds]]) * law.density(r[bonds])
            left += np.sum((force / r[bonds] @ vectors[bonds] / (distortion + 1e-2)) ** 2)
            of_single += np.sum((law.pair(r[bonds]) / (distortion + 1e-2)) ** 2)
            count += 3
        assert law.n_forces == count
        assert law.unbalanced == pytest.approx(np.sqrt(left / of_single), rel=1e-3)

    def test_bad_input(self, minima):
        crystal = bulk("Fe", "bcc", a=A)
        with pytest.raises(DataError, match="cell 1 is of Cu, expected Fe only"):
            learn_force_law([minima.frames[0], bulk("Cu", cubic=True)], crystal)
        with pytest.raises(DataError, match="0 components of forces next to defects in 2 cells, expected at least"):
            learn_force_law([crystal * 4] * 2, crystal)
        with pytest.raises(DataError, match="in 0 cells"):
            learn_force_law([], crystal)
        with pytest.raises(DataError, match="r_cut == 3 Å holds 2 shells of neighbours of the crystal, expected 4"):
            learn_force_law(minima.frames[:1], crystal, r_cut=3.0)
        with pytest.raises(DataError, match=r"spacing == 2 Å leaves 2 pieces between 2\.\d\d Å and the cutoff"):
            learn_force_law(minima.frames[:1], crystal, spacing=2.0)
        with pytest.raises(StructureError, match="no translation maps"):
            learn_force_law(minima.frames[:1], minima.frames[0])
