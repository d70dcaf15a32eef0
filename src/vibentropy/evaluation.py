"""How far predictions can be trusted: held-out predictions, error tables.

A table of predictions has one row per configuration and model, with the columns

================= ==== =============================================================================================
column            unit meaning
================= ==== =============================================================================================
id, dataset, role      of the configuration, as in `vibentropy.dataset`; further on trajectory, defect_class, n_atoms
                       and n_sites
formation_entropy k_B  exact, compared mode by mode
prediction        k_B
std               k_B  of the prediction; NaN where the regressor has none
fold                   that the configuration was held out in; -1 where it was not part of a cross-validation
split                  one of `splits.SPLITS`: how the folds were made; empty where there are none
stage                  one of `STAGES`
descriptor             name in the configuration of the run
regressor              name in the configuration of the run
================= ==== =============================================================================================
"""

import json
from itertools import compress

import numpy as np
import pandas as pd
from scipy.stats import norm
from sklearn.base import clone
from sklearn.utils.validation import has_fit_parameter

from vibentropy.dataset import usable
from vibentropy.errors import DataError
from vibentropy.splits import torn_rows
from vibentropy.storage import atomic

#: How a prediction relates to the fit: held out in a fold, seen by the fit, or of a data set the fit never saw.
STAGES = ("cross-validation", "training", "test")

#: What errors are resolved by.
RESOLVED = ("overall", "dataset", "defect_class", "n_sites")

#: One model.
MODEL = ["descriptor", "regressor"]

#: Columns that predictions take over from the table of configurations.
OF_CONFIGURATION = ["id", "dataset", "role", "trajectory", "defect_class", "n_atoms", "n_sites", "formation_entropy"]

#: All columns of predictions.
PREDICTION_COLUMNS = [*OF_CONFIGURATION, "prediction", "std", "fold", "split", "stage", *MODEL]


def fit_clone(regressor, X, y, groups, sites=None):
    """Fit a clone of a regressor, to labels of atoms as well if it takes them.

    Parameters
    ----------
    regressor : estimator
        With the protocol of `vibentropy.regression`.
    X : ndarray of shape (n, n_features)
        Extensive features.
    y : ndarray of shape (n,), k_B
    groups : ndarray of shape (n,)
    sites : sequence of (ndarray or None) of length n, optional
        Factor of the atoms of each row (`vibentropy.sites.site_factor`), None for those with no labels of atoms.

    Returns
    -------
    estimator
    """
    resolved = {"sites": sites} if has_fit_parameter(regressor, "sites") else {}
    return clone(regressor).fit(X, y, groups=groups, **resolved)


