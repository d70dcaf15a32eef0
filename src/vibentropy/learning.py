"""How errors fall with the number of labels, and which configurations to label next.

A label costs the Cholesky factor of a Hessian, features cost next to nothing. Two questions follow: how many labels a
model needs (`learning_curve`), and whether some configurations teach more than others, to be found out before they are
labelled (`select`).

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
stage, by, value   what was tested on, as in `vibentropy.evaluation.metrics_table`: the fold that was held out
                   (``cross-validation``), or the test sets (``test``): all of them, named tests, each data set
n, rmse, mae, ...  errors, as from `vibentropy.evaluation.error_metrics`
================== =====================================================================================================
"""

import warnings
from itertools import product

import numpy as np
import pandas as pd
from sklearn.exceptions import ConvergenceWarning

from vibentropy.errors import DataError
from vibentropy.evaluation import error_metrics, fit_clone, match
from vibentropy.regression import ExtensiveBayesianRidge, RootMeanSquareScaler, size
from vibentropy.splits import fold_and_group

#: How training configurations are chosen, with words for figures. None looks at a label of what it chooses from.
SELECTIONS = {"random": "at random", "leverage": "by leverage", "variance": "by predictive variance"}

#: Prior precision λ of the weights for leverages; a cell adds 1 to that of each, on average. It keeps the first choices
#: finite; with ten times more or less, errors change by less than they scatter.
PENALTY = 1e-2

#: Scores that differ by less, relative to the largest, are a tie: rounding must not choose.
_TIE = 1e-9


def select(pool, n, known=None, criterion="leverage", model=None):
    """Choose the configurations to label next, without their labels.

    One after the other is chosen, each as if the ones before were already labelled: what two similar configurations
    have in common counts once. With z the scaled features of a configuration, m their root mean square, and Σ the
    covariance of the weights given everything chosen so far, up to the variance of the noise,

    ``leverage``
        takes the largest zᵀ Σ z / m, Σ = (λ + Σ_chosen z zᵀ / m)⁻¹. This maximises ln det Σ⁻¹, the information on the
        weights, greedily (D-optimal design). No labels at all are needed.
    ``variance``
        takes the largest predictive variance σ² m + zᵀ Σ z of a Bayesian ridge that was fitted to what is labelled,
        whose λ, σ² and Σ come from labels. It takes what the model expects to be worst at: large and unusual defects.

    Both believe, as `vibentropy.regression.ExtensiveBayesianRidge` does, that the variance of the noise grows with the
    defect. Extensive features make it necessary to say so: with a constant noise, a cell with twice as many copies of a
    defect has four times the leverage, and nothing but the largest cells would ever be chosen. With a growing one it
    has twice the leverage, as two cells have together. The cost of a label grows faster, with the third power of the
    number of sites, and is not considered: offer cells of similar size.

    What is gained depends on how much there is to learn. On the shipped minima, with about as many labels as features,
    choices by leverage do as well as twice as many random ones (A_{3,10}, power spectrum); with several times as many
    they are no better. Two moments of the Hessian have learnt all they can from twenty random labels: what is left is
    the error of the features, and the extremes that are chosen stand for the others less well.

    Parameters
    ----------
    pool : array-like of shape (n_pool, n_features)
        Extensive features of the candidates, as the descriptor gives them.
    n : int
        How many to choose.
    known : array-like of shape (n_known, n_features), optional
        For leverage: features of what is labelled already.
    criterion : str
        ``leverage`` or ``variance``.
    model : fitted regressor or EntropyModel, optional
        For variance: with a covariance of the weights. It knows what it was fitted to.

    Returns
    -------
    ndarray of int of shape (n,)
        Rows of `pool`, most wanted first; the first choices do not depend on `n`. Ties go to the row that comes first.
        Configurations without features, perfect crystals, come last.

    Raises
    ------
    DataError
        If the pool is too small, features are not finite or do not fit together, the criterion is unknown, or the
        model is missing or has no covariance.
    """
    pool = _features(pool, "the pool")
    if not 0 <= n <= len(pool):
        raise DataError(f"{n} configurations are to be chosen from a pool of {len(pool)}")
    if criterion == "leverage":
        if model is not None:
            raise DataError("leverages come from features alone: a model is for the criterion 'variance'")
        known = np.empty((0, pool.shape[1])) if known is None else _features(known, "what is known", pool.shape[1])
        Z, _ = _unit_noise(RootMeanSquareScaler().fit_transform(np.concatenate([pool, known])))
        Z, Z_known = np.split(Z, [len(pool)])
        covariance = np.linalg.inv(PENALTY * np.eye(Z.shape[1]) + Z_known.T @ Z_known)
        return _most_variable(Z, covariance, 1.0, np.ones(len(Z)), n)
    if criterion == "variance":
        if known is not None:
            raise DataError("the model knows what it was fitted to: known configurations are for leverages")
        scale, covariance, noise_variance = _posterior(model, pool.shape[1])
        Z, measure = _unit_noise(pool / scale)
        return _most_variable(Z, covariance, noise_variance, measure, n)
    raise DataError(f"criterion {criterion!r} is none of leverage, variance")


