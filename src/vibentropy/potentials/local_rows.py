"""Rows of the Hessian around some atoms at a time, of any potential whose Hessian ends at a distance.

Every periodic image has its own block, as in the infinite crystal that a cell stands for. An embedded-atom potential
makes the rows themselves (`vibentropy.potentials.hessian_rows`); any other one is asked for the Hessian of clusters in
free space, whose inner atoms do not feel that they are clusters. That takes more time, for the surroundings of each
cluster are gone through again, and their rows are thrown away where the potential cannot leave them out.
"""

from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import numpy as np
from ase import Atoms
from numpy.typing import NDArray
from scipy.sparse import bsr_array

from vibentropy.atoms.checks import element_indices
from vibentropy.atoms.clusters import clusters
from vibentropy.atoms.neighbours import neighbour_pairs
from vibentropy.potentials.embedded_atom import Potential
from vibentropy.potentials.embedded_hessian import Bonds
from vibentropy.potentials.hessian_rows import hessian_rows, sites
from vibentropy.potentials.protocols import HessianRows, LocalHessian

#: ``start``, ``columns`` and ``blocks``, see `vibentropy.potentials.hessian_rows.hessian_rows`.
Rows = tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]

#: Atoms whose stiffness is taken from one cluster.
_SIZE = 512


class PerAtom(Protocol):
    """What rows need to know about each atom of a cell.

    Attributes
    ----------
    stiffness : ndarray of shape (n_atoms, 3, 3), eV/Å²
        H_ii.
    """

    @property
    def stiffness(self) -> NDArray[np.float64]: ...  # noqa: D102


class LocalRows(Protocol):
    """How rows of a Hessian are made; see `local_rows`."""

    def per_atom(self, atoms: Atoms) -> PerAtom:
        """Find out what `rows` needs to know about each atom of a cell.

        Parameters
        ----------
        atoms : ase.Atoms
            Of elements of the potential, any cell and periodicity.

        Returns
        -------
        PerAtom

        Raises
        ------
        VibentropyError
            If the configuration is outside what the potential is defined for.
        """

    def rows(
        self, per_atom: Any, index: NDArray[np.int64], positions: NDArray[np.float64], n_rows: int, reach: float
    ) -> Rows:
        """Make the blocks of the Hessian between the first atoms of a cluster and all others in reach.

        Parameters
        ----------
        per_atom : PerAtom
            Of the cell.
        index : ndarray of shape (n_cluster,), int
            The atom of the cell that each of the cluster is, or is an image of.
        positions : ndarray of shape (n_cluster, 3), Å
            In free space. The surroundings of the first atoms are complete up to the range of the Hessian.
        n_rows : int
            Rows are wanted for the first so many atoms.
        reach : float
            Largest distance between the two atoms of a block, Å.

        Returns
        -------
        start, columns, blocks
            See `vibentropy.potentials.hessian_rows.hessian_rows`: without the blocks H_ii.
        """


def local_rows(potential: LocalHessian) -> LocalRows:
    """Find the way to rows of the Hessian of a potential.

    Parameters
    ----------
    potential : LocalHessian

    Returns
    -------
    LocalRows
    """
    return _OfEmbeddedAtoms(potential) if isinstance(potential, Potential) else _OfClusters(potential)


@dataclass(frozen=True)
class _OfEmbeddedAtoms:
    potential: Potential

    def per_atom(self, atoms):
        return sites(self.potential, atoms)

    def rows(self, per_atom, index, positions, n_rows, reach):
        pairs = neighbour_pairs(Atoms(f"X{len(positions)}", positions), self.potential.r_cut)
        bonds = Bonds(per_atom.kinds[index], *pairs)
        slope, curvature = per_atom.slope[index], per_atom.curvature[index]
        return hessian_rows(self.potential, bonds, n_rows, positions, slope, curvature, reach)


class _Stiffness(NamedTuple):
    numbers: NDArray[np.int64]
    stiffness: NDArray[np.float64]


@dataclass(frozen=True)
class _OfClusters:
    potential: LocalHessian

    def per_atom(self, atoms):
        element_indices(atoms, self.potential.elements)
        stiffness = np.empty((len(atoms), 3, 3))
        for centres, positions, index in clusters(atoms, self.potential.hessian_range, _SIZE):
            rows, columns, blocks = self._blocks(atoms.numbers[index], positions, len(centres))
            stiffness[centres] = blocks[rows == columns]
        return _Stiffness(atoms.numbers, stiffness)

    def rows(self, per_atom, index, positions, n_rows, reach):
        rows, columns, blocks = self._blocks(per_atom.numbers[index], positions, n_rows)
        distances = np.linalg.norm(positions[columns] - positions[rows], axis=1)
        taken = (rows != columns) & (distances < reach)
        start = np.searchsorted(rows[taken], np.arange(n_rows + 1))
        return start, columns[taken], blocks[taken]

    def _blocks(self, numbers, positions, n_rows):
        """Rows of the first atoms, columns and blocks; both ascend."""
        cluster = Atoms(numbers, positions)
        if isinstance(self.potential, HessianRows):
            hessian = self.potential.hessian_rows(cluster, n_rows)
        else:
            hessian = self.potential.hessian(cluster)
        hessian = bsr_array(hessian, blocksize=(3, 3), copy=True)
        hessian.sort_indices()
        rows = np.repeat(np.arange(n_rows), np.diff(hessian.indptr[: n_rows + 1]))
        return rows, hessian.indices[: len(rows)].astype(np.int64), hessian.data[: len(rows)]
