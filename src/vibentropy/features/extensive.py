"""Extensive features: the descriptor of a whole cell minus that of as many atoms of the perfect crystal.

``X(cell) = total(cell) - N · bulk``, with ``bulk`` the descriptor of the perfect crystal per atom (docs/theory.md,
"Extensive features"). The perfect crystal is zero to rounding, and a cell repeated m times has m times the features.

With several elements, ``X(cell) = total(cell) - Σ_X n_X x_X`` with the x_X that reference cells agree with, as labels
of several elements have it (`vibentropy.atoms.reference_cells`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations_with_replacement
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from ase import Atoms
from numpy.typing import ArrayLike, NDArray

from vibentropy.atoms.checks import element_indices
from vibentropy.atoms.primitive import primitive_cell
from vibentropy.atoms.reference_cells import ReferenceCells, is_random

if TYPE_CHECKING:
    from vibentropy.descriptors import Descriptor
    from vibentropy.sources.source import Source

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
class ElementFeatures:
    """What cells of several elements are compared with: the descriptor of an atom of each.

    Attributes
    ----------
    elements : tuple of str
    values : ndarray of shape (n_elements, n_features)
        What reference cells have for an atom of each.
    shares : ndarray of shape (n_elements,)
        Of the elements in the perfect crystal, the first of the references.
    conditions : ndarray of shape (n_elements - 1, n_features) or None
        Where that is a random alloy, which other cells do not share: descriptor per atom of the further references,
        which they do.
    """

    elements: tuple[str, ...]
    values: NDArray[np.float64]
    shares: NDArray[np.float64]
    conditions: NDArray[np.float64] | None = None

    @classmethod
    def of(cls, descriptor: Descriptor, references: ReferenceCells) -> Self:
        """Describe reference cells.

        Parameters
        ----------
        descriptor : Descriptor
        references : ReferenceCells

        Returns
        -------
        ElementFeatures
        """
        elements, counts = references.compositions.elements, references.compositions.counts[0]
        quantities = references.quantities(descriptor.total)
        values, shares = references.per_atom(quantities), counts / counts.sum()
        if not references.random:
            return cls(elements, values, shares)
        others = zip(quantities.of_cells[1:], references.cells[1:], strict=True)
        conditions = np.array([value / len(cell) for value, cell in others])
        # By name: which comes first in a random cell differs from one to the next.
        order = np.argsort(elements)
        return cls(tuple(sorted(elements)), values[order], shares[order], conditions)

    @property
    def shared(self) -> NDArray[np.float64]:
        """What cells have to agree in that are compared by a model, an array of shape (n, n_features)."""
        return self.values if self.conditions is None else self.conditions

    @property
    def crystal(self) -> NDArray[np.float64]:
        """Descriptor of the perfect crystal per atom, an array of shape (n_features,)."""
        return self.shares @ self.values

    def __len__(self) -> int:
        return self.values.shape[1]


#: What cells are compared with: of one element the descriptor of the perfect crystal per atom, of shape (n_features,).
Bulk = NDArray[np.float64] | ElementFeatures


def describe_references(descriptor: Descriptor, crystal: Atoms, others: Sequence[Atoms] = ()) -> Bulk:
    """Describe what cells are compared with.

    Parameters
    ----------
    descriptor : Descriptor
    crystal : ase.Atoms
        Perfect crystal, any number of cells.
    others : sequence of ase.Atoms
        One more reference cell for each further element.

    Returns
    -------
    ndarray of shape (n_features,) or ElementFeatures
        The latter where there are others.

    Raises
    ------
    StructureError
        As `vibentropy.atoms.reference_cells.ReferenceCells.of`.
    """
    if not others:
        return bulk_features(descriptor, crystal)
    return ElementFeatures.of(descriptor, ReferenceCells.of([crystal, *others]))


def crystal_features(bulk: Bulk) -> NDArray[np.float64]:
    """Take what is said of the perfect crystal alone.

    Parameters
    ----------
    bulk : ndarray of shape (n_features,) or ElementFeatures
        As from `describe_references`.

    Returns
    -------
    ndarray of shape (n_features,)
        Its descriptor per atom.
    """
    return bulk.crystal if isinstance(bulk, ElementFeatures) else bulk


@dataclass(frozen=True, eq=False)
class DescribedCrystal:
    """A perfect crystal with its descriptor, which is computed once for many cells.

    Attributes
    ----------
    descriptor : Descriptor
    crystal : ase.Atoms
    features : ndarray of shape (n_features,) or ElementFeatures
        What `describe_references` returns.
    """

    descriptor: Descriptor
    crystal: Atoms
    features: Bulk

    @classmethod
    def of(cls, descriptor: Descriptor, crystal: Atoms, others: Sequence[Atoms] = ()) -> Self:
        """Describe a perfect crystal, and further references.

        Parameters
        ----------
        descriptor, crystal, others
            As of `describe_references`.

        Returns
        -------
        DescribedCrystal
        """
        return cls(descriptor, crystal, describe_references(descriptor, crystal, others))

    @cached_property
    def uncertainty(self) -> NDArray[np.float64]:
        """How far its features move under strains with components of up to `KNOWN_STRAIN`, array of (n_features,)."""
        # A random alloy is no repetition of anything smaller.
        few = self.crystal if is_random(self.crystal) else primitive_cell(self.crystal)[0].repeat(FEW)
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
    """Descriptors of the perfect crystals that cells are compared with, each built and described once.

    Descriptors that have values of atoms are computed of a few unit cells, whatever the size of the configuration.

    Parameters
    ----------
    descriptor : Descriptor
    perfect : callable
        From a row of the table of configurations and the cell of that configuration to the perfect crystal in it; see
        `vibentropy.sources.source.Source.perfect`.
    others : sequence of ase.Atoms
        See `describe_references`.
    own_crystals : bool
        See `vibentropy.sources.source.Source.own_crystals`.
    """

    def __init__(
        self,
        descriptor: Descriptor,
        perfect: Callable[[Mapping[Any, Any], ArrayLike], Atoms],
        others: Sequence[Atoms] = (),
        own_crystals: bool = False,
    ) -> None:
        self._descriptor, self._perfect, self._others = descriptor, perfect, others
        self._own_crystals = own_crystals
        # Files have one crystal, whatever the cell.
        self._of_cell: dict[tuple[str, bytes], Bulk] = {}
        self._of_crystal: dict[bytes, Bulk] = {}

    @classmethod
    def of_source(cls, descriptor: Descriptor, source: Source, lattice: Path | str | None = None) -> Self:
        """Describe the crystals that the configurations of a data set are compared with.

        Parameters
        ----------
        descriptor : Descriptor
        source : vibentropy.sources.source.Source
        lattice : path-like, optional
            See `vibentropy.sources.source.Source.perfect`.

        Returns
        -------
        CrystalFeatures
        """
        return cls(descriptor, source.perfect(lattice), source.others(lattice), source.own_crystals)

    def __call__(self, row: Mapping[Any, Any], cell: ArrayLike) -> Bulk:
        """Describe what a configuration is compared with, as `describe_references`."""
        if self._own_crystals:
            crystal = self._perfect(row, cell)
            return self._described(crystal, crystal.numbers.tobytes() + crystal.positions.tobytes())
        key = str(row.get("repetitions", "")), np.asarray(cell).tobytes()
        if key not in self._of_cell:
            crystal = self._perfect(*self._part(row, cell))
            self._of_cell[key] = self._described(crystal, crystal.cell[:].tobytes())
        return self._of_cell[key]

    def _described(self, crystal, place):
        """Describe a crystal, once for each place, which is what tells it from others."""
        if place not in self._of_crystal:
            self._of_crystal[place] = describe_references(self._descriptor, crystal, self._others)
        return self._of_crystal[place]

    def _part(self, row, cell):
        """Take a few unit cells under the same strain, where neighbours are all that the descriptor depends on."""
        if not self._descriptor.has_local or not row.get("repetitions"):
            return row, cell
        repetitions = np.array([int(n) for n in row["repetitions"].split("x")])
        few = np.minimum(repetitions, FEW)
        return {"repetitions": "x".join(map(str, few))}, np.asarray(cell) * (few / repetitions)[:, None]


def crystals_by_dataset(
    descriptor: Descriptor, sources: Mapping[str, Source], lattice: Path | str | None = None
) -> Callable[[Mapping[Any, Any], ArrayLike], Bulk]:
    """Describe what configurations of several data sets are compared with.

    Parameters
    ----------
    descriptor : Descriptor
    sources : dict of vibentropy.sources.source.Source
        Data sets by name.
    lattice : path-like, optional
        See `vibentropy.sources.source.Source.perfect`.

    Returns
    -------
    callable
        As `CrystalFeatures`, for rows of the table of configurations that name their ``dataset``.
    """
    of_datasets = {name: CrystalFeatures.of_source(descriptor, source, lattice) for name, source in sources.items()}
    return lambda row, cell: of_datasets[row["dataset"]](row, cell)


def above_bulk(total: ArrayLike, atoms: Atoms, bulk: Bulk) -> NDArray[np.float64]:
    """Extensive features: a descriptor of a whole cell minus that of as many atoms of the references.

    Parameters
    ----------
    total : ndarray of shape (n_features,)
    atoms : ase.Atoms
        The cell.
    bulk : ndarray of shape (n_features,) or ElementFeatures
        As from `describe_references`.

    Returns
    -------
    ndarray of shape (n_features,)

    Raises
    ------
    StructureError
        If there are several elements, and it has atoms of another one.
    """
    total = np.asarray(total, dtype=float)
    if not isinstance(bulk, ElementFeatures):
        return total - len(atoms) * bulk
    return total - np.bincount(element_indices(atoms, bulk.elements), minlength=len(bulk.elements)) @ bulk.values


def above_reference_atoms(local: ArrayLike, atoms: Atoms, bulk: Bulk) -> NDArray[np.float64]:
    """Features of each atom: its descriptor minus that of the reference atom that it is compared with.

    Parameters
    ----------
    local : array_like of shape (n_atoms, n_features)
    atoms : ase.Atoms
    bulk : ndarray of shape (n_features,) or ElementFeatures
        As from `describe_references`.

    Returns
    -------
    ndarray of shape (n_atoms, n_features)
        They add up to what `above_bulk` returns.

    Raises
    ------
    StructureError
        As `above_bulk`.
    """
    local = np.asarray(local, dtype=float)
    if not isinstance(bulk, ElementFeatures):
        return local - bulk
    return local - bulk.values[element_indices(atoms, bulk.elements)]


def reference_shares(atoms: Atoms, bulk: Bulk, weights: NDArray[np.float64]) -> NDArray[np.float64] | float:
    """Weighted sum of the features of the reference atom that each atom is compared with.

    Parameters
    ----------
    atoms : ase.Atoms
    bulk : ndarray of shape (n_features,) or ElementFeatures
        As from `describe_references`.
    weights : ndarray of shape (n_features,)

    Returns
    -------
    ndarray of shape (n_atoms,), or float where it is the same for all

    Raises
    ------
    StructureError
        As `above_bulk`.
    """
    if not isinstance(bulk, ElementFeatures):
        return float(bulk @ weights)
    return (bulk.values @ weights)[element_indices(atoms, bulk.elements)]


def extensive_features(descriptor: Descriptor, frames: Atoms | Iterable[Atoms], bulk: Bulk) -> NDArray[np.float64]:
    """Features of defective cells.

    Parameters
    ----------
    descriptor : Descriptor
    frames : ase.Atoms or iterable of ase.Atoms
    bulk : ndarray of shape (n_features,) or ElementFeatures
        As from `describe_references`, of what the cells are compared with.

    Returns
    -------
    ndarray of shape (n_frames, n_features)

    Raises
    ------
    VibentropyError
        Whatever the descriptor refuses a configuration for.
    """
    frames = [frames] if isinstance(frames, Atoms) else frames
    rows = [above_bulk(descriptor.total(atoms), atoms, bulk) for atoms in frames]
    return np.array(rows).reshape(len(rows), len(bulk))
