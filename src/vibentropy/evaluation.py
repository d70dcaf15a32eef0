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
low_68, high_68   k_B  ends of the calibrated interval (`vibentropy.uncertainty`), further on of that at 95 %
level                  probability of the calibrated interval that ends at the exact value
pops_low_68, ...  k_B  ends of the intervals of pointwise optimal fits at 68, 95 and 100 %, the last their bounds
pops_level             probability of such an interval that ends at the exact value
domain                 why the cell is outside the domain of the fit; empty where it is inside
================= ==== =============================================================================================

The last five are known for rows that were held out of a fit that keeps groups together, and for test sets; elsewhere
they are NaN, and the domain is empty.
"""

import json
from dataclasses import dataclass
from functools import partial
from itertools import compress

import numpy as np
import pandas as pd
from scipy.stats import norm
from sklearn.base import clone
from sklearn.utils.validation import has_fit_parameter

from vibentropy.dataset import usable
from vibentropy.errors import DataError
from vibentropy.features import LocalValues
from vibentropy.splits import fold_and_group, torn_rows
from vibentropy.storage import atomic
from vibentropy.uncertainty import LEVELS, FoldFits, quantify

#: How a prediction relates to the fit: held out in a fold, seen by the fit, or of a data set the fit never saw.
STAGES = ("cross-validation", "training", "test")

#: What errors are resolved by.
RESOLVED = ("overall", "dataset", "defect_class", "n_sites")

#: One model.
MODEL = ["descriptor", "regressor"]

#: Columns that predictions take over from the table of configurations.
OF_CONFIGURATION = ["id", "dataset", "role", "trajectory", "defect_class", "n_atoms", "n_sites", "formation_entropy"]

#: Kinds of intervals: of the standard deviation, of pointwise optimal fits, and calibrated.
METHODS = ("bayesian", "pops", "conformal")

#: Ends of intervals by method and level.
INTERVALS = {
    "conformal": {level: (f"low_{100 * level:g}", f"high_{100 * level:g}") for level in LEVELS},
    "pops": {level: (f"pops_low_{100 * level:g}", f"pops_high_{100 * level:g}") for level in (*LEVELS, 1.0)},
}

#: Columns of the probabilities of intervals that end at the exact value, by method.
LEVEL_COLUMNS = {"conformal": "level", "pops": "pops_level"}

#: Columns of predictions that tables have always had, those of uncertainty, and all.
REQUIRED_COLUMNS = [*OF_CONFIGURATION, "prediction", "std", "fold", "split", "stage", *MODEL]
UNCERTAINTY_COLUMNS = [
    *(end for method, of_method in INTERVALS.items() for ends in of_method.values() for end in ends),
    *LEVEL_COLUMNS.values(),
]
PREDICTION_COLUMNS = [*REQUIRED_COLUMNS, *UNCERTAINTY_COLUMNS, "domain"]


@dataclass(frozen=True, eq=False)
class Rows:
    """Labelled configurations and their features, row by row.

    Attributes
    ----------
    table : pandas.DataFrame
    X : ndarray of shape (n, n_features)
        Extensive features.
    sites : list of (ndarray or None) of length n
        Factor of the atoms of each row (`vibentropy.sites.site_factor`), None for those with no labels of atoms.
    local : LocalValues or None
        None if the descriptor has no values per atom.
    """

    table: pd.DataFrame
    X: np.ndarray
    sites: list
    local: LocalValues | None

    @property
    def y(self):
        """Formation entropies, ndarray of shape (n,), k_B."""
        return self.table["formation_entropy"].to_numpy()


def match(table, features, exclude_duplicates=True):
    """Find the configurations that have both a label and features, in the order of the table.

    Parameters
    ----------
    table : pandas.DataFrame
        Of configurations of all data sets, with their role.
    features : dict of FeatureSet
        By data set.
    exclude_duplicates : bool
        Leave out minima that repeat another one.

    Returns
    -------
    train, test : Rows
        Of the data sets of each role.

    Raises
    ------
    DataError
        If there are none to train with.
    """
    place = {name: number for number, name in enumerate(name for one in features.values() for name in one.ids)}
    taken = table[usable(table, exclude_duplicates) & table["id"].isin(place.keys()).to_numpy()]
    if not (taken["role"] == "train").any():
        raise DataError("no training configuration has both a label and features")
    X = np.concatenate([one.X for one in features.values()])
    local = LocalValues.join(one.local for one in features.values())
    factors = {name: factor for one in features.values() for name, factor in one.sites.items()}

    def rows(role):
        of_role = taken[taken["role"] == role]
        at = np.array([place[name] for name in of_role["id"]], dtype=int)
        sites = [factors.get(name) for name in of_role["id"]]
        return Rows(of_role, X[at], sites, None if local is None else local[at])

    return rows("train"), rows("test")


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
    if keep_groups:
        check_groups(groups, folds)
    return _held_out(fold_fits(regressor, X, y, groups, folds, sites), X)


def check_groups(groups, folds):
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


def fold_fits(regressor, X, y, groups, folds, sites=None, whole=None):
    """Prepare fits that leave folds out.

    Parameters
    ----------
    regressor, X, y, groups, folds, sites
        As for `cross_predict`.
    whole : estimator, optional
        As for `vibentropy.uncertainty.FoldFits`.

    Returns
    -------
    FoldFits
    """

    def fit(rows):
        seen = None if sites is None else list(compress(sites, rows))
        return fit_clone(regressor, X[rows], y[rows], groups[rows], seen)

    return FoldFits(fit, folds, whole)


def judge(fitted, X, uncertainty=None, truth=None, local=None, names=None):
    """Predict, with everything that is known of the errors.

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
        Of the features.

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
    judged = judged.assign(**{end: mean + offset for end, offset in uncertainty.intervals(Z).items()})
    if truth is not None:
        judged = judged.assign(**uncertainty.levels(Z, truth - mean))
    shape = (None, None) if local is None else (local.limits, local.crystals)
    return judged.assign(domain=uncertainty.domain.reasons(Z, *shape, names))


