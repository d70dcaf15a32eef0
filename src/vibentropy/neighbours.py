"""Neighbour lists of any cell: periodic or not, triclinic, smaller than the cutoff, atoms outside the box."""

import numpy as np
from ase.geometry import complete_cell
from matscipy.neighbours import neighbour_list

from vibentropy.errors import StructureError
from vibentropy.structures import MIN_DISTANCE, check_geometry


def neighbour_pairs(atoms, r_cut):
    """All ordered pairs of atoms (periodic images included) closer than a cutoff.

    Parameters
    ----------
    atoms : ase.Atoms
        Any cell and periodicity; lengths in Å. Directions without periodicity may have a zero cell vector.
    r_cut : float
        Cutoff in Å.

    Returns
    -------
    first : ndarray of shape (n_atoms + 1,), int64
        Pairs of atom i are those from ``first[i]`` to ``first[i + 1]``.
    neighbour : ndarray of shape (n_pairs,), int64
        Index of the neighbour. An atom can be its own neighbour through a periodic image.
    vectors : ndarray of shape (n_pairs, 3), Å
        From the atom to its neighbour.
    distances : ndarray of shape (n_pairs,), Å

    Raises
    ------
    StructureError
        If positions or cell are not finite, a periodic direction has no cell vector, or two atoms coincide.
    """
    check_geometry(atoms)
    # matscipy inverts the cell, so directions without periodicity get a vector even where there is none.
    cell = complete_cell(np.where(atoms.pbc[:, None], atoms.cell[:], 0.0))
    i, j, vectors, distances = neighbour_list("ijDd", positions=atoms.positions, cell=cell, pbc=atoms.pbc, cutoff=r_cut)
    if len(distances) and distances.min() < MIN_DISTANCE:
        k = int(np.argmin(distances))
        raise StructureError(f"atoms {i[k]} and {j[k]} are on one site ({distances[k]:.2e} Å apart)")
    # matscipy returns the pairs of each atom together, in the order of the atoms.
    return np.searchsorted(i, np.arange(len(atoms) + 1)), j.astype(np.int64), vectors, distances
