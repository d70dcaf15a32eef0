"""Determinant and inertia of a sparse quasi-definite matrix by a multifrontal factor, of which nothing is kept.

Each front gathers the blocks of its pivots and what its children left, eliminates the pivots by dense linear algebra
(Cholesky factors, since the pivots are definite), and leaves the rest, a dense triangle over its border, to its parent
(Duff and Reid, ACM Trans. Math. Softw. 9, 302 (1983)).
"""

import ctypes
import sys
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import lapack, solve_triangular

from vibentropy.errors import SaddlePointError
from vibentropy.labels.block_matrix import BlockMatrix
from vibentropy.labels.dissection import Elimination
from vibentropy.labels.triangle import Triangle, slabs, triangle_elements
from vibentropy.numerics.blas import add_product, add_square, cholesky, divide_by_transposed
from vibentropy.numerics.machine_code import njit


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


def factorise_sparse(
    matrix: BlockMatrix, plan: Elimination, shift: float = 0.0, definite: bool = True, memory: int | None = None
) -> Inertia:
    """Factorise a Hessian and forget the factor.

    Parameters
    ----------
    matrix : BlockMatrix
    plan : Elimination
    shift : float
        Taken from the diagonal of all atoms, eV/Å².
    definite : bool
        Whether to stop where the atoms' part is not positive definite, instead of counting its negative eigenvalues.
    memory : int, optional
        Bytes that fronts and what they leave to others may take; beyond, some of it waits in temporary files. By
        default what the machine has to spare.

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
    blocks = matrix.first, matrix.neighbour, matrix.start, matrix.values
    log_determinant, negative = 0.0, 0
    with TemporaryDirectory(prefix="vibentropy-", ignore_cleanup_errors=True) as folder:
        workspace = _Workspace(plan, spare_memory() if memory is None else memory, Path(folder))
        for place, front in enumerate(plan.fronts):
            vertices = np.concatenate([front.pivots, front.border])
            rows[vertices] = np.cumsum(sizes[vertices]) - sizes[vertices]
            panel, update = workspace.of_front(front)
            _gather(front.pivots, *blocks, matrix.n_atoms, sizes, plan.rank, rows, shift, panel.elements, panel.size)
            for child in front.children:
                border = plan.fronts[child].border
                before = np.cumsum(sizes[border]) - sizes[border]
                target = np.repeat(rows[border] - before, sizes[border])
                target += np.arange(len(target))
                elements, starts = workspace.left_by(child)
                _extend(elements, starts, target, panel.elements, panel.size, panel.pivots, *update.storage)
            logarithm, below = panel.eliminate(update, definite)
            log_determinant, negative = log_determinant + logarithm, negative + below
            workspace.leave(place, update)
    # The blocks of the densities are negative definite, and not part of the Hessian.
    return Inertia(log_determinant, negative - int((matrix.signs > 0).sum()))


class _Workspace:
    """Memory of the front at work, at one end, and of what others have left to their parents, in a stack at the other.

    One piece of memory for all fronts costs a fraction of new pieces, whose pages the system clears one by one.

    Parameters
    ----------
    plan : Elimination
    memory : int
        Bytes of it.
    folder : pathlib.Path
        For files with what does not fit.
    """

    def __init__(self, plan, memory, folder):
        self._plan, self._on_disk, self._folder = plan, plan.on_disk(memory), folder
        self._memory = np.empty(plan.peak_bytes(self._on_disk) // 8)
        self._top, self._left = 0, {}

    def of_front(self, front):
        """Panel and triangle of a front, of zeros."""
        size, n_panel = triangle_elements(front.n_border), front.n_pivots * (front.n_pivots + front.n_border)
        end = len(self._memory)
        self._memory[end - size - n_panel :].fill(0.0)
        panel = Panel(front.n_negative, front.n_pivots, front.n_border, self._memory[end - size - n_panel : end - size])
        return panel, Triangle(front.n_border, self._memory[end - size :])

    def left_by(self, child):
        """Elements of the triangle that a child left, and where its columns start."""
        return self._left[child], slabs(self._plan.fronts[child].n_border)

    def leave(self, place, update):
        """Keep the triangle of a front for its parent, in place of those of its children."""
        for child in reversed(self._plan.fronts[place].children):
            elements = self._left.pop(child)
            if child in self._on_disk:
                Path(elements.filename).unlink()
            else:
                self._top -= len(elements)
        elements = update.elements
        if place in self._on_disk:
            path = self._folder / str(place)
            elements.tofile(path)
            self._left[place] = np.memmap(path, dtype=float, mode="r") if len(elements) else elements.copy()
            return
        # The two may overlap.
        kept = self._memory[self._top : self._top + len(elements)]
        ctypes.memmove(kept.ctypes.data, elements.ctypes.data, elements.nbytes)
        self._left[place] = kept
        self._top += len(elements)


def spare_memory() -> int:
    """Memory that the machine has to spare.

    Returns
    -------
    int
        Bytes, three quarters of what is free; no bound where the machine does not say.
    """
    try:
        (line,) = (line for line in Path("/proc/meminfo").read_text().splitlines() if line.startswith("MemAvailable"))
    except (OSError, ValueError):
        return sys.maxsize
    return int(line.split()[1]) * 1024 * 3 // 4


class Panel:
    """Columns of the pivots of a front, negative ones first, over the rows of pivots and border.

    Attributes
    ----------
    negative, pivots, border, size : int
        Rows of the negative pivots, of all pivots, of the border, and of all together.
    elements : ndarray of shape (pivots * size,)
        In column order; what is above the diagonal means nothing.
    """

    def __init__(self, negative: int, pivots: int, border: int, elements: NDArray[np.float64]) -> None:
        self.negative, self.pivots, self.border, self.size = negative, pivots, border, pivots + border
        self.elements = elements

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
            Negative eigenvalues of that block.

        Raises
        ------
        SaddlePointError
            See `factorise_sparse`.
        """
        a, n, r, p = self.elements, self.size, self.negative, self.pivots
        columns, q, corner = a.reshape(p, n), p - r, r * n + r
        if not definite and not _is_quasi_definite(columns[:, :p].T, r):
            return _eliminate_indefinite(columns[:, :p].T, columns[:, p:].T, update)
        if r:
            columns[:r, :r] *= -1.0
            if not cholesky(r, a, 0, n):
                raise ArithmeticError("the densities of a front are not negative definite: is the matrix symmetric?")
            divide_by_transposed(n - r, r, a, 0, r, n)
            add_square(q, r, 1.0, a, r, n, a, corner, n)
            add_product(self.border, q, r, 1.0, a, p, n, a, r, n, a, r * n + p, n)
            update.add_square(1.0, a, p, r, n)
        if q:
            if not cholesky(q, a, corner, n):
                raise SaddlePointError("the Hessian has a negative eigenvalue: a saddle, or not at rest")
            divide_by_transposed(self.border, q, a, corner, r * n + p, n)
            update.add_square(-1.0, a, r * n + p, q, n)
        return 2.0 * float(np.log(np.diagonal(columns)).sum()), r


