"""Sites of the crystal in a cell with defects, counted by the translations that most of its atoms share.

The volume of a cell tells its sites only as far as its lattice constant is known: one that is off by a whole number of
sites in the cell is the constant of another crystal that has so many more. Which translations take most atoms to other
atoms does not depend on it. Cell vectors are whole sums of them, so few digits suffice to count exactly.
"""

from typing import NamedTuple

import numpy as np
from ase import Atoms
from ase.cell import Cell
from ase.geometry import minkowski_reduce
from numpy.typing import NDArray
from scipy.spatial import cKDTree

#: Atoms that are looked at, and those among them whose neighbours are tried as translations.
_SAMPLE, _TRIED = 64, 6

#: Distance that is looked at, and how far atoms may be from where a translation takes others, in units of the root of
#: the volume of an atom: the vectors of hcp, of diamond and of cubic cells of eight atoms are within the first.
_REACH, _OFF_SITE = 2.3, 0.1

#: Share of the atoms that a translation of the lattice takes to another atom, at least: vectors between the two
#: sublattices of hcp or diamond do so for half of them.
_SHARED = 0.75

#: How far cell vectors may be from whole sums of translations, in units of these, and how many atoms per lattice point
#: may be lacking or too many on average.
_NOT_WHOLE, _DEFECTS = 0.25, 0.2

#: Closer than so much (Å), an atom is itself.
_SAME = 1e-6

#: Smallest singular value of three directions that do not lie in a plane.
_FLAT = 0.1

#: How well (Å) cell vectors have to fit a kind of lattice for its constant to be said.
_FIT = 1e-3


class LatticeSites(NamedTuple):
    """Sites of the crystal in a cell.

    Attributes
    ----------
    number : int
    primitive : ndarray of shape (3, 3)
        Cell vectors of the crystal, reduced, Å: those of the cell, divided.
    """

    number: int
    primitive: NDArray[np.float64]

    def constant(self, scale: float = 1.0) -> str:
        """Say the lattice constant of the crystal.

        Parameters
        ----------
        scale : float
            That lengths are multiplied with.

        Returns
        -------
        str
            Such as ``a = 2.85531 Å``; empty for lattices with several constants.
        """
        kind = Cell(self.primitive).get_bravais_lattice(eps=_FIT)
        return f"a = {scale * kind.a:.5f} Å" if kind.lattice_system == "cubic" else ""


def lattice_sites(atoms: Atoms) -> LatticeSites | None:
    """Count the sites of the crystal in a cell, whatever the defects, as long as most atoms are near their sites.

    Parameters
    ----------
    atoms : ase.Atoms
        Periodic, of one element.

    Returns
    -------
    LatticeSites or None
        None where no lattice is found: in melts, in dense arrangements of defects, and in crystals whose cell vectors
        are longer than `_REACH`.
    """
    if not len(atoms):
        return None
    length = (atoms.cell.volume / len(atoms)) ** (1 / 3)
    owners, vectors = _neighbour_vectors(atoms, _REACH * length)
    primitive = _primitive(owners, vectors, _OFF_SITE * length)
    if primitive is None:
        return None
    multiples = atoms.cell[:] @ np.linalg.inv(primitive)
    whole = np.round(multiples)
    n_points = round(abs(np.linalg.det(whole)))
    if n_points == 0 or np.abs(multiples - whole).max() > _NOT_WHOLE:
        return None
    per_point = len(atoms) / n_points
    if round(per_point) == 0 or abs(per_point - round(per_point)) > _DEFECTS:
        return None
    primitive, _ = minkowski_reduce(np.linalg.inv(whole) @ atoms.cell[:])
    return LatticeSites(round(per_point) * n_points, primitive)


def _neighbour_vectors(atoms, reach):
    """List the neighbours of the atoms that are looked at: which of these each belongs to, and the vector to it."""
    # In an order of its own: files list one sublattice after the other.
    some = np.random.default_rng(0).permutation(len(atoms))[:_SAMPLE]
    inverse = np.linalg.inv(atoms.cell[:])
    scaled = atoms.positions @ inverse % 1.0 % 1.0
    # Copies of narrow cells along their short vectors, so that each neighbour is there.
    widths = 1 / np.linalg.norm(inverse, axis=0)
    copies = np.ceil(2 * reach / widths).astype(int)
    shifts = np.stack(np.meshgrid(*(np.arange(n) for n in copies), indexing="ij"), -1).reshape(-1, 3)
    scaled = ((scaled[None] + shifts[:, None]).reshape(-1, 3) / copies) % 1.0
    cell = atoms.cell[:] * copies[:, None]
    # Only a slab around each atom is searched.
    order = np.argsort(scaled[:, 0])
    along, half = scaled[order, 0], reach / (widths * copies)[0]
    owners, vectors = [], []
    for number, atom in enumerate(some):
        low, high = scaled[atom, 0] - half, scaled[atom, 0] + half
        first, last, again, over = np.searchsorted(along, [low, high, low + 1, high - 1])
        slab = np.concatenate([order[first:last], order[again:], order[:over]])
        offsets = scaled[slab] - scaled[atom]
        offsets = (offsets - np.round(offsets)) @ cell
        lengths = np.linalg.norm(offsets, axis=1)
        near = offsets[(lengths < reach) & (lengths > _SAME)]
        owners.append(np.full(len(near), number))
        vectors.append(near)
    return np.concatenate(owners), np.concatenate(vectors)


def _primitive(owners, vectors, off_site):
    """Find the shortest three vectors, not in a plane, that most atoms have to a neighbour; None without any."""
    n_looked_at = len(np.unique(owners))
    tree = cKDTree(vectors)
    left = vectors[owners < _TRIED]
    left = left[np.argsort(np.linalg.norm(left, axis=1), kind="stable")]
    basis: list[NDArray[np.float64]] = []
    while len(left):
        # From the first atom's vector to the middle of those of all, and what is near that.
        middle = np.median(vectors[tree.query_ball_point(left[0], off_site)], axis=0)
        near = tree.query_ball_point(middle, off_site)
        shared = len(np.unique(owners[near])) >= _SHARED * n_looked_at
        middle = np.median(vectors[near], axis=0) if shared else left[0]
        if shared and _spans(trial := np.array([*basis, middle])):
            basis.append(middle)
            if len(basis) == 3:
                return trial
        # At least the first goes.
        apart = np.linalg.norm(left - middle, axis=1) > (off_site if shared else off_site / 2)
        apart[0] = False
        left = left[apart]
    return None


def _spans(vectors):
    """Whether vectors are clearly no sums of each other."""
    directions = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.linalg.svd(directions, compute_uv=False)[-1] > _FLAT
