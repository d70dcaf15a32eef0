"""Power spectrum of the neighbour density, with crossed radial channels."""

from itertools import combinations_with_replacement
from typing import Any, ClassVar

import numpy as np
from numba import prange
from numpy.typing import NDArray

from vibentropy.descriptors.density import SUMS
from vibentropy.descriptors.invariants import DensityInvariants
from vibentropy.numerics.machine_code import njit


class PowerSpectrum(DensityInvariants):
    """Power spectrum of the neighbour density with crossed radial channels, three-body.

        P_{nn'l}(i) = Σ_m c_{nlm} c_{n'lm} = Σ_{jk} g_n(r_ij) g_n'(r_ik) P_l(cos θ_jik),  n <= n',

    in 1/Å (Bartók, Kondor, Csányi, Phys. Rev. B 87, 184115 (2013), section III.C), without a prefactor since the
    harmonics are Racah's. The sum over neighbours is the whole double sum: terms j = k, which are two-body, are kept,
    as everywhere in the literature on the power spectrum and on the atomic cluster expansion. The Angular Fourier
    Series (``afs``) is its diagonal n = n' without them, in another basis of polynomials of cos θ.

    With several species n stands for a species and a radial function; unlike species have all pairs of functions.

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

    seconds_per_atom: ClassVar[float] = 7e-6
    examples: ClassVar[tuple[dict[str, Any], ...]] = (
        {"n_max": 4, "l_max": 4, "r_cut": 5.0},
        {"n_max": 2, "l_max": 3, "r_cut": 4.0, "species": ["Fe", "Cr"]},
    )

    def __init__(self, n_max: int = 4, l_max: int = 6, r_cut: float = 5.0, species: list[str] | None = None) -> None:
        self.n_max = n_max
        self.l_max = l_max
        self.r_cut = r_cut
        self.species = species

    def labels(self) -> list[tuple[str, tuple[int, ...], str]]:
        """``P_n1-n2_l0``; see `DensityInvariants.labels`."""
        return [
            ("P", (s, u), f"n{n}-n{k}_l{degree}")
            for (s, n), (u, k) in combinations_with_replacement(self._channels, 2)
            for degree in range(self.l_max + 1)
        ]

    def invariants(self, coefficients: NDArray[np.float64], squares: NDArray[np.float64]) -> NDArray[np.float64]:
        """Multiply coefficients and sum over m; see `DensityInvariants.invariants`."""
        n_atoms, _, _, n_harmonics = coefficients.shape
        n_channels = len(self._channels)
        spectrum = np.empty((n_atoms, n_channels * (n_channels + 1) // 2, self.l_max + 1))
        _spectrum(coefficients.reshape(n_atoms, n_channels, n_harmonics), spectrum)
        return spectrum.reshape(n_atoms, -1)


@njit(nogil=True, parallel=True, fastmath=SUMS)
def _spectrum(coefficients, spectrum):
    """Fill spectrum (n_atoms, n_pairs, l_max + 1) from coefficients (n_atoms, n_channels, (l_max + 1)²)."""
    n_atoms, n_channels, _ = coefficients.shape
    for i in prange(n_atoms):
        pair = 0
        for a in range(n_channels):
            for b in range(a, n_channels):
                c, d = coefficients[i, a], coefficients[i, b]
                for degree in range(spectrum.shape[2]):
                    total = 0.0
                    for k in range(degree**2, (degree + 1) ** 2):
                        total += c[k] * d[k]
                    spectrum[i, pair, degree] = total
                pair += 1
