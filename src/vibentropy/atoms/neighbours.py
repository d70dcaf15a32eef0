"""Neighbours in any cell: periodic or not, triclinic, smaller than the cutoff, atoms outside the box.

Atoms are sorted into bins along the three cell vectors and compared with those of the bins around, periodic images
included. Apart from the positions, the memory does not grow with the number of atoms: neighbours are found for a few
atoms at a time. The cost is linear in the number of atoms, and for bcc iron at 5 Å a third of matscipy's.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from ase import Atoms
from ase.geometry import complete_cell
from numba import prange
from numpy.typing import NDArray

from vibentropy.atoms.checks import check_geometry
from vibentropy.errors import StructureError
from vibentropy.numerics.machine_code import njit

#: Atoms closer than this (Å) are one site occupied twice: no potential or descriptor is defined there.
MIN_DISTANCE = 0.1

#: Cutoff (Å) of `check_sites`: above that distance, below any bond.
_SITE_CUTOFF = 1.0

#: Number of atoms whose neighbours are in memory at a time.
BLOCK = 512

#: Bins per cutoff along each cell vector. Along the last one they are contiguous in memory, so that many cost nothing.
SLICES = np.array([2, 2, 8])

#: Bins per atom, at most.
MAX_BINS = 16

#: Largest number of bins to search around an atom; a cell of one atom and 2 Å needs 2000 at a cutoff of 10 Å.
MAX_REACH = 10**6


class Bins(NamedTuple):
    """Atoms sorted into bins, in which their neighbours are looked for.

    Attributes
    ----------
    order : ndarray of shape (n_atoms,), int64
        Indices of the atoms, sorted by bin.
    place : ndarray of shape (n_atoms, 3), int32
        Bin of each sorted atom, as an index along each cell vector.
    start : ndarray of shape (n_bins + 1,), int64
        First sorted atom of each bin; the bin along the third vector is the fastest index.
    positions : ndarray of shape (3, n_atoms), Å
        Of the sorted atoms, moved into the cell along periodic vectors.
    cell : ndarray of shape (3, 3), Å
    shape : ndarray of shape (3,), int64
        Number of bins along each vector.
    reach : ndarray of shape (3,), int64
        How many bins away neighbours can be.
    periodic : ndarray of shape (3,), bool
    """

    order: NDArray[np.int64]
    place: NDArray[np.int32]
    start: NDArray[np.int64]
    positions: NDArray[np.float64]
    cell: NDArray[np.float64]
    shape: NDArray[np.int64]
    reach: NDArray[np.int64]
    periodic: NDArray[np.bool_]


def neighbour_pairs(
    atoms: Atoms, r_cut: float
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]:
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
        From the atom to its neighbour; the pair in the other order has exactly the opposite one.
    distances : ndarray of shape (n_pairs,), Å

    Raises
    ------
    StructureError
        If positions or cell are not finite, a periodic direction has no cell vector, the cell is by far too small for
        the cutoff, or two atoms coincide.
    """
    check_geometry(atoms)
    bins = _sort_into_bins(atoms, r_cut)
    return _pairs_of(np.argsort(bins.order), bins, r_cut)


def check_sites(atoms: Atoms) -> None:
    """Check that no two atoms are on one site; the cost is linear in the number of atoms.

    Parameters
    ----------
    atoms : ase.Atoms
        See `neighbour_pairs`.

    Raises
    ------
    StructureError
        If two atoms (or an atom and an image of it) are closer than `MIN_DISTANCE`, or what `neighbour_pairs` refuses.
    """
    neighbour_pairs(atoms, _SITE_CUTOFF)


def neighbour_blocks(
    atoms: Atoms, r_cut: float, size: int = BLOCK
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]]:
    """Neighbours of all atoms, a few atoms at a time, in bounded memory.

    Parameters
    ----------
    atoms : ase.Atoms
        See `neighbour_pairs`.
    r_cut : float
        Cutoff in Å.
    size : int
        Largest number of atoms in a block.

    Yields
    ------
    centres : ndarray of shape (n_centres,), int64
        Atoms of the block, which are near each other in space. Every atom is in one block.
    first, neighbour, vectors, distances : ndarray
        As in `neighbour_pairs`, the pairs of ``centres[i]`` being those from ``first[i]`` to ``first[i + 1]``.

    Raises
    ------
    StructureError
        See `neighbour_pairs`; for atoms on one site, when their block is reached.
    """
    check_geometry(atoms)
    bins = _sort_into_bins(atoms, r_cut)
    for start in range(0, len(atoms), size):
        ranks = np.arange(start, min(start + size, len(atoms)))
        yield bins.order[ranks], *_pairs_of(ranks, bins, r_cut)


