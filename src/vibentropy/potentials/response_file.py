"""Differences of forces that a long Hessian keeps as they come, so that what was interrupted goes on from there.

Records are appended, and each has a checksum: whatever ends a process in the middle of one, or a machine, those before
it can be read. HDF5 has no such promise for a file that was open, and an array in a mapped file does not know which of
its rows reached the disk. Each record says by a fingerprint which Hessian it belongs to, so that one file serves all
that a label takes: those of Newton steps, and of references.
"""

import hashlib
import struct
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from zlib import crc32

import numpy as np
from ase import Atoms
from numpy.typing import NDArray

from vibentropy.errors import VibentropyError
from vibentropy.files.atomic import cannot_be_written
from vibentropy.files.progress import Note, ignore

#: First line of a file.
_MAGIC = b"vibentropy differences of forces 1\n"

#: What stands before the numbers of a record: fingerprint, part, shape of the numbers, checksum of all that.
_HEAD = struct.Struct("<32sqqqI")


class ResponseFile:
    """Responses of forces to displacements, in a file that may be cut anywhere.

    Parameters
    ----------
    path : path-like
        Written when there is something to keep; a file of that name is gone on from.
    potential : str
        Says which potential it is, see `vibentropy.potentials.from_config.identity`.
    note : callable
        Told what is taken over from the file, and what is not.

    Raises
    ------
    VibentropyError
        If the file is another one.
    """

    def __init__(self, path: Path | str, potential: str, note: Note = ignore) -> None:
        self._path, self._note = Path(path), note
        self._about = f"{version('vibentropy')} {potential}"
        #: Where the numbers of each part of each Hessian begin, and their shape.
        self._parts: dict[bytes, dict[int, tuple[int, tuple[int, ...]]]] = {}
        self._end = 0
        if self._path.exists():
            self._scan()
        self._waiting = bool(self._parts)
        #: Hessians that were asked for since the last label, and those of labels that failed.
        self._used: set[bytes] = set()
        self._failed: set[bytes] = set()

    def find(self, atoms: Atoms, step: float, coupling_range: float | None, n_parts: int) -> bytes:
        """Look up a Hessian, and say how much of it is there.

        Parameters
        ----------
        atoms : ase.Atoms
        step : float
            Displacement in Å.
        coupling_range : float or None
            In Å.
        n_parts : int
            That it has when it is whole.

        Returns
        -------
        bytes
            Its fingerprint, for `read` and `write`.
        """
        method = hashlib.blake2b(f"{self._about} {float(step)!r} {coupling_range!r}".encode(), digest_size=16).digest()
        cell = hashlib.blake2b(repr(atoms.pbc.tolist()).encode(), digest_size=16)
        for array in (atoms.numbers, atoms.cell[:], atoms.positions):
            cell.update(np.ascontiguousarray(array).tobytes())
        key = method + cell.digest()
        if key in self._parts and key not in self._used:
            share = len(self._parts[key]) / n_parts
            self._note(f"{self._path}: {share:.0%} of the forces of a Hessian are taken over")
        elif self._waiting:
            others = any(not other.startswith(method) for other in self._parts)
            what = (
                "another potential, step or version of vibentropy, which are not taken over"
                if others
                else "other atoms, which are taken over when it is their turn"
            )
            self._note(f"{self._path} has forces of {what}")
        self._waiting = False
        self._used.add(key)
        return key

    def read(self, key: bytes) -> Iterator[tuple[int, NDArray[np.float64]]]:
        """Read what is there of a Hessian.

        Parameters
        ----------
        key : bytes
            Of `find`.

        Yields
        ------
        part : int
        responses : ndarray of float
            As they were written.
        """
        if key in self._parts:
            with open(self._path, "rb") as file:
                for part, (begin, shape) in self._parts[key].items():
                    file.seek(begin)
                    yield part, np.fromfile(file, count=int(np.prod(shape))).reshape(shape)

    def write(self, key: bytes, part: int, responses: NDArray[np.float64]) -> None:
        """Keep a part of a Hessian.

        Parameters
        ----------
        key : bytes
            Of `find`.
        part : int
        responses : ndarray of shape (n_groups, 3, n_atoms, 3)

        Raises
        ------
        OutputError
            If it cannot be written.
        """
        n_groups, _, n_atoms, _ = responses.shape
        numbers = np.ascontiguousarray(responses, float)
        head = _HEAD.pack(key, part, n_groups, n_atoms, _checksum(key, part, n_groups, n_atoms, numbers))
        try:
            with open(self._path, "r+b" if self._end else "wb") as file:
                file.seek(self._end)
                if not self._end:
                    file.write(_MAGIC)
                file.write(head)
                begin = file.tell()
                numbers.tofile(file)
                # What an interrupted command did not write to its end may be longer.
                file.truncate()
                end = file.tell()
        except OSError as error:
            raise cannot_be_written(self._path, error) from error
        self._end = end
        self._parts.setdefault(key, {})[part] = begin, responses.shape

    def labelled(self) -> None:
        """Forget the Hessians that were asked for since the last label, which is kept elsewhere now.

        That of a reference cell is among them, if it was computed for this label: a command that is interrupted in a
        later label computes it once more.
        """
        for key in self._used:
            self._parts.pop(key, None)
        self._used.clear()
        ends = [begin + 8 * int(np.prod(shape)) for parts in self._parts.values() for begin, shape in parts.values()]
        if not ends:
            self._remove()
        elif max(ends) < self._end:
            with open(self._path, "r+b") as file:
                file.truncate(max(ends))
            self._end = max(ends)

    def failed(self) -> None:
        """Keep these Hessians also when the command has ended: a crash or a time limit may not happen twice."""
        self._failed |= self._used & self._parts.keys()
        self._used.clear()

    def close(self, complete: bool) -> str:
        """Remove the file when all labels are kept elsewhere, unless there are Hessians of labels that failed.

        Parameters
        ----------
        complete : bool
            Whether they are.

        Returns
        -------
        str
            What it keeps, in words; empty where there is no file.
        """
        if complete and not self._failed:
            self._remove()
        return f"{self._path} keeps the forces of Hessians" if self._parts else ""

    def _remove(self):
        self._path.unlink(missing_ok=True)
        self._parts, self._end = {}, 0

    def _scan(self):
        """Find the records of the file, up to the first that is not whole."""
        with open(self._path, "rb") as file:
            magic = file.read(len(_MAGIC))
            if not _MAGIC.startswith(magic):
                raise VibentropyError(
                    "is no file of forces that an interrupted command has left: move it away", self._path
                )
            while len(head := file.read(_HEAD.size)) == _HEAD.size:
                key, part, n_groups, n_atoms, checksum = _HEAD.unpack(head)
                begin, size = file.tell(), 9 * n_groups * n_atoms
                if not 0 < size <= (self._path.stat().st_size - begin) // 8:
                    break
                numbers = np.fromfile(file, count=size)
                if checksum != _checksum(key, part, n_groups, n_atoms, numbers):
                    break
                self._parts.setdefault(key, {})[part] = begin, (n_groups, 3, n_atoms, 3)
                self._end = file.tell()


def _checksum(key, part, n_groups, n_atoms, numbers):
    return crc32(numbers, crc32(_HEAD.pack(key, part, n_groups, n_atoms, 0)))
