"""Partial densities at the sites of modified embedded atoms, and the energy as a function of them.

The densities ρ_l that neighbours of distance r add up to, ρ_l(r) = ρ_0 exp(-β_l (r/re - 1)) f_c(r) S, enter as
moments of directions, 24 at each site:

    A_0 = Σ ρ_0                A_1,x = Σ ρ_1 n_x    A_2,xy = Σ ρ_2 n_x n_y    B_2 = Σ ρ_2
    A_3,xyz = Σ ρ_3 n_x n_y n_z    B_3,x = Σ ρ_3 n_x

Of these are made X = t_1 A_1² + t_2 (A_2² - B_2²/3) + t_3 (A_3² - 3/5 B_3²), squares summed over all indices, then
Γ = X/A_0² and ρ̄ = A_0 G(Γ) in units of the background (Baskes, Phys. Rev. B 46, 2727 (1992); the 3/5 as in LAMMPS).
"""

from itertools import combinations_with_replacement
from math import factorial, prod
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from vibentropy.numerics.machine_code import njit
from vibentropy.potentials.meam.functions import NO_DENSITY, Constants, angular, cutoff_at, embedding
from vibentropy.potentials.meam.screening import Pairs

#: Groups of moments: l of the density, number of directions, and factor in X.
_GROUPS = ((0, 0, 0.0), (1, 1, 1.0), (2, 2, 1.0), (2, 0, -1 / 3), (3, 3, 1.0), (3, 1, -3 / 5))
#: Each moment: its group, and the powers of x, y, z.
_MOMENTS = [
    (group, [axes.count(x) for x in range(3)])
    for group, (_, degree, _) in enumerate(_GROUPS)
    for axes in combinations_with_replacement(range(3), degree)
]
ORDER = np.array([order for order, _, _ in _GROUPS])
DEGREE = np.array([degree for _, degree, _ in _GROUPS])
GROUP = np.array([group for group, _ in _MOMENTS])
POWERS = np.array([powers for _, powers in _MOMENTS])
#: Signs by which the moments seen from the other end of a bond differ.
SIGN = (-1.0) ** DEGREE[GROUP]
#: What the square of a moment counts in X, before t; each stands for all orders of its indices.
_FACTOR = np.array(
    [
        _GROUPS[group][2] * factorial(sum(powers)) / prod(factorial(power) for power in powers)
        for group, powers in _MOMENTS
    ]
)
N_GROUPS, N_MOMENTS = len(_GROUPS), len(_MOMENTS)


class Sites(NamedTuple):
    """All sites with their moments, and their energies as functions of them.

    Attributes
    ----------
    moments : ndarray of shape (n_atoms, 24)
    gamma : ndarray of shape (n_atoms,)
        Γ, and 0 where there is no density.
    energy : ndarray of shape (n_atoms,), eV
    slopes : ndarray of shape (n_atoms, 24), eV
        Derivatives by the moments.
    curvatures : ndarray of shape (n_atoms, 4), eV
        Derivatives of the energy as a function of A_0 and X: by X, twice by A_0, by both, twice by X. NaN where there
        are none.
    """

    moments: NDArray[np.float64]
    gamma: NDArray[np.float64]
    energy: NDArray[np.float64]
    slopes: NDArray[np.float64]
    curvatures: NDArray[np.float64]


class NeighbourMoments(NamedTuple):
    """Work arrays for the moments that one neighbour contributes, without screening.

    Attributes
    ----------
    radial : ndarray of shape (6, 3)
        See `radial_parts`.
    powers : ndarray of shape (3, 6)
        See `powers_of`.
    moments : ndarray of shape (24,)
    slopes : ndarray of shape (24, 3), 1/Å
        Derivatives by the vector.
    """

    radial: NDArray[np.float64]
    powers: NDArray[np.float64]
    moments: NDArray[np.float64]
    slopes: NDArray[np.float64]


@njit(nogil=True)
def moment_weights(p: Constants) -> NDArray[np.float64]:
    """Say what the square of each moment counts in X.

    Parameters
    ----------
    p : Constants

    Returns
    -------
    ndarray of shape (24,)
    """
    weights = np.zeros(N_MOMENTS)
    for q in range(1, N_MOMENTS):
        weights[q] = _FACTOR[q] * p.weights[ORDER[GROUP[q]] - 1]
    return weights


@njit(nogil=True)
def radial_parts(r: float, p: Constants, radial: NDArray[np.float64]) -> None:
    """Functions of distance in each group of moments: ρ_l(r)/r^m, for moments are polynomials of degree m here.

    Parameters
    ----------
    r : float
        Å.
    p : Constants
    radial : ndarray of shape (6, 3), 1/Å^m
        Written: the functions and their first two derivatives, without screening.
    """
    c, c1, c2 = cutoff_at(r, p)
    for group in range(N_GROUPS):
        m = DEGREE[group]
        # The derivative of the logarithm of exp(-β r/re)/r^m.
        g, g1 = -p.decay[ORDER[group]] - m / r, m / r**2
        e = p.rho0 * np.exp(-p.decay[ORDER[group]] * (r - p.re)) / r**m
        radial[group, 0] = c * e
        radial[group, 1] = (c1 + c * g) * e
        radial[group, 2] = (c2 + 2 * c1 * g + c * (g * g + g1)) * e


