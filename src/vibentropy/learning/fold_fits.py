"""Fits that leave folds out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import compress
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import clone
from sklearn.utils.validation import has_fit_parameter

from vibentropy.errors import DataError
from vibentropy.learning.base import ExtensiveRegressor
from vibentropy.learning.folds import torn_rows


def fit_clone(
    regressor: ExtensiveRegressor,
    X: NDArray[np.float64],
    y: NDArray[np.float64],
    groups: NDArray[Any],
    sites: Sequence[NDArray[np.float64] | None] | None = None,
) -> ExtensiveRegressor:
    """Fit a clone of a regressor, also to labels of atoms where it takes them.

    Parameters
    ----------
    regressor : estimator
        With the protocol of `vibentropy.learning.base`.
    X : ndarray of shape (n, n_features)
        Extensive features.
    y : ndarray of shape (n,), k_B
    groups : ndarray of shape (n,)
    sites : sequence of (ndarray or None) of length n, optional
        Factor of the atoms of each row (`vibentropy.features.atom_labels.site_factor`), None for those with no labels
        of atoms.

    Returns
    -------
    estimator
    """
    resolved = {"sites": sites} if has_fit_parameter(regressor, "sites") else {}
    return clone(regressor).fit(X, y, groups=groups, **resolved)


def check_groups(groups: NDArray[Any], folds: NDArray[np.integer]) -> None:
    """Refuse folds that tear groups apart.

    Parameters
    ----------
    groups : ndarray of shape (n,)
    folds : ndarray of int of shape (n,)

    Raises
    ------
    DataError
        Naming a group that lies in two folds.
    """
    torn = torn_rows(groups, folds)
    if torn.any():
        raise DataError(f"group {groups[torn][0]} lies in more than one fold: its held-out errors would be too small")


def fold_fits(
    regressor: ExtensiveRegressor,
    X: NDArray[np.float64],
    y: NDArray[np.float64],
    groups: NDArray[Any],
    folds: NDArray[np.integer],
    sites: Sequence[NDArray[np.float64] | None] | None = None,
    whole: ExtensiveRegressor | None = None,
) -> FoldFits:
    """Prepare fits of a regressor that leave folds out.

    Parameters
    ----------
    regressor, X, y, groups, folds, sites
        As for `vibentropy.evaluation.fitting.cross_predict`.
    whole : estimator, optional
        As for `FoldFits`.

    Returns
    -------
    FoldFits
    """

    def fit(rows):
        seen = None if sites is None else list(compress(sites, rows))
        return fit_clone(regressor, X[rows], y[rows], groups[rows], seen)

    return FoldFits(fit, folds, whole)


class FoldFits:
    """Fits of a regressor to all rows except those of some folds; each fit is made once and kept.

    Parameters
    ----------
    fit : callable
        From a mask of rows to a fitted estimator.
    folds : ndarray of int of shape (n,)
    whole : estimator, optional
        The fit to all rows, where there is one already.
    """

    def __init__(
        self,
        fit: Callable[[NDArray[np.bool]], ExtensiveRegressor],
        folds: ArrayLike,
        whole: ExtensiveRegressor | None = None,
    ) -> None:
        self.fit = fit
        self.folds = np.asarray(folds)
        self._fitted: dict[frozenset[int], ExtensiveRegressor] = {} if whole is None else {frozenset(): whole}

    def without(self, *numbers: int) -> ExtensiveRegressor:
        """Fit to the rows outside some folds.

        Parameters
        ----------
        *numbers : int
            Of the folds.

        Returns
        -------
        estimator
        """
        key = frozenset(numbers)
        if key not in self._fitted:
            self._fitted[key] = self.fit(~np.isin(self.folds, list(key)))
        return self._fitted[key]
