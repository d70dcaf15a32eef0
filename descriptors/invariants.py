"""What descriptors made from the neighbour density have in common: parameters, names, and the way over the atoms."""

from abc import abstractmethod
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from vibentropy.atoms.neighbours import neighbour_blocks
from vibentropy.descriptors.base import LocalDescriptor, by_central_species
from vibentropy.descriptors.density import expand, make_basis
from vibentropy.descriptors.parameters import SPECIES, Integer, Number, Parameter


class DensityInvariants(LocalDescriptor):
    """Rotation invariants of the coefficients c_{snlm} of `vibentropy.descriptors.density`.

    With several species there is a block of features per central species, zero for atoms of another one. A subclass
    has the parameters n_max, l_max, r_cut and species, or a fixed l_max, and implements `labels` and `invariants`.
    """

    #: The functions are exact to rounding up to these bounds (tests/descriptors/test_density.py), and beyond them there
    #: would be more features than anybody has cells.
    parameters: ClassVar[dict[str, Parameter]] = {
        "n_max": Integer("number of radial functions", minimum=1, maximum=40),
        "l_max": Integer("largest angular order", minimum=0, maximum=30),
        "r_cut": Number("cutoff", unit="Å", above=0, maximum=20),
        "species": SPECIES,
    }

    @property
    def feature_names(self) -> list[str]:
        """``A_n1_l0``; with several species ``A_Fe_Fe-Cr_n1_l0``, the central one and those of the neighbours."""
        if self._n_species == 1:
            return [f"{letter}_{functions}" for letter, _, functions in self.labels()]
        return [
            f"{letter}_{central}_{'-'.join(self.species[s] for s in neighbours)}_{functions}"
            for central in self.species
            for letter, neighbours, functions in self.labels()
        ]

    @abstractmethod
    def labels(self) -> list[tuple[str, tuple[int, ...], str]]:
        """Name the invariants of one atom.

        Returns
        -------
        list of (str, tuple of int, str)
            Letter of the descriptor, species of the neighbours, radial functions and degrees.
        """

    @abstractmethod
    def invariants(self, coefficients: NDArray[np.float64], squares: NDArray[np.float64]) -> NDArray[np.float64]:
        """Invariants of some atoms.

        Parameters
        ----------
        coefficients, squares : ndarray
            From `vibentropy.descriptors.density.expand`.

        Returns
        -------
        ndarray of shape (n_atoms, len(labels))
        """

    @property
    def _n_species(self):
        return 1 if self.species is None else len(self.species)

    @property
    def _channels(self):
        """Species and radial function of each density, in the order of the coefficients."""
        return [(s, n) for s in range(self._n_species) for n in range(1, self.n_max + 1)]

    def _blocks(self, atoms):
        basis = make_basis(self.r_cut, self.n_max, self.l_max)
        species = self.species_indices(atoms)
        for centres, first, neighbour, vectors, distances in neighbour_blocks(atoms, self.r_cut):
            density = expand(first, neighbour, vectors, distances, species, self._n_species, basis)
            values = self.invariants(*density)
            yield centres, by_central_species(values, species[centres], self._n_species)
