"""Intervals calibrated by the errors of rows that the fit did not see."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from vibentropy.errors import DataError
from vibentropy.learning.domain import SMALLEST_SIZE

#: Probabilities of the intervals that are reported.
LEVELS = (0.68, 0.95)


@dataclass(frozen=True, eq=False)
class Calibration:
    """Errors of held-out rows in units of a scale, and that scale.

    Attributes
    ----------
    size_weight : float, k_B²
        a of s² = a m² + b misfit².
    misfit_weight : float, dimensionless
        b.
    scores : ndarray of shape (n,)
        |error| / s of the held-out rows, in ascending order.
    """

    size_weight: float
    misfit_weight: float
    scores: NDArray[np.float64]

    @classmethod
    def fit(cls, errors: NDArray[np.float64], size: NDArray[np.float64], misfit: NDArray[np.float64]) -> Self:
        """Find the scale under which the errors of held-out rows are most likely, if they are Gaussian.

        Parameters
        ----------
        errors : ndarray of shape (n,), k_B
            Of rows that were not fitted to.
        size : ndarray of shape (n,)
            m of these rows.
        misfit : ndarray of shape (n,), k_B
            √(zᵀ C z) of these rows.

        Returns
        -------
        Calibration

        Raises
        ------
        DataError
            If no row differs from the perfect crystal.
        """
        defective = size > SMALLEST_SIZE
        if not defective.any():
            raise DataError(f"all {len(size)} held-out rows are of perfect crystals: there is no error to calibrate by")
        errors, terms = errors[defective], np.column_stack([size, misfit])[defective] ** 2
        means = np.mean(terms, axis=0)
        # A misfit of zero everywhere, that of an exact fit, has no weight to find.
        units = np.divide(1.0, means, out=np.zeros(2), where=means > 0)
        share = np.linspace(0.0, 1.0, 101) if units[1] else np.zeros(1)
        weights = np.column_stack([1 - share, share]) * units
        variance = terms @ weights.T
        with np.errstate(divide="ignore", invalid="ignore"):
            factor = np.mean(errors[:, None] ** 2 / variance, axis=0)
            cost = np.log(factor) + np.mean(np.log(variance), axis=0)
        best = np.argmin(np.where(np.isnan(cost), np.inf, cost))
        a, b = (float(w) for w in (factor[best] or 1.0) * weights[best])
        scale = np.sqrt(a * terms[:, 0] + b * terms[:, 1])
        return cls(a, b, np.sort(np.abs(errors) / scale))

    def scale(self, size: NDArray[np.float64], misfit: NDArray[np.float64]) -> NDArray[np.float64]:
        """Scale s of the errors: by it intervals grow with the size of a defect and with the misfit.

        Parameters
        ----------
        size : ndarray of shape (n,)
            m of each row.
        misfit : ndarray of shape (n,), k_B
            √(zᵀ C z) of each row.

        Returns
        -------
        ndarray of shape (n,), k_B
        """
        return np.sqrt(self.size_weight * size**2 + self.misfit_weight * misfit**2)

    def quantile(self, level: float) -> float:
        """Half width of the interval in units of the scale.

        Parameters
        ----------
        level : float
            Probability of the interval.

        Returns
        -------
        float
            The ⌈(n + 1) level⌉-th smallest of the n scores, which covers a row that is exchangeable with them at
            least that often; infinite if there are too few.
        """
        rank = int(np.ceil((len(self.scores) + 1) * level - 1e-9))
        return float(self.scores[rank - 1]) if rank <= len(self.scores) else np.inf

    def level(self, errors: NDArray[np.float64], scale: NDArray[np.float64]) -> NDArray[np.float64]:
        """Probability of the interval that ends at the exact value.

        Parameters
        ----------
        errors, scale : ndarray of shape (n,), k_B

        Returns
        -------
        ndarray of shape (n,)
            The row is inside the intervals of all larger probabilities.
        """
        score = np.divide(np.abs(errors), scale, out=np.zeros(len(errors)), where=scale > 0)
        return np.searchsorted(self.scores, score) / (len(self.scores) + 1)
