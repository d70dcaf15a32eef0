"""The Hessian of an embedded-atom potential a few rows at a time, for cells whose whole Hessian does not fit in memory.

`vibentropy.Potential.hessian` is the Hessian of a periodic cell: one block adds up how an atom couples to all periodic
images of another. Here every image has its own block, as in the infinite crystal that the cell stands for. In cells so
wide that no two images of an atom are in range, the blocks are the same. The formulas are those of
`vibentropy.potentials.embedded_hessian`.
"""

from dataclasses import dataclass

import numpy as np
from ase import Atoms
from numba import prange
from numpy.typing import NDArray

from vibentropy.atoms.checks import check_element
from vibentropy.atoms.neighbours import neighbour_blocks
from vibentropy.numerics.machine_code import njit
from vibentropy.potentials.embedded_atom import Potential, check_distances
from vibentropy.potentials.embedded_hessian import spring
from vibentropy.potentials.splines import evaluate

#: Rows that one thread works on with one workspace.
_CHUNK = 64


@dataclass(frozen=True, eq=False)
class Sites:
    """What rows of the Hessian need to know about each atom.

    Attributes
    ----------
    slope, curvature : ndarray of shape (n_atoms,)
        F'(ρ_i) and F''(ρ_i), in eV per unit of ρ and of its square.
    stiffness : ndarray of shape (n_atoms, 3, 3), eV/Å²
        H_ii, the stiffness with which all other atoms hold the atom.
    """

    slope: NDArray[np.float64]
    curvature: NDArray[np.float64]
    stiffness: NDArray[np.float64]


def sites(potential: Potential, atoms: Atoms) -> Sites:
    """Embedding and stiffness of all atoms, in memory of some 100 bytes an atom.

    Parameters
    ----------
    potential : vibentropy.Potential
    atoms : ase.Atoms
        Of the element of the potential, any cell and periodicity.

    Returns
    -------
    Sites

    Raises
    ------
    StructureError
        For another element, or what `vibentropy.atoms.neighbours.neighbour_blocks` refuses.
    PotentialError
        If two atoms are closer than 1.5 Å, or an atom is so isolated that the embedding function is not represented.
    """
    check_element(atoms, potential.element)
    functions = potential.pair.arrays, potential.density.arrays
    rho = np.empty(len(atoms))
    for centres, first, neighbour, _, distances in neighbour_blocks(atoms, potential.r_cut):
        check_distances(centres, first, neighbour, distances)
        rho[centres] = _densities(first, distances, functions[1])
    _, slope, curvature = potential.embedding_of(rho)
    stiffness = np.empty((len(atoms), 3, 3))
    for block in neighbour_blocks(atoms, potential.r_cut):
        stiffness[block[0]] = _stiffness(*block, slope, curvature, *functions)
    return Sites(slope, curvature, stiffness)


def hessian_rows(
    potential: Potential,
    pairs: tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]],
    n_rows: int,
    positions: NDArray[np.float64],
    slope: NDArray[np.float64],
    curvature: NDArray[np.float64],
    reach: float,
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """Blocks of the Hessian between some atoms and all others in reach, the atom itself left out.

    Parameters
    ----------
    potential : vibentropy.Potential
    pairs : tuple of ndarray
        Neighbours of all atoms within the cutoff, as `vibentropy.atoms.neighbours.neighbour_pairs` finds them in free
        space.
    n_rows : int
        Rows are wanted for the first so many atoms, whose surroundings must be complete.
    positions : ndarray of shape (n_atoms, 3), Å
        Each periodic image is an atom.
    slope, curvature : ndarray of shape (n_atoms,)
        See `Sites`.
    reach : float
        Largest distance between the two atoms of a block, Å.

    Returns
    -------
    start : ndarray of shape (n_rows + 1,), int64
        Blocks of row i are those from ``start[i]`` to ``start[i + 1]``.
    columns : ndarray of shape (n_blocks,), int64
        Ascending in each row.
    blocks : ndarray of shape (n_blocks, 3, 3), eV/Å²
    """
    arguments = *pairs, positions, reach**2, slope, curvature, potential.pair.arrays, potential.density.arrays
    start = np.zeros(n_rows + 1, np.int64)
    nothing = np.empty(0, np.int64), np.empty((0, 3, 3))
    _rows(n_rows, *arguments, False, start, *nothing)
    np.cumsum(start, out=start)
    columns, blocks = np.empty(start[-1], np.int64), np.zeros((start[-1], 3, 3))
    _rows(n_rows, *arguments, True, start, columns, blocks)
    return start, columns, blocks


@njit(nogil=True)
def _densities(first, distances, density):
    rho = np.zeros(first.shape[0] - 1)
    for i in range(rho.shape[0]):
        for p in range(first[i], first[i + 1]):
            rho[i] += evaluate(distances[p], density[0], density[1], density[2])[0]
    return rho


