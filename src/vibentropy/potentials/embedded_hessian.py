"""Second derivatives of embedded-atom potentials, in compiled loops over pairs of neighbours.

Each pair is a spring of stiffness k_r = V'' + F'_i f''_ij + F'_j f''_ji along it and
k_t = [V' + F'_i f'_ij + F'_j f'_ji] / r across it, where f_ij is the density at atom i due to atom j; to springs is
added Σ_k F''_k ∇ρ_k ∇ρ_kᵀ, whole or as the gradients that it is made of.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from vibentropy.numerics.machine_code import njit
from vibentropy.potentials.splines import evaluate

#: Blocks, the index of the column of each, and where rows begin, as `scipy.sparse.bsr_array` takes them.
CompressedRows = tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.int64]]


class PairFunctions(NamedTuple):
    """What an embedded-atom potential is made of, as compiled functions take it.

    Attributes
    ----------
    breaks, coefficients, lookup, n_pieces, n_bins : ndarray
        All functions of distance, see `vibentropy.potentials.splines.Splines`. Loops of numba that run in parallel take
        no tuple within another.
    pair : ndarray of shape (n_elements, n_elements), int64
        Which of these is V(r) in eV of two elements.
    density : ndarray of shape (n_elements, n_elements), int64
        Which of these is f(r), in the unit of ρ, at an atom of the first element due to one of the second.
    """

    breaks: NDArray[np.float64]
    coefficients: NDArray[np.float64]
    lookup: NDArray[np.int64]
    n_pieces: NDArray[np.int64]
    n_bins: NDArray[np.int64]
    pair: NDArray[np.int64]
    density: NDArray[np.int64]


class Bonds(NamedTuple):
    """Atoms within the cutoff of each atom.

    Attributes
    ----------
    kinds : ndarray of shape (n_atoms,), int64
        Index of the element of each atom among those of the potential.
    first, neighbour, vectors, distances : ndarray
        See `vibentropy.atoms.neighbours.neighbour_pairs`.
    """

    kinds: NDArray[np.int64]
    first: NDArray[np.int64]
    neighbour: NDArray[np.int64]
    vectors: NDArray[np.float64]
    distances: NDArray[np.float64]


@njit(nogil=True, inline="always")
def spring(
    r: float, one: int, other: int, pull: float, pull_back: float, functions: PairFunctions
) -> tuple[float, float, float, float]:
    """Stiffness of a pair of atoms: k_r and k_t of `vibentropy.Potential.hessian`, and the slopes of the densities.

    Parameters
    ----------
    r : float
        Distance, Å.
    one, other : int
        Elements of the two.
    pull, pull_back : float
        F' of the two, eV per unit of ρ.
    functions : PairFunctions

    Returns
    -------
    k_r, k_t : float, eV/Å²
    felt, given : float
        Slopes of the density at the first due to the second, and at the second due to the first, 1/Å.
    """
    _, v1, v2 = evaluate(r, functions.pair[one, other], functions)
    _, f1, f2 = evaluate(r, functions.density[one, other], functions)
    g1, g2 = f1, f2
    if functions.density[other, one] != functions.density[one, other]:
        _, g1, g2 = evaluate(r, functions.density[other, one], functions)
    return v2 + pull * f2 + pull_back * g2, (v1 + pull * f1 + pull_back * g1) / r, f1, g1


@njit(nogil=True, inline="always")
def _hold(blocks, itself, other, vector, r, radial, transverse):
    """Let a spring hold an atom: its own block becomes stiffer, and that with the atom at the other end opposes it."""
    for a in range(3):
        for b in range(3):
            k_ab = (radial - transverse) * vector[a] * vector[b] / r**2
            if a == b:
                k_ab += transverse
            blocks[other, a, b] -= k_ab
            blocks[itself, a, b] += k_ab


@njit(nogil=True)
def density_gradients(
    bonds: Bonds, functions: PairFunctions
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Derive the densities by the positions.

    Parameters
    ----------
    bonds : Bonds
    functions : PairFunctions

    Returns
    -------
    felt : ndarray of shape (n_pairs, 3)
        ∇ρ_i with respect to the neighbour.
    given : ndarray of shape (n_pairs, 3)
        The density of the neighbour derived by atom i.
    itself : ndarray of shape (n_atoms, 3)
        ∇ρ_i with respect to atom i.
    """
    n = bonds.first.shape[0] - 1
    felt, given = np.empty((bonds.distances.shape[0], 3)), np.empty((bonds.distances.shape[0], 3))
    itself = np.zeros((n, 3))
    for i in range(n):
        for p in range(bonds.first[i], bonds.first[i + 1]):
            one, other = bonds.kinds[i], bonds.kinds[bonds.neighbour[p]]
            r = bonds.distances[p]
            f1 = evaluate(r, functions.density[one, other], functions)[1]
            g1 = f1
            if functions.density[other, one] != functions.density[one, other]:
                g1 = evaluate(r, functions.density[other, one], functions)[1]
            for a in range(3):
                along = bonds.vectors[p, a] / r
                felt[p, a] = f1 * along
                given[p, a] = -g1 * along
                itself[i, a] -= felt[p, a]
    return felt, given, itself


