"""Cholesky factors of Hessians in rectangular full packed storage: half the memory of a matrix, at its speed.

The format is LAPACK's (Gustavson, Waśniewski, Dongarra, Langou, ACM Trans. Math. Softw. 37, 18 (2010)): the lower
triangle, with the part that would leave the upper half empty turned over into it, as one rectangle in column order.
It is filled straight from the Hessian and factorised in place: there is no other matrix in memory.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import lapack
from scipy.sparse import bsr_array, issparse

from vibentropy.errors import SaddlePointError, StructureError
from vibentropy.numerics.machine_code import njit

#: Which of the four variants of the format is used.
_FORMAT = {"transr": "N", "uplo": "L"}

#: Rows up to which LAPACK, which counts in 32 bits here, can count the elements of a triangle: n (n + 1) < 2³¹.
MAX_ROWS = 46_340


@dataclass(frozen=True)
class Factor:
    """Cholesky factor L of K = H + c Σ_a t_a t_aᵀ = L Lᵀ, with the three normalised translations t_a of a Hessian H.

    Attributes
    ----------
    packed : ndarray of shape (size (size + 1) / 2,), sqrt(eV)/Å
        L in rectangular full packed storage.
    size : int
        3 n_atoms.
    shift : float
        c in eV/Å², the mean eigenvalue of H.
    """

    packed: NDArray[np.float64]
    size: int
    shift: float

    def log_determinant(self) -> float:
        """Ln det' H, the sum of the logarithms of the eigenvalues of H (in eV/Å²) without the translations."""
        return float(2.0 * np.log(_diagonal(self.packed, self.size)).sum() - 3.0 * np.log(self.shift))

    def solve(self, vectors: NDArray[np.float64]) -> NDArray[np.float64]:
        """Apply the inverse of K to vectors.

        Parameters
        ----------
        vectors : ndarray of shape (size, n)

        Returns
        -------
        ndarray of shape (size, n)
        """
        return lapack.dpftrs(self.size, self.packed, vectors, **_FORMAT)[0]


def factorise(hessian: Any) -> Factor:
    """Cholesky factor of a Hessian whose translations are lifted to its mean eigenvalue.

    Parameters
    ----------
    hessian : sparse array or ndarray of shape (3 n_atoms, 3 n_atoms)
        In eV/Å², symmetric, invariant under translation. Needs 36 n_atoms² bytes beside it.

    Returns
    -------
    Factor

    Raises
    ------
    SaddlePointError
        If an eigenvalue other than the translations is negative.
    StructureError
        For more than `MAX_ROWS` / 3 atoms.
    """
    size = hessian.shape[0]
    if size > MAX_ROWS:
        raise StructureError(
            f"a dense factor for {size // 3} atoms is beyond the limit of LAPACK, {MAX_ROWS // 3}; for larger "
            "cells use a potential with a sparse Hessian, such as embedded atoms or MEAM"
        )
    shift = float(hessian.diagonal().sum()) / size
    if not shift > 0:
        raise SaddlePointError(f"the mean eigenvalue of the Hessian is {shift:.2e} eV/Å², not positive")
    packed = np.zeros(size * (size + 1) // 2)
    if issparse(hessian):
        hessian = bsr_array(hessian, blocksize=(3, 3))
        _pack_blocks(packed, size, hessian.indptr, hessian.indices, hessian.data)
    else:
        _pack_matrix(packed, size, np.asarray(hessian, dtype=float))
    _lift_translations(packed, size, 3.0 * shift / size)
    packed, info = lapack.dpftrf(size, packed, overwrite_a=True, **_FORMAT)
    if info > 0:
        raise SaddlePointError(
            f"the Hessian has a negative eigenvalue (the Cholesky factorisation stops at row {info} of {size}): "
            "a saddle, or a configuration that is not at rest"
        )
    return Factor(packed, size, shift)


@njit(inline="always")
def _place(row, column, size):
    """Place of an element of the lower triangle."""
    split, even = (size + 1) // 2, 1 - size % 2
    if column < split:
        return column * (size + even) + row + even
    return (row - split + 1 - even) * (size + even) + column - split


@njit(nogil=True)
def _pack_blocks(packed, size, first, columns, blocks):
    for i in range(size // 3):
        for k in range(first[i], first[i + 1]):
            if columns[k] <= i:
                for a in range(3):
                    for b in range(a + 1 if columns[k] == i else 3):
                        packed[_place(3 * i + a, 3 * columns[k] + b, size)] += blocks[k, a, b]


@njit(nogil=True)
def _pack_matrix(packed, size, matrix):
    for row in range(size):
        for column in range(row + 1):
            packed[_place(row, column, size)] = matrix[row, column]


@njit(nogil=True)
def _lift_translations(packed, size, term):
    """Add a term to all elements that couple equal directions."""
    for column in range(size):
        for row in range(column, size, 3):
            packed[_place(row, column, size)] += term


@njit(nogil=True)
def _diagonal(packed, size):
    diagonal = np.empty(size)
    for i in range(size):
        diagonal[i] = packed[_place(i, i, size)]
    return diagonal
