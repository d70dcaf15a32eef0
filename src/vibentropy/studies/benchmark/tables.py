"""Tables of measurements, and what they say of each other."""

from collections.abc import Iterable
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from vibentropy.files.tables import read_table

#: Numbers of atoms between which the growth of the cost is fitted.
FITTED_SIZES = 1000, 1_024_000

#: What a row says of its measurement; other rows begin with ``stopped`` or ``failed``, and the reason.
MEASURED, ABSENT = "measured", "not installed"

#: Columns, with their types in files.
COLUMNS: dict[str, type | str] = {
    "implementation": str,
    "source": str,
    "package": str,
    "parameters": str,
    "n_features": "Int64",
    "n_atoms": "Int64",
    "threads": "Int64",
    "seconds": float,
    "atoms_per_second": float,
    "peak_memory_mb": float,
    "status": str,
}

#: The label that the others are compared with.
OUR_LABEL = "vibentropy_sparse"

#: The Hessian that the others are compared with.
OUR_HESSIAN = "vibentropy_meam_hessian"

#: The fit that the others are compared with.
OUR_FIT = "vibentropy_ridge"

#: How many of the largest measured cells a fit of the cost of a label takes: small cells grow more slowly.
FITTED_CELLS = 3

#: The peer that ratios refer to: the definition, programmed as it stands.
REFERENCE = "numpy_double_sum_3_10"


def gather(tables: Iterable[pd.DataFrame], reference: str = REFERENCE) -> pd.DataFrame:
    """Put the benchmark's tables of all implementations together and compare their speeds.

    Parameters
    ----------
    tables : iterable of pandas.DataFrame
        From `measure`.
    reference : str
        Implementation that ratios refer to.

    Returns
    -------
    pandas.DataFrame
        With a column ``ratio``: atoms per second divided by those of the reference in the cell where it is fastest.
        Empty where the reference was not measured.
    """
    table = _stack(tables).drop(columns="threads")
    best = table.loc[table["implementation"] == reference, "atoms_per_second"].max()
    position = list(COLUMNS).index("atoms_per_second") + 1
    table.insert(position, "ratio", table["atoms_per_second"].astype(float) / best)
    return table


def compare_labels(tables: Iterable[pd.DataFrame]) -> pd.DataFrame:
    """Put the benchmark's tables of all ways to a label together and compare them cell by cell.

    Parameters
    ----------
    tables : iterable of pandas.DataFrame
        From `measure`.

    Returns
    -------
    pandas.DataFrame
        Without ``n_features``, with a column ``times_as_long``: seconds divided by those of `OUR_LABEL` in the same
        cell with as many threads. Empty where one of the two was not measured. And with columns ``seconds_slope`` and
        ``memory_slope``: those of log(seconds) and log(memory) against log(number of atoms), by least squares over
        this cell and the two measured before it. Empty where there is none before it.
    """
    table = _stack(tables).drop(columns="n_features")
    _insert_times_as_long(table, OUR_LABEL, ["n_atoms", "threads"])
    measured = table[table["status"] == MEASURED].groupby(["implementation", "threads"])
    for column, slope in (("seconds", "seconds_slope"), ("peak_memory_mb", "memory_slope")):
        slopes = pd.Series(np.nan, table.index)
        for _, rows in measured:
            for k in range(1, len(rows)):
                slopes[rows.index[k]] = _power_law(rows[: k + 1], column)[0]
        table.insert(table.columns.get_loc("status"), slope, slopes)
    return table


def compare_predictions(predictions: Iterable[pd.DataFrame], labels: Iterable[pd.DataFrame]) -> pd.DataFrame:
    """Set the benchmark of predictions beside that of the exact label of cells as large.

    Parameters
    ----------
    predictions, labels : iterable of pandas.DataFrame
        From `measure`.

    Returns
    -------
    pandas.DataFrame
        The predictions without ``n_features`` and ``threads``, with columns ``microseconds_per_atom`` and
        ``label_hours``: what `OUR_LABEL` would take on one core, by `label_cost`. Empty where that was not measured.
    """
    table = _stack(predictions).drop(columns=["n_features", "threads"])
    position = table.columns.get_loc("seconds") + 1
    of_label = label_cost(_stack(labels), OUR_LABEL, "seconds", table["n_atoms"].astype(float))
    table.insert(position, "microseconds_per_atom", 1e6 * table["seconds"].astype(float) / table["n_atoms"])
    table.insert(position + 1, "label_hours", of_label / 3600)
    return table


def compare_hessians(tables: Iterable[pd.DataFrame]) -> pd.DataFrame:
    """Put the benchmark's tables of Hessians together and compare them cell by cell.

    Parameters
    ----------
    tables : iterable of pandas.DataFrame
        From `measure`.

    Returns
    -------
    pandas.DataFrame
        Without ``n_features`` and ``threads``, with a column ``times_as_long``: seconds divided by those of
        `OUR_HESSIAN` in the same cell. Empty where one of the two was not measured.
    """
    table = _stack(tables).drop(columns=["n_features", "threads"])
    _insert_times_as_long(table, OUR_HESSIAN, ["n_atoms"])
    return table


