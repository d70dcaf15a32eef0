"""Fits and what they predict: held out, as fitted, and of test sets."""

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from vibentropy.evaluation.predictions import predictions_table
from vibentropy.features.sets import FeatureSet, LocalValues
from vibentropy.files.tables import read_table
from vibentropy.learning.base import ExtensiveRegressor
from vibentropy.learning.domain import verdict
from vibentropy.learning.fold_fits import check_groups, fit_clone, fold_fits
from vibentropy.learning.folds import fold_and_group
from vibentropy.learning.rows import match, with_blocks
from vibentropy.learning.uncertainty import Uncertainty, quantify


def cross_predict(
    regressor: ExtensiveRegressor,
    X: NDArray[np.float64],
    y: NDArray[np.float64],
    groups: ArrayLike,
    folds: ArrayLike,
    keep_groups: bool = True,
    sites: Sequence[NDArray[np.float64] | None] | None = None,
) -> pd.DataFrame:
    """Predict every row by a fit to the other folds.

    What the regressor chooses itself, such as a penalty, it chooses within the rows that it is fitted to, with the
    help of their groups.

    Parameters
    ----------
    regressor : estimator
        With the protocol of `vibentropy.learning.base`; cloned for every fold.
    X : ndarray of shape (n, n_features)
        Extensive features.
    y : ndarray of shape (n,), k_B
    groups : ndarray of shape (n,)
        Label of each row, as in the table of folds.
    folds : ndarray of int of shape (n,)
        As from `vibentropy.learning.folds.grouped_folds`.
    keep_groups : bool
        Refuse folds that tear groups apart; False for splits that do so on purpose.
    sites : sequence of (ndarray or None) of length n, optional
        As for `fit_clone`; labels of the atoms of held-out rows are held out as well.

    Returns
    -------
    pandas.DataFrame
        Columns prediction and std (k_B) and fold, in the order of the rows.

    Raises
    ------
    DataError
        If a group lies in two folds and must not.
    """
    X, y, groups, folds = (np.asarray(array) for array in (X, y, groups, folds))
    if keep_groups:
        check_groups(groups, folds)
    return _held_out(fold_fits(regressor, X, y, groups, folds, sites), X)


def judge(
    fitted: ExtensiveRegressor,
    X: NDArray[np.float64],
    uncertainty: Uncertainty | None = None,
    truth: NDArray[np.float64] | None = None,
    local: LocalValues | None = None,
    names: Sequence[str] | None = None,
) -> pd.DataFrame:
    """Predict entropies by a fit, with intervals and domain where there are some.

    Parameters
    ----------
    fitted : estimator
    X : ndarray of shape (n, n_features)
        Extensive features.
    uncertainty : Uncertainty, optional
        Of this fit.
    truth : ndarray of shape (n,), k_B, optional
    local : LocalValues, optional
    names : sequence of str, optional
        What to call each feature of an atom, see `vibentropy.learning.domain.Domain.reasons`.

    Returns
    -------
    pandas.DataFrame
        Columns prediction and std (k_B); with `uncertainty` its intervals (k_B) and domain, with `truth` also their
        levels.
    """
    mean, std = fitted.predict(X, return_std=True)
    judged = pd.DataFrame({"prediction": mean, "std": std})
    if uncertainty is None:
        return judged
    Z = X / fitted.scale_
    limits, crystals = (None, None) if local is None else (local.limits, local.crystals)
    judged = judged.assign(**{end: mean + offset for end, offset in uncertainty.intervals(Z, crystals).items()})
    if truth is not None:
        judged = judged.assign(**uncertainty.levels(Z, truth - mean, crystals))
    return judged.assign(domain=[verdict(reason) for reason in uncertainty.domain.reasons(Z, limits, crystals, names)])


def _held_out(fits, X, uncertainty=None, **details):
    """Predictions of every row by the fit without its fold.

    Parameters
    ----------
    fits : FoldFits
    X : ndarray of shape (n, n_features)
    uncertainty : callable, optional
        From folds, a tuple of int, to the `Uncertainty` of the fit without them.
    **details
        ``truth``, ``local`` of all rows and ``names``, as for `judge`.
    """
    parts = []
    for number in np.unique(fits.folds):
        rows = np.flatnonzero(fits.folds == number)
        of_rows = {key: details[key][rows] for key in ("truth", "local") if details.get(key) is not None}
        judged = judge(
            fits.without(number),
            X[rows],
            None if uncertainty is None else uncertainty((number,)),
            **of_rows,
            names=details.get("names"),
        )
        parts.append(judged.assign(fold=number).set_index(rows))
    return pd.concat(parts).sort_index()


