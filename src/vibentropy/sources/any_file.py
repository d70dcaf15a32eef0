"""Configurations of any file, one at a time: of other programs by way of ASE, and of this package."""

from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from ase import Atoms

from vibentropy.atoms import reading
from vibentropy.datasets import store
from vibentropy.errors import DataError
from vibentropy.files.hdf5 import kind_of, open_file
from vibentropy.files.progress import Within, ignore
from vibentropy.sources import archives


def _archived(path):
    configurations = archives.read_archive(path, "archive")
    return zip(configurations.frames, configurations.table.to_dict("records"), strict=True)


def _saved(path):
    return zip(store.stored_frames(path), store.load_table(path).to_dict("records"), strict=True)


#: Configurations with their rows of the table, by the kind of file.
_OWN = {archives.KIND: _archived, store.KIND: _saved}


def read_any(
    path: Path | str,
    file_format: str | None = None,
    element: str | None = None,
    within: Within = ignore,
    start: int = 0,
    stop: int | None = None,
) -> Iterator[Atoms]:
    """Yield the configurations of any file, of other programs by way of ASE or of this package.

    Parameters
    ----------
    path : path-like
        Anything ASE reads, or an archive or a set of configurations of this package.
    file_format : str, optional
        Name of ASE's format where the file does not tell.
    element : str, optional
        Chemical symbol of all atoms of a file of LAMMPS that says their types only.
    within : callable
        Called now and then with the share of a large configuration that is read, from 0 to 1.
    start, stop : int, optional
        First configuration, counted from 0, and the one after the last; by default all. Only files that `count_frames`
        can count have parts.

    Yields
    ------
    ase.Atoms
        One at a time where the format allows it, as extended XYZ does, compressed or not; archives are read whole. What
        the file says about a configuration is in its `info`, and the row of the table of this package's files.

    Raises
    ------
    DataError
        If the file is missing, of another kind, truncated or malformed; with the frame.
    """
    kind = kind_of(path)
    if not kind:
        yield from reading.read_frames(path, file_format, start, stop, element, within)
    elif kind in _OWN:
        for atoms, row in islice(_OWN[kind](path), start, stop):
            # `value == value` is False for NaN only.
            atoms.info |= {name: value for name, value in row.items() if value != "" and value == value}
            yield atoms
    else:
        raise DataError(f"the file is of kind {kind!r}, expected configurations of atoms", path)


def count_frames(path: Path | str, file_format: str | None = None) -> int | None:
    """Count the configurations of any file, of other programs or of this package, where that is cheap.

    Parameters
    ----------
    path : path-like
    file_format : str, optional

    Returns
    -------
    int or None
        None where only reading would tell, or the file is faulty.
    """
    kind = kind_of(path)
    if kind in _OWN:
        with open_file(path, kind) as file:
            return len(file["first"]) - 1
    try:
        return reading.count(path, file_format)
    except DataError:
        return None
