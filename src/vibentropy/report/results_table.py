"""The table of results for people: Markdown, beside the published numbers, and its place in a README."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from vibentropy.errors import DataError
from vibentropy.files.atomic import atomic
from vibentropy.learning.folds import SPLITS
from vibentropy.learning.sufficiency import too_few
from vibentropy.sources.reference_work import reported_errors

#: Lines of a README that the results stand between.
BEGIN, END = "<!-- begin results -->", "<!-- end results -->"

#: What a model needs, by whether its descriptor asks a potential.
NEEDS = {False: "positions", True: "positions, potential"}

#: Name of the test that the article has a counterpart of.
EXTRAPOLATION = "extrapolation"


def results_page(
    summary: pd.DataFrame, descriptors: pd.DataFrame, tests: Mapping[str, Sequence[str]], element: str
) -> str:
    """Describe a run's results in Markdown: one row per model and split, and what the columns mean.

    Parameters
    ----------
    summary : pandas.DataFrame
        As from `vibentropy.evaluation.metrics.summary_table`.
    descriptors : pandas.DataFrame
        Rows from `vibentropy.studies.cost_and_error.describe_cost`.
    tests : dict of list of str
        Names of data sets by name of the test.
    element : str
        Published models of it are listed, too.

    Returns
    -------
    str
        Models of positions alone come first, then those that need a potential, then published ones, in italics. The
        first test has mean absolute and root mean square error and slope, others the first two. Of a model with several
        splits only the first row has its tests, unless they differ: they are of the fit to everything. Where models are
        tested on different numbers of cells, these stand beside the mean absolute errors, and a sentence says so. So it
        does where a model has fewer distinct minima to learn from than it needs.
    """
    tests = {name: datasets for name, datasets in tests.items() if f"{name}_mae" in summary}
    columns = ["cross_validation_mae", "cross_validation_rmse"]
    header = ["descriptor", "needs", "features", "regressor", "folds", "held out: MAE", "RMSE"]
    for number, name in enumerate(tests):
        errors = ["mae", "rmse", "slope"] if number == 0 else ["mae", "rmse"]
        columns += [f"{name}_{error}" for error in errors]
        header += [f"{name.replace('_', ' ')}: MAE", *("RMSE", "slope")[: len(errors) - 1]]
    rows = summary.merge(descriptors, on="descriptor", how="left", validate="many_to_one")
    rows = rows.sort_values(["needs_potential"], kind="stable")
    lines = [header, ["---"] * 5 + ["--:"] * len(columns)]
    tested: dict[tuple[str, str], list[str]] = {}
    counts = {name: summary[f"{name}_n"].dropna().astype(int) for name in ("cross_validation", *tests)}
    uneven = [name for name, of_models in counts.items() if of_models.nunique() > 1]
    for row in rows.to_dict("records"):
        split = SPLITS.get(row["split"], row["split"])
        count, selected = row["n_features"], row["n_selected"]
        features = f"{count}" if selected == count else f"{selected} of {count}"
        words = [f"`{row['descriptor']}`", NEEDS[row["needs_potential"]], features]
        numbers = [_number(row[name], name) + _count(row, name, uneven) for name in columns]
        held_out, of_tests = numbers[:2], numbers[2:]
        model = row["descriptor"], row["regressor"]
        repeated = tested.get(model) == of_tests
        tested.setdefault(model, of_tests)
        lines.append(
            [*words, f"`{row['regressor']}`", split, *held_out, *([""] * len(of_tests) if repeated else of_tests)]
        )
    published = _published(columns, element)
    notes = _notes(
        summary,
        tests,
        counts,
        uneven=bool(uneven),
        repeated=len(tested) < len(rows),
        published=bool(published),
    )
    table = "\n".join("| " + " | ".join(line) + " |" for line in lines + published)
    return f"{table}\n\n{' '.join(notes)}\n"


def _published(columns, element):
    """Lines of published models, in italics."""
    lines = []
    for reference in reported_errors(element):
        pairs = {"cross_validation": reference.held_out, EXTRAPOLATION: reference.extrapolation}
        printed = {
            f"{name}_{error}": value
            for name, pair in pairs.items()
            for error, value in zip(("mae", "rmse"), pair or (), strict=False)
        }
        words = [
            f"{reference.descriptor}, {reference.potential}",
            NEEDS[False],
            f"{reference.n_features or ''}",
            reference.regressor,
        ]
        numbers = [_number(printed[name], name) if name in printed else "" for name in columns]
        split = f"{SPLITS['file_order']}, sharing trajectories"
        lines.append([f"*{text}*" if text else "" for text in [*words, split, *numbers]])
    return lines


def _notes(summary, tests, counts, *, uneven, repeated, published):
    """Sentences below the table: what to do about too little data, what its columns mean, and what it leaves out."""
    notes = [f"**Too little data: {text}.**" for text in too_little(summary)]
    notes.append(
        f"Errors are in k_B. Held out: {_range(counts['cross_validation'])} training minima, each predicted by a model "
        "fitted to the other folds."
    )
    if uneven:
        notes.append(
            "Models with different numbers n of cells were not tested on the same ones: with `one_in`, a descriptor "
            "learns from fewer, with `tested_on` it is tested on fewer; `tables/features.csv` has the cells that it "
            "could not describe."
        )
    if published or len(set(summary["split"])) > 1:
        notes.append(
            "Unless folds keep trajectories together, near-copies of a minimum land in both training and test, and the "
            "error looks too small."
        )
    if tests and repeated:
        notes.append("Errors of test sets do not depend on the folds and are in the first row of each model.")
    for name, datasets in tests.items():
        cells = _range(counts[name])
        notes.append(f"{name.replace('_', ' ').capitalize()}: {cells} cells ({', '.join(datasets)}), never fitted to.")
    if published:
        notes.append(
            "In italics: as published by Lapointe et al. (2020), for another potential and other cells of up to 3456 "
            "sites."
        )
    return notes


def too_little(summary: pd.DataFrame) -> list[str]:
    """Say which models have fewer distinct minima to learn from than they need.

    Parameters
    ----------
    summary : pandas.DataFrame
        See `results_page`.

    Returns
    -------
    list of str
        Nothing where there are enough; else one text for each descriptor.
    """
    models = summary.dropna(subset=["cross_validation_n"]).drop_duplicates("descriptor")
    columns = (models[name] for name in ("descriptor", "cross_validation_n", "n_features"))
    said = {name: too_few(int(minima), int(features)) for name, minima, features in zip(*columns, strict=True)}
    return [f"`{descriptor}` has {text}" for descriptor, text in said.items() if text]


def write_between(path: Path | str, text: str, begin: str = BEGIN, end: str = END) -> None:
    """Put the table of results between two lines of a file, which becomes whole or stays as it was.

    Parameters
    ----------
    path : path-like
    text : str
    begin, end : str
        The lines, each once in the file, in this order; they stay.

    Raises
    ------
    DataError
        If the file or one of the lines is missing, or they are repeated or in the wrong order.
    """
    path = Path(path)
    if not path.is_file():
        raise DataError("there is no such file to write results into", path)
    lines = path.read_text(encoding="utf-8").splitlines()
    marks = [[k for k, line in enumerate(lines) if line.strip() == mark] for mark in (begin, end)]
    if [len(places) for places in marks] != [1, 1] or marks[0] > marks[1]:
        counts = " and ".join(f"{mark!r} {len(places)} times" for mark, places in zip((begin, end), marks, strict=True))
        raise DataError(f"expected the lines {begin!r} and {end!r} once each and in this order, found {counts}", path)
    (first,), (last,) = marks
    lines[first + 1 : last] = ["", *text.strip().splitlines(), ""]
    with atomic(path) as temporary:
        temporary.write_text("\n".join(lines) + "\n", encoding="utf-8")


def in_digits(value: float) -> str:
    """Write an error with two digits after the point, three where it is small, none where it is in the hundreds.

    Parameters
    ----------
    value : float

    Returns
    -------
    str
    """
    digits = 3 if abs(value) < 0.0995 else 2 if abs(value) < 99.5 else 0
    return f"{value:.{digits}f}"


def _number(value, name):
    """Error in digits, a slope with three after the point, nothing for NaN."""
    if np.isnan(value):
        return ""
    return f"{value:.3f}" if name.endswith("slope") else in_digits(value)


def _count(row, name, uneven):
    """Count cells beside a mean absolute error where models have different numbers of them."""
    block = name.removesuffix("_mae")
    return f" (n = {row[f'{block}_n']:.0f})" if block in uneven and not np.isnan(row[name]) else ""


def _range(counts):
    """Say how many cells models have."""
    return f"{counts.min()} to {counts.max()}" if counts.nunique() > 1 else f"{counts.max()}"
