"""Job that writes the interactive page of a run."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from vibentropy.atoms.surroundings import Surroundings
from vibentropy.datasets.store import BLOCK, ConfigurationSet, load_element, load_table
from vibentropy.descriptors import create
from vibentropy.evaluation.predictions import load_predictions
from vibentropy.features.atom_labels import site_labels
from vibentropy.features.extensive import crystals_by_dataset
from vibentropy.features.sets import load_by_dataset
from vibentropy.files.logs import Progress
from vibentropy.learning.folds import load_folds
from vibentropy.learning.registry import create_regressor
from vibentropy.report.explorer import EXACT, shown_configurations, write_explorer
from vibentropy.run.provenance import origin
from vibentropy.sources.source import source_of
from vibentropy.studies.site_maps import PREDICTED, mapped, unseen_fits


def explore(
    predictions: Sequence[str | Path],
    configurations: str | Path,
    folds: str | Path,
    lattice: str | Path,
    page: str | Path,
    *,
    curves: str | Path | None,
    features: Mapping[str, Iterable[str | Path]],
    datasets: Mapping[str, Mapping[str, Any]],
    models: Mapping[str, Mapping[str, Mapping[str, Any]]],
    exclude_duplicates: bool,
    config: Mapping[str, Any],
    progress: Progress,
) -> None:
    """Write the page of a run: predictions of all models, and the shares of atoms by some that have not seen them.

    Parameters
    ----------
    predictions : sequence of path-like
        Of all models, as `vibentropy.run.steps.fit.fit` writes them.
    configurations, folds, lattice, datasets, exclude_duplicates
        See `vibentropy.run.steps.site_map.map_atoms`.
    page : path-like
        HTML to write.
    curves : path-like, optional
        Figure of learning curves.
    features : dict of iterable of path-like
        By name, for each descriptor of `models`: of its training sets.
    models : dict of dict
        By ``descriptor/regressor``, the blocks ``descriptor`` and ``regressor`` of models whose shares of atoms are
        shown.
    config : dict
        Of the run, as returned by `vibentropy.run.config.validate`.
    progress : Progress
    """
    shown = shown_configurations(load_predictions(*predictions))
    table = load_table(configurations)
    rows = pd.Index(table["id"]).get_indexer(shown["id"])
    shown["formation_energy"] = table["formation_energy"].to_numpy()[rows]
    described = {name: load_by_dataset(paths) for name, paths in features.items()}
    folds_of_all = load_folds(folds)
    sources = {name: source_of(name, datasets[name]) for name in shown["dataset"].unique()}
    of_models = {}
    # The best first, whose shares colour the atoms.
    for name in sorted(models, key=lambda name: list(shown).index(name) if name in shown else len(shown.columns)):
        blocks = models[name]
        regressor = create_regressor(**blocks["regressor"])
        of_descriptor = described[name.partition("/")[0]]
        fit_of = unseen_fits(regressor, table, of_descriptor, folds_of_all, exclude_duplicates)
        descriptor = create(**blocks["descriptor"])
        of_models[f"share by {name}"] = descriptor, fit_of, crystals_by_dataset(descriptor, sources, lattice)
    parts: list[Surroundings] = []
    shares: dict[str, list[Any]] = {name: [] for name in [*of_models, EXACT]}
    progress.expect(len(rows))
    for block in np.array_split(rows, -(-len(rows) // BLOCK)):
        cells = ConfigurationSet.load(configurations, block)
        exact = site_labels(cells)
        shares_of = {EXACT: [exact.get(name) for name in cells.table["id"]]}
        for name, (descriptor, fit_of, compared) in of_models.items():
            frames = mapped(cells, descriptor, fit_of, compared)
            shares_of[name] = [atoms.arrays[PREDICTED] for atoms in frames]
        for number, (atoms, name) in enumerate(zip(cells.frames, cells.table["id"], strict=True)):
            part = Surroundings.of(atoms)
            parts.append(part)
            for kind, of_cells in shares_of.items():
                of_cell = of_cells[number]
                shares[kind].append(None if of_cell is None else of_cell[part.index])
            progress(name)
    source = origin(config, ["maps"])
    write_explorer(page, shown, parts, shares, element=load_element(configurations), source=source, curves=curves)
