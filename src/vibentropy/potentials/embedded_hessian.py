"""Second derivatives of embedded-atom potentials, in compiled loops over pairs of neighbours.

Each pair is a spring of stiffness k_r = V'' + (F'_i + F'_j) f'' along it and k_t = [V' + (F'_i + F'_j) f'] / r across
it; to springs is added Σ_k F''_k ∇ρ_k ∇ρ_kᵀ, whole or as the gradients that it is made of.
"""

import numpy as np
from numpy.typing import NDArray

from vibentropy.numerics.machine_code import njit
from vibentropy.potentials.splines import Arrays, evaluate

#: Blocks, the index of the column of each, and where rows begin, as `scipy.sparse.bsr_array` takes them.
CompressedRows = tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.int64]]


@njit(nogil=True, inline="always")
def spring(r: float, pull: float, pair: Arrays, density: Arrays) -> tuple[float, float, float]:
    """Stiffness of a pair of atoms: k_r and k_t of `vibentropy.Potential.hessian`, and the slope f' of the density.

    Parameters
    ----------
    r : float
        Distance, Å.
    pull : float
        F'_i + F'_j, eV per unit of ρ.
    pair, density : tuple of ndarray
        See `vibentropy.potentials.splines.SmoothFunction.arrays`.

    Returns
    -------
    k_r, k_t : float, eV/Å²
    slope : float
        Of the density, 1/Å.
    """
    _, v1, v2 = evaluate(r, pair[0], pair[1], pair[2])
    _, f1, f2 = evaluate(r, density[0], density[1], density[2])
    return v2 + pull * f2, (v1 + pull * f1) / r, f1


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
def _density_gradients(first, neighbour, vectors, distances, density):
    """Gradients of the densities, of the pairs that have some.

    Returns
    -------
    gradient : ndarray of shape (n_pairs, 3)
        Of ρ_i with respect to the neighbour; those of atom i are from ``first[i]`` to ``end[i]``.
    target : ndarray of shape (n_pairs,)
        The neighbour.
    end : ndarray of shape (n_atoms,)
    itself : ndarray of shape (n_atoms, 3)
        Of ρ_i with respect to atom i.
    """
    n = first.shape[0] - 1
    gradient = np.empty((distances.shape[0], 3))
    target = np.empty(distances.shape[0], np.int64)
    end = np.empty(n, np.int64)
    itself = np.zeros((n, 3))
    for i in range(n):
        end[i] = first[i]
        for p in range(first[i], first[i + 1]):
            f1 = evaluate(distances[p], density[0], density[1], density[2])[1]
            if f1 != 0.0:
                for a in range(3):
                    g = f1 * vectors[p, a] / distances[p]
                    gradient[end[i], a] = g
                    itself[i, a] -= g
                target[end[i]] = neighbour[p]
                end[i] += 1
    return gradient, target, end, itself


