"""Lower triangles of symmetric matrices, stored in slabs of columns that end on the diagonal.

That takes little more than half the memory of a square, and each slab is in the form that matrix products take.
"""

import numpy as np
from numpy.typing import NDArray

from vibentropy.numerics.blas import add_product, add_square

#: Columns of one slab.
_SLAB = 256


def slabs(size: int) -> NDArray[np.int64]:
    """Where the columns of a triangle start in its slabs.

    Parameters
    ----------
    size : int
        Rows of the triangle.

    Returns
    -------
    ndarray of shape (size,), int64
        Element (i, j) with i >= j is at ``starts[j] + i``.
    """
    row = np.arange(size) // _SLAB * _SLAB  # The first one of the slab.
    return np.cumsum(size - row) - size


def triangle_elements(size: int) -> int:
    """Elements that a triangle takes.

    Parameters
    ----------
    size : int
        Rows of the triangle.

    Returns
    -------
    int
    """
    full, rest = divmod(size, _SLAB)
    return _SLAB * (full * size - _SLAB * full * (full - 1) // 2) + rest * rest


class Triangle:
    """Lower triangle of a symmetric matrix.

    Attributes
    ----------
    size : int
    starts : ndarray of shape (size,), int64
        See `slabs`.
    elements : ndarray of shape (`triangle_elements(size)`,)
    """

    def __init__(self, size: int, elements: NDArray[np.float64]) -> None:
        self.size, self.elements, self.starts = size, elements, slabs(size)

    @property
    def storage(self) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """Elements, and where columns start among them."""
        return self.elements, self.starts

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
            width, rows = end - begin, (factor, place + begin, stride)
            add_square(width, columns, alpha, *rows, self.elements, corner, length)
            below = factor, place + end, stride
            add_product(self.size - end, width, columns, alpha, *below, *rows, self.elements, corner + width, length)
