"""What pairs of modified embedded atoms are worth, and the energy and forces that follow.

With the slopes of the energy by all moments frozen, a pair (i, j) is worth S_ij W(v), v from i to j and

    W = f_c(r) φ(r) + Σ_q [∂E_i/∂A_q A_q(v) + ∂E_j/∂A_q A_q(-v)]

so that forces are its derivatives, and so is the part of the Hessian that is not due to changing slopes.
"""

import numpy as np
from numpy.typing import NDArray

from vibentropy.numerics.machine_code import njit
from vibentropy.potentials.meam.density import (
    GROUP,
    N_GROUPS,
    N_MOMENTS,
    POWERS,
    SIGN,
    powers_of,
    radial_parts,
)
from vibentropy.potentials.meam.functions import Constants, Derivatives, cutoff_at, pair_potential
from vibentropy.potentials.meam.screening import screening_atoms, screening_of


@njit(nogil=True)
def all_screenings(
    first: NDArray[np.int64],
    vectors: NDArray[np.float64],
    squares: NDArray[np.float64],
    farthest: float,
    p: Constants,
) -> NDArray[np.float64]:
    """S of all pairs, 0 for those beyond the cutoff.

    Parameters
    ----------
    first : ndarray of shape (n_atoms + 1,)
        Pairs of atom i are those from ``first[i]`` to ``first[i + 1]``.
    vectors, squares, farthest, p
        As of `vibentropy.potentials.meam.screening.screening_of`.

    Returns
    -------
    ndarray of shape (n_pairs,)
    """
    screening = np.zeros(squares.shape[0])
    for i in range(first.shape[0] - 1):
        for slot in range(first[i], first[i + 1]):
            if squares[slot] < p.r_cut**2:
                screening[slot] = screening_of(slot, first[i], first[i + 1], vectors, squares, farthest, p)
    return screening


@njit(nogil=True)
def tabulated(r: float, step: float, table: NDArray[np.float64]) -> Derivatives:
    """Interpolate a pair potential as LAMMPS does, which needs a table.

    Parameters
    ----------
    r, step : float
        Distance and step of the table, Å.
    table : ndarray of shape (4, n), eV
        Coefficients of 1, x, x², x³ in each interval, x from 0 to 1.

    Returns
    -------
    tuple of 3 float, eV and Å
        The value and its first two derivatives.
    """
    k = min(int(r / step), table.shape[1] - 2)
    x = min(r / step - k, 1.0)
    a, b, c, d = table[0, k], table[1, k], table[2, k], table[3, k]
    return ((d * x + c) * x + b) * x + a, ((3 * d * x + 2 * c) * x + b) / step, (6 * d * x + 2 * c) / step**2


@njit(nogil=True)
def is_counted(i: int, j: int, vector: NDArray[np.float64]) -> bool:
    """Whether a pair is the one of two orders that is counted; an atom and its image make a pair, too.

    Parameters
    ----------
    i, j : int
    vector : ndarray of shape (3,)

    Returns
    -------
    bool
    """
    if i != j:
        return i < j
    for x in range(3):
        if vector[x] != 0.0:
            return vector[x] > 0.0
    return False


