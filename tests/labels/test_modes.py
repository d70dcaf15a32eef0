import warnings

import numpy as np
import pytest
from ase.build import bulk
from ase.thermochemistry import HarmonicThermo
from ase.units import kB, kJ, mol
from hypothesis import given
from hypothesis import strategies as st
from scipy.linalg import logm

from vibentropy.atoms.compositions import Compositions
from vibentropy.errors import SaddlePointError
from vibentropy.labels.determinants import log_determinant
from vibentropy.labels.entropy import entropy_of, formation_entropy
from vibentropy.labels.modes import (
    modes,
    quantum_entropy,
    quantum_free_energy,
)
from vibentropy.potentials.newton import newton_relax
from vibentropy.units import KB_PER_ENTROPY_UNIT, KELVIN_PER_THZ


@pytest.fixture(scope="module")
def vacancy(iron):
    perfect = bulk("Fe", "bcc", a=2.8553127, cubic=True) * (4, 4, 4)
    atoms = perfect.copy()
    del atoms[0]
    return newton_relax(atoms, iron, 1e-9)[0], perfect


# --- Site entropies --------------------------------------------------------------------------------------------------


def test_sites_add_up_to_the_label(iron, vacancy):
    defect, bulk = (log_determinant(iron.hessian(atoms)) for atoms in vacancy)
    sites = modes(iron.hessian(vacancy[0]), vectors=True).site_entropies() + 0.5 * bulk.value / bulk.n_atoms
    assert sites.shape == (127,)
    assert sites.sum() == pytest.approx(entropy_of(defect, bulk)[1], abs=1e-9)


def test_equivalent_sites_are_equal(iron, vacancy):
    relaxed, perfect = vacancy
    sites = modes(iron.hessian(relaxed), vectors=True).site_entropies()
    sites += 0.5 * log_determinant(iron.hessian(perfect)).value / len(perfect)
    distances = np.linalg.norm(perfect.get_distances(0, range(1, 128), mic=True, vector=True), axis=1)
    for shell, number in [(np.sqrt(3) / 2, 8), (1.0, 6), (np.sqrt(2), 12)]:
        members = np.abs(distances / 2.8553127 - shell) < 1e-3
        assert members.sum() == number
        assert np.ptp(sites[members]) < 1e-8
    # The first shells carry most of it.
    assert sites[np.argsort(distances)[:14]].sum() > 0.5 * sites.sum()


def test_sites_of_the_perfect_crystal_are_equal(iron, iron_crystal):
    hessian = iron.hessian(iron_crystal(3))
    expected = -0.5 * log_determinant(hessian).value / 54
    np.testing.assert_allclose(modes(hessian, vectors=True).site_entropies(), expected, rtol=0, atol=1e-10)


def test_sites_from_the_logarithm_of_the_matrix(iron, iron_crystal):
    atoms = iron_crystal(2)
    del atoms[0]
    hessian = iron.hessian(newton_relax(atoms, iron, 1e-8)[0])
    n = len(atoms)
    translations = np.tile(np.eye(3), (n, 1)) / np.sqrt(n)
    # Eigenvalue one for the translations: their logarithm is nothing.
    logarithm = logm(hessian.toarray() + translations @ translations.T)
    expected = -0.5 * np.diagonal(logarithm).reshape(n, 3).sum(axis=1)
    np.testing.assert_allclose(modes(hessian, vectors=True).site_entropies(), expected, atol=1e-9)


def test_ring_of_springs_has_its_closed_form():
    # Plane waves: eigenvalues 4 k sin²(πq/N), and every site carries the same.
    n, k = 7, 2.5
    ring = k * (2 * np.eye(n) - np.roll(np.eye(n), 1, 0) - np.roll(np.eye(n), -1, 0))
    found = modes(np.kron(ring, np.eye(3)), vectors=True)
    waves = np.sort(np.repeat(4 * k * np.sin(np.pi * np.arange(1, n) / n) ** 2, 3))
    np.testing.assert_allclose(found.eigenvalues, waves, atol=1e-12)
    expected = -1.5 / n * (2 * np.log(n) + (n - 1) * np.log(k))
    np.testing.assert_allclose(found.site_entropies(), expected, atol=1e-12)


