"""HDF5 files that say what they are.

Each carries as root attributes its ``kind``, the version of its layout (``schema``), the ``vibentropy_version`` that
wrote it and what its owner adds (units, hash of the configuration, seed). The same content gives the same bytes.
Text is UTF-8 of variable length (``dataset.asstr()[:]`` reads it back); nothing is ever pickled.
"""

import io
import os
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from importlib.metadata import version
from itertools import pairwise
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from vibentropy.errors import DataError, VibentropyError
from vibentropy.files.atomic import atomic
from vibentropy.files.heaps import REMEDY, check_heaps

#: Bytes that one stored byte can stand for: deflate packs no tighter than 1032 to one.
MAX_COMPRESSION = 1100

#: Bytes that a data set may have without being stored: small ones can be all fill value.
_SMALL = 2**16


@contextmanager
def create(path: Path | str, kind: str, schema: int = 1, **attributes: Any) -> Iterator[h5py.File]:
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

    Raises
    ------
    OutputError
        See `atomic`.
    """
    # The bytes depend on the order in which attributes are written; times are not kept unless asked for.
    attributes |= {"kind": kind, "schema": schema, "vibentropy_version": version("vibentropy")}
    with atomic(path) as temporary, _LateErrors(temporary, "w+b") as raw:
        try:
            with h5py.File(raw, "w", track_order=False) as file:
                file.attrs.update(sorted(attributes.items()))
                yield file
        finally:
            if raw.error:
                raise raw.error


class _LateErrors(io.FileIO):
    """A file whose errors of writing wait to be asked for.

    On a full disk the HDF5 library cannot close what it has opened, tries again at exit, and takes the process with
    it. It is told that all went well, and everything after the first error is dropped.

    Attributes
    ----------
    error : OSError or None
    """

    error = None

    def write(self, data):
        left = memoryview(data).cast("B")
        size = len(left)
        try:
            while left and not self.error:
                left = left[super().write(left) :]
        except OSError as error:
            self.error = error
        return size

    def truncate(self, size=None):
        try:
            return super().truncate(size) if not self.error else size
        except OSError as error:
            self.error = error
            return size

    def readinto(self, buffer):
        # What was dropped reads as zeros.
        view = memoryview(buffer).cast("B")
        read = super().readinto(view)
        view[read:] = bytes(len(view) - read)
        return len(view)


@contextmanager
def open_file(path: Path | str, kind: str, schema: int = 1, earlier: Collection[int] = ()) -> Iterator[h5py.File]:
    """Open an HDF5 file for reading, after checking that it is what the caller expects.

    No data set can be larger than what is stored of it allows, so that a damaged header costs no memory. Whatever is
    raised within the context, by the HDF5 library or by a check of the content, is raised as an error of this package
    that names the file.

    Parameters
    ----------
    path : path-like
    kind : str
    schema : int
        As given to `create`.
    earlier : collection of int
        Further schemas that the caller can read.

    Yields
    ------
    h5py.File

    Raises
    ------
    DataError
        If the file is missing, truncated, not HDF5, of another kind or of another schema, or if its content is not
        what the caller finds sound.
    """
    if not Path(path).is_file():
        raise DataError("no such file", path)
    check_heaps(path)
    try:
        file = h5py.File(path, "r")
    except OSError as error:
        raise DataError(f"not a complete HDF5 file ({error}); {REMEDY}", path) from error
    with file:
        try:
            _check_types("", file)
            contents = file.attrs.get("kind"), file.attrs.get("schema")
            if contents not in {(kind, one) for one in (schema, *earlier)}:
                message = (
                    f"the file is of kind {contents[0]!r}, schema {contents[1]}; expected {kind!r}, schema {schema}"
                )
                raise DataError(message, path)
            file.visititems(_check_types)
            file.visititems(_check_size)
            yield file
        except VibentropyError as error:
            error.locate(path, remedy=REMEDY)
            raise
        except Exception as error:  # The library raises anything, from KeyError to RuntimeError.
            raise DataError(f"damaged ({type(error).__name__}: {error}); {REMEDY}", path) from error


def kind_of(path: Path | str) -> str | None:
    """Ask an HDF5 file of this package what it holds, without reading it.

    Parameters
    ----------
    path : path-like

    Returns
    -------
    str or None
        Its ``kind``, empty for HDF5 of other programs; None for what is not HDF5 at all.

    Raises
    ------
    DataError
        If it begins as HDF5 and is damaged.
    """
    if not h5py.is_hdf5(path):
        return None
    try:
        with h5py.File(path, "r") as file:
            return str(file.attrs["kind"]) if "kind" in file.attrs and is_readable(file.attrs, "kind") else ""
    except OSError as error:
        raise DataError(f"not a complete HDF5 file ({error}); {REMEDY}", path) from error


def is_readable(attributes: h5py.AttributeManager, name: str) -> bool:
    """Whether an attribute is a number, an array of numbers or text.

    The HDF5 library (2.0) reads text whose type a damaged byte has changed as if it were a list of something else, from
    addresses that may not exist, which ends the process. Files of this package have nothing else of variable length.

    Parameters
    ----------
    attributes : h5py.AttributeManager
        Of an open file, group or data set.
    name : str
        One of those that it has.

    Returns
    -------
    bool
    """
    return _is_plain(attributes.get_id(name).dtype)


def _is_plain(dtype):
    return dtype.kind != "O" or h5py.check_string_dtype(dtype) is not None


def _check_types(name, item):
    """Refuse text of another type, see `is_readable`."""
    damaged = [attribute for attribute in item.attrs if not is_readable(item.attrs, attribute)]
    if damaged:
        raise DataError(f"damaged (the type of the attribute {damaged[0]!r} of /{name})")
    if isinstance(item, h5py.Dataset) and not _is_plain(item.dtype):
        raise DataError(f"damaged (the type of /{name})")


def _check_size(name, item):
    """Refuse a data set that claims more than is stored of it."""
    if isinstance(item, h5py.Dataset):
        stored = min(item.id.get_storage_size(), os.path.getsize(item.file.filename))
        if item.nbytes > _SMALL + MAX_COMPRESSION * stored:
            raise DataError(
                f"/{name} claims the shape {item.shape}, {item.nbytes:.1e} bytes, of which {stored} are stored"
            )


def slices(offsets: NDArray[np.integer], total: int, name: str) -> list[slice]:
    """Divide arrays of a file that hold many configurations one after the other, a slice for each.

    Parameters
    ----------
    offsets : ndarray of int of shape (n + 1,)
        Where parts begin and, with the next of them, end.
    total : int
        Length of the arrays.
    name : str
        Of the offsets in the file, for messages.

    Returns
    -------
    list of slice

    Raises
    ------
    DataError
        If the parts are not the whole.
    """
    expected = f"expected numbers from 0 to {total} that never decrease"
    if offsets.ndim != 1 or offsets.dtype.kind not in "iu" or not len(offsets):
        raise DataError(f"{name} has shape {offsets.shape} and type {offsets.dtype}, {expected}")
    wrong = np.flatnonzero(offsets[1:] < offsets[:-1])
    if len(wrong):
        raise DataError(f"{name}[{wrong[0] + 1}] is {offsets[wrong[0] + 1]} after {offsets[wrong[0]]}, {expected}")
    if (offsets[0], offsets[-1]) != (0, total):
        raise DataError(f"{name} goes from {offsets[0]} to {offsets[-1]}, {expected}")
    return [slice(int(a), int(b)) for a, b in pairwise(offsets)]


def check_array(name: str, array: NDArray[Any], shape: tuple[int, ...]) -> None:
    """Check an array that was read from a file: its shape, and that all its numbers are finite.

    Parameters
    ----------
    name : str
        Of the array in the file, for messages.
    array : ndarray
    shape : tuple of int

    Raises
    ------
    DataError
    """
    if array.shape != shape or array.dtype.kind not in "biuf":
        raise DataError(f"{name} has shape {array.shape} and type {array.dtype}, expected numbers of shape {shape}")
    bad = np.argwhere(~np.isfinite(array))
    if len(bad):
        place = tuple(int(i) for i in bad[0])
        raise DataError(f"{name}{list(place) if place else ''} is {array[place]}, expected a finite number")
