"""Configurations of any file, one at a time: of other programs by way of ASE, and of this package."""

from collections import deque
from itertools import islice

from ase.io.formats import UnknownFileTypeError, filetype, open_with_compression

from vibentropy import archive, dataset
from vibentropy.errors import DataError
from vibentropy.ingest import read_frames as read_ase
from vibentropy.storage import kind_of, open_file

_OWN = {
    archive.KIND: lambda path: archive.read(path, "archive"),
    dataset.KIND: dataset.ConfigurationSet.load,
}


def read_frames(path, file_format=None):
    """Yield the configurations of a file.

    Parameters
    ----------
    path : path-like
        Anything ASE reads, or an archive or a set of configurations of this package.
    file_format : str, optional
        Name of ASE's format where the file does not tell.

    Yields
    ------
    ase.Atoms
        One at a time where the format allows it, as extended XYZ does, compressed or not. What the file says about a
        configuration is in its `info`, and the row of the table of this package's files.

    Raises
    ------
    DataError
        If the file is missing, of another kind, truncated or malformed; with the frame.
    """
    kind = kind_of(path)
    if not kind:
        yield from read_ase(path, file_format)
    elif kind in _OWN:
        configurations = _OWN[kind](path)
        for atoms, row in zip(configurations.frames, configurations.table.to_dict("records"), strict=True):
            atoms.info |= {name: value for name, value in row.items() if value != "" and value == value}
            yield atoms
    else:
        raise DataError(f"{path}: the file is of kind {kind!r}, expected configurations of atoms")


def count_frames(path, file_format=None):
    """Count the configurations of a file where that is cheap.

    Parameters
    ----------
    path : path-like
    file_format : str, optional

    Returns
    -------
    int or None
        None where only reading would tell.
    """
    kind = kind_of(path)
    if kind in _OWN:
        with open_file(path, kind) as file:
            return len(file["first"]) - 1
    try:
        known = (file_format or filetype(str(path))) in ("xyz", "extxyz")
    except (UnknownFileTypeError, OSError):
        return None
    if not known:
        return None
    frames = 0
    with open_with_compression(path, "rb") as file:
        for line in file:
            if not line.strip().isdigit():
                break
            frames += 1
            # The line of properties and the atoms.
            deque(islice(file, int(line) + 1), maxlen=0)
    return frames