def cross_predict(regressor, X, y, groups, folds, keep_groups=True, sites=None):
    """Predict every row by a fit to the other folds.

    Whatever the regressor chooses by itself, such as a penalty, it chooses within the rows it is fitted to, which
    is why it is given their groups.

    Parameters
    ----------
    regressor : estimator
        With the protocol of `vibentropy.regression`; cloned for every fold.
    X : ndarray of shape (n, n_features)
        Extensive features.
    y : ndarray of shape (n,), k_B
    groups : ndarray of shape (n,)
        Label of each row, as in the table of folds.
    folds : ndarray of int of shape (n,)
        As from `splits.grouped_folds`.
    keep_groups : bool
        Refuse folds that tear groups apart; False for the splits that are known to.
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
    torn = torn_rows(groups, folds)
    if keep_groups and torn.any():
        raise DataError(f"group {groups[torn][0]} lies in more than one fold: its held-out errors would be too small")
    held_out = pd.DataFrame({"prediction": np.nan, "std": np.nan, "fold": folds})
    for number in np.unique(folds):
        test = folds == number
        seen = None if sites is None else list(compress(sites, ~test))
        fitted = fit_clone(regressor, X[~test], y[~test], groups[~test], seen)
        held_out.loc[test, ["prediction", "std"]] = np.column_stack(fitted.predict(X[test], return_std=True))
    return held_out


def predictions_table(table, predicted, *, stage, descriptor, regressor, split=""):
    """Put predictions beside the configurations they belong to.

    Parameters
    ----------
    table : pandas.DataFrame
        Of configurations, each with the role of its data set.
    predicted : pandas.DataFrame
        Columns prediction, std (k_B) and, from a cross-validation, fold; rows in the order of `table`.
    stage : str
        One of `STAGES`.
    descriptor, regressor : str
        As in the configuration of the run.
    split : str
        One of `splits.SPLITS` for a cross-validation, empty otherwise.

    Returns
    -------
    pandas.DataFrame
        With the columns that the module lists.

    Raises
    ------
    DataError
        If the tables do not have the same number of rows, or the stage is unknown.
    """
    if stage not in STAGES:
        raise DataError(f"stage {stage!r} is none of {', '.join(STAGES)}")
    if len(table) != len(predicted):
        raise DataError(f"{len(predicted)} predictions for {len(table)} configurations")
    return (
        table[OF_CONFIGURATION]
        .assign(
            prediction=predicted["prediction"].to_numpy(),
            std=predicted["std"].to_numpy(),
            fold=predicted["fold"].to_numpy() if "fold" in predicted else -1,
            split=split,
            stage=stage,
            descriptor=descriptor,
            regressor=regressor,
        )
        .reset_index(drop=True)
    )


def fit_and_predict(regressor, table, features, folds, *, exclude_duplicates=True, names):
    """Fit to the training sets, and predict them held out (once for each split), as fitted, and the test sets.

    Configurations without label or without features take no part.

    Parameters
    ----------
    regressor : estimator
        With the protocol of `vibentropy.regression`; cloned.
    table : pandas.DataFrame
        Of configurations of all data sets, with their role.
    features : dict of FeatureSet
        By data set.
    folds : pandas.DataFrame
        As from `splits.folds_table`, for the training sets.
    exclude_duplicates : bool
        Leave out minima that repeat another one.
    names : dict
        ``descriptor`` and ``regressor``, as in the configuration of the run.

    Returns
    -------
    fitted : estimator
    predictions : pandas.DataFrame
        Of all stages.

    Raises
    ------
    DataError
        If nothing is left to fit to, a training configuration is in no fold, or as `cross_predict`.
    """
    row = {name: x for one in features.values() for name, x in zip(one.ids, one.X, strict=True)}
    taken = table[usable(table, exclude_duplicates) & table["id"].isin(row.keys())]
    train, test = (taken[taken["role"] == role] for role in ("train", "test"))
    if train.empty:
        raise DataError("no training configuration has both a label and features")
    X = np.array([row[name] for name in train["id"]])
    y, groups = train["formation_entropy"].to_numpy(), train["id"].map(folds.groupby("id")["group"].first())
    if groups.isna().any():
        raise DataError(f"{train['id'][groups.isna()].iloc[0]} is in no fold: the folds are of other configurations")
    factors = {name: factor for one in features.values() for name, factor in one.sites.items()}
    sites = [factors.get(name) for name in train["id"]]
    fitted = fit_clone(regressor, X, y, groups, sites)

    def predict(X):
        return pd.DataFrame(dict(zip(("prediction", "std"), fitted.predict(X, return_std=True), strict=True)))

    parts = []
    for split, rows in folds.groupby("split", sort=False):
        fold = train["id"].map(rows.set_index("id")["fold"])
        held_out = cross_predict(regressor, X, y, groups, fold, keep_groups=split == "groups", sites=sites)
        parts.append(predictions_table(train, held_out, stage="cross-validation", split=split, **names))
    parts.append(predictions_table(train, predict(X), stage="training", **names))
    if len(test):
        predicted = predict(np.array([row[name] for name in test["id"]]))
        parts.append(predictions_table(test, predicted, stage="test", **names))
    return fitted, pd.concat(parts, ignore_index=True)


def error_metrics(truth, prediction):
    """Errors of predictions.

    Parameters
    ----------
    truth, prediction : array-like of shape (n,), k_B

    Returns
    -------
    dict
        ``n``; ``rmse``, ``mae``, ``max_error`` (largest absolute one) and ``bias`` (mean of prediction minus truth)
        in k_B; ``slope`` of the line through the origin that fits the prediction as a function of the truth, by
        least squares: its distance from 1 is a relative error that grows with the cell.

    Raises
    ------
    DataError
        If there are no rows, or one is not finite: a configuration without label has no error.
    """
    truth, prediction = np.asarray(truth, dtype=float), np.asarray(prediction, dtype=float)
    error = prediction - truth
    if not len(error) or not np.isfinite(error).all():
        raise DataError(f"{np.isfinite(error).sum()} of {len(error)} rows have both a label and a prediction")
    norm_squared = truth @ truth
    return {
        "n": len(truth),
        "rmse": float(np.sqrt(np.mean(error**2))),
        "mae": float(np.mean(np.abs(error))),
        "max_error": float(np.max(np.abs(error))),
        "bias": float(np.mean(error)),
        "slope": float(truth @ prediction / norm_squared) if norm_squared > 0 else np.nan,
    }


def named_tests(predictions, tests):
    """Say which named test each prediction of a test set is part of, for tables resolved by ``"test"``.

    Parameters
    ----------
    predictions : pandas.DataFrame
        Of predictions.
    tests : dict of list of str
        Names of data sets by name of the test, none in two of them; as ``evaluation.tests`` of a configuration.

    Returns
    -------
    pandas.DataFrame
        With the column ``test``: the names in their order, nothing where a prediction is part of none.
    """
    test_of = {dataset: name for name, datasets in tests.items() for dataset in datasets}
    names = predictions["dataset"].where(predictions["stage"] == "test").map(test_of)
    return predictions.assign(test=pd.Categorical(names, categories=list(tests)))


def metrics_table(predictions, by=RESOLVED):
    """Errors of every model at every stage and split, overall and for each value of some columns.

    Parameters
    ----------
    predictions : pandas.DataFrame
        Of predictions.
    by : sequence of str
        Columns to resolve the errors by; ``"overall"`` for all rows together.

    Returns
    -------
    pandas.DataFrame
        Columns descriptor, regressor, stage, split, ``by`` and ``value`` (as text), then those of `error_metrics`.
    """
    return _summarise(predictions, by, lambda rows: error_metrics(rows["formation_entropy"], rows["prediction"]))


def coverage_table(predictions, by=RESOLVED, levels=(0.68, 0.95)):
    """How often the exact entropy lies within the central Gaussian interval of its prediction.

    Parameters
    ----------
    predictions : pandas.DataFrame
        Of predictions; those without standard deviation are left out.
    by : sequence of str
        As in `metrics_table`.
    levels : sequence of float
        Probabilities of the intervals.

    Returns
    -------
    pandas.DataFrame
        Columns descriptor, regressor, stage, split, ``by``, ``value``, ``n``, one ``coverage_68`` for each level,
        ``mean_std`` and ``rmse`` in k_B. A coverage below its level means that the intervals are too narrow.
    """

    def summary(rows):
        error, std = np.abs(rows["prediction"] - rows["formation_entropy"]), rows["std"]
        covered = {f"coverage_{100 * p:g}": float(np.mean(error <= norm.ppf((1 + p) / 2) * std)) for p in levels}
        return {"n": len(rows), **covered, "mean_std": float(std.mean()), "rmse": float(np.sqrt(np.mean(error**2)))}

    return _summarise(predictions[predictions["std"].notna()], by, summary)


def summary_table(metrics, coverage):
    """Put the overall errors and coverages of each model and split into one row.

    Parameters
    ----------
    metrics, coverage : pandas.DataFrame
        As from `metrics_table` and `coverage_table`.

    Returns
    -------
    pandas.DataFrame
        One row per model and split of the cross-validation, in the order of `metrics`; a column such as ``test_rmse``
        or ``cross_validation_coverage_68`` for each stage and quantity, and likewise for each named test that the
        tables are resolved by, NaN where a model does not have it. What is not of the cross-validation is the same
        for all splits.
    """
    splits = [split for split in metrics["split"].unique() if split] or [""]
    summary = metrics[MODEL].drop_duplicates().merge(pd.DataFrame({"split": splits}), how="cross")
    tests = metrics.loc[metrics["by"] == "test", "value"].unique()
    blocks = [(stage, "overall", "all") for stage in STAGES] + [("test", "test", name) for name in tests]
    for stage, by, value in blocks:
        for table in (metrics, coverage.drop(columns=["n", "rmse"], errors="ignore")):
            rows = table[(table["stage"] == stage) & (table["by"] == by) & (table["value"] == value)]
            if len(rows):
                keys = [*MODEL, "split"] if stage == "cross-validation" else MODEL
                numbers = rows.set_index(keys).drop(columns=["split", "stage", "by", "value"], errors="ignore")
                prefix = (value if by == "test" else stage.replace("-", "_")) + "_"
                summary = summary.merge(numbers.add_prefix(prefix).reset_index(), how="left", on=keys)
    return summary


def save_table(table, path):
    """Write a table as CSV or JSON, whole or not at all.

    Parameters
    ----------
    table : pandas.DataFrame
    path : path-like
        Its suffix, ``.csv`` or ``.json``, chooses the format; JSON is a list of objects with null for NaN. Floats keep
        all their digits.

    Raises
    ------
    DataError
        If the suffix is another one.
    """
    with atomic(path) as temporary:
        if temporary.suffix == ".csv":
            table.to_csv(temporary, index=False)
        elif temporary.suffix == ".json":
            rows = table.astype(object).where(table.notna(), None).to_dict("records")
            temporary.write_text(json.dumps(rows, indent=1, ensure_ascii=False, allow_nan=False) + "\n")
        else:
            raise DataError(f"{path}: tables are written as .csv or .json")


def load_predictions(*paths):
    """Read tables of predictions that `save_table` wrote as CSV, one after the other.

    Parameters
    ----------
    *paths : path-like

    Returns
    -------
    pandas.DataFrame
        The same values and types: a class without a name or one named ``None`` is text, not a missing value.

    Raises
    ------
    DataError
        If a file is missing, cannot be read, or lacks a column.
    """
    tables = []
    for path in paths:
        try:
            table = pd.read_csv(path, dtype=str, keep_default_na=False)
            missing = [name for name in PREDICTION_COLUMNS if name not in table]
            if missing:
                raise DataError(f"{path}: not a table of predictions, it has no column {', '.join(missing)}")
            floats = ["formation_entropy", "prediction", "std"]
            table[floats] = table[floats].replace("", "nan").astype(float)
            tables.append(table.astype(dict.fromkeys(["n_atoms", "n_sites", "fold"], int)))
        except (OSError, ValueError) as error:
            raise DataError(f"{path}: not a table of predictions ({error})") from error
    return pd.concat(tables, ignore_index=True)


def _summarise(predictions, by, summary):
    """Apply `summary` (rows -> dict) per model, stage, split and value of each column of `by`."""
    keys, rows = [*MODEL, "stage", "split"], []
    for values, of_split in predictions.groupby(keys, sort=False):
        identity = dict(zip(keys, values, strict=True))
        for column in by:
            resolved = [("all", of_split)] if column == "overall" else of_split.groupby(column, observed=True)
            rows += [identity | {"by": column, "value": str(value)} | summary(part) for value, part in resolved]
    return pd.DataFrame(rows, columns=list(rows[0]) if rows else [*keys, "by", "value", "n"])
