"""Checks of a cell of atoms, made before anything is computed from it."""

from collections.abc import Sequence

import numpy as np
from ase import Atoms
from ase.data import atomic_numbers
from numpy.typing import NDArray

from vibentropy.errors import StructureError


def check_geometry(atoms: Atoms) -> None:
    """Check that positions and cell are finite and that periodic directions span a volume.

    Parameters
    ----------
    atoms : ase.Atoms
        Lengths in Å.

    Raises
    ------
    StructureError
        Naming the atom or the cell vectors, and their values.
    """
    if len(atoms) == 0:
        raise StructureError("the configuration holds no atoms")
    bad = np.flatnonzero(~np.isfinite(atoms.positions).all(axis=1))
    if len(bad):
        raise StructureError(f"position of atom {bad[0]} is {atoms.positions[bad[0]].tolist()}, not finite")
    cell = np.asarray(atoms.cell[:])
    if not np.isfinite(cell).all():
        raise StructureError(f"the cell is not finite: {cell.tolist()}")
    periodic = cell[atoms.pbc]
    if len(periodic):
        lengths = np.linalg.norm(periodic, axis=1)
        # The smallest singular value of the unit vectors: 0 when they are linearly dependent.
        if not lengths.all() or np.linalg.svd(periodic / lengths[:, None], compute_uv=False)[-1] < 1e-6:
            raise StructureError(f"the periodic cell vectors are zero or parallel: {periodic.tolist()} Å")


def check_crystal(atoms: Atoms) -> None:
    """Check that a configuration is a periodic crystal, as entropies of formation need it.

    Parameters
    ----------
    atoms : ase.Atoms

    Raises
    ------
    StructureError
        For molecules, surfaces and whatever `check_geometry` refuses.
    """
    check_geometry(atoms)
    if not atoms.cell.any():
        raise StructureError("it has no cell (in extended XYZ, Lattice=): formation entropies are defined for crystals")
    if not atoms.pbc.all():
        raise StructureError(
            f"periodic boundary conditions are {atoms.pbc.tolist()}: formation entropies are defined here for "
            "crystals that are periodic in all three directions"
        )


def check_one_element(atoms: Atoms) -> None:
    """Check that a configuration is of one element.

    Parameters
    ----------
    atoms : ase.Atoms

    Raises
    ------
    StructureError
    """
    elements = sorted(set(atoms.get_chemical_symbols()))
    if len(elements) != 1:
        raise StructureError(f"the configuration holds {', '.join(elements)}, expected one element")


def element_indices(atoms: Atoms, elements: Sequence[str]) -> NDArray[np.int64]:
    """Find the element of each atom among some.

    Parameters
    ----------
    atoms : ase.Atoms
    elements : sequence of str

    Returns
    -------
    ndarray of shape (n_atoms,), int64

    Raises
    ------
    StructureError
        If an atom is of none of them.
    """
    others = sorted(set(atoms.get_chemical_symbols()) - set(elements))
    if others:
        expected = f"only {elements[0]} is" if len(elements) == 1 else f"{' and '.join(elements)} are"
        raise StructureError(f"the configuration holds {', '.join(others)} where {expected} expected")
    index = np.full(max(atomic_numbers.values()) + 1, -1)
    index[[atomic_numbers[element] for element in elements]] = np.arange(len(elements))
    return index[atoms.numbers]


def check_element(atoms: Atoms, element: str) -> None:
    """Check that all atoms are of a certain element.

    Parameters
    ----------
    atoms : ase.Atoms
    element : str

    Raises
    ------
    StructureError
    """
    element_indices(atoms, [element])
