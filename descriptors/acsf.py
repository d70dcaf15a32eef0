"""Atom-centred symmetry functions (Behler, J. Chem. Phys. 134, 074106 (2011)), by dscribe."""

from itertools import product
from numbers import Integral, Real
from typing import ClassVar

import numpy as np
from ase import Atoms
from ase.data import atomic_numbers
from dscribe.descriptors import ACSF
from sklearn.utils import check_scalar

from vibentropy.descriptors.base import LocalDescriptor
from vibentropy.descriptors.clusters import clusters


class SymmetryFunctions(LocalDescriptor):
    """Atom-centred symmetry functions of dscribe.

    With f(r) = (1 + cos(π r / r_cut)) / 2 and sums over neighbours within r_cut,

        G1(i) = Σ_j f(r_ij),
        G2(i) = Σ_j exp(-η (r_ij - R)²) f(r_ij),
        G4(i) = 2^(1-ζ) Σ_{j<k} (1 + λ cos θ_jik)^ζ exp(-η (r_ij² + r_ik² + r_jk²)) f(r_ij) f(r_ik) f(r_jk).

    G1 is always there. With several species there is a block of features per central species (zero for atoms of
    another one), and in it one G1 and G2 per neighbour species and one G4 per pair of them. Species are in the order
    of their atomic numbers.

    The functions that are taken by default are G2 in steps of R of a tenth of the cutoff, from 0.3 to 0.9, each as
    wide (standard deviation) as the step, and G4 with Gaussians as wide as the cutoff and as half of it, ζ of 1, 2, 4
    and 16, and both signs of λ.

    Parameters
    ----------
    r_cut : float
        Cutoff in Å.
    g2 : list of [float, float], optional
        η (1/Å²) and R (Å) of each G2; an empty list for none.
    g4 : list of [float, int, float], optional
        η (1/Å²), ζ (a whole number from 1) and λ (-1 or 1) of each G4; an empty list for none.
    species : list of str, optional
        Elements to tell apart; by default all atoms must be of one element.
    """

    seconds_per_atom: ClassVar[float] = 4.0e-4
    examples: ClassVar[tuple[dict, ...]] = (
        {"r_cut": 4.0},
        {"r_cut": 3.5, "g2": [[0.5, 2.0]], "g4": [[0.05, 1, -1], [0.1, 3, 1]], "species": ["Fe", "Cr"]},
        {"r_cut": 3.0, "g2": [], "g4": []},
    )

    def __init__(self, r_cut=5.0, g2=None, g4=None, species=None):
        self.r_cut = r_cut
        self.g2 = g2
        self.g4 = g4
        self.species = species

    def check_parameters(self):
        """Check the parameters; see `Descriptor.check_parameters`."""
        super().check_parameters()
        check_scalar(self.r_cut, "r_cut", Real, min_val=0, include_boundaries="neither")
        for row in _rows(self.g2, "g2", "[η, R]"):
            check_scalar(row[0], "η of g2", Real, min_val=0)
            check_scalar(row[1], "R of g2", Real)
        for row in _rows(self.g4, "g4", "[η, ζ, λ]"):
            check_scalar(row[0], "η of g4", Real, min_val=0)
            # Rounding makes 1 + λ cos θ negative at straight angles, where other powers are not a number.
            check_scalar(row[1], "ζ of g4", Integral, min_val=1)
            if row[2] not in (-1, 1):
                raise ValueError(f"λ of g4 == {row[2]!r}, must be -1 or 1.")

    @property
    def feature_names(self):
        """``G2_eta0.5_R2.0``; with several species ``G2_Fe_Cr_eta0.5_R2.0``, the central one and the neighbours'."""
        radial = ["", *(f"_eta{eta:.12g}_R{shift:.12g}" for eta, shift in self._g2)]
        angular = [f"_eta{eta:.12g}_zeta{zeta}_lambda{sign:+g}" for eta, zeta, sign in self._g4]
        species = self._sorted_species
        if len(species) == 1:
            centres, neighbours, pairs = [""], [""], [""]
        else:
            centres = neighbours = [f"_{symbol}" for symbol in species]
            # Of the two orders of a pair dscribe takes the lower triangle.
            pairs = [f"_{second}-{first}" for k, first in enumerate(species) for second in species[: k + 1]]
        block = [
            *(("G2" if name else "G1", neighbour, name) for neighbour, name in product(neighbours, radial)),
            *(("G4", pair, name) for pair, name in product(pairs, angular)),
        ]
        return [f"{kind}{centre}{other}{name}" for centre in centres for kind, other, name in block]

    @property
    def _sorted_species(self):
        return sorted(self.species, key=atomic_numbers.get) if self.species else [None]

    @property
    def _g2(self):
        if self.g2 is not None:
            return self.g2
        step = self.r_cut / 10
        return [[0.5 / step**2, k * step] for k in range(3, 10)]

    @property
    def _g4(self):
        if self.g4 is not None:
            return self.g4
        return [[0.5 / w**2, z, s] for w, z, s in product((self.r_cut, self.r_cut / 2), (1, 2, 4, 16), (-1, 1))]

    def _blocks(self, atoms):
        species = self._sorted_species if self.species else [atoms[0].symbol]
        # dscribe takes no empty list for none.
        acsf = ACSF(species=species, r_cut=self.r_cut, g2_params=self._g2 or None, g4_params=self._g4 or None)
        centre = np.searchsorted([atomic_numbers[symbol] for symbol in species], atoms.numbers)
        for centres, positions, index in clusters(atoms, self.r_cut):
            cluster = Atoms(numbers=atoms.numbers[index], positions=positions)
            values = acsf.create(cluster, centers=np.arange(len(centres)))
            features = np.zeros((len(centres), len(species), values.shape[1]))
            features[np.arange(len(centres)), centre[centres]] = values
            yield centres, features.reshape(len(centres), -1)


def _rows(rows, name, expected):
    """Check that a parameter is a list of lists of finite numbers of the expected length, and return it."""
    if rows is None:
        return []
    length = expected.count(",") + 1
    for row in rows if isinstance(rows, list | tuple) else [rows]:
        numbers = isinstance(row, list | tuple) and all(isinstance(x, Real) and np.isfinite(x) for x in row)
        if not numbers or len(row) != length:
            raise TypeError(f"{name} == {rows!r}, must be a list of {expected}.")
    if len({tuple(row) for row in rows}) < len(rows):
        raise ValueError(f"{name} == {rows!r} holds a function twice.")
    return rows
