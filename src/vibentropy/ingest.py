"""Data sets from files that other programs wrote: anything that ASE reads.

What a specification may say stands in the schema of the configuration (a data set with ``files``). Faults come in two
sizes. What makes a whole file doubtful stops the run with the file, the frame (counted from 0), what was found and
what was expected: files that are missing, truncated or of an unknown format, other elements than the reference's,
cells that are not periodic, cells that differ from the reference's where entropies are compared with it, and files
of which no frame can be used. What spoils one frame (an entropy that is missing or no number, positions that are not
finite, two atoms on one site, forces above the gate) leaves that frame in the set as ``rejected``, with the reason.
Entropies of a size that only a wrong unit explains stop the run, too (`vibentropy.plausibility`).

Jobs work on shards of at most `size` configurations. A file of more is cut into ranges of so many frames. Smaller ones
are put together by a hash of their names: all in one shard as long as they fit, else halved by the first bit of the
hash, and each half by the next bit where it has to be. So a file that is added changes one shard or halves it, wherever
in the list it stands, and all others stay what they are.
"""

import hashlib
import os
import re
from contextlib import contextmanager
from functools import cache
from numbers import Real
from operator import itemgetter

import numpy as np
import pandas as pd

from vibentropy.ase_files import count, read_frames
from vibentropy.dataset import ConfigurationSet
from vibentropy.errors import DataError, NotConvergedError, VibentropyError
from vibentropy.harmonic import MAX_FORCE
from vibentropy.neighbours import neighbour_pairs
from vibentropy.plausibility import check_entropies
from vibentropy.structures import (
    check_crystal,
    check_element,
    check_perfect,
    check_same_cell,
    count_reference_sites,
)
from vibentropy.units import KB_PER_ENTROPY_UNIT

#: Cutoff (Å) of the search for atoms on one site: above the distance that counts as one, below any bond.
_SITE_CUTOFF = 1.0
#: Files whose frames cannot be counted are taken to have one for so many bytes, some 1000 atoms.
_BYTES_PER_FRAME = 100_000


def shards(specification, size):
    """Divide the files of a data set into jobs.

    Parameters
    ----------
    specification : dict
        See `ingest`.
    size : int
        Largest number of configurations in a shard; a file that ASE can only read as a whole may have more.

    Returns
    -------
    dict of str to list of list
        By the name of the shard, what is in it: path, trajectory and, for a part of a file, its first frame and the one
        after the last. Names depend on those of the files and on how many configurations these have, not on the order
        of the list.

    Raises
    ------
    DataError
        If a file is missing, of an unknown format, truncated or malformed, as far as counting shows it.
    """
    named, small = {}, {}
    for path, trajectory in _trajectories(specification["files"]).items():
        number = _counted(path, specification.get("format"))
        weight = _weight(path, number)
        if weight <= size:
            small[_bits(trajectory)] = weight, [path, trajectory]
        elif number is None:
            named[_name(trajectory)] = [[path, trajectory]]
        else:
            for start in range(0, number, size):
                stop = min(start + size, number)
                named[f"{_name(trajectory)}-{start}-{stop}"] = [[path, trajectory, start, stop]]
    return named | {f"files{prefix}": parts for prefix, parts in _buckets(small, size)}


def pieces(specification, size, shard):
    """Tell what is in one shard, and count no more than the files that it could be made of: for a job.

    Parameters
    ----------
    specification, size
        As for `shards`.
    shard : str
        One of its names.

    Returns
    -------
    list of list
        As from `shards`.
    """
    files = _trajectories(specification["files"])
    found = re.fullmatch(r"(?P<file>.+-[0-9a-f]{8})(-(?P<start>\d+)-(?P<stop>\d+))?", shard)
    if found:
        part = [int(found[end]) for end in ("start", "stop") if found[end]]
        return [[path, trajectory, *part] for path, trajectory in files.items() if _name(trajectory) == found["file"]]
    return [
        [path, trajectory]
        for path, trajectory in files.items()
        if f"files.{_bits(trajectory)}".startswith(shard)
        and _weight(path, count(path, specification.get("format"))) <= size
    ]


def sizes(specification, size):
    """Tell how much is in the shards, without reading more than two configurations: for estimates.

    Parameters
    ----------
    specification, size
        As for `shards`.

    Returns
    -------
    dict of str to dict
        By the name of the shard, its number of ``configurations``, None where only reading would tell, and the
        ``sites`` of a cell: those of the reference where cells have to be its cell, else as many as the first
        configuration of the first file has atoms, None where that number is unknown.

    Raises
    ------
    DataError
        As `shards`, and if that configuration or the reference cannot be read.
    """
    file_format, sites = specification.get("format"), _typical_sites(specification)
    return {
        shard: {"configurations": _configurations_in(parts, file_format), "sites": sites}
        for shard, parts in shards(specification, size).items()
    }


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
    for path, trajectory, *part in _trajectories(specification["files"]).items() if whole else parts:
        for number, atoms in enumerate(read_frames(path, file_format, *part, element=element), *part[:1]):
            with _at(f"{path}, frame {number}"):
                row = _row(atoms, reference, specification)
            frames.append(atoms)
            rows.append({"id": f"{name}/{trajectory}/{number:04d}", "dataset": name, "trajectory": trajectory} | row)
    configurations = ConfigurationSet(frames, pd.DataFrame(rows))
    if whole:
        check(configurations.table, specification)
    return configurations


