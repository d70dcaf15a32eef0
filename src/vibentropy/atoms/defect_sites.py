"""Empty and shared sites of the crystal in a cell: vacancies and interstitials, by the nearest site of each atom.

Each atom belongs to the site of the perfect crystal that it is nearest to (its Wigner-Seitz cell). A site without atoms
is a vacancy; one with two of them, such as a dumbbell, has an interstitial. The sites come from the atoms themselves
(`vibentropy.atoms.lattice_sites`), so no reference is needed, and neither strain nor the origin of a cell matter.
"""

from typing import NamedTuple

import numpy as np
from ase import Atoms
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from vibentropy.atoms.clusters import with_images
from vibentropy.atoms.lattice_sites import lattice_sites

#: How near each other atoms are taken for the same site of different unit cells, in units of the root of the volume of
#: a site, and how many atoms are looked at.
_SAME_SITE, _SAMPLE = 0.3, 64

#: Lattice points around the one that rounding finds, of which the nearest is wanted.
_AROUND = np.stack(np.meshgrid(*[[-1, 0, 1]] * 3, indexing="ij"), -1).reshape(-1, 3)


class DefectSites(NamedTuple):
    """What differs from the perfect crystal in a cell.

    Attributes
    ----------
    empty : ndarray of shape (n_vacancies, 3)
        Positions of sites without an atom, Å.
    shared : ndarray of int
        Atoms that are not alone on their site.
    interstitials : int
        How many atoms there are beyond one on each site.
    spacing : float
        Length of the shortest translation of the lattice, Å.
    """

    empty: NDArray[np.float64]
    shared: NDArray[np.int64]
    interstitials: int
    spacing: float


def defect_sites(atoms: Atoms) -> DefectSites | None:
    """Find the sites of the crystal that are empty or shared.

    Parameters
    ----------
    atoms : ase.Atoms
        Periodic, most of its atoms near sites of one crystal.

    Returns
    -------
    DefectSites or None
        None where `lattice_sites` finds no lattice.
    """
    lattice = lattice_sites(atoms)
    if lattice is None:
        return None
    inverse = np.linalg.inv(lattice.primitive)
    whole = np.round(atoms.cell[:] @ inverse)
    n_points = round(abs(np.linalg.det(whole)))
    basis = _basis(atoms.positions @ inverse, lattice.primitive, lattice.number // n_points)
    points, owners = _nearest(atoms.positions @ inverse, basis, lattice.primitive)
    # Points of the lattice that differ by a cell vector have the same numbers.
    numbering = np.round(np.linalg.inv(whole) * np.linalg.det(whole)).astype(int)
    every = _points_of(whole)
    keys, first = np.unique(_keys(every, numbering, n_points), return_index=True)
    site = np.searchsorted(keys, _keys(points, numbering, n_points)) * len(basis) + owners
    occupied = np.bincount(site, minlength=len(keys) * len(basis))
    cell, which = np.divmod(np.flatnonzero(occupied == 0), len(basis))
    return DefectSites(
        empty=(every[first[cell]] + basis[which]) @ lattice.primitive,
        shared=np.flatnonzero(occupied[site] > 1),
        interstitials=int(np.maximum(occupied - 1, 0).sum()),
        spacing=float(np.linalg.norm(lattice.primitive, axis=1).min()),
    )


def distances_from(atoms: Atoms, points: NDArray[np.float64], reach: float) -> NDArray[np.float64]:
    """Compute how far atoms are from the nearest of some points, in whatever image.

    Parameters
    ----------
    atoms : ase.Atoms
        With a checked geometry (`vibentropy.atoms.checks.check_geometry`).
    points : ndarray of shape (n, 3), Å
        At least one.
    reach : float
        How far to look, Å.

    Returns
    -------
    ndarray of shape (n_atoms,), Å
        Infinite beyond `reach`.
    """
    images, _ = with_images(Atoms(positions=points, cell=atoms.cell, pbc=atoms.pbc), reach)
    return cKDTree(images).query(atoms.get_positions(wrap=True), distance_upper_bound=reach)[0]


def _basis(scaled, primitive, n_basis):
    """Sites of one unit cell, in units of its vectors: where most atoms are."""
    scaled = scaled[np.random.default_rng(0).permutation(len(scaled))[:_SAMPLE]]
    limit = _SAME_SITE * (abs(np.linalg.det(primitive)) / n_basis) ** (1 / 3)
    basis = []
    for _ in range(n_basis):
        offsets = scaled[:, None] - scaled
        offsets -= np.round(offsets)
        near = np.linalg.norm(offsets @ primitive, axis=-1) < limit
        centre = near.sum(axis=0).argmax()
        basis.append(scaled[centre] + np.median(offsets[near[:, centre], centre], axis=0))
        scaled = scaled[~near[:, centre]]
    return np.array(basis)


def _nearest(scaled, basis, primitive):
    """Lattice point and number in the basis of the site that is nearest to each atom."""
    found, distances = [], []
    for site in basis:
        points = np.round(scaled - site)[:, None] + _AROUND
        lengths = np.linalg.norm((scaled[:, None] - site - points) @ primitive, axis=-1)
        best = lengths.argmin(axis=1)
        rows = np.arange(len(scaled))
        found.append(points[rows, best].astype(int))
        distances.append(lengths[rows, best])
    owners = np.argmin(distances, axis=0)
    return np.array(found)[owners, np.arange(len(scaled))], owners


def _points_of(whole):
    """Lattice points that fill the cell, some of them more than once."""
    corners = np.stack(np.meshgrid(*[[0, 1]] * 3, indexing="ij"), -1).reshape(-1, 3) @ whole
    ranges = [np.arange(low, high + 1) for low, high in zip(corners.min(0), corners.max(0), strict=True)]
    return np.stack(np.meshgrid(*ranges, indexing="ij"), -1).reshape(-1, 3).astype(int)


def _keys(points, numbering, n_points):
    """Numbers of lattice points, the same for images of each other."""
    x, y, z = ((points @ numbering) % n_points).T
    return (x * n_points + y) * n_points + z