def test_two_atoms_share_what_their_spring_has():
    hessian = np.kron([[1, -1], [-1, 1]], np.diag([1.0, 2.0, 3.0]))
    found = modes(hessian, vectors=True)
    np.testing.assert_allclose(found.eigenvalues, [2, 4, 6])
    np.testing.assert_allclose(found.site_entropies(), -0.25 * np.log(48))
    # Ordinary frequency of 1 eV/Å² and 1 u: sqrt(1.602e-19 / 1e-20 / 1.6605e-27) / 2π.
    assert found.frequencies(2.0)[0] == pytest.approx(15.6333, abs=1e-4)


@pytest.mark.parametrize("spoiled", [-0.5, 1e-5])
def test_saddles_and_soft_modes_are_refused(spoiled):
    hessian = np.kron([[1, -1], [-1, 1]], np.diag([1.0, 2.0, spoiled]))
    with pytest.raises(SaddlePointError, match="expected three translations"):
        modes(hessian)


def test_eigenvalues_alone_are_the_same(iron, vacancy):
    hessian = iron.hessian(vacancy[0])
    alone = modes(hessian)
    assert alone.vectors is None
    np.testing.assert_allclose(alone.eigenvalues, modes(hessian, vectors=True).eigenvalues, rtol=1e-10)
    np.testing.assert_allclose(modes(hessian.toarray()).eigenvalues, alone.eigenvalues, rtol=1e-12)


# --- Temperature -----------------------------------------------------------------------------------------------------


def test_highest_phonon_of_iron(iron, iron_crystal):
    frequencies = modes(iron.hessian(iron_crystal(4))).frequencies(iron.masses[0])
    assert frequencies[-1] == pytest.approx(9.63, abs=0.02)


@given(
    frequencies=st.lists(st.floats(0.05, 30), min_size=1, max_size=8),
    temperature=st.floats(5, 3000),
)
def test_entropy_and_free_energy_are_those_of_ase(frequencies, temperature):
    quanta = np.array(frequencies) * KELVIN_PER_THZ * kB
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        entropy = HarmonicThermo(quanta).get_entropy(temperature, verbose=False) / kB
        free_energy = HarmonicThermo(quanta).get_helmholtz_energy(temperature, verbose=False)
    assert quantum_entropy(frequencies, temperature) == pytest.approx(entropy, rel=1e-8, abs=1e-12)
    assert quantum_free_energy(frequencies, temperature) == pytest.approx(free_energy, rel=1e-8, abs=1e-10)


def test_entropy_and_free_energy_are_those_of_phonopy(iron, iron_crystal):
    phonopy = pytest.importorskip("phonopy")
    atoms = iron_crystal(2)
    cell = phonopy.structure.atoms.PhonopyAtoms(
        symbols=atoms.get_chemical_symbols(),
        cell=atoms.cell[:],
        positions=atoms.positions,
        masses=[iron.masses[0]] * 16,
    )
    hessian = iron.hessian(atoms)
    phonons = phonopy.Phonopy(cell, supercell_matrix=np.eye(3), primitive_matrix=np.eye(3))
    phonons.force_constants = hessian.toarray().reshape(16, 3, 16, 3).transpose(0, 2, 1, 3)
    phonons.run_mesh([1, 1, 1])
    # The cutoff (THz) leaves out the translations.
    phonons.run_thermal_properties(temperatures=[20, 300, 2000], cutoff_frequency=0.1)
    expected = phonons.thermal_properties.entropy * KB_PER_ENTROPY_UNIT["J/mol/K"]
    frequencies = modes(hessian).frequencies(iron.masses[0])
    found = [quantum_entropy(frequencies, temperature) for temperature in (20, 300, 2000)]
    # Its constants of nature are of 1998.
    np.testing.assert_allclose(found, expected, rtol=1e-4)
    expected = phonons.thermal_properties.free_energy * kJ / mol
    found = [quantum_free_energy(frequencies, temperature) for temperature in (20, 300, 2000)]
    np.testing.assert_allclose(found, expected, rtol=1e-4)


