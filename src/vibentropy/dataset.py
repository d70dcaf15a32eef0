"""Sets of configurations: atoms on one side, a table with one row for each of them on the other.

Columns of the table (a producer gives those it knows, the others take their defaults, further ones are kept):

====================================== ======= =========================================================================
column                                 unit    meaning
====================================== ======= =========================================================================
id                                             unique; ``<dataset>/<trajectory>/<number>``; ``<dataset>/<file>/<frame>``
dataset                                        name of the data set in the configuration of the run
trajectory                                     configurations of one trajectory are not independent; see `groups`
defect_class                                   ``I2``, ``V4``, ``I2+V1``; free text where files gave it
n_atoms                                        atoms in the cell, always counted here
n_sites                                        sites of the perfect cell; -1 where unknown
seed                                           of the random numbers that made the trajectory; -1 where unknown
energy                                 eV      of the cell; NaN where unknown
formation_energy                       eV      NaN where unknown
max_force                              eV/Å    largest force on an atom; NaN where unknown
status                                         one of `STATUSES`
reason                                         why there is no label; empty where there is one
formation_entropy                      k_B     compared mode by mode (see below); NaN where there is none
formation_entropy_per_atom_convention  k_B     the same in the N_d/N_0 convention of the literature; NaN where unknown
smallest_eigenvalue                    eV/Å²   of the Hessian without the translations; NaN where unknown
label_source                                   ``exact`` (computed here), ``given`` (read from a file), empty for none
duplicate_of                                   id of the minimum that this one repeats, empty for none
====================================== ======= =========================================================================

What "mode by mode" means, and how the other convention differs, is in docs/theory.md, "Formation entropy".

`collect` adds ``role`` (train or test), the recipes ``repetitions`` (of the cubic cell, such as 5x5x5). Labels that are
computed at temperatures add ``formation_entropy_300K`` (k_B) and ``formation_free_energy_300K`` (eV) of quantum
harmonic vibrations, compared mode by mode; the free energy is with the formation energy and the zero-point energy, NaN
where the formation energy is unknown.

A run may have 31 000 configurations of 1024 atoms: 0.8 GB of positions, but 10 MB of table. What needs the table alone
reads it with `load_table`, what needs some configurations gives `ConfigurationSet.load` their rows, and `merge`,
`read_frames` and `write_extxyz` hold the atoms of one file or of `BLOCK` configurations at a time.

In HDF5 (kind ``configurations``, schema 1) atoms of all configurations follow each other: ``/positions`` (sum of n, 3)
in Å, ``/numbers``, those of configuration i from ``/first[i]`` to ``/first[i + 1]``; ``/cells`` (n, 3, 3) in Å,
``/pbc`` (n, 3), and one data set per column in ``/table``. Where any configuration has site entropies, they are in
``/site_entropy`` (sum of n,) in k_B, NaN for the others.
"""

import bisect
from dataclasses import dataclass, field
from itertools import pairwise
from operator import itemgetter

import ase.io
import h5py
import numpy as np
import pandas as pd
from ase import Atoms
from ase.data import chemical_symbols

from vibentropy.errors import DataError, StructureError
from vibentropy.storage import atomic, create, open_file, slices
from vibentropy.structures import check_geometry

#: Default and unit of every column the package knows.
COLUMNS = {
    "id": ("", ""),
    "dataset": ("", ""),
    "trajectory": ("", ""),
    "defect_class": ("", ""),
    "n_atoms": (0, ""),
    "n_sites": (-1, ""),
    "seed": (-1, ""),
    "energy": (np.nan, "eV"),
    "formation_energy": (np.nan, "eV"),
    "max_force": (np.nan, "eV/Å"),
    "status": ("relaxed", ""),
    "reason": ("", ""),
    "formation_entropy": (np.nan, "k_B"),
    "formation_entropy_per_atom_convention": (np.nan, "k_B"),
    "smallest_eigenvalue": (np.nan, "eV/Å²"),
    "label_source": ("", ""),
    "duplicate_of": ("", ""),
}

#: From a relaxed configuration to its label, or to the reason why there is none.
STATUSES = ("relaxed", "labelled", "saddle", "not converged", "rejected")

KIND = "configurations"

#: Most configurations that are read in one piece: 6 MB where they have 1024 atoms.
BLOCK = 256

