"""Dipoles and quadrupoles of angular-dependent potentials, and their derivatives, in compiled loops over bonds.

Atom i has μ = Σ_j u(r_ij) r⃗_ij, λ = Σ_j w(r_ij) r⃗_ij r⃗_ijᵀ and ν = tr λ, ten numbers in the order x, y, z, xx, yy, zz,
yz, xz, xy, ν, and the energy 1/2 Σ_k c_k q_k² with `WEIGHTS` c_k (Mishin, Mehl and Papaconstantopoulos, Acta Mater. 53,
4029, 2005). Their derivatives by the positions are what Hessians are made of.
"""

import numpy as np
from numpy.typing import NDArray

from vibentropy.numerics.machine_code import njit
from vibentropy.potentials.splines import Splines, evaluate

#: c_k: off the diagonal each component of λ stands for two, and ν counts as -1/3.
WEIGHTS = np.array([1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 2.0, 2.0, 2.0, -1.0 / 3.0])

#: Axes of the components of λ.
_AXES = np.array([[0, 0], [1, 1], [2, 2], [1, 2], [0, 2], [0, 1]])


@njit(nogil=True)
def moments(
    first: NDArray[np.int64],
    vectors: NDArray[np.float64],
    distances: NDArray[np.float64],
    functions: Splines,
) -> NDArray[np.float64]:
    """Compute the dipole and the quadrupole of each atom.

    Parameters
    ----------
    first, vectors, distances : ndarray
        Bonds within the cutoff, see `vibentropy.atoms.neighbours.neighbour_pairs`.
    functions : Splines
        u(r) and w(r).

    Returns
    -------
    ndarray of shape (n_atoms, 10)
    """
    n = first.shape[0] - 1
    q = np.zeros((n, 10))
    for i in range(n):
        for p in range(first[i], first[i + 1]):
            r = distances[p]
            u = evaluate(r, 0, functions)[0]
            w = evaluate(r, 1, functions)[0]
            for a in range(3):
                q[i, a] += u * vectors[p, a]
            for k in range(6):
                q[i, 3 + k] += w * vectors[p, _AXES[k, 0]] * vectors[p, _AXES[k, 1]]
            q[i, 9] += w * r**2
    return q


@njit(nogil=True)
def _conjugate(q, quadrupole):
    """Derive the energy by the quadrupole, as a symmetric matrix: λ - ν/3."""
    for k in range(6):
        a, b = _AXES[k]
        quadrupole[a, b] = q[3 + k]
        quadrupole[b, a] = q[3 + k]
    for a in range(3):
        quadrupole[a, a] -= q[9] / 3.0


@njit(nogil=True)
def bond_derivatives(
    first: NDArray[np.int64],
    vectors: NDArray[np.float64],
    distances: NDArray[np.float64],
    q: NDArray[np.float64],
    functions: Splines,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Derive what a bond adds to the energy by its vector, at fixed derivatives of the energy by the moments.

    Parameters
    ----------
    first, vectors, distances, functions
        As of `moments`.
    q : ndarray of shape (n_atoms, 10)
        Made by `moments`.

    Returns
    -------
    gradients : ndarray of shape (n_bonds, 3), eV/Å
    curvatures : ndarray of shape (n_bonds, 3, 3), eV/Å²
    """
    n = first.shape[0] - 1
    gradients = np.zeros((distances.shape[0], 3))
    curvatures = np.zeros((distances.shape[0], 3, 3))
    Q, Qx = np.zeros((3, 3)), np.zeros(3)
    for i in range(n):
        _conjugate(q[i], Q)
        for p in range(first[i], first[i + 1]):
            r, x = distances[p], vectors[p]
            u, u1, u2 = evaluate(r, 0, functions)
            w, w1, w2 = evaluate(r, 1, functions)
            s = t = 0.0
            for a in range(3):
                Qx[a] = 0.0
                for b in range(3):
                    Qx[a] += Q[a, b] * x[b]
                s += q[i, a] * x[a]
                t += x[a] * Qx[a]
            across = (u1 * s + w1 * t) / r
            along = (u2 * s + w2 * t - across) / r**2
            for a in range(3):
                gradients[p, a] = across * x[a] + u * q[i, a] + 2 * w * Qx[a]
                curvatures[p, a, a] += across
                for b in range(3):
                    curvatures[p, a, b] += along * x[a] * x[b] + 2 * w * Q[a, b]
                    curvatures[p, a, b] += u1 / r * (q[i, a] * x[b] + x[a] * q[i, b])
                    curvatures[p, a, b] += 2 * w1 / r * (Qx[a] * x[b] + x[a] * Qx[b])
    return gradients, curvatures


@njit(nogil=True)
def moment_gradients(
    vectors: NDArray[np.float64], distances: NDArray[np.float64], functions: Splines
) -> NDArray[np.float64]:
    """Derive the moments by the vector of each bond.

    Parameters
    ----------
    vectors, distances, functions
        As of `moments`.

    Returns
    -------
    ndarray of shape (n_bonds, 10, 3)
    """
    gradients = np.zeros((distances.shape[0], 10, 3))
    for p in range(distances.shape[0]):
        r, x = distances[p], vectors[p]
        u, u1, _ = evaluate(r, 0, functions)
        w, w1, _ = evaluate(r, 1, functions)
        for a in range(3):
            gradients[p, a, a] += u
            for b in range(3):
                gradients[p, a, b] += u1 / r * x[a] * x[b]
            gradients[p, 9, a] = (2 * w + w1 * r) * x[a]
        for k in range(6):
            a, b = _AXES[k]
            for c in range(3):
                gradients[p, 3 + k, c] += w1 / r * x[a] * x[b] * x[c]
            gradients[p, 3 + k, a] += w * x[b]
            gradients[p, 3 + k, b] += w * x[a]
    return gradients
