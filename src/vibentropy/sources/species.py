"""Which atoms go where, as metallurgists write it: ``P_Fe`` is an atom of P on a site of Fe."""

from collections.abc import Mapping
from typing import NamedTuple

#: How many: of any kind, or by element or sublattice.
Counts = int | Mapping[str, int]


class Substitution(NamedTuple):
    """An element on a site of the crystal.

    Attributes
    ----------
    element : str
    sublattice : str or None
        See `vibentropy.atoms.crystal.Crystal.on`; None for any that is not of this element.
    """

    element: str
    sublattice: str | None

    @classmethod
    def parse(cls, text: str) -> "Substitution":
        """Read ``P_Fe``, or ``P`` for any site.

        Parameters
        ----------
        text : str

        Returns
        -------
        Substitution
        """
        element, _, sublattice = text.partition("_")
        return cls(element, sublattice or None)


def total(counts: Counts) -> int:
    """Add up how many there are of all kinds.

    Parameters
    ----------
    counts : int or dict of str to int

    Returns
    -------
    int
    """
    return sum(counts.values()) if isinstance(counts, Mapping) else counts


def by_kind(counts: Counts) -> list[tuple[str | None, int]]:
    """List how many there are of each kind.

    Parameters
    ----------
    counts : int or dict of str to int

    Returns
    -------
    list of (str or None, int)
        None for what may be of any kind.
    """
    return list(counts.items()) if isinstance(counts, Mapping) else [(None, counts)]
