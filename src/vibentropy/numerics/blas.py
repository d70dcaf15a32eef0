"""BLAS and LAPACK on parts of matrices, in place.

SciPy's wrappers copy whatever is not a whole array in column order. Fronts are eliminated in parts of larger arrays, so
the routines that SciPy exports to Cython are called by their addresses. Matrices are in column order; a part is given
by the array that holds it, the place of its first element, and the distance between columns.
"""

import ctypes
from typing import Any

import numpy as np
from numba.extending import get_cython_function_address
from numpy.typing import NDArray

Array = NDArray[np.float64]


def _routine(library: str, name: str, n_arguments: int) -> Any:
    address = get_cython_function_address(f"scipy.linalg.cython_{library}", name)
    return ctypes.CFUNCTYPE(None, *[ctypes.c_void_p] * n_arguments)(address)


_DPOTRF = _routine("lapack", "dpotrf", 5)
_DTRSM = _routine("blas", "dtrsm", 11)
_DSYRK = _routine("blas", "dsyrk", 10)
_DGEMM = _routine("blas", "dgemm", 13)

_LOWER, _RIGHT, _TRANSPOSED, _PLAIN = (ctypes.c_char(letter) for letter in (b"L", b"R", b"T", b"N"))


def _integers(*values: int) -> list[Any]:
    return [ctypes.byref(ctypes.c_int(value)) for value in values]


def _at(array: Array, place: int) -> int:
    return int(array.ctypes.data) + 8 * place


def cholesky(n: int, a: Array, place: int, stride: int) -> bool:
    """Replace the lower triangle of a matrix by its Cholesky factor.

    Parameters
    ----------
    n : int
        Rows of the matrix.
    a, place, stride
        Where it is.

    Returns
    -------
    bool
        Whether it is positive definite; where it is not, the triangle is lost.
    """
    info = ctypes.c_int(0)
    size, distance = _integers(n, stride)
    _DPOTRF(ctypes.byref(_LOWER), size, _at(a, place), distance, ctypes.byref(info))
    if info.value < 0:
        raise ValueError(f"dpotrf: argument {-info.value} is wrong")
    return info.value == 0


def divide_by_transposed(m: int, n: int, a: Array, triangle: int, rows: int, stride: int) -> None:
    """Replace B by B L⁻ᵀ, where the lower triangle L and B are parts of one matrix.

    Parameters
    ----------
    m, n : int
        Rows and columns of B.
    a : ndarray
    triangle, rows : int
        Places of L and B.
    stride : int
    """
    if not m or not n:
        return
    high, wide, distance = _integers(m, n, stride)
    one = ctypes.c_double(1.0)
    letters = [ctypes.byref(letter) for letter in (_RIGHT, _LOWER, _TRANSPOSED, _PLAIN)]
    _DTRSM(*letters, high, wide, ctypes.byref(one), _at(a, triangle), distance, _at(a, rows), distance)


def add_square(
    n: int, k: int, alpha: float, a: Array, rows: int, stride: int, c: Array, place: int, c_stride: int
) -> None:
    """Add α Q Qᵀ to the lower triangle of C.

    Parameters
    ----------
    n, k : int
        Rows and columns of Q.
    alpha : float
    a, rows, stride
        Where Q is.
    c, place, c_stride
        Where C is.
    """
    if not n or not k:
        return
    high, wide, distance, c_distance = _integers(n, k, stride, c_stride)
    factor, one = ctypes.c_double(alpha), ctypes.c_double(1.0)
    _DSYRK(
        ctypes.byref(_LOWER), ctypes.byref(_PLAIN), high, wide, ctypes.byref(factor), _at(a, rows), distance,
        ctypes.byref(one), _at(c, place), c_distance,
    )  # fmt: skip


def add_product(
    m: int, n: int, k: int, alpha: float, a: Array, left: int, stride: int, b: Array, right: int, b_stride: int,
    c: Array, place: int, c_stride: int,
) -> None:  # fmt: skip
    """Add α P Qᵀ to C.

    Parameters
    ----------
    m, n, k : int
        Rows and columns of C, and columns of P.
    alpha : float
    a, left, stride
        Where P is.
    b, right, b_stride
        Where Q is.
    c, place, c_stride
        Where C is.
    """
    if not m or not n or not k:
        return
    sizes = _integers(m, n, k)
    factor, one = ctypes.c_double(alpha), ctypes.c_double(1.0)
    (a_distance, b_distance, c_distance) = _integers(stride, b_stride, c_stride)
    _DGEMM(
        ctypes.byref(_PLAIN), ctypes.byref(_TRANSPOSED), *sizes, ctypes.byref(factor),
        _at(a, left), a_distance, _at(b, right), b_distance, ctypes.byref(one), _at(c, place), c_distance,
    )  # fmt: skip