#: Array of a frame with the entropy of each atom relative to one of the perfect crystal, k_B; extended XYZ has it too.
SITE_ENTROPY = "site_entropy"

#: Arrays of the file: shape and type of what each atom or configuration has, unit, and whether it is of atoms.
_ARRAYS = {
    "positions": ((3,), float, "Å", True),
    "numbers": ((), np.uint8, "", True),
    "cells": ((3, 3), float, "Å", False),
    "pbc": ((3,), bool, "", False),
    SITE_ENTROPY: ((), float, "k_B", True),
}


def complete_table(table):
    """Fill in missing columns, order them, and give each the type of its default.

    Parameters
    ----------
    table : pandas.DataFrame
        Any of `COLUMNS`, and others that hold numbers, booleans or text.

    Returns
    -------
    pandas.DataFrame
        `COLUMNS` in their order, then the others by name; a fresh index. Where ids are missing they are made.

    Raises
    ------
    DataError
        If ids repeat, a status is unknown, or a column cannot have its type.
    """
    table = table.reset_index(drop=True)
    columns = {}
    for name, (default, _) in COLUMNS.items():
        try:
            column = table[name] if name in table else pd.Series(default, table.index)
            columns[name] = column.fillna(default).astype(type(default))
        except (TypeError, ValueError) as error:
            raise DataError(f"column {name!r} should hold {type(default).__name__}: {error}") from error
    for name in sorted(set(table) - set(COLUMNS)):
        column = table[name]
        if column.dtype.kind not in "biuf":
            column = column.fillna("")
            types = sorted({type(value).__name__ for value in column})
            if types not in ([], ["str"]):
                raise DataError(f"column {name!r} holds {', '.join(types)}; expected only numbers, booleans or text")
            column = column.astype(str)
        columns[name] = column
    table = pd.DataFrame(columns)
    nameless = table["id"] == ""
    number = table.groupby(["dataset", "trajectory"]).cumcount()
    made = table["dataset"] + "/" + table["trajectory"] + "/" + number.map("{:04d}".format).astype(str)
    table["id"] = table["id"].mask(nameless, made)
    repeated = table["id"][table["id"].duplicated()]
    if len(repeated):
        raise DataError(f"id {repeated.iloc[0]!r} occurs more than once; expected unique ids")
    unknown = table[~table["status"].isin(STATUSES)]
    if len(unknown):
        row = unknown.iloc[0]
        raise DataError(f"status of {row['id']} is {row['status']!r}; expected one of {', '.join(STATUSES)}")
    return table


