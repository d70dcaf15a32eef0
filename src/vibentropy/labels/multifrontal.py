"""Determinant and inertia of a sparse quasi-definite matrix by a multifrontal factor, of which nothing is kept.

Each front gathers the blocks of its pivots and what its children left, eliminates the pivots by dense linear algebra
(Cholesky factors, since the pivots are definite), and leaves the rest, a dense triangle over its border, to its parent
(Duff and Reid, ACM Trans. Math. Softw. 9, 302 (1983)). Triangles are stored in slabs of columns that end on the
diagonal: nearly half the memory of a square, in the form that matrix products take.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import lapack

from vibentropy.errors import SaddlePointError
from vibentropy.files.machine_code import njit
from vibentropy.labels.blas import add_product, add_square, cholesky, divide_by_transposed
from vibentropy.labels.block_matrix import BlockMatrix
from vibentropy.labels.dissection import Elimination

#: Columns of one slab.
_SLAB = 256


@dataclass(frozen=True)
class Inertia:
    """What a factor says about a symmetric matrix.

    Attributes
    ----------
    log_determinant : float
        ln |det|.
    negative : int
        Number of negative eigenvalues.
    """

    log_determinant: float
    negative: int


def factorise_sparse(matrix: BlockMatrix, plan: Elimination, shift: float = 0.0, definite: bool = True) -> Inertia:
    """Factorise a Hessian and forget the factor.

    Parameters
    ----------
    matrix : BlockMatrix
    plan : Elimination
    shift : float
        Taken from the diagonal of all atoms, eV/Å².
    definite : bool
        Whether to stop where the atoms' part is not positive definite, instead of counting its negative eigenvalues.

    Returns
    -------
    Inertia
        Of the Hessian less the shift and without the pinned atom.

    Raises
    ------
    SaddlePointError
        If `definite` and it is not.
    """
    sizes = matrix.sizes
    rows = np.full(len(sizes), -1, np.int64)  # First row of each vertex in the front at work.
    updates: dict[int, Triangle] = {}
    log_determinant, negative = 0.0, 0
    for place, front in enumerate(plan.fronts):
        vertices = np.concatenate([front.pivots, front.border])
        ends = np.cumsum(sizes[vertices])
        rows[vertices] = ends - sizes[vertices]
        panel = Panel(front.n_negative, front.n_pivots, front.n_border)
        blocks = matrix.first, matrix.neighbour, matrix.start, matrix.values
        _gather(front.pivots, *blocks, matrix.n_atoms, sizes, plan.rank, rows, shift, panel.elements, panel.size)
        update = Triangle(front.n_border)
        for child in front.children:
            border = plan.fronts[child].border
            ends = np.cumsum(sizes[border])
            target = np.repeat(rows[border] - ends + sizes[border], sizes[border]) + np.arange(updates[child].size)
            left = updates.pop(child)
            _extend(
                left.elements, left.starts, target, panel.elements, panel.size, panel.pivots, update.elements, update.starts
            )  # fmt: skip
            del left
        logarithm, below = panel.eliminate(update, definite)
        log_determinant, negative = log_determinant + logarithm, negative + below
        if update.size:
            updates[place] = update
    return Inertia(log_determinant, negative)


class Triangle:
    """Lower triangle of a symmetric matrix, in slabs of columns.

    Attributes
    ----------
    size : int
    starts : ndarray of shape (size,), int64
        Element (i, j) with i >= j is at ``starts[j] + i``.
    elements : ndarray
    """

    def __init__(self, size: int) -> None:
        self.size = size
        column = np.arange(size)
        row = column // _SLAB * _SLAB  # The first one of the slab.
        lengths = size - row
        # Columns of earlier slabs, then earlier ones of this slab.
        before = np.concatenate([[0], np.cumsum(lengths)])
        self.starts = (before[:-1] - row).astype(np.int64)
        self.elements = np.zeros(int(before[-1]))

    def add_square(self, alpha: float, factor: NDArray[np.float64], place: int, columns: int, stride: int) -> None:
        """Add α Q Qᵀ.

        Parameters
        ----------
        alpha : float
        factor : ndarray
            Holds Q, of shape (size, columns) in column order.
        place, columns, stride : int
            Where Q begins, its columns and the distance between them.
        """
        for begin in range(0, self.size, _SLAB):
            end = min(begin + _SLAB, self.size)
            corner, length = int(self.starts[begin]) + begin, self.size - begin
            add_square(end - begin, columns, alpha, factor, place + begin, stride, self.elements, corner, length)
            add_product(
                self.size - end, end - begin, columns, alpha, factor, place + end, stride, factor, place + begin, stride,
                self.elements, corner + end - begin, length,
            )  # fmt: skip


class Panel:
    """Columns of the pivots of a front, negative ones first, over the rows of pivots and border.

    Attributes
    ----------
    negative, pivots, border, size : int
        Rows of the negative pivots, of all pivots, of the border, and of all together.
    elements : ndarray of shape (pivots * size,)
        In column order; what is above the diagonal means nothing.
    """

    def __init__(self, negative: int, pivots: int, border: int) -> None:
        self.negative, self.pivots, self.border, self.size = negative, pivots, border, pivots + border
        self.elements = np.zeros(pivots * self.size)

    def eliminate(self, update: Triangle, definite: bool) -> tuple[float, int]:
        """Eliminate the pivots.

        Parameters
        ----------
        update : Triangle
            Over the border; becomes what is left of it.
        definite : bool
            See `factorise_sparse`.

        Returns
        -------
        log_determinant : float
            ln |det| of the block of the pivots.
        negative : int
            Negative eigenvalues of the block of the positive pivots.

        Raises
        ------
        SaddlePointError
            See `factorise_sparse`.
        """
        a, n, r, p = self.elements, self.size, self.negative, self.pivots
        columns, q, corner = a.reshape(p, n), p - r, r * n + r
        log_determinant = 0.0
        if r:
            columns[:r, :r] *= -1.0
            if not cholesky(r, a, 0, n):
                raise ArithmeticError("densities are not negative definite in a front: a quasi-definite matrix always is")
            log_determinant += 2.0 * float(np.log(np.diagonal(columns)[:r]).sum())
            divide_by_transposed(n - r, r, a, 0, r, n)
            add_square(q, r, 1.0, a, r, n, a, corner, n)
            add_product(self.border, q, r, 1.0, a, p, n, a, r, n, a, r * n + p, n)
            update.add_square(1.0, a, p, r, n)
        if not q:
            return log_determinant, 0
        block = None if definite else columns[r:, r:p].copy()
        if cholesky(q, a, corner, n):
            log_determinant += 2.0 * float(np.log(np.diagonal(columns)[r:]).sum())
            divide_by_transposed(self.border, q, a, corner, r * n + p, n)
            update.add_square(-1.0, a, r * n + p, q, n)
            return log_determinant, 0
        if block is None:
            raise SaddlePointError("the Hessian has an eigenvalue below zero besides the translations: a saddle")
        logarithm, negative = _eliminate_indefinite(block.T, columns[r:, p:].T, update)
        return log_determinant + logarithm, negative


def _eliminate_indefinite(block, rows, update):
    """Eliminate pivots whose block is not definite, by Bunch and Kaufman's factor."""
    factor, swaps, info = lapack.dsytrf(block, lower=1, overwrite_a=0)
    if info:
        raise ArithmeticError("the block of the pivots is singular")
    if update.size:
        solved, _ = lapack.dsytrs(factor, swaps, rows.T, lower=1)
        product = rows @ solved
        for column in range(update.size):
            at = update.starts[column]
            update.elements[at + column : at + update.size] -= product[column:, column]
    # The diagonal holds pivots of one row and, where swaps are negative, of two.
    log_determinant, negative, k = 0.0, 0, 0
    while k < len(swaps):
        width = 1 if swaps[k] > 0 else 2
        eigenvalues = np.linalg.eigvalsh(factor[k : k + width, k : k + width], UPLO="L")
        log_determinant += float(np.log(np.abs(eigenvalues)).sum())
        negative += int((eigenvalues < 0).sum())
        k += width
    return log_determinant, negative


@njit(nogil=True)
def _gather(pivots, first, neighbour, start, values, n_atoms, sizes, rank, rows, shift, panel, size):
    """Add the blocks between pivots and what is not eliminated yet to the columns of the pivots."""
    for v in pivots:
        wide, column = sizes[v], rows[v]
        for k in range(first[v], first[v + 1]):
            w = neighbour[k]
            if rank[w] >= rank[v]:
                high, at = sizes[w], start[k]
                # Negative pivots come first, whatever their rank.
                for a in range(wide):
                    for b in range(high):
                        panel[(column + a) * size + rows[w] + b] += values[at + a * high + b]
        if v < n_atoms:
            for a in range(wide):
                panel[(column + a) * size + column + a] -= shift


@njit(nogil=True)
def _extend(elements, starts, target, panel, size, pivots, update, update_starts):
    """Add what a child left, whose rows are those with numbers `target` in this front, ascending."""
    n = target.shape[0]
    for j in range(n):
        column, source = target[j], starts[j]
        if column < pivots:
            at = column * size
            for i in range(j, n):
                panel[at + target[i]] += elements[source + i]
        else:
            at = update_starts[column - pivots] - pivots
            for i in range(j, n):
                update[at + target[i]] += elements[source + i]
