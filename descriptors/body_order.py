"""A ladder of body orders: two-body, three-body and four-body invariants of one and the same density."""

from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from vibentropy.descriptors.four_body import DensityBispectrum
from vibentropy.descriptors.invariants import DensityInvariants
from vibentropy.descriptors.parameters import Integer, Parameter
from vibentropy.descriptors.power_spectrum import PowerSpectrum
from vibentropy.descriptors.two_body import RadialDensity


class BodyOrder(DensityInvariants):
    """The kinds two_body, power_spectrum and four_body side by side, up to a body order.

    `RadialDensity`, `PowerSpectrum` and `DensityBispectrum`: each step adds features and changes none of those before,
    and the density is expanded once for all. With two bodies l_max says nothing.

    Parameters
    ----------
    body_order : int
        2, 3 or 4, the central atom included.
    n_max : int
        Number of radial functions, from 1.
    l_max : int
        Largest l, from 0.
    r_cut : float
        Cutoff in Å.
    species : list of str, optional
        Elements to tell apart; by default all atoms must be of one element.
    """

    parameters: ClassVar[dict[str, Parameter]] = {
        "body_order": Integer("number of bodies, the central atom included", minimum=2, maximum=4),
        **DensityInvariants.parameters,
    }
    seconds_per_atom: ClassVar[float] = 1.1e-5
    examples: ClassVar[tuple[dict[str, Any], ...]] = (
        {"body_order": 4, "n_max": 2, "l_max": 2, "r_cut": 4.5},
        {"body_order": 3, "n_max": 2, "l_max": 2, "r_cut": 4.0, "species": ["Fe", "Cr"]},
    )

    def __init__(
        self, body_order: int = 4, n_max: int = 3, l_max: int = 3, r_cut: float = 5.0, species: list[str] | None = None
    ) -> None:
        self.body_order = body_order
        self.n_max = n_max
        self.l_max = l_max
        self.r_cut = r_cut
        self.species = species

    def labels(self) -> list[tuple[str, tuple[int, ...], str]]:
        """Name the invariants of all parts; see `DensityInvariants.labels`."""
        return [label for part in self._parts for label in part.labels()]

    def invariants(self, coefficients: NDArray[np.float64], squares: NDArray[np.float64]) -> NDArray[np.float64]:
        """Join the invariants of all parts; see `DensityInvariants.invariants`."""
        return np.hstack([part.invariants(coefficients, squares) for part in self._parts])

    @property
    def _parts(self):
        parts = (
            RadialDensity(self.n_max, self.r_cut, self.species),
            PowerSpectrum(self.n_max, self.l_max, self.r_cut, self.species),
            DensityBispectrum(self.n_max, self.l_max, self.r_cut, self.species),
        )
        return parts[: self.body_order - 1]
