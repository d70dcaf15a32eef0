"""Vibrational modes, for what the determinant does not tell: entropies by atom, and their dependence on temperature."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from ase.units import kB
from numpy.typing import ArrayLike, NDArray
from scipy.linalg import eigh

from vibentropy.errors import SaddlePointError
from vibentropy.labels.determinants import MIN_EIGENVALUE
from vibentropy.units import KELVIN_PER_THZ, THZ_PER_SQRT_EV_PER_A2_U


@dataclass(frozen=True)
class Modes:
    """Vibrations of a configuration at a minimum, without the three translations.

    Attributes
    ----------
    eigenvalues : ndarray of shape (3 n_atoms - 3,)
        Of the Hessian, ascending, in eV/Å².
    vectors : ndarray of shape (3 n_atoms, 3 n_atoms - 3) or None
        Normalised eigenvectors as columns; None where they were not computed.
    """

    eigenvalues: NDArray[np.float64]
    vectors: NDArray[np.float64] | None

    def site_entropies(self) -> NDArray[np.float64]:
        """Share of each atom in the entropy of the cell: -1/2 Σ_a [ln⁺ H]_{ia,ia}.

        What it is compared with is in docs/theory.md, "Site entropies".

        Returns
        -------
        ndarray of shape (n_atoms,), k_B
            They add up to -1/2 ln det' H, with H in eV/Å².
        """
        if self.vectors is None:
            raise ValueError("these modes have no vectors: ask `modes` for them")
        # Without the squares of all elements in memory.
        coordinates = np.einsum("iv,iv,v->i", self.vectors, self.vectors, np.log(self.eigenvalues))
        return np.asarray(-0.5 * coordinates.reshape(-1, 3).sum(axis=1))

    def frequencies(self, mass: float) -> NDArray[np.float64]:
        """Ordinary frequencies of the modes, for atoms of one mass.

        Parameters
        ----------
        mass : float
            Atomic mass in u.

        Returns
        -------
        ndarray of shape (3 n_atoms - 3,), THz
        """
        return np.sqrt(self.eigenvalues / mass) * THZ_PER_SQRT_EV_PER_A2_U


def modes(hessian: Any, vectors: bool = False, min_eigenvalue: float = MIN_EIGENVALUE) -> Modes:
    """Diagonalise a Hessian.

    Parameters
    ----------
    hessian : sparse array or ndarray of shape (3 n_atoms, 3 n_atoms)
        In eV/Å², symmetric, invariant under translation. Needs 72 n_atoms² bytes beside it, twice as much with vectors.
    vectors : bool
        Whether to compute eigenvectors, which takes more than twice as long.
    min_eigenvalue : float
        Smallest eigenvalue in eV/Å² that counts as clearly positive.

    Returns
    -------
    Modes

    Raises
    ------
    SaddlePointError
        If an eigenvalue other than the translations is not clearly positive.
    """
    return _diagonalised(_dense(hessian), vectors, min_eigenvalue)


def _dense(hessian):
    """Copy a Hessian into an array that may be overwritten."""
    return hessian.toarray() if hasattr(hessian, "toarray") else np.array(hessian, dtype=float)


def _diagonalised(matrix, vectors, min_eigenvalue):
    """Find the modes of a matrix, which is overwritten."""
    # The transpose is the same matrix in the order of LAPACK, which then needs no copy. With relatively robust
    # representations (evr) it also works in one matrix less than by divide and conquer, and takes as long.
    solution = eigh(matrix.T, eigvals_only=not vectors, driver="evr", overwrite_a=True, check_finite=False)
    eigenvalues, columns = solution if vectors else (solution, None)
    if abs(eigenvalues[:3]).max() >= min_eigenvalue or eigenvalues[3] < min_eigenvalue:
        lowest = ", ".join(f"{value:.2e}" for value in eigenvalues[:4])
        raise SaddlePointError(
            f"the lowest eigenvalues of the Hessian are {lowest} eV/Å²; expected three translations and nothing else "
            f"below {min_eigenvalue:.1e}"
        )
    return Modes(eigenvalues[3:], None if columns is None else columns[:, 3:])


def frequencies(hessian: Any, masses: ArrayLike, min_eigenvalue: float = MIN_EIGENVALUE) -> NDArray[np.float64]:
    """Ordinary frequencies of a configuration at a minimum, without the three translations.

    Parameters
    ----------
    hessian, min_eigenvalue
        As of `modes`; the smallest eigenvalue is that of the Hessian divided by the mean mass, times it.
    masses : array_like of shape (n_atoms,)
        Atomic masses in u.

    Returns
    -------
    ndarray of shape (3 n_atoms - 3,), THz

    Raises
    ------
    SaddlePointError
        As `modes`.
    """
    masses = np.asarray(masses, dtype=float)
    roots = np.repeat(np.sqrt(masses / masses.mean()), 3)
    matrix = _dense(hessian)
    matrix /= roots
    matrix /= roots[:, None]
    return _diagonalised(matrix, False, min_eigenvalue).frequencies(masses.mean())


def quantum_entropy(frequencies: NDArray[np.float64], temperature: float) -> float:
    """Entropy of harmonic oscillators, Σ [x/(eˣ - 1) - ln(1 - e⁻ˣ)] with x = h ν / k_B T.

    Parameters
    ----------
    frequencies : ndarray of shape (n_modes,), THz
    temperature : float, K

    Returns
    -------
    float, k_B
    """
    x, occupied, logarithm = _oscillators(frequencies, temperature)
    return float((x * np.exp(-x) / occupied - logarithm).sum())


def quantum_free_energy(frequencies: NDArray[np.float64], temperature: float) -> float:
    """Free energy of harmonic oscillators with their zero-point energy, k_B T Σ [x/2 + ln(1 - e⁻ˣ)], x = h ν / k_B T.

    Parameters
    ----------
    frequencies : ndarray of shape (n_modes,), THz
    temperature : float, K

    Returns
    -------
    float, eV
    """
    x, _, logarithm = _oscillators(frequencies, temperature)
    return float(kB * temperature * (x / 2 + logarithm).sum())


def _oscillators(frequencies, temperature):
    """Quanta in units of k_B T, 1 - e⁻ˣ and its logarithm."""
    x = np.asarray(frequencies) * (KELVIN_PER_THZ / temperature)
    occupied = -np.expm1(-x)  # 1 - e⁻ˣ, accurate for soft modes; stiff ones need their logarithm from e⁻ˣ itself.
    return x, occupied, np.where(x < np.log(2), np.log(occupied), np.log1p(-np.exp(-x)))
