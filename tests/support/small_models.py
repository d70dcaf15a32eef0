"""Small cells of iron with vacancies, which models of tests are fitted to."""

import numpy as np
from ase.build import bulk

A = 2.8553
CRYSTAL = bulk("Fe", "bcc", a=A, cubic=True) * (3, 3, 3)


def defective(seed):
    """A crystal with up to three vacancies and displaced atoms."""
    rng = np.random.default_rng(seed)
    atoms = CRYSTAL.copy()
    del atoms[rng.choice(len(atoms), rng.integers(1, 4), replace=False)]
    atoms.positions += rng.normal(scale=0.05, size=atoms.positions.shape)
    return atoms


FRAMES = [defective(seed) for seed in range(12)]
LABELS = np.array([2.5 * (len(CRYSTAL) - len(atoms)) for atoms in FRAMES]) + 0.1 * np.sin(np.arange(12))