def _is_quasi_definite(block, negative):
    """Whether the first pivots of a block, of which the lower triangle is given, are negative and the rest positive."""
    try:
        factor = np.linalg.cholesky(-block[:negative, :negative])
        across = solve_triangular(factor, block[negative:, :negative].T, lower=True) if negative else np.zeros((0, 1))
        np.linalg.cholesky(block[negative:, negative:] + across.T @ across)
    except np.linalg.LinAlgError:
        return False
    return True


def _eliminate_indefinite(block, rows, update):
    """Eliminate pivots whose block is of any inertia, by Bunch and Kaufman's factor."""
    factor, swaps, info = lapack.dsytrf(block, lower=1, overwrite_a=0)
    if info:
        raise ArithmeticError("the block of the pivots is singular: the shift is an eigenvalue of part of the matrix")
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
    # Rows come in runs without gaps, which are added at the speed of memory.
    run = np.empty(n + 1, np.int64)
    n_runs = 0
    for i in range(n):
        if i == 0 or target[i] != target[i - 1] + 1:
            run[n_runs] = i
            n_runs += 1
    run[n_runs] = n
    current = 0
    for j in range(n):
        column = target[j]
        while run[current + 1] <= j:
            current += 1
        into = panel if column < pivots else update
        at = column * size if column < pivots else update_starts[column - pivots] - pivots
        for k in range(current, n_runs):
            begin = max(run[k], j)
            length = run[k + 1] - begin
            goal = into[at + target[begin] : at + target[begin] + length]
            source = elements[starts[j] + begin : starts[j] + begin + length]
            for i in range(length):
                goal[i] += source[i]
