"""Job that puts the shards of all data sets together, and reports what became of the configurations."""

import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from vibentropy.datasets.merge import merge
from vibentropy.datasets.table import outcomes
from vibentropy.files.logs import Progress
from vibentropy.files.tables import save_table
from vibentropy.report.html import write_page
from vibentropy.run.provenance import attributes


def put_together(
    shards: Sequence[str | Path],
    *,
    data: str | Path,
    table: str | Path,
    counts: str | Path,
    page: str | Path,
    roles: Mapping[str, str],
    duplicates: Mapping[str, float],
    config: Mapping[str, Any],
    read: Iterable[str | Path],
    progress: Progress,
) -> None:
    """Merge shards, and count what became of the configurations: in the log, as a table and as a page.

    Parameters
    ----------
    shards : sequence of path-like
        Labelled configurations of all data sets, as written by `ConfigurationSet.save`.
    data, table : path-like
        Files to write: for `ConfigurationSet.load`, and its table.
    counts, page : path-like
        Files to write: table of `vibentropy.datasets.table.outcomes`, and the page that shows it.
    roles : dict of str to str
        By data set, see `vibentropy.datasets.merge.merge_tables`.
    duplicates : dict
        Tolerances ``energy`` (eV) and ``entropy`` (k_B), see `vibentropy.datasets.duplicates.mark_duplicates`.
    config, read, progress
        See `vibentropy.run.steps.features.compute_features`.
    """
    merged = merge(
        shards,
        data,
        roles,
        energy_tolerance=duplicates["energy"],
        entropy_tolerance=duplicates["entropy"],
        units="Å, eV, eV/Å, k_B; of each column at its data set",
        **attributes(config, read),
    )
    counted = outcomes(merged)
    progress.note(counted.to_string(index=False))
    print(counted.to_string(index=False), file=sys.stderr)
    save_table(merged, table)
    save_table(counted, counts)
    write_page(counts, page, "What became of every configuration")
