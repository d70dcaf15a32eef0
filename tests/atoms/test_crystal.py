"""Perfect crystals: cells of them, strained and relaxed, and their file."""

import numpy as np
import pytest
from ase.build import bulk

from vibentropy import load_potential
from vibentropy.atoms.crystal import IDEAL_C_OVER_A, NEAREST, OF_ONE_ELEMENT, Crystal, lowest_lattice_constant
from vibentropy.errors import ConfigError


@pytest.mark.parametrize("structure", sorted(OF_ONE_ELEMENT.keys() - {"hcp"}))
def test_cells_are_cubic_and_of_so_many_sites(structure):
    crystal = Crystal("Fe", structure, 3.0)
    atoms = crystal.cell((2, 3, 4))
    assert len(atoms) == 24 * OF_ONE_ELEMENT[structure]
    np.testing.assert_allclose(atoms.cell[:], np.diag([6.0, 9.0, 12.0]))
    assert abs(np.linalg.det(crystal.translations)) * len(bulk("Fe", structure, a=3.0)) ** -1 == pytest.approx(
        27 / OF_ONE_ELEMENT[structure]
    )


def test_the_cell_of_hcp_is_orthorhombic():
    crystal = Crystal("Mg", "hcp", 3.2, 1.62)
    atoms = crystal.cell((3, 2, 4))
    assert len(atoms) == 24 * OF_ONE_ELEMENT["hcp"]
    np.testing.assert_allclose(atoms.cell[:], np.diag([3, 2, 4] * crystal.edges))
    np.testing.assert_allclose(crystal.edges, [3.2, 3.2 * np.sqrt(3), 3.2 * 1.62])
    # Two sites in the primitive cell, and neighbours where those of hcp are.
    assert np.linalg.det(crystal.translations) / 2 == pytest.approx(atoms.get_volume() / len(atoms))
    distances = np.sort(atoms.get_distances(0, range(1, len(atoms)), mic=True))
    between_planes = 3.2 * np.sqrt(1 / 3 + 1.62**2 / 4)
    np.testing.assert_allclose(distances[:12], [between_planes] * 6 + [3.2] * 6)
    assert Crystal("Mg", "hcp", 3.2).c_over_a == pytest.approx(np.sqrt(8 / 3)) == IDEAL_C_OVER_A


@pytest.mark.parametrize("structure", NEAREST)
def test_distance_of_nearest_neighbours(structure):
    atoms = Crystal("Fe", structure, 3.0, partner=None if structure in OF_ONE_ELEMENT else "Al").cell(3)
    assert atoms.get_distances(0, range(1, len(atoms)), mic=True).min() == pytest.approx(3.0 * NEAREST[structure])


def test_a_strained_cell_is_filled_at_the_same_fractions():
    crystal = Crystal("Fe", "bcc", 2.86)
    perfect = crystal.cell(3)
    strain = np.array([[0.01, 0.004, 0], [0.004, -0.02, 0.003], [0, 0.003, 0.015]])
    cell = perfect.cell[:] @ (np.eye(3) + strain)
    filled = crystal.filling(cell, (3, 3, 3))
    np.testing.assert_allclose(filled.cell[:], cell)
    np.testing.assert_allclose(filled.get_scaled_positions(), perfect.get_scaled_positions(), atol=1e-12)


@pytest.mark.parametrize("crystal", [Crystal("Fe", "bcc", 2.8 + 1e-15), Crystal("Mg", "hcp", 3.2, 1.6 + 1e-15)])
def test_a_file_keeps_all_digits(tmp_path, crystal):
    crystal.save(tmp_path / "lattice.json")
    assert Crystal.load(tmp_path / "lattice.json") == crystal == Crystal.from_facts(crystal.facts | {"seed": 1})
    # Those of cubic crystals are as they were before there was hcp.
    assert ("c_over_a" in (tmp_path / "lattice.json").read_text()) == (crystal.structure == "hcp")


def test_crystals_in_words():
    assert str(Crystal("Fe", "bcc", 2.8553124)) == "bcc Fe, a = 2.8553124 Å"
    assert str(Crystal("Mg", "hcp", 3.2, 1.62)) == "hcp Mg, a = 3.2000000 Å, c/a = 1.6200000"


def test_hcp_relaxes_in_both_directions():
    potential = load_potential(file="Mg_mm.eam.fs", element="Mg")
    crystal = Crystal("Mg", "hcp", 3.25).relaxed(potential)
    stress = []
    for strain in np.diag([1e-4, 0, 0]), np.diag([0, 1e-4, 0]), np.diag([0, 0, 1e-4]):
        unit = crystal.cell(1)
        energies = []
        for sign in (-1, 1):
            unit.set_cell(crystal.cell(1).cell[:] @ (np.eye(3) + sign * strain), scale_atoms=True)
            energies.append(potential.energy_and_forces(unit)[0])
        stress.append((energies[1] - energies[0]) / (2e-4 * unit.cell.volume))
    # eV/Å³; a change of 1e-4 in c/a is worth a few of 1e-5.
    np.testing.assert_allclose(stress, 0, atol=1e-6)


def test_the_relaxed_lattice_constant_is_that_of_no_pressure(iron):
    crystal = Crystal("Fe", "bcc", 2.9).relaxed(iron)
    energies = [iron.energy_and_forces(Crystal("Fe", "bcc", crystal.a + d).cell(1))[0] for d in (-1e-3, 0, 1e-3)]
    assert energies[1] < min(energies[0], energies[2])
    assert energies[0] - energies[2] == pytest.approx(0, abs=1e-2 * (energies[0] - energies[1]))
    assert Crystal("Fe", "bcc", 2.8).relaxed(iron).a == pytest.approx(crystal.a, abs=1e-6)


def test_no_minimum_nearby_is_said(iron):
    with pytest.raises(ConfigError, match=r"bcc Fe has no energy minimum near a = 2.5 Å"):
        Crystal("Fe", "bcc", 2.5).relaxed(iron)


def test_the_lowest_lattice_constant_is_looked_for_near_the_guess():
    asked = []

    def energy(a):
        asked.append(a)
        return (a - 3.06) ** 2

    found = lowest_lattice_constant(energy, 3.0, within=0.03, tolerance=1e-6, what="it")
    assert found == pytest.approx(3.06, abs=1e-6)
    assert 2.91 < min(asked) < max(asked) < 3.09
    with pytest.raises(ConfigError, match=r"it has no energy minimum near a = 3.0 Å \(between 2.9700 and 3.0300 Å\)"):
        lowest_lattice_constant(energy, 3.0, within=0.01, tolerance=1e-6, what="it")
