"""Coefficients of the neighbour density of an atom, from which its invariants are made.

c_{s n l m} = Σ_j g_n(r_j) Y_{lm}(r_j / |r_j|) over the neighbours j of species s, with the radial functions of
`vibentropy.descriptors.radial` and real spherical harmonics in Racah's normalisation, for which the addition theorem
has no prefactor: Σ_m Y_{lm}(u) Y_{lm}(v) = P_l(u·v).

The cost is n_max (l_max + 1)² multiplications per neighbour. Neighbours are taken in tiles that fit into the
processor's caches whatever the cutoff, with the neighbour as the fast index, so that every loop is a vector loop.
"""

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numba import prange
from numpy.typing import NDArray

from vibentropy.descriptors.radial import recurrence, rotation
from vibentropy.numerics.machine_code import njit

#: Sums may be reordered into vector lanes and fused with products; nan, inf and signed zeros keep their meaning.
SUMS = {"reassoc", "contract"}
#: Neighbours per tile; the 58 of bcc iron within 5 Å fit into one.
TILE = 64
#: Tiles are filled up to a multiple of this, the number of doubles in the widest vector registers.
LANES = 8
#: Atoms per parallel task: enough for scratch memory to cost nothing, few enough for small cells to use all threads.
TASK = 16


class Basis(NamedTuple):
    """Tables of the functions in which a density is expanded.

    Attributes
    ----------
    r_cut : float, Å
    polynomials : ndarray of shape (n_max, 2)
        `vibentropy.descriptors.radial.recurrence`.
    rotation : ndarray of shape (n_max, n_max)
        `vibentropy.descriptors.radial.rotation`.
    harmonics : ndarray of shape (l_max + 1, l_max + 1, 2)
        Y_{lm} = harmonics[l, |m|, 0] z Y_{l-1,m} - harmonics[l, |m|, 1] Y_{l-2,m} for |m| < l.
    """

    r_cut: float
    polynomials: np.ndarray
    rotation: np.ndarray
    harmonics: np.ndarray


@lru_cache
def make_basis(r_cut: float, n_max: int, l_max: int) -> Basis:
    """Make the tables for n_max radial functions up to r_cut and all harmonics up to l_max.

    Parameters
    ----------
    r_cut : float
        Cutoff in Å.
    n_max : int
        Number of radial functions.
    l_max : int
        Largest degree of the spherical harmonics.

    Returns
    -------
    Basis
    """
    degree, order = np.mgrid[: l_max + 1, : l_max + 1]
    inside = order < degree
    norm = np.sqrt(np.where(inside, degree**2 - order**2, 1))
    before = np.sqrt(np.where(inside, (degree - 1) ** 2 - order**2, 0))
    return Basis(
        r_cut=float(r_cut),
        polynomials=recurrence(n_max),
        rotation=rotation(n_max),
        harmonics=np.stack([(2 * degree - 1) / norm, before / norm], axis=-1),
    )


@njit(nogil=True, fastmath=SUMS)
def radial_functions(
    t: NDArray[np.float64], n: int, basis: Basis, psi: NDArray[np.float64], g: NDArray[np.float64]
) -> None:
    """Fill columns of a table with the radial functions g_n at t = 1 - r / r_cut; compiled.

    Parameters
    ----------
    t : ndarray of shape (at least n,)
        From 0 at the cutoff to 1 at the centre.
    n : int
        Number of columns, one for each neighbour.
    basis : Basis
    psi : ndarray of shape (n_max, at least n)
        Scratch, overwritten.
    g : ndarray of shape (n_max, at least n), Å^(-1/2)
        Overwritten: the values.
    """
    n_max = len(basis.rotation)
    scale = np.sqrt(7.0 / basis.r_cut)
    for j in range(n):
        psi[0, j] = scale * t[j] ** 3
    for k in range(1, n_max):
        a, b = basis.polynomials[k - 1]
        inverse = 1.0 / basis.polynomials[k, 1]
        row, last, before = psi[k], psi[k - 1], psi[max(k - 2, 0)]
        for j in range(n):
            row[j] = ((t[j] - a) * last[j] - b * before[j]) * inverse
    for i in range(n_max):
        row = g[i]
        for j in range(n):
            row[j] = 0.0
        for k in range(n_max):
            factor, source = basis.rotation[i, k], psi[k]
            for j in range(n):
                row[j] += factor * source[j]


@njit(nogil=True, fastmath=SUMS)
def real_harmonics(
    x: NDArray[np.float64], y: NDArray[np.float64], z: NDArray[np.float64], n: int, basis: Basis, Y: NDArray[np.float64]
) -> None:
    """Fill columns of a table with the real spherical harmonics of unit vectors; compiled.

    Parameters
    ----------
    x, y, z : ndarray of shape (at least n,)
        Components of the unit vectors.
    n : int
        Number of columns, one for each vector.
    basis : Basis
    Y : ndarray of shape ((l_max + 1)², at least n)
        Overwritten: row l² + l + m is that of degree l and order m.
    """
    l_max = len(basis.harmonics) - 1
    for j in range(n):
        Y[0, j] = 1.0
    if l_max > 0:
        for j in range(n):
            Y[1, j] = y[j]
            Y[3, j] = x[j]
    # m = ±l: imaginary and real part of (x + iy)^l.
    for degree in range(2, l_max + 1):
        factor = np.sqrt((2 * degree - 1) / (2 * degree))
        sine, cosine = Y[degree**2], Y[degree**2 + 2 * degree]
        last_sine, last_cosine = Y[(degree - 1) ** 2], Y[degree**2 - 1]
        for j in range(n):
            sine[j] = factor * (x[j] * last_sine[j] + y[j] * last_cosine[j])
            cosine[j] = factor * (x[j] * last_cosine[j] - y[j] * last_sine[j])
    for degree in range(1, l_max + 1):
        for order in range(1 - degree, degree):
            a, b = basis.harmonics[degree, abs(order)]
            row = Y[degree**2 + degree + order]
            last = Y[(degree - 1) ** 2 + degree - 1 + order]
            if abs(order) == degree - 1:
                for j in range(n):
                    row[j] = a * z[j] * last[j]
            else:
                before = Y[(degree - 2) ** 2 + degree - 2 + order]
                for j in range(n):
                    row[j] = a * z[j] * last[j] - b * before[j]


