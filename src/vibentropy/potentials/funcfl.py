"""Reading of funcfl tables (``eam``), the older files of embedded-atom potentials, of one element each."""

from pathlib import Path

from ase.data import atomic_numbers, chemical_symbols

from vibentropy.errors import PotentialError, at
from vibentropy.potentials.setfl import SetflTable, check_grids, numbers, read_lines

#: Atoms repel like charges Z(r) in units of the electron's; e² is 27.2 eV times 0.529 Å, as LAMMPS has it.
_SQUARED_CHARGE = 27.2 * 0.529


def is_funcfl(path: str | Path) -> bool:
    """Whether a file looks like a funcfl table: an element in its second line, and the grids in its third.

    Parameters
    ----------
    path : path-like

    Returns
    -------
    bool
    """
    try:
        _header(read_lines(path))
    except PotentialError:
        return False
    return True


def read_funcfl(path: str | Path, element: str) -> SetflTable:
    """Read the functions of a funcfl file.

    Parameters
    ----------
    path : path-like
    element : str
        Chemical symbol; the file has the atomic number.

    Returns
    -------
    SetflTable
        With r V(r) = 14.3888 eV Å · Z(r)², as LAMMPS makes it of the effective charge in the file.

    Raises
    ------
    PotentialError
        If the file cannot be read, is of another element, does not hold as many values as it announces, or holds words
        that are no numbers; or if its cutoff is beyond its tables.
    """
    with at(path):
        lines = read_lines(path)
        (number, mass, lattice_constant, structure), (n_rho, drho, n_r, dr, r_cut) = _header(lines)
        if number != atomic_numbers[element]:
            symbol = chemical_symbols[number] if 0 < number < len(chemical_symbols) else "unknown"
            raise PotentialError(f"line 2: it is of the element {number} ({symbol}), not {element}")
        if not mass > 0:
            raise PotentialError(f"line 2: the mass is {mass} u, expected a positive one")
        check_grids(lines[2], 3, n_rho, drho, n_r, dr, r_cut)
        tokens = " ".join(lines[3:]).split()
        if len(tokens) != n_rho + 2 * n_r:
            raise PotentialError(f"holds {len(tokens)} values after its header, expected {n_rho + 2 * n_r}: truncated?")
        embedding = numbers(tokens[:n_rho], "the embedding function")
        charge = numbers(tokens[n_rho : n_rho + n_r], "the effective charge")
        density = numbers(tokens[n_rho + n_r :], "the density")
        return SetflTable(
            (element,),
            (mass,),
            (lattice_constant,),
            (structure,),
            drho,
            dr,
            r_cut,
            embedding=embedding[None],
            density=density[None, None],
            r_times_pair=(_SQUARED_CHARGE * charge**2)[None, None],
            style="eam",
            path=str(path),
        )


def _header(lines):
    """Read the constants of the element, and the grids and the cutoff."""
    try:
        number, mass, lattice_constant, *structure = lines[1].split()
        n_rho, drho, n_r, dr, r_cut = lines[2].split()
        return (
            (int(number), float(mass), float(lattice_constant), " ".join(structure).lower()),
            (int(n_rho), float(drho), int(n_r), float(dr), float(r_cut)),
        )
    except (IndexError, ValueError):
        raise PotentialError(
            "not a funcfl file: lines 2 and 3 must hold `number mass a structure` and `Nrho drho Nr dr cutoff`"
        ) from None
