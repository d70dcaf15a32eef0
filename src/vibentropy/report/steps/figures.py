"""Job that draws the figures of predictions and labels that every report has."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from vibentropy.datasets.store import load_element, load_table
from vibentropy.datasets.table import usable
from vibentropy.evaluation.predictions import load_predictions
from vibentropy.report.figures.distributions import distribution_figure
from vibentropy.report.figures.predictions import extrapolation_figure, parity_figure
from vibentropy.report.figures.reliability import reliability_figure
from vibentropy.report.figures.style import save_figure
from vibentropy.run.provenance import origin


class Outputs(Protocol):
    """Figures that every run has, to write as PNG and PDF."""

    parity: str
    parity_pdf: str
    extrapolation: str
    extrapolation_pdf: str
    reliability: str
    reliability_pdf: str
    labels: str
    labels_pdf: str


def figures(
    predictions: Sequence[str | Path],
    configurations: str | Path,
    output: Outputs,
    *,
    exclude_duplicates: bool,
    tests: Mapping[str, Sequence[str]],
    config: Mapping[str, Any],
) -> None:
    """Draw parity, extrapolation and reliability of all models, and the labels of the training sets.

    Parameters
    ----------
    predictions : sequence of path-like
        Of all models, as `vibentropy.run.steps.fit.fit` writes them.
    configurations : path-like
        Of all data sets, as written by `vibentropy.datasets.merge.merge`.
    output : Outputs
    exclude_duplicates : bool
        See `vibentropy.datasets.table.usable`.
    tests : dict of sequence of str
        See `vibentropy.report.figures.predictions.extrapolation_figure`.
    config : dict
        Of the run, as returned by `vibentropy.run.config.validate`.
    """
    source = origin(config)
    rows = load_predictions(*predictions)
    save_figure(parity_figure(rows), output.parity, output.parity_pdf, source=source)
    save_figure(extrapolation_figure(rows, tests), output.extrapolation, output.extrapolation_pdf, source=source)
    save_figure(reliability_figure(rows), output.reliability, output.reliability_pdf, source=source)
    table = load_table(configurations)
    shown = usable(table, exclude_duplicates) & (table["role"] == "train").to_numpy()
    labels = distribution_figure(table[shown], load_element(configurations))
    save_figure(labels, output.labels, output.labels_pdf, source=source)
