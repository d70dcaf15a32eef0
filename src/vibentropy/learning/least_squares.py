"""Ordinary least squares without intercept."""

from typing import ClassVar

import numpy as np
from scipy.linalg import lstsq

from vibentropy.descriptors.parameters import Number, Parameter
from vibentropy.learning.base import ExtensiveRegressor
from vibentropy.learning.reduced_rows import ReducedRows


class ExtensiveLeastSquares(ExtensiveRegressor):
    """Ordinary least squares without intercept.

    Minimises ``|y - Z v|²`` over the weights v of the scaled features Z by singular value decomposition; of all
    minima, the one of the smallest ``|v|``. Directions of Z that are numerically zero are left out, so that neither
    rounding nor more features than rows makes the weights diverge.

    Parameters
    ----------
    rcond : float
        Singular values below this fraction of the largest one count as zero. Features are sums of which the perfect
        crystal was subtracted; they are exact to 1e-10 of these sums (`Descriptor.tolerance`), and so is the default.

    Attributes
    ----------
    coef_ : ndarray of shape (n_features,), k_B per unit of the feature
    scale_ : ndarray of shape (n_features,)
    rank_ : int
        Number of directions that were kept.
    singular_values_ : ndarray of shape (min(n, n_features),)
        Of the scaled features, divided by √n: dimensionless, descending.
    """

    parameters: ClassVar[dict[str, Parameter]] = {
        "rcond": Number(
            "singular values below this fraction of the largest one count as zero, dimensionless", minimum=0, below=1
        ),
    }

    def __init__(self, rcond: float = 1e-10) -> None:
        self.rcond = rcond

    def _fit_scaled(self, Z, y, groups):
        rows = ReducedRows.of(Z, y)
        weights, _, self.rank_, singular_values = lstsq(rows.features, rows.labels, cond=self.rcond)
        self.singular_values_ = singular_values / np.sqrt(len(y))
        return weights
