"""Configurations that a descriptor has to cope with: a hypothesis strategy, and fixed ones for plain tests."""

import numpy as np
from ase.build import bulk
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

#: Lattice constants with nearest neighbours about 2.5 Å apart.
LATTICES = {"sc": 2.5, "bcc": 2.87, "fcc": 3.55, "hcp": 2.5}


def elements(descriptor):
    """Elements that a configuration for this descriptor may hold."""
    return descriptor.species or ["Fe"]


def rattled(descriptor, repeat=2, seed=0):
    """A distorted bcc cell of the descriptor's elements, without any symmetry."""
    rng = np.random.default_rng(seed)
    atoms = bulk("Fe", "bcc", a=LATTICES["bcc"], cubic=True).repeat(repeat)
    atoms.symbols = rng.choice(elements(descriptor), len(atoms))
    atoms.set_cell(atoms.cell[:] @ (np.eye(3) + rng.uniform(-0.05, 0.05, (3, 3))), scale_atoms=True)
    atoms.positions += rng.uniform(-0.15, 0.15, atoms.positions.shape)
    return atoms


def cluster(descriptor, seed=0):
    """Nine atoms in free space, without a cell."""
    rng = np.random.default_rng(seed)
    positions = np.array([[0, 0, 0], *np.argwhere(np.ones((2, 2, 2))) * 2 - 1]) * LATTICES["bcc"] / 2
    atoms = bulk("Fe").repeat((9, 1, 1))
    atoms.positions = positions + rng.uniform(-0.15, 0.15, positions.shape)
    atoms.symbols = rng.choice(elements(descriptor), len(atoms))
    atoms.cell, atoms.pbc = None, False
    return atoms


@st.composite
def odd_cells(draw, species):
    """Small, sheared, strained, rattled, rotated cells with holes, any periodicity, and atoms outside the box."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    lattice = draw(st.sampled_from(sorted(LATTICES)))
    atoms = bulk("Fe", lattice, a=LATTICES[lattice]).repeat(draw(st.tuples(*[st.integers(1, 2)] * 3)))
    cell = atoms.cell[:] @ (np.eye(3) + rng.uniform(-0.06, 0.06, (3, 3)))
    atoms.set_cell(cell, scale_atoms=True)
    atoms.positions += rng.uniform(-0.15, 0.15, atoms.positions.shape)
    if len(atoms) > 1 and draw(st.booleans()):
        del atoms[0]
    # The same lattice in a longer description: adding one cell vector to another changes no atom.
    for i, j in draw(st.lists(st.permutations(range(3)).map(lambda p: p[:2]), max_size=2)):
        cell[i] += draw(st.sampled_from([-1, 1])) * cell[j]
    atoms.set_cell(cell)
    atoms.pbc = draw(st.tuples(*[st.booleans()] * 3))
    if draw(st.booleans()):
        atoms.cell[~atoms.pbc] = 0.0
    atoms.symbols = rng.choice(species, len(atoms))
    atoms.positions += (atoms.pbc * rng.integers(-2, 3, (len(atoms), 3))) @ atoms.cell[:]
    return rotate(atoms, rng)


def rotate(atoms, rng):
    """Return the configuration turned in space, cell and all."""
    turned = atoms.copy()
    matrix = Rotation.random(random_state=rng).as_matrix()
    turned.set_cell(atoms.cell[:] @ matrix)
    turned.positions = atoms.positions @ matrix
    return turned
