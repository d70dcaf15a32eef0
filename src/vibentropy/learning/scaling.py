"""Features divided by their root mean square, and the size of a defect that follows from them."""

from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin
from sklearn.utils.validation import check_is_fitted, validate_data


class RootMeanSquareScaler(OneToOneFeatureMixin, TransformerMixin, BaseEstimator):
    """Divide each feature by its root mean square over the training rows; never centre.

    Attributes
    ----------
    scale_ : ndarray of shape (n_features,)
        In the units of the features; 1 for a feature that is zero in every training row.
    """

    def fit(self, X: ArrayLike, y: object = None) -> Self:
        """Measure the scales of features.

        Parameters
        ----------
        X : array-like of shape (n, n_features)
        y : ignored

        Returns
        -------
        RootMeanSquareScaler
        """
        X = validate_data(self, X, dtype=np.float64)
        rms = np.sqrt(np.mean(np.square(X), axis=0))
        self.scale_ = np.where(rms > 0, rms, 1.0)
        return self

    def transform(self, X: ArrayLike) -> NDArray[np.float64]:
        """Divide features by their scales.

        Parameters
        ----------
        X : array-like of shape (n, n_features)

        Returns
        -------
        ndarray of shape (n, n_features), dimensionless
            Zero where `X` is zero.
        """
        check_is_fitted(self)
        return validate_data(self, X, dtype=np.float64, reset=False) / self.scale_


def size(Z: NDArray[np.float64]) -> NDArray[np.float64]:
    """Extensive measure m of the defects of a cell: the root mean square of its scaled features.

    Parameters
    ----------
    Z : ndarray of shape (n, n_features)

    Returns
    -------
    ndarray of shape (n,), dimensionless
        Zero for the perfect crystal, m times as large for a cell repeated m times; one, root mean square, over the
        training cells.
    """
    return np.sqrt(np.mean(np.square(Z), axis=1))
