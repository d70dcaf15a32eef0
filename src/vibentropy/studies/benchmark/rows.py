"""Rows that the benchmark fits to: as many features as the largest descriptors have, nearly dependent as theirs are."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

N_FEATURES = 2000
#: Rows of one trajectory.
_GROUP = 10


class Rows(NamedTuple):
    """What a fit takes.

    Attributes
    ----------
    X : ndarray of shape (n, N_FEATURES)
    y : ndarray of shape (n,)
    groups : ndarray of shape (n,), int
    """

    X: NDArray[np.float64]
    y: NDArray[np.float64]
    groups: NDArray[np.int64]


def draw_rows(n: int) -> Rows:
    """Draw rows whose singular values fall by six decades, and labels with noise; the same in every run.

    Parameters
    ----------
    n : int

    Returns
    -------
    Rows
    """
    rng = np.random.default_rng(n)
    X = rng.normal(size=(n, N_FEATURES)) * np.logspace(0, -6, N_FEATURES)
    X += np.roll(X, 1, axis=1)
    y = X @ rng.normal(size=N_FEATURES) + 0.01 * rng.normal(size=n)
    return Rows(X, y, np.arange(n) // _GROUP)
