"""Crystals and defects of modified embedded atoms: phonons, waves, and numbers found before by another program."""

import numpy as np
import pytest
from ase.build import bulk
from lammps_meam import lammps_of, potential_of, reference_crystal

from vibentropy import formation_entropy
from vibentropy.labels.bloch import crystal_eigenvalues
from vibentropy.labels.determinants import log_determinant, relaxed_log_determinant
from vibentropy.potentials.newton import newton_relax
from vibentropy.sources.reference_work import LABEL_OFFSET

IRON = potential_of("Fe 2018")
#: Lattice constant of the reference work, Å.
A = 2.8553


def crystal(n):
    return bulk("Fe", "bcc", a=A, cubic=True) * n


@pytest.mark.parametrize("name", ["Fe 2018", "Fe 2NN", "Ni 1NN", "Cu 1NN"])
def test_phonons_are_those_of_phonopy_with_forces_of_lammps(name):
    """Frequencies at the corners of the zone and between, in THz."""
    phonopy = pytest.importorskip("phonopy")
    potential = potential_of(name)
    primitive = reference_crystal(potential)
    cell = phonopy.structure.atoms.PhonopyAtoms(
        symbols=[potential.elements[0]],
        cell=primitive.cell[:],
        scaled_positions=[[0, 0, 0]],
        masses=list(potential.masses),
    )
    # Where an atom feels several images of another one, both sets of force constants add them up.
    phonons = phonopy.Phonopy(cell, supercell_matrix=np.diag([4, 4, 4]), primitive_matrix=np.eye(3))
    supercell = bulk(potential.elements[0], "sc", a=1.0).repeat((len(phonons.supercell), 1, 1))
    supercell.set_cell(phonons.supercell.cell)
    supercell.set_scaled_positions(phonons.supercell.scaled_positions)
    points = [[0.5, 0, 0], [0.5, 0.5, 0], [0.5, 0.5, 0.5], [0.5, -0.5, 0.5], [0.25, 0.25, 0.25], [0.1, 0, 0]]

    phonons.generate_displacements(distance=0.01)
    with lammps_of(name) as engine:
        forces = []
        for displaced in phonons.supercells_with_displacements:
            supercell.positions = displaced.positions
            forces.append(engine.energy_and_forces(supercell)[1])
    phonons.forces = forces
    phonons.produce_force_constants()
    phonons.run_qpoints(points)
    theirs = phonons.qpoints.frequencies

    supercell.set_scaled_positions(phonons.supercell.scaled_positions)
    n = len(supercell)
    blocks = potential.hessian(supercell).toarray().reshape(n, 3, n, 3).transpose(0, 2, 1, 3)
    phonons.force_constants = blocks
    phonons.run_qpoints(points)
    own = phonons.qpoints.frequencies
    assert own.max() > 5
    # Differences of forces with 0.01 Å, and the table of LAMMPS.
    np.testing.assert_allclose(own, theirs, atol=0.02)


def test_waves_are_the_eigenvectors_of_the_crystal():
    """By rows of one atom, in a cell that reaches its own images too."""
    for n in (2, 5):
        cell = crystal(n)
        expected = np.linalg.eigvalsh(IRON.hessian(cell).toarray())
        found = crystal_eigenvalues(cell, IRON)
        np.testing.assert_allclose(found, np.sort(expected)[3:], atol=1e-9)


@pytest.fixture(scope="module")
def vacancy():
    atoms = crystal(6)
    del atoms[0]
    return newton_relax(atoms, IRON, 1e-9)


@pytest.fixture(scope="module")
def dumbbell():
    """Along <110>."""
    atoms = crystal(6)
    atoms.append("Fe")
    direction = np.array([1.0, 1.0, 0.0]) / np.sqrt(2)
    atoms.positions[[0, -1]] = atoms.positions[0] + np.outer([-1.0, 1.0], direction)
    # Off its mirror planes, which are saddles.
    atoms.rattle(0.02, seed=1)
    return newton_relax(atoms, IRON, 1e-9)


def formation_energy(atoms, energy):
    perfect = crystal(6)
    return energy - len(atoms) / len(perfect) * IRON.energy_and_forces(perfect)[0]


def test_vacancy_is_that_found_before(vacancy):
    atoms, energy, _ = vacancy
    assert formation_energy(atoms, energy) == pytest.approx(1.46, abs=0.01)
    assert formation_entropy(atoms, crystal(6), IRON) == pytest.approx(4.30, abs=0.01)


def test_dumbbell_is_that_found_before(dumbbell):
    atoms, energy, _ = dumbbell
    assert formation_energy(atoms, energy) == pytest.approx(4.14, abs=0.01)
    assert formation_entropy(atoms, crystal(6), IRON) == pytest.approx(5.24, abs=0.01)


@pytest.mark.parametrize(
    ("neighbour", "noise", "found_before", "published"),
    [([1, 0, 0], 0.05, 10.4538, 10.45421), ([0, 0, 1], 0.02, 7.00897, 7.00903)],
)
def test_two_dumbbells_have_labels_that_were_published(neighbour, noise, found_before, published):
    """The most frequent label of I2 in the arrays of the reference work, and the lowest one."""
    perfect = crystal(8)
    atoms = perfect.copy()
    middle = np.linalg.norm(perfect.positions - perfect.cell.diagonal() / 2, axis=1).argmin()
    next_to_it = perfect.positions[middle] + A * np.array(neighbour)
    other = np.linalg.norm(perfect.positions - next_to_it, axis=1).argmin()
    for site in (middle, other):
        atoms.append("Fe")
        atoms.positions[[site, -1]] = perfect.positions[site] + np.outer([-1.0, 1.0], [0.72, 0.72, 0.0])
    # Off a saddle.
    atoms.rattle(noise, seed=2)
    relaxed, _, _ = newton_relax(atoms, IRON, 1e-6)
    defect, crystalline = log_determinant(IRON.hessian(relaxed)).value, log_determinant(IRON.hessian(perfect)).value
    assert -0.5 * (defect - 1025 / 1023 * crystalline) == pytest.approx(found_before, abs=1e-4)
    assert -0.5 * (defect - 1023 / 1021 * crystalline) + LABEL_OFFSET == pytest.approx(published, abs=5e-4)


def test_sparse_and_dense_labels_are_the_same(vacancy, monkeypatch):
    atoms = vacancy[0]
    dense = log_determinant(IRON.hessian(atoms))
    # However little the sparse factor is worth in so small a cell.
    monkeypatch.setattr("vibentropy.labels.determinants._SPARSE_START", 0.0)
    monkeypatch.setattr("vibentropy.labels.determinants._SPARSE_COST", 0.0)
    sparse = relaxed_log_determinant(atoms, IRON)
    assert sparse.value == pytest.approx(dense.value, abs=1e-8)
    assert sparse.smallest_eigenvalue == pytest.approx(dense.smallest_eigenvalue, rel=1e-2)
