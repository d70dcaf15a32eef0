"""Cells that atoms of further elements are compared with, beside the perfect crystal: what they are, made at rest.

What an atom of each element counts follows from as many cells as there are elements (`vibentropy.atoms.compositions`).
For a solute that is the crystal with one atom of it; for an ordered compound a second condition, which is named: an
antisite, or a crystal of one of its elements.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from vibentropy.atoms.crystal import Crystal
from vibentropy.files.progress import Done, ignore
from vibentropy.sources.made_cells import as_set, at_rest
from vibentropy.sources.species import Substitution

if TYPE_CHECKING:
    from ase import Atoms

    from vibentropy.datasets.store import ConfigurationSet
    from vibentropy.potentials.protocols import Interaction


@dataclass(frozen=True)
class Reference:
    """A cell beside the perfect crystal.

    Attributes
    ----------
    cell : tuple of 3 int
        Its size in unit cells along each vector.
    defect : str or None
        What one atom of the crystal of the run is replaced with: ``P_Fe`` (`vibentropy.sources.species`).
    crystal : Crystal or None
        In place of it, another crystal; its lattice constants are first guesses.
    """

    cell: tuple[int, ...]
    defect: str | None = None
    crystal: Crystal | None = None

    @classmethod
    def from_block(cls, block: Mapping[str, Any]) -> Reference:
        """Build it from its block of the configuration.

        Parameters
        ----------
        block : dict

        Returns
        -------
        Reference
        """
        cell = tuple(block["cell"])
        if "defect" in block:
            return cls(cell, defect=block["defect"])
        return cls(cell, crystal=Crystal(block["element"], block["structure"], block["a"], block.get("c_over_a")))

    @property
    def name(self) -> str:
        """What it is, for tables: ``P_Fe 8x8x8``, ``fcc Al 6x6x6``."""
        what = self.defect if self.crystal is None else self.crystal.name
        return f"{what} {'x'.join(map(str, self.cell))}"

    @property
    def element(self) -> str:
        """The element that it says something of."""
        return self.crystal.element if self.crystal else Substitution.parse(self.defect or "").element

    def atoms(self, crystal: Crystal) -> Atoms:
        """Build it, before it is relaxed.

        Parameters
        ----------
        crystal : Crystal
            Of the run, with the sublattice that the defect is on.

        Returns
        -------
        ase.Atoms
        """
        if self.crystal:
            return self.crystal.cell(self.cell)
        atoms = crystal.cell(self.cell)
        element, sublattice = Substitution.parse(self.defect or "")
        on = crystal.on(sublattice, len(atoms)) if sublattice else atoms.symbols != element
        atoms.symbols[int(np.flatnonzero(on)[0])] = element
        return atoms

    def at_rest(self, crystal: Crystal, potential: Interaction) -> Atoms:
        """Build it and relax it: the atoms around a defect, or the lattice constants of another crystal.

        Parameters
        ----------
        crystal : Crystal
            Of the run, at rest.
        potential : vibentropy.potentials.protocols.Interaction

        Returns
        -------
        ase.Atoms

        Raises
        ------
        ConfigError
            If the potential has no such crystal.
        NotConvergedError
            If the atoms do not come to rest.
        """
        if self.crystal:
            return self.crystal.relaxed(potential).cell(self.cell)
        return at_rest(self.atoms(crystal), potential)


def make_references(
    references: Sequence[Reference], crystal: Crystal, potential: Interaction, done: Done = ignore
) -> ConfigurationSet:
    """Make reference cells at rest.

    Parameters
    ----------
    references : sequence of Reference
    crystal : Crystal
        Of the run, at rest.
    potential : vibentropy.potentials.protocols.Interaction
    done : callable
        Called with the name of each that is done.

    Returns
    -------
    ConfigurationSet
        In their order; the id of each is ``references/`` and its name.

    Raises
    ------
    VibentropyError
        See `Reference.at_rest`.
    """
    cells = []
    for reference in references:
        columns = {"trajectory": reference.name, "defect_class": reference.defect or ""}
        cells.append((reference.at_rest(crystal, potential), columns))
        done(reference.name)
    return as_set("references", cells, crystal, potential)
