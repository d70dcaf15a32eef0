"""Data sets from files that other programs wrote: anything that ASE reads.

What a specification may say stands in the schema of the configuration (a data set with ``files``). Faults come in two
sizes. What makes a whole file doubtful stops the run with the file, the frame (counted from 0), what was found and
what was expected: files that are missing, truncated or of an unknown format, other elements than the reference's,
cells that are not periodic, cells that differ from the reference's where entropies are compared with it, and files
of which no frame can be used. What spoils one frame (an entropy that is missing or no number, positions that are not
finite, two atoms on one site, forces above the gate) leaves that frame in the set as ``rejected``, with the reason.
Entropies of a size that only a wrong unit explains stop the run, too (`vibentropy.sources.unit_check`).
"""

from numbers import Real

import numpy as np
import pandas as pd

from vibentropy.atoms.checks import check_crystal, check_element
from vibentropy.atoms.neighbours import check_sites
from vibentropy.atoms.reading import read_frames
from vibentropy.atoms.reference import check_same_cell, count_reference_sites
from vibentropy.datasets.store import ConfigurationSet
from vibentropy.errors import DataError, NotConvergedError, VibentropyError, at
from vibentropy.labels.entropy import MAX_FORCE
from vibentropy.sources.file_shards import compares_cells, reference_crystal, trajectories_of
from vibentropy.sources.unit_check import check_entropies
from vibentropy.units import KB_PER_ENTROPY_UNIT


def ingest(specification, name, parts=None):
    """Read a data set from files.

    Parameters
    ----------
    specification : dict
        A data set with ``files`` and ``reference`` as in the schema of the configuration, patterns expanded; what is
        left out takes its default.
    name : str
        Of the data set; the first part of every id.
    parts : list of list, optional
        What to read, from `pieces`; ``files`` are not needed then. By default everything, which `check` then checks.

    Returns
    -------
    ConfigurationSet
        Status ``labelled`` with the given entropy (k_B), ``relaxed`` where entropies are still to be computed, or
        ``rejected`` with the reason. Ids are ``<dataset>/<file>/<frame>``, whatever the trajectory.

    Raises
    ------
    DataError, StructureError
        For faults of whole files, see the module; naming the file and the frame.
    """
    reference = reference_crystal(specification)
    element, file_format = str(reference.symbols[0]), specification.get("format")
    frames, rows = [], []
    whole = parts is None
    for path, trajectory, *part in trajectories_of(specification["files"]).items() if whole else parts:
        for number, atoms in enumerate(read_frames(path, file_format, *part, element=element), *part[:1]):
            with at(path, f"frame {number}"):
                row = _row(atoms, reference, specification)
            frames.append(atoms)
            rows.append({"id": f"{name}/{trajectory}/{number:04d}", "dataset": name, "trajectory": trajectory} | row)
    configurations = ConfigurationSet(frames, pd.DataFrame(rows))
    if whole:
        check_files(configurations.table, specification)
    return configurations


def check_files(table, specification):
    """Check what only a whole data set shows.

    Parameters
    ----------
    table : pandas.DataFrame
        Of all configurations of the data set, in any order.
    specification : dict
        See `ingest`.

    Returns
    -------
    pandas.DataFrame
        One row per file: its name (file), the number of configurations in it, and of those that are rejected.

    Raises
    ------
    DataError
        If no configuration of a file can be used, or the entropies tell of a wrong unit.
    """
    names = {trajectory: path for path, trajectory in trajectories_of(specification["files"]).items()}
    # <dataset>/<file>/<frame>
    places = [name.partition("/")[2].rpartition("/") for name in table["id"]]
    table = table.assign(file=[names[file] for file, _, _ in places], frame=[int(number) for _, _, number in places])
    table = table.sort_values(["file", "frame"], ignore_index=True)
    rejected = table["status"] == "rejected"
    for file, rows in table.groupby("file"):
        if rejected[rows.index].all():
            reasons = "; ".join(f"frame {row.frame}: {row.reason}" for row in rows.head(3).itertuples())
            raise DataError(f"none of its {len(rows)} configurations can be used; {reasons}", file)
    if specification.get("entropy"):
        _check_sizes(table, **specification["entropy"])
    found = table.assign(configurations=1, rejected=rejected.astype(int)).groupby("file", as_index=False)
    return found[["configurations", "rejected"]].sum()


