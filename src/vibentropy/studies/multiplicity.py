"""In how many ways a defect fits into its crystal: the sites and orientations that symmetry makes of one."""

import numpy as np
import spglib
from ase import Atoms
from scipy.spatial import cKDTree

from vibentropy.atoms.neighbours import neighbour_pairs
from vibentropy.errors import StructureError

#: Distance (Å) within which atoms are the same after an operation of symmetry: far above the rounding of relaxed
#: positions, far below the displacements that break a symmetry.
SYMMETRY_TOLERANCE = 0.02

#: Range of the sum over neighbours that tells unlike atoms apart, in cubic roots of the volume per atom.
_REACH = 2.0

#: Differences of that sum that count; those of atoms that an operation exchanges are far smaller.
_UNLIKE = 0.05


def multiplicity(atoms: Atoms, perfect: Atoms, tolerance: float = SYMMETRY_TOLERANCE) -> float:
    """Count the configurations per site that the symmetry of the crystal turns a minimum into.

    The operations of the perfect crystal in the cell, over those that map the configuration onto itself, over the
    number of sites: in bcc 1 for a vacancy, 6 for a <110> dumbbell, 8 for a vacancy and a solute next to each other.
    Sites are those of all sublattices: in B2, a vacancy of one element has 1/2.

    Parameters
    ----------
    atoms : ase.Atoms
        Relaxed configuration, of any elements.
    perfect : ase.Atoms
        Perfect crystal in the same cell. A cell of lower symmetry than the crystal hides orientations: cubic crystals
        want cubic cells.
    tolerance : float
        In Å.

    Returns
    -------
    float
        Whole for defects in crystals with one site per primitive cell.

    Raises
    ------
    StructureError
        If no symmetry of the perfect crystal is found.
    """
    dataset = spglib.get_symmetry_dataset((perfect.cell[:], perfect.get_scaled_positions(), perfect.numbers), tolerance)
    if dataset is None:
        raise StructureError(f"no symmetry is found in the perfect crystal of {len(perfect)} atoms")
    anchors = _strangest(atoms)
    rotations = np.unique(dataset.rotations, axis=0)
    kept = sum(_translations(atoms, rotation, anchors, tolerance) for rotation in rotations)
    return len(dataset.rotations) / kept / len(perfect)


def _translations(atoms, rotation, anchors, tolerance):
    """Count the translations that, after a rotation (in units of the cell), map a configuration onto itself."""
    scaled = atoms.get_scaled_positions(wrap=True) % 1.0
    tree = cKDTree(scaled, boxsize=1.0)
    # Distances in units of the cell are as much shorter as its longest stretch.
    radius = tolerance / np.linalg.norm(atoms.cell[:], 2)
    rotated = scaled @ rotation.T
    count = 0
    for shift in scaled[anchors] - rotated[anchors[0]]:
        distances, images = tree.query((rotated + shift) % 1.0, distance_upper_bound=radius)
        if np.isfinite(distances).all() and len(np.unique(images)) == len(atoms):
            count += (atoms.numbers[images] == atoms.numbers).all()
    return int(count)


def _strangest(atoms):
    """Find the atom with the most unusual environment, then those that may be its images: few translations to try."""
    r_cut = _REACH * (atoms.get_volume() / len(atoms)) ** (1 / 3)
    first, _, _, distances = neighbour_pairs(atoms, r_cut)
    weights = (1 - (distances / r_cut) ** 2) ** 3
    near = np.bincount(np.repeat(np.arange(len(atoms)), np.diff(first)), weights, minlength=len(atoms))
    # Images are of one element. A lone solute is rare, however usual its environment.
    return min((_alike(near, np.flatnonzero(atoms.numbers == number)) for number in set(atoms.numbers)), key=len)


def _alike(near, of_element):
    """Among atoms of one element, find the one with the most unusual neighbours, then those like it."""
    near = near[of_element]
    strangeness = np.abs(near - np.median(near))
    alike = np.flatnonzero(np.abs(near - near[strangeness.argmax()]) < _UNLIKE)
    return of_element[alike[np.argsort(-strangeness[alike], kind="stable")]]
