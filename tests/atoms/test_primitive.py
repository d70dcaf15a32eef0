"""Primitive cells of crystals in cells of any shape."""

import hypothesis.strategies as st
import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk, make_supercell
from hypothesis import assume, given

from vibentropy.atoms.primitive import lattice_basis, primitive_cell
from vibentropy.errors import StructureError

CRYSTALS = {
    "bcc": (bulk("Fe", a=2.86), 1),
    "fcc": (bulk("Cu", a=3.6), 1),
    "hcp": (bulk("Ti", "hcp", a=2.95, c=4.68), 2),
    "diamond": (bulk("Si", a=5.43), 2),
    "strained": (Atoms("Fe", cell=[[2.5, 0.1, 0.2], [0.3, 2.6, -0.1], [0.0, 0.4, 2.4]], pbc=True), 1),
}


@given(st.sampled_from(sorted(CRYSTALS)), st.integers(0, 2**32 - 1))
def test_large_cells_are_repetitions_of_the_primitive_cell(name, seed):
    random = np.random.default_rng(seed)
    unit, n_basis = CRYSTALS[name]
    shape = random.integers(-2, 3, (3, 3)) + np.diag(random.integers(2, 5, 3))
    assume(3 < abs(np.linalg.det(shape)) < 90)
    crystal = make_supercell(unit, shape)
    crystal.rotate(random.uniform(0, 180), random.normal(size=3), rotate_cell=True)
    crystal = crystal[random.permutation(len(crystal))]
    shift = random.uniform(-9, 9, 3)
    crystal.positions += shift + random.normal(scale=1e-5, size=(len(crystal), 3))
    crystal.wrap()
    primitive, repetitions = primitive_cell(crystal)
    assert len(primitive) == n_basis
    assert primitive.cell.volume == pytest.approx(unit.cell.volume)
    np.testing.assert_allclose(repetitions @ primitive.cell[:], crystal.cell[:], atol=1e-9)
    again = make_supercell(primitive, repetitions)
    assert len(again) == len(crystal)
    rebuilt = Atoms("X" * (len(crystal) + len(again)), np.concatenate([crystal.positions, again.positions]))
    rebuilt.set_cell(crystal.cell)
    rebuilt.pbc = True
    between = rebuilt.get_all_distances(mic=True)[: len(crystal), len(crystal) :]
    # Each atom is where one of the repeated cell is.
    assert between.min(axis=1).max() < 1e-4


def test_cells_of_many_thousand_atoms():
    crystal = bulk("Fe", cubic=True, a=2.86).repeat((20, 21, 22))
    primitive, repetitions = primitive_cell(crystal)
    assert len(primitive) == 1
    assert abs(round(np.linalg.det(repetitions))) == len(crystal)


def test_atoms_are_means_of_all_that_they_stand_for():
    crystal = bulk("Fe", cubic=True, a=2.86).repeat(4)
    random = np.random.default_rng(0)
    crystal.positions += random.normal(scale=1e-3, size=(len(crystal), 3))
    primitive, repetitions = primitive_cell(crystal)
    ideal = make_supercell(primitive, repetitions)
    # Nothing is left of the noise but its mean, by which all atoms are off.
    spread = np.array([1e-3, 1e-3, 1e-3]) * 5 / np.sqrt(len(crystal))
    first = bulk("Fe", cubic=True, a=2.86).repeat(4).positions
    nearest = ideal.positions[:, None] - first[None]
    nearest -= np.round(nearest / (4 * 2.86)) * 4 * 2.86
    offsets = nearest[np.arange(len(ideal)), np.linalg.norm(nearest, axis=2).argmin(axis=1)]
    assert np.ptp(offsets, axis=0).max() < 1e-9
    assert (np.abs(offsets[0]) < spread).all()


def test_cells_that_nothing_shorter_maps_onto_themselves_are_their_own():
    random = np.random.default_rng(3)
    atoms = Atoms("Fe7", random.uniform(0, 6, (7, 3)), cell=np.diag([6.0, 6.5, 7.0]), pbc=True)
    primitive, repetitions = primitive_cell(atoms)
    assert len(primitive) == 7
    assert abs(round(np.linalg.det(repetitions))) == 1


@given(st.lists(st.tuples(*[st.integers(-30, 30)] * 3), min_size=1, max_size=5))
def test_basis_spans_the_same_lattice(vectors):
    vectors = np.array([*vectors, (12, 0, 0), (0, 12, 0), (0, 0, 12)])
    basis = lattice_basis(vectors)
    assert np.array_equal(basis, np.triu(basis))
    along = vectors @ np.linalg.inv(basis)
    np.testing.assert_allclose(along, np.round(along), atol=1e-9)
    # The index in the lattice of integers is the greatest common divisor of all determinants of three vectors.
    from itertools import combinations
    from math import gcd

    determinants = [round(np.linalg.det(vectors[list(some)])) for some in combinations(range(len(vectors)), 3)]
    assert abs(round(np.linalg.det(basis))) == gcd(*determinants)


def test_a_cell_with_a_defect_is_refused_or_left_whole():
    crystal = bulk("Fe", cubic=True, a=2.86).repeat(4)
    del crystal[5]
    try:
        primitive, _ = primitive_cell(crystal)
    except StructureError:
        return
    assert len(primitive) == len(crystal)
