"""Job that writes the table of models side by side, for a report and for a browser."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from vibentropy.datasets.store import load_element
from vibentropy.evaluation.metrics import load_summary
from vibentropy.files.atomic import atomic
from vibentropy.report.html import write_results
from vibentropy.report.results_table import results_page
from vibentropy.studies.cost_and_error import load_costs


def write_summary(
    summary: str | Path,
    descriptors: Sequence[str | Path],
    configurations: str | Path,
    *,
    text: str | Path,
    page: str | Path,
    figure: str | Path,
    tests: Mapping[str, Sequence[str]],
) -> None:
    """Write the table of results of a run, as Markdown and as a page below the figure that matters most.

    Parameters
    ----------
    summary : path-like
        Table of `vibentropy.evaluation.metrics.summary_table`.
    descriptors : sequence of path-like
        Tables of `vibentropy.studies.cost_and_error.describe_cost`.
    configurations : path-like
        Of all data sets, as written by `vibentropy.datasets.merge.merge`.
    text, page : path-like
        Files to write, in Markdown and HTML.
    figure : path-like
        PNG for the page.
    tests
        See `vibentropy.report.results_table.results_page`.
    """
    models = load_summary(summary)
    costs = load_costs(*descriptors)
    written = results_page(models, costs, tests, load_element(configurations))
    with atomic(text) as path:
        path.write_text(written, encoding="utf-8")
    write_results(written, page, figure)
