"""Small cells of iron as disordered as a liquid, for tests of the embedded-atom potential."""

import numpy as np
from ase import Atoms
from hypothesis import strategies as st

from vibentropy.errors import PotentialError


def odd_cell(seed, n_atoms, pbc, compression):
    """Triclinic cell of liquid-like iron: often smaller than the cutoff, atoms outside the box."""
    rng = np.random.default_rng(seed)
    edge = compression * (n_atoms * 11.6) ** (1 / 3)
    cell = edge * (np.eye(3) + 0.15 * rng.normal(size=(3, 3)))
    atoms = Atoms(f"Fe{n_atoms}", cell=cell, pbc=pbc, scaled_positions=rng.random((n_atoms, 3)))
    atoms.positions += rng.integers(-2, 3, size=(n_atoms, 3)) @ (cell * atoms.pbc[:, None])
    return atoms


cells = st.builds(
    odd_cell,
    st.integers(0, 10**6),
    st.integers(1, 7),
    st.sampled_from([(True, True, True), (True, False, True), (False, False, False)]),
    st.floats(1.0, 1.5),
)


def inside(iron, atoms):
    """Whether the potential is represented for a configuration."""
    try:
        return bool(iron.energy_and_forces(atoms))
    except PotentialError:
        return False
