"""Files of configurations that other programs wrote: anything that ASE reads, whole or in parts.

A part is read without parsing what is before it. Extended XYZ and dumps of LAMMPS, compressed or not, are searched for
the beginnings of frames in blocks of bytes; ASE's trajectories and databases know where their frames are. Other formats
hold one configuration, or have to be read to know how many.
"""

import os
import re
import sys
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import ase.io
import numpy as np
from ase import Atoms
from ase.io.formats import UnknownFileTypeError, filetype, get_ioformat, ioformats, open_with_compression

from vibentropy.atoms.lammps_data import HEAD, is_lammps_data, read_data
from vibentropy.atoms.reading_in_parts import read_frame
from vibentropy.errors import DataError, VibentropyError, at, did_you_mean
from vibentropy.files.progress import Within, ignore

#: Bytes that are searched at once; they fit into the cache of a core.
_BLOCK = 1 << 20

#: Bytes of a line that are looked at where a number is expected.
_HEAD = 1000

#: Formats that messages name where nobody gave one; other guesses of ASE would only puzzle who reads them.
_PLAIN = {
    *("xyz", "extxyz", "lammps-data", "lammps-dump-text", "traj", "db", "json", "cif", "cfg", "gen", "proteindatabank"),
    *("vasp", "vasp-out", "vasp-xdatcar", "vasp-xml"),
}

#: What to do about a file whose type is not clear, or not what it seems.
_GIVE = "give its type with `--format`, for example `--format lammps-data` (in a configuration, `format: lammps-data`)"

#: First line of every frame of a dump.
_DUMP = b"\nITEM: TIMESTEP"


def count(path: str | Path, file_format: str | None = None) -> int | None:
    """Count the configurations of a file where that is possible without reading them.

    Parameters
    ----------
    path : path-like
    file_format : str, optional
        Name of ASE's format where the file does not tell.

    Returns
    -------
    int or None
        None where only reading would tell.

    Raises
    ------
    DataError
        If the file is missing, of an unknown format, truncated or malformed, as far as counting shows it.
    """
    path, given = os.fspath(path), file_format is not None
    _check_is_file(path)
    try:
        file_format = _known(file_format) or _recognised(path)
        if file_format in _OFFSETS:
            return len(_OFFSETS[file_format](path)) - 1
        if file_format == "traj":
            with ase.io.Trajectory(path) as trajectory:
                return len(trajectory)
        if file_format == "db":
            return len(_database(path))
        return 1 if get_ioformat(file_format).single else None
    except VibentropyError as error:
        error.locate(path, "frame 0")
        raise
    except Exception as error:  # ASE's readers raise anything, from IndexError to RuntimeError.
        raise _explained(error, path, 0, file_format, given) from error


def read_frames(
    path: str | Path,
    file_format: str | None = None,
    start: int = 0,
    stop: int | None = None,
    element: str | None = None,
    within: Within = ignore,
) -> Iterator[Atoms]:
    """Yield the configurations of a file that another program wrote, as ASE reads them.

    Parameters
    ----------
    path : path-like
    file_format : str, optional
        Name of ASE's format where the file does not tell.
    start, stop : int, optional
        First configuration, counted from 0, and the one after the last; by default all. Only files that `count` can
        count have parts.
    element : str, optional
        Chemical symbol of all atoms of a file of LAMMPS that says their types only, and no more than one.
    within : callable
        Called now and then with the share of a large configuration that is read, from 0 to 1.

    Yields
    ------
    ase.Atoms
        With all that the file says about it.

    Raises
    ------
    DataError
        If the file is missing, of an unknown format, truncated or malformed, holds no configurations, or fewer than
        `stop`; naming the file and the frame.
    """
    path, given = os.fspath(path), file_format is not None
    _check_is_file(path)
    number = start
    try:
        file_format = _known(file_format) or _recognised(path)
        if file_format in _CHECKS:
            _CHECKS[file_format](path)
        for atoms in _frames(path, file_format, start, stop, element, within):
            yield atoms
            number += 1
    except VibentropyError as error:
        error.locate(path, f"frame {number}")
        raise
    except Exception as error:  # ASE's readers raise anything, from IndexError to RuntimeError.
        raise _explained(error, path, number, file_format, given) from error
    if stop is not None and number < stop:
        raise DataError(f"holds {number} configurations, and {stop} were counted before: it has changed", path)
    if number == start:
        read_as = f" (read as {file_format})" if given or file_format in _PLAIN else ""
        raise DataError(f"holds no configurations{read_as}; if it is of another type, {_GIVE}", path)