def _most_variable(Z, covariance, noise, weight, n):
    """Choose rows of largest variance ``weight (noise + zᵀ covariance z)``, each with the ones before it labelled.

    Parameters
    ----------
    Z : ndarray of shape (n_pool, n_features)
        Rows whose labels have the same noise.
    covariance : ndarray of shape (n_features, n_features)
        Of the weights before anything of `Z` is labelled.
    noise : float
        Variance of a label.
    weight : ndarray of shape (n_pool,)
    n : int

    Returns
    -------
    ndarray of int of shape (n,)

    Notes
    -----
    With v = covariance · z, a label of the row z takes ``v vᵀ / (noise + zᵀ v)`` from the covariance (Sherman and
    Morrison), and ``(z'ᵀ v)² / (noise + zᵀ v)`` from the variance of every other row z': one product with `Z` for each
    choice.
    """
    covariance = covariance.copy()
    variance = np.einsum("ij,ij->i", Z @ covariance, Z)
    chosen = np.empty(n, dtype=int)
    free = np.ones(len(Z), dtype=bool)
    for step in range(n):
        score = np.where(free, weight * (noise + variance), -1.0)
        best = np.flatnonzero(score >= (1 - _TIE) * score.max())[0]
        v = covariance @ Z[best]
        drop = v / np.sqrt(noise + Z[best] @ v)
        covariance -= np.outer(drop, drop)
        variance = np.maximum(variance - (Z @ drop) ** 2, 0.0)
        chosen[step], free[best] = best, False
    return chosen


def _unit_noise(Z):
    """Divide scaled features so that all rows have the same noise.

    Parameters
    ----------
    Z : ndarray of shape (n, n_features)

    Returns
    -------
    rows : ndarray of shape (n, n_features)
        ``z / √m``; zero where z is.
    measure : ndarray of shape (n,)
        m, the root mean square of z.
    """
    measure = size(Z)
    return Z / np.sqrt(np.where(measure > 0, measure, 1.0))[:, None], measure


def _posterior(model, n_features):
    """Scales, covariance of the weights and variance of the noise of a regressor or a model file."""
    names = ("scale", "covariance", "noise_variance")
    found = [getattr(model, name + "_", getattr(model, name, None)) for name in names]
    if any(value is None for value in found):
        raise DataError(
            "the criterion 'variance' needs a fitted Bayesian ridge: "
            + ("no model was given" if model is None else f"{type(model).__name__} has no covariance of its weights")
        )
    if len(found[0]) != n_features:
        raise DataError(f"the model has {len(found[0])} features, the pool {n_features}")
    return found


def _features(X, name, n_features=None):
    """Check features."""
    X = np.asarray(X, dtype=float)
    if X.ndim != 2 or n_features not in (None, X.shape[1]):
        expected = "n_features" if n_features is None else n_features
        raise DataError(f"{name} has the shape {X.shape}; expected (n, {expected})")
    if not np.isfinite(X).all():
        raise DataError(f"{name}: row {np.isfinite(X).all(axis=1).argmin()} has features that are not finite")
    return X


def learning_curve(
    regressor,
    table,
    features,
    folds,
    *,
    sizes,
    repeats,
    selections=tuple(SELECTIONS),
    tests=None,
    seed=0,
    exclude_duplicates=True,
    names,
    progress=lambda item: None,
):
    """Errors against the number of training configurations.

    Each fold is held out in turn. The configurations of the other folds are put into an order, and the regressor is
    fitted to more and more of them from its beginning, so that a larger sample contains the smaller ones. What a
    regressor chooses by itself, such as a penalty, it chooses within the sample, whose groups it is given.

    Random orders are the same for all models. The order of leverages needs no labels. Variances need some: theirs
    begins as that of leverages does; from the smallest size on, a Bayesian ridge fitted to each sample, whatever
    `regressor` is, chooses what is added up to the next size.

    Parameters
    ----------
    regressor : estimator
        With the protocol of `vibentropy.regression`; cloned.
    table : pandas.DataFrame
        Of configurations of all data sets, with their role.
    features : dict of FeatureSet
        By data set.
    folds : pandas.DataFrame
        As from `vibentropy.splits.folds_table`, with the split ``groups``.
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
    progress : callable
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
    fold, groups = fold_and_group(folds, train.table["id"])
    X, y, test_parts = train.X, train.y, _parts(test.table, tests or {})

    def errors(chosen, held_out):
        """Yield the errors of one fit on everything that it is tested on."""
        # Where all are of one group a penalty can only be chosen with each by itself.
        own = groups[chosen] if len(np.unique(groups[chosen])) > 1 else chosen
        fitted = fit_clone(regressor, X[chosen], y[chosen], own, [train.sites[k] for k in chosen])
        stage = {"stage": "cross-validation", "by": "overall", "value": "all"}
        yield stage | error_metrics(y[held_out], fitted.predict(X[held_out]))
        for (by, value), rows in test_parts.items():
            of_test = {"stage": "test", "by": by, "value": value}
            yield of_test | error_metrics(test.y[rows], fitted.predict(test.X[rows]))

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
            order = pool[_order(selection, X[pool], y[pool], sizes, (seed, number, repeat))]
            for n in sizes[: -1 if repeat else None]:
                of = {"selection": selection, "n_configurations": n, "fold": number, "repeat": repeat}
                rows += [names | of | found for found in errors(order[:n], fold == number)]
            progress(f"fold {number} held out, chosen {SELECTIONS[selection]} ({repeat})")
    return pd.DataFrame(rows)


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


def load_curves(*paths):
    """Read learning curves of several models that `vibentropy.evaluation.save_table` wrote as CSV.

    Parameters
    ----------
    *paths : path-like

    Returns
    -------
    pandas.DataFrame
        One after the other; names are text, whatever they look like.
    """
    text = dict.fromkeys(["descriptor", "regressor", "selection", "stage", "by", "value"], str)
    how = {"dtype": text, "keep_default_na": False, "na_values": {"slope": ""}}
    return pd.concat([pd.read_csv(path, **how) for path in paths], ignore_index=True)


def medians(curves):
    """Median mean absolute error on the held-out groups.

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
