"""Job that reports which configurations have no features, as a table and a page."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from vibentropy.features.sets import load_outcomes
from vibentropy.files.logs import Progress
from vibentropy.files.tables import save_table
from vibentropy.report.html import write_page


def count_features(
    features: Mapping[str, Sequence[str | Path]], *, table: str | Path, page: str | Path, progress: Progress
) -> None:
    """Count the labelled configurations that each descriptor describes and those that it refuses.

    Parameters
    ----------
    features : dict of str to sequence of path-like
        By the name of the descriptor, what `FeatureSet.save` wrote. What a descriptor was not asked for (`one_in`) is
        not counted.
    table, page : path-like
        Files to write: one row per descriptor and data set with the number of ``labelled`` configurations, how many of
        them are ``described`` and ``set_aside``, and the ``reason`` of the first of these; and the page that shows it.
    progress : Progress
    """
    rows = []
    for descriptor, paths in features.items():
        for dataset, described, refused in map(load_outcomes, paths):
            reason = next((f"{name}: {reason}" for name, reason in refused.items()), "")
            rows.append((descriptor, dataset, described + len(refused), described, len(refused), reason))
    of_shards = pd.DataFrame(rows, columns=["descriptor", "dataset", "labelled", "described", "set_aside", "reason"])
    # The first reason of a data set is that of its first shard that has one.
    of_shards["reason"] = of_shards["reason"].replace("", None)
    kinds = {"labelled": "sum", "described": "sum", "set_aside": "sum", "reason": "first"}
    counts = of_shards.groupby(["descriptor", "dataset"], sort=False).agg(kinds).reset_index()
    progress.note(counts.to_string(index=False))
    save_table(counts, table)
    write_page(table, page, "Configurations without features")
