"""Cells cut to the atoms around their defects, for those who look at them."""

from dataclasses import dataclass

import numpy as np
from ase import Atoms
from numpy.typing import NDArray

from vibentropy.atoms.defect_sites import DefectSites, defect_sites, distances_from

#: How far from a defect atoms are shown, in units of the shortest translation of the lattice: three shells of bcc.
REACH = 1.8


@dataclass(frozen=True, eq=False)
class Surroundings:
    """The atoms around the defects of a cell, nearest first.

    Attributes
    ----------
    atoms : ase.Atoms
        In the cell, moved so that the defects are in its middle.
    distances : ndarray of shape (n_atoms,)
        From the nearest empty site or atom that shares one, Å.
    index : ndarray of int of shape (n_atoms,)
        Which atoms of the cell they are.
    sites : DefectSites or None
        Moved likewise; None where no lattice was found.
    """

    atoms: Atoms
    distances: NDArray[np.float64]
    index: NDArray[np.int64]
    sites: DefectSites | None

    @classmethod
    def of(cls, atoms: Atoms) -> "Surroundings":
        """Cut a cell to the surroundings of its defects.

        Parameters
        ----------
        atoms : ase.Atoms
            Periodic.

        Returns
        -------
        Surroundings
            Around the first atom where no defect is found.
        """
        sites = defect_sites(atoms)
        points = np.concatenate([sites.empty, atoms.positions[sites.shared]]) if sites else np.empty((0, 3))
        points = points if len(points) else atoms.positions[:1]
        reach = REACH * (sites.spacing if sites else (atoms.cell.volume / len(atoms)) ** (1 / 3))
        distances = distances_from(atoms, points, reach)
        index = np.argsort(distances, kind="stable")[: np.isfinite(distances).sum()]
        # Middle on the circle that each axis of the cell is.
        inverse = np.linalg.inv(atoms.cell[:])
        middle = np.angle(np.exp(2j * np.pi * (points @ inverse)).mean(axis=0)) / (2 * np.pi)
        moved = atoms[index]
        moved.positions = ((moved.positions @ inverse + 0.5 - middle) % 1.0) @ atoms.cell[:]
        if sites:
            sites = sites._replace(empty=((sites.empty @ inverse + 0.5 - middle) % 1.0) @ atoms.cell[:])
        return cls(moved, distances[index], index, sites)
