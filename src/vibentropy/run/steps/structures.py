"""Job of a run: configurations of one shard, made by a recipe, or read from files, archives or arrays."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from vibentropy.datasets.table import Status
from vibentropy.run.provenance import attributes
from vibentropy.sources.source import Workshop, source_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from vibentropy.files.logs import Progress


def make_structures(
    output: str | Path,
    *,
    dataset: str,
    specification: Mapping[str, Any],
    content: list[Any],
    workshop: Workshop | None,
    config: Mapping[str, Any],
    read: Iterable[str | Path],
    progress: Progress,
) -> None:
    """Make or read a shard, and note what is set aside.

    Parameters
    ----------
    output : path-like
        For `ConfigurationSet.load`.
    dataset : str
        Name of the data set.
    specification : dict
        What `Source.about` says of it.
    content : list
        What is in the shard, from `Source.shards`.
    workshop : Workshop or None
        What recipes are made with; None for what is only read.
    config, read, progress
        See `vibentropy.run.steps.features.compute_features`.
    """
    if workshop is not None:
        progress.expect(len(content))
    configurations = source_of(dataset, specification).read(content, workshop, progress)
    for row in configurations.table[configurations.table["status"] == Status.REJECTED].itertuples():
        progress.note(f"{row.id} is set aside: {row.reason}")
    configurations.attributes |= attributes(config, read)
    configurations.save(output)