def _held_out(fits, X, uncertainty=None, **known):
    """Predictions of every row by the fit without its fold.

    Parameters
    ----------
    fits : FoldFits
    X : ndarray of shape (n, n_features)
    uncertainty : callable, optional
        From folds, a tuple of int, to the `Uncertainty` of the fit without them.
    **known
        ``truth``, ``local`` of all rows and ``names``, as for `judge`.
    """
    parts = []
    for number in np.unique(fits.folds):
        rows = np.flatnonzero(fits.folds == number)
        of_rows = {key: known[key][rows] for key in ("truth", "local") if known.get(key) is not None}
        judged = judge(
            fits.without(number),
            X[rows],
            None if uncertainty is None else uncertainty((number,)),
            **of_rows,
            names=known.get("names"),
        )
        parts.append(judged.assign(fold=number).set_index(rows))
    return pd.concat(parts).sort_index()


def predictions_table(table, predicted, *, stage, descriptor, regressor, split=""):
    """Put predictions beside the configurations they belong to.

    Parameters
    ----------
    table : pandas.DataFrame
        Of configurations, each with the role of its data set.
    predicted : pandas.DataFrame
        Columns prediction, std (k_B) and, from a cross-validation, fold; any of those of uncertainty. Rows in the
        order of `table`.
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
            **{name: predicted[name].to_numpy() if name in predicted else np.nan for name in UNCERTAINTY_COLUMNS},
            domain=predicted["domain"].to_numpy() if "domain" in predicted else "",
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
    uncertainty : Uncertainty or None
        Of `fitted`; None unless one of the splits is ``groups``.

    Raises
    ------
    DataError
        If nothing is left to fit to, a training configuration is in no fold, or as `cross_predict`.
    """
    train, test = match(table, features, exclude_duplicates)
    X, y, sites = train.X, train.y, train.sites
    known = {"names": next(iter(features.values())).feature_names}
    _, groups = fold_and_group(folds.drop_duplicates("id"), train.table["id"])
    fitted, uncertainty = fit_clone(regressor, X, y, groups, sites), None

    parts = []
    for split, of_split in folds.groupby("split", sort=False):
        fold, _ = fold_and_group(of_split, train.table["id"])
        if split == "groups":
            check_groups(groups, fold)
            fits = fold_fits(regressor, X, y, groups, fold, sites, whole=fitted)
            of_fit = partial(quantify, fits, X, y, groups, train.local)
            held_out, uncertainty = _held_out(fits, X, of_fit, truth=y, local=train.local, **known), of_fit()
        else:
            held_out = cross_predict(regressor, X, y, groups, fold, keep_groups=False, sites=sites)
        parts.append(predictions_table(train.table, held_out, stage="cross-validation", split=split, **names))
    parts.append(predictions_table(train.table, judge(fitted, X), stage="training", **names))
    if len(test.table):
        judged = judge(fitted, test.X, uncertainty, truth=test.y, local=test.local, **known)
        parts.append(predictions_table(test.table, judged, stage="test", **names))
    return fitted, pd.concat(parts, ignore_index=True), uncertainty


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
        Columns descriptor, regressor, stage, split, ``by`` and ``value`` (as text), then those of `error_metrics` and
        ``flagged``, the share of cells outside the domain, NaN where it is not known.
    """

    def summary(rows):
        judged = rows[rows["pops_low_95"].notna()]
        flagged = float(np.mean(judged["domain"] != "")) if len(judged) else np.nan
        return error_metrics(rows["formation_entropy"], rows["prediction"]) | {"flagged": flagged}

    return _summarise(predictions, by, summary)


def coverage_table(predictions, by=RESOLVED):
    """How often the exact entropy lies within the intervals of its prediction, and how wide they are.

    Parameters
    ----------
    predictions : pandas.DataFrame
        Of predictions; for each method, those without its intervals are left out.
    by : sequence of str
        As in `metrics_table`.

    Returns
    -------
    pandas.DataFrame
        Columns descriptor, regressor, stage, split, ``by``, ``value``, ``method``, ``n``, ``rmse`` (k_B), and for each
        level such as 68 %

        * ``coverage_68``: below its level where intervals are too narrow;
        * ``width_68`` (k_B): of the intervals, on average;
        * ``score_68`` (k_B): the interval score of Gneiting and Raftery (J. Am. Stat. Assoc. 102, 359 (2007)), the
          width plus 2 / (1 - level) times what the exact value lies outside, on average. The smaller the better, and
          smallest for the true quantiles.

        The method ``bayesian`` takes the Gaussian of the standard deviation, ``pops`` and ``conformal`` are those of
        `vibentropy.uncertainty`; the level 100 % is of the bounds of ``pops`` alone.
    """
    tables = []
    for method in METHODS:
        ends = method_intervals(predictions, method)
        columns = {f"{end}_{100 * p:g}": values for p, pair in ends.items() for end, values in pair.items()}
        with_ends = predictions.assign(**columns)
        with_ends = with_ends[with_ends["low_68"].notna()]
        summary = partial(_coverage, levels=list(ends))
        tables.append(_summarise(with_ends, by, summary).assign(method=method))
    table = pd.concat([table for table in tables if len(table)] or tables[:1], ignore_index=True)
    first = [*MODEL, "stage", "split", "by", "value", "method", "n"]
    return table[[*first, *(name for name in table if name not in first)]]


def method_intervals(predictions, method):
    """Give the ends of the intervals of one method.

    Parameters
    ----------
    predictions : pandas.DataFrame
    method : str
        One of `METHODS`.

    Returns
    -------
    dict of dict of pandas.Series
        ``low`` and ``high`` (k_B) by level; NaN where they are not known.
    """
    if method != "bayesian":
        return {
            level: {"low": predictions[low], "high": predictions[high]}
            for level, (low, high) in INTERVALS[method].items()
        }
    mean, std = predictions["prediction"], predictions["std"]
    half = {level: norm.ppf((1 + level) / 2) * std for level in LEVELS}
    return {level: {"low": mean - half[level], "high": mean + half[level]} for level in LEVELS}


def _coverage(rows, levels):
    """Coverage, width and score of intervals at some levels."""
    truth = rows["formation_entropy"]
    found = {"n": len(rows), "rmse": float(np.sqrt(np.mean((rows["prediction"] - truth) ** 2)))}
    for level in levels:
        low, high = rows[f"low_{100 * level:g}"], rows[f"high_{100 * level:g}"]
        outside = np.maximum(low - truth, 0) + np.maximum(truth - high, 0)
        found |= {
            f"coverage_{100 * level:g}": float(np.mean((low <= truth) & (truth <= high))),
            f"width_{100 * level:g}": float(np.mean(high - low)),
        }
        if level < 1:
            found[f"score_{100 * level:g}"] = float(np.mean(high - low + 2 / (1 - level) * outside))
    return found


def fit_table(fitted, *, descriptor, regressor):
    """Say what a fit chose.

    Parameters
    ----------
    fitted : estimator
        With the protocol of `vibentropy.regression`.
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


