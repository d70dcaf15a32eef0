"""Reading and writing of setfl tables (``eam/alloy`` and ``eam/fs``), the files of embedded-atom potentials."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
from ase.data import atomic_numbers
from numpy.typing import NDArray

from vibentropy.errors import PotentialError, at


@dataclass(frozen=True)
class SetflTable:
    """The functions of some elements, as a file tabulates them.

    Attributes
    ----------
    elements : tuple of str
    masses : tuple of float
        In u.
    lattice_constants : tuple of float
        In Å, as stated by the file.
    structures : tuple of str
        Lattice types as stated by the file, for example ``"bcc"``.
    drho, dr : float
        Grid steps of density and distance (Å); all grids start at 0.
    r_cut : float
        Cutoff in Å.
    embedding : ndarray of shape (n_elements, n_rho)
        F(ρ) in eV.
    density : ndarray of shape (n_elements, n_elements, n_r)
        f(r) at an atom of the first element due to one of the second, in the unit of ρ.
    r_times_pair : ndarray of shape (n_elements, n_elements, n_r)
        r V(r) in eV Å, symmetric.
    style : str
        ``pair_style`` under which LAMMPS reads the file.
    path : str
        The file; empty for tables that no file has.
    """

    elements: tuple[str, ...]
    masses: tuple[float, ...]
    lattice_constants: tuple[float, ...]
    structures: tuple[str, ...]
    drho: float
    dr: float
    r_cut: float
    embedding: NDArray[np.float64]
    density: NDArray[np.float64]
    r_times_pair: NDArray[np.float64]
    style: str = "eam/alloy"
    path: str = ""


def read_setfl(path: str | Path, elements: Sequence[str]) -> SetflTable:
    """Read the functions of some elements from a setfl file.

    Which of the two styles a file has follows from the number of values in it.

    Parameters
    ----------
    path : path-like
    elements : sequence of str
        Chemical symbols, for example ``["Fe"]``. Functions of other elements in the file are passed over.

    Returns
    -------
    SetflTable
        Elements in the order that was asked for.

    Raises
    ------
    PotentialError
        If the file is missing, lacks an element, does not hold as many values as its header announces, or holds words
        that are no numbers; or if its cutoff is beyond its tables.
    """
    with at(path):
        lines = read_lines(path)
        return replace(_functions(_header_with(lines, elements), lines[5:], elements), path=str(path))


class AdpTables(NamedTuple):
    """The functions of one element, as an adp file tabulates them.

    Attributes
    ----------
    embedded : SetflTable
        Those of embedded atoms.
    dipole, quadrupole : ndarray of shape (n_r,)
        u(r) and w(r).
    """

    embedded: SetflTable
    dipole: NDArray[np.float64]
    quadrupole: NDArray[np.float64]


def read_adp(path: str | Path, element: str) -> AdpTables:
    """Read the functions of one element from an adp file: a setfl file with two more functions for each pair.

    Parameters
    ----------
    path : path-like
    element : str
        Chemical symbol.

    Returns
    -------
    AdpTables

    Raises
    ------
    PotentialError
        As `read_setfl`.
    """
    with at(path):
        lines = read_lines(path)
        header = _header_with(lines, [element])
        table = replace(_functions(header, lines[5:], [element], ("adp",)), path=str(path))
        tokens = " ".join(lines[5:]).split()
        # Both are tables of all pairs, in the order of the pair functions, and the last in the file.
        n_pairs, index = len(header.elements) * (len(header.elements) + 1) // 2, header.elements.index(element)
        begin = len(tokens) - (2 * n_pairs - index * (index + 1) // 2 - index) * header.n_r
        dipole, quadrupole = (
            numbers(tokens[start : start + header.n_r], f"the {name} function of {element}")
            for name, start in (("dipole", begin), ("quadrupole", begin + n_pairs * header.n_r))
        )
        return AdpTables(table, dipole, quadrupole)


def read_lines(path: str | Path) -> list[str]:
    """Read the lines of a table, whatever bytes are in its comments.

    Parameters
    ----------
    path : path-like

    Returns
    -------
    list of str

    Raises
    ------
    PotentialError
        If the file cannot be read.
    """
    try:
        return Path(path).read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError as error:
        raise PotentialError(f"cannot be read: {error.strerror}") from None


class _Header(NamedTuple):
    """Lines 4 and 5."""

    elements: list[str]
    n_rho: int
    drho: float
    n_r: int
    dr: float
    r_cut: float


def _header_with(lines, elements):
    """Read the header of a file that should hold some elements."""
    header = _header(lines)
    missing = [element for element in elements if element not in header.elements]
    if missing:
        raise PotentialError(f"holds {', '.join(header.elements)}, not {' and not '.join(missing)}")
    return header


def _header(lines):
    """Read the elements, the grids and the cutoff, and check them."""
    try:
        announced, *elements = lines[3].split()
        n_elements = int(announced)
        n_rho, drho, n_r, dr, r_cut = lines[4].split()
        header = _Header(elements, int(n_rho), float(drho), int(n_r), float(dr), float(r_cut))
    except (IndexError, ValueError):
        raise PotentialError(
            "not a setfl file: lines 4 and 5 must hold the elements and `Nrho drho Nr dr cutoff`"
        ) from None
    if len(elements) != n_elements:
        raise PotentialError(f"line 4 announces {n_elements} elements and names {len(elements)}: {elements}")
    if len(set(elements)) < n_elements:
        raise PotentialError(f"line 4 names an element twice: {elements}")
    check_grids(lines[4], 5, *header[1:])
    return header


def check_grids(line: str, number: int, n_rho: int, drho: float, n_r: int, dr: float, r_cut: float) -> None:
    """Check the grids of the tables and the cutoff that a file announces.

    Parameters
    ----------
    line : str
        What the file says.
    number : int
        Of the line, from 1.
    n_rho, drho, n_r, dr, r_cut
        What that is in numbers; distances in Å.

    Raises
    ------
    PotentialError
        If there are fewer than 100 points, a step is not positive, or the cutoff is beyond the tables.
    """
    if min(n_rho, n_r) < 100 or not all(0 < step < np.inf for step in (drho, dr, r_cut)):
        raise PotentialError(f"line {number}: expected at least 100 points and positive steps, found {line.strip()!r}")
    if r_cut > (1 + 1e-6) * n_r * dr:
        raise PotentialError(
            f"line {number}: the cutoff of {r_cut} Å is beyond the tables, whose {n_r} points end at {n_r * dr:g} Å"
        )


class _Place(NamedTuple):
    """Where what a file says of one element begins, among the words after the header."""

    constants: slice
    embedding: int
    densities: tuple[int, ...]
    pairs: tuple[int, ...]


def _style_of(header, words, styles):
    """Find out which style has as many values as there are, and where each element begins in it."""
    n_values = sum(map(len, words))
    layouts = {style: _layout(header, words, style) for style in styles}
    for style, (layout, end) in layouts.items():
        if end == n_values:
            return style, layout
    expected = " or ".join(f"{end} ({style})" for style, (_, end) in layouts.items())
    raise PotentialError(
        f"holds {n_values} values after its header, expected {expected}: truncated, or of another style?"
    )


def _constants_of(elements, constants):
    """Masses (u) and lattice constants (Å) of elements, from what their lines say."""
    found = [
        numbers(words[1:3], f"the mass and lattice constant of {element}").tolist()
        for element, words in zip(elements, constants, strict=True)
    ]
    masses, lattice_constants = zip(*found, strict=True)
    for element, mass in zip(elements, masses, strict=True):
        if not mass > 0:
            raise PotentialError(f"the mass of {element} is {mass} u, expected a positive one")
    return masses, lattice_constants


def _functions(header, lines, elements, styles=("eam/alloy", "eam/fs")):
    """Find the functions of some elements among the lines after the header."""
    words = [line.split() for line in lines]
    tokens = [word for line in words for word in line]
    style, layout = _style_of(header, words, styles)
    chosen = [header.elements.index(element) for element in elements]
    places = [layout[k] for k in chosen]
    constants = [tokens[place.constants] for place in places]
    masses, lattice_constants = _constants_of(elements, constants)

    @cache
    def function(begin, count, what):
        return numbers(tokens[begin : begin + count], f"the {what}")

    named = list(zip(elements, chosen, places, strict=True))
    return SetflTable(
        tuple(elements),
        masses,
        lattice_constants,
        tuple(" ".join(words[3:]).lower() for words in constants),
        header.drho,
        header.dr,
        header.r_cut,
        np.array(
            [function(place.embedding, header.n_rho, f"embedding function of {name}") for name, _, place in named]
        ),
        np.array(
            [
                # Those of a file of eam/fs are with the element that they are due to, one for each that feels them.
                [
                    function(place.densities[at], header.n_r, f"density function of {name}{_at(style, other)}")
                    for name, _, place in named
                ]
                for other, at, _ in named
            ]
        ),
        np.array(
            [
                [
                    function(place.pairs[k], header.n_r, f"pair function of {_pair(name, other)}")
                    for other, k, _ in named
                ]
                for name, _, place in named
            ]
        ),
        style,
    )


def _at(style, other):
    return f" at {other}" if style == "eam/fs" else ""


def _pair(name, other):
    return name if other == name else " and ".join(sorted((name, other)))


def _layout(header, words, style):
    """Find where functions begin if the file is of a style, and where it then ends.

    The constants of an element have a line of their own, whose last word, the lattice, some files leave out.
    """
    starts = np.cumsum([0, *map(len, words)])
    n_elements = len(header.elements)
    n_densities = n_elements if style == "eam/fs" else 1
    at = 0
    places = []
    for _ in range(n_elements):
        line = int(np.searchsorted(starts, at, side="right")) - 1
        without_lattice = line < len(words) and starts[line] == at and len(words[line]) == 3
        values = at + (3 if without_lattice else 4)
        first = values + header.n_rho
        densities = tuple(first + (k if style == "eam/fs" else 0) * header.n_r for k in range(n_elements))
        places.append(_Place(slice(at, values), values, densities, ()))
        at = first + n_densities * header.n_r
    # Of each pair of elements once, in the order of a lower triangle.
    pairs = [
        tuple(at + (max(i, k) * (max(i, k) + 1) // 2 + min(i, k)) * header.n_r for k in range(n_elements))
        for i in range(n_elements)
    ]
    places = [place._replace(pairs=begin) for place, begin in zip(places, pairs, strict=True)]
    n_functions_of_pairs = 3 if style == "adp" else 1
    return places, at + n_functions_of_pairs * n_elements * (n_elements + 1) // 2 * header.n_r


def numbers(tokens: list[str], what: str) -> NDArray[np.float64]:
    """Convert words to finite numbers.

    Parameters
    ----------
    tokens : list of str
    what : str
        They are, for the message.

    Returns
    -------
    ndarray of shape (n_tokens,)

    Raises
    ------
    PotentialError
        If one is not such a number.
    """
    values = np.empty(len(tokens))
    for index, token in enumerate(tokens):
        try:
            values[index] = float(token)
        except ValueError:
            values[index] = np.nan
        if not np.isfinite(values[index]):
            raise PotentialError(f"value {index} of {what} is {token}, expected a finite number")
    return values


def smooth_style(elements: Sequence[str]) -> str:
    """Style in which LAMMPS reads the table of a smooth potential, by how many elements it has.

    Parameters
    ----------
    elements : sequence of str

    Returns
    -------
    str
    """
    return "eam/fs" if len(elements) > 1 else "eam/alloy"


def write_setfl(path: str | Path, table: SetflTable, comment: str) -> None:
    """Write the functions of elements with all digits of a double.

    Parameters
    ----------
    path : path-like
    table : SetflTable
        Written as ``eam/alloy`` if its style says so, else as ``eam/fs``.
    comment : str
        One line, stating where the functions come from.
    """
    n_elements = len(table.elements)
    with open(path, "w", encoding="utf-8") as file:
        # LAMMPS reads units from the first line of a potential file.
        file.write(f"UNITS: metal {comment}\n\n\n{n_elements} {' '.join(table.elements)}\n")
        file.write(
            f"{table.embedding.shape[-1]} {table.drho!r} {table.density.shape[-1]} {table.dr!r} {table.r_cut!r}\n"
        )
        for k, element in enumerate(table.elements):
            constants = f"{table.masses[k]!r} {table.lattice_constants[k]!r} {table.structures[k]}"
            file.write(f"{atomic_numbers[element]} {constants}\n")
            densities = table.density[:1, k] if table.style == "eam/alloy" else table.density[:, k]
            for values in (table.embedding[k], *densities):
                np.savetxt(file, values, fmt="%.17g")
        for k in range(n_elements):
            for values in table.r_times_pair[k, : k + 1]:
                np.savetxt(file, values, fmt="%.17g")
