"""Job of a run: a small training set, chosen from the training minima.

The lowest minimum of each class of defects is in it; the others are those of largest leverage, given what was taken
before.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from vibentropy.datasets.store import ConfigurationSet, load_table
from vibentropy.errors import DataError
from vibentropy.features.sets import load_by_dataset
from vibentropy.files.logs import Progress
from vibentropy.learning.rows import match
from vibentropy.learning.selection import select
from vibentropy.potentials.from_config import identity
from vibentropy.run.provenance import attributes
from vibentropy.sources.archives import crystal_of, random_cells_of, read_header, write_archive
from vibentropy.sources.source import source_of


def choose(
    configurations: str | Path,
    features: Iterable[str | Path],
    reference: str | Path,
    output: str | Path,
    *,
    specification: Mapping[str, Any],
    number: int,
    config: Mapping[str, Any],
    read: Iterable[str | Path],
    progress: Progress,
) -> None:
    """Write those training minima as an archive that say most about the weights of a model.

    Parameters
    ----------
    configurations : path-like
        Of all data sets, as written by `vibentropy.datasets.merge.merge`.
    features : iterable of path-like
        Of one descriptor and all data sets, as written by `FeatureSet.save`.
    reference : path-like
        See `vibentropy.sources.archives.crystal_of`.
    output : path-like
        For `vibentropy.sources.archives.read_archive`; the minima are in the order of their data sets.
    specification : dict
        Of the data set that the reference is of, see `vibentropy.sources.source.Source.about`.
    number : int
        How many, at least one for each class; see `vibentropy.learning.selection.select`.
    config, read, progress
        See `vibentropy.run.steps.features.compute_features`.

    Raises
    ------
    DataError
        If there are more classes or fewer minima with label and features, or their crystal is not that of a lattice.
    """
    table = load_table(configurations)
    train, _ = match(table, load_by_dataset(features))
    rows = train.table.reset_index(drop=True)
    lowest = rows.sort_values("formation_energy", kind="stable").groupby("defect_class").head(1).index.to_numpy()
    if not len(lowest) <= number <= len(rows):
        raise DataError(
            f"number == {number} under `chosen`, expected from {len(lowest)}, the classes of the training minima, to "
            f"{len(rows)}, which have a label and features"
        )
    others = np.delete(np.arange(len(rows)), lowest)
    most = others[select(train.X[others], number - len(lowest), known=train.X[lowest])]
    ids = rows["id"].iloc[np.concatenate([lowest, most])]
    chosen = ConfigurationSet.load(configurations, table["id"].isin(ids).to_numpy())
    for name, of_class in chosen.table.groupby("defect_class"):
        progress.note(f"{len(of_class)} of {(train.table['defect_class'] == name).sum()} minima of class {name}")
    is_archive = Path(reference).suffix == ".h5"
    potential = read_header(reference).potential if is_archive else identity(config["potential"])
    crystal, source = crystal_of(reference), source_of("", specification)
    write_archive(
        output,
        chosen,
        crystal,
        others=source.others(reference),
        random=random_cells_of(source, reference),
        potential=potential,
        **attributes(config, read, sections=["data"]),
    )
