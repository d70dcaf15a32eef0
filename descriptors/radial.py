"""Radial functions of the Angular Fourier Series, well defined for any number of them.

The functions of Bartók, Kondor, Csányi, Phys. Rev. B 87, 184115 (2013), section III.G, are

    φ_α(r) = (r_cut - r)^(α+2) / N_α,  N_α² = r_cut^(2α+5) / (2α+5),  α = 1..n_max,

orthonormalised symmetrically on [0, r_cut]: g = S^(-1/2) φ. The overlap S is so ill-conditioned (1e32 at
n_max = 20) that this product means nothing in double precision from n_max of about 11 on, yet the g_n are tame. So
they are evaluated as g = R ψ. In t = 1 - r / r_cut the ψ_k(r) = t³ p_k(t) / √r_cut are orthonormal too, p_k being the
orthonormal polynomials of the weight t⁶ on [0, 1] (Jacobi polynomials), and R = S^(-1/2) L, S = L Lᵀ, is orthogonal.
L is the matrix that takes ψ to φ because both sides have degree k in t and positive leading coefficients.
"""

from functools import lru_cache

import mpmath
import numpy as np
from numpy.typing import NDArray


def overlap(n_max: int) -> mpmath.matrix:
    """Overlap matrix of the radial functions φ_α, in mpmath's current precision.

    Parameters
    ----------
    n_max : int
        Number of functions.

    Returns
    -------
    mpmath.matrix of shape (n_max, n_max), dimensionless
        S_{αβ} = sqrt((5 + 2α)(5 + 2β)) / (5 + α + β) with α, β from 1.
    """
    alphas = range(1, n_max + 1)
    return mpmath.matrix([[mpmath.sqrt((5 + 2 * a) * (5 + 2 * b)) / (5 + a + b) for b in alphas] for a in alphas])


@lru_cache
def rotation(n_max: int) -> NDArray[np.float64]:
    """Orthogonal matrix from the orthonormal polynomials to the radial functions.

    Parameters
    ----------
    n_max : int
        Number of functions.

    Returns
    -------
    ndarray of shape (n_max, n_max), dimensionless
        R = S^(-1/2) L, correct to double precision; read-only, since it is computed once.
    """
    # The condition number of S grows by a factor of 40 per function; these digits leave 50 behind it.
    with mpmath.workdps(60 + 2 * n_max):
        S = overlap(n_max)
        eigenvalues, vectors = mpmath.eigsy(S)
        inverse_root = vectors * mpmath.diag([1 / mpmath.sqrt(value) for value in eigenvalues]) * vectors.T
        matrix = np.array((inverse_root * mpmath.cholesky(S)).tolist(), dtype=float)
    matrix.flags.writeable = False
    return matrix


def recurrence(n_max: int) -> NDArray[np.float64]:
    """Three-term recurrence of the orthonormal polynomials p_k of the weight t⁶ on [0, 1].

    t p_k = b_{k+1} p_{k+1} + a_k p_k + b_k p_{k-1}, from the monic recurrence of the Jacobi polynomials
    P_k^(0,6)(2t - 1) (NIST Digital Library of Mathematical Functions, 18.9.2); p_0 = √7.

    Parameters
    ----------
    n_max : int
        Number of polynomials.

    Returns
    -------
    ndarray of shape (n_max, 2), dimensionless
        a_k and b_k for k from 0; b_0 is zero.
    """
    k = np.arange(n_max)
    a = 0.5 + 4.5 / ((k + 3) * (k + 4))
    b = 0.5 * k * (k + 6) / ((k + 3) * np.sqrt((2 * k + 5) * (2 * k + 7)))
    return np.column_stack([a, b])
