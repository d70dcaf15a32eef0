"""Screening of pairs of atoms by atoms between them, S_ij = Π_k f((C_ikj - Cmin)/(Cmax - Cmin)).

C names the ellipse through atom k that has the pair along one of its axes, x² + y²/C = r_ij²/4 (Baskes, Materials
Chemistry and Physics 50, 152 (1997)): 0 between the two, 1 on the sphere, large on the flanks. With squared distances
a of i and j, b of i and k, d of j and k: C = 1 + 2 a (b + d - a) / (a² - (b - d)²).
"""

import numpy as np
from numpy.typing import NDArray

from vibentropy.numerics.machine_code import njit
from vibentropy.potentials.meam.functions import Constants, cutoff


def search_factor(c_max: float) -> float:
    """How far away screening atoms are at most, squared and in units of the distance of the pair.

    Parameters
    ----------
    c_max : float

    Returns
    -------
    float
        From either atom of the pair to the far end of the largest ellipse that counts.
    """
    return max(1.0, c_max**2 / (4 * (c_max - 1))) if c_max > 2 else 1.0


@njit(nogil=True)
def _quotient(a, b, d):
    """(C - 1)/2 and the denominator, which is not positive where the atom is beside no point between the two."""
    denominator = a * a - (b - d) ** 2
    if denominator <= 0.0:
        return 0.0, 0.0
    return a * (b + d - a) / denominator, denominator


@njit(nogil=True)
def _between(slot, other, vectors):
    """Squared distance of the two neighbours at the ends of two vectors."""
    square = 0.0
    for x in range(3):
        square += (vectors[other, x] - vectors[slot, x]) ** 2
    return square


@njit(nogil=True)
def screening_of(
    slot: int,
    begin: int,
    end: int,
    vectors: NDArray[np.float64],
    squares: NDArray[np.float64],
    farthest: float,
    p: Constants,
) -> float:
    """S of a pair.

    Parameters
    ----------
    slot : int
        The pair among all pairs of neighbours.
    begin, end : int
        Pairs of its first atom.
    vectors, squares : ndarray of shape (n_pairs, 3) and (n_pairs,)
        From each atom to its neighbours, Å, and their squared lengths.
    farthest : float
        See `search_factor`, a little more for rounding.
    p : Constants

    Returns
    -------
    float
        From 0 to 1.
    """
    a, bound = squares[slot], farthest * squares[slot]
    screening = 1.0
    for other in range(begin, end):
        if other == slot or squares[other] > bound:
            continue
        d = _between(slot, other, vectors)
        if d > bound:
            continue
        quotient, denominator = _quotient(a, squares[other], d)
        if denominator == 0.0:
            continue
        c = 1 + 2 * quotient
        if c <= p.c_min:
            return 0.0
        if c < p.c_max:
            screening *= cutoff((c - p.c_min) / (p.c_max - p.c_min))[0]
    return screening


@njit(nogil=True)
def screening_atoms(
    slot: int,
    begin: int,
    end: int,
    vectors: NDArray[np.float64],
    squares: NDArray[np.float64],
    farthest: float,
    p: Constants,
    others: NDArray[np.int64],
    slopes: NDArray[np.float64],
    curvatures: NDArray[np.float64],
) -> int:
    """Atoms that screen a pair in part, and the derivatives of ln S that each of them brings.

    Parameters
    ----------
    slot, begin, end, vectors, squares, farthest, p
        As of `screening_of`, which is not zero.
    others : ndarray of shape (capacity,)
        Written: the pairs that lead from the first atom to those that screen. A capacity of ``end - begin`` suffices.
    slopes : ndarray of shape (capacity, 3), 1/Å²
        Written: first derivatives by the squared distances a, b, d.
    curvatures : ndarray of shape (capacity, 3, 3), 1/Å⁴
        Written: second derivatives.

    Returns
    -------
    int
        Their number.
    """
    a, bound = squares[slot], farthest * squares[slot]
    width = p.c_max - p.c_min
    count = 0
    for other in range(begin, end):
        if other == slot or squares[other] > bound:
            continue
        b, d = squares[other], _between(slot, other, vectors)
        if d > bound:
            continue
        q, denominator = _quotient(a, b, d)
        c = 1 + 2 * q
        if denominator == 0.0 or c >= p.c_max or c <= p.c_min:
            continue
        # With C = 1 + 2 q and q = n/m: m q = n is differentiated once and twice.
        difference = b - d
        n_a, n_b = b + d - 2 * a, a
        m_a, m_b = 2 * a, -2 * difference
        q_a = (n_a - q * m_a) / denominator
        q_b = (n_b - q * m_b) / denominator
        q_d = (n_b + q * m_b) / denominator
        f, f1, f2 = cutoff((c - p.c_min) / width)
        # Of ln f with respect to q.
        first = 2 * f1 / (f * width)
        second = 4 * f2 / (f * width**2) - first**2
        slopes[count, 0], slopes[count, 1], slopes[count, 2] = first * q_a, first * q_b, first * q_d
        table = curvatures[count]
        table[0, 0] = second * q_a * q_a + first * (-2 - 2 * q_a * m_a - 2 * q) / denominator
        table[0, 1] = second * q_a * q_b + first * (1 - q_a * m_b - q_b * m_a) / denominator
        table[0, 2] = second * q_a * q_d + first * (1 + q_a * m_b - q_d * m_a) / denominator
        table[1, 1] = second * q_b * q_b + first * (-2 * q_b * m_b + 2 * q) / denominator
        table[1, 2] = second * q_b * q_d + first * (q_b * m_b - q_d * m_b - 2 * q) / denominator
        table[2, 2] = second * q_d * q_d + first * (2 * q_d * m_b + 2 * q) / denominator
        table[1, 0], table[2, 0], table[2, 1] = table[0, 1], table[0, 2], table[1, 2]
        others[count] = other
        count += 1
    return count
