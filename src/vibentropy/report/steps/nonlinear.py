"""Job that reports functions of sums beside sums of functions, as a table, a page and a figure."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from vibentropy.files.logs import Progress
from vibentropy.files.tables import save_table
from vibentropy.report.figures.extensivity import extensivity_figure
from vibentropy.report.figures.style import save_figure
from vibentropy.report.html import write_page
from vibentropy.run.provenance import origin
from vibentropy.studies.extensivity import load_assessments, summarise


def show_extensivity(
    predictions: Sequence[str | Path],
    *,
    table: str | Path,
    page: str | Path,
    figure: str | Path,
    figure_pdf: str | Path,
    config: Mapping[str, Any],
    progress: Progress,
) -> None:
    """Show what extensivity is worth, as a table, a page and a figure.

    Parameters
    ----------
    predictions : sequence of path-like
        Tables of `vibentropy.studies.extensivity.assess`.
    table, page, figure, figure_pdf : path-like
        Files to write.
    config : dict
        Of the run, as returned by `vibentropy.run.config.validate`.
    progress : Progress
    """
    rows = load_assessments(*predictions)
    summary = summarise(rows)
    progress.note(summary.to_string(index=False))
    save_table(summary, table)
    write_page(table, page, "Functions of sums and sums of functions")
    save_figure(extensivity_figure(rows, summary), figure, figure_pdf, source=origin(config, ["nonlinear"]))
