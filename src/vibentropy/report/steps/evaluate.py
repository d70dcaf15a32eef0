"""Job that reports errors and coverage of all models, as tables and pages."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

from vibentropy.evaluation.coverage import against_goal, coverage_table
from vibentropy.evaluation.fitting import load_fits
from vibentropy.evaluation.metrics import RESOLVED, metrics_table, named_tests, scored_on_different_cells, summary_table
from vibentropy.evaluation.predictions import load_predictions
from vibentropy.files.logs import Progress
from vibentropy.files.tables import save_table
from vibentropy.report.html import write_page


class Outputs(Protocol):
    """Tables of errors to write; pages show the tables that they are named after."""

    metrics: str
    metrics_page: str
    metrics_json: str
    coverage: str
    coverage_page: str
    summary: str
    summary_page: str


def evaluate(
    predictions: Sequence[str | Path],
    fits: Sequence[str | Path],
    output: Outputs,
    *,
    tests: Mapping[str, Sequence[str]],
    progress: Progress,
) -> None:
    """Compare predictions with labels: errors, coverage of intervals, and one row for each model.

    Parameters
    ----------
    predictions, fits : sequence of path-like
        Of all models, as `vibentropy.run.steps.fit.fit` writes them.
    output : Outputs
    tests : dict of str to sequence of str
        Data sets of each named test, see `vibentropy.evaluation.metrics.named_tests`.
    progress : Progress
    """
    rows = named_tests(load_predictions(*predictions), tests)
    for line in scored_on_different_cells(rows):
        progress.note(line)
    metrics, coverage = (table(rows, [*RESOLVED, "test"]) for table in (metrics_table, coverage_table))
    summary = summary_table(metrics, coverage, load_fits(*fits))
    errors = summary.filter(regex="^(descriptor|regressor|split)$|_mae$")
    progress.note(f"mean absolute errors, k_B:\n{errors.to_string(index=False, float_format='%.3f')}")
    if (coverage["method"] == "calibrated").any():
        text = against_goal(coverage).to_string(index=False, float_format="%.0f", na_rep="")
        progress.note(f"coverage of calibrated intervals, and of those of cells inside the domain, %:\n{text}")
    save_table(metrics, output.metrics)
    write_page(output.metrics, output.metrics_page, "Errors by data set, class and cell size")
    save_table(metrics, output.metrics_json)
    save_table(coverage, output.coverage)
    write_page(output.coverage, output.coverage_page, "Coverage of the error bars")
    save_table(summary, output.summary)
    write_page(output.summary, output.summary_page, "Models, one row each")
