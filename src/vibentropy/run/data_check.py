"""A look at data before hours are spent on it: what can be used, what cannot, and why."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from vibentropy.atoms.checks import check_crystal, check_one_element
from vibentropy.atoms.neighbours import check_sites
from vibentropy.datasets.table import Status
from vibentropy.errors import VibentropyError
from vibentropy.sources.any_file import read_any

if TYPE_CHECKING:
    from vibentropy.run.settings import Config
    from vibentropy.sources.source import Source


@dataclass
class Inspection:
    """What a check of data found in one data set or file.

    Attributes
    ----------
    name : str
    counts : dict of str to int
        Number of configurations by what becomes of them: ``labelled``, ``relaxed`` (entropies are still to be
        computed), ``rejected``, ``planned``; ``readable`` for files without a configuration.
    facts : dict of str to str
        Ranges and names, for people.
    rejected : list of str
        Place and reason of each configuration that cannot be used.
    problem : str
        Why a run would stop here; empty where it would not.
    trajectories : int
        Number of those that hold something that can be used, for data sets that were read.
    """

    name: str
    counts: dict[str, int] = field(default_factory=dict)
    facts: dict[str, str] = field(default_factory=dict)
    rejected: list[str] = field(default_factory=list)
    problem: str = ""
    trajectories: int = 0


def inspect_configuration(config: Config) -> Iterator[Inspection]:
    """Check the data sets of a run, one at a time, by reading their files.

    Parameters
    ----------
    config : Config

    Yields
    ------
    Inspection
        One for each data set, and for each class of published arrays; recipes are counted, not made. One more where
        there are fewer trajectories to train on than folds.
    """
    trained_on, unreadable, folds = 0, False, config.evaluation.folds
    for name, source in config.sources.items():
        training = source.role == "train"
        if planned := source.planned():
            facts = {"trajectories": str(planned.trajectories), "role": source.role}
            trained_on += training * planned.trajectories
            yield Inspection(name, {"planned": planned.configurations}, facts)
            continue
        for part, content in source.readings().items():
            inspection = _inspect(source, part, content)
            inspection.facts["role"] = source.role
            trained_on += training * inspection.trajectories
            unreadable |= bool(inspection.problem)
            yield inspection
    if not unreadable and trained_on < folds:
        problem = f"{folds} folds of {trained_on} trajectories to train on: expected no more folds than trajectories"
        yield Inspection("evaluation.folds", problem=problem)


def inspect_source(source: Source) -> Inspection:
    """Check a data set by reading it as a run would.

    Parameters
    ----------
    source : vibentropy.sources.source.Source
        That is read as a whole.

    Returns
    -------
    Inspection
    """
    return _inspect(source, source.name, None)


def inspect_frames(path: Path | str, file_format: str | None = None) -> Inspection:
    """Check a file of configurations without anything to compare it with.

    Parameters
    ----------
    path : path-like
    file_format : str, optional
        Name of ASE's format where the file does not tell.

    Returns
    -------
    Inspection
        Configurations that are no periodic crystals of one element, or have two atoms on one site, are rejected.
    """
    inspection = Inspection(str(path), {"readable": 0, "rejected": 0})
    sizes: list[int] = []
    formulas: set[str] = set()
    keys: set[str] = set()
    try:
        for number, atoms in enumerate(read_any(path, file_format)):
            sizes.append(len(atoms))
            formulas.update(atoms.get_chemical_symbols())
            keys.update(atoms.info, atoms.calc.results if atoms.calc else ())
            try:
                check_crystal(atoms)
                check_one_element(atoms)
                check_sites(atoms)
                inspection.counts["readable"] += 1
            except VibentropyError as error:
                inspection.counts["rejected"] += 1
                error.locate(path, f"frame {number}")
                inspection.rejected.append(str(error))
    except VibentropyError as error:
        inspection.problem = str(error)
    if sizes:
        inspection.facts = {"elements": ", ".join(sorted(formulas)), "atoms": _range(sizes)}
    if keys:
        inspection.facts["properties"] = ", ".join(sorted(keys))
    return inspection


def _inspect(source: Source, name: str, content: Any) -> Inspection:
    try:
        table = source.read(content).table
    except VibentropyError as error:
        return Inspection(name, problem=str(error))
    inspection = Inspection(name, {str(status): int(n) for status, n in table["status"].value_counts().items()})
    inspection.facts = {"atoms": _range(table["n_atoms"])}
    inspection.trajectories = table.loc[table["status"] != Status.REJECTED, "trajectory"].nunique()
    entropies = table.loc[table["status"] == Status.LABELLED, "formation_entropy"]
    if len(entropies):
        inspection.facts["entropies"] = f"{_range(entropies.round(2))} k_B"
    classes = sorted(set(table["defect_class"]) - {""})
    if classes:
        inspection.facts["classes"] = ", ".join(classes)
    for row in table[table["status"] == Status.REJECTED].itertuples():
        inspection.rejected.append(f"{row.id}: {row.reason}")
    return inspection


def _range(values):
    low, high = np.min(values), np.max(values)
    return f"{low:g}" if low == high else f"{low:g} to {high:g}"
