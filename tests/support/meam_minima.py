"""Minima of a potential in small cells, enough to learn its parameters from."""

from collections.abc import Iterator

import numpy as np
from ase import Atoms

from vibentropy.potentials.relaxation import relax


def minima_of(potential, perfect: Atoms) -> Iterator[Atoms]:
    """A vacancy, divacancies of near and of distant sites, and a dumbbell; shaken first, or they stay symmetric."""
    by_distance = np.argsort(perfect.get_distances(0, range(len(perfect)), mic=True))
    for removed in ([0], [0, by_distance[1]], [0, by_distance[-1]], []):
        atoms = perfect.copy()
        del atoms[removed]
        if not removed:
            half = 0.9 * np.array([1, 1, 0]) / np.sqrt(2)
            atoms.append(perfect.symbols[0])
            atoms.positions[[0, -1]] = atoms.positions[0] + [half, -half]
        atoms.rattle(0.02, seed=1)
        yield relax(atoms, potential)
