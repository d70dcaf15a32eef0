"""Perfect crystals: cells of them, strained and relaxed, and their file."""

import numpy as np
import pytest
from ase.build import bulk

from vibentropy.atoms.crystal import SITES_PER_CELL, Crystal
from vibentropy.errors import ConfigError


@pytest.mark.parametrize("structure", SITES_PER_CELL)
def test_cells_are_cubic_and_of_so_many_sites(structure):
    crystal = Crystal("Fe", structure, 3.0)
    atoms = crystal.cell((2, 3, 4))
    assert len(atoms) == 24 * SITES_PER_CELL[structure]
    np.testing.assert_allclose(atoms.cell[:], np.diag([6.0, 9.0, 12.0]))
    assert abs(np.linalg.det(crystal.translations)) * len(bulk("Fe", structure, a=3.0)) ** -1 == pytest.approx(
        27 / SITES_PER_CELL[structure]
    )


def test_a_strained_cell_is_filled_at_the_same_fractions():
    crystal = Crystal("Fe", "bcc", 2.86)
    perfect = crystal.cell(3)
    strain = np.array([[0.01, 0.004, 0], [0.004, -0.02, 0.003], [0, 0.003, 0.015]])
    cell = perfect.cell[:] @ (np.eye(3) + strain)
    filled = crystal.filling(cell, (3, 3, 3))
    np.testing.assert_allclose(filled.cell[:], cell)
    np.testing.assert_allclose(filled.get_scaled_positions(), perfect.get_scaled_positions(), atol=1e-12)


def test_a_file_keeps_all_digits(tmp_path):
    crystal = Crystal("Fe", "bcc", 2.8 + 1e-15)
    crystal.save(tmp_path / "lattice.json")
    assert Crystal.load(tmp_path / "lattice.json") == crystal


def test_the_relaxed_lattice_constant_is_that_of_no_pressure(iron):
    crystal = Crystal("Fe", "bcc", 2.9).relaxed(iron)
    energies = [iron.energy_and_forces(Crystal("Fe", "bcc", crystal.a + d).cell(1))[0] for d in (-1e-3, 0, 1e-3)]
    assert energies[1] < min(energies[0], energies[2])
    assert energies[0] - energies[2] == pytest.approx(0, abs=1e-2 * (energies[0] - energies[1]))
    assert Crystal("Fe", "bcc", 2.8).relaxed(iron).a == pytest.approx(crystal.a, abs=1e-6)


def test_no_minimum_nearby_is_said(iron):
    with pytest.raises(ConfigError, match=r"bcc Fe has no energy minimum near a = 2.5 Å"):
        Crystal("Fe", "bcc", 2.5).relaxed(iron)