@njit(nogil=True, fastmath=SUMS)
def _add_products(g, Y, n, c):
    """Add Σ_j g[i, j] Y[k, j] to c[i, k]: two by four sums at a time, so that registers set the pace, not memory."""
    for i in range(0, len(g), 2):
        for k in range(0, len(Y), 4):
            s00 = s01 = s02 = s03 = s10 = s11 = s12 = s13 = 0.0
            for j in range(n):
                g0, g1 = g[i, j], g[i + 1, j]
                y0, y1, y2, y3 = Y[k, j], Y[k + 1, j], Y[k + 2, j], Y[k + 3, j]
                s00 += g0 * y0
                s01 += g0 * y1
                s02 += g0 * y2
                s03 += g0 * y3
                s10 += g1 * y0
                s11 += g1 * y1
                s12 += g1 * y2
                s13 += g1 * y3
            c[i, k] += s00
            c[i, k + 1] += s01
            c[i, k + 2] += s02
            c[i, k + 3] += s03
            c[i + 1, k] += s10
            c[i + 1, k + 1] += s11
            c[i + 1, k + 2] += s12
            c[i + 1, k + 3] += s13


@njit(nogil=True, fastmath=SUMS)
def _expand_some(start, stop, first, neighbour, vectors, distances, species, basis, coefficients, squares):
    _, n_species, n_max, n_harmonics = coefficients.shape
    t, x, y, z = np.zeros(TILE), np.zeros(TILE), np.zeros(TILE), np.zeros(TILE)
    psi = np.zeros((n_max, TILE))
    # Rows beyond the last function stay zero: they complete the blocks of `_add_products`.
    g = np.zeros((n_max + n_max % 2, TILE))
    Y = np.zeros((n_harmonics + -n_harmonics % 4, TILE))
    c = np.zeros((len(g), len(Y)))
    for i in range(start, stop):
        for s in range(n_species):
            c[:] = 0.0
            squares[i, s] = 0.0
            pair = first[i]
            while pair < first[i + 1]:
                n = 0
                while pair < first[i + 1] and n < TILE:
                    if species[neighbour[pair]] == s:
                        r = distances[pair]
                        t[n] = 1.0 - r / basis.r_cut
                        x[n] = vectors[pair, 0] / r
                        y[n] = vectors[pair, 1] / r
                        z[n] = vectors[pair, 2] / r
                        n += 1
                    pair += 1
                # t = 0 makes all radial functions zero, so what fills up the lanes contributes nothing.
                while n % LANES:
                    t[n] = 0.0
                    n += 1
                radial_functions(t, n, basis, psi, g)
                real_harmonics(x, y, z, n, basis, Y)
                _add_products(g, Y, n, c)
                for k in range(n_max):
                    total = 0.0
                    for j in range(n):
                        total += g[k, j] * g[k, j]
                    squares[i, s, k] += total
            coefficients[i, s] = c[:n_max, :n_harmonics]


@njit(nogil=True, parallel=True)
def _expand(first, neighbour, vectors, distances, species, basis, coefficients, squares):
    n_atoms = len(coefficients)
    for task in prange((n_atoms + TASK - 1) // TASK):
        start, stop = task * TASK, min((task + 1) * TASK, n_atoms)
        _expand_some(start, stop, first, neighbour, vectors, distances, species, basis, coefficients, squares)


def expand(
    first: NDArray[np.int64],
    neighbour: NDArray[np.int64],
    vectors: NDArray[np.float64],
    distances: NDArray[np.float64],
    species: NDArray[np.int64],
    n_species: int,
    basis: Basis,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Expand the neighbour densities of some atoms, one per species.

    Parameters
    ----------
    first : ndarray of shape (n_atoms + 1,), int64
        Neighbours of atom i are the pairs from ``first[i]`` to ``first[i + 1]``.
    neighbour : ndarray of shape (n_pairs,), int64
    vectors : ndarray of shape (n_pairs, 3), Å
        From the atom to its neighbour.
    distances : ndarray of shape (n_pairs,), Å
        Below the cutoff of the basis.
    species : ndarray, int64
        Species of whatever `neighbour` counts, from 0.
    n_species : int
    basis : Basis

    Returns
    -------
    coefficients : ndarray of shape (n_atoms, n_species, n_max, (l_max + 1)²), Å^(-1/2)
        c_{s n l m} of each atom, the last index being l² + l + m.
    squares : ndarray of shape (n_atoms, n_species, n_max), 1/Å
        Σ_j g_n(r_j)², which invariants of pairs of distinct neighbours subtract.
    """
    n_atoms, n_max, n_harmonics = len(first) - 1, len(basis.rotation), len(basis.harmonics) ** 2
    coefficients = np.empty((n_atoms, n_species, n_max, n_harmonics))
    squares = np.empty((n_atoms, n_species, n_max))
    _expand(first, neighbour, vectors, distances, species, basis, coefficients, squares)
    return coefficients, squares
