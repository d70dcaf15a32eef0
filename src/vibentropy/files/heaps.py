"""Damaged heaps of strings in HDF5, found before the library reads them for ever."""

import struct
from pathlib import Path

from vibentropy.errors import DataError

REMEDY = "copy it again, or delete it to have the workflow make it again"

#: What a heap of strings in HDF5 begins with, and its version.
_HEAP = b"GCOL\x01\x00\x00\x00"

#: Bytes of a file that are looked at together.
_PIECE = 2**20


def check_heaps(path: Path | str) -> None:
    """Refuse an HDF5 file whose heaps of strings hold empty space of no size: the library (2.0) reads it for ever.

    Parameters
    ----------
    path : path-like
        Read a piece at a time, whatever its size.

    Raises
    ------
    DataError
        If there is such a heap.
    OSError
        If the file cannot be read.
    """
    with open(path, "rb") as file:
        start, piece = 0, file.read(_PIECE)
        while piece:
            at = piece.find(_HEAP)
            while at >= 0:
                file.seek(start + at)
                if _is_endless(file):
                    raise DataError(f"damaged (the heap of strings at byte {start + at}); {REMEDY}", path)
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
