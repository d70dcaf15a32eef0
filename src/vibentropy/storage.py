"""Files that are whole when they exist, and say what they are.

Every file of the package is written under a temporary name beside its own and renamed at the end. HDF5 files carry
as root attributes their ``kind``, the version of its layout (``schema``), the ``vibentropy_version`` that wrote
them and what their owner adds (units, hash of the configuration, seed). The same content gives the same bytes.
Text in HDF5 is UTF-8 of variable length (``dataset.asstr()[:]`` reads it back); nothing is ever pickled.
"""

import errno
import fcntl
import hashlib
import io
import os
import struct
from contextlib import contextmanager
from importlib.metadata import version
from itertools import pairwise
from pathlib import Path

import h5py
import numpy as np

from vibentropy.errors import DataError, OutputError, VibentropyError

#: Bytes that one stored byte can stand for: deflate packs no tighter than 1032 to one.
MAX_COMPRESSION = 1100
#: Bytes that a data set may have without being stored: small ones can be all fill value.
_SMALL = 2**16


@contextmanager
def atomic(path):
    """Yield a temporary path beside `path`; rename it to `path` on success, remove it on failure.

    What was written is on the disk before it is renamed: a machine that stops leaves no half file either.

    Parameters
    ----------
    path : path-like
        Missing folders are made.

    Yields
    ------
    pathlib.Path
        With the suffix of `path`, so that writers which look at suffixes choose the same format. The name depends
        on `path` only: what a killed run leaves behind is overwritten by the next one. Hence one writer per path,
        which holds a lock that ends with its process. Snakemake keeps workflows apart that run in one folder; this
        is for those that share results from two folders, and for jobs of a cluster that outlive their workflow.

    Raises
    ------
    OutputError
        If the file cannot be written: full disk, no permission, read-only folder, another writer.
    """
    path = Path(path)
    temporary = path.with_name(f".partial-{path.name}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with _locked(temporary) as descriptor:
            try:
                yield temporary
                os.fsync(descriptor)
                os.replace(temporary, path)
            finally:
                temporary.unlink(missing_ok=True)
    except OSError as error:
        remedy = next((text for numbers, text in _OUTPUT_REMEDIES.items() if error.errno in numbers), "")
        raise OutputError(f"{path} cannot be written: {error}; {remedy}then run the same command again") from error


_ELSEWHERE = "or write to another place (`results` in the configuration), "
_OUTPUT_REMEDIES = {
    (errno.ENOSPC, errno.EDQUOT): f"free space there {_ELSEWHERE}",
    (errno.EROFS, errno.EACCES, errno.EPERM): f"make it writable {_ELSEWHERE}",
    (errno.EAGAIN,): "another process is writing it: wait for that one or end it, ",
}


@contextmanager
def _locked(path):
    """Yield the descriptor of a file that no other process holds like this."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise
        except OSError:
            pass  # Some file systems have no locks.
        yield descriptor
    finally:
        os.close(descriptor)


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
def open_file(path, kind, schema=1):
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
        raise DataError(f"{path}: no such file")
    _check_heaps(path)
    try:
        file = h5py.File(path, "r")
    except OSError as error:
        raise DataError(f"{path}: not a complete HDF5 file ({error}); {_REMEDY}") from error
    with file:
        try:
            found = file.attrs.get("kind"), file.attrs.get("schema")
            if found != (kind, schema):
                raise DataError(
                    f"{path}: the file is of kind {found[0]!r}, schema {found[1]}; expected {kind!r}, schema {schema}"
                )
            file.visititems(_check_size)
            yield file
        except VibentropyError as error:
            if str(path) in str(error):
                raise
            raise type(error)(f"{path}: {error}; {_REMEDY}") from error
        except Exception as error:  # The library raises anything, from KeyError to RuntimeError.
            raise DataError(f"{path}: damaged ({type(error).__name__}: {error}); {_REMEDY}") from error


def kind_of(path):
    """Ask a file what it is, without reading it.

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
            return str(file.attrs.get("kind", ""))
    except OSError as error:
        raise DataError(f"{path}: not a complete HDF5 file ({error}); {_REMEDY}") from error


_REMEDY = "copy it again, or delete it to have the workflow make it again"


#: What a heap of strings in HDF5 begins with, and its version.
_HEAP = b"GCOL\x01\x00\x00\x00"
#: Bytes of a file that are looked at together.
_PIECE = 2**20


def _check_heaps(path):
    """Refuse a file whose heaps of strings hold empty space of no size: the HDF5 library (2.0) reads it for ever."""
    with open(path, "rb") as file:
        start, piece = 0, file.read(_PIECE)
        while piece:
            at = piece.find(_HEAP)
            while at >= 0:
                file.seek(start + at)
                if _is_endless(file):
                    raise DataError(f"{path}: damaged (the heap of strings at byte {start + at}); {_REMEDY}")
                at = piece.find(_HEAP, at + 1)
            start += len(piece)
            file.seek(start)
            # What begins in one piece may end in the next.
            tail = piece[1 - len(_HEAP) :]
            piece = file.read(_PIECE)
            if piece:
                start, piece = start - len(tail), tail + piece


def _is_endless(file):
    """Whether an object of a heap, which follows, is empty space of no size."""
    _, size = struct.unpack("<8sQ", file.read(16).ljust(16, b"\0"))
    heap = file.read(min(size, _PIECE) - 16) if size > 16 else b""
    at = 0
    while at + 16 <= len(heap):
        index, _, _, length = struct.unpack_from("<HHIQ", heap, at)
        # The size of empty space counts its own header; strings fill whole words.
        step = length if index == 0 else 16 + (length + 7) // 8 * 8
        if step == 0:
            return True
        at += step
    return False


def _check_size(name, item):
    """Refuse a data set that claims more than is stored of it."""
    if isinstance(item, h5py.Dataset):
        stored = min(item.id.get_storage_size(), os.path.getsize(item.file.filename))
        if item.nbytes > _SMALL + MAX_COMPRESSION * stored:
            raise DataError(
                f"/{name} claims the shape {item.shape}, {item.nbytes:.1e} bytes, of which {stored} are stored"
            )


def slices(offsets, total, name):
    """Parts of arrays that hold many configurations one after the other.

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


def check_array(name, array, shape):
    """Check the shape of an array of numbers and that all are finite.

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
