"""Pair distances resolved by B-splines: the radial distribution of neighbours, as fine as one likes."""

from collections.abc import Sequence
from itertools import product
from typing import Any, ClassVar

import numpy as np
from numba import prange

from vibentropy.atoms.neighbours import neighbour_blocks
from vibentropy.descriptors.splines import SplineBins, splines_at
from vibentropy.numerics.machine_code import njit


class PairSpline(SplineBins):
    """Number of neighbours at each distance, in overlapping bins of the shape of B-splines; two-body.

    B_r(i) = Σ_j b(r_ij - r), with b the B-spline around 0 on knots `spacing` apart, which is a triangle of height 1 and
    twice as wide as the spacing for degree 1. Knots lie at r_cut and every `spacing` below it until r_min is passed;
    nearer neighbours count as if they were at the lowest knot. Any sum of the features is a pair term Σ_j ψ(r_ij), ψ
    being a spline that goes to zero at the cutoff.

    It takes no more time with more bins, and vibrations need many: the stiffness of a bond is a second derivative of
    the potential, and that of a tabulated metal is a line that bends every tenth of an Å.

    Parameters
    ----------
    r_min : float
        Distance in Å that no two atoms come much closer than.
    r_cut : float
        Cutoff in Å.
    spacing : float
        Of the knots, Å.
    degree : int
        Of the splines, from 1; they have one continuous derivative less.
    species : list of str, optional
        Elements to tell apart; by default all atoms must be of one element. With several there are features for each
        pair of central atom and neighbour.
    """

    seconds_per_atom: ClassVar[float] = 8e-6
    examples: ClassVar[tuple[dict[str, Any], ...]] = (
        {"r_min": 1.8, "r_cut": 5.0, "spacing": 0.1},
        {"r_min": 2.2, "r_cut": 4.0, "spacing": 0.4, "degree": 3, "species": ["Fe", "Cr"]},
    )

    def __init__(
        self,
        r_min: float = 1.8,
        r_cut: float = 6.5,
        spacing: float = 0.05,
        degree: int = 1,
        species: list[str] | None = None,
    ) -> None:
        self.r_min = r_min
        self.r_cut = r_cut
        self.spacing = spacing
        self.degree = degree
        self.species = species

    @property
    def feature_names(self) -> list[str]:
        """``B_2.500`` for the bin around 2.5 Å; with species ``B_Fe_Cr_2.500``."""
        channels = [""] if self.species is None else [f"_{a}_{b}" for a, b in product(self.species, repeat=2)]
        return [f"B{channel}_{centre:.3f}" for channel in channels for centre in self.bin_centres]

    def in_words(self, names: Sequence[str] | None = None) -> list[str]:
        """Such as ``number of neighbours near 2.50 Å (feature B_2.500)``."""
        return [
            f"number of neighbours near {own.rpartition('_')[2]} Å (feature {name})"
            for own, name in zip(self.feature_names, names or self.feature_names, strict=True)
        ]

    def _blocks(self, atoms):
        lowest, n_channels = self.knots[self.degree], 1 if self.species is None else len(self.species)
        species = self.species_indices(atoms)
        for centres, first, neighbour, _, distances in neighbour_blocks(atoms, self.r_cut):
            features = np.zeros((len(centres), n_channels, n_channels, self.n_bins))
            _count(first, species[centres], species[neighbour], distances, lowest, self.spacing, self.degree, features)
            yield centres, features.reshape(len(centres), -1)


@njit(nogil=True, parallel=True)
def _count(first, central, other, distances, lowest, spacing, degree, features):
    """Add the splines of each pair to features (n_atoms, n_species, n_species, n_bins), which are zero before."""
    n_bins = features.shape[-1]
    for i in prange(len(first) - 1):
        values = np.empty(degree + 1)
        for pair in range(first[i], first[i + 1]):
            lower = splines_at(distances[pair], lowest, spacing, degree, values)
            row = features[i, central[i], other[pair]]
            for j in range(min(degree + 1, n_bins - lower)):
                row[lower + j] += values[j]
