"""A cell cut into clusters in free space, for what keeps one cell and its images in memory at a time.

Each cluster holds a few neighbouring atoms, the centres, and everything within their reach, periodic images included.
So the memory that it takes is bounded whatever the size of the cell, the cost stays proportional to the number
of atoms, and any cell works: triclinic, smaller than the cutoff, with atoms outside the box, or no cell at all.
"""

from collections.abc import Iterator

import numpy as np
from ase import Atoms
from ase.geometry import complete_cell
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from vibentropy.atoms.neighbours import check_sites


def clusters(
    atoms: Atoms, reach: float, size: int
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.int64]]]:
    """Yield the surroundings of a few atoms at a time.

    Parameters
    ----------
    atoms : ase.Atoms
        With a checked geometry (`vibentropy.atoms.checks.check_geometry`); any cell and periodicity.
    reach : float
        Distance in Å up to which the surroundings of each centre are complete; they may hold atoms beyond it.
    size : int
        Largest number of centres.

    Yields
    ------
    centres : ndarray of shape (n_centres,), int
        Atoms of the block; every atom is in one block.
    positions : ndarray of shape (n_cluster, 3), Å
        Of the centres, in that order, then of their surroundings.
    index : ndarray of shape (n_cluster,), int
        The atom that each is, or is an image of.

    Raises
    ------
    StructureError
        If two atoms coincide.
    """
    check_sites(atoms)
    positions, index = with_images(atoms, reach)
    tree = cKDTree(positions)
    for centres in _leaves(cKDTree(positions[: len(atoms)], leafsize=size).tree):
        middle = (positions[centres].min(axis=0) + positions[centres].max(axis=0)) / 2
        radius = np.linalg.norm(positions[centres] - middle, axis=1).max() + reach
        near = np.array(tree.query_ball_point(middle, radius * (1 + 1e-9)))
        members = np.concatenate([centres, near[~np.isin(near, centres)]])
        yield centres, positions[members], index[members]


def with_images(atoms: Atoms, reach: float) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Atoms of a cell, and all their periodic images within reach of the cell.

    Parameters
    ----------
    atoms : ase.Atoms
        With a checked geometry.
    reach : float
        In Å.

    Returns
    -------
    positions : ndarray of shape (n, 3), Å
        Of the atoms, wrapped into the cell where it is periodic, then of the images.
    index : ndarray of shape (n,), int
        The atom that each is, or is an image of.
    """
    cell = complete_cell(np.where(atoms.pbc[:, None], atoms.cell[:], 0.0))
    inverse = np.linalg.inv(cell)
    scaled = atoms.positions @ inverse
    scaled[:, atoms.pbc] %= 1.0
    index = np.arange(len(atoms))
    for axis in np.flatnonzero(atoms.pbc):
        # The distance between the lattice planes along this vector is 1 / |column of the inverse|.
        margin = reach * np.linalg.norm(inverse[:, axis])
        most = int(np.floor(margin)) + 1
        parts = [(scaled, index)]
        for shift in [*range(-most, 0), *range(1, most + 1)]:
            image = scaled[:, axis] + shift
            inside = (image >= -margin) & (image <= 1 + margin)
            shifted = scaled[inside]
            shifted[:, axis] = image[inside]
            parts.append((shifted, index[inside]))
        scaled, index = (np.concatenate(part) for part in zip(*parts, strict=True))
    return scaled @ cell, index


def _leaves(node):
    if node.greater is None:
        yield node.indices
    else:
        yield from _leaves(node.lesser)
        yield from _leaves(node.greater)
