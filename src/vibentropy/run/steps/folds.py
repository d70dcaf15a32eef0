"""Job of a run: folds of the training sets."""

from collections.abc import Sequence
from pathlib import Path

from vibentropy.datasets.store import load_table
from vibentropy.datasets.table import check_labelled, usable
from vibentropy.files.logs import Progress
from vibentropy.files.tables import save_table
from vibentropy.learning.folds import describe_folds, folds_table


def divide(
    configurations: str | Path,
    output: str | Path,
    *,
    n_folds: int,
    splits: Sequence[str],
    seed: int,
    exclude_duplicates: bool,
    progress: Progress,
) -> None:
    """Divide the labelled training configurations into folds, and describe these in the log.

    Parameters
    ----------
    configurations : path-like
        Of all data sets, as written by `vibentropy.datasets.merge.merge`.
    output : path-like
        Table to write.
    n_folds, splits, seed, exclude_duplicates
        See `vibentropy.learning.folds.folds_table`.
    progress : Progress

    Raises
    ------
    DataError
        If a data set has no label at all.
    """
    table = load_table(configurations)
    check_labelled(table)
    training = table[usable(table, exclude_duplicates=False) & (table["role"] == "train").to_numpy()]
    folds = folds_table(training, n_folds, splits, seed, exclude_duplicates=exclude_duplicates)
    for line in describe_folds(training, folds):
        progress.note(line)
    save_table(folds, output)
