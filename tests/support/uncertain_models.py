"""Data with errors that are no noise, and cells with vacancies."""

import numpy as np
from ase.build import bulk


def misspecified(n, seed, n_groups=None):
    """Labels without noise that two of six features bend: half of the cells by far more than the others."""
    rng = np.random.default_rng(seed)
    groups = np.arange(n) if n_groups is None else rng.integers(0, n_groups, n)
    counts = rng.integers(1, 5, n)
    directions = rng.normal(size=(n, 6)) + 1
    hard = rng.random(n) < 0.5
    directions[:, 4:] *= np.where(hard, 1.0, 0.05)[:, None]
    X = directions * counts[:, None]
    y = X @ [1.0, -2.0, 0.5, 3.0, 1.0, 0.0] + counts * np.abs(directions[:, 4] * directions[:, 5])
    return X, y, groups, hard


A = 2.8553
CRYSTAL = bulk("Fe", "bcc", a=A, cubic=True) * (4, 4, 4)


def vacancies(seed, shape=CRYSTAL):
    """One or two vacancies far apart, and atoms displaced a little."""
    rng = np.random.default_rng(seed)
    atoms = shape.copy()
    del atoms[rng.choice([0, 77], rng.integers(1, 3), replace=False)]
    atoms.positions += rng.normal(scale=0.04, size=atoms.positions.shape)
    return atoms
