"""The crystal that recipes start from, as a configuration describes it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING, Any

from vibentropy.atoms.compounds import COMPOUNDS
from vibentropy.atoms.crystal import SITES_PER_CELL, Crystal
from vibentropy.sources.random_alloys import KEYS, RandomAlloy
from vibentropy.sources.references import Reference

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True)
class Lattice:
    """The crystal that recipes start from, before the potential has a say.

    Attributes
    ----------
    structure : str
        See `vibentropy.atoms.crystal.SITES_PER_CELL`.
    a : float
        Edge of the cubic cell, Å; of hcp the distance of neighbours within a plane.
    relax : bool
        Whether `a`, and `c_over_a`, are first guesses, to be relaxed with the potential.
    c_over_a : float or None
        Of hcp; None for the ideal one, and for cubic crystals.
    elements : tuple of str
        A and B of an ordered compound AB or A3B; empty for other crystals, which are of the first element of the
        potential.
    references : tuple of Reference
        Cells that atoms of further elements are compared with.
    host : str or None
        Element of a crystal of one, as far as the configuration tells.
    random : RandomAlloy or None
        Elements at random on the sites of the crystal; None for a crystal.
    """

    structure: str
    a: float
    relax: bool = True
    c_over_a: float | None = None
    elements: tuple[str, ...] = ()
    references: tuple[Reference, ...] = ()
    host: str | None = None
    random: RandomAlloy | None = None

    @classmethod
    def from_block(cls, block: Mapping[str, Any], host: str | None = None) -> Lattice:
        """Build it from its block of the configuration.

        Parameters
        ----------
        block : dict
        host : str, optional
            First element of the potential.

        Returns
        -------
        Lattice
        """
        of_alloy = {
            "elements": tuple(block.get("elements") or ()),
            "references": tuple(Reference.from_block(reference) for reference in block.get("references", ())),
        }
        random = {key: block[key] for key in KEYS if key in block}
        others = {key: value for key, value in block.items() if key not in KEYS}
        return cls(**others | of_alloy, random=RandomAlloy(**random) if random else None, host=host)

    @property
    def all_elements(self) -> tuple[str, ...]:
        """Elements of the crystal and of the cells that others are compared with."""
        crystal = self.elements or ((self.host,) if self.host else ())
        mixed = self.random.composition if self.random else ()
        return tuple(dict.fromkeys([*crystal, *mixed, *(reference.element for reference in self.references)]))

    @property
    def sites_per_cell(self) -> int:
        """Sites of the unit cell of the lattice."""
        return SITES_PER_CELL[self.structure]

    @property
    def volume_per_site(self) -> float:
        """Volume of the unit cell per site, Å³."""
        return float(self.crystal("X").edges.prod()) / self.sites_per_cell

    def sites(self, repetitions: Sequence[int]) -> int:
        """Count the lattice sites of so many unit cells along each axis.

        Parameters
        ----------
        repetitions : sequence of three int

        Returns
        -------
        int
        """
        return self.sites_per_cell * prod(repetitions)

    def crystal(self, element: str) -> Crystal:
        """Crystal with the lattice constants as the configuration gives them.

        Parameters
        ----------
        element : str
            Chemical symbol of all atoms, where it is no compound.

        Returns
        -------
        Crystal
        """
        if self.structure in COMPOUNDS:
            first, second = self.elements or ("A", "B")
            return Crystal(first, self.structure, self.a, partner=second)
        return Crystal(element, self.structure, self.a, self.c_over_a)

    def at_rest(self, potential: Any) -> Crystal:
        """Crystal with the lattice constants of lowest energy where that is wanted.

        Parameters
        ----------
        potential : vibentropy.potentials.protocols.Interaction
            The crystal is of its first element, where it is no compound.

        Returns
        -------
        Crystal

        Raises
        ------
        ConfigError
            If the potential has no such crystal.
        """
        crystal = self.crystal(potential.elements[0])
        if not self.relax:
            return crystal
        return self.random.relaxed(crystal, potential) if self.random else crystal.relaxed(potential)
