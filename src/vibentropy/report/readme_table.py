"""The table of the README: several runs side by side, each of which writes its own part.

Each run leaves a file of its errors, ``<name>.csv`` with the columns `COLUMNS` and, for the held-out cells
(``cross_validation``) and each named test, ``_n``, ``_mae`` and ``_rmse``. The table is made of all files that there
are, so that a run changes its own columns and leaves those of others.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from vibentropy.files.tables import read_table, save_table
from vibentropy.learning.folds import main_split
from vibentropy.report.results_table import EXTRAPOLATION, NEEDS, in_digits, write_between
from vibentropy.sources.reference_work import reported_errors

#: Columns of the file of a run beside those of errors, with their types: the name of the run, what printed it and what
#: it is of, then the model.
COLUMNS: dict[str, type] = {
    "run": str,
    "command": str,
    "element": str,
    "descriptor": str,
    "needs_potential": bool,
    "n_features": int,
    "regressor": str,
    "split": str,
}

#: Errors that the file has of each test.
ERRORS = ("n", "mae", "rmse")

#: What held-out errors are called in columns, and in the table.
HELD_OUT = "cross_validation"


def errors_of_run(
    summary: pd.DataFrame, descriptors: pd.DataFrame, tests: Sequence[str], *, run: str, command: str, element: str
) -> pd.DataFrame:
    """Put together what the file of a run holds.

    Parameters
    ----------
    summary : pandas.DataFrame
        As from `vibentropy.evaluation.metrics.summary_table`.
    descriptors : pandas.DataFrame
        Rows from `vibentropy.studies.cost_and_error.describe_cost`.
    tests : sequence of str
        Names of tests.
    run, command, element : str
        As in the columns of that name.

    Returns
    -------
    pandas.DataFrame
        One row for each model and split; tests that no model has are left out.
    """
    blocks = [name for name in (HELD_OUT, *tests) if f"{name}_mae" in summary]
    rows = summary.merge(descriptors, on="descriptor", how="left", validate="many_to_one")
    rows = rows.assign(run=run, command=command, element=element)
    return rows[[*COLUMNS, *(f"{block}_{error}" for block in blocks for error in ERRORS)]]


def side_by_side(runs: Sequence[pd.DataFrame], folder: Path | str) -> str:
    """Write the mean absolute errors of runs side by side in Markdown, one row for each descriptor.

    Parameters
    ----------
    runs : sequence of pandas.DataFrame
        As from `errors_of_run`, each of another run.
    folder : path-like
        Of their files, which the table links to.

    Returns
    -------
    str
        The table, below it what it shows and what printed it. Of the regressors of a run that is shown which is the
        best for a descriptor by what was held out. Models of positions come first; last, in italics, the published
        ones, in the columns of the run that has the name of their potential. Where a descriptor was tested on fewer
        cells than others, their number stands beside its error.
    """
    best = {of_run["run"].iloc[0]: _best(of_run) for of_run in runs}
    columns = [(name, block) for name, rows in best.items() for block in _blocks(rows)]
    header = ["descriptor", "needs", "features"]
    for number, (name, block) in enumerate(columns):
        first = number == 0 or columns[number - 1][0] != name
        header.append(f"{name}: {_in_words(block)}" if first else _in_words(block))
    lines = [header, ["---"] * 2 + ["--:"] * (len(header) - 2)]
    for descriptor, needs_potential in _descriptors(best.values()).items():
        rows = {name: of_run.loc[descriptor] for name, of_run in best.items() if descriptor in of_run.index}
        counts = dict.fromkeys(f"{row['n_features']:.0f}" for row in rows.values())
        cells = [_error(rows[name], block, best[name]) if name in rows else "" for name, block in columns]
        lines.append([f"`{descriptor}`", NEEDS[needs_potential], " or ".join(counts), *cells])
    published = _published(best, columns)
    table = "\n".join("| " + " | ".join(line) + " |" for line in [*lines, *published])
    return "\n\n".join([table, " ".join(_notes(best, columns, folder, bool(published))), _printed_by(runs)]) + "\n"


def write_table(own: pd.DataFrame, readme: Path | str, folder: Path | str) -> None:
    """Write the errors of a run beside those of others, and the table of all of them into a README.

    Parameters
    ----------
    own : pandas.DataFrame
        As from `errors_of_run`.
    readme : path-like
        See `vibentropy.report.results_table.write_between`.
    folder : path-like
        Of the files of runs, made if it is not there. That of a run of this name is replaced.

    Raises
    ------
    DataError
        If the README has no place for the table, or a file of another run is something else. Nothing is written then.
    """
    folder = Path(folder)
    name = own["run"].iloc[0]
    runs = {path.stem: path for path in folder.glob("*.csv")} | {name: None}
    tables = [own if path is None else load_errors(path) for _, path in sorted(runs.items())]
    write_between(readme, side_by_side(tables, folder))
    folder.mkdir(parents=True, exist_ok=True)
    save_table(own, folder / f"{name}.csv")


def load_errors(path: Path | str) -> pd.DataFrame:
    """Read the file of a run.

    Parameters
    ----------
    path : path-like

    Returns
    -------
    pandas.DataFrame
        See `errors_of_run`.

    Raises
    ------
    DataError
        As `vibentropy.files.tables.read_table`.
    """
    return read_table(path, columns=COLUMNS, others=float, kind="a table of the errors of a run")


def _best(of_run):
    """Row of the best regressor of each descriptor of a run, by descriptor."""
    of_split = of_run[of_run["split"] == main_split(of_run["split"])]
    # A descriptor that could not be tested has no errors to be judged by.
    ordered = of_split.sort_values(f"{HELD_OUT}_mae", kind="stable", na_position="last")
    best = ordered.drop_duplicates("descriptor").set_index("descriptor")
    return best.loc[of_split["descriptor"].unique()].dropna(axis="columns", how="all")


def _blocks(rows):
    """Names of the tests of a run, what was held out first."""
    return [name.removesuffix("_mae") for name in rows if name.endswith("_mae")]


def _in_words(block):
    """Name of a test for people."""
    return "held out" if block == HELD_OUT else block.replace("_", " ")


def _descriptors(runs):
    """Whether each descriptor of several runs needs a potential: those that don't first, else as they come."""
    found = {name: bool(row["needs_potential"]) for rows in reversed(list(runs)) for name, row in rows.iterrows()}
    order = list(dict.fromkeys(name for rows in runs for name in rows.index))
    return {name: found[name] for name in sorted(order, key=found.__getitem__)}


