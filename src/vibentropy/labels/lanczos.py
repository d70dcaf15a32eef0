"""The lowest eigenvalue of a Hessian, from products with vectors."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import eigh_tridiagonal

from vibentropy.errors import NotConvergedError


def lowest_eigenvalue(
    apply: Callable[[NDArray[np.float64]], NDArray[np.float64]],
    n_atoms: int,
    tolerance: float = 1e-3,
    floor: float = -np.inf,
    between: int = 20,
    max_steps: int = 20_000,
) -> float:
    """Lowest eigenvalue of a symmetric matrix besides the translations of all atoms, by Lanczos' iteration.

    The vectors are not kept and lose their orthogonality, which makes copies of eigenvalues that have converged and
    changes none (Paige, Linear Algebra Appl. 34, 235 (1980)). An eigenvalue is within the norm of the residual.

    Parameters
    ----------
    apply : callable
        Product of the matrix and a vector of shape (3 n_atoms,); translations must be eigenvectors.
    n_atoms : int
    tolerance : float
        Norm of the residual at which to stop, in units of the eigenvalue.
    floor : float
        A bound that is as good as the eigenvalue, if that is below it.
    between : int
        Steps from one look at the eigenvalue to the next.
    max_steps : int

    Returns
    -------
    float
        In the unit of the matrix, from above; within `tolerance` of an eigenvalue unless it is below `floor`.

    Raises
    ------
    NotConvergedError
        After `max_steps`.
    """
    vector = _without_translations(np.random.default_rng(0).standard_normal(3 * n_atoms))
    vector /= np.linalg.norm(vector)
    previous, beta = np.zeros_like(vector), 0.0
    diagonal, beside = [], []
    for step in range(1, max_steps + 1):
        product = apply(vector)
        product -= beta * previous
        alpha = float(vector @ product)
        product -= alpha * vector
        product = _without_translations(product)
        beta = float(np.linalg.norm(product))
        diagonal.append(alpha)
        beside.append(beta)
        ended = step >= 3 * n_atoms - 3 or beta <= 1e-14 * abs(alpha)
        if ended or step % between == 0:
            values, vectors = eigh_tridiagonal(diagonal, beside[:-1], select="i", select_range=(0, 0))
            if ended or values[0] < floor or beta * abs(vectors[-1, 0]) <= tolerance * abs(values[0]):
                return float(values[0])
        previous, vector = vector, product / beta
    raise NotConvergedError(f"the lowest eigenvalue of the Hessian has not converged in {max_steps} steps")


def _without_translations(vector):
    by_atoms = vector.reshape(-1, 3)
    return (by_atoms - by_atoms.mean(axis=0)).ravel()
