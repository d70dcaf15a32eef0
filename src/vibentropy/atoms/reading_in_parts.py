"""Reading one frame of a text file, however large: ASE parses it a few megabytes at a time.

ASE's readers keep all lines of a frame in memory, and lists of the words in them. Here they are given some of the lines
at a time, as if these were a frame of fewer atoms, and the resulting atoms are put together. The result is what ASE
would have read from the whole frame, in little more memory than the result itself takes.
"""

import re
from io import BytesIO, TextIOWrapper
from typing import IO, Any

import ase.io
import numpy as np
from ase import Atoms
from ase.calculators.singlepoint import SinglePointCalculator
from ase.io.extxyz import key_val_str_to_dict

from vibentropy.errors import DataError
from vibentropy.files.progress import Within, ignore

#: Bytes that are parsed at once; up to half as many more at the end of a frame.
BLOCK = 1 << 21

#: Largest type of an atom in a dump.
_TYPES = 1000

#: Name of the column of identifiers in a dump, and a name under which ASE's reader keeps it and does not sort by it.
_ID, _KEPT_ID = "id", "i_id"

#: The type of an atom at the beginning of its line.
_NUMBERED = re.compile(rb"(?m)^[ \t]*\d+(?=[ \t])")

#: Remedy where a dump does not say of which elements its atoms are.
_REMEDY = "have LAMMPS write elements, `dump 1 all custom 100 a.dump id element x y z` and `dump_modify 1 element Fe`"


def read_frame(
    file: IO[bytes], size: int, file_format: str, element: str | None = None, within: Within = ignore
) -> Atoms:
    """Read the configuration of a text file that begins where the file stands, a few megabytes at a time.

    Parameters
    ----------
    file : binary file
        Seekable.
    size : int
        Bytes from the beginning of the frame to that of the next one.
    file_format : {"xyz", "extxyz", "lammps-dump-text"}
    element : str, optional
        Chemical symbol of all atoms of a file that says their types only.
    within : callable
        Called with the share of the frame that is read, from 0 to 1, where it is read in parts.

    Returns
    -------
    ase.Atoms
        As ASE reads it; atoms of a dump in the order of their identifiers.

    Raises
    ------
    DataError
        If the last line is cut, a dump holds fewer atoms than it counts, or does not say what elements they are.
    Exception
        Whatever ASE's readers raise.
    """
    if size <= _most():
        # Going back in a compressed file would mean to begin again.
        file = BytesIO(file.read(size))
    begin = file.tell()
    head = _HEADS[file_format](file, begin + size, element)
    n_before = file.tell() - begin
    atoms: Any = None
    if size > _most():
        atoms, last = _in_parts(file, size - n_before, head, file_format, within)
    if atoms is None:
        file.seek(begin)
        last = file.read(size)
        text = TextIOWrapper(BytesIO(last[:n_before] + head.named(last[n_before:])))
        atoms = ase.io.read(text, index=0, format=file_format, **head.keys())
    head.check(atoms)
    if not last.endswith(b"\n") and _ends_within_a_line(last, len(atoms)):
        raise DataError("truncated in its last line; expected a newline at the end")
    return atoms


def _most():
    """Bytes that are not divided, so that no part is of a few atoms only."""
    return 3 * BLOCK // 2


def _in_parts(file, size, head, file_format, within):
    """Read the lines of the atoms in parts.

    Returns
    -------
    atoms : ase.Atoms or None
        None where parts would not be read as the whole is.
    last : bytes
        The last part of the text.
    """
    parts: list[Any] = []
    n_left, whole = head.n_atoms, size
    while size > 0:
        block = file.read(size if size <= _most() else BLOCK)
        block += b"" if block.endswith(b"\n") else file.readline()
        size -= len(block)
        n_lines = block.count(b"\n") + (not block.endswith(b"\n"))
        n_left -= n_lines
        if not block or n_left < 0:  # Lines after the atoms, with the cell vectors of an old dialect.
            return None, block
        text = TextIOWrapper(BytesIO(head.of_part(n_lines) + head.named(block)))
        parts.append(ase.io.read(text, index=0, format=file_format, **head.keys()))
        if parts[-1].constraints:
            return None, block
        within(1 - size / whole)
    return _joined(parts), block


def _joined(parts):
    """Put the atoms of parts together, in the order of their identifiers where there are some.

    A part has more atoms than a property of a whole configuration has components.
    """
    whole, results = parts[0][:0], {}
    calculators = [part.calc for part in parts]
    if calculators[0] is not None:
        for name, value in list(calculators[0].results.items()):
            of_atoms = np.ndim(value) > 0 and len(value) == len(parts[0])
            results[name] = _concatenate([c.results for c in calculators], name) if of_atoms else value
    arrays = {name: _concatenate([part.arrays for part in parts], name) for name in list(parts[0].arrays)}
    if _KEPT_ID in arrays:
        order = np.argsort(arrays.pop(_KEPT_ID), kind="stable")
        arrays = {name: values[order] for name, values in arrays.items()}
        results = {n: v[order] if np.ndim(v) > 0 and len(v) == len(order) else v for n, v in results.items()}
    whole.arrays = arrays
    if results:
        whole.calc = SinglePointCalculator(whole, **results)
    return whole