def compare_fits(tables: Iterable[pd.DataFrame]) -> pd.DataFrame:
    """Put the benchmark's tables of all fits together and compare them with ours to as many rows.

    Parameters
    ----------
    tables : iterable of pandas.DataFrame
        From `measure`.

    Returns
    -------
    pandas.DataFrame
        With ``n_rows`` in the place of atoms, without rows per second, and with a column ``times_as_long``: seconds
        divided by those of `OUR_FIT`. Empty where one of the two was not measured.
    """
    table = _stack(tables).drop(columns=["atoms_per_second", "threads"]).rename(columns={"n_atoms": "n_rows"})
    _insert_times_as_long(table, OUR_FIT, ["n_rows"])
    return table


def _insert_times_as_long(table, reference, same):
    """Insert how many times as long each row took as the reference where columns are the same."""
    measured = (table["implementation"] == reference) & (table["status"] == MEASURED)
    own = table[same].merge(table.loc[measured, [*same, "seconds"]], how="left", on=same)["seconds"]
    table.insert(table.columns.get_loc("seconds") + 1, "times_as_long", table["seconds"] / own)


def label_cost(
    table: pd.DataFrame, name: str, column: Literal["seconds", "peak_memory_mb"], n_atoms: ArrayLike
) -> NDArray[np.float64]:
    """Fit the cost of an exact label on one core, for cells that are too large for it.

    Parameters
    ----------
    table : pandas.DataFrame
        From `compare_labels`, or rows of `measure`.
    name : str
        Of `LABELS`.
    column : {"seconds", "peak_memory_mb"}
    n_atoms : array_like

    Returns
    -------
    ndarray, s or MB
        A power of the number of atoms, by least squares of the logarithms over the `FITTED_CELLS` largest measured
        cells. NaN where fewer than two were measured.
    """
    measured = table[(table["implementation"] == name) & (table["status"] == MEASURED) & (table["threads"] == 1)]
    slope, intercept = _power_law(measured.sort_values("n_atoms"), column)
    return np.exp(intercept) * np.asarray(n_atoms, dtype=float) ** slope


def _power_law(rows, column):
    """Slope and intercept of log(cost) against log(number of atoms) over the last rows; NaN for fewer than two."""
    n_atoms, cost = (rows[-FITTED_CELLS:][name].to_numpy(float) for name in ("n_atoms", column))
    positive = cost > 0  # Small cells may take no memory that can be told from none.
    if positive.sum() < 2:
        return np.nan, np.nan
    slope, intercept = np.polyfit(np.log(n_atoms[positive]), np.log(cost[positive]), 1)
    return float(slope), float(intercept)


def _stack(tables):
    table = pd.concat([part.dropna(axis="columns", how="all") for part in tables], ignore_index=True)
    table = table.reindex(columns=list(COLUMNS))
    return table.sort_values(["source", "implementation", "threads", "n_atoms"], kind="stable", ignore_index=True)


def largest(table: pd.DataFrame) -> pd.DataFrame:
    """Select the largest cell in which each implementation was measured.

    Parameters
    ----------
    table : pandas.DataFrame
        Rows of `measure`.

    Returns
    -------
    pandas.DataFrame
        One row for each implementation that was measured at all.
    """
    measured = table[table["status"] == MEASURED]
    return measured.loc[measured.groupby("implementation", sort=False)["n_atoms"].idxmax()]


def scaling(table: pd.DataFrame) -> pd.DataFrame:
    """Fit the growth of the measured cost with the number of atoms N.

    Parameters
    ----------
    table : pandas.DataFrame
        From `gather`.

    Returns
    -------
    pandas.DataFrame
        For each measured implementation the slope of log(seconds) against log(N) by least squares, over cells of
        1,000 to 1,024,000 atoms; their number, smallest and largest. Without a slope where there are fewer than two.
    """
    rows = []
    for (source, name), part in table[table["status"] == MEASURED].groupby(["source", "implementation"]):
        part = part[part["n_atoms"].between(*FITTED_SIZES)]
        n_atoms, seconds = part["n_atoms"].to_numpy(float), part["seconds"].to_numpy(float)
        slope = np.polyfit(np.log(n_atoms), np.log(seconds), 1)[0] if len(part) > 1 else np.nan
        rows.append([name, source, slope, len(part), part["n_atoms"].min(), part["n_atoms"].max()])
    return pd.DataFrame(rows, columns=["implementation", "source", "slope", "cells", "smallest", "largest"])


def load(*paths: str | Path) -> list[pd.DataFrame]:
    """Read the benchmark's tables of measurements from CSV.

    Parameters
    ----------
    *paths : path-like

    Returns
    -------
    list of pandas.DataFrame
        One for each file.

    Raises
    ------
    DataError
        If a file is not such a table.
    """
    return [read_table(path, columns=COLUMNS, kind="a table of measurements") for path in paths]
