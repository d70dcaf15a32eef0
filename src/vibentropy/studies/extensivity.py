"""Counter-examples: what becomes of extensivity where the entropy is not linear in the summed features.

A cell is known by its number of atoms N and its extensive features X (`vibentropy.features.extensive`). The models
compared are

================ =============== ==================================================================================
name             features        prediction
================ =============== ==================================================================================
ridge            X               w · X, the model of this package
atom_kernel      of `AtomKernel` kernel ridge; the kernel of two cells is Σ_i Σ_j k(x_i, x_j) over their atoms
kernel_ridge     X               f(X): kernel ridge with k of the sums of two cells
network          X               f(X): a small neural network
kernel_per_atom  X, N            N f(X / N): the remedy that comes to mind first, f as in kernel_ridge
kernel_per_size  X               s f(X / s): the next one; s is the root mean square of the scaled features
================ =============== ==================================================================================

with one and the same kernel, ``k(x, x') = exp(-|x - x'|² / 2 n ℓ²)`` of n scaled features. The first two are linear in
features that are sums over atoms, and thereby extensive. Three things can be asked of all of them without any further
label, because features of distant defects add up:

``copies``
    m copies of one cell, features m X in m N atoms, have m times its entropy.
``crystal``
    The same defects in m times as many atoms, features X in m N atoms, have the same entropy.
``mixture``
    m different cells side by side, all sums, have the sum of their entropies.

A function of X that passes the first is homogeneous of degree one; one that passes the last as well is linear.
Networks for each atom, summed over atoms, are extensive like the second model and are not among these.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from vibentropy.evaluation.metrics import error_metrics
from vibentropy.features.sets import FeatureSet
from vibentropy.files.tables import read_table
from vibentropy.learning.folds import fold_and_group, main_split
from vibentropy.learning.rows import match
from vibentropy.studies.sum_models import Cells, fit

#: Numbers of cells, m.
MULTIPLES = (2, 4, 8, 16)


def assess(
    model: str,
    table: pd.DataFrame,
    features: Mapping[str, FeatureSet],
    folds: pd.DataFrame,
    *,
    exclude_duplicates: bool = True,
    seed: int = 0,
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Test the extensivity of a model on held-out training cells, what `Cells` makes of them, and test cells.

    Parameters
    ----------
    model : str
        One of `MODELS`.
    table : pandas.DataFrame
        Of configurations of all data sets, with their role.
    features : dict of FeatureSet
        By data set.
    folds : pandas.DataFrame
        As from `vibentropy.learning.folds.folds_table`; of several splits, the one that keeps groups together is used.
    exclude_duplicates : bool
        Leave out minima that repeat another one.
    seed : int
        Of networks and mixtures; these are the same for all models.

    Returns
    -------
    predictions : pandas.DataFrame
        Columns model, test (``held out``, ``test set``, or as the module lists), of (data set, or multiple m); id,
        defect_class and n_sites of the cell or of the first of several, known (whether all its clusters are of classes
        of the training); formation_entropy, prediction, and parts, what predictions of the parts add up to (NaN for
        test sets), in k_B.
    chosen : dict
        Parameters of the fit to all training cells.

    Raises
    ------
    DataError
        If no training configuration has label and features, or one of them is in no fold.
    """
    train, test = match(table, features, exclude_duplicates)
    of_split = folds[folds["split"] == main_split(folds["split"])]
    fold, groups = fold_and_group(of_split, train.table["id"])
    parts = []

    def keep(rows, test, of, entropy, prediction, parts_prediction):
        columns = rows[["id", "defect_class", "n_sites"]].assign(known=_of_trained_classes(rows, train.table))
        numbers = {"formation_entropy": entropy, "prediction": prediction, "parts": parts_prediction}
        parts.append(columns.assign(model=model, test=test, of=of, **numbers))

    cells, entropy = Cells.of(train), train.y
    for number in np.unique(fold):
        out = fold == number
        predict, _ = fit(model, cells[~out], entropy[~out], groups[~out], seed)
        rows, held, exact = train.table[out], cells[out], entropy[out]
        of_cells = predict(held)
        keep(rows, "held out", 1, exact, of_cells, of_cells)
        for m in MULTIPLES:
            keep(rows, "copies", m, m * exact, predict(held.copies(m)), m * of_cells)
            keep(rows, "crystal", m, exact, predict(held.crystal(m)), of_cells)
            others = np.random.default_rng([seed, number, m]).integers(len(rows), size=(len(rows), m - 1))
            drawn = np.column_stack([np.arange(len(rows)), others])
            keep(rows, "mixture", m, exact[drawn].sum(1), predict(held.mixture(drawn)), of_cells[drawn].sum(1))
    predict, chosen = fit(model, cells, entropy, groups, seed)
    if len(test.table):
        keep(test.table, "test set", test.table["dataset"], test.y, predict(Cells.of(test)), np.nan)
    columns = ["model", "test", "of", "id", "defect_class", "known", "n_sites"]
    return pd.concat(parts, ignore_index=True)[[*columns, "formation_entropy", "prediction", "parts"]], chosen


