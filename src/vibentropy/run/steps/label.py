"""Job of a run: exact labels of a shard of configurations."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from vibentropy.datasets.store import ConfigurationSet
from vibentropy.datasets.table import Status
from vibentropy.files.logs import Progress
from vibentropy.labels.labelling import Labeller
from vibentropy.potentials.finite_differences import watched
from vibentropy.potentials.from_config import identity, load_potential
from vibentropy.potentials.response_file import ResponseFile
from vibentropy.run.job_memory import spare_in_job
from vibentropy.run.provenance import attributes
from vibentropy.sources.source import source_of


def label_shard(
    structures: str | Path,
    lattice: str | Path,
    output: str | Path,
    *,
    dataset: str,
    specification: Mapping[str, Any],
    potential: Mapping[str, Any],
    settings: Mapping[str, Any],
    config: Mapping[str, Any],
    read: Iterable[str | Path],
    progress: Progress,
    mem_mb: int,
) -> None:
    """Label the relaxed configurations of a shard.

    Finite differences keep their forces beside the output until that is written: a job that is killed, and started
    again, computes those that are missing.

    Parameters
    ----------
    structures : path-like
        Configurations, as written by `ConfigurationSet.save`.
    lattice, dataset, specification
        See `vibentropy.run.steps.features.compute_features`.
    output : path-like
        For `ConfigurationSet.load`.
    potential : dict
        As in the configuration of a run.
    settings : dict
        Of `Labeller`, see `vibentropy.run.settings.Labels.settings`.
    config, read, progress
        See `vibentropy.run.steps.features.compute_features`.
    mem_mb : int
        Memory of the job, see `vibentropy.run.memory.labels_memory`; what does not fit waits on disk.
    """
    configurations = ConfigurationSet.load(structures)
    progress.expect((configurations.table["status"] == Status.RELAXED).sum())
    forces = ResponseFile(f"{output}.forces.partial", identity(potential), progress.note)
    interaction = watched(load_potential(**potential), progress.note, forces)
    source = source_of(dataset, specification)
    labeller = Labeller(
        interaction,
        **settings,
        others=source.others(lattice),
        memory=spare_in_job(mem_mb),
        note=progress.note,
    )
    configurations = labeller.label(configurations, source.perfect(lattice), progress, relax=source.relaxes)
    configurations.attributes |= attributes(config, read)
    configurations.save(output)
    forces.close(complete=True)