@njit(nogil=True)
def local_and_gradients(
    first: NDArray[np.int64],
    neighbour: NDArray[np.int64],
    vectors: NDArray[np.float64],
    distances: NDArray[np.float64],
    slope: NDArray[np.float64],
    pair: Arrays,
    density: Arrays,
) -> tuple[CompressedRows, CompressedRows]:
    """Make the Hessian in parts: springs between neighbours, and the gradients of the densities.

    Parameters
    ----------
    first, neighbour, vectors, distances, slope, pair, density
        As of `whole_hessian`.

    Returns
    -------
    local, gradients : tuple of ndarray
        Blocks of 3 x 3, and of 1 x 3; the index of the column of each, the atom itself first in its row; and where rows
        begin.
    """
    n = first.shape[0] - 1
    gradient, target, end, itself = _density_gradients(first, neighbour, vectors, distances, density)
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
            radial, transverse, _ = spring(r, slope[i] + slope[j], pair, density)
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
            felt_blocks[place[j], 0] += gradient[q]
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
    first: NDArray[np.int64],
    neighbour: NDArray[np.int64],
    vectors: NDArray[np.float64],
    distances: NDArray[np.float64],
    slope: NDArray[np.float64],
    curvature: NDArray[np.float64],
    pair: Arrays,
    density: Arrays,
) -> CompressedRows:
    """Make the Hessian of a cell.

    Parameters
    ----------
    first, neighbour, vectors, distances : ndarray
        Pairs within the cutoff, see `vibentropy.atoms.neighbours.neighbour_pairs`.
    slope, curvature : ndarray of shape (n_atoms,)
        F'(ρ_i) and F''(ρ_i), eV per unit of ρ and of its square.
    pair, density : tuple of ndarray
        See `vibentropy.potentials.splines.SmoothFunction.arrays`.

    Returns
    -------
    blocks : ndarray of shape (n_blocks, 3, 3), eV/Å²
    columns : ndarray of shape (n_blocks,)
        The atom that each block couples to, ascending in each row.
    rows : ndarray of shape (n_atoms + 1,)
        Where the blocks of each atom begin.
    """
    n = first.shape[0] - 1
    gradient, target, end, itself = _density_gradients(first, neighbour, vectors, distances, density)
    rows, columns = _columns(first, neighbour, target, end)
    blocks = np.zeros((rows[n], 3, 3))
    place = np.empty(n, np.int64)
    for i in range(n):
        for c in range(rows[i], rows[i + 1]):
            place[columns[c]] = c
        for p in range(first[i], first[i + 1]):
            j, r = neighbour[p], distances[p]
            radial, transverse, _ = spring(r, slope[i] + slope[j], pair, density)
            _hold(blocks, place[i], place[j], vectors[p], r, radial, transverse)
        # Row i of Σ_k F''_k ∇ρ_k ∇ρ_kᵀ: k = i itself, then every k whose density feels i (along the reverse pair).
        for q in range(first[i] - 1, end[i]):
            of_itself = q < first[i]
            k = i if of_itself else target[q]
            for m in range(first[k] - 1, end[k]):
                j = k if m < first[k] else target[m]
                for a in range(3):
                    left = curvature[k] * (itself[i, a] if of_itself else -gradient[q, a])
                    for b in range(3):
                        blocks[place[j], a, b] += left * (itself[k, b] if m < first[k] else gradient[m, b])
    return blocks, columns, rows


@njit(nogil=True)
def diagonal_blocks(
    first: NDArray[np.int64],
    neighbour: NDArray[np.int64],
    vectors: NDArray[np.float64],
    distances: NDArray[np.float64],
    slope: NDArray[np.float64],
    curvature: NDArray[np.float64],
    pair: Arrays,
    density: Arrays,
) -> NDArray[np.float64]:
    """Make the block of each atom with itself: what holds it while the others, and its own images, stand still.

    Parameters
    ----------
    first, neighbour, vectors, distances, slope, curvature, pair, density
        As of `whole_hessian`.

    Returns
    -------
    ndarray of shape (n_atoms, 3, 3), eV/Å²
        In cells so small that atoms meet their own images, not the blocks of `whole_hessian`, where these move along.
    """
    n = first.shape[0] - 1
    blocks = np.zeros((n, 3, 3))
    itself = np.zeros(3)
    for i in range(n):
        itself[:] = 0.0
        for p in range(first[i], first[i + 1]):
            j, r = neighbour[p], distances[p]
            radial, transverse, f1 = spring(r, slope[i] + slope[j], pair, density)
            for a in range(3):
                itself[a] -= f1 * vectors[p, a] / r
                blocks[i, a, a] += transverse
                for b in range(3):
                    along = vectors[p, a] * vectors[p, b] / r**2
                    blocks[i, a, b] += (radial - transverse + curvature[j] * f1**2) * along
        for a in range(3):
            for b in range(3):
                blocks[i, a, b] += curvature[i] * itself[a] * itself[b]
    return blocks
