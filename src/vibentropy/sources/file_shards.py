"""The files of a data set, cut into jobs.

Jobs work on shards of at most `size` cells. A file of more is cut into ranges of so many frames. Smaller ones
are put together by a hash of their names: all in one shard as long as they fit, else halved by the first bit of the
hash, and each half by the next bit where it has to be. So a file that is added changes one shard or halves it, wherever
in the list it stands, and all others stay what they are.
"""

import hashlib
import os
import re
from functools import cache
from operator import itemgetter

from vibentropy.atoms.checks import check_crystal
from vibentropy.atoms.neighbours import check_sites
from vibentropy.atoms.reading import count, read_frames
from vibentropy.atoms.reference import check_perfect
from vibentropy.errors import DataError, at

#: Files whose frames cannot be counted are taken to have one for so many bytes, some 1000 atoms.
_BYTES_PER_FRAME = 100_000


def file_shards(specification, size):
    """Divide the files of a data set into jobs.

    Parameters
    ----------
    specification : dict
        See `ingest`.
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
    named, small = {}, {}
    for path, trajectory in trajectories_of(specification["files"]).items():
        number = _counted(path, specification.get("format"))
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


def pieces_of_shard(specification, size, shard):
    """Tell what is in one shard, and count no more than the files that it could be made of: for a job.

    Parameters
    ----------
    specification, size
        As for `shards`.
    shard : str
        One of its names.

    Returns
    -------
    list of list
        As from `shards`.
    """
    files = trajectories_of(specification["files"])
    found = re.fullmatch(r"(?P<file>.+-[0-9a-f]{8})(-(?P<start>\d+)-(?P<stop>\d+))?", shard)
    if found:
        part = [int(found[end]) for end in ("start", "stop") if found[end]]
        return [[path, trajectory, *part] for path, trajectory in files.items() if _name(trajectory) == found["file"]]
    return [
        [path, trajectory]
        for path, trajectory in files.items()
        if f"files.{_bits(trajectory)}".startswith(shard)
        and _weight(path, count(path, specification.get("format"))) <= size
    ]


def sizes(specification, size):
    """Tell how much is in the shards, without reading more than two configurations: for estimates.

    Parameters
    ----------
    specification, size
        As for `shards`.

    Returns
    -------
    dict of str to dict
        By the name of the shard, its number of ``configurations``, None where only reading would tell, and the
        ``sites`` of a cell: those of the reference where cells have to be its cell, else as many as the first
        configuration of the first file has atoms, None where that number is unknown.

    Raises
    ------
    DataError
        As `shards`, and if that configuration or the reference cannot be read.
    """
    file_format, sites = specification.get("format"), _typical_sites(specification)
    return {
        shard: {"configurations": _configurations_in(parts, file_format), "sites": sites}
        for shard, parts in file_shards(specification, size).items()
    }


def reference_crystal(specification, element=None):
    """Read the perfect crystal that the configurations of a data set are compared with.

    Parameters
    ----------
    specification : dict
        See `ingest`.
    element : str, optional
        Chemical symbol of all atoms of a dump of LAMMPS that says their types only.

    Returns
    -------
    ase.Atoms
        As ASE reads it, with what the file says about it.

    Raises
    ------
    DataError
        If the file is missing, cannot be read, or holds more than one configuration.
    StructureError
        If it is no periodic crystal of one element, has a defect, or two atoms on one site.
    """
    path = specification["reference"]
    frames = list(read_frames(path, specification.get("format"), element=element))
    if len(frames) != 1:
        raise DataError(f"holds {len(frames)} configurations, expected the perfect crystal alone", path)
    with at(path):
        check_crystal(frames[0])
        check_sites(frames[0])
        check_perfect(frames[0])
    return frames[0]


def _typical_sites(specification):
    """Sites of a cell of a data set, see `sizes`."""
    crystal, file_format = reference_crystal(specification), specification.get("format")
    if compares_cells(specification):
        return len(crystal)
    first = next(iter(trajectories_of(specification["files"])))
    if _counted(first, file_format) is None:
        return None
    return len(next(read_frames(first, file_format, stop=1, element=str(crystal.symbols[0]))))


def compares_cells(specification):
    """Whether configurations have to be in the cell of the reference: where entropies are compared with its own."""
    entropy = specification.get("entropy")
    return entropy is None or entropy["kind"] == "total"


def _configurations_in(parts, file_format):
    """Count the configurations of a shard, None where only reading would tell."""
    numbers = [part[1] - part[0] if part else _counted(path, file_format) for path, _, *part in parts]
    return None if None in numbers else sum(numbers)


def _counted(path, file_format):
    """Count the configurations of a file, once as long as it stays the same."""
    try:
        state = os.stat(path)
    except OSError:
        return count(path, file_format)  # Which says what is wrong.
    return _count(path, file_format, state.st_dev, state.st_ino, state.st_size, state.st_mtime_ns)


@cache
def _count(path, file_format, *state):
    return count(path, file_format)


def trajectories_of(files):
    """Name the trajectory of each file: its path below the folder that all share."""
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
