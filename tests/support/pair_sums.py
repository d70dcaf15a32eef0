"""A small descriptor that goes wrong when asked to, and cells for it."""

import numpy as np
from ase.build import bulk

from vibentropy.descriptors import Descriptor
from vibentropy.errors import StructureError


class PairSums(Descriptor):
    """Two sums over pairs of atoms within a cutoff, and whatever else a test needs to go wrong."""

    def __init__(self, r_cut=3.0, species=None, refuses=None, fails_at=None):
        self.r_cut = r_cut
        self.species = species
        self.refuses = refuses
        self.fails_at = fails_at

    @property
    def feature_names(self):
        return ["count", "square"]

    def _total(self, atoms):
        if len(atoms) == self.refuses:
            raise StructureError("too many atoms")
        if len(atoms) == self.fails_at:
            raise ValueError("no convergence")
        if len(atoms) == 1:
            return np.array([np.nan, 0.0])
        distances = atoms.get_all_distances(mic=True)
        smooth = np.where(distances < self.r_cut, (1 - distances / self.r_cut) ** 2, 0.0)
        return np.array([smooth.sum(), (smooth.sum(axis=1) ** 2).sum()])


CRYSTAL = bulk("Fe", "bcc", a=2.8553, cubic=True) * (3, 3, 3)


def vacancy():
    atoms = CRYSTAL.copy()
    del atoms[7]
    atoms.rattle(0.05, seed=1)
    return atoms
