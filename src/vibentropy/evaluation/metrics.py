"""Errors of predictions, and the tables of them."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from vibentropy.errors import DataError
from vibentropy.evaluation.predictions import MODEL, STAGES
from vibentropy.files.tables import read_table
from vibentropy.learning.domain import IS_INSIDE
from vibentropy.learning.uncertainty import interval_columns

#: What errors are resolved by.
RESOLVED = ("overall", "dataset", "defect_class", "n_sites")


def error_metrics(truth: ArrayLike, prediction: ArrayLike) -> dict[str, float]:
    """Measure the errors of predictions: mean absolute, root mean square, largest, bias and slope.

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


def named_tests(predictions: pd.DataFrame, tests: Mapping[str, Sequence[str]]) -> pd.DataFrame:
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


def metrics_table(predictions: pd.DataFrame, by: Sequence[str] = RESOLVED) -> pd.DataFrame:
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
        judged = rows[rows[interval_columns(0.95, "pops")[0]].notna()]
        flagged = float(np.mean(judged["domain"] != IS_INSIDE)) if len(judged) else np.nan
        return error_metrics(rows["formation_entropy"], rows["prediction"]) | {"flagged": flagged}

    return resolved(predictions, by, summary)


def scored_on_different_cells(predictions: pd.DataFrame) -> list[str]:
    """Name the models whose errors are over other cells than those of the rest: their descriptors have no features.

    Parameters
    ----------
    predictions : pandas.DataFrame
        Of all models.

    Returns
    -------
    list of str
        One line for each model, stage and split with cells missing; empty if all models can be compared.
    """
    lines = []
    for (stage, split), of_stage in predictions.groupby(["stage", "split"], sort=False):
        ids = of_stage["id"].unique()
        for (descriptor, regressor), of_model in of_stage.groupby(MODEL, sort=False):
            missing = ids[~pd.Index(ids).isin(of_model["id"])]
            if len(missing):
                where = f"{stage} ({split})" if split else stage
                lines.append(
                    f"{descriptor}/{regressor}, {where}: errors are over {len(ids) - len(missing)} of {len(ids)} cells "
                    f"that models predict, without {missing[0]}{' and others' if len(missing) > 1 else ''}: its "
                    "descriptor refused them or was not asked"
                )
    return lines


def summary_table(metrics: pd.DataFrame, coverage: pd.DataFrame, fits: pd.DataFrame | None = None) -> pd.DataFrame:
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
        or ``cross_validation_calibrated_coverage_68`` for each stage, method of intervals and quantity, and likewise
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


def load_summary(path: Path | str) -> pd.DataFrame:
    """Read the table of the errors and coverages of models, one row each.

    Parameters
    ----------
    path : path-like
        CSV of what `summary_table` gave for models with their fits.

    Returns
    -------
    pandas.DataFrame
        Names and split are text, numbers of features whole; all others are floats, NaN where a model has none.

    Raises
    ------
    DataError
        As `vibentropy.files.tables.read_table`.
    """
    types = {"descriptor": str, "regressor": str, "split": str, "n_features": int, "n_selected": int}
    return read_table(path, columns=types, others=float, kind="a summary of models")


def resolved(
    predictions: pd.DataFrame, by: Sequence[str], summary: Callable[[pd.DataFrame], dict[str, float]]
) -> pd.DataFrame:
    """Summarise predictions of each model, stage and split, once for each value of some columns.

    Parameters
    ----------
    predictions : pandas.DataFrame
        As `metrics_table`.
    by : sequence of str
        Columns; ``overall`` stands for all rows together.
    summary : callable
        From the rows of one value (pandas.DataFrame) to numbers by name (dict).

    Returns
    -------
    pandas.DataFrame
        Descriptor, regressor, stage, split, by, value (text), and what `summary` gives; one row for each value.
    """
    keys, rows = [*MODEL, "stage", "split"], []
    for values, of_split in predictions.groupby(keys, sort=False):
        identity = dict(zip(keys, values, strict=True))
        for column in by:
            resolved = [("all", of_split)] if column == "overall" else of_split.groupby(column, observed=True)
            rows += [identity | {"by": column, "value": str(value)} | summary(part) for value, part in resolved]
    return pd.DataFrame(rows, columns=list(rows[0]) if rows else [*keys, "by", "value", "n"])
