"""The Angular Fourier Series as its definition says: radial functions in a hundred digits, loops over pairs."""

from functools import cache

import mpmath
import numpy as np


@cache
def inverse_root_of_overlap(n_max):
    """S^(-1/2) with a hundred digits, and the proof that it is: symmetric, positive definite, its square inverts S."""
    alphas = range(1, n_max + 1)
    with mpmath.workdps(100):
        S = mpmath.matrix([[mpmath.sqrt((5 + 2 * a) * (5 + 2 * b)) / (5 + a + b) for b in alphas] for a in alphas])
        eigenvalues, vectors = mpmath.eigsy(S)
        inverse = vectors * mpmath.diag([1 / mpmath.sqrt(value) for value in eigenvalues]) * vectors.T
        inverse = (inverse + inverse.T) / 2
        mpmath.cholesky(inverse)
        assert mpmath.mnorm(inverse * S * inverse - mpmath.eye(n_max)) < mpmath.mpf(10) ** -40
        return inverse


def radial(r, n_max, r_cut):
    """g_n(r) = Σ_α S^(-1/2)_{nα} φ_α(r), shape (n_max,), as long doubles."""
    with mpmath.workdps(100):
        t, r_cut = mpmath.mpf(r_cut) - mpmath.mpf(float(r)), mpmath.mpf(r_cut)
        phi = [t ** (a + 2) * mpmath.sqrt((2 * a + 5) / r_cut ** (2 * a + 5)) for a in range(1, n_max + 1)]
        return np.array(
            [np.longdouble(mpmath.nstr(g, 25)) for g in inverse_root_of_overlap(n_max) * mpmath.matrix(phi)]
        )


def environment(atoms, centre, r_cut):
    """Vectors from one atom to all its neighbours, and their symbols, by looking at all periodic images."""
    images = np.stack(np.meshgrid(*[np.arange(-4, 5) if periodic else [0] for periodic in atoms.pbc]), axis=-1)
    vectors = (images.reshape(-1, 1, 3) @ atoms.cell[:] + atoms.positions - atoms.positions[centre]).reshape(-1, 3)
    lengths = np.linalg.norm(vectors, axis=1)
    near = (lengths > 1e-6) & (lengths < r_cut)
    return vectors[near].astype(np.longdouble), np.tile(atoms.symbols, images.size // 3)[near]


def double_loop(vectors, n_max, l_max, r_cut, pairs):
    """Σ g_n(r_j) g_n(r_k) cos(l θ_jk) over pairs of neighbours, shape (n_max, l_max + 1), in long doubles."""
    lengths = np.sqrt((vectors**2).sum(axis=1))
    g = np.array([radial(r, n_max, r_cut) for r in lengths])
    result = np.zeros((n_max, l_max + 1), dtype=np.longdouble)
    for j, k in pairs:
        cosine = np.clip(vectors[j] @ vectors[k] / lengths[j] / lengths[k], -1, 1)
        result += np.outer(g[j] * g[k], np.cos(np.arange(l_max + 1) * np.arccos(cosine)))
    return result
