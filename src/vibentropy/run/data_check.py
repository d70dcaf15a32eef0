"""A look at data before hours are spent on it: what can be used, what cannot, and why."""

from dataclasses import dataclass, field
from functools import partial

import numpy as np

from vibentropy.atoms.checks import check_crystal
from vibentropy.atoms.neighbours import check_sites
from vibentropy.errors import VibentropyError
from vibentropy.sources import archives, published_arrays, recipes
from vibentropy.sources.any_file import read_any
from vibentropy.sources.user_files import ingest


@dataclass
class Inspection:
    """What was found in one data set or file.

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
    counts: dict = field(default_factory=dict)
    facts: dict = field(default_factory=dict)
    rejected: list = field(default_factory=list)
    problem: str = ""
    trajectories: int = 0


def inspect_configuration(config):
    """Read the files of all data sets of a configuration, one data set at a time.

    Parameters
    ----------
    config : dict
        As returned by `vibentropy.run.config.validate`.

    Yields
    ------
    Inspection
        One for each data set, and for each class of published arrays; recipes are counted, not made. One more where
        there are fewer trajectories to train on than folds.
    """
    trained_on, unreadable, folds = 0, False, config["evaluation"]["folds"]
    for name, specification in config["datasets"].items():
        training = specification["role"] == "train"
        if "recipe" in specification:
            planned = recipes.trajectories(name, specification["recipe"])
            minima = sum(t.snapshots + bool(t.clusters) for t in planned)
            facts = {"trajectories": str(len(planned)), "role": specification["role"]}
            trained_on += training * len(planned)
            yield Inspection(name, {"planned": minima}, facts)
            continue
        for part, read in _parts(specification, name).items():
            inspection = _inspect(part, read)
            inspection.facts["role"] = specification["role"]
            trained_on += training * inspection.trajectories
            unreadable |= bool(inspection.problem)
            yield inspection
    if not unreadable and trained_on < folds:
        problem = f"{folds} folds of {trained_on} trajectories to train on: expected no more folds than trajectories"
        yield Inspection("evaluation.folds", problem=problem)


def inspect_files(specification, name):
    """Read files as a data set of a configuration with this specification.

    Parameters
    ----------
    specification : dict
        As for `vibentropy.sources.user_files.ingest`.
    name : str

    Returns
    -------
    Inspection
    """
    return _inspect(name, lambda: ingest(specification, name))


def inspect_frames(path, file_format=None):
    """Read a file without anything to compare it with.

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
    found = Inspection(str(path), {"readable": 0, "rejected": 0})
    sizes, formulas, keys = [], set(), set()
    try:
        for number, atoms in enumerate(read_any(path, file_format)):
            sizes.append(len(atoms))
            formulas.update(atoms.get_chemical_symbols())
            keys.update(atoms.info, atoms.calc.results if atoms.calc else ())
            try:
                check_crystal(atoms)
                check_sites(atoms)
                found.counts["readable"] += 1
            except VibentropyError as error:
                found.counts["rejected"] += 1
                found.rejected.append(f"{path}, frame {number}: {error}")
    except VibentropyError as error:
        found.problem = str(error)
    if sizes:
        found.facts = {"elements": ", ".join(sorted(formulas)), "atoms": _range(sizes)}
    if keys:
        found.facts["properties"] = ", ".join(sorted(keys))
    return found


def _parts(specification, name):
    """Find what reads a data set, in parts where it is in several: by name."""
    if "archive" in specification:
        return {name: lambda: archives.read_archive(specification["archive"], name, specification["classes"])}
    if "arrays" in specification:
        arrays = specification["arrays"]
        return {
            f"{name}, {part}": partial(published_arrays.read_arrays, arrays, name, part) for part in arrays["classes"]
        }
    return {name: lambda: ingest(specification, name)}


def _inspect(name, read):
    try:
        table = read().table
    except VibentropyError as error:
        return Inspection(name, problem=str(error))
    found = Inspection(name, {status: int(n) for status, n in table["status"].value_counts().items()})
    found.facts = {"atoms": _range(table["n_atoms"])}
    found.trajectories = table.loc[table["status"] != "rejected", "trajectory"].nunique()
    entropies = table.loc[table["status"] == "labelled", "formation_entropy"]
    if len(entropies):
        found.facts["entropies"] = f"{_range(entropies.round(2))} k_B"
    classes = sorted(set(table["defect_class"]) - {""})
    if classes:
        found.facts["classes"] = ", ".join(classes)
    for row in table[table["status"] == "rejected"].itertuples():
        found.rejected.append(f"{row.id}: {row.reason}")
    return found


def _range(values):
    low, high = np.min(values), np.max(values)
    return f"{low:g}" if low == high else f"{low:g} to {high:g}"