def summary_table(metrics, coverage, fits=None):
    """Put the overall errors and coverages of each model and split into one row.

    Parameters
    ----------
    metrics, coverage : pandas.DataFrame
        As from `metrics_table` and `coverage_table`.
    fits : pandas.DataFrame, optional
        As from `fit_table`, of all models: their columns are put first.

    Returns
    -------
    pandas.DataFrame
        One row per model and split of the cross-validation, in the order of `metrics`; a column such as ``test_rmse``
        or ``cross_validation_conformal_coverage_68`` for each stage, method of intervals and quantity, and likewise
        for each named test that the tables are resolved by, NaN where a model does not have it. What is not of the
        cross-validation is the same for all splits.
    """
    splits = [split for split in metrics["split"].unique() if split] or [""]
    summary = metrics[MODEL].drop_duplicates().merge(pd.DataFrame({"split": splits}), how="cross")
    if fits is not None:
        summary = summary.merge(fits, how="left", on=MODEL)
    tests = metrics.loc[metrics["by"] == "test", "value"].unique()
    blocks = [(stage, "overall", "all") for stage in STAGES] + [("test", "test", name) for name in tests]
    for stage, by, value in blocks:
        for method, table in [("", metrics), *coverage.groupby("method", sort=False)]:
            rows = table[(table["stage"] == stage) & (table["by"] == by) & (table["value"] == value)]
            if method:
                rows = rows[[*MODEL, "split", *(name for name in rows if name.startswith(("coverage", "width")))]]
                rows = rows.dropna(axis="columns", how="all")
            if len(rows):
                keys = [*MODEL, "split"] if stage == "cross-validation" else MODEL
                numbers = rows.set_index(keys).drop(columns=["split", "stage", "by", "value"], errors="ignore")
                prefix = (value if by == "test" else stage.replace("-", "_")) + "_" + (method and method + "_")
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
            text = json.dumps(rows, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
            temporary.write_text(text, encoding="utf-8")
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
            missing = [name for name in REQUIRED_COLUMNS if name not in table]
            if missing:
                raise DataError(f"{path}: not a table of predictions, it has no column {', '.join(missing)}")
            table = table.reindex(columns=PREDICTION_COLUMNS, fill_value="")
            floats = ["formation_entropy", "prediction", "std", *UNCERTAINTY_COLUMNS]
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
