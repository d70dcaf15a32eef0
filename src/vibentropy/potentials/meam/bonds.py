"""Effective pair potential of modified embedded atoms, and the energy and forces that follow.

With the derivatives of the energy by all moments frozen, a pair (i, j) has the energy S_ij W(v), v from i to j and

    W = f_c(r) φ(r) + Σ_q [∂E_i/∂A_q A_q(v) + ∂E_j/∂A_q A_q(-v)]

so that forces are its derivatives, and so is the part of the Hessian that is not due to changing slopes.
"""

from typing import NamedTuple

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
from vibentropy.potentials.meam.screening import (
    Pairs,
    allocate_screening_atoms,
    coordinate_slopes,
    find_screening_atoms,
)


class Table(NamedTuple):
    """A pair potential as LAMMPS interpolates it.

    Attributes
    ----------
    step : float, Å
    coefficients : ndarray of shape (4, n), eV
        Of 1, x, x², x³ in each interval, x from 0 to 1. Without intervals φ is exact.
    """

    step: float
    coefficients: NDArray[np.float64]


#: The exact φ.
EXACT = Table(1.0, np.empty((4, 0)))


class Bond(NamedTuple):
    """Work arrays for W of a pair, without screening.

    Attributes
    ----------
    radial : ndarray of shape (6, 3)
        See `vibentropy.potentials.meam.density.radial_parts`.
    powers : ndarray of shape (3, 6)
        See `vibentropy.potentials.meam.density.powers_of`.
    polynomials : ndarray of shape (6, 10)
        For each group of moments: a polynomial of the vector, its three first and its six second derivatives.
    gradient : ndarray of shape (3,), eV/Å
        Derivatives of W by the vector.
    hessian : ndarray of shape (3, 3), eV/Å²
        Second derivatives.
    """

    radial: NDArray[np.float64]
    powers: NDArray[np.float64]
    polynomials: NDArray[np.float64]
    gradient: NDArray[np.float64]
    hessian: NDArray[np.float64]


@njit(nogil=True)
def allocate_bond() -> Bond:
    """Make the work arrays of a bond.

    Returns
    -------
    Bond
        Not written yet.
    """
    return Bond(np.empty((N_GROUPS, 3)), np.empty((3, 6)), np.empty((N_GROUPS, 10)), np.empty(3), np.empty((3, 3)))


@njit(nogil=True)
def tabulated(r: float, table: Table) -> Derivatives:
    """Interpolate a pair potential as LAMMPS does, which needs a table.

    Parameters
    ----------
    r : float
        Å.
    table : Table

    Returns
    -------
    tuple of 3 float, eV and Å
        The value and its first two derivatives.
    """
    step, coefficients = table.step, table.coefficients
    k = min(int(r / step), coefficients.shape[1] - 2)
    x = min(r / step - k, 1.0)
    a, b, c, d = coefficients[0, k], coefficients[1, k], coefficients[2, k], coefficients[3, k]
    return ((d * x + c) * x + b) * x + a, ((3 * d * x + 2 * c) * x + b) / step, (6 * d * x + 2 * c) / step**2


