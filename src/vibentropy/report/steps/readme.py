"""Job that writes the errors of a run beside those of others, and their table into a README."""

from collections.abc import Sequence
from pathlib import Path

from vibentropy.datasets.store import load_element
from vibentropy.evaluation.metrics import load_summary
from vibentropy.report.readme_table import errors_of_run, write_table
from vibentropy.studies.cost_and_error import load_costs


def write_results(
    summary: str | Path,
    descriptors: Sequence[str | Path],
    configurations: str | Path,
    *,
    readme: str | Path,
    folder: str | Path,
    tests: Sequence[str],
    run: str,
    command: str,
) -> None:
    """Write the errors of a run into a folder, and a table of all runs of that folder into a README.

    Parameters
    ----------
    summary : path-like
        Table of `vibentropy.evaluation.metrics.summary_table`.
    descriptors : sequence of path-like
        Tables of `vibentropy.studies.cost_and_error.describe_cost`.
    configurations : path-like
        Of all data sets, as written by `vibentropy.datasets.merge.merge`.
    readme, folder
        See `vibentropy.report.readme_table.write_table`.
    tests, run, command
        See `vibentropy.report.readme_table.errors_of_run`.
    """
    models, costs = load_summary(summary), load_costs(*descriptors)
    own = errors_of_run(models, costs, tests, run=run, command=command, element=load_element(configurations))
    write_table(own, readme, folder)
