"""Pointwise optimal fits (POPS; Swinburne and Perez, arXiv 2402.01810)."""

from dataclasses import dataclass
from functools import cache
from typing import Self

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import eigh
from scipy.stats import qmc

#: Share of the rows, those of smallest leverage, whose pointwise fits are left out: next to nothing pins them down.
#: On the shipped data the half gives the likelier errors (0.04 per row in the logarithm) than all.
SMALL_LEVERAGE = 0.5

#: Points of the box that stand for the evenly filled one, a power of two.
N_POINTS = 1024


def pointwise_corrections(
    Z: NDArray[np.float64], errors: NDArray[np.float64], factor: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Change of the weights that makes each row exact at the smallest cost in loss.

    Parameters
    ----------
    Z : ndarray of shape (n, n_features)
        Scaled features that were fitted to.
    errors : ndarray of shape (n,), k_B
        Exact minus fitted.
    factor : ndarray of shape (n_features, n_features)
        As from `whitening`.

    Returns
    -------
    corrections : ndarray of shape (n, n_features), k_B
        δ_i = e_i G⁻¹ z_i / h_i, so that z_i · δ_i = e_i; zero where there is no leverage.
    leverage : ndarray of shape (n,)
        h_i = z_iᵀ G⁻¹ z_i.
    """
    white = Z @ factor
    leverage = np.sum(white**2, axis=1)
    step = np.divide(errors, leverage, out=np.zeros(len(Z)), where=leverage > 0)
    return (white * step[:, None]) @ factor.T, leverage


@dataclass(frozen=True, eq=False)
class PointwiseFits:
    """Box around the corrections that pointwise optimal fits make to the weights.

    Attributes
    ----------
    axes : ndarray of shape (n_features, n_axes)
        Principal axes of the corrections, orthonormal; those that hold less than 1e-8 of the largest are left out.
    low, high : ndarray of shape (n_axes,), k_B
        Smallest and largest of the corrections along each: the box.
    """

    axes: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]

    @classmethod
    def fit(cls, Z: NDArray[np.float64], errors: NDArray[np.float64], factor: NDArray[np.float64]) -> Self:
        """Find the box around the corrections of the pointwise optimal fits.

        Parameters
        ----------
        Z, errors, factor
            As for `pointwise_corrections`.

        Returns
        -------
        PointwiseFits
        """
        corrections, leverage = pointwise_corrections(Z, errors, factor)
        corrections = corrections[leverage >= np.quantile(leverage, SMALL_LEVERAGE)]
        squares, axes = eigh(corrections.T @ corrections / len(corrections))
        kept = squares > 1e-8 * squares[-1]
        along = corrections @ axes[:, kept]
        return cls(axes[:, kept], along.min(axis=0), along.max(axis=0))

    def bounds(self, Z: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Smallest and largest change of predictions by weights in the box.

        Parameters
        ----------
        Z : ndarray of shape (n, n_features)

        Returns
        -------
        low, high : ndarray of shape (n,), k_B
            Relative to the prediction.
        """
        along = Z @ self.axes
        ends = along * self.low, along * self.high
        return np.minimum(*ends).sum(axis=1), np.maximum(*ends).sum(axis=1)

    def sample(self, Z: NDArray[np.float64]) -> NDArray[np.float64]:
        """Change predictions by weights that fill the box evenly.

        Parameters
        ----------
        Z : ndarray of shape (n, n_features)

        Returns
        -------
        ndarray of shape (n, N_POINTS), k_B
            Sorted, relative to the prediction; the same in every run.
        """
        if not len(self.low):
            return np.zeros((len(Z), N_POINTS))
        points = self.low + _points(len(self.low)) * (self.high - self.low)
        return np.sort(Z @ self.axes @ points.T, axis=1)


@cache
def _points(n):
    """Points that fill a unit box of n dimensions: scrambling them costs as much as describing a small cell."""
    return qmc.Sobol(n, seed=0).random(N_POINTS)
