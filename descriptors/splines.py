"""What descriptors that resolve distances by B-splines have in common: parameters, knots, and the splines."""

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from vibentropy.descriptors.base import LocalDescriptor
from vibentropy.descriptors.parameters import SPECIES, Integer, Number, Parameter
from vibentropy.numerics.machine_code import njit


class SplineBins(LocalDescriptor):
    """Overlapping bins of distances, of the shape of B-splines.

    b is the B-spline around 0 on knots `spacing` apart: a triangle of height 1 and twice as wide as the spacing for
    degree 1. Knots lie at r_cut and every `spacing` below it until r_min is passed; nearer neighbours count as if they
    were at the lowest knot. Splines that are not zero at the cutoff, with their derivatives, are left out.

    A subclass has the parameters r_min, r_cut, spacing, degree and species.
    """

    parameters: ClassVar[dict[str, Parameter]] = {
        "r_min": Number("distance that no two atoms come much closer than", unit="Å", above=0),
        "r_cut": Number("cutoff", unit="Å", above=0, maximum=20),
        "spacing": Number("distance of the knots", unit="Å", above=0),
        "degree": Integer("of the splines", minimum=1, maximum=5),
        "species": SPECIES,
    }

    def check_parameters(self) -> None:
        """Check the parameters; see `Descriptor.check_parameters`."""
        super().check_parameters()
        if not self.r_min + self.spacing < self.r_cut:
            raise ValueError(
                f"r_min == {self.r_min}, must be at least one spacing ({self.spacing}) below r_cut == {self.r_cut}."
            )

    @property
    def n_bins(self) -> int:
        """Number of splines."""
        # A little less, for rounding.
        return int(np.ceil((self.r_cut - self.r_min) / self.spacing - 1e-9))

    @property
    def knots(self) -> NDArray[np.float64]:
        """Knots, ndarray of shape (n_bins + 2 * degree + 1,), Å: those of all splines, that are left out included."""
        return self.r_cut - self.spacing * np.arange(self.n_bins + self.degree, -self.degree - 1, -1.0)

    @property
    def bin_centres(self) -> NDArray[np.float64]:
        """Distance at which each spline is largest, ndarray of shape (n_bins,), Å."""
        return self.knots[: self.n_bins] + self.spacing * (self.degree + 1) / 2


@njit(nogil=True)
def splines_at(distance: float, lowest: float, spacing: float, degree: int, values: NDArray[np.float64]) -> int:
    """Evaluate the splines that are not zero at a distance; compiled.

    With u from 0 to 1 the place of r between two knots, the degree + 1 splines that are not zero there follow from
    those of the degree below (de Boor): N_j <- [(p - j + u) N_{j-1} + (j + 1 - u) N_j] / p.

    Parameters
    ----------
    distance, lowest, spacing : float, Å
        `lowest` is the knot that nearer neighbours are moved to, ``knots[degree]``.
    degree : int
    values : ndarray of shape (degree + 1,)
        Overwritten.

    Returns
    -------
    int
        Number of the first of them; those from `SplineBins.n_bins` on are left out.
    """
    place = max((distance - lowest) / spacing, 0.0)
    lower = int(place)
    u = place - lower
    values[0] = 1.0
    for p in range(1, degree + 1):
        values[p] = u / p * values[p - 1]
        for j in range(p - 1, 0, -1):
            values[j] = ((p - j + u) * values[j - 1] + (j + 1 - u) * values[j]) / p
        values[0] *= (1.0 - u) / p
    return lower
