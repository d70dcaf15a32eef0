"""Data files of LAMMPS, as ``write_data`` writes them: told by their header, whatever they are called."""

import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
from ase import Atoms
from ase.data import atomic_numbers
from ase.io.formats import open_with_compression
from ase.io.lammpsdata import read_lammps_data

from vibentropy.errors import DataError

#: Lines of the header that every data file of a crystal has: the number of atoms, and a side of the box.
_ATOMS = re.compile(rb"^\s*-?\d+\s+atoms\s*(#.*)?$", re.MULTILINE)
_BOX = re.compile(rb"^\s*(\S+\s+\S+\s+xlo\s+xhi|\S+\s+\S+\s+\S+\s+avec)\s*(#.*)?$", re.MULTILINE)

#: Bytes that hold the header of any data file.
HEAD = 5000

_MASSES, _LABELS, _OF_ATOMS = "Masses", "Atom Type Labels", "Atoms"


def is_lammps_data(head: bytes) -> bool:
    """Tell whether a text begins as data files of LAMMPS do.

    Parameters
    ----------
    head : bytes
        The first `HEAD` of the file, or so.

    Returns
    -------
    bool
    """
    return bool(_ATOMS.search(head) and _BOX.search(head))


def read_data(path: str | Path, element: str | None = None) -> Atoms:
    """Read a data file of LAMMPS, compressed or not.

    Elements are those of the masses; without masses those of the type labels, where these are symbols; otherwise they
    are not in the file.

    Parameters
    ----------
    path : path-like
    element : str, optional
        Chemical symbol of all atoms of a file that does not say it and has one type of atoms.

    Returns
    -------
    ase.Atoms
        In units of style `metal`, in the order of the identifiers.

    Raises
    ------
    DataError
        If neither the file nor `element` says which elements its types are.
    Exception
        Whatever ASE's reader raises.
    """
    labels: dict[str, str] = {}
    with open_with_compression(os.fspath(path), "rt") as file:
        atoms = read_lammps_data(_numbered(file, labels))
    if not atoms.has("masses") and not (labels and set(labels) <= set(atomic_numbers)):
        types = np.unique(atoms.arrays["type"])
        remedy = "have LAMMPS write masses, `mass 1 55.845` before `write_data`, or add a section `Masses`"
        if len(types) > 1:
            raise DataError(f"atoms of types {', '.join(map(str, types))}, and nothing says their elements; {remedy}")
        if element is None:
            raise DataError(f"it says the types of atoms and not their elements; {remedy}")
        atoms.numbers[:] = atomic_numbers[element]
    return atoms


def _numbered(lines: Iterable[str], labels: dict[str, str]) -> Iterator[str]:
    """Yield the lines of a file, with numbers of types in `Masses` where it has labels: ASE expects them.

    Parameters
    ----------
    lines : iterable of str
    labels : dict of str to str
        Is given the number of each type by its label.
    """
    lines = iter(lines)
    section = ""
    for line in lines:
        words = line.partition("#")[0].split()
        if words and not any(character.isdigit() for word in words[1:] for character in word) and words[0].isalpha():
            section = " ".join(words)
        elif section == _LABELS and len(words) == 2:
            labels[words[1]] = words[0]
        elif section == _MASSES and len(words) == 2:
            line = f"{labels.get(words[0], words[0])} {words[1]}\n"
        yield line
        if section == _OF_ATOMS:
            break
    # The many lines from here on are passed on unseen.
    yield from lines