def load_assessments(*paths: Path | str) -> pd.DataFrame:
    """Read what models predict for cells and sums of cells.

    Parameters
    ----------
    *paths : path-like
        CSV of what `assess` gave, one file for each model.

    Returns
    -------
    pandas.DataFrame
        One after the other; ``of``, a name of a data set or a multiple, is text.

    Raises
    ------
    DataError
        As `vibentropy.files.tables.read_table`.
    """
    types = dict.fromkeys(["model", "test", "of", "id", "defect_class"], str) | {"known": bool, "n_sites": int}
    types |= dict.fromkeys(["formation_entropy", "prediction", "parts"], float)
    return read_table(*paths, columns=types, kind="a table of predictions of sums")


def _of_trained_classes(rows, train):
    """Whether all clusters of each row are of classes that were trained on: ``4xI3`` is if ``I3`` was."""
    clusters = rows["defect_class"].str.replace(r"\d+x", "", regex=True).str.split("+")
    return [set(names) <= set(train["defect_class"]) for names in clusters]


def summarise(predictions: pd.DataFrame) -> pd.DataFrame:
    """Summarise the errors of each model in each test, and how far it is from being additive.

    Parameters
    ----------
    predictions : pandas.DataFrame
        As from `assess`, of all models.

    Returns
    -------
    pandas.DataFrame
        Columns model, test, of, clusters (``all``; for test sets also ``known`` and ``new`` ones), those of
        `vibentropy.evaluation.metrics.error_metrics`, and for what is made of held-out cells ``ratio``, the median of
        prediction / parts, its quantiles ``ratio_low`` and ``ratio_high`` (16 and 84 %), and ``deviation``, the mean of
        abs(prediction - parts) divided by that of abs(parts): 1 and 0 if the model is extensive.
    """
    rows = []
    for keys, of_test in predictions.groupby(["model", "test", "of"], sort=False):
        identity = dict(zip(("model", "test", "of"), keys, strict=True))
        divided = {"all": of_test}
        if identity["test"] == "test set":
            divided |= {"known" if known else "new": some for known, some in of_test.groupby("known", sort=True)}
        for clusters, some in divided.items():
            errors = error_metrics(some["formation_entropy"], some["prediction"])
            low, ratio, high = np.quantile(some["prediction"] / some["parts"], [0.16, 0.5, 0.84])
            deviation = (some["prediction"] - some["parts"]).abs().mean(skipna=False) / some["parts"].abs().mean()
            additivity = {"ratio": ratio, "ratio_low": low, "ratio_high": high, "deviation": deviation}
            rows.append(identity | {"clusters": clusters} | errors | additivity)
    return pd.DataFrame(rows)