def _check_is_file(path):
    if not Path(path).is_file():
        raise DataError("a folder, expected files: add /*" if Path(path).is_dir() else "no such file", path)


def _known(file_format):
    """Name of a format of ASE, if one is given."""
    if file_format and file_format not in ioformats:
        raise DataError(f"ASE has no format {file_format!r}{did_you_mean(file_format, ioformats)}")
    return file_format


def _recognised(path):
    """Name of the format of a file that does not come with one."""
    with open_with_compression(path, "rb") as file:
        head = file.read(HEAD)
    return "lammps-data" if is_lammps_data(head) else filetype(path)


def _explained(error, path, number, file_format, given):
    """Make an error of this package, with its place, of what a reader raised."""
    if isinstance(error, UnknownFileTypeError):
        what = "the file is empty" if Path(path).stat().st_size == 0 else f"unknown type of file; {_GIVE}"
        return DataError(what, path)
    species = f"{error} is not a chemical element, or " if isinstance(error, KeyError) else ""
    raised = f"({type(error).__name__}: {error})"
    if given or not file_format or file_format in _PLAIN:
        read_as = f" as {file_format}" if file_format else ""
        explained = DataError(f"cannot be read{read_as}; {species}the file is truncated or malformed {raised}")
    else:
        explained = DataError(
            f"cannot be read; {species}the file is truncated or malformed, or of another type than its name suggests: "
            f"then {_GIVE} {raised}"
        )
    explained.locate(path, f"frame {number}")
    return explained


def _frames(path, file_format, start, stop, element, within):
    """Yield the configurations of a part of a file, as ASE reads them."""
    if file_format in _OFFSETS:
        yield from _located(path, file_format, start, stop, element, within)
    elif file_format in ("db", "json"):
        # ASE's reader of databases leaves out what is stored beside the atoms.
        limit = None if stop is None else stop - start
        for row in _database(path).select(limit=limit, offset=start):
            yield row.toatoms(add_additional_information=True)
    elif file_format == "lammps-data":
        yield from [read_data(path, element)][start:stop]
    else:
        part = slice(start or None, stop)
        yield from ase.io.iread(path, index=part, format=file_format, do_not_split_by_at_sign=True)


def _database(path):
    from ase.db import connect

    return connect(path, serial=True, use_lock_file=False)


def _located(path, file_format, start, stop, element, within):
    """Yield the configurations of a part of a text, each read from its own lines."""
    offsets = _OFFSETS[file_format](path, stop)
    with open_with_compression(path, "rb") as file:
        file.seek(offsets[min(start, len(offsets) - 1)])
        for begin, end in pairwise(offsets[start:]):
            yield read_frame(file, end - begin, file_format, element, within)


