"""How training rows are divided into folds, as a table that is written once.

Folds are a table shared by all descriptors and regressors, so that they are compared on the same splits, with the
columns

====== ================================================================================================
column meaning
====== ================================================================================================
id     of the configuration
split  one of `SPLITS`: how the folds were made
fold   that the configuration is held out in, from 0
group  that it belongs to, whatever the split: also the inner folds, in which penalties are chosen, keep
       groups together
====== ================================================================================================

Rows of different folds must not share what they are tested on. Two things can be shared: a trajectory, whose snapshots
are stages of one annealing, and a basin that two trajectories fell into, so that a minimum and its label occur twice.
A group keeps both together: it is a connected component of trajectories and the minima that they visited
(`basin_groups`). Repeated minima connect trajectories whether they are fitted to or not. Where they connect so many
that folds cannot be even, groups are cut at the duplicates (`home_groups`). How large groups are in practice is
measured in docs/theory.md, "Folds and leakage".
"""

import warnings
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from sklearn.model_selection import KFold, StratifiedGroupKFold

from vibentropy.datasets.table import groups as trajectory_groups
from vibentropy.datasets.table import usable
from vibentropy.errors import DataError
from vibentropy.files.tables import read_table

#: How training rows are divided into folds, with words for figures. Only the first keeps groups together. With the
#: others, some rows are tested by a fit to rows of their own trajectory or to repeats of the same minimum
#: (`torn_rows`): nearly all when shuffled, and in file order as many as the order of the files makes it.
SPLITS = {"groups": "trajectories together", "file_order": "file order", "shuffled": "shuffled, leaky"}


def main_split(names: Iterable[str]) -> str:
    """Choose the split into folds that errors are given for where there is room for one.

    Parameters
    ----------
    names : iterable of str
        Of the splits there are.

    Returns
    -------
    str
        ``groups``, the honest one, if it is there, or else the first.
    """
    names = list(names)
    return "groups" if "groups" in names else names[0]


def basin_groups(table: pd.DataFrame) -> NDArray[np.str_]:
    """Label trajectories that are chained by the minima they share.

    Parameters
    ----------
    table : pandas.DataFrame
        Of labelled configurations, their duplicates included: id, dataset, trajectory, duplicate_of.

    Returns
    -------
    ndarray of str of shape (n_rows,)
        The first trajectory, by name, of the connected component of trajectories and basins that the row is in.
    """
    trajectories = trajectory_groups(table)
    trajectory, basin = pd.factorize(trajectories)[0], pd.factorize(basins(table))[0] + len(table)
    visits = coo_array((np.ones(len(table)), (trajectory, basin)), shape=(2 * len(table), 2 * len(table)))
    component = connected_components(visits, directed=False)[1][trajectory]
    return pd.Series(trajectories).groupby(component).transform("min").to_numpy(str)


def home_groups(table: pd.DataFrame) -> NDArray[np.str_]:
    """Label trajectories, a duplicate by that of the minimum it repeats and not by its own: there are no chains.

    No minimum is in two groups, so that no label is known to two folds; what a duplicate has in common with the other
    minima of its own trajectory is lost. Without duplicates these are the trajectories.

    Parameters
    ----------
    table : pandas.DataFrame
        Of labelled configurations: id, dataset, trajectory, duplicate_of.

    Returns
    -------
    ndarray of str of shape (n_rows,)
    """
    rows = pd.DataFrame({"trajectory": trajectory_groups(table), "basin": basins(table).to_numpy()})
    # The minimum itself before its duplicates.
    rows["later"] = (table["duplicate_of"] != "").to_numpy()
    return (
        rows.sort_values("later", kind="stable")
        .groupby("basin")["trajectory"]
        .transform("first")
        .sort_index()
        .to_numpy(str)
    )


def grouped_folds(groups: ArrayLike, n_folds: int, strata: ArrayLike | None = None) -> NDArray[np.intp]:
    """Divide rows into folds of similar size that keep groups together.

    Parameters
    ----------
    groups : array-like of shape (n,)
        Rows with the same label stay in one fold.
    n_folds : int
    strata : array-like of shape (n,), optional
        Classes to be spread evenly over the folds.

    Returns
    -------
    ndarray of int of shape (n,)
        Number of the fold of each row, from 0 to ``n_folds - 1``, the same in every run.

    Raises
    ------
    DataError
        If there are fewer than two folds, or fewer groups than folds.
    """
    groups = np.asarray(groups)
    n_groups = len(np.unique(groups))
    if not 2 <= n_folds <= n_groups:
        raise DataError(
            f"{n_folds} folds of {n_groups} groups of trajectories: expected at least 2 folds and as many groups; "
            "lower evaluation.folds, or give files a group_key (without one, each file is one trajectory)"
        )
    _, strata, counts = np.unique(
        np.zeros(len(groups)) if strata is None else np.asarray(strata, dtype=str),
        return_inverse=True,
        return_counts=True,
    )
    # A class with fewer rows than folds cannot be in all of them: such classes are spread as one.
    strata = np.where(counts[strata] < n_folds, -1, strata)
    folds = np.empty(len(groups), dtype=int)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "The least populated class", UserWarning)
        for number, (_, test) in enumerate(StratifiedGroupKFold(n_folds).split(strata, strata, groups)):
            folds[test] = number
    return folds