@njit(nogil=True)
def worth(
    vector: NDArray[np.float64],
    r: float,
    at_first: NDArray[np.float64],
    at_second: NDArray[np.float64],
    p: Constants,
    step: float,
    table: NDArray[np.float64],
    radial: NDArray[np.float64],
    powers: NDArray[np.float64],
    polynomials: NDArray[np.float64],
    pull: NDArray[np.float64],
    stiffness: NDArray[np.float64],
) -> tuple[float, float]:
    """W of a pair with its derivatives by the vector.

    Parameters
    ----------
    vector : ndarray of shape (3,), Å
    r : float
        Å.
    at_first, at_second : ndarray of shape (24,), eV
        Slopes of the energies of both atoms by their moments.
    p : Constants
    step, table
        Of the pair potential, see `tabulated`; exact where the table is empty.
    radial, powers, polynomials : ndarray of shape (6, 3), (3, 6) and (6, 10)
        Room for functions of distance, powers of the vector, and the polynomial of each group with its derivatives.
    pull : ndarray of shape (3,), eV/Å
        Written: first derivatives.
    stiffness : ndarray of shape (3, 3), eV/Å²
        Written: second derivatives.

    Returns
    -------
    w, pair : float, eV
        W, and the part of it that is no embedding, f_c φ.
    """
    radial_parts(r, p, radial)
    powers_of(vector, powers)
    polynomials[:] = 0.0
    for q in range(N_MOMENTS):
        weight = at_first[q] + SIGN[q] * at_second[q]
        i, j, k = POWERS[q, 0], POWERS[q, 1], POWERS[q, 2]
        x, y, z = powers[0, i + 2], powers[1, j + 2], powers[2, k + 2]
        x1, y1, z1 = i * powers[0, i + 1], j * powers[1, j + 1], k * powers[2, k + 1]
        polynomial = polynomials[GROUP[q]]
        polynomial[0] += weight * x * y * z
        polynomial[1] += weight * x1 * y * z
        polynomial[2] += weight * x * y1 * z
        polynomial[3] += weight * x * y * z1
        polynomial[4] += weight * i * (i - 1) * powers[0, i] * y * z
        polynomial[5] += weight * j * (j - 1) * x * powers[1, j] * z
        polynomial[6] += weight * k * (k - 1) * x * y * powers[2, k]
        polynomial[7] += weight * x1 * y1 * z
        polynomial[8] += weight * x1 * y * z1
        polynomial[9] += weight * x * y1 * z1
    f, f1, f2 = cutoff_at(r, p)
    if table.shape[1] > 0:
        v, v1, v2 = tabulated(r, step, table)
    else:
        v, v1, v2 = pair_potential(r, p)
    pair = f * v
    w = pair
    # A function of distance alone, then one times a polynomial for each group.
    h1, h2 = f1 * v + f * v1, f2 * v + 2 * f1 * v1 + f * v2
    along, across = (h2 - h1 / r) / r**2, h1 / r
    for group in range(N_GROUPS):
        h, g1, g2 = radial[group, 0], radial[group, 1], radial[group, 2]
        polynomial = polynomials[group]
        w += h * polynomial[0]
        along += polynomial[0] * (g2 - g1 / r) / r**2
        across += polynomial[0] * g1 / r
    for x in range(3):
        pull[x] = across * vector[x]
        for y in range(x, 3):
            stiffness[x, y] = along * vector[x] * vector[y]
            if x == y:
                stiffness[x, y] += across
    for group in range(N_GROUPS):
        h, g1 = radial[group, 0], radial[group, 1] / r
        polynomial = polynomials[group]
        for x in range(3):
            pull[x] += h * polynomial[1 + x]
            for y in range(x, 3):
                second = polynomial[4 + x] if x == y else polynomial[6 + x + y]
                stiffness[x, y] += h * second
                stiffness[x, y] += g1 * (vector[x] * polynomial[1 + y] + vector[y] * polynomial[1 + x])
    stiffness[1, 0], stiffness[2, 0], stiffness[2, 1] = stiffness[0, 1], stiffness[0, 2], stiffness[1, 2]
    return w, pair


@njit(nogil=True)
def pair_energy_and_forces(
    first: NDArray[np.int64],
    neighbour: NDArray[np.int64],
    vectors: NDArray[np.float64],
    squares: NDArray[np.float64],
    screening: NDArray[np.float64],
    slopes: NDArray[np.float64],
    farthest: float,
    p: Constants,
    step: float,
    table: NDArray[np.float64],
) -> tuple[float, NDArray[np.float64]]:
    """Energy of pairs, and all forces.

    Parameters
    ----------
    first, vectors, squares, farthest, p
        As of `all_screenings`.
    neighbour : ndarray of shape (n_pairs,)
        The second atom of each pair.
    screening : ndarray of shape (n_pairs,)
    slopes : ndarray of shape (n_atoms, 24), eV
        Of the energies of atoms by their moments, see `vibentropy.potentials.meam.density.embed`.
    step, table
        See `tabulated`.

    Returns
    -------
    energy : float, eV
        Σ S f_c φ.
    forces : ndarray of shape (n_atoms, 3), eV/Å
        Those of the energies of atoms included.
    """
    n = first.shape[0] - 1
    energy, forces = 0.0, np.zeros((n, 3))
    capacity = np.max(np.diff(first))
    others, by_squares = np.empty(capacity, np.int64), np.empty((capacity, 3))
    by_squares_twice = np.empty((capacity, 3, 3))
    radial, powers, polynomials = np.empty((N_GROUPS, 3)), np.empty((3, 6)), np.empty((N_GROUPS, 10))
    pull, stiffness = np.empty(3), np.empty((3, 3))
    for i in range(n):
        begin, end = first[i], first[i + 1]
        for slot in range(begin, end):
            s, j, v = screening[slot], neighbour[slot], vectors[slot]
            if s == 0.0 or not is_counted(i, j, v):
                continue
            r = np.sqrt(squares[slot])
            w, pair = worth(v, r, slopes[i], slopes[j], p, step, table, radial, powers, polynomials, pull, stiffness)
            energy += s * pair
            for x in range(3):
                forces[i, x] += s * pull[x]
                forces[j, x] -= s * pull[x]
            count = screening_atoms(
                slot, begin, end, vectors, squares, farthest, p, others, by_squares, by_squares_twice
            )
            for t in range(count):
                k = neighbour[others[t]]
                for x in range(3):
                    # Twice the vectors between the three atoms, times the derivative by their squares.
                    along = 2 * s * w * by_squares[t, 0] * v[x]
                    to_k = 2 * s * w * by_squares[t, 1] * vectors[others[t], x]
                    beside = 2 * s * w * by_squares[t, 2] * (vectors[others[t], x] - v[x])
                    forces[i, x] += along + to_k
                    forces[j, x] += beside - along
                    forces[k, x] -= to_k + beside
    return energy, forces
