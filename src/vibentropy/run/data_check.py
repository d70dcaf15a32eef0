"""A look at data before hours are spent on it: what can be used, what cannot, and why."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from vibentropy.atoms.checks import check_crystal
from vibentropy.atoms.neighbours import check_sites
from vibentropy.datasets.duplicates import mark_duplicates
from vibentropy.datasets.table import Status, usable
from vibentropy.descriptors import create
from vibentropy.errors import VibentropyError
from vibentropy.files.facts import counted
from vibentropy.labels.determinants import of_whose
from vibentropy.learning.sufficiency import too_few
from vibentropy.potentials.from_config import is_analytic, load_potential
from vibentropy.sources.any_file import read_any

#: Cells whose forces are computed where that is slow: of a potential without an analytic Hessian.
LOOKED_AT = 20

#: Energies (eV) of relaxed cells that differ by less are of one minimum: forces of 1e-4 eV/Å are worth less than that.
SAME_ENERGY = 1e-6

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
    minima : int
        Number of distinct ones that can be used, as far as energies tell; at most so many.
    warning : str
        What a run would do, and what it would be worth little for; empty where there is nothing to say.
    """

    name: str
    counts: dict[str, int] = field(default_factory=dict)
    facts: dict[str, str] = field(default_factory=dict)
    rejected: list[str] = field(default_factory=list)
    problem: str = ""
    trajectories: int = 0
    minima: int = 0
    warning: str = ""


def inspect_configuration(config: Config) -> Iterator[Inspection]:
    """Check the data sets of a run, one at a time, by reading their files.

    Parameters
    ----------
    config : Config

    Yields
    ------
    Inspection
        One for each data set, and for each class of published arrays; recipes are counted, not made. One more where
        there are fewer trajectories to train on than folds, and one for each descriptor with more features than there
        are minima to train on.
    """
    trained_on, unreadable, folds = 0, False, config.evaluation.folds
    minima: dict[str, int] = {}
    for name, source in config.sources.items():
        training = source.role == "train"
        if planned := source.planned():
            facts = {"trajectories": str(planned.trajectories), "role": source.role}
            trained_on += training * planned.trajectories
            minima[name] = planned.configurations
            yield Inspection(name, {"planned": planned.configurations}, facts)
            continue
        for part, content in source.readings().items():
            inspection = _inspect(source, part, content, config)
            minima[name] = minima.get(name, 0) + inspection.minima
            inspection.facts["role"] = source.role
            trained_on += training * inspection.trajectories
            unreadable |= bool(inspection.problem)
            yield inspection
    if not unreadable and trained_on < folds:
        problem = (
            f"{folds} folds of {counted(trained_on, 'trajectory', 'trajectories')} to train on: take fewer folds, or "
            "more trajectories. All of a file is one, unless `group_key` names the key under which its configurations "
            "say which they are of"
        )
        yield Inspection("evaluation.folds", problem=problem)
    for name, block in config.descriptors.items():
        learnt = sum(minima[one] // config.one_in(name, one) for one in config.with_role("train") if one in minima)
        warning = None if unreadable else too_few(learnt, create(**block).n_features)
        if warning:
            yield Inspection(f"descriptors.{name}", warning=warning)


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
    return _inspect(source, source.name, None, None)


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
        Configurations that are no periodic crystals, or have two atoms on one site, are rejected.
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


def _inspect(source: Source, name: str, content: Any, config: Config | None) -> Inspection:
    try:
        configurations = source.read(content)
        warning = _forces(source, configurations, config) if config and source.computed else ""
    except VibentropyError as error:
        return Inspection(name, problem=str(error))
    table = configurations.table
    inspection = Inspection(name, {str(status): int(n) for status, n in table["status"].value_counts().items()})
    inspection.warning, inspection.minima = warning, _distinct(table, config)
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


def _forces(source, configurations, config):
    """Compute the energies of cells that are to be labelled, and say how many of them labels would refuse."""
    if source.relaxes:
        return ""
    table, potential = configurations.table, load_potential(**config.potential)
    rows = np.flatnonzero(table["status"] == Status.RELAXED)
    if not is_analytic(config.potential) and len(rows) > LOOKED_AT:
        rows = rows[np.linspace(0, len(rows) - 1, LOOKED_AT).astype(int)]
    forces = []
    for index in rows:
        try:
            energy, of_atoms = potential.energy_and_forces(configurations.frames[index])
        except VibentropyError as error:
            error.locate(table["id"][index])
            raise
        table.loc[index, "energy"] = energy
        forces.append(np.linalg.norm(of_atoms, axis=1).max())
    refused = np.flatnonzero(~(np.array(forces) <= config.labels.max_force))
    if not len(refused):
        return ""
    worst = table["id"][rows[np.argmax(forces)]]
    return (
        f"{len(refused)} of {len(rows)} cells have forces above {config.labels.max_force:.1e} eV/Å"
        f"{of_whose(potential)}, up to {np.max(forces):.2e} in {worst}: they would get no label; say `relax: true` in "
        "the data set to have the run relax them"
    )


def _distinct(table, config):
    """Count the minima that can be used, once each as far as energies tell."""
    tolerances = config.labels.duplicates.tolerances if config else {}
    labelled = mark_duplicates(table, *tolerances.values())
    relaxed = table[table["status"] == Status.RELAXED]
    count = int(usable(labelled).sum() + relaxed["energy"].isna().sum())
    for _, energies in relaxed[relaxed["energy"].notna()].groupby(["n_atoms", "n_sites"])["energy"]:
        count += 1 + int((np.diff(np.sort(energies)) > SAME_ENERGY).sum())
    return count


def _range(values):
    low, high = np.min(values), np.max(values)
    return f"{low:g}" if low == high else f"{low:g} to {high:g}"