@dataclass
class ConfigurationSet:
    """Configurations of atoms and what is known about them.

    Parameters
    ----------
    frames : list of ase.Atoms
        Copied; only numbers, positions (Å), cell, periodicity and, where there is one, the array `SITE_ENTROPY` are
        kept.
    table : pandas.DataFrame
        One row per frame; completed by `complete_table`, with `n_atoms` counted.
    attributes : dict
        What holds for the whole set: text, numbers and arrays that HDF5 attributes can hold.

    Raises
    ------
    DataError
        If the table does not fit the frames, or for the reasons of `complete_table`.
    """

    frames: list
    table: pd.DataFrame
    attributes: dict = field(default_factory=dict)

    def __post_init__(self):
        if len(self.frames) != len(self.table):
            raise DataError(f"{len(self.frames)} frames but {len(self.table)} rows; expected one row per frame")
        self.frames = [_essence(atoms) for atoms in self.frames]
        self.table = complete_table(self.table.assign(n_atoms=[len(atoms) for atoms in self.frames]))

    def __len__(self):
        return len(self.frames)

    def subset(self, selection):
        """Select configurations.

        Parameters
        ----------
        selection : array_like of bool of shape (n_configurations,), or of int
            A mask, or indices in the wanted order.

        Returns
        -------
        ConfigurationSet
        """
        selection = np.asarray(selection)
        index = np.arange(len(self))[selection if selection.size else slice(0)]
        return ConfigurationSet([self.frames[i] for i in index], self.table.iloc[index], dict(self.attributes))

    def save(self, path):
        """Write the set to HDF5; see the module for the layout.

        Parameters
        ----------
        path : path-like
        """
        frames = self.frames
        arrays = {
            "positions": [atoms.positions for atoms in frames],
            "numbers": [atoms.numbers for atoms in frames],
            "cells": [atoms.cell[None, :] for atoms in frames],
            "pbc": [atoms.pbc[None, :] for atoms in frames],
        }
        if any(atoms.has(SITE_ENTROPY) for atoms in frames):
            arrays[SITE_ENTROPY] = [atoms.arrays.get(SITE_ENTROPY, np.full(len(atoms), np.nan)) for atoms in frames]
        whole = [np.arange(len(frames))]
        resolved = SITE_ENTROPY in arrays
        _write(path, self.table, self.attributes, whole, resolved, lambda name, _: np.concatenate(arrays[name]))

    @classmethod
    def load(cls, path, rows=None):
        """Read what `save` or `merge` wrote.

        Parameters
        ----------
        path : path-like
        rows : array_like of bool of shape (n_configurations,), or of int, optional
            A mask, or indices in the wanted order: the others are not read. By default all.

        Returns
        -------
        ConfigurationSet

        Raises
        ------
        DataError
            If the file is missing, truncated, something else or inconsistent.
        StructureError
            If a configuration that is read is none, see `check_rows`.
        """
        with open_file(path, KIND) as file:
            table = read_table(file["table"])
            parts = _parts(file)
            if len(parts) != len(table):
                raise DataError(f"{len(parts)} configurations but {len(table)} rows in /table; expected a row for each")
            index = np.arange(len(table))
            if rows is not None:
                rows = np.asarray(rows)
                index = index[rows if rows.size else slice(0)]
            frames, table = list(_frames(file, parts, index)), table.iloc[index]
            check_rows(frames, table)
            attributes = {k: v.item() if isinstance(v, np.generic) else v for k, v in file.attrs.items()}
        for written_by_storage in ("kind", "schema", "vibentropy_version"):
            attributes.pop(written_by_storage, None)
        return cls(frames, table, attributes)

    def to_extxyz(self, path):
        """Write the set as extended XYZ, see `write_extxyz`.

        Parameters
        ----------
        path : path-like
        """
        write_extxyz(path, self.frames, self.table)


def _essence(atoms):
    """Copy what a set keeps of a configuration."""
    kept = Atoms(numbers=atoms.numbers, positions=atoms.positions, cell=atoms.cell, pbc=atoms.pbc)
    if atoms.has(SITE_ENTROPY):
        kept.set_array(SITE_ENTROPY, atoms.arrays[SITE_ENTROPY], dtype=float, shape=())
    return kept


def check_rows(frames, table):
    """Check that configurations and rows of a table that were read belong together, and are what they say.

    Parameters
    ----------
    frames : list of ase.Atoms
    table : pandas.DataFrame
        Completed by `complete_table`.

    Raises
    ------
    DataError
        If their numbers differ, or a row has another number of atoms than its frame, a number of sites that is none,
        or the status ``labelled`` without a label.
    StructureError
        If a frame that is not rejected holds no element, or `vibentropy.structures.check_geometry` refuses it.
    """
    if len(frames) != len(table):
        raise DataError(f"{len(frames)} configurations but {len(table)} rows in /table; expected a row for each")
    columns = (table[name] for name in ("id", "n_atoms", "n_sites", "status", "formation_entropy"))
    for atoms, name, n_atoms, n_sites, status, entropy in zip(frames, *columns, strict=True):
        if n_atoms != len(atoms):
            raise DataError(f"{name} has {len(atoms)} atoms, and {n_atoms} in its row of /table")
        if n_sites < 0 and n_sites != COLUMNS["n_sites"][0]:
            raise DataError(f"{name} has {n_sites} sites in its row of /table, expected a count, or -1 where unknown")
        if status == "labelled" and not np.isfinite(entropy):
            raise DataError(f"{name} is labelled, and its formation_entropy is {entropy}, expected a finite number")
        if status != "rejected":
            unknown = np.flatnonzero((atoms.numbers < 1) | (atoms.numbers >= len(chemical_symbols)))
            if len(unknown):
                raise StructureError(
                    f"{name}: atom {unknown[0]} has the atomic number {atoms.numbers[unknown[0]]}, expected those of "
                    f"elements, 1 to {len(chemical_symbols) - 1}"
                )
            try:
                check_geometry(atoms)
            except StructureError as error:
                raise StructureError(f"{name}: {error}") from error


