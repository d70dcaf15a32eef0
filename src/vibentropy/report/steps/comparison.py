"""Job that reports models side by side: errors, number of features and cost, as a table, a page and a figure."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from vibentropy.evaluation.metrics import load_summary
from vibentropy.files.tables import save_table
from vibentropy.report.figures.cost_and_error import cost_and_error_figure
from vibentropy.report.figures.style import save_figure
from vibentropy.report.html import write_page
from vibentropy.run.provenance import origin
from vibentropy.studies.cost_and_error import comparison_table, load_costs


def compare(
    summary: str | Path,
    descriptors: Sequence[str | Path],
    *,
    table: str | Path,
    page: str | Path,
    figure: str | Path,
    figure_pdf: str | Path,
    tests: Sequence[str],
    config: Mapping[str, Any],
) -> None:
    """Show models side by side: errors beside the number of features and the cost.

    Parameters
    ----------
    summary : path-like
        Table of `vibentropy.evaluation.metrics.summary_table`.
    descriptors : sequence of path-like
        Tables of `vibentropy.studies.cost_and_error.describe_cost`.
    table, page, figure, figure_pdf : path-like
        Files to write.
    tests : sequence of str
        Names of tests; the figure shows the errors of the first that has any.
    config : dict
        Of the run, as returned by `vibentropy.run.config.validate`.
    """
    models = load_summary(summary)
    costs = load_costs(*descriptors)
    rows = comparison_table(models, costs, tests)
    save_table(rows, table)
    write_page(table, page, "Errors, number of features and cost")
    # All cells of a test may repeat others, or have no features.
    tested = [name for name in tests if f"{name}_mae" in rows]
    save_figure(cost_and_error_figure(rows, tested[:1]), figure, figure_pdf, source=origin(config))
