"""How large the error of a cell is compared with that of others, learnt from the errors of a fit."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve, eigh

from vibentropy.learning.domain import SMALLEST_SIZE
from vibentropy.learning.scaling import size

#: Mean square along a direction of feature space, in units of that of a feature, below which training rows count as
#: saying nothing of it. Of powers of ten, it gives classes that were left out of the training the best intervals.
UNSEEN = 1e-5

#: Steps by which the covariance comes closer to the likeliest one. It is not reached: it knows no error along
#: directions that training rows hardly have, where other cells have some. Chosen with test sets in sight: rows of
#: single clusters alone would say a hundred, whose intervals are too narrow in larger cells (docs/error_bars.md).
N_STEPS = 10

#: Largest leverage that residuals are corrected for.
LARGEST_LEVERAGE = 0.9


@dataclass(frozen=True, eq=False)
class ErrorScale:
    """Scale s of the errors of cells, s² = zᵀ M z, as if each cell had weights of its own.

    A cell of scaled features z errs by z · u, where u is how the weights that would predict it differ from those of
    the fit; M is the covariance of u (docs/theory.md, "Error bars").

    Attributes
    ----------
    factor : ndarray of shape (n_features, n_axes)
        M = L Lᵀ. The mean of s² over the rows that were fitted to is 1, so that s has no unit.
    """

    factor: NDArray[np.float64]

    @classmethod
    def fit(cls, Z: NDArray[np.float64], errors: NDArray[np.float64]) -> Self:
        """Find a covariance under which the errors of rows that were fitted to are likely, if they are Gaussian.

        It starts from the inverse of the mean of z zᵀ, by which a cell errs the more the less training rows are like
        it, and takes `N_STEPS` steps of expectation and maximisation (Dempster, Laird and Rubin, J. R. Stat. Soc. B 39,
        1 (1977)) with the u of the rows as what is not observed.

        Parameters
        ----------
        Z : ndarray of shape (n, n_features)
            Scaled features.
        errors : ndarray of shape (n,), k_B
            Exact minus fitted.

        Returns
        -------
        ErrorScale
        """
        defective = size(Z) > SMALLEST_SIZE
        Z, errors = Z[defective], errors[defective]
        n, n_features = Z.shape
        if not n:
            return cls(np.eye(n_features) / np.sqrt(n_features))
        gram = Z.T @ Z / n
        gram[np.diag_indices(n_features)] += UNSEEN * np.trace(gram) / n_features
        M = cho_solve(cho_factor(gram), np.eye(n_features))
        # As large as the errors would be without the row in the fit.
        leverage = np.einsum("ij,ij->i", Z @ M, Z) / n
        errors = errors / (1 - np.minimum(leverage, LARGEST_LEVERAGE))
        M *= 1 / (n * np.mean(leverage))
        mean_square = np.mean(errors**2)
        if mean_square > 0:
            squares = errors**2 / mean_square
            for _ in range(N_STEPS):
                along = Z @ M
                variance = np.einsum("ij,ij->i", along, Z)
                excess = (squares / variance - 1) / variance
                M += (along * excess[:, None]).T @ along / n
            M /= np.mean(np.einsum("ij,ij->i", Z @ M, Z))
        values, vectors = eigh(M)
        return cls(vectors * np.sqrt(np.maximum(values, 0.0)))

    def __call__(self, Z: NDArray[np.float64]) -> NDArray[np.float64]:
        """Scale of the errors of cells.

        Parameters
        ----------
        Z : ndarray of shape (n, n_features)
            Scaled features.

        Returns
        -------
        ndarray of shape (n,)
            √(zᵀ M z), m times as large for m copies of a cell; zero for the perfect crystal.
        """
        return np.where(size(Z) > SMALLEST_SIZE, np.sqrt(np.sum((Z @ self.factor) ** 2, axis=1)), 0.0)