def load_table(path):
    """Read the table of a set and none of its atoms.

    Parameters
    ----------
    path : path-like
        As written by `ConfigurationSet.save` or `merge`.

    Returns
    -------
    pandas.DataFrame

    Raises
    ------
    DataError
        If the file is missing, truncated or something else, or the table makes no sense.
    """
    with open_file(path, KIND) as file:
        return read_table(file["table"])


def read_frames(path):
    """Read configurations one after the other, `BLOCK` of them in memory.

    Parameters
    ----------
    path : path-like
        As written by `ConfigurationSet.save` or `merge`.

    Yields
    ------
    ase.Atoms

    Raises
    ------
    DataError
        If the file is missing, truncated, something else or inconsistent.
    """
    with open_file(path, KIND) as file:
        parts = _parts(file)
        yield from _frames(file, parts, np.arange(len(parts)))


def write_extxyz(path, frames, table):
    """Write configurations as extended XYZ, for people and other programs.

    Every frame carries its row of the table under the same names and in the same units, without unknown values. The
    format has eight decimals: positions are rounded to 1e-8 Å. A configuration of 1024 atoms takes 56 kB and 3.5 ms:
    31 000 of them 1.7 GB and two minutes. Frames are written as they come.

    Parameters
    ----------
    path : path-like
    frames : iterable of ase.Atoms
    table : pandas.DataFrame
        One row per frame.
    """
    columns = [column.tolist() for _, column in table.items()]
    with atomic(path) as temporary, open(temporary, "w", encoding="utf-8") as file:
        for atoms, *row in zip(frames, *columns, strict=True):
            shown = atoms.copy()
            # `value == value` is False for NaN only.
            shown.info = {n: value for n, value in zip(table, row, strict=True) if value != "" and value == value}
            ase.io.write(file, shown, format="extxyz")


def collect(tables, roles, energy_tolerance=1e-4, entropy_tolerance=1e-3):
    """Put the tables of the shards of all data sets of a run together.

    Parameters
    ----------
    tables : iterable of pandas.DataFrame
        In any order.
    roles : dict of str to str
        Role of each data set, ``train`` or ``test``; becomes the column ``role``.
    energy_tolerance, entropy_tolerance : float
        See `mark_duplicates`; eV and k_B.

    Returns
    -------
    pandas.DataFrame
        In the order of the ids, duplicates marked.

    Raises
    ------
    DataError
        If there are no tables, or an id occurs in two of them.
    """
    tables = list(tables)
    if not tables:
        raise DataError("no data sets to put together")
    # An empty table would make floats of integers.
    whole = complete_table(pd.concat([table for table in tables if len(table)] or tables[:1]))
    whole = complete_table(whole.iloc[np.argsort(whole["id"].to_numpy(str), kind="stable")])
    whole["role"] = whole["dataset"].map(roles).astype(str)
    return mark_duplicates(whole, energy_tolerance, entropy_tolerance)


def merge(sources, path, roles, energy_tolerance=1e-4, entropy_tolerance=1e-3, **attributes):
    """Put the shards of all data sets of a run into one file.

    Tables are put together first; then the arrays are copied shard by shard, one of them in memory.

    Parameters
    ----------
    sources : sequence of path-like
        As written by `ConfigurationSet.save`, in any order.
    path : path-like
        For `ConfigurationSet.load`: what the whole would have saved, byte by byte.
    roles, energy_tolerance, entropy_tolerance
        See `collect`.
    **attributes
        Of the whole, in addition to those that all shards share.

    Returns
    -------
    pandas.DataFrame
        From `collect`.

    Raises
    ------
    DataError, StructureError
        As `ConfigurationSet.load` and `collect`.
    """
    tables, of_shards, resolved = [], [], []
    for source in sources:
        shard = ConfigurationSet.load(source)
        tables.append(shard.table)
        of_shards.append(shard.attributes)
        resolved.append(any(atoms.has(SITE_ENTROPY) for atoms in shard.frames))
    table = collect(tables, roles, energy_tolerance, entropy_tolerance)
    first, *others = of_shards
    shared = {
        name: value
        for name, value in first.items()
        if all(name in other and np.array_equal(other[name], value) for other in others)
    }
    ids = pd.Index(table["id"])
    places = [ids.get_indexer(shard["id"]) for shard in tables]

    def array(name, number):
        if name == SITE_ENTROPY and not resolved[number]:
            return np.full(tables[number]["n_atoms"].sum(), np.nan)
        with open_file(sources[number], KIND) as file:
            return file[name][:]

    _write(path, table, shared | attributes, places, any(resolved), array)
    return table


