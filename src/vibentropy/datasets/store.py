"""Sets of cells in HDF5.

A run may have 31 000 cells of 1024 atoms: 0.8 GB of positions, but 10 MB of table. What needs the table alone
reads it with `load_table`, what needs some cells gives `ConfigurationSet.load` their rows, and `merge`,
`stored_frames` and `write_extxyz` hold the atoms of one file or of `BLOCK` cells at a time.

In HDF5 (kind ``configurations``, schema 1) atoms of all cells follow each other: ``/positions`` (sum of n, 3)
in Å, ``/numbers``, those of cell i from ``/first[i]`` to ``/first[i + 1]``; ``/cells`` (n, 3, 3) in Å,
``/pbc`` (n, 3), and one data set per column in ``/table``. Where any cell has site entropies, they are in
``/site_entropy`` (sum of n,) in k_B, NaN for the others.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from ase import Atoms
from ase.data import chemical_symbols
from numpy.typing import ArrayLike, NDArray

from vibentropy.atoms.checks import check_geometry
from vibentropy.datasets.export import write_extxyz
from vibentropy.datasets.table import (
    COLUMNS,
    SITE_ENTROPY,
    Status,
    complete_table,
    facts_of,
    read_columns,
    write_columns,
)
from vibentropy.errors import DataError, StructureError, at
from vibentropy.files.facts import as_table
from vibentropy.files.hdf5 import create, open_file, slices

KIND = "configurations"

#: Most configurations that are read in one piece: 6 MB where they have 1024 atoms.
BLOCK = 256


class StoredArray(NamedTuple):
    """One of the arrays in the file of a set of configurations.

    Attributes
    ----------
    shape : tuple of int
        Of what each atom or each configuration has.
    dtype : type
    unit : str
    per_atom : bool
        Whether it is of atoms rather than of configurations.
    """

    shape: tuple[int, ...]
    dtype: type
    unit: str
    per_atom: bool


#: Arrays of the file by name.
ARRAYS = {
    "positions": StoredArray((3,), float, "Å", per_atom=True),
    "numbers": StoredArray((), np.uint8, "", per_atom=True),
    "cells": StoredArray((3, 3), float, "Å", per_atom=False),
    "pbc": StoredArray((3,), bool, "", per_atom=False),
    SITE_ENTROPY: StoredArray((), float, "k_B", per_atom=True),
}


@dataclass(repr=False)
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

    frames: list[Atoms]
    table: pd.DataFrame
    attributes: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if len(self.frames) != len(self.table):
            raise DataError(f"{len(self.frames)} frames but {len(self.table)} rows; expected one row per frame")
        self.frames = [_essence(atoms) for atoms in self.frames]
        self.table = complete_table(self.table.assign(n_atoms=[len(atoms) for atoms in self.frames]))

    def __len__(self) -> int:
        return len(self.frames)

    def __repr__(self) -> str:
        labelled = (self.table["status"] == Status.LABELLED).sum()
        return f"<ConfigurationSet of {len(self)} configurations, {labelled} of them labelled>"

    def _repr_html_(self) -> str:
        """Show in a notebook what is in the set."""
        resolved = sum(not np.isnan(atoms.arrays.get(SITE_ENTROPY, np.nan)).any() for atoms in self.frames)
        return as_table("ConfigurationSet", facts_of(self.table, resolved))

    def subset(self, selection: ArrayLike) -> "ConfigurationSet":
        """Select configurations of the set.

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

    def save(self, path: str | Path) -> None:
        """Write the set to HDF5; see the module for the layout.

        Parameters
        ----------
        path : path-like
        """
        whole = [np.arange(len(self))]
        resolved = any(atoms.has(SITE_ENTROPY) for atoms in self.frames)
        write_set(path, self.table, self.attributes, whole, resolved, lambda name, _: joined_array(self.frames, name))

    @classmethod
    def load(cls, path: str | Path, rows: ArrayLike | None = None) -> "ConfigurationSet":
        """Read a set that `save` or `merge` wrote.

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
            table = read_columns(file["table"])
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

    def to_extxyz(self, path: str | Path) -> None:
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


def joined_array(frames: Sequence[Atoms], name: str) -> NDArray[Any]:
    """Join what the configurations of a set hold of one of the arrays of its file.

    Parameters
    ----------
    frames : sequence of ase.Atoms
        At least one.
    name : str
        Of the array: ``positions``, ``numbers``, ``cells``, ``pbc`` or `SITE_ENTROPY`.

    Returns
    -------
    ndarray
        Of all their atoms or of all of them, one after the other, with the type that the file has.
    """
    arrays = {
        "positions": lambda atoms: atoms.positions,
        "numbers": lambda atoms: atoms.numbers,
        "cells": lambda atoms: atoms.cell[None, :],
        "pbc": lambda atoms: atoms.pbc[None, :],
        SITE_ENTROPY: lambda atoms: atoms.arrays.get(SITE_ENTROPY, np.full(len(atoms), np.nan)),
    }
    return np.concatenate([arrays[name](atoms) for atoms in frames]).astype(ARRAYS[name].dtype, copy=False)


def check_rows(frames: Sequence[Atoms], table: pd.DataFrame) -> None:
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
        If a frame that is not rejected holds no element, or `vibentropy.atoms.checks.check_geometry` refuses it.
    """
    if len(frames) != len(table):
        raise DataError(f"{len(frames)} configurations but {len(table)} rows in /table; expected a row for each")
    columns = (table[name] for name in ("id", "n_atoms", "n_sites", "status", "formation_entropy"))
    for atoms, name, n_atoms, n_sites, status, entropy in zip(frames, *columns, strict=True):
        if n_atoms != len(atoms):
            raise DataError(f"{name} has {len(atoms)} atoms, and {n_atoms} in its row of /table")
        if n_sites < 0 and n_sites != COLUMNS["n_sites"][0]:
            raise DataError(f"{name} has {n_sites} sites in its row of /table, expected a count, or -1 where unknown")
        if status == Status.LABELLED and not np.isfinite(entropy):
            raise DataError(f"{name} is labelled, and its formation_entropy is {entropy}, expected a finite number")
        if status != Status.REJECTED:
            unknown = np.flatnonzero((atoms.numbers < 1) | (atoms.numbers >= len(chemical_symbols)))
            if len(unknown):
                raise StructureError(
                    f"atom {unknown[0]} has the atomic number {atoms.numbers[unknown[0]]}, expected those of "
                    f"elements, 1 to {len(chemical_symbols) - 1}",
                    name,
                )
            with at(name):
                check_geometry(atoms)


