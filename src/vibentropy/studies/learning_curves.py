"""How errors fall with the number of labels.

A label costs a factor of a Hessian, features cost next to nothing. Two questions follow: how many labels a
model needs (`learning_curve`), and whether some configurations teach more than others, to be found out before they are
labelled (`vibentropy.learning.selection.select`).

A learning curve is a table with one row for each fit and each set that it is tested on, with the columns

================== =====================================================================================================
column             meaning
================== =====================================================================================================
descriptor,        names in the configuration of the run
regressor
selection          one of `SELECTIONS`: how the training configurations were chosen
n_configurations   that were fitted to
fold               that was held out, all of its groups: nothing was chosen from it
repeat             of the choice in this fold; only random choices are repeated
stage, by, value   what was tested on, as in `vibentropy.evaluation.metrics.metrics_table`: the fold that was held out
                   (``cross-validation``), or the test sets (``test``): all of them, named tests, each data set
n, rmse, mae, ...  errors, as from `vibentropy.evaluation.metrics.error_metrics`
================== =====================================================================================================
"""

import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.exceptions import ConvergenceWarning

from vibentropy.errors import DataError
from vibentropy.evaluation.metrics import error_metrics
from vibentropy.features.sets import FeatureSet
from vibentropy.files.progress import ignore
from vibentropy.files.tables import read_table
from vibentropy.learning.base import ExtensiveRegressor
from vibentropy.learning.bayesian import ExtensiveBayesianRidge
from vibentropy.learning.fold_fits import fit_clone
from vibentropy.learning.folds import fold_and_group
from vibentropy.learning.rows import Rows, match, with_blocks
from vibentropy.learning.selection import select

#: How training configurations are chosen, with words for figures. None looks at a label of what it chooses from.
SELECTIONS = {"random": "at random", "leverage": "by leverage", "variance": "by predictive variance"}


def learning_curve(
    regressor: ExtensiveRegressor,
    table: pd.DataFrame,
    features: Mapping[str, FeatureSet],
    folds: pd.DataFrame,
    *,
    sizes: Sequence[int],
    repeats: int,
    selections: Sequence[str] = tuple(SELECTIONS),
    tests: Mapping[str, Sequence[str]] | None = None,
    seed: int = 0,
    exclude_duplicates: bool = True,
    names: dict[str, str],
    note: Callable[[str], object] = ignore,
) -> pd.DataFrame:
    """Compute errors against the number of training configurations.

    Each fold is held out in turn. The configurations of the other folds are put into an order, and the regressor is
    fitted to more and more of them from its beginning, so that a larger sample contains the smaller ones. What a
    regressor chooses by itself, such as a penalty, it chooses within the sample, whose groups it is given.

    Random orders are the same for all models. The order of leverages needs no labels. Variances need some: theirs
    begins as that of leverages does; from the smallest size on, a Bayesian ridge fitted to each sample, whatever
    `regressor` is, chooses what is added up to the next size.

    Parameters
    ----------
    regressor : estimator
        With the protocol of `vibentropy.learning.base`; cloned.
    table : pandas.DataFrame
        Of configurations of all data sets, with their role.
    features : dict of FeatureSet
        By data set.
    folds : pandas.DataFrame
        As from `vibentropy.learning.folds.folds_table`, with the split ``groups``.
    sizes : sequence of int
        Numbers of training configurations. Those that are more than every fold leaves to choose from are passed over,
        and the largest number that every fold does leave is added.
    repeats : int
        Random orders for each fold. With the largest number there is nothing to choose, and one is enough.
    selections : sequence of str
        Any of `SELECTIONS`.
    tests : dict of list of str, optional
        Names of data sets by name of the test, as ``evaluation.tests`` of a configuration.
    seed : int
        Of the random orders.
    exclude_duplicates : bool
        Leave out minima that repeat another one.
    names : dict
        ``descriptor`` and ``regressor``, as in the configuration of the run.
    note : callable
        Called with a few words for each order that is done.

    Returns
    -------
    pandas.DataFrame
        With the columns that the module lists.

    Raises
    ------
    DataError
        If no folds keep groups together, no training configuration has both a label and features, or one of them is in
        no fold.
    """
    folds = folds[folds["split"] == "groups"]
    if folds.empty:
        raise DataError("learning curves hold out whole groups: 'groups' must be one of the splits of the folds")
    train, test = match(table, features, exclude_duplicates)
    regressor = with_blocks(regressor, features)
    fold, groups = fold_and_group(folds, train.table["id"])
    trial = _Trial(regressor, train, groups, test, _parts(test.table, tests or {}))
    numbers = np.unique(fold).tolist()
    largest = min(int(np.sum(fold != number)) for number in numbers)
    sizes = [*sorted(n for n in set(sizes) if n < largest), largest]
    orders = [(name, repeat) for name in selections for repeat in range(repeats if name == "random" else 1)]
    rows = []
    with warnings.catch_warnings():
        # Few configurations leave the evidence of a Bayesian ridge flat, fit after fit.
        warnings.simplefilter("once", ConvergenceWarning)
        for number, (selection, repeat) in product(numbers, orders):
            pool = np.flatnonzero(fold != number)
            order = pool[_order(selection, train.X[pool], train.y[pool], sizes, (seed, number, repeat))]
            for n in sizes[: -1 if repeat else None]:
                of = {"selection": selection, "n_configurations": n, "fold": number, "repeat": repeat}
                rows += [names | of | errors for errors in trial.errors(order[:n], fold == number)]
            note(f"fold {number} held out, chosen {SELECTIONS[selection]} ({repeat})")
    return pd.DataFrame(rows)