@njit(nogil=True)
def is_counted(i: int, j: int, vector: NDArray[np.float64]) -> bool:
    """Whether (i, j) is counted rather than (j, i); an atom and its image are a pair, too.

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
def effective_potential(
    vector: NDArray[np.float64],
    r: float,
    at_first: NDArray[np.float64],
    at_second: NDArray[np.float64],
    p: Constants,
    table: Table,
    bond: Bond,
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
    table : Table
    bond : Bond
        Written.

    Returns
    -------
    w, f_phi : float, eV
        W, and the part of it that is no embedding, f_c φ.
    """
    powers, gradient, hessian = bond.powers, bond.gradient, bond.hessian
    radial_parts(r, p, bond.radial)
    powers_of(vector, powers)
    bond.polynomials[:] = 0.0
    for q in range(N_MOMENTS):
        weight = at_first[q] + SIGN[q] * at_second[q]
        i, j, k = POWERS[q, 0], POWERS[q, 1], POWERS[q, 2]
        x, y, z = powers[0, i + 2], powers[1, j + 2], powers[2, k + 2]
        x1, y1, z1 = i * powers[0, i + 1], j * powers[1, j + 1], k * powers[2, k + 1]
        polynomial = bond.polynomials[GROUP[q]]
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
    if table.coefficients.shape[1] > 0:
        v, v1, v2 = tabulated(r, table)
    else:
        v, v1, v2 = pair_potential(r, p)
    f_phi = f * v
    w = f_phi
    # A function of distance alone, then one times a polynomial for each group.
    h1, h2 = f1 * v + f * v1, f2 * v + 2 * f1 * v1 + f * v2
    along, across = (h2 - h1 / r) / r**2, h1 / r
    for group in range(N_GROUPS):
        h, g1, g2 = bond.radial[group, 0], bond.radial[group, 1], bond.radial[group, 2]
        polynomial = bond.polynomials[group]
        w += h * polynomial[0]
        along += polynomial[0] * (g2 - g1 / r) / r**2
        across += polynomial[0] * g1 / r
    for x in range(3):
        gradient[x] = across * vector[x]
        for y in range(x, 3):
            hessian[x, y] = along * vector[x] * vector[y]
            if x == y:
                hessian[x, y] += across
    for group in range(N_GROUPS):
        h, g1 = bond.radial[group, 0], bond.radial[group, 1] / r
        polynomial = bond.polynomials[group]
        for x in range(3):
            gradient[x] += h * polynomial[1 + x]
            for y in range(x, 3):
                second = polynomial[4 + x] if x == y else polynomial[6 + x + y]
                hessian[x, y] += h * second
                hessian[x, y] += g1 * (vector[x] * polynomial[1 + y] + vector[y] * polynomial[1 + x])
    hessian[1, 0], hessian[2, 0], hessian[2, 1] = hessian[0, 1], hessian[0, 2], hessian[1, 2]
    return w, f_phi


@njit(nogil=True)
def pair_energy_and_forces(
    pairs: Pairs, slopes: NDArray[np.float64], p: Constants, table: Table
) -> tuple[float, NDArray[np.float64]]:
    """Energy of pairs, and all forces.

    Parameters
    ----------
    pairs : Pairs
    slopes : ndarray of shape (n_atoms, 24), eV
        See `vibentropy.potentials.meam.density.Sites`.
    p : Constants
    table : Table

    Returns
    -------
    energy : float, eV
        Σ S f_c φ.
    forces : ndarray of shape (n_atoms, 3), eV/Å
        Of the whole energy, embedding included.
    """
    n = pairs.starts.shape[0] - 1
    energy, forces = 0.0, np.zeros((n, 3))
    screening, bond = allocate_screening_atoms(pairs), allocate_bond()
    for i in range(n):
        for pair in range(pairs.starts[i], pairs.starts[i + 1]):
            s, j, v = pairs.screening[pair], pairs.second[pair], pairs.vectors[pair]
            if s == 0.0 or not is_counted(i, j, v):
                continue
            w, f_phi = effective_potential(v, np.sqrt(pairs.squares[pair]), slopes[i], slopes[j], p, table, bond)
            energy += s * f_phi
            for x in range(3):
                forces[i, x] += s * bond.gradient[x]
                forces[j, x] -= s * bond.gradient[x]
            for t in range(find_screening_atoms(i, pair, pairs, p, screening)):
                to_k = screening.to_third[t]
                k, u = pairs.second[to_k], pairs.vectors[to_k]
                for x in range(3):
                    by_i, by_j, by_k = coordinate_slopes(x, v, u, screening.slopes[t])
                    forces[i, x] -= s * w * by_i
                    forces[j, x] -= s * w * by_j
                    forces[k, x] -= s * w * by_k
    return energy, forces