def _error(row, block, of_run):
    """Mean absolute error, with the number of cells where they are fewer than those of other descriptors."""
    error, n = row[f"{block}_mae"], row[f"{block}_n"]
    if np.isnan(error):
        return ""
    return in_digits(error) + (f" (n = {n:.0f})" if n < of_run[f"{block}_n"].max() else "")


def _published(best, columns):
    """Lines of published models, in italics."""
    lines = []
    for name, rows in best.items():
        for reference in reported_errors(rows["element"].iloc[0]):
            if reference.potential == name:
                pairs = {HELD_OUT: reference.held_out, EXTRAPOLATION: reference.extrapolation}
                errors = [(pairs.get(block) or [None])[0] if of_run == name else None for of_run, block in columns]
                words = [f"{reference.descriptor}, as published", NEEDS[False], f"{reference.n_features or ''}"]
                cells = [*words, *("" if error is None else in_digits(error) for error in errors)]
                lines.append([f"*{cell}*" if cell else "" for cell in cells])
    return lines


def _notes(best, columns, folder, published):
    """Sentences below the table: what its columns mean."""
    links = " and ".join(f"[{name}]({Path(folder).as_posix()}/{name}.csv)" for name in best)
    notes = [
        "Mean absolute errors in k_B, of the regressor that is best on what was held out; others, and root mean square "
        f"errors: {links}."
    ]
    for block in dict.fromkeys(block for _, block in columns):
        counts = [
            f"{rows[f'{block}_n'].max():.0f}" + (f" ({name})" if len(best) > 1 else "")
            for name, rows in best.items()
            if f"{block}_n" in rows
        ]
        if block == HELD_OUT:
            meaning = "training minima, each predicted by a model fitted to the other folds"
            if all((rows["split"] == "groups").all() for rows in best.values()):
                meaning += ", which keep trajectories together"
        else:
            meaning = "cells, never fitted to"
        notes.append(f"{_in_words(block).capitalize()}: {' and '.join(counts)} {meaning}.")
    if published:
        notes.append(
            "In italics: as published by Lapointe et al. (2020), for other cells of up to 3456 sites and folds in the "
            "order of the files, which share trajectories."
        )
    return notes


def _printed_by(runs):
    """Say what to type to have the table printed again."""
    commands = [f"`{of_run['command'].iloc[0]}`" for of_run in runs]
    return f"Printed by {' and '.join(commands)}."
