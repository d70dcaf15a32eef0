"""Job of a run: shares of atoms in the entropies of some minima, exact and as a model predicts them."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from vibentropy.datasets.export import write_extxyz
from vibentropy.datasets.store import ConfigurationSet, load_table
from vibentropy.descriptors import create
from vibentropy.features.extensive import crystals_by_dataset
from vibentropy.features.sets import load_by_dataset
from vibentropy.files.logs import Progress
from vibentropy.learning.folds import load_folds
from vibentropy.learning.registry import create_regressor
from vibentropy.sources.source import source_of
from vibentropy.studies.site_maps import mapped, unseen_fits


def map_atoms(
    minima: str | Path,
    configurations: str | Path,
    folds: str | Path,
    features: Iterable[str | Path],
    lattice: str | Path,
    output: str | Path,
    *,
    datasets: Mapping[str, Mapping[str, Any]],
    descriptor: Mapping[str, Any],
    regressor: Mapping[str, Any],
    exclude_duplicates: bool,
    progress: Progress,
) -> None:
    """Predict the shares of the atoms of minima by models that have not seen them.

    Parameters
    ----------
    minima : path-like
        Configurations resolved by atoms, as from `vibentropy.studies.site_maps.chosen_minima`.
    configurations, folds, features
        Of the training sets, see `vibentropy.run.steps.fit.fit`.
    lattice : path-like
        File of the crystal that recipes start from; not read for other data sets.
    output : path-like
        Extended XYZ to write.
    datasets : dict of dict
        Specifications of the data sets by name, as in the configuration of a run.
    descriptor, regressor, exclude_duplicates
        See `vibentropy.run.steps.fit.fit`.
    progress : Progress
    """
    chosen = ConfigurationSet.load(minima)
    fit_of = unseen_fits(
        create_regressor(**regressor),
        load_table(configurations),
        load_by_dataset(features),
        load_folds(folds),
        exclude_duplicates,
    )
    described = create(**descriptor)
    sources = {name: source_of(name, datasets[name]) for name in set(chosen.table["dataset"])}
    frames = mapped(chosen, described, fit_of, crystals_by_dataset(described, sources, lattice))
    table = pd.DataFrame([atoms.info for atoms in frames])
    progress.note(table.to_string(index=False))
    write_extxyz(output, frames, table)