@njit(nogil=True)
def powers_of(vector: NDArray[np.float64], powers: NDArray[np.float64]) -> None:
    """Powers of the components of a vector.

    Parameters
    ----------
    vector : ndarray of shape (3,), Å
    powers : ndarray of shape (3, 6)
        Written: power m is at m + 2, after two zeros that derivatives of low powers find.
    """
    for x in range(3):
        powers[x, 0], powers[x, 1], powers[x, 2] = 0.0, 0.0, 1.0
        for m in range(3, 6):
            powers[x, m] = powers[x, m - 1] * vector[x]


@njit(nogil=True)
def allocate_moments() -> NeighbourMoments:
    """Make the work arrays of a neighbour.

    Returns
    -------
    NeighbourMoments
        Not written yet.
    """
    return NeighbourMoments(np.empty((N_GROUPS, 3)), np.empty((3, 6)), np.empty(N_MOMENTS), np.empty((N_MOMENTS, 3)))


@njit(nogil=True)
def moments_of(vector: NDArray[np.float64], r: float, p: Constants, neighbour: NeighbourMoments) -> None:
    """Moments that one neighbour contributes, without screening.

    Parameters
    ----------
    vector : ndarray of shape (3,), Å
    r : float
        Å.
    p : Constants
    neighbour : NeighbourMoments
        Written.
    """
    radial, powers, moments, slopes = neighbour
    radial_parts(r, p, radial)
    powers_of(vector, powers)
    for q in range(N_MOMENTS):
        value, slope = radial[GROUP[q], 0], radial[GROUP[q], 1] / r
        i, j, k = POWERS[q, 0], POWERS[q, 1], POWERS[q, 2]
        x, y, z = powers[0, i + 2], powers[1, j + 2], powers[2, k + 2]
        polynomial = x * y * z
        moments[q] = value * polynomial
        slope *= polynomial
        slopes[q, 0] = slope * vector[0] + value * i * powers[0, i + 1] * y * z
        slopes[q, 1] = slope * vector[1] + value * j * x * powers[1, j + 1] * z
        slopes[q, 2] = slope * vector[2] + value * k * x * y * powers[2, k + 1]


@njit(nogil=True)
def all_moments(pairs: Pairs, p: Constants) -> NDArray[np.float64]:
    """Moments of all sites.

    Parameters
    ----------
    pairs : Pairs
    p : Constants

    Returns
    -------
    ndarray of shape (n_atoms, 24)
    """
    n = pairs.starts.shape[0] - 1
    moments = np.zeros((n, N_MOMENTS))
    neighbour = allocate_moments()
    for i in range(n):
        for pair in range(pairs.starts[i], pairs.starts[i + 1]):
            s = pairs.screening[pair]
            if s > 0.0:
                moments_of(pairs.vectors[pair], np.sqrt(pairs.squares[pair]), p, neighbour)
                for q in range(N_MOMENTS):
                    moments[i, q] += s * neighbour.moments[q]
    return moments


@njit(nogil=True)
def embed(moments: NDArray[np.float64], p: Constants) -> Sites:
    """Energy of each site as a function of its moments.

    Parameters
    ----------
    moments : ndarray of shape (n_atoms, 24)
    p : Constants

    Returns
    -------
    Sites
    """
    n = moments.shape[0]
    gamma, energy, slopes, curvatures = np.zeros(n), np.zeros(n), np.zeros((n, N_MOMENTS)), np.zeros((n, 4))
    weights = moment_weights(p)
    for i in range(n):
        density = moments[i, 0]
        if density < NO_DENSITY:
            continue
        x = 0.0
        for q in range(1, N_MOMENTS):
            x += weights[q] * moments[i, q] ** 2
        gamma[i] = x / density**2
        g, g1, g2 = angular(gamma[i], p.ibar, p.smoothing)
        energy[i], f1, f2 = embedding(density * g / p.background, p)
        # ρ̄ and its derivatives by A_0 and X.
        by_density, by_x = (g - 2 * gamma[i] * g1) / p.background, g1 / (density * p.background)
        bend = g1 + 2 * gamma[i] * g2
        twice_by_density = 2 * gamma[i] * bend / (density * p.background)
        by_both = -bend / (density**2 * p.background)
        twice_by_x = g2 / (density**3 * p.background)
        slopes[i, 0] = f1 * by_density
        for q in range(1, N_MOMENTS):
            slopes[i, q] = 2 * f1 * by_x * weights[q] * moments[i, q]
        curvatures[i, 0] = f1 * by_x
        curvatures[i, 1] = f2 * by_density**2 + f1 * twice_by_density
        curvatures[i, 2] = f2 * by_density * by_x + f1 * by_both
        curvatures[i, 3] = f2 * by_x**2 + f1 * twice_by_x
    return Sites(moments, gamma, energy, slopes, curvatures)