def _write(path, table, attributes, pieces, resolved, array):
    """Write a set whose arrays come in pieces; see the module for the layout.

    Parameters
    ----------
    path : path-like
    table : pandas.DataFrame
        Completed by `complete_table`.
    attributes : dict
    pieces : list of ndarray of int
        The row in the table of each configuration of a piece.
    resolved : bool
        Whether there are site entropies.
    array : callable
        From a name and the number of a piece to the array of its atoms or configurations, one after the other.
    """
    of_atoms = np.concatenate([[0], np.cumsum(table["n_atoms"].to_numpy(), dtype=np.int64)])

    def fill(file, name):
        shape, dtype, unit, per_atom = _ARRAYS[name]
        ends = of_atoms if per_atom else np.arange(len(table) + 1)
        # Named once it is full, as h5py does with whole arrays: the bytes do not tell in how many pieces it came.
        data = file.create_dataset(None, (ends[-1], *shape), dtype)
        for number, rows in enumerate(pieces):
            if len(rows):
                values = array(name, number).astype(dtype, copy=False)
                own = np.concatenate([[0], np.cumsum(np.diff(ends)[rows])])
                for start, stop in _runs(rows):
                    data[ends[rows[start]] : ends[rows[stop - 1] + 1]] = values[own[start] : own[stop]]
        file[name] = data
        file[name].attrs["unit"] = unit

    with create(path, KIND, **attributes) as file:
        for name in ("positions", "numbers", "cells", "pbc"):
            fill(file, name)
        file["first"] = of_atoms
        if resolved:
            fill(file, SITE_ENTROPY)
        write_table(file.create_group("table"), table)


def _runs(rows):
    """Start and stop, in a sequence of rows, of those that follow each other; `BLOCK` of them at most."""
    jumps = [0, *(np.flatnonzero(np.diff(rows) != 1) + 1), len(rows)]
    for start, stop in pairwise(jumps):
        yield from ((block, min(block + BLOCK, stop)) for block in range(start, stop, BLOCK))


def _parts(file):
    """Atoms of each configuration of an open file, list of slice; refuse arrays that do not belong together."""
    parts = slices(file["first"][:], len(file["positions"]), "/first")
    for name, (shape, _, _, per_atom) in _ARRAYS.items():
        expected = (len(file["positions"]) if per_atom else len(parts), *shape)
        if (name != SITE_ENTROPY or name in file) and file[name].shape != expected:
            raise DataError(f"/{name} has the shape {file[name].shape}, expected {expected}")
    return parts


def _frames(file, parts, rows):
    """Read configurations of an open file, block by block, with what a set keeps of them."""
    for start, stop in _runs(rows):
        first, last = rows[start], rows[stop - 1] + 1
        atoms_of_block = slice(parts[first].start, parts[last - 1].stop)
        positions, numbers = file["positions"][atoms_of_block], file["numbers"][atoms_of_block]
        site_entropy = file[SITE_ENTROPY][atoms_of_block] if SITE_ENTROPY in file else None
        for part, cell, pbc in zip(parts[first:last], file["cells"][first:last], file["pbc"][first:last], strict=True):
            own = slice(part.start - atoms_of_block.start, part.stop - atoms_of_block.start)
            atoms = Atoms(numbers=numbers[own], positions=positions[own], cell=cell, pbc=pbc)
            if site_entropy is not None and not np.isnan(site_entropy[own]).any():
                atoms.set_array(SITE_ENTROPY, site_entropy[own])
            yield atoms


def write_table(group, table):
    """Write a completed table, one data set per column with its unit as an attribute.

    Parameters
    ----------
    group : h5py.Group
    table : pandas.DataFrame
    """
    for name, column in table.items():
        if column.dtype.kind in "biuf":
            group[name] = column.to_numpy()
        else:
            group.create_dataset(name, data=column.to_numpy(object), dtype=h5py.string_dtype())
        group[name].attrs["unit"] = COLUMNS.get(name, ("", ""))[1]


def read_table(group):
    """Read what `write_table` wrote.

    Parameters
    ----------
    group : h5py.Group

    Returns
    -------
    pandas.DataFrame
    """
    return complete_table(
        pd.DataFrame(
            {name: data.asstr()[:] if h5py.check_string_dtype(data.dtype) else data[:] for name, data in group.items()}
        )
    )


