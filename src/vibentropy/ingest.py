"""Data sets from files that other programs wrote: anything that ASE reads.

What a specification may say stands in the schema of the configuration (a data set with ``files``). Faults come in two
sizes. What makes a whole file doubtful stops the run with the file, the frame (counted from 0), what was found and
what was expected: files that are missing, truncated or of an unknown format, other elements than the reference's,
cells that are not periodic, cells that differ from the reference's where entropies are compared with it, and files
of which no frame can be used. What spoils one frame (an entropy that is missing or no number, positions that are not
finite, two atoms on one site, forces above the gate) leaves that frame in the set as ``rejected``, with the reason.
Entropies of a size that only a wrong unit explains stop the run, too (`vibentropy.plausibility`).
"""

import os
import re
import sys
from collections import deque
from contextlib import contextmanager
from itertools import islice
from numbers import Real
from pathlib import Path

import ase.db
import ase.io
import numpy as np
import pandas as pd
from ase.io.extxyz import key_val_str_to_dict
from ase.io.formats import UnknownFileTypeError, filetype, open_with_compression

from vibentropy.dataset import ConfigurationSet
from vibentropy.errors import DataError, NotConvergedError, StructureError, VibentropyError
from vibentropy.harmonic import MAX_FORCE
from vibentropy.neighbours import neighbour_pairs
from vibentropy.plausibility import check_entropies
from vibentropy.structures import check_crystal, check_element, check_same_cell
from vibentropy.units import KB_PER_ENTROPY_UNIT

#: Cutoff (Å) of the search for atoms on one site: above the distance that counts as one, below any bond.
_SITE_CUTOFF = 1.0
#: How far the volume of a cell may be from that of a whole number of sites.
_SITE_TOLERANCE = 0.05


def ingest(specification, name):
    """Read a data set from files.

    Parameters
    ----------
    specification : dict
        A data set with ``files`` and ``reference`` as in the schema of the configuration, patterns expanded; what is
        left out takes its default.
    name : str
        Of the data set; the first part of every id.

    Returns
    -------
    ConfigurationSet
        Status ``labelled`` with the given entropy (k_B), ``relaxed`` where entropies are still to be computed, or
        ``rejected`` with the reason.

    Raises
    ------
    DataError, StructureError
        For faults of whole files, see the module; naming the file and the frame.
    """
    reference = reference_crystal(specification)
    frames, rows, places = [], [], []
    for path, trajectory in _trajectories(specification["files"]).items():
        rows_of_file = []
        for number, atoms in enumerate(read_frames(path, specification.get("format"))):
            with _at(f"{path}, frame {number}"):
                row = _row(atoms, reference, specification)
            frames.append(atoms)
            places.append(f"{path}, frame {number}")
            rows_of_file.append({"dataset": name, "trajectory": trajectory} | row)
        if all(row["status"] == "rejected" for row in rows_of_file):
            reasons = "; ".join(f"frame {number}: {row['reason']}" for number, row in enumerate(rows_of_file[:3]))
            raise DataError(f"{path}: none of its {len(rows_of_file)} configurations can be used; {reasons}")
        rows += rows_of_file
    configurations = ConfigurationSet(frames, pd.DataFrame(rows))
    if specification.get("entropy"):
        _check_sizes(configurations.table, places, **specification["entropy"])
    return configurations


def reference_crystal(specification):
    """Read the perfect crystal that the configurations of a data set are compared with.

    Parameters
    ----------
    specification : dict
        See `ingest`.

    Returns
    -------
    ase.Atoms
        As ASE reads it, with what the file says about it.

    Raises
    ------
    DataError
        If the file is missing, cannot be read, or holds more than one configuration.
    StructureError
        If it is no periodic crystal of one element, or two atoms are on one site.
    """
    path = specification["reference"]
    frames = list(read_frames(path, specification.get("format")))
    if len(frames) != 1:
        raise DataError(f"{path}: holds {len(frames)} configurations, expected the perfect crystal alone")
    with _at(path):
        check_crystal(frames[0])
        neighbour_pairs(frames[0], _SITE_CUTOFF)
    return frames[0]


def _check_sizes(table, places, key, unit, kind, check_size=True):
    """Refuse a set whose entropies tell of a wrong unit."""
    labelled = np.flatnonzero(table["status"] == "labelled")
    if check_size:
        check_entropies(
            *(table[name].to_numpy()[labelled] for name in ("formation_entropy", "n_atoms", "n_sites")),
            [f"{places[row]}: {key!r}" for row in labelled],
            unit,
            kind,
            " If the entropies are right as they are, say `check_size: false` beside the unit",
        )


def _trajectories(files):
    """Name the trajectory of each file: its path below the folder that all share."""
    shared = os.path.commonpath([Path(file).absolute().parent for file in files])
    return {file: Path(file).absolute().relative_to(shared).as_posix() for file in files}


@contextmanager
def _at(place):
    """Say where an error of the package occurred."""
    try:
        yield
    except VibentropyError as error:
        raise type(error)(f"{place}: {error}") from error


