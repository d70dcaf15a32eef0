"""Jobs of a run: labels of the infinite crystal, of the lowest minima of each class."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.linalg import LinAlgError

from vibentropy.datasets.store import ConfigurationSet, load_table
from vibentropy.datasets.table import Status, usable
from vibentropy.errors import VibentropyError
from vibentropy.files.logs import Progress
from vibentropy.files.tables import save_table
from vibentropy.labels.infinite import infinite_entropy
from vibentropy.labels.labelling import refused
from vibentropy.potentials.finite_differences import watched
from vibentropy.potentials.from_config import identity, load_potential
from vibentropy.run.job_memory import spare_in_job
from vibentropy.run.provenance import attributes
from vibentropy.sources import archives
from vibentropy.sources.source import source_of


def infinite_part(
    configurations: str | Path,
    lattice: str | Path,
    output: str | Path,
    *,
    specifications: Mapping[str, Mapping[str, Any]],
    lowest: int,
    sizes: Sequence[int],
    part: int,
    parts: int,
    potential: Mapping[str, Any],
    gates: Mapping[str, Any],
    progress: Progress,
    mem_mb: int,
) -> None:
    """Label the minima of one job in the infinite crystal.

    Parameters
    ----------
    configurations : path-like
        Of all data sets, as written by `vibentropy.datasets.merge.merge`.
    lattice : path-like
        File of the crystal that recipes start from; not read where there are none.
    output : path-like
        For `ConfigurationSet.load`: each minimum in its largest cell, with the formation entropy of the infinite
        crystal; those that have none as they were, with the reason.
    specifications : dict of dict
        Data sets whose minima are taken, see `vibentropy.sources.source.Source.about`.
    lowest : int
        Of each class of defects, so many minima of the lowest energy.
    sizes : sequence of int
        See `infinite_entropy`.
    part, parts : int
        Number of the job, from 0, and of all jobs.
    potential : dict
        As in the configuration of a run.
    gates : dict
        Of `infinite_entropy`, see `vibentropy.run.settings.Labels.gates`.
    progress : Progress
    mem_mb : int
        See `vibentropy.run.steps.label.label_shard`.
    """
    table = load_table(configurations)
    rows = table[usable(table) & table["dataset"].isin(specifications)]
    chosen = rows.sort_values("formation_energy", kind="stable").groupby("defect_class").head(lowest).index.to_numpy()
    minima = ConfigurationSet.load(configurations, np.sort(chosen)[part::parts])
    progress.expect(len(minima))
    interaction = watched(load_potential(**potential), progress.note)
    sources = {name: source_of(name, block) for name, block in specifications.items()}
    perfect = {name: source.perfect(lattice) for name, source in sources.items()}
    others = {name: source.others(lattice) for name, source in sources.items()}
    settings: dict[str, Any] = {**gates, "sizes": sizes, "memory": spare_in_job(mem_mb), "note": progress.note}
    frames, labelled = [], []
    for atoms, (_, row) in zip(minima.frames, minima.table.iterrows(), strict=True):
        try:
            crystal = perfect[row["dataset"]](row, atoms.cell)
            found = infinite_entropy(atoms, crystal, interaction, **settings, others=others[row["dataset"]])
        except (VibentropyError, LinAlgError) as error:
            frames.append(atoms)
            labelled.append({**row, **refused(error), "formation_entropy": np.nan})
        else:
            frames.append(found.largest)
            labelled.append({**row, **_columns(row, found)})
        progress(row["id"])
    ConfigurationSet(frames, pd.DataFrame(labelled, columns=None if labelled else minima.table.columns)).save(output)


def _columns(row, found):
    """Columns of a minimum in its largest cell."""
    larger = np.cbrt(found.sites[-1] / row["n_sites"])
    repetitions = "x".join(str(round(int(n) * larger)) for n in row["repetitions"].split("x"))
    return {
        "n_atoms": len(found.largest),
        "n_sites": found.sites[-1],
        "repetitions": repetitions,
        "energy": np.nan,
        "formation_energy": found.energies[-1],
        "max_force": np.nan,
        "formation_entropy": found.value,
        "formation_entropy_per_atom_convention": np.nan,
        "formation_entropy_infinite_uncertainty": found.uncertainty,
        "formation_entropy_of_its_cell": row["formation_entropy"],
        "smallest_eigenvalue": np.nan,
        "label_source": "infinite",
        **{f"formation_entropy_{n}_sites": s for n, s in zip(found.sites, found.entropies, strict=True)},
    }


def pack_infinite(
    parts: Iterable[str | Path],
    reference: str | Path,
    output: str | Path,
    table: str | Path,
    *,
    specification: Mapping[str, Any],
    potential: Mapping[str, Any],
    config: Mapping[str, Any],
    read: Iterable[str | Path],
) -> None:
    """Put the minima of all jobs into an archive, and what became of each into a table.

    Parameters
    ----------
    parts : iterable of path-like
        From `infinite_part`.
    reference : path-like
        An archive of the same crystal, or a file of it (`Crystal.load`).
    output : path-like
        For `vibentropy.sources.archives.read_archive`.
    table : path-like
        CSV, one row for each minimum, with the reason where it has no label.
    specification : dict
        Of the data set that the reference is of, see `vibentropy.sources.source.Source.about`.
    potential : dict
        As in the configuration of a run.
    config, read
        See `vibentropy.run.steps.features.compute_features`.
    """
    sets = [one for one in map(ConfigurationSet.load, parts) if len(one)]
    rows = pd.concat([one.table for one in sets], ignore_index=True)
    save_table(rows.sort_values(["defect_class", "formation_energy"], kind="stable"), table)
    whole = ConfigurationSet([atoms for one in sets for atoms in one.frames], rows)
    labelled = whole.subset(np.flatnonzero(rows["status"] == Status.LABELLED))
    crystal = archives.crystal_of(reference)
    archives.write_archive(
        output,
        labelled,
        crystal,
        others=source_of("", specification).others(reference),
        potential=identity(potential),
        **attributes(config, read, sections=["data"]),
    )
