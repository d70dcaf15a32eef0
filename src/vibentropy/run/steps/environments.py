"""Job of a run: the environments of atoms that a kernel is summed over."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from vibentropy.datasets.store import ConfigurationSet, load_table
from vibentropy.datasets.table import usable
from vibentropy.descriptors import create
from vibentropy.features.extensive import bulk_features
from vibentropy.files.logs import Progress
from vibentropy.run.provenance import attributes
from vibentropy.sources.source import source_of
from vibentropy.studies.atom_kernel import Environments, evenly_spread_cells


def choose_environments(
    configurations: str | Path,
    lattice: str | Path,
    output: str | Path,
    *,
    specification: Mapping[str, Any],
    descriptor: Mapping[str, Any],
    number: int,
    config: Mapping[str, Any],
    read: Iterable[str | Path],
    progress: Progress,
) -> None:
    """Choose environments of atoms from the training sets.

    Parameters
    ----------
    configurations : path-like
        Of all data sets, as written by `vibentropy.datasets.merge.merge`.
    lattice, specification
        See `vibentropy.run.steps.features.compute_features`; of the first training set.
    output : path-like
        For `Environments.load`.
    descriptor : dict
        ``kind`` and parameters of one that has values of atoms.
    number : int
        Of environments.
    config, read, progress
        See `vibentropy.run.steps.features.compute_features`.
    """
    table = load_table(configurations)
    described = create(**descriptor)
    training = np.flatnonzero(usable(table) & (table["role"] == "train").to_numpy())
    training = training[evenly_spread_cells(table["n_atoms"][training].tolist(), described.n_features)]
    environments = Environments.choose(
        described,
        ConfigurationSet.load(configurations, training).frames,
        bulk_features(described, source_of("training", specification).unstrained(lattice)),
        number,
        config["seed"],
    )
    progress.note(f"{len(environments.points)} environments of atoms from {len(training)} training cells")
    environments.save(
        output,
        units="origin and scale as the descriptor defines its features, points in units of the scale",
        **attributes(config, read, sections=["nonlinear"]),
    )