def _concatenate(parts, name):
    """Put one array of all parts together, which lose it."""
    return np.concatenate([part.pop(name) for part in parts])


def _ends_within_a_line(lines, n_atoms):
    """Whether the last line of a frame is shorter than those of the other atoms."""
    *others, last = lines.splitlines()[-n_atoms:]
    return bool(others) and len(last) < min(len(line.rstrip()) for line in others)


class _HeadOfXYZ:
    """Lines before the atoms of a frame of XYZ.

    Parameters
    ----------
    file : binary file
        Left at the first atom.
    end : int
        Where the frame ends.
    element : str or None
        Of all atoms, where these have types only.

    Attributes
    ----------
    n_atoms : int
    """

    def __init__(self, file, end, element):
        self.n_atoms, self._comment = int(file.readline().decode()), file.readline()
        self._element, self._types = element, set()
        properties = re.search(rb'Properties="?([^\s"]+)', self._comment)
        self._begins_with_species = properties is None or properties[1].startswith(b"species:S:1")

    def of_part(self, n_atoms):
        """Lines before some of the atoms, as if these were all."""
        return b"%d\n" % n_atoms + self._comment

    def named(self, lines):
        """Lines of atoms with the element in place of type numbers, which LAMMPS writes for want of elements."""
        if not self._begins_with_species or not re.match(_NUMBERED, lines):
            return lines
        if b"Lattice" not in self._comment:
            raise DataError(
                f"it has type numbers in place of elements and no cell, as `dump xyz` of LAMMPS writes it; {_REMEDY}"
            )
        if self._element is None:
            raise DataError(f"it says the types of atoms and not their elements; {_REMEDY}")
        self._types |= {int(number) for number in re.findall(_NUMBERED, lines)}
        return re.sub(_NUMBERED, self._element.encode(), lines)

    def keys(self):
        """Arguments of ASE's reader."""
        return {}

    def check(self, atoms):
        """Check what was read; ASE's reader counts the atoms itself."""
        _check_one_type(self._types)
        # Other programs write atomic numbers.
        if not self._types <= {1, *atoms.numbers[:1]}:
            raise DataError(f"{self._types.pop()} in place of an element, expected its symbol or type 1; {_REMEDY}")


class _HeadOfExtendedXYZ(_HeadOfXYZ):
    def keys(self):
        """Arguments of ASE's reader."""
        return {"properties_parser": _keys_once}


class _HeadOfDump:
    """Lines before the atoms of a frame of a dump; see `_HeadOfXYZ`."""

    def __init__(self, file, end, element):
        self._element = element
        self._lines: list[bytes] = []
        self._columns: list[str] = []
        while not self._columns:
            line = file.readline()
            if file.tell() > end or not line:
                raise DataError("there is no line `ITEM: ATOMS` in it; the file is truncated or malformed")
            if line.startswith(b"ITEM: ATOMS"):
                self._columns = line.decode().split()[2:]
            elif b"ITEM: NUMBER OF ATOMS" in line:
                self.n_atoms = int(file.readline())
                self._lines.append(b"ITEM: NUMBER OF ATOMS\n%d\n")
            else:
                self._lines.append(line.replace(b"%", b"%%"))
        self._only_types = "type" in self._columns and not {"element", "mass"} & set(self._columns)

    def of_part(self, n_atoms):
        """Lines before some of the atoms, as if these were all."""
        columns = " ".join(_KEPT_ID if name == _ID else name for name in self._columns)
        return b"".join(self._lines) % n_atoms + f"ITEM: ATOMS {columns}\n".encode()

    def named(self, lines):
        """Lines of atoms: ASE's reader is told the elements of types."""
        return lines

    def keys(self):
        """Arguments of ASE's reader."""
        if not self._only_types:
            return {}
        if self._element is None:
            raise DataError(f"it says the types of atoms and not their elements; {_REMEDY}")
        return {"specorder": [self._element] * _TYPES}

    def check(self, atoms):
        """Check what was read."""
        if len(atoms) != self.n_atoms:
            raise DataError(
                f"counts {self.n_atoms} atoms, and {len(atoms)} follow; the file is truncated or the count wrong"
            )
        _check_one_type(set(atoms.arrays["type"].tolist()) if self._only_types else set())


def _check_one_type(types):
    """Refuse atoms of several types, whose elements nothing says."""
    if len(types) > 1:
        raise DataError(f"atoms of types {', '.join(map(str, sorted(types)))}, expected one type; {_REMEDY}")


#: What is before the atoms, by the name of the format.
_HEADS: dict[str, type[_HeadOfXYZ] | type[_HeadOfDump]] = {
    "xyz": _HeadOfXYZ,
    "extxyz": _HeadOfExtendedXYZ,
    "lammps-dump-text": _HeadOfDump,
}


def _keys_once(line):
    """Properties in the comment line of extended XYZ; ASE keeps the last of equal keys."""
    keys = re.findall(r"""([^\s="'{}\[\]]+)=(?:"[^"]*"|'[^']*'|\{[^}]*\}|\[[^\]]*\]|\S*)""", line)
    repeated = [key for index, key in enumerate(keys) if key in keys[:index]]
    if repeated:
        raise DataError(f"the key {repeated[0]!r} occurs more than once in {line.strip()!r}, expected each key once")
    return key_val_str_to_dict(line)