@njit(nogil=True)
def _sharing(bonds, felt, given):
    """Leave out the pairs of which neither atom feels the density of the other.

    Returns
    -------
    felt, given : ndarray of shape (n_pairs, 3)
        Those of atom i are from ``first[i]`` to ``end[i]``.
    target : ndarray of shape (n_pairs,)
        The neighbour.
    end : ndarray of shape (n_atoms,)
    """
    n = bonds.first.shape[0] - 1
    target, end = np.empty(bonds.neighbour.shape[0], np.int64), np.empty(n, np.int64)
    for i in range(n):
        end[i] = bonds.first[i]
        for p in range(bonds.first[i], bonds.first[i + 1]):
            if felt[p].any() or given[p].any():
                felt[end[i]], given[end[i]] = felt[p], given[p]
                target[end[i]] = bonds.neighbour[p]
                end[i] += 1
    return felt, given, target, end


@njit(nogil=True)
def local_and_gradients(
    bonds: Bonds, slope: NDArray[np.float64], functions: PairFunctions
) -> tuple[CompressedRows, CompressedRows]:
    """Make the Hessian in parts: springs between neighbours, and the gradients of the densities.

    Parameters
    ----------
    bonds, slope, functions
        As of `whole_hessian`.

    Returns
    -------
    local, gradients : tuple of ndarray
        Blocks of 3 x 3, and of 1 x 3; the index of the column of each, the atom itself first in its row; and where rows
        begin.
    """
    kinds, first, neighbour, vectors, distances = bonds
    n = first.shape[0] - 1
    felt, given, itself = density_gradients(bonds, functions)
    felt, given, target, end = _sharing(bonds, felt, given)
    place = np.full(n, -1, np.int64)
    rows, felt_rows = np.zeros(n + 1, np.int64), np.zeros(n + 1, np.int64)
    size = neighbour.shape[0] + n
    columns, felt_columns = np.empty(size, np.int64), np.empty(size, np.int64)
    blocks, felt_blocks = np.zeros((size, 3, 3)), np.zeros((size, 1, 3))
    for i in range(n):
        # Several images of one neighbour share a block.
        block = rows[i]
        place[i], columns[block] = block, i
        block += 1
        for p in range(first[i], first[i + 1]):
            j, r = neighbour[p], distances[p]
            if place[j] < rows[i]:
                place[j], columns[block] = block, j
                block += 1
            radial, transverse, _, _ = spring(r, kinds[i], kinds[j], slope[i], slope[j], functions)
            _hold(blocks, rows[i], place[j], vectors[p], r, radial, transverse)
        rows[i + 1] = block
    place[:] = -1
    for i in range(n):
        block = felt_rows[i]
        place[i], felt_columns[block] = block, i
        felt_blocks[block, 0] = itself[i]
        block += 1
        for q in range(first[i], end[i]):
            j = target[q]
            if place[j] < felt_rows[i]:
                place[j], felt_columns[block] = block, j
                block += 1
            felt_blocks[place[j], 0] += felt[q]
        felt_rows[i + 1] = block
    local = blocks[: rows[n]], columns[: rows[n]], rows
    return local, (felt_blocks[: felt_rows[n]], felt_columns[: felt_rows[n]], felt_rows)


