"""Screening of pairs of atoms by atoms between them, S_ij = Π_k f((C_ikj - Cmin)/(Cmax - Cmin)).

C names the ellipse through atom k that has the pair along one of its axes, x² + y²/C = r_ij²/4 (Baskes, Materials
Chemistry and Physics 50, 152 (1997)): 0 between the two, 1 on the sphere, large on the flanks. With squared distances
a of i and j, b of i and k, d of j and k: C = 1 + 2 a (b + d - a) / (a² - (b - d)²).
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from vibentropy.numerics.machine_code import njit
from vibentropy.potentials.meam.functions import Constants, cutoff


class Pairs(NamedTuple):
    """All ordered pairs of neighbours (i, j), sorted by i, out to the last atom that may screen one.

    Attributes
    ----------
    starts : ndarray of shape (n_atoms + 1,)
        Pairs of atom i are those from ``starts[i]`` to ``starts[i + 1]``.
    second : ndarray of shape (n_pairs,)
        Atom j of each pair.
    vectors : ndarray of shape (n_pairs, 3), Å
        From i to j.
    squares : ndarray of shape (n_pairs,), Å²
        Squared distances.
    screening : ndarray of shape (n_pairs,)
        S_ij, and 0 beyond the cutoff.
    """

    starts: NDArray[np.int64]
    second: NDArray[np.int64]
    vectors: NDArray[np.float64]
    squares: NDArray[np.float64]
    screening: NDArray[np.float64]


class ScreeningAtoms(NamedTuple):
    """Atoms k that screen a pair (i, j) in part, and the derivatives of ln S that each of them contributes.

    Attributes
    ----------
    to_third : ndarray of shape (capacity,)
        The pairs (i, k).
    slopes : ndarray of shape (capacity, 3), 1/Å²
        First derivatives by the squared distances a, b, d.
    curvatures : ndarray of shape (capacity, 3, 3), 1/Å⁴
        Second derivatives.
    """

    to_third: NDArray[np.int64]
    slopes: NDArray[np.float64]
    curvatures: NDArray[np.float64]


@njit(nogil=True)
def screened_pairs(
    starts: NDArray[np.int64],
    second: NDArray[np.int64],
    vectors: NDArray[np.float64],
    distances: NDArray[np.float64],
    p: Constants,
) -> Pairs:
    """Compute the screening of all pairs.

    Parameters
    ----------
    starts, second, vectors, distances : ndarray
        As `vibentropy.atoms.neighbours.neighbour_pairs` returns them.
    p : Constants

    Returns
    -------
    Pairs
    """
    pairs = Pairs(starts, second, vectors, distances**2, np.zeros(distances.shape[0]))
    for i in range(starts.shape[0] - 1):
        for pair in range(starts[i], starts[i + 1]):
            if pairs.squares[pair] < p.r_cut**2:
                pairs.screening[pair] = _screening(i, pair, pairs, p)
    return pairs


@njit(nogil=True)
def _ellipse(pair, to_third, pairs, p):
    """Where a third atom is, as seen by a pair.

    Returns
    -------
    q : float
        (C - 1)/2.
    denominator : float, Å⁴
        Of q; 0 for atoms that are too far away, beside no point between the two, or one of them.
    d : float, Å²
        Squared distance from the second atom.
    """
    a, b = pairs.squares[pair], pairs.squares[to_third]
    bound = p.farthest * a
    if b > bound:
        return 0.0, 0.0, 0.0
    d = 0.0
    for x in range(3):
        d += (pairs.vectors[to_third, x] - pairs.vectors[pair, x]) ** 2
    if d > bound:
        return 0.0, 0.0, 0.0
    denominator = a * a - (b - d) ** 2
    if denominator <= 0.0:
        return 0.0, 0.0, 0.0
    return a * (b + d - a) / denominator, denominator, d


@njit(nogil=True)
def _screening(i, pair, pairs, p):
    """S of a pair of atom i."""
    screening = 1.0
    for to_third in range(pairs.starts[i], pairs.starts[i + 1]):
        q, denominator, _ = _ellipse(pair, to_third, pairs, p)
        if denominator == 0.0:
            continue
        c = 1 + 2 * q
        if c <= p.c_min:
            return 0.0
        if c < p.c_max:
            screening *= cutoff((c - p.c_min) / (p.c_max - p.c_min))[0]
    return screening


@njit(nogil=True)
def allocate_screening_atoms(pairs: Pairs) -> ScreeningAtoms:
    """Make arrays of sufficient size for the screening atoms of any pair.

    Parameters
    ----------
    pairs : Pairs

    Returns
    -------
    ScreeningAtoms
        Not written yet.
    """
    capacity = np.max(np.diff(pairs.starts))
    return ScreeningAtoms(np.empty(capacity, np.int64), np.empty((capacity, 3)), np.empty((capacity, 3, 3)))


@njit(nogil=True)
def find_screening_atoms(i: int, pair: int, pairs: Pairs, p: Constants, found: ScreeningAtoms) -> int:
    """Look for the atoms that screen a pair in part.

    Parameters
    ----------
    i : int
        First atom of the pair.
    pair : int
        Number of the pair, whose screening is not zero.
    pairs : Pairs
    p : Constants
    found : ScreeningAtoms
        Written.

    Returns
    -------
    int
        Their number.
    """
    a = pairs.squares[pair]
    width = p.c_max - p.c_min
    count = 0
    for to_third in range(pairs.starts[i], pairs.starts[i + 1]):
        q, denominator, d = _ellipse(pair, to_third, pairs, p)
        if denominator == 0.0:
            continue
        c = 1 + 2 * q
        if c >= p.c_max or c <= p.c_min:
            continue
        b = pairs.squares[to_third]
        # With q = n/m: m q = n is differentiated once and twice.
        n_a, n_b = b + d - 2 * a, a
        m_a, m_b = 2 * a, -2 * (b - d)
        q_a = (n_a - q * m_a) / denominator
        q_b = (n_b - q * m_b) / denominator
        q_d = (n_b + q * m_b) / denominator
        f, f1, f2 = cutoff((c - p.c_min) / width)
        # Of ln f with respect to q.
        first = 2 * f1 / (f * width)
        second = 4 * f2 / (f * width**2) - first**2
        slopes, curvatures = found.slopes[count], found.curvatures[count]
        slopes[0], slopes[1], slopes[2] = first * q_a, first * q_b, first * q_d
        curvatures[0, 0] = second * q_a * q_a + first * (-2 - 2 * q_a * m_a - 2 * q) / denominator
        curvatures[0, 1] = second * q_a * q_b + first * (1 - q_a * m_b - q_b * m_a) / denominator
        curvatures[0, 2] = second * q_a * q_d + first * (1 + q_a * m_b - q_d * m_a) / denominator
        curvatures[1, 1] = second * q_b * q_b + first * (-2 * q_b * m_b + 2 * q) / denominator
        curvatures[1, 2] = second * q_b * q_d + first * (q_b * m_b - q_d * m_b - 2 * q) / denominator
        curvatures[2, 2] = second * q_d * q_d + first * (2 * q_d * m_b + 2 * q) / denominator
        curvatures[1, 0], curvatures[2, 0], curvatures[2, 1] = curvatures[0, 1], curvatures[0, 2], curvatures[1, 2]
        found.to_third[count] = to_third
        count += 1
    return count


@njit(nogil=True)
def coordinate_slopes(
    x: int, v: NDArray[np.float64], u: NDArray[np.float64], slopes: NDArray[np.float64]
) -> tuple[float, float, float]:
    """Differentiate a function of the three squared distances by one coordinate of each atom.

    Parameters
    ----------
    x : int
        Axis.
    v, u : ndarray of shape (3,), Å
        From i to j and to k.
    slopes : ndarray of shape (3,)
        Derivatives by the squared distances a, b, d.

    Returns
    -------
    tuple of 3 float
        By the coordinate of i, j and k.
    """
    # Gradients of the squares are twice the vectors between the atoms.
    along, to_k, beside = 2 * slopes[0] * v[x], 2 * slopes[1] * u[x], 2 * slopes[2] * (u[x] - v[x])
    return -along - to_k, along - beside, to_k + beside
