"""Extensive features: the descriptor of a whole cell minus that of as many atoms of the perfect crystal.

``X(cell) = total(cell) - N · bulk``, with ``bulk`` the descriptor of the perfect crystal per atom (docs/theory.md,
"Extensive features"). The perfect crystal is zero to rounding, and a cell repeated m times has m times the features.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations_with_replacement
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from ase import Atoms
from numpy.typing import ArrayLike, NDArray

from vibentropy.atoms.primitive import primitive_cell

if TYPE_CHECKING:
    from vibentropy.descriptors import Descriptor

#: Components of strain up to which perfect crystals count as the same, which is a change of volume by 0.03 %: lattice
#: constants are known to some 1e-5, and the entropy of a defect changes by hundredths of a k_B at most.
KNOWN_STRAIN = 1e-4

#: Unit cells along each axis of the perfect crystals that descriptors with values of atoms are computed of.
FEW = 4


def bulk_features(descriptor: Descriptor, crystal: Atoms) -> NDArray[np.float64]:
    """Descriptor of the perfect crystal per atom.

    Parameters
    ----------
    descriptor : Descriptor
    crystal : ase.Atoms
        Perfect crystal, any number of cells.

    Returns
    -------
    ndarray of shape (n_features,)
    """
    return np.asarray(descriptor.total(crystal), dtype=float) / len(crystal)


@dataclass(frozen=True, eq=False)
class DescribedCrystal:
    """A perfect crystal with its descriptor, which is computed once for many cells.

    Attributes
    ----------
    descriptor : Descriptor
    crystal : ase.Atoms
    features : ndarray of shape (n_features,)
        Descriptor per atom.
    """

    descriptor: Descriptor
    crystal: Atoms
    features: NDArray[np.float64]

    @classmethod
    def of(cls, descriptor: Descriptor, crystal: Atoms) -> Self:
        """Describe a perfect crystal.

        Parameters
        ----------
        descriptor : Descriptor
        crystal : ase.Atoms
            Any number of cells.

        Returns
        -------
        DescribedCrystal
        """
        return cls(descriptor, crystal, bulk_features(descriptor, crystal))

    @cached_property
    def uncertainty(self) -> NDArray[np.float64]:
        """How far features move under strains with components of up to `KNOWN_STRAIN`, an array of (n_features,)."""
        few = primitive_cell(self.crystal)[0].repeat(FEW)
        at_rest, moved = bulk_features(self.descriptor, few), np.zeros(len(self.features))
        for component in combinations_with_replacement(range(3), 2):
            shifts = []
            for sign in (1, -1):
                deformation = np.eye(3)
                deformation[component] += sign * KNOWN_STRAIN
                strained = few.copy()
                strained.set_cell(few.cell[:] @ deformation, scale_atoms=True)
                shifts.append(np.abs(bulk_features(self.descriptor, strained) - at_rest))
            moved += np.maximum(*shifts)
        return moved


class CrystalFeatures:
    """Descriptor per atom of the perfect crystals that cells are compared with, each built and described once.

    Descriptors that have values of atoms are computed of a few unit cells, whatever the size of the configuration.

    Parameters
    ----------
    descriptor : Descriptor
    perfect : callable
        From a row of the table of configurations and the cell of that configuration to the perfect crystal in it; see
        `vibentropy.sources.source.Source.perfect`.
    """

    def __init__(self, descriptor: Descriptor, perfect: Callable[[Mapping[Any, Any], ArrayLike], Atoms]) -> None:
        self._descriptor, self._perfect = descriptor, perfect
        # Files have one crystal, whatever the cell.
        self._of_cell: dict[tuple[str, bytes], NDArray[np.float64]] = {}
        self._of_crystal: dict[bytes, NDArray[np.float64]] = {}

    def __call__(self, row: Mapping[Any, Any], cell: ArrayLike) -> NDArray[np.float64]:
        """Describe the perfect crystal of a configuration, an array of shape (n_features,)."""
        key = str(row.get("repetitions", "")), np.asarray(cell).tobytes()
        if key not in self._of_cell:
            crystal = self._perfect(*self._part(row, cell))
            place = crystal.cell[:].tobytes()
            if place not in self._of_crystal:
                self._of_crystal[place] = bulk_features(self._descriptor, crystal)
            self._of_cell[key] = self._of_crystal[place]
        return self._of_cell[key]

    def _part(self, row, cell):
        """Take a few unit cells under the same strain, where neighbours are all that the descriptor depends on."""
        if not self._descriptor.has_local or not row.get("repetitions"):
            return row, cell
        repetitions = np.array([int(n) for n in row["repetitions"].split("x")])
        few = np.minimum(repetitions, FEW)
        return {"repetitions": "x".join(map(str, few))}, np.asarray(cell) * (few / repetitions)[:, None]


def above_bulk(total: ArrayLike, n_atoms: int, bulk: NDArray[np.float64]) -> NDArray[np.float64]:
    """Extensive features: a descriptor of a whole cell minus that of as many atoms of the perfect crystal.

    Parameters
    ----------
    total : ndarray of shape (n_features,)
    n_atoms : int
    bulk : ndarray of shape (n_features,)
        As from `bulk_features`.

    Returns
    -------
    ndarray of shape (n_features,)
    """
    return np.asarray(total, dtype=float) - n_atoms * bulk


def extensive_features(
    descriptor: Descriptor, frames: Atoms | Iterable[Atoms], bulk: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Features of defective cells.

    Parameters
    ----------
    descriptor : Descriptor
    frames : ase.Atoms or iterable of ase.Atoms
    bulk : ndarray of shape (n_features,)
        As from `bulk_features`, of the crystal that the cells are made of.

    Returns
    -------
    ndarray of shape (n_frames, n_features)

    Raises
    ------
    VibentropyError
        Whatever the descriptor refuses a configuration for.
    """
    frames = [frames] if isinstance(frames, Atoms) else frames
    rows = [above_bulk(descriptor.total(atoms), len(atoms), bulk) for atoms in frames]
    return np.array(rows).reshape(len(rows), len(bulk))
