"""How training rows are divided into folds, as a table that is written once.

Folds are a table (columns id, split and fold), shared by all descriptors and regressors, so that they are compared on
the same splits.
"""

import warnings

import numpy as np
import pandas as pd
from sklearn.model_selection import KFold, StratifiedGroupKFold

from vibentropy.dataset import groups as trajectory_groups
from vibentropy.errors import DataError

#: How training rows are divided into folds, with words for figures. Only the first keeps trajectories together. The
#: others let rows of one trajectory, or repeats of one minimum, be fitted to and tested on (`torn_rows`): few or many
#: in file order, which is up to the files, and all but the odd one when shuffled.
SPLITS = {"groups": "trajectories together", "file_order": "file order", "shuffled": "shuffled, leaky"}


def grouped_folds(groups, n_folds, strata=None):
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
            f"{n_folds} folds of {n_groups} trajectories: expected at least 2 folds and as many trajectories; lower "
            "evaluation.folds, or give files a group_key (without one, each file is one trajectory)"
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


def folds_table(table, n_folds, splits=("groups",), seed=0):
    """Folds of the training sets, divided in one or several ways.

    ``groups`` keeps trajectories together and spreads classes evenly. ``file_order`` cuts the rows as they come into
    equal parts, all classes one after the other, as the code published with the reference work does (five parts of
    its arrays I2, I3, I4, V4: a part is most of a class). ``shuffled`` draws the parts at random.

    Parameters
    ----------
    table : pandas.DataFrame
        Of configurations: id, dataset, trajectory, defect_class; by id, which is the order of the files they are from.
    n_folds : int
    splits : sequence of str
        Any of `SPLITS`.
    seed : int
        Of the shuffle.

    Returns
    -------
    pandas.DataFrame
        Columns id, split and fold, for each split the rows of `table` in their order.

    Raises
    ------
    DataError
        As `grouped_folds`, whatever the split; if a split is unknown.
    """
    unknown = [split for split in splits if split not in SPLITS]
    if unknown:
        raise DataError(f"split {unknown[0]!r} is none of {', '.join(SPLITS)}")
    grouped = grouped_folds(trajectory_groups(table), n_folds, table["defect_class"])
    parts = []
    for split in splits:
        fold = grouped.copy()
        if split != "groups":
            cut = KFold(n_folds) if split == "file_order" else KFold(n_folds, shuffle=True, random_state=seed)
            for number, (_, test) in enumerate(cut.split(fold)):
                fold[test] = number
        parts.append(pd.DataFrame({"id": table["id"].to_numpy(), "split": split, "fold": fold}))
    return pd.concat(parts, ignore_index=True)


def torn_rows(groups, folds):
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
