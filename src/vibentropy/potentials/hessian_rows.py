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

from vibentropy.atoms.checks import element_indices
from vibentropy.atoms.neighbours import neighbour_blocks
from vibentropy.numerics.machine_code import njit
from vibentropy.potentials.embedded_atom import Potential, check_distances
from vibentropy.potentials.embedded_hessian import Bonds, density_gradients, spring
from vibentropy.potentials.splines import evaluate

#: Rows that one thread works on with one workspace.
_CHUNK = 64


@dataclass(frozen=True, eq=False)
class Sites:
    """What rows of the Hessian need to know about each atom.

    Attributes
    ----------
    kinds : ndarray of shape (n_atoms,), int64
        Index of its element among those of the potential.
    slope, curvature : ndarray of shape (n_atoms,)
        F'(ρ_i) and F''(ρ_i), in eV per unit of ρ and of its square.
    stiffness : ndarray of shape (n_atoms, 3, 3), eV/Å²
        H_ii, the stiffness with which all other atoms hold the atom.
    """

    kinds: NDArray[np.int64]
    slope: NDArray[np.float64]
    curvature: NDArray[np.float64]
    stiffness: NDArray[np.float64]


def sites(potential: Potential, atoms: Atoms) -> Sites:
    """Embedding and stiffness of all atoms, in memory of some 100 bytes an atom.

    Parameters
    ----------
    potential : vibentropy.Potential
    atoms : ase.Atoms
        Of elements of the potential, any cell and periodicity.

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
    kinds = element_indices(atoms, potential.elements)
    rho = np.empty(len(atoms))
    for centres, first, neighbour, _, distances in neighbour_blocks(atoms, potential.r_cut):
        check_distances(centres, first, neighbour, distances)
        rho[centres] = _densities(kinds[centres], kinds, first, neighbour, distances, potential.compiled)
    _, slope, curvature = potential.embedding_of(rho, kinds)
    stiffness = np.empty((len(atoms), 3, 3))
    for block in neighbour_blocks(atoms, potential.r_cut):
        stiffness[block[0]] = _stiffness(*block, kinds, slope, curvature, potential.compiled)
    return Sites(kinds, slope, curvature, stiffness)


def hessian_rows(
    potential: Potential,
    bonds: Bonds,
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
    bonds : Bonds
        Neighbours of all atoms within the cutoff, in free space.
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
    arguments = bonds, positions, reach**2, slope, curvature, potential.compiled
    start = np.zeros(n_rows + 1, np.int64)
    nothing = np.empty(0, np.int64), np.empty((0, 3, 3))
    _rows(n_rows, *arguments, False, start, *nothing)
    np.cumsum(start, out=start)
    columns, blocks = np.empty(start[-1], np.int64), np.zeros((start[-1], 3, 3))
    _rows(n_rows, *arguments, True, start, columns, blocks)
    return start, columns, blocks


@njit(nogil=True)
def _densities(centres, kinds, first, neighbour, distances, functions):
    """Densities of atoms of some elements (``centres``) in a cell of atoms of others (``kinds``)."""
    rho = np.zeros(first.shape[0] - 1)
    for i in range(rho.shape[0]):
        for p in range(first[i], first[i + 1]):
            k = functions.density[centres[i], kinds[neighbour[p]]]
            rho[i] += evaluate(distances[p], k, functions)[0]
    return rho


@njit(nogil=True)
def _stiffness(centres, first, neighbour, vectors, distances, kinds, slope, curvature, functions):
    blocks = np.zeros((centres.shape[0], 3, 3))
    itself = np.empty(3)
    for i in range(centres.shape[0]):
        c = centres[i]
        itself[:] = 0.0
        for p in range(first[i], first[i + 1]):
            j, r = neighbour[p], distances[p]
            radial, transverse, f1, g1 = spring(r, kinds[c], kinds[j], slope[c], slope[j], functions)
            along = (radial - transverse + curvature[j] * g1**2) / r**2
            for a in range(3):
                itself[a] -= f1 * vectors[p, a] / r
                for b in range(3):
                    blocks[i, a, b] += along * vectors[p, a] * vectors[p, b]
                blocks[i, a, a] += transverse
        for a in range(3):
            for b in range(3):
                blocks[i, a, b] += curvature[c] * itself[a] * itself[b]
    return blocks


@njit(nogil=True, inline="always")
def _is_zero(vector):
    return vector[0] == 0.0 and vector[1] == 0.0 and vector[2] == 0.0


@njit(nogil=True)
def _rows_of(
    begin,
    end,
    bonds,
    felt,
    given,
    itself,
    positions,
    square,
    slope,
    curvature,
    functions,
    filling,
    start,
    columns,
    blocks,
):
    """Do for the rows from `begin` to `end` what `_rows` does for all."""
    kinds, first, neighbour, vectors, distances = bonds
    n = positions.shape[0]
    place = np.full(n, -1, np.int64)
    row = np.empty(n, np.int64)
    for i in range(begin, end):
        # Neighbours, and atoms that share a density with this one, in reach.
        n_columns = 0
        place[i] = n
        for p in range(first[i], first[i + 1]):
            k = neighbour[p]
            for m in range(first[k] - 1, first[k] if _is_zero(given[p]) else first[k + 1]):
                j = k if m < first[k] else neighbour[m]
                if place[j] < 0:
                    distance = 0.0
                    for a in range(3):
                        distance += (positions[j, a] - positions[i, a]) ** 2
                    is_neighbour = m < first[k]
                    coupled = is_neighbour or not _is_zero(felt[m])
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
                    radial, transverse, _, _ = spring(r, kinds[i], kinds[k], slope[i], slope[k], functions)
                    for a in range(3):
                        left = curvature[i] * itself[i, a]
                        right = curvature[k] * given[p, a]
                        for b in range(3):
                            along = (radial - transverse) * vectors[p, a] * vectors[p, b] / r**2
                            blocks[c, a, b] += left * felt[p, b] + right * itself[k, b] - along
                        blocks[c, a, a] -= transverse
                if _is_zero(given[p]):
                    continue
                for m in range(first[k], first[k + 1]):
                    c = place[neighbour[m]]
                    if c >= 0:
                        for a in range(3):
                            left = curvature[k] * given[p, a]
                            for b in range(3):
                                blocks[c, a, b] += left * felt[m, b]
        else:
            start[i + 1] = n_columns
            place[i] = -1
        for c in range(n_columns):
            place[row[c]] = -1


@njit(nogil=True, parallel=True)
def _rows(n_rows, bonds, positions, square, slope, curvature, functions, filling, start, columns, blocks):
    """Count the blocks of row i in ``start[i + 1]``; if `filling`, write columns and blocks from ``start[i]`` on."""
    felt, given, itself = density_gradients(bonds, functions)
    # As no more than a call, it is compiled in half the time.
    for chunk in prange((n_rows + _CHUNK - 1) // _CHUNK):
        begin, end = chunk * _CHUNK, min((chunk + 1) * _CHUNK, n_rows)
        _rows_of(
            begin,
            end,
            bonds,
            felt,
            given,
            itself,
            positions,
            square,
            slope,
            curvature,
            functions,
            filling,
            start,
            columns,
            blocks,
        )
