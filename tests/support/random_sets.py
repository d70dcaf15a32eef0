"""Sets of configurations of all kinds of cells and columns."""

import numpy as np
import pandas as pd
from ase import Atoms
from hypothesis import settings

from vibentropy.datasets.store import ConfigurationSet

reproducible = settings(derandomize=True, deadline=None, max_examples=30)


def random_set(seed, n_configurations, dataset="train"):
    rng = np.random.default_rng(seed)
    frames = []
    for n_atoms in rng.integers(1, 9, n_configurations):
        atoms = Atoms(
            rng.integers(1, 100, n_atoms),
            positions=rng.normal(scale=5, size=(n_atoms, 3)),
            cell=rng.normal(size=(3, 3)),
        )
        atoms.pbc = rng.random(3) < 0.5
        frames.append(atoms)
    table = pd.DataFrame(
        {
            "dataset": dataset,
            "trajectory": [f"I2-{number // 3}" for number in range(n_configurations)],
            "energy": rng.normal(size=n_configurations),
            "status": rng.choice(["relaxed", "labelled", "saddle"], n_configurations),
            "reason": rng.choice(["", 'Å and "quotes"'], n_configurations),
            "temperature": rng.normal(size=n_configurations),
            "large": rng.random(n_configurations) < 0.5,
            "comment": rng.choice(["", "a", "b c"], n_configurations),
            "formation_entropy": rng.normal(size=n_configurations),
        }
    )
    return ConfigurationSet(frames, table, {"seed": seed, "config_hash": "abc", "vector": rng.normal(size=3)})


def assert_same(one, other):
    pd.testing.assert_frame_equal(one.table, other.table)
    assert len(one.frames) == len(other.frames)
    for a, b in zip(one.frames, other.frames, strict=True):
        np.testing.assert_array_equal(a.numbers, b.numbers)
        np.testing.assert_array_equal(a.positions, b.positions)
        np.testing.assert_array_equal(a.cell, b.cell)
        np.testing.assert_array_equal(a.pbc, b.pbc)