def groups(table):
    """Label of the group of every row: rows of one group must stay in one fold.

    Parameters
    ----------
    table : pandas.DataFrame

    Returns
    -------
    ndarray of str of shape (n_rows,)
        ``<dataset>/<trajectory>``.
    """
    return (table["dataset"] + "/" + table["trajectory"]).to_numpy(str)


def usable(table, exclude_duplicates=True):
    """Rows that a model may be fitted to or tested on.

    Parameters
    ----------
    table : pandas.DataFrame
    exclude_duplicates : bool
        Leave out the rows that `mark_duplicates` marked.

    Returns
    -------
    ndarray of bool of shape (n_rows,)
    """
    labelled = table["status"] == "labelled"
    return (labelled & (table["duplicate_of"] == "") if exclude_duplicates else labelled).to_numpy()


def mark_duplicates(table, energy_tolerance=1e-4, entropy_tolerance=1e-3):
    """Mark the minima that repeat another one.

    Labelled rows of one number of atoms and of sites, whatever their class, are taken in the order of their ids,
    training sets first (a test configuration that repeats a training one is the duplicate, not the other way round).
    Each is compared with the representatives so far, the rows that repeat none: if energy and entropy agree with one of
    them, the row is a duplicate of the first such representative, otherwise it becomes a representative itself.
    Duplicates never stand for others, so there are no chains, and the outcome does not depend on the order of the rows.
    It does depend on which rows are there: mark whole data sets, not shards. A row without an energy repeats nothing
    but what it is said to repeat.

    Parameters
    ----------
    table : pandas.DataFrame
    energy_tolerance : float
        In eV.
    entropy_tolerance : float
        In k_B.

    Returns
    -------
    pandas.DataFrame
        A copy with `duplicate_of` set in every row.
    """
    candidates = table[(table["status"] == "labelled") & table["energy"].notna() & table["formation_entropy"].notna()]
    duplicate_of = {}
    role = candidates["role"] if "role" in candidates else pd.Series("", candidates.index)
    candidates = candidates.assign(later=role != "train").sort_values(["later", "id"])
    for _, rows in candidates.groupby(["n_atoms", "n_sites"]):
        representatives = []  # (energy, entropy, rank, id), by energy
        columns = rows["energy"], rows["formation_entropy"], range(len(rows)), rows["id"]
        for row in zip(*columns, strict=True):
            energy, entropy, _, name = row
            start = bisect.bisect_left(representatives, energy - energy_tolerance, key=itemgetter(0))
            stop = bisect.bisect_right(representatives, energy + energy_tolerance, key=itemgetter(0))
            near = representatives[start:stop]
            matches = [(rank, other) for _, s, rank, other in near if abs(s - entropy) <= entropy_tolerance]
            if matches:
                duplicate_of[name] = min(matches)[1]
            else:
                bisect.insort(representatives, row)
    column = pd.Series([duplicate_of.get(name, "") for name in table["id"]], table.index, dtype=str)
    given = table.get("duplicate_of", "")
    return table.assign(duplicate_of=column.where(table["energy"].notna(), given))


def outcomes(table):
    """Count what became of the configurations.

    Parameters
    ----------
    table : pandas.DataFrame

    Returns
    -------
    pandas.DataFrame
        One row per data set, number of sites and class of defects, with the number of configurations, how many of
        them have each of the `STATUSES`, and how many of the labelled ones are duplicates.
    """
    counts = table[["dataset", "n_sites", "defect_class"]].assign(
        configurations=1,
        **{status: (table["status"] == status).astype(int) for status in STATUSES},
        duplicates=(table["duplicate_of"] != "").astype(int),
    )
    return counts.groupby(["dataset", "n_sites", "defect_class"]).sum().reset_index()


def check_labelled(table):
    """Check that every data set has a label.

    Parameters
    ----------
    table : pandas.DataFrame

    Raises
    ------
    DataError
        Naming the data sets that have none, with the first reason.
    """
    problems = [
        f"{name}: none of its {len(rows)} configurations has a label; "
        f"{rows['id'].iloc[0]} is {rows['status'].iloc[0]}: {rows['reason'].iloc[0]}"
        for name, rows in table.groupby("dataset")
        if not (rows["status"] == "labelled").any()
    ]
    if problems:
        raise DataError("\n".join(problems))
