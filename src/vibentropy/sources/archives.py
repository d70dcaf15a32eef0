"""Data sets to ship: labelled minima of one crystal in a small file.

Positions are kept to 1e-7 Å, as displacements from the sites of the perfect crystal in the same cell: in a relaxed cell
most are short, and take some two bytes a coordinate. Rounding them leaves forces of 1e-6 to 1e-5 eV/Å.

In HDF5 (kind ``archive``, schema 1), atoms of all configurations following each other:

=================== ============== ====================================================================================
data set            shape          meaning
=================== ============== ====================================================================================
``/sites/<size>``   (n_sites, 3)   sites of the perfect crystal of so many unit cells (``8x8x8``), in units of the cell
``/site``           (sum of n,)    the site, by its row there, that an atom is counted from; any may occur twice
``/displacement``   (sum of n, 3)  from that site, in 1e-7 Å: position = sites[site] @ cell + 1e-7 displacement
``/cells``          (n, 3, 3)      cell vectors in Å
``/first``          (n + 1,)       atoms of configuration i are those from first[i] to first[i + 1]
``/site_entropy``   (sum of n,)    entropy of each atom relative to one of the perfect crystal, k_B; NaN where unknown
``/table``                         columns of `vibentropy.datasets.table`, with ``repetitions`` (``8x8x8``)
``/repeats``                       the same of those that repeat one of ``/table``, as ``duplicate_of`` says; optional,
                                   and without atoms
``/numbers``        (sum of n,)    atomic number of each atom; where there are several elements
``/others/<k>``                    the reference cells of further elements, k from 0: ``numbers``, ``positions`` (Å) and
                                   ``cell`` (Å); likewise
``/random/<size>``                 the cells of a random alloy without a defect, of so many unit cells: ``numbers``
                                   (n, n_sites), ``positions`` (n, n_sites, 3) in Å and ``cells`` (n, 3, 3) in Å; that
                                   of a configuration is number ``seed`` modulo n
=================== ============== ====================================================================================

Attributes of the root: ``element``, ``structure`` and ``a`` (Å) of the crystal, and what the writer adds: ``potential``
of the labels (JSON, see `vibentropy.potentials.from_config.identity`), versions, seed and hash of the configuration.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from math import prod
from numbers import Integral
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from ase import Atoms
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from vibentropy.atoms.checks import check_geometry, element_indices
from vibentropy.atoms.crystal import Crystal
from vibentropy.atoms.reference_cells import ReferenceCells
from vibentropy.datasets.store import ConfigurationSet, check_rows
from vibentropy.datasets.table import SITE_ENTROPY, Status, complete_table, read_columns, write_columns
from vibentropy.errors import DataError, at, did_you_mean
from vibentropy.files.hdf5 import create, open_file, slices
from vibentropy.sources.random_alloys import RandomCells

if TYPE_CHECKING:
    from vibentropy.sources.source import Source

KIND = "archive"

#: Å; unit of the displacements.
RESOLUTION = 1e-7

_COMPRESSION = {"compression": "gzip", "compression_opts": 9, "shuffle": True}


def rounded(configurations: ConfigurationSet, crystal: Crystal) -> ConfigurationSet:
    """Round the positions of configurations to what an archive gives back.

    Parameters
    ----------
    configurations : ConfigurationSet
        With a column ``repetitions``.
    crystal : Crystal

    Returns
    -------
    ConfigurationSet
        The same table; positions within 1e-7 Å of what they were, or a cell vector off.
    """
    frames = []
    for atoms, repetitions in zip(configurations.frames, configurations.table["repetitions"], strict=True):
        sites = _sites(crystal, repetitions)
        site, displacement = _displacements(atoms, sites)
        frames.append(atoms.copy())
        frames[-1].positions = _positions(sites, site, displacement, atoms.cell[:])
    return ConfigurationSet(frames, configurations.table, configurations.attributes)


def write_archive(
    path: Path | str,
    configurations: ConfigurationSet,
    crystal: Crystal,
    repeats: pd.DataFrame | None = None,
    others: Sequence[Atoms] = (),
    random: RandomCells | None = None,
    **attributes: Any,
) -> None:
    """Write labelled configurations as an archive.

    Parameters
    ----------
    path : path-like
    configurations : ConfigurationSet
        Labelled, with a column ``repetitions``; of the elements of the crystal and of `others`.
    crystal : Crystal
        What the cells are made of, perhaps strained.
    repeats : pandas.DataFrame, optional
        The same table of others that are among them but for their name, their trajectory and rounding: those that
        ``duplicate_of`` says.
    others : sequence of ase.Atoms
        Relaxed cells that atoms of further elements are compared with, one for each; see
        `vibentropy.sources.source.Source.others`.
    random : RandomCells, optional
        The cells without a defect, where the crystal is a random alloy; those of other sizes are left out.
    **attributes
        Provenance, as for `vibentropy.files.hdf5.create`.

    Raises
    ------
    DataError
        If there are no configurations, one has no label, its sites are not those of the crystal in so many cells,
        a column is missing, a repeat is of none of them or differs from it, or there is no random cell of its size.
    StructureError
        If one is of another element, or the crystal and `others` do not say what an atom of each counts.
    """
    table = configurations.table
    if "repetitions" not in table:
        raise DataError("configurations without a column 'repetitions' cannot be written relative to lattice sites")
    unlabelled = table[table["status"] != Status.LABELLED]
    if len(unlabelled):
        first = unlabelled.iloc[0]
        raise DataError(f"{first['id']} is {first['status']}; an archive holds labelled configurations only")
    if not len(table):
        raise DataError("nothing to archive: no configuration is labelled and distinct", path)
    if repeats is not None:
        _check_repeats(table, repeats, random)
    rows: Iterator[Any] = table.itertuples()
    perfect = crystal.cell(1) if random is None else random.smallest
    elements = ReferenceCells.of([perfect, *others]).compositions.elements
    for atoms, row in zip(configurations.frames, rows, strict=True):
        element_indices(atoms, elements)
        if not re.fullmatch(r"\d+x\d+x\d+", row.repetitions) or row.n_sites != len(_sites(crystal, row.repetitions)):
            raise DataError(
                f"{row.id}: {row.n_sites} sites are not {row.repetitions or 'no'} unit cells of {crystal.structure}"
            )
    with create(path, KIND, **crystal.facts, **attributes) as file:
        sites = {size: _sites(crystal, size) for size in sorted(set(table["repetitions"]))}
        for size, fractions in sites.items():
            file.create_dataset(f"sites/{size}", data=fractions, **_COMPRESSION)
        relative = [
            _displacements(atoms, sites[size])
            for atoms, size in zip(configurations.frames, table["repetitions"], strict=True)
        ]
        entropies = [atoms.arrays.get(SITE_ENTROPY, np.full(len(atoms), np.nan)) for atoms in configurations.frames]
        for name, data, unit in [
            ("site", np.concatenate([site for site, _ in relative]), ""),
            ("displacement", np.concatenate([displacement for _, displacement in relative]), "1e-7 Å"),
            ("cells", np.array([atoms.cell[:] for atoms in configurations.frames]), "Å"),
            (SITE_ENTROPY, np.concatenate(entropies).astype(np.float32), "k_B"),
        ]:
            file.create_dataset(name, data=data, **_COMPRESSION).attrs["unit"] = unit
        file["first"] = np.concatenate([[0], np.cumsum(table["n_atoms"])])
        if len(elements) > 1:
            numbers = np.concatenate([atoms.numbers for atoms in configurations.frames]).astype(np.uint8)
            file.create_dataset("numbers", data=numbers, **_COMPRESSION)
        if random is not None:
            for size in sites:
                _write_random_cells(file.create_group(f"random/{size}"), random.of_size(size))
        for k, cell in enumerate(others):
            file[f"others/{k}/numbers"] = cell.numbers.astype(np.uint8)
            for name, lengths in (("positions", cell.positions), ("cell", cell.cell[:])):
                file[f"others/{k}/{name}"] = lengths
                file[f"others/{k}/{name}"].attrs["unit"] = "Å"
        write_columns(file.create_group("table"), table)
        if repeats is not None:
            write_columns(file.create_group("repeats"), complete_table(repeats))


def read_archive(
    path: Path | str,
    name: str,
    classes: Sequence[str] | None = None,
    rows: Sequence[int] | None = None,
    *,
    repeats: bool = False,
) -> ConfigurationSet:
    """Read the configurations of an archive, or a part of them.

    Parameters
    ----------
    path : path-like
    name : str
        Of the data set; the first part of every id.
    classes : list of str, optional
        Classes of defects that are wanted; all of them by default.
    rows : sequence of 2 or 3 int, optional
        First row that is wanted, the one after the last and perhaps a step, among those of these classes.
    repeats : bool
        With those that fell again into a minimum, in the order of the ids.

    Returns
    -------
    ConfigurationSet

    Raises
    ------
    DataError
        If the file is missing, truncated, something else, inconsistent, or without one of the classes or the repeats,
        or `rows` are something else.
    StructureError
        If a configuration is none, see `vibentropy.datasets.store.check_rows`.
    """
    part = _part(rows)
    with open_file(path, KIND) as file:
        table, stored = _table(file, repeats)
        wanted = rows_of_classes(path, table, classes)[part]
        parts, cells = slices(file["first"][:], len(file["site"]), "/first"), file["cells"][:]
        n_stored = len(file["table"]["id"])
        if "numbers" in file and len(file["numbers"]) != len(file["site"]):
            raise DataError(f"{len(file['numbers'])} atoms in /numbers, {len(file['site'])} in /site")
        if len({len(parts), len(cells), n_stored}) > 1:
            raise DataError(f"{len(parts)} configurations in /first, {len(cells)} in /cells, {n_stored} in /table")
        sites = {size: group[:] for size, group in file["sites"].items()}
        frames = []
        table = table.iloc[wanted].reset_index(drop=True)
        for i, row_id, size in zip(stored[wanted], table["id"], table["repetitions"], strict=True):
            of_size, site = sites[size], file["site"][parts[i]]
            if len(site) and not 0 <= site.min() <= site.max() < len(of_size):
                raise DataError(
                    f"/site of {row_id} has values from {site.min()} to {site.max()}, expected rows of the "
                    f"{len(of_size)} sites of {size} cells"
                )
            positions = _positions(of_size, site, file["displacement"][parts[i]], cells[i])
            species = file["numbers"][parts[i]] if "numbers" in file else [file.attrs["element"]] * len(positions)
            frames.append(Atoms(species, positions=positions, cell=cells[i], pbc=True))
            entropies = file[SITE_ENTROPY][parts[i]]
            if not np.isnan(entropies).any():
                frames[-1].set_array(SITE_ENTROPY, entropies.astype(float))
        check_rows(frames, table)
        attributes = {key: file.attrs[key] for key in ("element", "structure", "a")}
    if len(table):
        former = table["dataset"].iloc[0]
        table["id"] = name + table["id"].str.removeprefix(former)
        renamed = name + table["duplicate_of"].str.removeprefix(former)
        table["duplicate_of"] = renamed.where(table["duplicate_of"] != "", "")
    table["dataset"] = name
    return ConfigurationSet(frames, table, attributes)


@dataclass(frozen=True)
class Header:
    """What an archive says of all its configurations.

    Attributes
    ----------
    crystal : Crystal
        That the configurations are compared with, unstrained.
    potential : str
        What the labels were computed with, as from `vibentropy.potentials.from_config.identity`; empty where the
        archive does not say.
    table : pandas.DataFrame
        Columns of `vibentropy.datasets.table`, one row per configuration; not to be changed.
    others : tuple of ase.Atoms
        Relaxed cells that atoms of further elements are compared with; not to be changed.
    random : RandomCells or None
        The cells without a defect where the crystal is a random alloy, and else None; not to be changed.
    """

    crystal: Crystal
    potential: str
    table: pd.DataFrame
    others: tuple[Atoms, ...] = ()
    random: RandomCells | None = None


def read_header(path: Path | str, repeats: bool = False) -> Header:
    """Read everything but the atoms of an archive, once as long as the file stays the same.

    Parameters
    ----------
    path : path-like
    repeats : bool
        As for `read_archive`.

    Returns
    -------
    Header

    Raises
    ------
    DataError
        If the file is missing, truncated or something else, or without repeats.
    """
    try:
        state = os.stat(path)
    except OSError:
        return _read_header(path, repeats)  # Which says what is wrong.
    return _cached_header(path, repeats, state.st_dev, state.st_ino, state.st_size, state.st_mtime_ns)


@cache
def _cached_header(path: Path | str, repeats: bool, *state: int) -> Header:
    return _read_header(path, repeats)


def _read_header(path: Path | str, repeats: bool) -> Header:
    with open_file(path, KIND) as file:
        crystal = Crystal.from_facts(file.attrs)
        others = tuple(
            Atoms(group["numbers"][:], positions=group["positions"][:], cell=group["cell"][:], pbc=True)
            for _, group in sorted(file.get("others", {}).items(), key=lambda item: int(item[0]))
        )
        for k, cell in enumerate(others):
            with at(f"/others/{k}"):
                check_geometry(cell)
        potential, (table, _) = str(file.attrs.get("potential", "")), _table(file, repeats)
        return Header(crystal, potential, table, others, _random_cells(file))


def _write_random_cells(group, cells):
    group.create_dataset("numbers", data=np.array([cell.numbers for cell in cells], dtype=np.uint8), **_COMPRESSION)
    for name, lengths in (
        ("positions", [cell.positions for cell in cells]),
        ("cells", [cell.cell[:] for cell in cells]),
    ):
        group.create_dataset(name, data=np.array(lengths), **_COMPRESSION).attrs["unit"] = "Å"


def _random_cells(file):
    """Cells of a random alloy in an archive; None where the crystal is another."""
    if "random" not in file:
        return None
    cells = {}
    for size, group in sorted(file["random"].items(), key=lambda item: prod(int(n) for n in item[0].split("x"))):
        stored = zip(group["numbers"][:], group["positions"][:], group["cells"][:], strict=True)
        cells[size] = [Atoms(numbers, positions=positions, cell=cell, pbc=True) for numbers, positions, cell in stored]
        for k, cell in enumerate(cells[size]):
            with at(f"/random/{size}, cell {k}"):
                check_geometry(cell)
    return RandomCells(cells)


def crystal_of(reference: Path | str) -> Crystal:
    """Find the crystal that the minima of a data set are written with into another archive.

    Parameters
    ----------
    reference : path-like
        The archive that they are from, or the file of the lattice of their recipe.

    Returns
    -------
    Crystal

    Raises
    ------
    DataError
        If it is neither: minima from other files have a cell for a reference, which archives cannot hold.
    """
    suffix = Path(reference).suffix
    if suffix == ".h5":
        return read_header(reference).crystal
    if suffix == ".json":
        return Crystal.load(reference)
    raise DataError(
        "the reference of these minima is a file of atoms, and archives hold displacements from a lattice: expected a "
        "data set with a recipe or from an archive",
        place=reference,
    )


def random_cells_of(source: Source, lattice: Path | str) -> RandomCells | None:
    """Find the cells without a defect of a data set that is written into an archive.

    Parameters
    ----------
    source : Source
    lattice : path-like
        File of the crystal that recipes start from; not read for other data sets.

    Returns
    -------
    RandomCells or None
        None where the crystal is no random alloy.
    """
    perfect = source.perfect(lattice)
    return perfect if isinstance(perfect, RandomCells) else None


def _part(rows):
    """Rows as a slice."""
    if rows is None:
        return slice(None)
    if len(rows) not in (2, 3) or not all(isinstance(end, Integral) for end in rows) or not all(rows[2:]):
        raise DataError(f"rows == {rows!r}, expected [first, one after the last] or [first, one after the last, step]")
    return slice(*rows)


def _table(file, repeats):
    """Table of an archive, with or without its repeats, and the row of the stored atoms of each of its rows."""
    table = read_columns(file["table"])
    if not repeats:
        return table, np.arange(len(table))
    if "repeats" not in file:
        # With its place, so that nobody is told to make the file again.
        raise DataError(
            "was written without the repeats of its minima, which `repeats: true` asks for: leave that out",
            file.filename,
        )
    again = read_columns(file["repeats"])
    if again.empty:
        return table, np.arange(len(table))
    stored = np.concatenate([np.arange(len(table)), _rows_of(table, again)])
    table = complete_table(pd.concat([table, again]))
    order = np.argsort(table["id"].to_numpy(str), kind="stable")
    return table.iloc[order].reset_index(drop=True), stored[order]


def _check_repeats(table, repeats, random):
    """Check that repeats are minima of the table but for their names and trajectories."""
    minima = table.iloc[_rows_of(table, repeats)]
    for column in ("dataset", "defect_class", "n_atoms", "n_sites", "repetitions", "status"):
        differs = (repeats[column].to_numpy() != minima[column].to_numpy()).nonzero()[0]
        if len(differs):
            row, minimum = repeats.iloc[differs[0]], minima.iloc[differs[0]]
            raise DataError(
                f"{row['id']} repeats {minimum['id']}, but its {column} is {row[column]}, expected {minimum[column]}"
            )
    for repeat, minimum in zip(repeats.to_dict("records"), minima.to_dict("records"), strict=True):
        if random is not None and random(repeat) is not random(minimum):
            raise DataError(
                f"{repeat['id']} repeats {minimum['id']}, but is compared with another cell of the random alloy: their "
                "energies and entropies agree by chance, so take another seed"
            )
    names = pd.concat([table["id"], repeats["id"]])
    if names.duplicated().any():
        raise DataError(f"{names[names.duplicated()].iloc[0]} is there twice, expected unique ids")


def _rows_of(table, repeats):
    """Rows of the minima that repeats are of."""
    rows = pd.Index(table["id"]).get_indexer(repeats["duplicate_of"])
    strangers = repeats[rows < 0]
    if len(strangers):
        first = strangers.iloc[0]
        raise DataError(f"{first['id']} repeats {first['duplicate_of'] or 'nothing'}, expected one of the minima")
    return rows


def rows_of_classes(path: Path | str, table: pd.DataFrame, classes: Sequence[str] | None) -> NDArray[np.int64]:
    """Find the rows of some classes of defects.

    Parameters
    ----------
    path : path-like
        The archive, for the message.
    table : pandas.DataFrame
        See `Header.table`.
    classes : sequence of str or None
        None for all.

    Returns
    -------
    ndarray of int

    Raises
    ------
    DataError
        If there is no such class.
    """
    if classes is None:
        return np.arange(len(table))
    present = sorted(set(table["defect_class"]))
    for defect_class in classes:
        if defect_class not in present:
            message = f"no class {defect_class!r}{did_you_mean(defect_class, present)}; there are {', '.join(present)}"
            raise DataError(message, path)
    return np.flatnonzero(table["defect_class"].isin(classes))


def _sites(crystal, repetitions):
    """Sites of the perfect crystal in units of its cell."""
    return crystal.cell([int(n) for n in repetitions.split("x")]).get_scaled_positions()


def _displacements(atoms, sites):
    """Nearest site of each atom, and the displacement from it in units of the resolution."""
    scaled = atoms.get_scaled_positions(wrap=True)
    # The shapes of the cells are near enough to cubic for the nearest in units of the cell to be near.
    _, site = cKDTree(sites % 1.0, boxsize=1.0).query(scaled % 1.0)
    vectors = scaled - sites[site]
    vectors = (vectors - np.round(vectors)) @ atoms.cell[:]
    return site.astype(np.int32), np.round(vectors / RESOLUTION).astype(np.int32)


def _positions(sites, site, displacement, cell):
    return sites[site] @ cell + RESOLUTION * displacement