@njit(nogil=True)
def _stiffness(centres, first, neighbour, vectors, distances, slope, curvature, pair, density):
    blocks = np.zeros((centres.shape[0], 3, 3))
    itself = np.empty(3)
    for i in range(centres.shape[0]):
        itself[:] = 0.0
        for p in range(first[i], first[i + 1]):
            j, r = neighbour[p], distances[p]
            radial, transverse, f1 = spring(r, slope[centres[i]] + slope[j], pair, density)
            along = (radial - transverse + curvature[j] * f1**2) / r**2
            for a in range(3):
                itself[a] -= f1 * vectors[p, a] / r
                for b in range(3):
                    blocks[i, a, b] += along * vectors[p, a] * vectors[p, b]
                blocks[i, a, a] += transverse
        for a in range(3):
            for b in range(3):
                blocks[i, a, b] += curvature[centres[i]] * itself[a] * itself[b]
    return blocks


@njit(nogil=True)
def _density_gradients(first, vectors, distances, density):
    """Gradients ∂ρ_i/∂x of the density of each atom along its pairs, and with respect to the atom itself."""
    n = first.shape[0] - 1
    gradient = np.zeros((vectors.shape[0], 3))
    itself = np.zeros((n, 3))
    for i in range(n):
        for p in range(first[i], first[i + 1]):
            f1 = evaluate(distances[p], density[0], density[1], density[2])[1]
            if f1 != 0.0:
                for a in range(3):
                    gradient[p, a] = f1 * vectors[p, a] / distances[p]
                    itself[i, a] -= gradient[p, a]
    return gradient, itself


@njit(nogil=True)
def _rows_of(
    begin,
    end,
    first,
    neighbour,
    vectors,
    distances,
    gradient,
    itself,
    positions,
    square,
    slope,
    curvature,
    pair,
    density,
    filling,
    start,
    columns,
    blocks,
):
    """Do for the rows from `begin` to `end` what `_rows` does for all."""
    n = positions.shape[0]
    place = np.full(n, -1, np.int64)
    row = np.empty(n, np.int64)
    for i in range(begin, end):
        # Neighbours, and atoms that share a density with this one, in reach.
        n_columns = 0
        place[i] = n
        for p in range(first[i], first[i + 1]):
            k = neighbour[p]
            felt = gradient[p, 0] != 0.0 or gradient[p, 1] != 0.0 or gradient[p, 2] != 0.0
            for m in range(first[k] - 1, first[k + 1] if felt else first[k]):
                j = k if m < first[k] else neighbour[m]
                if place[j] < 0:
                    distance = 0.0
                    for a in range(3):
                        distance += (positions[j, a] - positions[i, a]) ** 2
                    is_neighbour = m < first[k]
                    coupled = is_neighbour or gradient[m, 0] != 0.0 or gradient[m, 1] != 0.0 or gradient[m, 2] != 0.0
                    if coupled and distance < square:
                        place[j] = 0
                        row[n_columns] = j
                        n_columns += 1
        if filling:
            row[:n_columns].sort()
            for c in range(n_columns):
                columns[start[i] + c] = row[c]
                place[row[c]] = start[i] + c
            place[i] = -1
            for p in range(first[i], first[i + 1]):
                k, r = neighbour[p], distances[p]
                c = place[k]
                if c >= 0:
                    radial, transverse, _ = spring(r, slope[i] + slope[k], pair, density)
                    for a in range(3):
                        left = curvature[i] * itself[i, a]
                        right = curvature[k] * gradient[p, a]
                        for b in range(3):
                            along = (radial - transverse) * vectors[p, a] * vectors[p, b] / r**2
                            blocks[c, a, b] += left * gradient[p, b] - right * itself[k, b] - along
                        blocks[c, a, a] -= transverse
                if gradient[p, 0] == 0.0 and gradient[p, 1] == 0.0 and gradient[p, 2] == 0.0:
                    continue
                for m in range(first[k], first[k + 1]):
                    c = place[neighbour[m]]
                    if c >= 0:
                        for a in range(3):
                            left = curvature[k] * gradient[p, a]
                            for b in range(3):
                                blocks[c, a, b] -= left * gradient[m, b]
        else:
            start[i + 1] = n_columns
            place[i] = -1
        for c in range(n_columns):
            place[row[c]] = -1


@njit(nogil=True, parallel=True)
def _rows(
    n_rows,
    first,
    neighbour,
    vectors,
    distances,
    positions,
    square,
    slope,
    curvature,
    pair,
    density,
    filling,
    start,
    columns,
    blocks,
):
    """Count the blocks of row i in ``start[i + 1]``; if `filling`, write columns and blocks from ``start[i]`` on."""
    gradient, itself = _density_gradients(first, vectors, distances, density)
    # As no more than a call, it is compiled in half the time.
    for chunk in prange((n_rows + _CHUNK - 1) // _CHUNK):
        begin, end = chunk * _CHUNK, min((chunk + 1) * _CHUNK, n_rows)
        _rows_of(
            begin,
            end,
            first,
            neighbour,
            vectors,
            distances,
            gradient,
            itself,
            positions,
            square,
            slope,
            curvature,
            pair,
            density,
            filling,
            start,
            columns,
            blocks,
        )
