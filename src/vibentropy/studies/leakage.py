"""What repeats of minima, and the way of testing, do to the held-out errors of a model.

Annealings fall into the same minimum again and again. Whoever keeps the repeats and divides rows into folds without
regard to trajectories tests on minima that were fitted to. Held-out errors then say how well a model remembers. How
much each choice is worth is measured by a ladder of tests (`WAYS`), each of which differs from the one before by one
choice: distinct minima in folds that keep trajectories together, repeats, folds that ignore trajectories, and a penalty
that is chosen by the squared errors of the very rows that are reported. The last way, shuffled folds, differs from the
third.

The table has one row for each way, with the columns

============= ==========================================================================================================
column        meaning
============= ==========================================================================================================
descriptor,   names in the configuration of the run
regressor
classes       of defects that rows are of: ``all``, or those asked for (``I2 I3 I4 V4``); with `NARROW` behind them
              where rows outside the range of the published labels of their class are left out
repeats       whether minima count as often as they were found
split         one of `vibentropy.learning.folds.SPLITS`
penalty       ``nested``: chosen among the rows of each fit; ``shared``: by the squared held-out errors themselves
n             rows
n_distinct    minima among them
remembered    part of the rows whose minimum is also in another fold
rmse, mae...  held-out errors, as from `vibentropy.evaluation.metrics.error_metrics`
============= ==========================================================================================================
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from sklearn.base import clone

from vibentropy.errors import DataError, did_you_mean
from vibentropy.evaluation.fitting import cross_predict
from vibentropy.evaluation.metrics import error_metrics
from vibentropy.features.sets import FeatureSet
from vibentropy.files.progress import ignore
from vibentropy.files.tables import read_table
from vibentropy.learning.base import ExtensiveRegressor
from vibentropy.learning.folds import SPLITS, basins, fold_and_group, folds_table, torn_rows
from vibentropy.learning.rows import match, with_blocks


class Way(NamedTuple):
    """A way of testing.

    Attributes
    ----------
    repeats : bool
    split, penalty : str
        As in the table.
    """

    repeats: bool
    split: str
    penalty: str


#: Ways of testing, the honest one first. Each differs from the one before by one choice, the last from the third.
WAYS = (
    Way(repeats=False, split="groups", penalty="nested"),
    Way(repeats=True, split="groups", penalty="nested"),
    Way(repeats=True, split="file_order", penalty="nested"),
    Way(repeats=True, split="file_order", penalty="shared"),
    Way(repeats=True, split="shuffled", penalty="nested"),
)

#: What the rows are of if not of single classes.
ALL = "all"

#: What stands behind the classes if entropies are within a published range.
NARROW = "(published range)"


def leakage(
    regressor: ExtensiveRegressor,
    table: pd.DataFrame,
    features: Mapping[str, FeatureSet],
    *,
    classes: Sequence[str],
    ranges: Mapping[str, tuple[float, float]] | None = None,
    n_folds: int,
    seed: int,
    names: dict[str, str],
    note: Callable[[str], object] = ignore,
) -> pd.DataFrame:
    """Compute held-out errors in all ways of testing.

    Parameters
    ----------
    regressor : estimator
        With the protocol of `vibentropy.learning.base`; cloned. Without a parameter ``penalties`` there is nothing
        that could be shared, and such ways are left out.
    table : pandas.DataFrame
        Of configurations of all data sets, with their role, repeats marked (``duplicate_of``); by id.
    features : dict of FeatureSet
        By data set.
    classes : sequence of str
        Classes of defects to test by themselves as well.
    ranges : dict of (float, float), optional
        Smallest and largest entropy by class, k_B: these classes are tested once more, within the ranges of those that
        have one.
    n_folds : int
    seed : int
        Of the shuffled folds.
    names : dict
        ``descriptor`` and ``regressor``, as in the configuration of the run.
    note : callable
        Called with a line of text for each way.

    Returns
    -------
    pandas.DataFrame
        With the columns that the module lists: all classes, then those asked for, then these within ranges.

    Raises
    ------
    DataError
        If no training configuration has both a label and features, none repeats another, there are none of a class, or
        there are fewer groups of trajectories than folds.
    """
    train, _ = match(table, features, exclude_duplicates=False)
    regressor = with_blocks(regressor, features)
    if not (train.table["duplicate_of"] != "").any():
        raise DataError(
            "no training minimum repeats another, so nothing leaks: read archives with `repeats: true` (the "
            "shipped ones have none)"
        )
    found = sorted(set(train.table["defect_class"]))
    unknown = [name for name in classes if name not in found]
    if unknown:
        raise DataError(
            f"no training configuration is of the class {unknown[0]!r}{did_you_mean(unknown[0], found)}; there are "
            f"{', '.join(found)}"
        )
    parts = {ALL: np.ones(len(train.table), dtype=bool)}
    if classes:
        of_classes = train.table["defect_class"].isin(classes).to_numpy()
        parts[" ".join(classes)] = of_classes
        if ranges:
            entropies, of_row = train.table["formation_entropy"], train.table["defect_class"]
            low, high = (of_row.map({name: of[end] for name, of in ranges.items()}) for end in (0, 1))
            outside = (entropies < low) | (entropies > high)
            parts[" ".join([*classes, NARROW])] = of_classes & ~outside.to_numpy()
    rows = []
    for part, of_part in parts.items():
        labelled, X = train.table[of_part], train.X[of_part]
        for way in WAYS:
            if way.penalty == "shared" and "penalties" not in regressor.get_params():
                continue
            folds = folds_table(labelled, n_folds, [way.split], seed, exclude_duplicates=not way.repeats)
            taken = labelled["id"].isin(folds["id"]).to_numpy()
            tested = labelled[taken]
            prediction, fold = _held_out(regressor, X[taken], tested, folds, way)
            of_minimum = basins(tested).to_numpy(str)
            errors = error_metrics(tested["formation_entropy"], prediction)
            counts: dict[str, Any] = {
                "n_distinct": len(np.unique(of_minimum)),
                "remembered": float(torn_rows(of_minimum, fold).mean()),
            }
            rows.append(names | {"classes": part} | way._asdict() | counts | errors)
            note(f"{part}, {describe(way)}: {errors['n']} rows, mean absolute error {errors['mae']:.3f} k_B")
    return pd.DataFrame(rows)


def _held_out(regressor, X, table, folds, way):
    """Held-out prediction and fold of each row."""
    y = table["formation_entropy"].to_numpy()
    fold, groups = fold_and_group(folds, table["id"])
    if way.penalty == "shared":
        # Its own folds are made those that the errors are reported for.
        chosen = clone(regressor).set_params(n_folds=len(np.unique(fold))).fit(X, y, groups=fold)
        regressor = clone(regressor).set_params(penalties=[chosen.penalty_])
    return cross_predict(regressor, X, y, groups, fold, keep_groups=False)["prediction"].to_numpy(), fold


def describe(way: Way) -> str:
    """Say in words how a way tests.

    Parameters
    ----------
    way : Way

    Returns
    -------
    str
        Such as ``with repeats, file order``.
    """
    shared = ", penalty by the errors of the same rows" if way.penalty == "shared" else ""
    return f"{'with repeats' if way.repeats else 'distinct minima'}, {SPLITS[way.split]}{shared}"


def load_leakage(*paths: str | Path) -> pd.DataFrame:
    """Read tables of several models that `vibentropy.files.tables.save_table` wrote as CSV.

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
    types: dict[str, type] = dict.fromkeys(["descriptor", "regressor", "classes", "split", "penalty"], str)
    types |= {"repeats": bool, "n": int, "n_distinct": int}
    return read_table(*paths, columns=types, others=float, kind="a table of ways of testing")
