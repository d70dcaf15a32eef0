"""Files that are whole when they exist, and say what they are.

Every file of the package is written under a temporary name beside its own and renamed at the end. HDF5 files carry
as root attributes their ``kind``, the version of its layout (``schema``), the ``vibentropy_version`` that wrote
them and what their owner adds (units, hash of the configuration, seed). The same content gives the same bytes.
Text in HDF5 is UTF-8 of variable length (``dataset.asstr()[:]`` reads it back); nothing is ever pickled.
"""

import hashlib
import os
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path

import h5py

from vibentropy.errors import DataError


@contextmanager
def atomic(path):
    """Yield a temporary path beside `path`; rename it to `path` on success, remove it on failure.

    Parameters
    ----------
    path : path-like
        Missing folders are made.

    Yields
    ------
    pathlib.Path
        With the suffix of `path`, so that writers which look at suffixes choose the same format. The name depends
        on `path` only: what a killed run leaves behind is overwritten by the next one. Hence one writer per path.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".partial-{path.name}")
    try:
        yield temporary
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def sha256(path):
    """Compute the SHA-256 of a file, in hexadecimal digits.

    Parameters
    ----------
    path : path-like

    Returns
    -------
    str
    """
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def create(path, kind, schema=1, **attributes):
    """Write an HDF5 file that appears under its name only when it is complete.

    Parameters
    ----------
    path : path-like
    kind : str
        What the file holds, such as ``"configurations"``; `open_file` asks for it.
    schema : int
        Version of the layout of this kind of file.
    **attributes : str, bool, int, float or ndarray
        Further attributes of the root group: units, hash of the configuration, seed.

    Yields
    ------
    h5py.File
    """
    # The bytes depend on the order in which attributes are written; times are not kept unless asked for.
    with atomic(path) as temporary, h5py.File(temporary, "w", track_order=False) as file:
        attributes |= {"kind": kind, "schema": schema, "vibentropy_version": version("vibentropy")}
        file.attrs.update(sorted(attributes.items()))
        yield file


@contextmanager
def open_file(path, kind, schema=1):
    """Open an HDF5 file for reading, after checking that it is what the caller expects.

    Parameters
    ----------
    path : path-like
    kind : str
    schema : int
        As given to `create`.

    Yields
    ------
    h5py.File

    Raises
    ------
    DataError
        If the file is missing, truncated, not HDF5, of another kind or of another schema.
    """
    if not Path(path).is_file():
        raise DataError(f"{path}: no such file")
    try:
        file = h5py.File(path, "r")
    except OSError as error:
        raise DataError(f"{path}: not a complete HDF5 file ({error})") from error
    with file:
        found = file.attrs.get("kind"), file.attrs.get("schema")
        if found != (kind, schema):
            raise DataError(
                f"{path}: the file is of kind {found[0]!r}, schema {found[1]}; expected {kind!r}, schema {schema}"
            )
        yield file
