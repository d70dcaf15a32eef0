"""Intervals calibrated by the errors of rows that the fit did not see."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from vibentropy.errors import DataError

#: Probabilities of the intervals that are reported.
LEVELS = (0.68, 0.95)


@dataclass(frozen=True, eq=False)
class Calibration:
    """Errors of held-out rows in units of their scale (`vibentropy.learning.error_scale`).

    Attributes
    ----------
    scores : ndarray of shape (n,), k_B
        |error| / s of the held-out rows, in ascending order.
    """

    scores: NDArray[np.float64]

    @classmethod
    def fit(cls, errors: NDArray[np.float64], scale: NDArray[np.float64]) -> Self:
        """Measure the errors of held-out rows by their scale.

        Parameters
        ----------
        errors : ndarray of shape (n,), k_B
            Of rows that were not fitted to.
        scale : ndarray of shape (n,)
            Of these rows, zero for a perfect crystal, which is left out.

        Returns
        -------
        Calibration

        Raises
        ------
        DataError
            If no row differs from the perfect crystal.
        """
        defective = scale > 0
        if not defective.any():
            raise DataError(
                f"all {len(scale)} held-out rows are of perfect crystals: there is no error to calibrate by"
            )
        return cls(np.sort(np.abs(errors[defective]) / scale[defective]))

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
        errors : ndarray of shape (n,), k_B
        scale : ndarray of shape (n,)

        Returns
        -------
        ndarray of shape (n,)
            The row is inside the intervals of all larger probabilities.
        """
        score = np.divide(np.abs(errors), scale, out=np.zeros(len(errors)), where=scale > 0)
        return np.searchsorted(self.scores, score) / (len(self.scores) + 1)
