"""Job of a run: what a descriptor costs."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from vibentropy.datasets.store import ConfigurationSet
from vibentropy.datasets.table import Status
from vibentropy.descriptors import create
from vibentropy.files.logs import Progress
from vibentropy.files.tables import save_table
from vibentropy.studies.cost_and_error import describe_cost


def measure_cost(
    labels: str | Path, output: str | Path, *, name: str, descriptor: Mapping[str, Any], frames: int, progress: Progress
) -> None:
    """Measure what a descriptor costs for some of the labelled cells of a shard.

    Parameters
    ----------
    labels : path-like
        Labelled configurations, as written by `ConfigurationSet.save`.
    output : path-like
        Table to write, see `vibentropy.studies.cost_and_error.describe_cost`.
    name : str
        Of the descriptor in the configuration of the run.
    descriptor : dict
        ``kind`` and parameters.
    frames : int
        How many cells at most, evenly spread over the shard.
    progress : Progress
    """
    configurations = ConfigurationSet.load(labels)
    labelled = configurations.subset(configurations.table["status"] == Status.LABELLED).frames
    chosen = labelled[:: -(-len(labelled) // frames) or 1]
    table = describe_cost(name, create(**descriptor), chosen)
    progress.note(table.to_string(index=False))
    save_table(table, output)