class _Lines:
    """Lines of a file, most of which are passed over without being looked at.

    Attributes
    ----------
    position : int
        Of the first byte of the next line, in the (uncompressed) file.
    """

    def __init__(self, file):
        self.position = 0
        self._file, self._block, self._start = file, b"", 0
        self._ends, self._line = np.empty(0, np.intp), 0

    def _more(self):
        """Replace the block by the next one; whether there was one."""
        self._start += len(self._block)
        self._block = self._file.read(_BLOCK)
        self._ends = np.flatnonzero(np.frombuffer(self._block, np.uint8) == ord("\n")) + 1
        self._line = 0
        return bool(self._block)

    def head(self):
        """Beginning of the next line, which is passed; nothing at the end of the file."""
        text = b""
        while True:
            begin = max(self.position - self._start, 0)
            end = self._ends[self._line] if self._line < len(self._ends) else len(self._block)
            text += self._block[begin : min(end, begin + _HEAD - len(text))]
            if self._line < len(self._ends) or not self._more():
                self.skip(1)
                return text

    def skip(self, number):
        """Pass lines, as many as there are; how many that were."""
        passed = 0
        while passed < number:
            step = min(number - passed, len(self._ends) - self._line)
            if step:
                self._line += step
                self.position = self._start + int(self._ends[self._line - 1])
                passed += step
            elif not self._more():
                # A last line without an end.
                passed += self.position < self._start
                self.position = self._start
                break
        return passed


def _offsets_of_xyz(path, stop=None):
    """Walk over the frames of XYZ: its reader believes any number of atoms, and looks for as many lines.

    Parameters
    ----------
    path : path-like
    stop : int, optional
        Number of frames after which to stop.

    Returns
    -------
    list of int
        Where each frame begins, in bytes, and where the last one ends.
    """
    offsets, line_number = [], 0
    with open_with_compression(path, "rb") as file:
        lines = _Lines(file)
        while True:
            position, line = lines.position, lines.head()
            line_number += 1
            if line.lstrip().startswith(b"VEC"):  # Cell vectors after the atoms, in an old dialect.
                continue
            offsets.append(position)
            text = line.strip().decode(errors="replace")
            if not text or len(offsets) - 1 == stop:
                return offsets
            with at(path, f"frame {len(offsets) - 1}"):
                if not text.isdecimal():
                    raise DataError(
                        f"line {line_number} is {text[:80]!r}, expected the number of atoms; the file is truncated or "
                        "malformed"
                    )
                n_lines = lines.skip(min(int(text) + 1, sys.maxsize))
                if n_lines <= int(text):
                    raise DataError(
                        f"line {line_number} counts {text} atoms, and {max(n_lines - 1, 0)} lines follow that of the "
                        "properties; the file is truncated or the count wrong"
                    )
            line_number += n_lines


def _offsets_of_dump(path, stop=None):
    """Find the frames of a dump of LAMMPS; see `_offsets_of_xyz`."""
    starts: list[int] = []
    end = 0
    with open_with_compression(path, "rb") as file:
        kept = b"\n"  # As if there were a line before the first.
        while (stop is None or len(starts) <= stop) and (block := file.read(_BLOCK)):
            searched = kept + block
            starts += [match.start() + end - len(kept) + 1 for match in re.finditer(_DUMP, searched)]
            end += len(block)
            # The words may be cut by the end of a block.
            kept = searched[1 - len(_DUMP) :]
    # Units may stand before the first.
    offsets = [0, *starts[1:], end] if starts else [0]
    return offsets if stop is None else offsets[: stop + 1]


#: Where the frames of a text are.
_OFFSETS = {"xyz": _offsets_of_xyz, "extxyz": _offsets_of_xyz, "lammps-dump-text": _offsets_of_dump}


def _check_counts(path):
    """Refuse a number of atoms that no file of this size can hold, before the reader allocates them."""
    counts, size = [], 0
    with open_with_compression(path, "rb") as file:
        for number, line in enumerate(file, 1):
            size += len(line)
            # Lines of coordinates have points in them; this costs less than a pattern for each line.
            if b"." not in line and re.fullmatch(rb"\s*\d[\d\s]*(atoms\s*)?", line):
                counts.append((max(int(count) for count in re.findall(rb"\d{1,100}", line)), number))
    largest, number = max(counts, default=(0, 0))
    if largest > size:
        raise DataError(
            f"line {number} counts {largest} atoms in a file of {size} bytes; the file is truncated or the count wrong",
            path,
        )


#: Checks of formats whose readers take the number of atoms for granted.
_CHECKS = {"vasp": _check_counts, "lammps-data": _check_counts}
