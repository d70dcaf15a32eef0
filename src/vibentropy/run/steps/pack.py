"""Job of a run: a data set as an archive."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from vibentropy.atoms.crystal import Crystal
from vibentropy.datasets.store import ConfigurationSet, load_table
from vibentropy.datasets.table import SITE_ENTROPY, usable
from vibentropy.files.logs import Progress
from vibentropy.potentials.from_config import identity, load_potential
from vibentropy.run.provenance import attributes
from vibentropy.sources import archives
from vibentropy.sources.source import source_of


def pack(
    configurations: str | Path,
    resolved: Iterable[str | Path],
    lattice: str | Path,
    output: str | Path,
    *,
    dataset: str,
    specification: Mapping[str, Any],
    potential: Mapping[str, Any],
    config: Mapping[str, Any],
    read: Iterable[str | Path],
    progress: Progress,
) -> None:
    """Write what can be used of a data set as an archive.

    Parameters
    ----------
    configurations : path-like
        Of all data sets, as written by `vibentropy.datasets.merge.merge`.
    resolved : iterable of path-like
        As `vibentropy.run.steps.resolve.resolve_part` writes them; those of other data sets are passed over.
    lattice : path-like
        File of the crystal that recipes start from.
    output : path-like
        For `vibentropy.sources.archives.read_archive`, with the rows of minima of this data set that repeat another
        one. Forces are those at the rounded positions that are in it.
    dataset, specification
        See `vibentropy.run.steps.features.compute_features`.
    potential : dict
        As in the configuration of a run.
    config, read, progress
        See `vibentropy.run.steps.features.compute_features`.
    """
    table = load_table(configurations)
    mine = (table["dataset"] == dataset).to_numpy()
    distinct = mine & usable(table)
    again = (
        mine & usable(table, exclude_duplicates=False) & table["duplicate_of"].isin(table["id"][distinct]).to_numpy()
    )
    crystal = Crystal.load(lattice)
    packed = archives.rounded(ConfigurationSet.load(configurations, distinct), crystal)
    progress.expect(len(packed))
    interaction = load_potential(**potential)
    for index, atoms in enumerate(packed.frames):
        _, forces = interaction.energy_and_forces(atoms)
        packed.table.loc[index, "max_force"] = np.linalg.norm(forces, axis=1).max()
        progress(packed.table["id"][index])
    repeats = table[again].reset_index(drop=True)
    repeats["max_force"] = packed.table.set_index("id")["max_force"].loc[repeats["duplicate_of"]].to_numpy()
    frames = dict(zip(packed.table["id"], packed.frames, strict=True))
    for path in resolved:
        part = ConfigurationSet.load(path)
        for name, atoms in zip(part.table["id"], part.frames, strict=True):
            if name in frames:
                frames[name].set_array(SITE_ENTROPY, atoms.arrays[SITE_ENTROPY])
    source = source_of(dataset, specification)
    archives.write_archive(
        output,
        packed,
        crystal,
        repeats,
        source.others(lattice),
        archives.random_cells_of(source, lattice),
        potential=identity(potential),
        **attributes(config, read, sections=["data"]),
    )
