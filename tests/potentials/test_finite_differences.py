"""Hessians of differences of forces against analytic ones."""

import re

import numpy as np
import pytest
from ase.build import bulk
from ase.calculators.emt import EMT
from hypothesis import given
from hypothesis import strategies as st

from vibentropy import formation_entropy, load_potential
from vibentropy.errors import ConfigError
from vibentropy.labels.determinants import log_determinant
from vibentropy.potentials.ase_engine import AseEngine
from vibentropy.potentials.finite_differences import FiniteDifferencePotential, translation_invariant, watched
from vibentropy.potentials.lammps_engine import LammpsEngine
from vibentropy.potentials.newton import newton_relax


@pytest.fixture(scope="module")
def by_lammps(fine_table):
    """The iron of the other tests, as a potential that has nothing but forces."""
    with LammpsEngine.on_table(fine_table, ["Fe"]) as engine:
        yield FiniteDifferencePotential(engine, ("Fe",), 0.001)


@given(n_atoms=st.integers(2, 6), seed=st.integers(0, 2**32 - 1))
def test_projection_is_the_closest_matrix_with_the_symmetries(n_atoms, seed):
    rng = np.random.default_rng(seed)
    matrix = rng.standard_normal((3 * n_atoms, 3 * n_atoms))
    given_matrix = matrix.copy()
    hessian, asymmetry, net_force = translation_invariant(matrix)
    np.testing.assert_array_equal(matrix, given_matrix)
    translations = np.tile(np.eye(3), (n_atoms, 1)) / np.sqrt(n_atoms)
    projector = np.eye(3 * n_atoms) - translations @ translations.T
    symmetric = (matrix + matrix.T) / 2
    np.testing.assert_allclose(hessian, projector @ symmetric @ projector, atol=1e-12)
    assert asymmetry == np.abs(matrix - matrix.T).max()
    assert net_force == pytest.approx(np.abs(symmetric @ translations * np.sqrt(n_atoms)).max())
    # What is right already stays, and the errors of what was corrected are gone.
    again, asymmetry, net_force = translation_invariant(hessian)
    np.testing.assert_allclose(again, hessian, atol=1e-12)
    assert asymmetry < 1e-12
    assert net_force < 1e-12


def test_determinant_does_not_feel_how_the_translations_are_left_out(by_lammps, iron_crystal):
    atoms = iron_crystal(2)
    hessian = by_lammps.hessian(atoms)
    eigenvalues = np.linalg.eigvalsh(hessian)
    assert np.abs(eigenvalues[:3]).max() < 1e-10
    assert log_determinant(hessian).value == pytest.approx(np.log(eigenvalues[3:]).sum(), abs=1e-9)


def test_hessian_is_the_analytic_one(by_lammps, iron, iron_crystal):
    atoms = iron_crystal(3)
    del atoms[0]
    atoms.rattle(0.05, seed=3)
    assert np.abs(by_lammps.hessian(atoms) - iron.hessian(atoms).toarray()).max() < 2e-3
    energy, forces = by_lammps.energy_and_forces(atoms)
    assert energy == pytest.approx(iron.energy_and_forces(atoms)[0], abs=1e-9)
    np.testing.assert_allclose(forces, iron.energy_and_forces(atoms)[1], atol=1e-8)
    assert by_lammps.masses[0] == pytest.approx(55.845, abs=1e-3)


def test_label_is_the_analytic_one(by_lammps, iron, iron_crystal):
    perfect = iron_crystal(3)
    vacancy = perfect.copy()
    del vacancy[0]
    relaxed, _, largest = newton_relax(by_lammps.engine.relax(vacancy, 1e-4), by_lammps, 1e-8)
    assert largest <= 1e-8
    label = formation_entropy(relaxed, perfect, by_lammps)
    assert label == pytest.approx(formation_entropy(relaxed, perfect, iron), abs=1e-4)


def test_lammps_and_ase_differentiate_alike(lennard_jones):
    atoms = bulk("Cu", "fcc", a=3.6, cubic=True) * 2
    atoms.rattle(0.05, seed=1)
    # Strained and turned: LAMMPS has its own axes.
    deformation = np.eye(3) + [[0.0, 0.03, -0.02], [0.01, 0.0, 0.01], [0.02, -0.01, 0.0]]
    atoms.set_cell(atoms.cell[:] @ deformation, scale_atoms=True)
    lammps, ase = (FiniteDifferencePotential(engine, ("Cu",), 0.001) for engine in lennard_jones)
    np.testing.assert_allclose(lammps.energy_and_forces(atoms)[1], ase.energy_and_forces(atoms)[1], atol=1e-9)
    # The same to the square of the step, along different axes.
    np.testing.assert_allclose(lammps.hessian(atoms), ase.hessian(atoms), atol=1e-5)


@pytest.mark.parametrize(
    "commands",
    [{"calculator": "odd_calculators.Remembering"}, {"pair_style": "lj/cut 4.0", "pair_coeff": ["* * 0.4 2.3"]}],
    ids=["ase", "lammps"],
)
def test_hessian_is_the_same_to_the_last_bit_in_any_number_of_processes(commands):
    atoms = (bulk("Cu", "fcc", a=3.6, cubic=True) * 2)[1:]
    atoms.rattle(0.05, seed=1)
    potential = load_potential(**commands, element="Cu", processes=3)
    hessians = []
    for processes in (1, 2, 3):
        potential.engine._processes = processes
        hessians.append(potential.hessian(atoms))
        assert len(potential.engine._others) == processes - 1
        # What a process has seen before does not matter.
        moved = atoms.copy()
        moved.rattle(0.1, seed=processes)
        potential.energy_and_forces(moved)
    for hessian in hessians[1:]:
        np.testing.assert_array_equal(hessian, hessians[0])
    potential.engine.close()


def test_processes_are_for_calculators_that_can_be_copied():
    class OfTheProgram(EMT):
        """No other process has this class."""

    with pytest.raises(ConfigError, match="processes is for calculators in a process of their own, which OfTheProgram"):
        load_potential(calculator=OfTheProgram(), element="Cu", processes=2)
    for processes in (0, 1.5):
        with pytest.raises(ConfigError, match=rf"processes is {processes}, expected a whole number above 0"):
            load_potential(calculator=EMT(), element="Cu", processes=processes)


def test_long_hessian_says_how_far_it_is(monkeypatch, iron):
    lines = []
    monkeypatch.setattr("vibentropy.files.progress._PATIENCE", 0)
    watched(FiniteDifferencePotential(AseEngine(EMT()), ("Cu",), 0.01), lines.append).hessian(
        bulk("Cu", cubic=True) * (2, 2, 1)
    )
    assert re.fullmatch(r"Hessian of 16 atoms by differences of forces: 25% in \d+ s, \d+ s left", lines[0])
    assert watched(iron, lines.append) is iron


def test_large_matrices_are_made_symmetric_in_strips(monkeypatch):
    matrix = np.random.default_rng(1).standard_normal((30, 30))
    expected = translation_invariant(matrix)
    monkeypatch.setattr("vibentropy.potentials.finite_differences._STRIP", 7 * matrix[0].nbytes)
    given_matrix = matrix.copy()
    found = translation_invariant(matrix, overwrite=True)
    assert found[0] is matrix
    np.testing.assert_array_equal(found[0], expected[0])
    assert found[1:] == expected[1:]
    assert found[1] == np.abs(given_matrix - given_matrix.T).max()
