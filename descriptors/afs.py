"""Angular Fourier Series (Bartók, Kondor, Csányi, Phys. Rev. B 87, 184115 (2013), section III.G)."""

from functools import lru_cache
from itertools import combinations_with_replacement
from typing import Any, ClassVar

import numpy as np
from numba import prange
from numpy.typing import NDArray

from vibentropy.descriptors.density import SUMS
from vibentropy.descriptors.invariants import DensityInvariants
from vibentropy.numerics.machine_code import njit


class AngularFourierSeries(DensityInvariants):
    """Angular Fourier Series, three-body: pairs of neighbours by their distances and the angle between them.

    A_{nl}(i) = Σ_{j<k} g_n(r_ij) g_n(r_ik) cos(l θ_jik) over pairs of distinct neighbours, with the radial functions
    of `vibentropy.descriptors.radial`. cos(lθ) is a sum of Legendre polynomials of cos θ, T_l = Σ_{l'} m_{ll'} P_{l'},
    and the addition theorem makes each of them a power spectrum of the neighbour density, so that the cost grows with
    the number of neighbours, not with its square:

        A_{nl} = 1/2 [ Σ_{l'} m_{ll'} Σ_m c_{nl'm}² - Σ_j g_n(r_ij)² ].

    With several species there is a block of features per central species (zero for atoms of another one), and in it
    one per pair of neighbour species s <= s'; pairs of unlike species take neither the 1/2 nor the subtraction.

    Parameters
    ----------
    n_max : int
        Number of radial functions, from 1.
    l_max : int
        Largest l, from 0.
    r_cut : float
        Cutoff in Å.
    species : list of str, optional
        Elements to tell apart; by default all atoms must be of one element.
    """

    seconds_per_atom: ClassVar[float] = 1.8e-5
    examples: ClassVar[tuple[dict[str, Any], ...]] = (
        {"n_max": 3, "l_max": 10, "r_cut": 5.0},
        {"n_max": 20, "l_max": 4, "r_cut": 4.0},
        {"n_max": 1, "l_max": 0, "r_cut": 3.0},
        {"n_max": 2, "l_max": 5, "r_cut": 4.5, "species": ["Fe", "Cr"]},
    )

    def __init__(self, n_max: int = 3, l_max: int = 10, r_cut: float = 5.0, species: list[str] | None = None) -> None:
        self.n_max = n_max
        self.l_max = l_max
        self.r_cut = r_cut
        self.species = species

    def labels(self) -> list[tuple[str, tuple[int, ...], str]]:
        """``A_n1_l0``; see `DensityInvariants.labels`."""
        return [
            ("A", pair, f"n{n}_l{degree}")
            for pair in combinations_with_replacement(range(self._n_species), 2)
            for n in range(1, self.n_max + 1)
            for degree in range(self.l_max + 1)
        ]

    def invariants(self, coefficients: NDArray[np.float64], squares: NDArray[np.float64]) -> NDArray[np.float64]:
        """Sum over pairs of distinct neighbours; see `DensityInvariants.invariants`."""
        n_pairs = self._n_species * (self._n_species + 1) // 2
        features = np.empty((len(coefficients), n_pairs, self.n_max, self.l_max + 1))
        _series(coefficients, squares, chebyshev_in_legendre(self.l_max), features)
        return features.reshape(len(features), -1)


@lru_cache
def chebyshev_in_legendre(l_max: int) -> NDArray[np.float64]:
    """Coefficients of the Chebyshev polynomials in Legendre polynomials: T_l = Σ_{l'} m_{ll'} P_{l'}.

    Parameters
    ----------
    l_max : int
        Largest l.

    Returns
    -------
    ndarray of shape (l_max + 1, l_max + 1)
        m_{ll'}, by a Gauss quadrature that is exact for these degrees.
    """
    nodes, weights = np.polynomial.legendre.leggauss(l_max + 1)
    chebyshev = np.polynomial.chebyshev.chebvander(nodes, l_max)
    legendre = np.polynomial.legendre.legvander(nodes, l_max)
    return np.einsum("q,ql,qk->lk", weights, chebyshev, legendre) * (np.arange(l_max + 1) + 0.5)


@njit(nogil=True, parallel=True, fastmath=SUMS)
def _series(coefficients, squares, legendre, features):
    """Fill features (n_atoms, n_pairs, n_max, l_max + 1) from the coefficients of the density."""
    n_atoms, n_species, n_max, _ = coefficients.shape
    n_degrees = len(legendre)
    for i in prange(n_atoms):
        power = np.empty(n_degrees)
        pair = 0
        for s in range(n_species):
            for u in range(s, n_species):
                for n in range(n_max):
                    c, d = coefficients[i, s, n], coefficients[i, u, n]
                    for degree in range(n_degrees):
                        power[degree] = 0.0
                        for k in range(degree**2, (degree + 1) ** 2):
                            power[degree] += c[k] * d[k]
                    factor, own = (0.5, squares[i, s, n]) if s == u else (1.0, 0.0)
                    for degree in range(n_degrees):
                        value = -own
                        # T_l has the parity of l.
                        for k in range(degree % 2, degree + 1, 2):
                            value += legendre[degree, k] * power[k]
                        features[i, pair, n, degree] = factor * value
                pair += 1