@njit(nogil=True)
def _columns(first, neighbour, target, end):
    """Columns of each row: the atom itself, its neighbours, and the atoms that share a density with it."""
    n = first.shape[0] - 1
    rows = np.zeros(n + 1, np.int64)
    columns = np.empty(0, np.int64)
    for filling in range(2):
        if filling == 1:
            for i in range(n):
                rows[i + 1] += rows[i]
            columns = np.empty(rows[n], np.int64)
        row_of = np.full(n, -1, np.int64)  # The last row that has a column.
        for i in range(n):
            count = 0
            for q in range(first[i] - 1, first[i + 1]):
                j = i if q < first[i] else neighbour[q]
                if row_of[j] != i:
                    row_of[j] = i
                    if filling == 1:
                        columns[rows[i] + count] = j
                    count += 1
            for q in range(first[i], end[i]):
                k = target[q]
                for m in range(first[k], end[k]):
                    j = target[m]
                    if row_of[j] != i:
                        row_of[j] = i
                        if filling == 1:
                            columns[rows[i] + count] = j
                        count += 1
            if filling == 0:
                rows[i + 1] = count
            else:
                columns[rows[i] : rows[i + 1]].sort()
    return rows, columns


@njit(nogil=True)
def whole_hessian(
    bonds: Bonds, slope: NDArray[np.float64], curvature: NDArray[np.float64], functions: PairFunctions
) -> CompressedRows:
    """Make the Hessian of a cell.

    Parameters
    ----------
    bonds : Bonds
    slope, curvature : ndarray of shape (n_atoms,)
        F'(ρ_i) and F''(ρ_i), eV per unit of ρ and of its square.
    functions : PairFunctions

    Returns
    -------
    blocks : ndarray of shape (n_blocks, 3, 3), eV/Å²
    columns : ndarray of shape (n_blocks,)
        The atom that each block couples to, ascending in each row.
    rows : ndarray of shape (n_atoms + 1,)
        Where the blocks of each atom begin.
    """
    kinds, first, neighbour, vectors, distances = bonds
    n = first.shape[0] - 1
    felt, given, itself = density_gradients(bonds, functions)
    felt, given, target, end = _sharing(bonds, felt, given)
    rows, columns = _columns(first, neighbour, target, end)
    blocks = np.zeros((rows[n], 3, 3))
    place = np.empty(n, np.int64)
    for i in range(n):
        for c in range(rows[i], rows[i + 1]):
            place[columns[c]] = c
        for p in range(first[i], first[i + 1]):
            j, r = neighbour[p], distances[p]
            radial, transverse, _, _ = spring(r, kinds[i], kinds[j], slope[i], slope[j], functions)
            _hold(blocks, place[i], place[j], vectors[p], r, radial, transverse)
        # Row i of Σ_k F''_k ∇ρ_k ∇ρ_kᵀ: k = i itself, then every k whose density feels i.
        for q in range(first[i] - 1, end[i]):
            of_itself = q < first[i]
            k = i if of_itself else target[q]
            for m in range(first[k] - 1, end[k]):
                j = k if m < first[k] else target[m]
                for a in range(3):
                    left = curvature[k] * (itself[i, a] if of_itself else given[q, a])
                    for b in range(3):
                        blocks[place[j], a, b] += left * (itself[k, b] if m < first[k] else felt[m, b])
    return blocks, columns, rows


@njit(nogil=True)
def diagonal_blocks(
    bonds: Bonds, slope: NDArray[np.float64], curvature: NDArray[np.float64], functions: PairFunctions
) -> NDArray[np.float64]:
    """Make the block of each atom with itself: what holds it while the others, and its own images, stand still.

    Parameters
    ----------
    bonds, slope, curvature, functions
        As of `whole_hessian`.

    Returns
    -------
    ndarray of shape (n_atoms, 3, 3), eV/Å²
        In cells so small that atoms meet their own images, not the blocks of `whole_hessian`, where these move along.
    """
    kinds, first, neighbour, vectors, distances = bonds
    n = first.shape[0] - 1
    blocks = np.zeros((n, 3, 3))
    itself = np.zeros(3)
    for i in range(n):
        itself[:] = 0.0
        for p in range(first[i], first[i + 1]):
            j, r = neighbour[p], distances[p]
            radial, transverse, f1, g1 = spring(r, kinds[i], kinds[j], slope[i], slope[j], functions)
            for a in range(3):
                itself[a] -= f1 * vectors[p, a] / r
                blocks[i, a, a] += transverse
                for b in range(3):
                    along = vectors[p, a] * vectors[p, b] / r**2
                    blocks[i, a, b] += (radial - transverse + curvature[j] * g1**2) * along
        for a in range(3):
            for b in range(3):
                blocks[i, a, b] += curvature[i] * itself[a] * itself[b]
    return blocks
