"""Radial densities: what the distances of the neighbours say, and nothing of their angles."""

from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from vibentropy.descriptors.invariants import DensityInvariants
from vibentropy.descriptors.parameters import Parameter


class RadialDensity(DensityInvariants):
    """Radial densities of the neighbours, two-body: the baseline of all others.

    R_{sn}(i) = Σ_j g_n(r_ij) over the neighbours j of species s, with the radial functions of
    `vibentropy.descriptors.radial`; in Å^(-1/2).

    Parameters
    ----------
    n_max : int
        Number of radial functions, from 1.
    r_cut : float
        Cutoff in Å.
    species : list of str, optional
        Elements to tell apart; by default all atoms must be of one element.
    """

    #: c_{n00} is all it takes, Y_00 being 1.
    l_max: ClassVar[int] = 0
    parameters: ClassVar[dict[str, Parameter]] = {
        name: parameter for name, parameter in DensityInvariants.parameters.items() if name != "l_max"
    }
    seconds_per_atom: ClassVar[float] = 6e-6
    examples: ClassVar[tuple[dict[str, Any], ...]] = (
        {"n_max": 10, "r_cut": 5.0},
        {"n_max": 3, "r_cut": 3.5, "species": ["Fe", "Cr"]},
    )

    def __init__(self, n_max: int = 10, r_cut: float = 5.0, species: list[str] | None = None) -> None:
        self.n_max = n_max
        self.r_cut = r_cut
        self.species = species

    def labels(self) -> list[tuple[str, tuple[int, ...], str]]:
        """``R_n1``; see `DensityInvariants.labels`."""
        return [("R", (s,), f"n{n}") for s, n in self._channels]

    def invariants(self, coefficients: NDArray[np.float64], squares: NDArray[np.float64]) -> NDArray[np.float64]:
        """Take the sums of radial functions; see `DensityInvariants.invariants`."""
        return coefficients[..., 0].reshape(len(coefficients), -1)
