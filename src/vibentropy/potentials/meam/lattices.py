"""Reference lattices of the modified embedded-atom method."""

from typing import NamedTuple

import numpy as np


class ReferenceLattice(NamedTuple):
    """Geometry of a reference lattice.

    Attributes
    ----------
    spacing : float
        Distance of first neighbours in units of the lattice constant.
    neighbours, second_neighbours : int
        Numbers of first and second neighbours.
    ratio : float
        Distance of second neighbours in units of that of first ones.
    screening : int
        Number of first neighbours that screen a second one, each by the same amount.
    shape : tuple of 3 float
        Squares of the partial densities 1 to 3 in units of those of one neighbour (Baskes, Phys. Rev. B 46, 2727
        (1992), table I).
    """

    spacing: float
    neighbours: int
    second_neighbours: int
    ratio: float
    screening: int
    shape: tuple[float, float, float]


#: Lattices that are covered, by their names in LAMMPS. For hcp, c/a is ideal and the lattice constant is a.
LATTICES = {
    "bcc": ReferenceLattice(np.sqrt(3) / 2, 8, 6, 2 / np.sqrt(3), 4, (0.0, 0.0, 0.0)),
    "fcc": ReferenceLattice(1 / np.sqrt(2), 12, 6, np.sqrt(2), 4, (0.0, 0.0, 0.0)),
    "hcp": ReferenceLattice(1.0, 12, 6, np.sqrt(2), 4, (0.0, 0.0, 1 / 3)),
    "sc": ReferenceLattice(1.0, 6, 12, np.sqrt(2), 2, (0.0, 0.0, 0.0)),
}
