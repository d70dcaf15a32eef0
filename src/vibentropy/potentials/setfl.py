"""Reading and writing of setfl tables (``eam/alloy`` and ``eam/fs``), the files of embedded-atom potentials."""

from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from ase.data import atomic_numbers
from numpy.typing import NDArray

from vibentropy.errors import PotentialError, at


@dataclass(frozen=True)
class SetflTable:
    """The functions of one element, as a setfl file tabulates them.

    Attributes
    ----------
    element : str
    mass : float
        In u.
    lattice_constant : float
        In Å, as stated by the file.
    structure : str
        Lattice type as stated by the file, for example ``"bcc"``.
    drho, dr : float
        Grid steps of density and distance (Å); all grids start at 0.
    r_cut : float
        Cutoff in Å.
    embedding : ndarray of shape (n_rho,)
        F(ρ) in eV.
    density : ndarray of shape (n_r,)
        f(r), in the unit of ρ.
    r_times_pair : ndarray of shape (n_r,)
        r V(r) in eV Å.
    """

    element: str
    mass: float
    lattice_constant: float
    structure: str
    drho: float
    dr: float
    r_cut: float
    embedding: NDArray[np.float64]
    density: NDArray[np.float64]
    r_times_pair: NDArray[np.float64]


def read_setfl(path: str | Path, element: str) -> SetflTable:
    """Read the functions of one element from a setfl file.

    Which of the two styles a file has follows from the number of values in it.

    Parameters
    ----------
    path : path-like
    element : str
        Chemical symbol, for example ``"Fe"``.

    Returns
    -------
    SetflTable

    Raises
    ------
    PotentialError
        If the file is missing, lacks the element, does not hold as many values as its header announces, or holds words
        that are no numbers; or if its cutoff is beyond its tables.
    """
    with at(path):
        try:
            lines = Path(path).read_text(encoding="utf-8", errors="replace").splitlines()
        except OSError as error:
            raise PotentialError(f"cannot be read: {error.strerror}") from None
        header = _header(lines)
        if element not in header.elements:
            raise PotentialError(f"holds {', '.join(header.elements)}, not {element}")
        return _functions(header, " ".join(lines[5:]).split(), element)


class _Header(NamedTuple):
    """Lines 4 and 5."""

    elements: list[str]
    n_rho: int
    drho: float
    n_r: int
    dr: float
    r_cut: float


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
    steps = header.drho, header.dr, header.r_cut
    if min(header.n_rho, header.n_r) < 100 or not all(0 < step < np.inf for step in steps):
        raise PotentialError(f"line 5: expected at least 100 points and positive steps, found {lines[4].strip()!r}")
    if header.r_cut > (1 + 1e-6) * header.n_r * header.dr:
        raise PotentialError(
            f"line 5: the cutoff of {header.r_cut} Å is beyond the tables, whose {header.n_r} points end at "
            f"{header.n_r * header.dr:g} Å"
        )
    return header


def _functions(header, tokens, element):
    """Find the functions of an element among the words after the header."""
    elements, n_rho, drho, n_r, dr, r_cut = header
    n_elements, index = len(elements), elements.index(element)
    n_pairs = n_elements * (n_elements + 1) // 2
    expected = {
        "eam/alloy": n_elements * (4 + n_rho + n_r) + n_pairs * n_r,
        "eam/fs": n_elements * (4 + n_rho + n_elements * n_r) + n_pairs * n_r,
    }
    style = next((name for name, count in expected.items() if count == len(tokens)), None)
    if style is None:
        counts = " or ".join(f"{count} ({name})" for name, count in expected.items())
        raise PotentialError(f"holds {len(tokens)} values after its header, expected {counts}: truncated?")
    n_densities = n_elements if style == "eam/fs" else 1
    block = 4 + n_rho + n_densities * n_r
    start = index * block
    density_start = start + 4 + n_rho + (index * n_r if style == "eam/fs" else 0)
    pair_start = n_elements * block + (index * (index + 1) // 2 + index) * n_r
    constants = _numbers(tokens[start + 1 : start + 3], f"the mass and lattice constant of {element}")
    mass, lattice_constant = constants.tolist()
    if not mass > 0:
        raise PotentialError(f"the mass of {element} is {mass} u, expected a positive one")
    embedding, density, r_times_pair = (
        _numbers(tokens[begin : begin + count], f"the {name} function of {element}")
        for name, begin, count in (
            ("embedding", start + 4, n_rho),
            ("density", density_start, n_r),
            ("pair", pair_start, n_r),
        )
    )
    return SetflTable(
        element, mass, lattice_constant, tokens[start + 3].lower(), drho, dr, r_cut, embedding, density, r_times_pair
    )


def _numbers(tokens, what):
    """Convert words to finite numbers."""
    values = np.empty(len(tokens))
    for index, token in enumerate(tokens):
        try:
            values[index] = float(token)
        except ValueError:
            values[index] = np.nan
        if not np.isfinite(values[index]):
            raise PotentialError(f"value {index} of {what} is {token}, expected a finite number")
    return values


def write_setfl(path: str | Path, table: SetflTable, comment: str) -> None:
    """Write the functions of one element as an ``eam/alloy`` file with all digits of a double.

    Parameters
    ----------
    path : path-like
    table : SetflTable
    comment : str
        One line, stating where the functions come from.
    """
    with open(path, "w", encoding="utf-8") as file:
        # LAMMPS reads units from the first line of a potential file.
        file.write(f"UNITS: metal {comment}\n\n\n1 {table.element}\n")
        file.write(
            f"{len(table.embedding)} {table.drho!r} {len(table.density)} {table.dr!r} {table.r_cut!r}\n"
            f"{atomic_numbers[table.element]} {table.mass!r} {table.lattice_constant!r} {table.structure}\n"
        )
        for values in (table.embedding, table.density, table.r_times_pair):
            np.savetxt(file, values, fmt="%.17g")
