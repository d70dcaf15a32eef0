"""Shells of neighbours of a perfect crystal, and the gaps between them, where cutoffs do the least harm."""

from itertools import pairwise
from typing import NamedTuple

import numpy as np
from ase import Atoms

from vibentropy.atoms.neighbours import neighbour_pairs

#: Neighbours whose distances differ by less (Å) are one shell.
_SAME = 1e-2


class Gap(NamedTuple):
    """Room between two shells of neighbours.

    Attributes
    ----------
    number : int
        Of the inner shell, from 1.
    inner, outer : float
        Radii of the two shells, Å.
    """

    number: int
    inner: float
    outer: float

    @property
    def middle(self) -> float:
        """Half way between the shells, Å."""
        return (self.inner + self.outer) / 2

    @property
    def width(self) -> float:
        """Distance of the shells, Å."""
        return self.outer - self.inner


def shells(crystal: Atoms, r_max: float) -> list[float]:
    """Find at which distances atoms of a perfect crystal have neighbours.

    Parameters
    ----------
    crystal : ase.Atoms
        Without defects; of any size.
    r_max : float
        How far to look, Å.

    Returns
    -------
    list of float
        Radii in Å, ascending; the mean of those that are within 0.01 Å of the one before.
    """
    distances = np.sort(neighbour_pairs(crystal, r_max)[3])
    parts = np.split(distances, np.flatnonzero(np.diff(distances) > _SAME) + 1)
    return [float(part.mean()) for part in parts if len(part)]


def gaps(radii: list[float]) -> list[Gap]:
    """List the gaps between shells of neighbours.

    Parameters
    ----------
    radii : list of float
        From `shells`.

    Returns
    -------
    list of Gap
        In their order.
    """
    return [Gap(number, *pair) for number, pair in enumerate(pairwise(radii), start=1)]


def widest_gap(radii: list[float], low: float, high: float) -> Gap:
    """Find the widest gap between shells whose middle is within a range.

    Parameters
    ----------
    radii : list of float
        From `shells`, beyond the range.
    low, high : float
        In Å.

    Returns
    -------
    Gap

    Raises
    ------
    ValueError
        If no middle is there.
    """
    return max((gap for gap in gaps(radii) if low <= gap.middle <= high), key=lambda gap: gap.width)