@given(x=st.floats(1e-9, 1e-3))
def test_soft_modes_are_classical(x):
    # S = 1 - ln x + x²/24 - ...
    assert quantum_entropy([x / KELVIN_PER_THZ], 1.0) == pytest.approx(1 - np.log(x) + x**2 / 24, abs=1e-12)


@given(x=st.floats(40, 1e6))
def test_stiff_modes_are_frozen(x):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = quantum_entropy([x / KELVIN_PER_THZ], 1.0)
    assert found == pytest.approx((1 + x) * np.exp(-x), rel=1e-9, abs=1e-300)


def formed(of_modes, defect, bulk, temperature):
    """Of sums over frequencies."""
    compositions = Compositions(("Fe",), np.array([[len(bulk) // 3 + 1.0]]))
    return compositions.formed_of_modes(
        [len(defect) // 3 + 1], of_modes(defect, temperature), [of_modes(bulk, temperature)]
    )


def test_formation_entropy_between_its_limits(iron, vacancy):
    defect, bulk = (modes(iron.hessian(atoms)).frequencies(iron.masses[0]) for atoms in vacancy)
    classical = formation_entropy(*vacancy, iron)
    values = [formed(quantum_entropy, defect, bulk, t) for t in (1.0, 100.0, 300.0, 1000.0, 1e5)]
    assert values[0] == pytest.approx(0, abs=1e-6)
    assert values[-1] == pytest.approx(classical, abs=1e-5)
    # At room temperature iron is nearly classical.
    assert values[2] == pytest.approx(classical, rel=0.1)
    assert abs(values[3] - classical) < abs(values[2] - classical)
    assert formed(quantum_entropy, bulk, bulk, 300.0) == 0


@given(x=st.floats(1e-9, 1e-3), temperature=st.floats(1, 3000))
def test_free_energy_of_soft_modes_is_classical(x, temperature):
    # F / k_B T = ln x + x²/24 - ...: the term in x is cancelled by the zero-point energy.
    found = quantum_free_energy([x * temperature / KELVIN_PER_THZ], temperature) / (kB * temperature)
    assert found == pytest.approx(np.log(x) + x**2 / 24, abs=1e-12)


def test_free_energy_of_stiff_modes_is_that_of_the_ground_state():
    # Half a quantum of 4.135667696e-3 eV per THz.
    assert quantum_free_energy([8.0, 5.0], 0.01) == pytest.approx(6.5 * 4.135667696e-3, rel=1e-7)


@given(frequency=st.floats(0.5, 30), temperature=st.floats(20, 3000))
def test_entropy_is_the_slope_of_the_free_energy(frequency, temperature):
    low, high = (quantum_free_energy([frequency], temperature * factor) for factor in (1 - 1e-4, 1 + 1e-4))
    slope = -(high - low) / (2e-4 * temperature) / kB
    assert slope == pytest.approx(quantum_entropy([frequency], temperature), rel=1e-4, abs=1e-7)


def test_formation_free_energy_between_its_limits(iron, vacancy):
    defect, bulk = (modes(iron.hessian(atoms)).frequencies(iron.masses[0]) for atoms in vacancy)
    classical = formation_entropy(*vacancy, iron)
    assert formed(quantum_free_energy, defect, bulk, 1e5) == pytest.approx(-kB * 1e5 * classical, abs=1e-4)
    # At low temperature, the difference of the zero-point energies, with fewer and softer modes: it is negative.
    zero_point = 0.5 * KELVIN_PER_THZ * kB * (defect.sum() - len(defect) * bulk.mean())
    assert formed(quantum_free_energy, defect, bulk, 1.0) == pytest.approx(zero_point, abs=1e-9)
    assert zero_point < 0
    assert formed(quantum_free_energy, bulk, bulk, 300.0) == 0