def load_table(path: str | Path) -> pd.DataFrame:
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
        return read_columns(file["table"])


def load_element(path: str | Path) -> str:
    """Read the element that a merged set is of, several as ``Fe-P``, and nothing else.

    Parameters
    ----------
    path : path-like
        As written by `vibentropy.datasets.merge.merge`.

    Returns
    -------
    str

    Raises
    ------
    DataError
        If the file is missing, truncated or something else, or does not say it.
    """
    with open_file(path, KIND) as file:
        if "element" not in file.attrs:
            raise DataError("no configuration of the set is labelled, or an older version wrote it: it has no element")
        return str(file.attrs["element"])


def stored_frames(path: str | Path) -> Iterator[Atoms]:
    """Yield the configurations of a stored set one after the other, `BLOCK` of them in memory.

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


def write_set(
    path: str | Path,
    table: pd.DataFrame,
    attributes: Mapping[str, Any],
    pieces: Sequence[NDArray[np.integer]],
    resolved: bool,
    array: Callable[[str, int], NDArray[Any]],
) -> None:
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
        shape, dtype, unit, per_atom = ARRAYS[name]
        ends = of_atoms if per_atom else np.arange(len(table) + 1)
        # Named once it is full, as h5py does with whole arrays: the bytes do not tell in how many pieces it came.
        data = file.create_dataset(None, (ends[-1], *shape), dtype)
        for number, rows in enumerate(pieces):
            if len(rows):
                values: NDArray[Any] = array(name, number).astype(dtype, copy=False)
                of_piece = np.concatenate([[0], np.cumsum(np.diff(ends)[rows])])
                for start, stop in _runs(rows):
                    data[ends[rows[start]] : ends[rows[stop - 1] + 1]] = values[of_piece[start] : of_piece[stop]]
        file[name] = data
        file[name].attrs["unit"] = unit

    with create(path, KIND, **attributes) as file:
        for name in ("positions", "numbers", "cells", "pbc"):
            fill(file, name)
        file["first"] = of_atoms
        if resolved:
            fill(file, SITE_ENTROPY)
        write_columns(file.create_group("table"), table)


def _runs(rows):
    """Start and stop, in a sequence of rows, of those that follow each other; `BLOCK` of them at most."""
    jumps = [0, *(np.flatnonzero(np.diff(rows) != 1) + 1), len(rows)]
    for start, stop in pairwise(jumps):
        yield from ((block, min(block + BLOCK, stop)) for block in range(start, stop, BLOCK))


def _parts(file):
    """Atoms of each configuration of an open file, list of slice; refuse arrays that do not belong together."""
    parts = slices(file["first"][:], len(file["positions"]), "/first")
    for name, (shape, _, _, per_atom) in ARRAYS.items():
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
            atoms_of_cell = slice(part.start - atoms_of_block.start, part.stop - atoms_of_block.start)
            atoms = Atoms(numbers=numbers[atoms_of_cell], positions=positions[atoms_of_cell], cell=cell, pbc=pbc)
            if site_entropy is not None and not np.isnan(site_entropy[atoms_of_cell]).any():
                atoms.set_array(SITE_ENTROPY, site_entropy[atoms_of_cell])
            yield atoms
