"""Linear regressions without intercept: the only ones whose predictions grow in proportion to the crystal.

A cell that holds the same defect m times has m times the features and m times the entropy, so the prediction is
``w · X``, the features may be scaled but never centred, and there is no constant (docs/theory.md, "Extensive
features"). Every regressor of this room follows the contract of scikit-learn and this protocol:

``fit(X, y, groups=None)``
    Rows of one group (one trajectory) stay together wherever rows are split.
``predict(X, return_std=False)``
    Entropies in k_B; the standard deviation is NaN for a regressor that has none.
``coef_``, ``scale_``
    Weights in k_B per feature as the descriptor gives it; what features are divided by, as a rule the root mean square
    of each over the training rows.
``n_selected_``
    Number of features that the predictions depend on.
"""

from abc import ABC, abstractmethod
from typing import ClassVar, Literal, Self, overload

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.model_selection import GroupKFold
from sklearn.utils.validation import check_is_fitted, validate_data

from vibentropy.descriptors.parameters import Parameter, check
from vibentropy.errors import DataError
from vibentropy.learning.scaling import RootMeanSquareScaler, size


def predict_linear(
    X: NDArray[np.float64],
    coef: NDArray[np.float64],
    scale: NDArray[np.float64],
    noise_variance: float | None = None,
    covariance: NDArray[np.float64] | None = None,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Entropies and their standard deviations from the arrays that make up a fitted model.

    Parameters
    ----------
    X : ndarray of shape (n, n_features)
        Extensive features.
    coef : ndarray of shape (n_features,), k_B per unit of the feature
    scale : ndarray of shape (n_features,)
        Root mean square of each training feature.
    noise_variance : float, k_B²
        Variance of the noise of a cell whose scaled features have the root mean square 1.
    covariance : ndarray of shape (n_features, n_features), k_B²
        Of the weights of the scaled features.

    Returns
    -------
    mean : ndarray of shape (n,), k_B
    std : ndarray of shape (n,), k_B
        As in `ExtensiveBayesianRidge`; NaN without a covariance.
    """
    mean = X @ coef
    if covariance is None or noise_variance is None:
        return mean, np.full(len(X), np.nan)
    scaled = X / scale
    weights_part = np.einsum("ij,ij->i", scaled @ covariance, scaled)
    return mean, np.sqrt(noise_variance * size(scaled) + np.maximum(weights_part, 0.0))


class ExtensiveRegressor(RegressorMixin, BaseEstimator, ABC):
    """What the regressors share: they differ in how the weights of the scaled features are found.

    Attributes
    ----------
    parameters : dict of str to Parameter
        What each argument of the constructor may be; see `vibentropy.descriptors.parameters`. The schema of
        configurations is made from it.
    """

    parameters: ClassVar[dict[str, Parameter]] = {}

    def check_parameters(self) -> None:
        """Check the parameters of the regressor against `parameters`.

        Raises
        ------
        TypeError, ValueError
            Naming the parameter, the value found and what was expected.
        """
        check(type(self).parameters, self.get_params(deep=False))

    def fit(self, X: ArrayLike, y: ArrayLike, groups: ArrayLike | None = None) -> Self:
        """Fit the weights of the features to formation entropies.

        Parameters
        ----------
        X : array-like of shape (n, n_features)
            Extensive features, one row per cell.
        y : array-like of shape (n,), k_B
            Formation entropies.
        groups : array-like of shape (n,), optional
            Label of the trajectory of each row. Without it every row is a group of its own.

        Returns
        -------
        self

        Raises
        ------
        TypeError, ValueError
            If `X` or `y` are not finite numbers of matching shapes, or a parameter is out of range.
        DataError
            If all features are zero, or the regressor cross-validates and all rows belong to one group.
        """
        return self._fit(X, y, groups)

    def _fit(self, X, y, groups, **further):
        """Check, scale and fit; what else a regressor learns from goes on to its `_fit_scaled`."""
        self.check_parameters()
        X, y = validate_data(self, X, y, dtype=np.float64, y_numeric=True, ensure_min_samples=2)
        if not X.any():
            raise DataError("all features of all training cells are zero: is the cutoff of the descriptor too short?")
        self.scale_ = RootMeanSquareScaler().fit(X).scale_
        weights = self._fit_scaled(X / self.scale_, y, groups, **further)
        self.coef_ = weights / self.scale_
        return self

    @overload
    def predict(self, X: ArrayLike, return_std: Literal[False] = False) -> NDArray[np.float64]: ...

    @overload
    def predict(self, X: ArrayLike, return_std: Literal[True]) -> tuple[NDArray[np.float64], NDArray[np.float64]]: ...

    def predict(
        self, X: ArrayLike, return_std: bool = False
    ) -> NDArray[np.float64] | tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Predict formation entropies.

        Parameters
        ----------
        X : array-like of shape (n, n_features)
        return_std : bool

        Returns
        -------
        mean : ndarray of shape (n,), k_B
        std : ndarray of shape (n,), k_B
            Only with `return_std`; NaN for a regressor that has none.
        """
        check_is_fitted(self)
        mean, std = predict_linear(
            validate_data(self, X, dtype=np.float64, reset=False),
            self.coef_,
            self.scale_,
            getattr(self, "noise_variance_", None),
            getattr(self, "covariance_", None),
        )
        return (mean, std) if return_std else mean

    @property
    def n_selected_(self) -> int:
        """Number of features whose weight is not zero."""
        check_is_fitted(self)
        return int(np.count_nonzero(self.coef_))

    @abstractmethod
    def _fit_scaled(self, Z, y, groups):
        """Weights in k_B of the features divided by `scale_`: `Z`, unless the regressor changes the scale."""


def group_splits(n: int, groups: ArrayLike | None, n_folds: int) -> list[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Divide training rows into folds that keep groups together, for the choice of a penalty.

    Parameters
    ----------
    n : int
        Number of rows.
    groups : array-like of shape (n,) or None
        Without groups each row is one of its own.
    n_folds : int
        The number of groups if there are fewer.

    Returns
    -------
    list of pairs of ndarray of int
        Training and test rows.

    Raises
    ------
    DataError
        If all rows belong to one group.
    """
    groups = np.arange(n) if groups is None else np.asarray(groups)
    n_groups = len(np.unique(groups))
    if n_groups < 2:
        raise DataError(f"all {n} training rows belong to one group: cross-validation needs two")
    return list(GroupKFold(min(n_folds, n_groups)).split(np.empty((n, 0)), groups=groups))
