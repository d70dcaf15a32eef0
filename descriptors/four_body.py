"""Bispectrum of the neighbour density: its invariants of third order, which see four atoms at a time."""

from functools import lru_cache
from itertools import combinations_with_replacement
from typing import Any, ClassVar, NamedTuple

import numpy as np
from numba import prange
from numpy.typing import NDArray

from vibentropy.descriptors.density import SUMS, make_basis, real_harmonics
from vibentropy.descriptors.invariants import DensityInvariants
from vibentropy.numerics.machine_code import njit


class DensityBispectrum(DensityInvariants):
    """Bispectrum of the neighbour density, four-body.

    See Bartók, Payne, Kondor, Csányi, Phys. Rev. Lett. 104, 136403 (2010). The part of degree l of the n-th density,
    seen in direction u, is ρ_{nl}(u) = Σ_m c_{nlm} Y_{lm}(u) = Σ_j g_n(r_ij) P_l(u·r_ij / r_ij), and the invariants are
    means over the sphere of products of three,

        B_{n₁n₂n₃l₁l₂l₃}(i) = 1/4π ∫ ρ_{n₁l₁} ρ_{n₂l₂} ρ_{n₃l₃} du = Σ_{m₁m₂m₃} G c_{n₁l₁m₁} c_{n₂l₂m₂} c_{n₃l₃m₃},

    in Å^(-3/2), G being the Gaunt coefficients of real harmonics in Racah's normalisation: the product of the
    Wigner 3j symbol of (l₁ 0, l₂ 0, l₃ 0) and that of (l₁m₁, l₂m₂, l₃m₃), the latter in the real basis. So
    l₁ <= l₂ <= l₃ <= l₁ + l₂ with an even sum; combinations with an odd sum change sign in a mirror and are no
    invariants. Of those that differ in the order of their factors only one is kept. As in the atomic cluster expansion
    (Drautz, Phys. Rev. B 99, 014104 (2019)), terms in which neighbours coincide, of lower body order, remain.

    With several species n stands for a species and a radial function. The number of features grows with the cube of
    n_max times the number of species: 26 for n_max = 2, l_max = 2 and one species, 304 for 4 and 3.

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

    seconds_per_atom: ClassVar[float] = 9e-6
    examples: ClassVar[tuple[dict[str, Any], ...]] = (
        {"n_max": 2, "l_max": 3, "r_cut": 4.5},
        {"n_max": 1, "l_max": 2, "r_cut": 4.0, "species": ["Fe", "Cr"]},
    )

    def __init__(self, n_max: int = 3, l_max: int = 3, r_cut: float = 5.0, species: list[str] | None = None) -> None:
        self.n_max = n_max
        self.l_max = l_max
        self.r_cut = r_cut
        self.species = species

    def labels(self) -> list[tuple[str, tuple[int, ...], str]]:
        """``B_n1-n1-n2_l0-l1-l1``; see `DensityInvariants.labels`."""
        labels = []
        for degrees, which in components(self.l_max, len(self._channels)):
            species, functions = zip(*(self._channels[a] for a in which), strict=True)
            labels.append(("B", species, f"{_joined('n', functions)}_{_joined('l', degrees)}"))
        return labels

    def invariants(self, coefficients: NDArray[np.float64], squares: NDArray[np.float64]) -> NDArray[np.float64]:
        """Couple coefficients in threes; see `DensityInvariants.invariants`."""
        n_atoms, n_species, n_max, n_harmonics = coefficients.shape
        bispectrum = np.empty((n_atoms, len(components(self.l_max, n_species * n_max))))
        coefficients = coefficients.reshape(n_atoms, n_species * n_max, n_harmonics)
        _bispectrum(coefficients, couplings(self.l_max), bispectrum)
        return bispectrum


def _joined(letter, numbers):
    return "-".join(f"{letter}{number}" for number in numbers)


class Couplings(NamedTuple):
    """How three coefficients of a density make an invariant.

    Attributes
    ----------
    degrees : ndarray of shape (n_triples, 3), int64
        l₁ <= l₂ <= l₃ of each invariant.
    first : ndarray of shape (n_triples + 1,), int64
        Coupling coefficients of triple t are those from ``first[t]`` to ``first[t + 1]``.
    harmonics : ndarray of shape (n_coefficients, 3), int64
        The three l² + l + m.
    gaunt : ndarray of shape (n_coefficients,)
        1/4π ∫ Y_{l₁m₁} Y_{l₂m₂} Y_{l₃m₃} du.
    """

    degrees: np.ndarray
    first: np.ndarray
    harmonics: np.ndarray
    gaunt: np.ndarray


@lru_cache
def couplings(l_max: int) -> Couplings:
    """Compute the coupling coefficients of all invariants of third order with degrees up to l_max.

    They are integrals of polynomials on the sphere, done by a product rule that is exact for their degree.

    Parameters
    ----------
    l_max : int
        Largest degree of the spherical harmonics.

    Returns
    -------
    Couplings
    """
    n_angles = 3 * l_max + 1
    heights, weights = np.polynomial.legendre.leggauss(3 * l_max // 2 + 1)
    angles = 2 * np.pi / n_angles * np.arange(n_angles)
    z = np.repeat(heights, n_angles)
    x, y = (np.outer(np.sqrt(1 - heights**2), f(angles)).ravel() for f in (np.cos, np.sin))
    Y = np.empty(((l_max + 1) ** 2, len(z)))
    real_harmonics(x, y, z, len(z), make_basis(1.0, 1, l_max), Y)
    weighted = Y * np.repeat(weights / (2 * n_angles), n_angles)
    degrees, first, harmonics, gaunt = [], [0], [], []
    for low, middle, high in combinations_with_replacement(range(l_max + 1), 3):
        if high > low + middle or (low + middle + high) % 2:
            continue
        rows = [slice(degree**2, (degree + 1) ** 2) for degree in (low, middle, high)]
        integrals = np.einsum("ap,bp,cp->abc", weighted[rows[0]], Y[rows[1]], Y[rows[2]])
        # Those that vanish by symmetry are left with rounding errors; the others are far above.
        allowed = np.argwhere(np.abs(integrals) > 1e-13)
        degrees.append((low, middle, high))
        harmonics.append(allowed + [low**2, middle**2, high**2])
        gaunt.append(integrals[tuple(allowed.T)])
        first.append(first[-1] + len(allowed))
    return Couplings(np.array(degrees), np.array(first), np.concatenate(harmonics), np.concatenate(gaunt))


@lru_cache
def components(l_max: int, n_channels: int) -> list[tuple[list[int], tuple[int, int, int]]]:
    """List the independent invariants of third order of a neighbour density, in the order of their computation.

    Parameters
    ----------
    l_max : int
        Largest degree of the spherical harmonics.
    n_channels : int
        Number of densities of an atom: radial functions times species.

    Returns
    -------
    list of (list of int, tuple of int)
        Three degrees, and the three densities that they are of.
    """
    return [
        (degrees, (a, b, c))
        for degrees in couplings(l_max).degrees.tolist()
        for a in range(n_channels)
        for b in range(a if degrees[0] == degrees[1] else 0, n_channels)
        for c in range(b if degrees[1] == degrees[2] else 0, n_channels)
    ]


@njit(nogil=True, parallel=True, fastmath=SUMS)
def _bispectrum(coefficients, coupled, bispectrum):
    """Fill bispectrum (n_atoms, n_features) from coefficients (n_atoms, n_channels, (l_max + 1)²)."""
    n_atoms, n_channels, n_harmonics = coefficients.shape
    for i in prange(n_atoms):
        pair = np.empty(n_harmonics)
        feature = 0
        for t in range(len(coupled.degrees)):
            low, middle, high = coupled.degrees[t]
            start, stop = high**2, (high + 1) ** 2
            for a in range(n_channels):
                for b in range(a if low == middle else 0, n_channels):
                    # Two densities make one of the third degree, shared by all that it is multiplied with.
                    pair[start:stop] = 0.0
                    for e in range(coupled.first[t], coupled.first[t + 1]):
                        p, q, r = coupled.harmonics[e]
                        pair[r] += coupled.gaunt[e] * coefficients[i, a, p] * coefficients[i, b, q]
                    for c in range(b if middle == high else 0, n_channels):
                        total = 0.0
                        for r in range(start, stop):
                            total += pair[r] * coefficients[i, c, r]
                        bispectrum[i, feature] = total
                        feature += 1
