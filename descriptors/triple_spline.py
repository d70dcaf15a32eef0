"""Pairs of neighbours resolved by B-splines of both distances and Legendre polynomials of the angle between them."""

from itertools import product
from typing import Any, ClassVar

import numpy as np
from numba import prange

from vibentropy.atoms.neighbours import neighbour_blocks
from vibentropy.descriptors.parameters import Integer, ListOf, Parameter
from vibentropy.descriptors.splines import SplineBins, splines_at
from vibentropy.numerics.machine_code import njit


class TripleSpline(SplineBins):
    """Pairs of neighbours by both distances, in overlapping bins of the shape of B-splines, and by angle; three-body.

    T_{rsl}(i) = Σ_{j≠k} b(r_ij - r) b(r_ik - s) P_l(cos θ_jik) for r < s, and half of it for r = s, with the bins of
    `pair_spline` and Legendre polynomials P_l: each pair of neighbours counts once. Any sum of the features is a sum
    over pairs of neighbours of Σ_l ψ_l(r_ij, r_ik) P_l(cos θ_jik).

    They are what the logarithm of the stiffness of an atom, H_ii = Σ_j [k_r r̂r̂ᵀ + k_t (1 - r̂r̂ᵀ)], has at second order
    in its bonds: degree 0 comes from (tr H_ii)², degree 2 from tr H_ii². An embedding adds degree 1, |Σ_j f'(r_ij) r̂|².

    It is for the first shells: the cost grows with the square of the number of neighbours, and the number of features
    with that of the bins. Features this fine should have one scale, and a penalty of their own beside others: the
    regressor `ridge` with `scale: block` and `block_penalties`.

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
    angular : list of int, optional
        Degrees l of the Legendre polynomials; by default 0, 1 and 2.
    species : list of str, optional
        Elements to tell apart; by default all atoms must be of one element. With several, bins are of an element and a
        distance, and there are features for each central element.
    """

    parameters: ClassVar[dict[str, Parameter]] = {
        **SplineBins.parameters,
        "angular": ListOf(
            "degrees of the Legendre polynomials of the angle",
            null="0, 1 and 2",
            item=Integer(minimum=0, maximum=12),
            order="ascending",
        ),
    }
    seconds_per_atom: ClassVar[float] = 1e-5
    examples: ClassVar[tuple[dict[str, Any], ...]] = (
        {"r_min": 1.8, "r_cut": 3.6, "spacing": 0.3},
        {"r_min": 2.2, "r_cut": 4.0, "spacing": 0.6, "degree": 2, "angular": [1, 4], "species": ["Fe", "Cr"]},
    )

    def __init__(
        self,
        r_min: float = 1.8,
        r_cut: float = 3.7,
        spacing: float = 0.1,
        degree: int = 1,
        angular: list[int] | None = None,
        species: list[str] | None = None,
    ) -> None:
        self.r_min = r_min
        self.r_cut = r_cut
        self.spacing = spacing
        self.degree = degree
        self.angular = angular
        self.species = species

    @property
    def feature_names(self) -> list[str]:
        """``T_2.500_2.900_l0``; with species ``T_Fe_Fe-Cr_2.500_2.900_l0``, the central one and the neighbours."""
        species = [""] if self.species is None else self.species
        channels = list(product(species, self.bin_centres))
        names = []
        for central in species:
            for (s, r), (t, q) in (
                (channels[a], channels[b]) for a, b in zip(*np.triu_indices(len(channels)), strict=True)
            ):
                elements = "" if self.species is None else f"_{central}_{s}-{t}"
                names += [f"T{elements}_{r:.3f}_{q:.3f}_l{degree}" for degree in self._angular]
        return names

    @property
    def _angular(self):
        return [0, 1, 2] if self.angular is None else self.angular

    def _blocks(self, atoms):
        n_species, lowest = 1 if self.species is None else len(self.species), self.knots[self.degree]
        species, angular = self.species_indices(atoms), np.array(self._angular)
        n_channels = n_species * self.n_bins
        for centres, first, neighbour, vectors, distances in neighbour_blocks(atoms, self.r_cut):
            shape = (len(centres), n_species, n_channels * (n_channels + 1) // 2, len(angular))
            features, channel = np.zeros(shape), species[neighbour] * self.n_bins
            units = vectors / distances[:, None]
            bins = (lowest, self.spacing, self.degree, self.n_bins, n_channels)
            _count(first, species[centres], channel, units, distances, bins, angular, features)
            yield centres, features.reshape(len(centres), -1)


@njit(nogil=True, parallel=True)
def _count(first, central, channel, units, distances, bins, angular, features):
    """Add each pair of neighbours to features (n_atoms, n_species, n_pairs of channels, n_angular), zero before.

    Pairs of channels a <= b are in the order of `numpy.triu_indices`; `channel` is that of the lowest bin of the
    neighbour's species.
    """
    lowest, spacing, degree, n_bins, n_channels = bins
    for i in prange(len(first) - 1):
        begin, n_neighbours = first[i], first[i + 1] - first[i]
        values, lower = np.empty((n_neighbours, degree + 1)), np.empty(n_neighbours, np.int64)
        legendre = np.empty(angular[-1] + 1)
        for j in range(n_neighbours):
            lower[j] = splines_at(distances[begin + j], lowest, spacing, degree, values[j])
        out = features[i, central[i]]
        for j in range(n_neighbours):
            for k in range(j):
                u, v = units[begin + j], units[begin + k]
                cosine = u[0] * v[0] + u[1] * v[1] + u[2] * v[2]
                legendre[0] = 1.0
                if len(legendre) > 1:
                    legendre[1] = cosine
                for n in range(2, len(legendre)):
                    legendre[n] = ((2 * n - 1) * cosine * legendre[n - 1] - (n - 1) * legendre[n - 2]) / n
                for p in range(min(degree + 1, n_bins - lower[j])):
                    a = channel[begin + j] + lower[j] + p
                    for q in range(min(degree + 1, n_bins - lower[k])):
                        b = channel[begin + k] + lower[k] + q
                        low, high = min(a, b), max(a, b)
                        row = out[low * n_channels - low * (low - 1) // 2 + high - low]
                        weight = values[j, p] * values[k, q]
                        for m in range(len(angular)):
                            row[m] += weight * legendre[angular[m]]