@dataclass(frozen=True, eq=False)
class _Trial:
    """A regressor, what it can be fitted to, and what it is tested on.

    Attributes
    ----------
    regressor : ExtensiveRegressor
        Cloned for each fit.
    train : Rows
        Of which some are fitted to, and others held out.
    groups : ndarray of shape (n_train,)
    test : Rows
    test_parts : dict of ndarray of bool
        As from `_parts`.
    """

    regressor: ExtensiveRegressor
    train: Rows
    groups: NDArray[Any]
    test: Rows
    test_parts: dict[tuple[str, str], NDArray[np.bool_]]

    def errors(self, chosen: NDArray[np.intp], held_out: NDArray[np.bool_]) -> Iterator[dict[str, Any]]:
        """Yield the errors of one fit on everything that it is tested on."""
        X, y, sites = self.train.X, self.train.y, self.train.sites
        # Where all are of one group a penalty can only be chosen with each by itself.
        groups = self.groups[chosen] if len(np.unique(self.groups[chosen])) > 1 else chosen
        fitted = fit_clone(self.regressor, X[chosen], y[chosen], groups, [sites[k] for k in chosen])
        stage = {"stage": "cross-validation", "by": "overall", "value": "all"}
        yield stage | error_metrics(y[held_out], fitted.predict(X[held_out]))
        for (by, value), rows in self.test_parts.items():
            of_test = {"stage": "test", "by": by, "value": value}
            yield of_test | error_metrics(self.test.y[rows], fitted.predict(self.test.X[rows]))


def _parts(test, tests):
    """Rows of the test sets that errors are given for, by what they are resolved by and the value of that."""
    if test.empty:
        return {}
    dataset = test["dataset"]
    parts = {("overall", "all"): np.ones(len(test), dtype=bool)}
    parts |= {("test", name): dataset.isin(datasets).to_numpy() for name, datasets in tests.items()}
    parts |= {("dataset", name): (dataset == name).to_numpy() for name in dataset.unique()}
    return {key: rows for key, rows in parts.items() if rows.any()}


def _order(selection, X, y, sizes, seeds):
    """Rows of a pool in the order in which they are chosen, as many as the largest size."""
    match selection:
        case "random":
            return np.random.default_rng(seeds).permutation(len(X))[: sizes[-1]]
        case "leverage":
            return select(X, sizes[-1])
        case "variance":
            order = select(X, sizes[0])
            for n in sizes[1:]:
                model = ExtensiveBayesianRidge().fit(X[order], y[order])
                rest = np.setdiff1d(np.arange(len(X)), order)
                order = np.append(order, rest[select(X[rest], n - len(order), criterion="variance", model=model)])
            return order
    raise DataError(f"selection {selection!r} is none of {', '.join(SELECTIONS)}")


def load_curves(*paths: str | Path) -> pd.DataFrame:
    """Read learning curves of several models that `vibentropy.files.tables.save_table` wrote as CSV.

    Parameters
    ----------
    *paths : path-like

    Returns
    -------
    pandas.DataFrame
        One after the other; names are text, whatever they look like.

    Raises
    ------
    DataError
        As `vibentropy.files.tables.read_table`.
    """
    types: dict[str, type] = dict.fromkeys(["descriptor", "regressor", "selection", "stage", "by", "value"], str)
    types |= dict.fromkeys(["n_configurations", "fold", "repeat", "n"], int)
    return read_table(*paths, columns=types, others=float, kind="a learning curve")


def medians(curves: pd.DataFrame) -> pd.DataFrame:
    """Take medians of learning curves: of the mean absolute error on the held-out groups.

    Parameters
    ----------
    curves : pandas.DataFrame
        Of one or several models.

    Returns
    -------
    pandas.DataFrame
        In k_B; a row for each model and selection, a column for each number of configurations.
    """
    held_out = curves[curves["stage"] == "cross-validation"]
    keys = ["descriptor", "regressor", "selection"]
    return held_out.pivot_table(index=keys, columns="n_configurations", values="mae", aggfunc="median", sort=False)