def _check_sizes(table, key, unit, kind, check_size=True):
    """Refuse a set whose entropies tell of a wrong unit."""
    labelled = table[table["status"] == "labelled"]
    if check_size:
        check_entropies(
            *(labelled[name].to_numpy() for name in ("formation_entropy", "n_atoms", "n_sites")),
            [f"{row.file}, frame {row.frame}: {key!r}" for row in labelled.itertuples()],
            unit,
            kind,
            " If the entropies are right as they are, say `check_size: false` beside the unit",
        )


def _properties(atoms):
    """Everything by name that ASE read beside the atoms, from wherever it put it."""
    results = atoms.calc.results if atoms.calc else {}
    info = atoms.info
    return results | atoms.arrays | info.get("data", {}) | info.get("key_value_pairs", {}) | info


def _row(atoms, reference, specification):
    """Columns of one frame; raises what is wrong with the whole file."""
    check_element(atoms, reference.symbols[0])
    properties = _properties(atoms)
    row = {
        column: _text(properties, specification[key])
        for column, key in [("trajectory", "group_key"), ("defect_class", "class_key")]
        if specification.get(key) is not None
    }
    try:
        check_sites(atoms)
    except VibentropyError as error:
        return row | {"status": "rejected", "reason": str(error)}
    check_crystal(atoms)
    entropy = specification.get("entropy")
    if compares_cells(specification):
        check_same_cell(atoms, reference)
    n_sites = count_reference_sites(atoms, reference)
    row = {"n_sites": n_sites, "defect_class": _net_class(len(atoms), n_sites)} | row
    try:
        row["max_force"] = _largest_force(atoms, specification.get("max_force", MAX_FORCE))
        row |= _energies(atoms, reference, specification.get("energy_key"))
        if entropy is None:
            return row | {"status": "relaxed"}
        return row | {
            "formation_entropy": _formation_entropy(atoms, reference, **entropy),
            "status": "labelled",
            "label_source": "given",
        }
    except VibentropyError as error:
        return row | {"status": "rejected", "reason": str(error)}


def _net_class(n_atoms, n_sites):
    """Class of a defect by the net number of atoms: ``I2``, ``V4``, ``net 0``; empty where sites are unknown."""
    if n_sites < 0:
        return ""
    return f"I{n_atoms - n_sites}" if n_atoms > n_sites else f"V{n_sites - n_atoms}" if n_atoms < n_sites else "net 0"


def _largest_force(atoms, max_force):
    """Largest stored force in eV/Å, NaN if there are none; raises if it exceeds the gate."""
    forces = atoms.calc.results.get("forces") if atoms.calc else None
    if forces is None:
        return np.nan
    largest = float(np.linalg.norm(forces, axis=1).max())
    if not largest <= max_force:
        raise NotConvergedError(f"the largest force is {largest:.2e} eV/Å, expected at most {max_force:.2e}")
    return largest


def _energies(atoms, reference, key):
    """Energy and energy of formation in eV, NaN where unknown; an energy that has a key must be there."""
    name = key or "energy"
    found, perfect = _properties(atoms), _properties(reference)
    energy = _number(found, name) if key or name in found else np.nan
    energy_per_atom = _number(perfect, name) / len(reference) if name in perfect else np.nan
    return {"energy": energy, "formation_energy": energy - len(atoms) * energy_per_atom}


def _formation_entropy(atoms, reference, key, unit, kind, check_size=True):
    """Entropy of formation in k_B: as given, or from totals, mode by mode (docs/theory.md, "Formation entropy")."""
    entropy = _number(_properties(atoms), key)
    if kind == "total":
        with at("the reference"):
            perfect = _number(_properties(reference), key)
        entropy -= (len(atoms) - 1) / (len(reference) - 1) * perfect
    return entropy * KB_PER_ENTROPY_UNIT[unit]


def _found(properties, key):
    """One property by name."""
    if key not in properties:
        names = sorted(set(properties) - {"numbers", "positions", "key_value_pairs", "data"})
        raise DataError(f"no {key!r} in it; there are {', '.join(names) or 'only atoms'}")
    return properties[key]


def _number(properties, key):
    """One finite number by name."""
    value = _found(properties, key)
    if np.ndim(value):
        raise DataError(f"{key!r} has shape {np.shape(value)}, expected one number")
    if not isinstance(value, Real) or isinstance(value, bool) or not np.isfinite(value):
        raise DataError(f"{key!r} is {value}, expected a finite number")
    return float(value)


def _text(properties, key):
    """One name by name; numbers become text."""
    value = _found(properties, key)
    if np.ndim(value):
        raise DataError(f"{key!r} has shape {np.shape(value)}, expected text or one number")
    return str(value)
