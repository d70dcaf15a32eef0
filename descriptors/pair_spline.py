"""Pair distances resolved by B-splines: the radial distribution of neighbours, as fine as one likes."""

from itertools import product
from numbers import Integral, Real
from typing import ClassVar

import numpy as np
from scipy.interpolate import BSpline
from scipy.sparse import csr_array
from sklearn.utils import check_scalar

from vibentropy.descriptors.base import LocalDescriptor
from vibentropy.neighbours import neighbour_blocks


class PairSpline(LocalDescriptor):
    """Number of neighbours at each distance, in overlapping bins of the shape of B-splines.

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

    examples: ClassVar[tuple[dict, ...]] = (
        {"r_min": 1.8, "r_cut": 5.0, "spacing": 0.1},
        {"r_min": 2.2, "r_cut": 4.0, "spacing": 0.4, "degree": 3, "species": ["Fe", "Cr"]},
    )

    def __init__(self, r_min=1.8, r_cut=6.5, spacing=0.05, degree=1, species=None):
        self.r_min = r_min
        self.r_cut = r_cut
        self.spacing = spacing
        self.degree = degree
        self.species = species

    def check_parameters(self):
        """Check the parameters; see `Descriptor.check_parameters`."""
        super().check_parameters()
        for name in ("r_min", "r_cut", "spacing"):
            check_scalar(getattr(self, name), name, Real, min_val=0, include_boundaries="neither")
        check_scalar(self.degree, "degree", Integral, min_val=1, max_val=5)
        if not self.r_min + self.spacing < self.r_cut:
            raise ValueError(
                f"r_min == {self.r_min}, must be at least one spacing ({self.spacing}) below r_cut == {self.r_cut}."
            )

    @property
    def feature_names(self):
        """``B_2.500`` for the bin around 2.5 Å; with species ``B_Fe_Cr_2.500``."""
        centres = self._knots[: self._n_bins] + self.spacing * (self.degree + 1) / 2
        channels = [""] if self.species is None else [f"_{a}_{b}" for a, b in product(self.species, repeat=2)]
        return [f"B{channel}_{centre:.3f}" for channel in channels for centre in centres]

    @property
    def _n_bins(self):
        # A little less, for rounding.
        return int(np.ceil((self.r_cut - self.r_min) / self.spacing - 1e-9))

    @property
    def _knots(self):
        return self.r_cut - self.spacing * np.arange(self._n_bins + self.degree, -self.degree - 1, -1.0)

    def _blocks(self, atoms):
        symbols = np.array(atoms.get_chemical_symbols())
        for centres, first, neighbour, _, distances in neighbour_blocks(atoms, self.r_cut):
            lowest = self._knots[self.degree]
            # Those that are not zero at the cutoff, with their derivatives, are left out.
            bins = _splines(np.maximum(distances, lowest), self._knots, self.degree)[:, : self._n_bins]
            pairs = np.ones(len(distances)), np.arange(len(distances)), first
            if self.species is None:
                yield centres, (csr_array(pairs, shape=(len(centres), len(distances))) @ bins).toarray()
                continue
            of_centre = np.repeat(symbols[centres], np.diff(first))
            parts = []
            for central, other in product(self.species, repeat=2):
                counted = (of_centre == central) & (symbols[neighbour] == other)
                chosen = csr_array((counted.astype(float), *pairs[1:]), shape=(len(centres), len(distances)))
                parts.append((chosen @ bins).toarray())
            yield centres, np.hstack(parts)


def _splines(r, knots, degree):
    """Values of all splines at some distances, a row for each distance."""
    if not len(r):
        return csr_array((0, len(knots) - degree - 1))
    return BSpline.design_matrix(r, knots, degree)