def fit_and_predict(
    regressor: ExtensiveRegressor,
    table: pd.DataFrame,
    features: Mapping[str, FeatureSet],
    folds: pd.DataFrame,
    *,
    exclude_duplicates: bool = True,
    names: Mapping[str, str],
) -> tuple[ExtensiveRegressor, pd.DataFrame, Uncertainty | None]:
    """Fit to the training sets and predict: their cells, held out (once for each split) and as fitted, and test cells.

    Configurations without label or without features take no part.

    Parameters
    ----------
    regressor : estimator
        With the protocol of `vibentropy.learning.base`; cloned.
    table : pandas.DataFrame
        Of configurations of all data sets, with their role.
    features : dict of FeatureSet
        By data set.
    folds : pandas.DataFrame
        As from `vibentropy.learning.folds.folds_table`, for the training sets.
    exclude_duplicates : bool
        Leave out minima that repeat another one.
    names : dict
        ``descriptor`` and ``regressor``, as in the configuration of the run.

    Returns
    -------
    fitted : estimator
    predictions : pandas.DataFrame
        Of all stages.
    uncertainty : Uncertainty or None
        Of `fitted`; None unless one of the splits is ``groups``.

    Raises
    ------
    DataError
        If nothing is left to fit to, a training configuration is in no fold, or as `cross_predict`.
    """
    train, test = match(table, features, exclude_duplicates)
    regressor = with_blocks(regressor, features)
    X, y, sites = train.X, train.y, train.sites
    details: dict[str, Any] = {"names": [f"feature {name}" for name in next(iter(features.values())).feature_names]}
    _, groups = fold_and_group(folds.drop_duplicates("id"), train.table["id"])
    fitted, uncertainty = fit_clone(regressor, X, y, groups, sites), None

    parts = []
    for split, of_split in folds.groupby("split", sort=False):
        fold, _ = fold_and_group(of_split, train.table["id"])
        if split == "groups":
            check_groups(groups, fold)
            fits = fold_fits(regressor, X, y, groups, fold, sites, whole=fitted)
            of_fit = partial(quantify, fits, X, y, groups, train.local)
            held_out, uncertainty = _held_out(fits, X, of_fit, truth=y, local=train.local, **details), of_fit()
        else:
            held_out = cross_predict(regressor, X, y, groups, fold, keep_groups=False, sites=sites)
        parts.append(predictions_table(train.table, held_out, stage="cross-validation", split=str(split), **names))
    parts.append(predictions_table(train.table, judge(fitted, X), stage="training", **names))
    if len(test.table):
        judged = judge(fitted, test.X, uncertainty, truth=test.y, local=test.local, **details)
        parts.append(predictions_table(test.table, judged, stage="test", **names))
    return fitted, pd.concat(parts, ignore_index=True), uncertainty


def fit_table(fitted: ExtensiveRegressor, *, descriptor: str, regressor: str) -> pd.DataFrame:
    """Tabulate what a fit chose: its penalty, and how many features it uses.

    Parameters
    ----------
    fitted : estimator
        With the protocol of `vibentropy.learning.base`.
    descriptor, regressor : str
        As in the configuration of the run.

    Returns
    -------
    pandas.DataFrame
        One row: descriptor, regressor, ``n_features``, ``n_selected`` (those of non-zero weight) and ``penalty``
        (dimensionless, as the regressor defines it; NaN where there is none).
    """
    row = {
        "descriptor": descriptor,
        "regressor": regressor,
        "n_features": len(fitted.coef_),
        "n_selected": fitted.n_selected_,
        "penalty": getattr(fitted, "penalty_", np.nan),
    }
    return pd.DataFrame([row])


def load_fits(*paths: Path | str) -> pd.DataFrame:
    """Read the tables of what fits chose.

    Parameters
    ----------
    *paths : path-like
        CSV of what `fit_table` gave, one file for each model.

    Returns
    -------
    pandas.DataFrame
        One row per model, in the order of the files.

    Raises
    ------
    DataError
        As `vibentropy.files.tables.read_table`.
    """
    types = {"descriptor": str, "regressor": str, "n_features": int, "n_selected": int, "penalty": float}
    return read_table(*paths, columns=types, kind="a table of a fit")
