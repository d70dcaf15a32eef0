"""Atom-centred symmetry functions (Behler, J. Chem. Phys. 134, 074106 (2011)), by dscribe."""

from itertools import product
from typing import Any, ClassVar

import numpy as np
from ase import Atoms
from ase.data import atomic_numbers
from dscribe.descriptors import ACSF

from vibentropy.atoms.clusters import clusters
from vibentropy.descriptors.base import BLOCK, LocalDescriptor
from vibentropy.descriptors.parameters import SPECIES, Choice, Integer, ListOf, Number, Parameter, Row


class SymmetryFunctions(LocalDescriptor):
    """Atom-centred symmetry functions, two- and three-body; by dscribe.

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

    parameters: ClassVar[dict[str, Parameter]] = {
        "r_cut": Number("cutoff", unit="Å", above=0, maximum=20),
        "g2": ListOf(
            "η (1/Å²) and R (Å) of each radial function",
            null="seven from 0.3 to 0.9 of the cutoff",
            item=Row(items=(Number("η", minimum=0), Number("R"))),
            order="different",
            empty=True,
        ),
        # Rounding makes 1 + λ cos θ negative at straight angles, where powers that are not whole are not a number.
        "g4": ListOf(
            "η (1/Å²), ζ and λ of each angular function",
            null="sixteen",
            item=Row(items=(Number("η", minimum=0), Integer("ζ", minimum=1), Choice("λ", among=(-1, 1)))),
            order="different",
            empty=True,
        ),
        "species": SPECIES,
    }
    seconds_per_atom: ClassVar[float] = 4.0e-4
    examples: ClassVar[tuple[dict[str, Any], ...]] = (
        {"r_cut": 4.0},
        {"r_cut": 3.5, "g2": [[0.5, 2.0]], "g4": [[0.05, 1, -1], [0.1, 3, 1]], "species": ["Fe", "Cr"]},
        {"r_cut": 3.0, "g2": [], "g4": []},
    )

    def __init__(
        self,
        r_cut: float = 5.0,
        g2: list[list[float]] | None = None,
        g4: list[list[float]] | None = None,
        species: list[str] | None = None,
    ) -> None:
        self.r_cut = r_cut
        self.g2 = g2
        self.g4 = g4
        self.species = species

    @property
    def feature_names(self) -> list[str]:
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
        return sorted(self.species, key=atomic_numbers.__getitem__) if self.species else [None]

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
        for centres, positions, index in clusters(atoms, self.r_cut, BLOCK):
            cluster = Atoms(numbers=atoms.numbers[index], positions=positions)
            values = acsf.create(cluster, centers=np.arange(len(centres)))
            features = np.zeros((len(centres), len(species), values.shape[1]))
            features[np.arange(len(centres)), centre[centres]] = values
            yield centres, features.reshape(len(centres), -1)