def folds_table(
    table: pd.DataFrame,
    n_folds: int,
    splits: Sequence[str] = ("groups",),
    seed: int = 0,
    exclude_duplicates: bool = True,
) -> pd.DataFrame:
    """Folds of the training sets, divided in one or several ways.

    ``groups`` keeps groups together and spreads classes evenly. Groups are those of `basin_groups`; of `home_groups`
    if one of those holds more than its share of the rows, which is one fold, or if they are fewer than the folds.
    ``file_order`` cuts the rows as they come into equal parts, all classes one after the other, as the code published
    with the reference work does (five parts of its arrays I2, I3, I4, V4: a part is most of a class). ``shuffled``
    draws the parts at random.

    Parameters
    ----------
    table : pandas.DataFrame
        Of the labelled training configurations, their duplicates included: id, dataset, trajectory, defect_class,
        status, duplicate_of; by id, which is the order of the files they are from.
    n_folds : int
    splits : sequence of str
        Any of `SPLITS`.
    seed : int
        Of the shuffle.
    exclude_duplicates : bool
        Divide only the minima that repeat none. The others still chain trajectories.

    Returns
    -------
    pandas.DataFrame
        With the columns that the module lists, for each split the rows of `table` that are divided, in their order.

    Raises
    ------
    DataError
        As `grouped_folds`, whatever the split; if a split is unknown.
    """
    unknown = [split for split in splits if split not in SPLITS]
    if unknown:
        raise DataError(f"split {unknown[0]!r} is none of {', '.join(SPLITS)}")
    taken = usable(table, exclude_duplicates)
    groups = basin_groups(table)[taken]
    _, sizes = np.unique(groups, return_counts=True)
    if len(sizes) < n_folds or sizes.max() > taken.sum() / n_folds:
        groups = home_groups(table)[taken]
    rows = table[taken]
    grouped = grouped_folds(groups, n_folds, rows["defect_class"])
    parts = []
    for split in splits:
        fold = grouped.copy()
        if split != "groups":
            cut = KFold(n_folds) if split == "file_order" else KFold(n_folds, shuffle=True, random_state=seed)
            for number, (_, test) in enumerate(cut.split(fold)):
                fold[test] = number
        parts.append(pd.DataFrame({"id": rows["id"].to_numpy(), "split": split, "fold": fold, "group": groups}))
    return pd.concat(parts, ignore_index=True)


def load_folds(path: Path | str) -> pd.DataFrame:
    """Read a table of folds.

    Parameters
    ----------
    path : path-like
        CSV of what `folds_table` gave.

    Returns
    -------
    pandas.DataFrame
        With the columns that the module lists.

    Raises
    ------
    DataError
        As `vibentropy.files.tables.read_table`.
    """
    return read_table(path, columns={"id": str, "split": str, "fold": int, "group": str}, kind="a table of folds")


def fold_and_group(folds: pd.DataFrame, ids: Sequence[str] | pd.Series) -> tuple[NDArray[np.intp], NDArray[Any]]:
    """Look up fold and group of configurations.

    Parameters
    ----------
    folds : pandas.DataFrame
        Rows of one split of a table of folds.
    ids : sequence of str

    Returns
    -------
    fold : ndarray of int of shape (n,)
    group : ndarray of shape (n,)

    Raises
    ------
    DataError
        If one of them is in no fold.
    """
    by_id, wanted = folds.set_index("id"), pd.Index(ids)
    missing = wanted[~wanted.isin(by_id.index)]
    if len(missing):
        raise DataError(f"{missing[0]} is in no fold: the folds are of other configurations")
    rows = by_id.loc[wanted]
    return rows["fold"].to_numpy(), rows["group"].to_numpy()


def describe_folds(table: pd.DataFrame, folds: pd.DataFrame) -> list[str]:
    """Describe the folds for a log: what the groups are and how many rows each split tears from them.

    Parameters
    ----------
    table : pandas.DataFrame
        As for `folds_table`.
    folds : pandas.DataFrame
        As from it.

    Returns
    -------
    list of str
        Lines for a log.
    """
    chained = pd.Series(basin_groups(table), table["id"])
    first = folds[folds["split"] == folds["split"].iloc[0]].set_index("id")["group"]
    of_rows = chained[first.index]
    lines = [
        f"{len(table)} labelled minima of {len(set(trajectory_groups(table)))} trajectories in "
        f"{basins(table).nunique()} basins: shared basins chain them into {chained.nunique()} groups, the largest of "
        f"{of_rows.value_counts().max()} of {len(first)} rows"
    ]
    if (of_rows != first).any():
        lines.append(
            "too large for even folds, or too few: cut at the duplicates, each of which goes with the minimum that it "
            f"repeats; {first.nunique()} groups, the largest of {first.value_counts().max()} rows"
        )
    for split, rows in folds.groupby("split", sort=False):
        torn = torn_rows(rows["group"], rows["fold"])
        lines.append(f"{split}: {torn.sum()} of {len(rows)} rows have another one of their group in other folds")
    return lines


def torn_rows(groups: ArrayLike, folds: ArrayLike) -> NDArray[np.bool]:
    """Rows that share their group with a row of another fold: for these, held-out does not mean unseen.

    Parameters
    ----------
    groups : array-like of shape (n,)
    folds : array-like of shape (n,)

    Returns
    -------
    ndarray of bool of shape (n,)
    """
    rows = pd.DataFrame({"group": np.asarray(groups), "fold": np.asarray(folds)})
    return (rows.groupby("group")["fold"].transform("nunique") > 1).to_numpy()


def basins(table: pd.DataFrame) -> pd.Series:
    """Name the minimum that each row is, or repeats.

    Parameters
    ----------
    table : pandas.DataFrame
        With id and duplicate_of.

    Returns
    -------
    pandas.Series
        Of ids.
    """
    return table["duplicate_of"].where(table["duplicate_of"] != "", table["id"])
