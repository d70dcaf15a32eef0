"""Features divided by their root mean square, alone or a block at a time, and the size of a defect that follows."""

from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin
from sklearn.utils.validation import check_is_fitted, validate_data


def scales(rms: NDArray[np.float64], blocks: NDArray[np.intp] | None = None) -> NDArray[np.float64]:
    """Find what features are divided by.

    A scale for each feature makes one that training hardly fills, such as a fine bin, as large as the others, and a
    cell that does fill it is then far from all that the weights were learnt from. Features of one block have the same
    unit, and one scale leaves them as unequal as they are.

    Parameters
    ----------
    rms : ndarray of shape (n_features,)
        Root mean square of each feature over the training rows.
    blocks : ndarray of int of shape (n_features,), optional
        Number of the block of each feature, from 0, to give all of a block the root mean square over them; by default
        each feature has its own.

    Returns
    -------
    ndarray of shape (n_features,)
        1 where all is zero.
    """
    if blocks is not None:
        rms = np.sqrt(np.bincount(blocks, rms**2) / np.bincount(blocks))[blocks]
    return np.where(rms > 0, rms, 1.0)


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
        self.scale_ = scales(np.sqrt(np.mean(np.square(X), axis=0)))
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
