"""Ordered compounds of two elements: which sites of a cubic lattice each has, and what the sublattices are called.

A sublattice is called by its element, and where an element has two of them that are not alike, by a Roman number, too:
``Fe`` and ``Al`` in B2 FeAl; in DO3 Fe3Al ``FeI`` (eight Fe neighbours), ``FeII`` (four of Fe, four of Al) and ``Al``.
"""

from typing import NamedTuple

from ase import Atoms
from ase.build import bulk


class Order(NamedTuple):
    """An ordered compound.

    Attributes
    ----------
    parent : str
        Structure of all sites, whatever their element.
    edge : int
        Unit cells of it along each edge of the unit cell of the compound.
    names : tuple of str
        Of the sublattices: ``A`` and ``B`` stand for the two elements.
    sites : tuple of int
        Sublattice of each site of the unit cell.
    formula : str
        With braces for the elements.
    """

    parent: str
    edge: int
    names: tuple[str, ...]
    sites: tuple[int, ...]
    formula: str

    def unit(self, elements: tuple[str, ...], a: float) -> Atoms:
        """Build the cubic unit cell.

        Parameters
        ----------
        elements : tuple of 2 str
            A and B.
        a : float
            Edge in Å.

        Returns
        -------
        ase.Atoms
        """
        unit = bulk("X", self.parent, a=a / self.edge, cubic=True) * self.edge
        unit.symbols[:] = [elements["AB".index(self.names[site][0])] for site in self.sites]
        return unit

    def sublattices(self, elements: tuple[str, ...]) -> list[str]:
        """Name the sublattice of each site of the unit cell.

        Parameters
        ----------
        elements : tuple of 2 str

        Returns
        -------
        list of str
        """
        names = [elements["AB".index(name[0])] + name[1:] for name in self.names]
        return [names[site] for site in self.sites]


def _heusler() -> tuple[int, ...]:
    """Sublattices of DO3, in the order in which two bcc cells along each edge have their sites."""
    corners = [(i, j, k) for i in range(2) for j in range(2) for k in range(2)]
    return tuple(site for corner in corners for site in (2 if sum(corner) % 2 == 0 else 0, 1))


#: By their Strukturbericht names.
COMPOUNDS = {
    "B2": Order("bcc", 1, ("A", "B"), (0, 1), "{}{}"),
    "L1_2": Order("fcc", 1, ("A", "B"), (1, 0, 0, 0), "{}3{}"),
    "DO3": Order("bcc", 2, ("AI", "AII", "B"), _heusler(), "{}3{}"),
}