def read_frames(path, file_format):
    """Yield the configurations of a file, as ASE reads them.

    Parameters
    ----------
    path : path-like
    file_format : str or None
        Name of ASE's format; None to have it found out.

    Yields
    ------
    ase.Atoms

    Raises
    ------
    DataError
        If the file is missing, of an unknown format, truncated, malformed or without configurations; with the frame.
    """
    if not Path(path).is_file():
        raise DataError(f"{path}: a folder, expected files: add /*" if Path(path).is_dir() else f"{path}: no such file")
    number = 0
    try:
        file_format = file_format or filetype(path)
        if file_format in _CHECKS:
            _CHECKS[file_format](path)
        if file_format in ("db", "json"):
            # ASE's reader of databases leaves out what is stored beside the atoms.
            rows = ase.db.connect(path, serial=True, use_lock_file=False).select()
            frames = (row.toatoms(add_additional_information=True) for row in rows)
        else:
            keys = {"properties_parser": _keys_once} if file_format == "extxyz" else {}
            frames = ase.io.iread(path, index=":", format=file_format, do_not_split_by_at_sign=True, **keys)
        for atoms in frames:
            yield atoms
            number += 1
    except VibentropyError as error:
        raise type(error)(str(error) if str(path) in str(error) else f"{path}, frame {number}: {error}") from error
    except UnknownFileTypeError as error:
        raise DataError(f"{path}: ASE does not know what it is ({error}); if it is whole, name its `format`") from error
    except Exception as error:  # ASE's readers raise anything, from IndexError to RuntimeError.
        species = f"{error} is not a chemical element, or " if isinstance(error, KeyError) else ""
        raise DataError(
            f"{path}, frame {number}: cannot be read as {file_format}; {species}the file is "
            f"truncated or malformed ({type(error).__name__}: {error})"
        ) from error
    if not number:
        raise DataError(f"{path}: holds no configurations")
    if file_format in ("xyz", "extxyz") and _ends_within_a_line(path, len(atoms)):
        raise DataError(f"{path}, frame {number - 1}: truncated in its last line; expected a newline at the end")


def _check_xyz(path):
    """Walk over the frames of a file of XYZ: its reader believes any number of atoms, and looks for as many lines."""
    frame, line_number = 0, 0
    with open_with_compression(path, "rb") as file:
        for line in file:
            line_number += 1
            if line.lstrip().startswith(b"VEC"):  # Cell vectors after the atoms, in an old dialect.
                continue
            text = line.strip().decode(errors="replace")
            if not text:
                return
            if not text.isdecimal():
                raise DataError(
                    f"{path}, frame {frame}: line {line_number} is {text[:80]!r}, expected the number of atoms; the "
                    "file is truncated or malformed"
                )
            found = sum(1 for _ in islice(file, min(int(text) + 1, sys.maxsize)))
            if found <= int(text):
                raise DataError(
                    f"{path}, frame {frame}: line {line_number} counts {text} atoms, and {max(found - 1, 0)} lines "
                    "follow that of the properties; the file is truncated or the count wrong"
                )
            frame, line_number = frame + 1, line_number + found


def _check_counts(path):
    """Refuse a number of atoms that no file of this size can hold, before the reader allocates them."""
    counts, size = [], 0
    with open_with_compression(path, "rb") as file:
        for number, line in enumerate(file, 1):
            size += len(line)
            # Lines of coordinates have points in them; this costs less than a pattern for each line.
            if b"." not in line and re.fullmatch(rb"\s*\d[\d\s]*(atoms\s*)?", line):
                counts.append((max(int(count) for count in re.findall(rb"\d{1,100}", line)), number))
    largest, number = max(counts, default=(0, 0))
    if largest > size:
        raise DataError(
            f"{path}: line {number} counts {largest} atoms in a file of {size} bytes; the file is truncated or the "
            "count wrong"
        )


#: Checks of formats whose readers take the number of atoms for granted.
_CHECKS = {"xyz": _check_xyz, "extxyz": _check_xyz, "vasp": _check_counts, "lammps-data": _check_counts}


def _keys_once(line):
    """Properties in the comment line of extended XYZ; ASE keeps the last of equal keys."""
    keys = re.findall(r"""([^\s="'{}\[\]]+)=(?:"[^"]*"|'[^']*'|\{[^}]*\}|\[[^\]]*\]|\S*)""", line)
    repeated = [key for index, key in enumerate(keys) if key in keys[:index]]
    if repeated:
        raise DataError(f"the key {repeated[0]!r} occurs more than once in {line.strip()!r}, expected each key once")
    return key_val_str_to_dict(line)


def _ends_within_a_line(path, n_lines):
    """Whether the last line of a text file has no end and is shorter than the lines before it."""
    with open_with_compression(path, "rb") as file:
        *others, last = deque(file, maxlen=n_lines)
    return bool(others) and not last.endswith(b"\n") and len(last) < min(len(line.rstrip()) for line in others)


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
    if entropy is None or entropy["kind"] == "total":
        check_same_cell(atoms, reference)
    sites = len(reference) * atoms.cell.volume / reference.cell.volume
    if abs(sites - round(sites)) > _SITE_TOLERANCE:
        raise StructureError(
            f"the cell has the volume of {sites:.3f} sites of the reference crystal, expected a whole number: is "
            "`reference` the crystal of these cells, with the same lattice and the same strain?"
        )
    n_sites = round(sites)
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
    """Entropy of formation in k_B: as given, or from totals compared mode by mode (SCIENCE, section 1)."""
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