def _sort_into_bins(atoms, r_cut):
    periodic = atoms.pbc
    # Directions without periodicity get a unit vector at right angles to the others, whatever the cell has there.
    cell = complete_cell(np.where(periodic[:, None], atoms.cell[:], 0.0))
    inverse = np.linalg.inv(cell)
    fractions = atoms.positions @ inverse
    images = np.where(periodic, np.floor(fractions), 0.0)
    fractions -= images
    # With millions of atoms every array counts: free each as soon as possible.
    positions = images @ cell
    del images
    np.subtract(atoms.positions, positions, out=positions)
    low = np.where(periodic, 0.0, fractions.min(axis=0))
    # A little more than the atoms fill, so that the last of them is inside and a plane of them has a thickness.
    extent = np.where(periodic, 1.0, np.ptp(fractions, axis=0) + 1e-3)
    height = extent / np.linalg.norm(inverse, axis=0)
    # The margin is for rounding: no neighbour lies in a bin further away than its distance says.
    margin = r_cut * (1 + 1e-6)
    shape = np.clip(height * SLICES / margin, 1, 2**20).astype(np.int64)
    # Atoms far apart in free space: no more bins than what is linear in the number of atoms.
    while shape.prod() > MAX_BINS * len(atoms) and shape.max() > 1:
        shape[shape.argmax()] //= 2
    reach = np.ceil(margin * shape / height)
    reach = np.where(periodic, reach, np.minimum(reach, shape - 1))
    if (2 * reach + 1).prod() > MAX_REACH:
        raise StructureError(
            f"the cell {atoms.cell[:].tolist()} Å is so thin that {r_cut} Å reach over more than {MAX_REACH} of its "
            "images; expected the cell of a crystal, in Å"
        )
    fractions -= low
    fractions /= extent
    fractions *= shape
    place = np.clip(fractions, 0, shape - 1, out=fractions).astype(np.int32)
    del fractions
    flat = np.ravel_multi_index(place.T, shape)
    order = np.argsort(flat, kind="stable")
    start = np.zeros(shape.prod() + 1, dtype=np.int64)
    np.cumsum(np.bincount(flat, minlength=shape.prod()), out=start[1:])
    del flat
    return Bins(
        order=order,
        place=place[order],
        start=start,
        positions=np.ascontiguousarray(positions.T[:, order]),
        cell=np.ascontiguousarray(cell),
        shape=shape,
        reach=reach.astype(np.int64),
        periodic=periodic,
    )


def _pairs_of(ranks, bins, r_cut):
    """Pairs of the atoms with these places in the order of the bins."""
    first = np.zeros(len(ranks) + 1, dtype=np.int64)
    _count(ranks, bins, r_cut**2, first[1:])
    np.cumsum(first, out=first)
    neighbour, vectors, distances = np.empty(first[-1], np.int64), np.empty((first[-1], 3)), np.empty(first[-1])
    _fill(ranks, bins, r_cut**2, first, neighbour, vectors, distances)
    if len(distances) and distances.min() < MIN_DISTANCE:
        k = int(np.argmin(distances))
        i = bins.order[ranks[np.searchsorted(first, k, side="right") - 1]]
        raise StructureError(f"atoms {i} and {neighbour[k]} are on one site ({distances[k]:.2e} Å apart)")
    return first, neighbour, vectors, distances


@njit(nogil=True)
def _search(rank, bins, square, filling, pair, neighbour, vectors, distances):
    """Neighbours of one atom: write them from place `pair` on if `filling`; return the place after the last one.

    Both ways do the same arithmetic, strictly as written, and so agree about pairs at the cutoff.
    """
    X, Y, Z = bins.positions
    x, y, z = X[rank], Y[rank], Z[rank]
    low, high = np.empty(3, np.int64), np.empty(3, np.int64)
    for d in range(3):
        low[d] = bins.place[rank, d] - bins.reach[d]
        high[d] = bins.place[rank, d] + bins.reach[d]
        if not bins.periodic[d]:
            low[d] = max(low[d], 0)
            high[d] = min(high[d], bins.shape[d] - 1)
    n_a, n_b, n_c = bins.shape
    for a in range(low[0], high[0] + 1):
        for b in range(low[1], high[1] + 1):
            image_a, image_b = a // n_a, b // n_b
            column = ((a - image_a * n_a) * n_b + b - image_b * n_b) * n_c
            for image_c in range(low[2] // n_c, high[2] // n_c + 1):
                # The bins of a column that are in reach, in one image, hold one run of atoms.
                begin = bins.start[column + max(low[2] - image_c * n_c, 0)]
                end = bins.start[column + min(high[2] - image_c * n_c, n_c - 1) + 1]
                shift_x = image_a * bins.cell[0, 0] + image_b * bins.cell[1, 0] + image_c * bins.cell[2, 0]
                shift_y = image_a * bins.cell[0, 1] + image_b * bins.cell[1, 1] + image_c * bins.cell[2, 1]
                shift_z = image_a * bins.cell[0, 2] + image_b * bins.cell[1, 2] + image_c * bins.cell[2, 2]
                at_home = image_a == 0 and image_b == 0 and image_c == 0
                if filling:
                    for j in range(begin, end):
                        dx, dy, dz = (X[j] - x) + shift_x, (Y[j] - y) + shift_y, (Z[j] - z) + shift_z
                        r2 = dx * dx + dy * dy + dz * dz
                        if r2 < square and not (at_home and j == rank):
                            neighbour[pair] = bins.order[j]
                            vectors[pair, 0] = dx
                            vectors[pair, 1] = dy
                            vectors[pair, 2] = dz
                            distances[pair] = np.sqrt(r2)
                            pair += 1
                else:
                    for j in range(begin, end):
                        dx, dy, dz = (X[j] - x) + shift_x, (Y[j] - y) + shift_y, (Z[j] - z) + shift_z
                        pair += dx * dx + dy * dy + dz * dz < square
                    # The atom itself was counted.
                    pair -= at_home and begin <= rank < end
    return pair


@njit(nogil=True, parallel=True)
def _count(ranks, bins, square, counts):
    neighbour, vectors, distances = np.empty(0, np.int64), np.empty((0, 3)), np.empty(0)
    for i in prange(len(ranks)):
        counts[i] = _search(ranks[i], bins, square, False, 0, neighbour, vectors, distances)


@njit(nogil=True, parallel=True)
def _fill(ranks, bins, square, first, neighbour, vectors, distances):
    for i in prange(len(ranks)):
        _search(ranks[i], bins, square, True, first[i], neighbour, vectors, distances)
