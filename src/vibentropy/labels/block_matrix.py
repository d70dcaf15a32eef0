"""Hessians as symmetric quasi-definite matrices of small blocks, which sparse factors work on.

The Hessian of an embedded-atom potential, H = A + Σ_k c_k g_k g_kᵀ, couples atoms that share the density of a third.
Taken as one more unknown, each density keeps the range short: with s_k = sign c_k and G_k = sqrt|c_k| g_kᵀ,

    M = [[A, Gᵀ], [G, -S]],   det H = |det M|,

since the Schur complement of the densities is H and their own block has determinant ±1. Rows with c_k > 0 belong to the
negative definite part of M, atoms and rows with c_k < 0 to the positive definite one. Such a matrix is quasi-definite,
and has a factor without pivoting in any order of its rows (Vanderbei, SIAM J. Optim. 5, 100 (1995)).
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import bsr_array, csr_array

from vibentropy.numerics.machine_code import njit
from vibentropy.potentials.protocols import HessianParts


@dataclass(frozen=True, eq=False)
class BlockMatrix:
    """A symmetric matrix of blocks between vertices: atoms of three rows each, then densities of one.

    Attributes
    ----------
    n_atoms : int
        The first so many vertices are atoms.
    signs : ndarray of shape (n_densities,), ±1
        Of the curvatures c_k.
    first, neighbour : ndarray, int64
        Blocks of vertex v are those with ``neighbour[first[v] : first[v + 1]]``, itself included.
    start : ndarray of shape (n_blocks,), int64
        Where the elements of each block begin in `values`, row by row.
    values : ndarray, eV/Å² between atoms, sqrt(eV)/Å between an atom and a density
    """

    n_atoms: int
    signs: NDArray[np.int8]
    first: NDArray[np.int64]
    neighbour: NDArray[np.int64]
    start: NDArray[np.int64]
    values: NDArray[np.float64]

    @property
    def sizes(self) -> NDArray[np.int64]:
        """Rows of each vertex."""
        return np.repeat([3, 1], [self.n_atoms, len(self.signs)])

    @property
    def negative(self) -> NDArray[np.bool_]:
        """Which vertices belong to the negative definite part."""
        return np.concatenate([np.zeros(self.n_atoms, bool), self.signs > 0])

    def apply(self, vector: NDArray[np.float64]) -> NDArray[np.float64]:
        """Multiply the Hessian with a vector.

        Parameters
        ----------
        vector : ndarray of shape (3 n_atoms,)

        Returns
        -------
        ndarray of shape (3 n_atoms,)
        """
        return _apply(self.n_atoms, self.signs, self.first, self.neighbour, self.start, self.values, vector)


def from_hessian(hessian: Any) -> BlockMatrix:
    """Take the blocks of a sparse Hessian as they are.

    Parameters
    ----------
    hessian : sparse array of shape (3 n_atoms, 3 n_atoms), eV/Å²

    Returns
    -------
    BlockMatrix
        Without densities.
    """
    blocks = bsr_array(hessian, blocksize=(3, 3))
    return _assembled(blocks, bsr_array((0, blocks.shape[1]), blocksize=(1, 3)), np.empty(0))


def from_parts(parts: HessianParts) -> BlockMatrix:
    """Take each density of a potential as an unknown of its own.

    Parameters
    ----------
    parts : HessianParts
        Densities without curvature are left out.

    Returns
    -------
    BlockMatrix
    """
    curved = np.flatnonzero(parts.curvatures)
    curvatures = parts.curvatures[curved]
    gradients = bsr_array(
        csr_array(parts.gradients)[curved] if len(curved) < len(parts.curvatures) else parts.gradients
    )
    gradients = bsr_array(gradients, blocksize=(1, 3))
    return _assembled(bsr_array(parts.local, blocksize=(3, 3)), gradients, curvatures)


def _assembled(local, gradients, curvatures):
    n_atoms, n_densities = local.shape[0] // 3, len(curvatures)
    # Where the gradients of each atom are: the transpose, of places instead of values.
    places = csr_array(
        (np.arange(len(gradients.indices)), gradients.indices, gradients.indptr), shape=(n_densities, n_atoms)
    ).tocsc()
    of_rows = np.diff(local.indptr) + np.diff(places.indptr), np.diff(gradients.indptr) + 1
    first = np.concatenate([[0], np.cumsum(np.concatenate(of_rows))]).astype(np.int64)
    neighbour, start = np.empty(first[-1], np.int64), np.empty(first[-1], np.int64)
    values = np.empty(local.data.size + 6 * len(gradients.indices) + n_densities)
    scale = np.sqrt(np.abs(curvatures))
    signs = np.sign(curvatures).astype(np.int8)
    atoms = local.indptr.astype(np.int64), local.indices.astype(np.int64), local.data
    rows = gradients.indptr.astype(np.int64), gradients.indices.astype(np.int64), gradients.data
    columns = places.indptr.astype(np.int64), places.indices.astype(np.int64), places.data
    _fill(*atoms, *rows, *columns, scale, signs, first, neighbour, start, values)
    return BlockMatrix(n_atoms, signs, first, neighbour, start, values)


@njit(nogil=True)
def _fill(
    a_first, a_column, a_block, g_first, g_column, g_block, t_first, t_row, t_place, scale, signs, first, neighbour,
    start, values,
):  # fmt: skip
    n, at = a_first.shape[0] - 1, 0
    for i in range(n):
        place = first[i]
        for k in range(a_first[i], a_first[i + 1]):
            neighbour[place], start[place] = a_column[k], at
            for a in range(3):
                for b in range(3):
                    values[at] = a_block[k, a, b]
                    at += 1
            place += 1
        for k in range(t_first[i], t_first[i + 1]):
            neighbour[place], start[place] = n + t_row[k], at
            for a in range(3):
                values[at] = scale[t_row[k]] * g_block[t_place[k], 0, a]
                at += 1
            place += 1
    for i in range(signs.shape[0]):
        place = first[n + i]
        for k in range(g_first[i], g_first[i + 1]):
            neighbour[place], start[place] = g_column[k], at
            for a in range(3):
                values[at] = scale[i] * g_block[k, 0, a]
                at += 1
            place += 1
        neighbour[place], start[place] = n + i, at
        values[at] = -signs[i]
        at += 1


@njit(nogil=True)
def _apply(n_atoms, signs, first, neighbour, start, values, vector):
    densities = np.zeros(signs.shape[0])
    for i in range(signs.shape[0]):
        total = 0.0
        for k in range(first[n_atoms + i], first[n_atoms + i + 1] - 1):
            at, j = start[k], 3 * neighbour[k]
            total += values[at] * vector[j] + values[at + 1] * vector[j + 1] + values[at + 2] * vector[j + 2]
        densities[i] = signs[i] * total
    product = np.empty(3 * n_atoms)
    for i in range(n_atoms):
        x, y, z = 0.0, 0.0, 0.0
        for k in range(first[i], first[i + 1]):
            at, j = start[k], neighbour[k]
            if j < n_atoms:
                u, v, w = vector[3 * j], vector[3 * j + 1], vector[3 * j + 2]
                x += values[at] * u + values[at + 1] * v + values[at + 2] * w
                y += values[at + 3] * u + values[at + 4] * v + values[at + 5] * w
                z += values[at + 6] * u + values[at + 7] * v + values[at + 8] * w
            else:
                u = densities[j - n_atoms]
                x += values[at] * u
                y += values[at + 1] * u
                z += values[at + 2] * u
        product[3 * i], product[3 * i + 1], product[3 * i + 2] = x, y, z
    return product
