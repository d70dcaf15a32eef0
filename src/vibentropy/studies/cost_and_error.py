"""Models side by side: errors against the number of features and the cost of a descriptor.

Descriptors of positions alone and those that ask a potential for the forces between atoms make two kinds of model:
tables tell them apart by the column ``needs_potential``, and no front is drawn through both.
"""

import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from ase import Atoms
from numpy.typing import ArrayLike, NDArray

from vibentropy.descriptors import Descriptor
from vibentropy.errors import VibentropyError
from vibentropy.evaluation.predictions import MODEL
from vibentropy.files.tables import read_table
from vibentropy.learning.folds import main_split

#: Errors of each named test that a comparison has columns for.
ERRORS = ("mae", "rmse", "slope")


def describe_cost(
    name: str, descriptor: Descriptor, frames: Sequence[Atoms], clock: Callable[[], float] = time.process_time
) -> pd.DataFrame:
    """Say what a descriptor is and measure what it costs.

    Time is that of the processor, all threads together, so that other work on the machine matters little. The first
    frame is computed once before: compilation and start-up are no cost of a feature.

    Parameters
    ----------
    name : str
        In the configuration of the run.
    descriptor : Descriptor
    frames : sequence of ase.Atoms
        Configurations like those that it is meant for.
    clock : callable
        Gives the processor time, s.

    Returns
    -------
    pandas.DataFrame
        One row with the columns ``descriptor``, ``needs_potential`` and ``cpu_us_per_atom``, the median over the frames
        in microseconds; NaN if the descriptor refuses all of them.
    """

    def cost(atoms):
        start = clock()
        try:
            descriptor.total(atoms)
        except VibentropyError:
            return np.nan
        return 1e6 * (clock() - start) / len(atoms)

    costs = pd.Series([cost(atoms) for atoms in [*frames[:1], *frames]][1:], dtype=float)
    row = {"descriptor": name, "needs_potential": descriptor.needs_potential, "cpu_us_per_atom": costs.median()}
    return pd.DataFrame([row])


def load_costs(*paths: Path | str) -> pd.DataFrame:
    """Read the tables of what descriptors cost.

    Parameters
    ----------
    *paths : path-like
        CSV of what `describe_cost` gave, one file for each descriptor.

    Returns
    -------
    pandas.DataFrame
        One row per descriptor, in the order of the files.

    Raises
    ------
    DataError
        As `vibentropy.files.tables.read_table`.
    """
    types = {"descriptor": str, "needs_potential": bool, "cpu_us_per_atom": float}
    return read_table(*paths, columns=types, kind="a table of the cost of descriptors")


def comparison_table(summary: pd.DataFrame, descriptors: pd.DataFrame, tests: Iterable[str]) -> pd.DataFrame:
    """Put errors, number of features and cost of each model into one row.

    Parameters
    ----------
    summary : pandas.DataFrame
        As from `vibentropy.evaluation.metrics.summary_table`.
    descriptors : pandas.DataFrame
        Rows from `describe_cost`.
    tests : sequence of str
        Names of tests, as in the columns of the summary.

    Returns
    -------
    pandas.DataFrame
        Columns ``descriptor``, ``regressor``, ``split``, ``n_features``, ``n_selected``, those of `describe_cost`,
        ``cross_validation_n``, the number of cells, ``cross_validation_mae`` and ``cross_validation_rmse``, and such as
        ``extrapolation_n`` and ``extrapolation_mae`` for each test and each of `ERRORS`. One row per model, of the
        split that keeps groups together or else of the first; models of positions first, and of each kind those with
        the smallest held-out error. Only errors over the same number of cells can be compared.
    """
    rows = summary[summary["split"] == main_split(summary["split"])]
    columns = [f"cross_validation_{name}" for name in ("n", *ERRORS[:2])]
    columns += [column for test in tests for name in ("n", *ERRORS) if (column := f"{test}_{name}") in summary]
    identity = [*MODEL, "split", "n_features", "n_selected"]
    table = rows[identity + columns].merge(descriptors, on="descriptor", how="left", validate="many_to_one")
    table = table.sort_values(["needs_potential", "cross_validation_mae"], kind="stable", ignore_index=True)
    # Whole numbers also where a model lacks a test.
    table = table.astype({name: "Int64" for name in columns if name.endswith("_n")})
    return table[[*identity, *descriptors.columns.drop("descriptor"), *columns]]


def pareto_front(cost: ArrayLike, error: ArrayLike) -> NDArray[np.intp]:
    """Find the models that are not beaten: everything that costs no more has a larger error.

    Parameters
    ----------
    cost, error : array-like of shape (n,)
        NaN is beaten by everything.

    Returns
    -------
    ndarray of int
        Indices in the order of the cost; of equal pairs, the first.
    """
    cost, error = np.asarray(cost, dtype=float), np.asarray(error, dtype=float)
    order = np.lexsort((error, cost))
    order = order[np.isfinite(cost[order]) & np.isfinite(error[order])]
    best = np.minimum.accumulate(error[order])
    return order[np.diff(best, prepend=np.inf) < 0]
