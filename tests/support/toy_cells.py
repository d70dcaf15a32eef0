"""Cells whose entropy is not linear in their features."""

import numpy as np

from vibentropy.studies.sum_models import Cells

SPECIFICATION = {"kind": "afs", "n_max": 2, "l_max": 2, "r_cut": 4.0}


def toy(n=60, n_features=4, seed=0):
    """Cells of 100 atoms or so in groups of three, and an entropy linear in their positive features."""
    rng = np.random.default_rng(seed)
    X = rng.gamma(2.0, size=(n, n_features)) * np.logspace(-1, 2, n_features)
    entropy = X @ (rng.uniform(0.5, 2, n_features) / np.logspace(-1, 2, n_features)) + 0.1 * rng.normal(size=n)
    return Cells(rng.integers(96, 105, n).astype(float), X), entropy, np.arange(n) // 3