def check(table, specification):
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
    names = {trajectory: path for path, trajectory in _trajectories(specification["files"]).items()}
    # <dataset>/<file>/<frame>
    places = [name.partition("/")[2].rpartition("/") for name in table["id"]]
    table = table.assign(file=[names[file] for file, _, _ in places], frame=[int(number) for _, _, number in places])
    table = table.sort_values(["file", "frame"], ignore_index=True)
    rejected = table["status"] == "rejected"
    for file, rows in table.groupby("file"):
        if rejected[rows.index].all():
            reasons = "; ".join(f"frame {row.frame}: {row.reason}" for row in rows.head(3).itertuples())
            raise DataError(f"{file}: none of its {len(rows)} configurations can be used; {reasons}")
    if specification.get("entropy"):
        _check_sizes(table, **specification["entropy"])
    found = table.assign(configurations=1, rejected=rejected.astype(int)).groupby("file", as_index=False)
    return found[["configurations", "rejected"]].sum()


def reference_crystal(specification, element=None):
    """Read the perfect crystal that the configurations of a data set are compared with.

    Parameters
    ----------
    specification : dict
        See `ingest`.
    element : str, optional
        Chemical symbol of all atoms of a dump of LAMMPS that says their types only.

    Returns
    -------
    ase.Atoms
        As ASE reads it, with what the file says about it.

    Raises
    ------
    DataError
        If the file is missing, cannot be read, or holds more than one configuration.
    StructureError
        If it is no periodic crystal of one element, has a defect, or two atoms on one site.
    """
    path = specification["reference"]
    frames = list(read_frames(path, specification.get("format"), element=element))
    if len(frames) != 1:
        raise DataError(f"{path}: holds {len(frames)} configurations, expected the perfect crystal alone")
    with _at(path):
        check_crystal(frames[0])
        neighbour_pairs(frames[0], _SITE_CUTOFF)
        check_perfect(frames[0])
    return frames[0]


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


def _typical_sites(specification):
    """Sites of a cell of a data set, see `sizes`."""
    crystal, file_format = reference_crystal(specification), specification.get("format")
    if _compares_cells(specification):
        return len(crystal)
    first = next(iter(_trajectories(specification["files"])))
    if _counted(first, file_format) is None:
        return None
    return len(next(read_frames(first, file_format, stop=1, element=str(crystal.symbols[0]))))


def _compares_cells(specification):
    """Whether configurations have to be in the cell of the reference: where entropies are compared with its own."""
    entropy = specification.get("entropy")
    return entropy is None or entropy["kind"] == "total"


def _configurations_in(parts, file_format):
    """Count the configurations of a shard, None where only reading would tell."""
    numbers = [part[1] - part[0] if part else _counted(path, file_format) for path, _, *part in parts]
    return None if None in numbers else sum(numbers)


def _counted(path, file_format):
    """Count the configurations of a file, once as long as it stays the same."""
    try:
        state = os.stat(path)
    except OSError:
        return count(path, file_format)  # Which says what is wrong.
    return _count(path, file_format, state.st_dev, state.st_ino, state.st_size, state.st_mtime_ns)


@cache
def _count(path, file_format, *state):
    return count(path, file_format)


def _trajectories(files):
    """Name the trajectory of each file: its path below the folder that all share."""
    absolute = {file: os.path.abspath(file) for file in files}
    shared = os.path.commonpath([os.path.dirname(path) for path in absolute.values()])
    # In an order that does not depend on that of the list.
    return dict(sorted(((file, os.path.relpath(path, shared)) for file, path in absolute.items()), key=itemgetter(1)))


def _weight(path, number):
    """Say how many configurations a file has, by its size where they cannot be counted."""
    return 1 + os.path.getsize(path) // _BYTES_PER_FRAME if number is None else max(number, 1)


def _name(trajectory):
    """Name of a file in names of other files: letters that all systems allow, and a hash, as no other has it."""
    return f"{re.sub(r'[^A-Za-z0-9_.+-]+', '_', trajectory)[-80:]}-{_digest(trajectory)[:8]}"


def _digest(trajectory):
    # What is no text in a file name is kept in it by surrogates.
    return hashlib.sha256(trajectory.encode(errors="surrogateescape")).hexdigest()


def _bits(trajectory):
    """Bits that tell where small files belong."""
    return f"{int(_digest(trajectory), 16):0256b}"


def _buckets(files, size, prefix=""):
    """Pairs of the beginning of bits, as part of a name, and files that have it, of at most a size together.

    Parameters
    ----------
    files : dict
        By the bits of a file, its weight and what to say about it.
    size : int
    prefix : str
    """
    if sum(weight for weight, _ in files.values()) <= size:
        return [(prefix and f".{prefix}", [part for _, part in files.values()])] if files else []
    halves = [{bits: file for bits, file in files.items() if bits.startswith(prefix + bit)} for bit in "01"]
    return [bucket for half, bit in zip(halves, "01", strict=True) for bucket in _buckets(half, size, prefix + bit)]


@contextmanager
def _at(place):
    """Say where an error of the package occurred."""
    try:
        yield
    except VibentropyError as error:
        raise type(error)(f"{place}: {error}") from error


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
        neighbour_pairs(atoms, _SITE_CUTOFF)
    except VibentropyError as error:
        return row | {"status": "rejected", "reason": str(error)}
    check_crystal(atoms)
    entropy = specification.get("entropy")
    if _compares_cells(specification):
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
        with _at("the reference"):
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
