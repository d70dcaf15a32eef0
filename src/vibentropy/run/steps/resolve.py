"""Job of a run: labels resolved by atoms, of some of the training configurations."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from vibentropy.datasets.store import ConfigurationSet, load_table
from vibentropy.datasets.table import Status, usable
from vibentropy.files.logs import Progress
from vibentropy.labels.labelling import Labeller
from vibentropy.potentials.from_config import load_potential
from vibentropy.sources.source import source_of


def resolve_part(
    configurations: str | Path,
    lattice: str | Path,
    output: str | Path,
    *,
    datasets: Mapping[str, Mapping[str, Any]],
    number: int,
    part: int,
    per_job: int,
    potential: Mapping[str, Any],
    gates: Mapping[str, Any],
    progress: Progress,
) -> None:
    """Resolve the labels of one job by atoms.

    Parameters
    ----------
    configurations : path-like
        Of all data sets, as written by `vibentropy.datasets.merge.merge`.
    lattice : path-like
        File of the crystal that recipes start from.
    output : path-like
        For `ConfigurationSet.load`, with `vibentropy.datasets.table.SITE_ENTROPY`.
    datasets : dict of dict
        Specifications of those made from recipes by name, as in the configuration of a run.
    number : int
        Of configurations of all jobs together: evenly over the ids of those that can be used, and so over classes and
        trajectories.
    part, per_job : int
        Number of the job, from 0, and of the configurations of each.
    potential : dict
        As in the configuration of a run.
    gates : dict
        Of `Labeller`, see `vibentropy.run.settings.Labels.gates`.
    progress : Progress
    """
    table = load_table(configurations)
    distinct = np.flatnonzero(usable(table) & table["dataset"].isin(list(datasets)))
    evenly = np.linspace(0, len(distinct) - 1, min(number, len(distinct))).round().astype(int)
    chosen = ConfigurationSet.load(configurations, distinct[evenly][part * per_job : (part + 1) * per_job])
    chosen.table["status"] = Status.RELAXED
    progress.expect(len(chosen))
    # All recipes of a run share the crystal, and the cells that solutes are compared with.
    source = next(source_of(*item) for item in datasets.items())
    labeller = Labeller(load_potential(**potential), **gates, site_entropies=True, others=source.others(lattice))
    labeller.label(chosen, source.perfect(lattice), progress).save(output)
