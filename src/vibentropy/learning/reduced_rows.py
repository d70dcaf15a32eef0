"""Rows of a regression in the place of many more, with the same squared errors.

With the triangular factor of features beside labels, Q R = (Z | y),

    |y - Z w|² = |R (w, -1)|²

for any weights w: least squares see no difference, however many rows R stands for. It is made in one pass over blocks
of rows, factors of several sets of rows join into one, and what a fit leaves out is judged by the factor of what was
left out. The normal equations Zᵀ Z would be as small, but they square the condition number: of features that are close
to dependent they keep half of the digits.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

#: Rows of a block for each column: the factor so far is factorised again with every block, which costs a sixth of all.
_BLOCK = 4
#: Smallest block, where columns are few.
_SMALLEST_BLOCK = 1024


@dataclass(frozen=True, eq=False)
class ReducedRows:
    """Features beside labels, in the place of more rows with the same squared errors.

    Attributes
    ----------
    factor : ndarray of shape (at most n_features + 1, n_features + 1)
        Its last column belongs to the labels.
    n : int
        How many rows it stands for; of atoms, how many cells they are from.
    """

    factor: NDArray[np.float64]
    n: int

    @classmethod
    def of(cls, Z: NDArray[np.float64], y: NDArray[np.float64]) -> Self:
        """Reduce rows.

        Parameters
        ----------
        Z : ndarray of shape (n, n_features)
        y : ndarray of shape (n,)

        Returns
        -------
        ReducedRows
        """
        size = max(_BLOCK * (Z.shape[1] + 1), _SMALLEST_BLOCK)
        blocks = (slice(begin, begin + size) for begin in range(0, len(Z), size))
        factors = (np.column_stack([Z[block], y[block]]) for block in blocks)
        return cls(_join(factors, Z.shape[1] + 1), len(Z))

    @classmethod
    def join(cls, parts: Iterable["ReducedRows"], n_features: int) -> Self:
        """Put the rows of several parts together.

        Parameters
        ----------
        parts : iterable of ReducedRows
            Perhaps none.
        n_features : int

        Returns
        -------
        ReducedRows
        """
        parts = list(parts)
        return cls(_join((part.factor for part in parts), n_features + 1), sum(part.n for part in parts))

    @property
    def features(self) -> NDArray[np.float64]:
        """Features, ndarray of shape (n_rows, n_features)."""
        return self.factor[:, :-1]

    @property
    def labels(self) -> NDArray[np.float64]:
        """Labels, ndarray of shape (n_rows,)."""
        return self.factor[:, -1]

    def root_mean_squares(self) -> NDArray[np.float64]:
        """Root mean square of each feature over the rows that these stand for.

        Returns
        -------
        ndarray of shape (n_features,)
            For `vibentropy.learning.scaling.scales`.
        """
        return np.linalg.norm(self.features, axis=0) / np.sqrt(self.n)

    def divided(self, scale: NDArray[np.float64]) -> "ReducedRows":
        """Divide each feature by its scale; labels stay.

        Parameters
        ----------
        scale : ndarray of shape (n_features,)

        Returns
        -------
        ReducedRows
        """
        return ReducedRows(self.factor / np.append(scale, 1.0), self.n)

    def weighted(self, weight: float) -> NDArray[np.float64]:
        """Rows whose squared errors add up to `weight` times the mean of those that these stand for.

        Parameters
        ----------
        weight : float

        Returns
        -------
        ndarray of shape (n_rows, n_features + 1)
            Features beside labels; no rows for a weight of zero.
        """
        return np.sqrt(weight / self.n) * self.factor if weight and self.n else self.factor[:0]

    def squared_errors(self, weights: NDArray[np.float64]) -> NDArray[np.float64]:
        """Sum of the squared errors of all rows that these stand for.

        Parameters
        ----------
        weights : ndarray of shape (n_fits, n_features)

        Returns
        -------
        ndarray of shape (n_fits,)
        """
        return np.sum((self.features @ weights.T - self.labels[:, None]) ** 2, axis=0)


def _join(factors, n_columns):
    """Triangular factor of all rows, or the rows themselves where they are few."""
    joined = np.empty((0, n_columns))
    for factor in factors:
        joined = np.concatenate([joined, factor])
        if len(joined) > n_columns:
            joined = np.asarray(np.linalg.qr(joined, mode="r"))
    return joined
