"""Job that reports speed and memory of descriptors, labels, Hessians, predictions and fits, as tables and figures."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from vibentropy.files.logs import Progress
from vibentropy.files.tables import save_table
from vibentropy.report.figures.style import save_figure
from vibentropy.report.figures.timing import cost_figure, label_figure, scale_figure, speed_figure
from vibentropy.report.html import write_page
from vibentropy.run.provenance import origin
from vibentropy.studies.benchmark.tables import (
    compare_fits,
    compare_hessians,
    compare_labels,
    compare_predictions,
    gather,
    largest,
    load,
    scaling,
)


class Outputs(Protocol):
    """Files of the benchmark to write; pages show the tables they are named after, figures are PNG and PDF."""

    table: str
    table_page: str
    scaling: str
    scaling_page: str
    cost: str
    cost_pdf: str
    speed: str
    speed_pdf: str
    predictions: str
    predictions_page: str
    hessians: str
    hessians_page: str
    fits: str
    fits_page: str
    scale: str
    scale_pdf: str


class LabelOutputs(Protocol):
    """Files about labels to write, likewise."""

    table: str
    table_page: str
    cost: str
    cost_pdf: str


def show_benchmark(
    measurements: Sequence[str | Path],
    labels: Sequence[str | Path],
    hessians: Sequence[str | Path],
    predictions: Sequence[str | Path],
    fits: Sequence[str | Path],
    output: Outputs,
    *,
    config: Mapping[str, Any],
    progress: Progress,
) -> None:
    """Show measurements of the benchmark, put together, as tables, pages and figures.

    Parameters
    ----------
    measurements, labels, hessians, predictions, fits : sequence of path-like
        Tables of `vibentropy.studies.benchmark.measure.measure`.
    output : Outputs
    config : dict
        Of the run, as returned by `vibentropy.run.config.validate`.
    progress : Progress
    """
    table, measured_labels = gather(load(*measurements)), load(*labels)
    growth = scaling(table)
    prediction_table = compare_predictions(load(*predictions), measured_labels)
    hessian_table = compare_hessians(load(*hessians))
    fit_table = compare_fits(load(*fits))
    for rows in (largest(table), growth, hessian_table, prediction_table, fit_table):
        progress.note(rows.to_string(index=False))
    for rows, path, page, title in [
        (table, output.table, output.table_page, "Speed and memory of descriptors"),
        (growth, output.scaling, output.scaling_page, "Growth of the cost of descriptors"),
        (hessian_table, output.hessians, output.hessians_page, "Speed and memory of MEAM Hessians"),
        (prediction_table, output.predictions, output.predictions_page, "Speed and memory of predictions"),
        (fit_table, output.fits, output.fits_page, "Speed and memory of fits"),
    ]:
        save_table(rows, path)
        write_page(path, page, title)
    source = origin(config, ["benchmark"])
    save_figure(cost_figure(table), output.cost, output.cost_pdf, source=source)
    save_figure(speed_figure(table), output.speed, output.speed_pdf, source=source)
    figure = scale_figure(prediction_table, compare_labels(measured_labels))
    save_figure(figure, output.scale, output.scale_pdf, source=source)


def show_labels(
    labels: Sequence[str | Path], output: LabelOutputs, *, config: Mapping[str, Any], progress: Progress
) -> None:
    """Show measurements of all ways to an exact label, put together, as a table, a page and a figure.

    Parameters
    ----------
    labels : sequence of path-like
        Tables of `vibentropy.studies.benchmark.measure.measure`.
    output : LabelOutputs
    config : dict
        Of the run, as returned by `vibentropy.run.config.validate`.
    progress : Progress
    """
    table = compare_labels(load(*labels))
    progress.note(table.to_string(index=False))
    save_table(table, output.table)
    write_page(output.table, output.table_page, "Speed and memory of exact labels")
    save_figure(label_figure(table), output.cost, output.cost_pdf, source=origin(config, ["benchmark"]))
