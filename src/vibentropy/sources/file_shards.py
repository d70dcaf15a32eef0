"""The files of a data set that a user brings, cut into jobs.

Jobs work on shards of at most `size` cells. A file of more is cut into ranges of so many frames. Smaller ones
are put together by a hash of their names: all in one shard as long as they fit, else halved by the first bit of the
hash, and each half by the next bit where it has to be. So a file that is added changes one shard or halves it, wherever
in the list it stands, and all others stay what they are.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Sequence
from functools import cache
from operator import itemgetter
from typing import Any

from vibentropy.atoms.reading import count

#: Files whose frames cannot be counted are taken to have one for so many bytes, some 1000 atoms.
_BYTES_PER_FRAME = 100_000


def file_shards(files: Sequence[str], file_format: str | None, size: int) -> dict[str, list[list[Any]]]:
    """Divide the files of a data set into jobs.

    Parameters
    ----------
    files : sequence of str
    file_format : str or None
        ASE's name of it; None to let ASE recognise it.
    size : int
        Largest number of configurations in a shard; a file that ASE can only read as a whole may have more.

    Returns
    -------
    dict of str to list of list
        By the name of the shard, what is in it: path, trajectory and, for a part of a file, its first frame and the one
        after the last. Names depend on those of the files and on how many configurations these have, not on the order
        of the list.

    Raises
    ------
    DataError
        If a file is missing, of an unknown format, truncated or malformed, as far as counting shows it.
    """
    named: dict[str, list[list[Any]]] = {}
    small: dict[str, tuple[int, list[Any]]] = {}
    for path, trajectory in trajectories_of(files).items():
        number = counted(path, file_format)
        weight = _weight(path, number)
        if weight <= size:
            small[_bits(trajectory)] = weight, [path, trajectory]
        elif number is None:
            named[_name(trajectory)] = [[path, trajectory]]
        else:
            for start in range(0, number, size):
                stop = min(start + size, number)
                named[f"{_name(trajectory)}-{start}-{stop}"] = [[path, trajectory, start, stop]]
    return named | {f"files{prefix}": parts for prefix, parts in _buckets(small, size)}


def pieces_of_shard(files: Sequence[str], file_format: str | None, size: int, shard: str) -> list[list[Any]]:
    """Tell which pieces of files are in one shard, and count only files that it could be made of: for a job.

    Parameters
    ----------
    files, file_format, size
        As for `file_shards`.
    shard : str
        One of its names.

    Returns
    -------
    list of list
        As from `file_shards`.
    """
    trajectories = trajectories_of(files)
    of_one_file = re.fullmatch(r"(?P<file>.+-[0-9a-f]{8})(-(?P<start>\d+)-(?P<stop>\d+))?", shard)
    if of_one_file:
        part = [int(of_one_file[end]) for end in ("start", "stop") if of_one_file[end]]
        return [
            [path, trajectory, *part]
            for path, trajectory in trajectories.items()
            if _name(trajectory) == of_one_file["file"]
        ]
    return [
        [path, trajectory]
        for path, trajectory in trajectories.items()
        if f"files.{_bits(trajectory)}".startswith(shard) and _weight(path, count(path, file_format)) <= size
    ]


def configurations_in(parts: Sequence[Sequence[Any]], file_format: str | None) -> int | None:
    """Count the configurations of a shard of files.

    Parameters
    ----------
    parts : sequence of sequence
        As `file_shards` says of one shard: path, trajectory and, of a file that is cut, where its part begins and ends.
    file_format : str or None
        Name of ASE's format; None to tell it from the file.

    Returns
    -------
    int or None
        None where only reading would tell.

    Raises
    ------
    DataError
        If a file cannot be used, as far as counting shows it.
    """
    total = 0
    for path, _, *part in parts:
        number = part[1] - part[0] if part else counted(path, file_format)
        if number is None:
            return None
        total += number
    return total


def counted(path: str, file_format: str | None) -> int | None:
    """Count the configurations of a file, once as long as it stays the same.

    Parameters
    ----------
    path : str
    file_format : str or None
        Name of ASE's format; None to tell it from the file.

    Returns
    -------
    int or None
        See `vibentropy.atoms.reading.count`, which also says what it raises.
    """
    try:
        state = os.stat(path)
    except OSError:
        return count(path, file_format)  # Which says what is wrong.
    return _count(path, file_format, state.st_dev, state.st_ino, state.st_size, state.st_mtime_ns)


@cache
def _count(path, file_format, *state):
    return count(path, file_format)


def trajectories_of(files: Sequence[str]) -> dict[str, str]:
    """Name the trajectory of each file of a data set: its path below the folder that all of them share.

    Parameters
    ----------
    files : sequence of str
        Paths.

    Returns
    -------
    dict of str to str
        Names by path, in the order of the names.
    """
    absolute = {file: os.path.abspath(file) for file in files}
    shared = os.path.commonpath([os.path.dirname(path) for path in absolute.values()])
    # In an order that does not depend on that of the list.
    return dict(sorted(((file, os.path.relpath(path, shared)) for file, path in absolute.items()), key=itemgetter(1)))


def _weight(path, number):
    """Say how many configurations a file has, by its size where they cannot be counted."""
    return 1 + os.path.getsize(path) // _BYTES_PER_FRAME if number is None else max(number, 1)


def _name(trajectory):
    """Name of a file in names of other files: letters that all systems allow, and a hash, as no other has it."""
    return f"{re.sub(r'[^A-Za-z0-9_.+-]+', '_', trajectory)[-80:]}-{_digest(trajectory)[:8]}"


def _digest(trajectory):
    # What is no text in a file name is kept in it by surrogates.
    return hashlib.sha256(trajectory.encode(errors="surrogateescape")).hexdigest()


def _bits(trajectory):
    """Bits that tell where small files belong."""
    return f"{int(_digest(trajectory), 16):0256b}"


def _buckets(files, size, prefix=""):
    """Pairs of the beginning of bits, as part of a name, and files that have it, of at most a size together.

    Parameters
    ----------
    files : dict
        By the bits of a file, its weight and what to say about it.
    size : int
    prefix : str
    """
    if sum(weight for weight, _ in files.values()) <= size:
        return [(prefix and f".{prefix}", [part for _, part in files.values()])] if files else []
    halves = [{bits: file for bits, file in files.items() if bits.startswith(prefix + bit)} for bit in "01"]
    return [bucket for half, bit in zip(halves, "01", strict=True) for bucket in _buckets(half, size, prefix + bit)]
