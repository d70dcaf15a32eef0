"""What binds the parts of a defect: a complex and the perfect crystal against each part in a cell of its own."""

from collections.abc import Sequence
from functools import cached_property
from typing import NamedTuple

import numpy as np
from ase import Atoms
from ase.calculators.calculator import Calculator

from vibentropy.atoms.reference import crystal_in_cell
from vibentropy.errors import StructureError, at
from vibentropy.files.progress import Note, ignore
from vibentropy.labels.determinants import MAX_FORCE, MIN_EIGENVALUE, reference_log_determinant, relaxed_log_determinant
from vibentropy.potentials.calculators import as_potential
from vibentropy.potentials.protocols import Interaction


class Binding(NamedTuple):
    """How the parts of a complex bind; negative where they attract.

    Attributes
    ----------
    energy : float, eV
    entropy : float, k_B
        Vibrational, classical and harmonic. The free energy of binding is energy - k_B T entropy.
    """

    energy: float
    entropy: float


#: What the signs mean, for people who know the opposite: every output says it.
CONVENTION = "complex minus parts: negative energies attract"


class Parts:
    """The parts of a complex, each in a cell of its own, and the perfect crystal: computed once for many complexes.

    Parameters
    ----------
    parts : sequence of ase.Atoms
        Two or more, each relaxed in the same cell; the same object may stand for several.
    bulk : ase.Atoms
        The perfect crystal in the same cell, or for a random alloy the cell without the defect.
    potential : vibentropy.potentials.protocols.Interaction
    max_force, min_eigenvalue, note
        See `vibentropy.formation_entropy`.

    Raises
    ------
    StructureError
        If there are fewer than two parts.
    """

    def __init__(
        self,
        parts: Sequence[Atoms],
        bulk: Atoms,
        potential: Interaction,
        max_force: float = MAX_FORCE,
        min_eigenvalue: float = MIN_EIGENVALUE,
        note: Note = ignore,
    ) -> None:
        if len(parts) < 2:
            raise StructureError(f"a complex has two parts or more, found {len(parts)}")
        self._parts, self._bulk, self._potential = list(parts), bulk, potential
        self._limits, self._note = (max_force, min_eigenvalue), note

    def bind(self, bound: Atoms) -> Binding:
        """Find how the parts bind in a complex.

        Parameters
        ----------
        bound : ase.Atoms
            Relaxed.

        Returns
        -------
        Binding

        Raises
        ------
        StructureError, SaddlePointError, NotConvergedError
            As `binding`.
        """
        for atoms in (bound, *self._parts):
            crystal_in_cell(atoms, self._bulk)
        _check_balance(bound, self._parts, self._bulk)
        determinant = relaxed_log_determinant(bound, self._potential, *self._limits, note=self._note)
        apart = self.apart
        return Binding(
            self._potential.energy_and_forces(bound)[0] - apart.energy, -0.5 * determinant.value - apart.entropy
        )

    @cached_property
    def apart(self) -> Binding:
        """Energy (eV) and entropy that complexes are compared with: of the parts, less all but one of the crystals.

        Raises
        ------
        StructureError, SaddlePointError, NotConvergedError
            As `binding`, saying which part it is.
        """
        others = len(self._parts) - 1
        with at("the perfect crystal"):
            energy = -others * self._potential.energy_and_forces(self._bulk)[0]
            crystal = reference_log_determinant(self._bulk, self._potential, *self._limits, note=self._note)
        entropy = 0.5 * others * crystal.value
        for number, part in enumerate(self._parts):
            times = sum(part is other for other in self._parts)
            if any(part is other for other in self._parts[:number]):
                continue
            with at(f"part {number + 1} ({part.get_chemical_formula()})"):
                determinant = relaxed_log_determinant(part, self._potential, *self._limits, note=self._note)
                energy += times * self._potential.energy_and_forces(part)[0]
            entropy -= 0.5 * times * determinant.value
        return Binding(energy, entropy)


def binding(
    bound: Atoms,
    parts: Sequence[Atoms],
    bulk: Atoms,
    potential: Interaction | Calculator,
    max_force: float = MAX_FORCE,
    min_eigenvalue: float = MIN_EIGENVALUE,
    note: Note = ignore,
) -> Binding:
    """Energy and entropy that bind the parts of a complex: E_b = E(complex) + (n - 1) E(bulk) - Σ E(parts), and so S_b.

    Much of the literature has the other sign. Nothing depends on units, masses, or what an atom of each element counts,
    for there are as many atoms of each, and as many modes, on both sides.

    Parameters
    ----------
    bound : ase.Atoms
        The complex, relaxed.
    parts : sequence of ase.Atoms
        Two or more, each relaxed in the same cell.
    bulk : ase.Atoms
        The perfect crystal in the same cell.
    potential : vibentropy.potentials.protocols.Interaction or ase.calculators.calculator.Calculator
        As for `vibentropy.formation_entropy`.
    max_force, min_eigenvalue, note
        See `vibentropy.formation_entropy`.

    Returns
    -------
    Binding

    Raises
    ------
    StructureError
        If the cells differ, there are fewer than two parts, or their atoms are not those of the complex.
    SaddlePointError, NotConvergedError
        As `vibentropy.formation_entropy`.
    """
    potential = as_potential(potential, bulk, bound, *parts)
    return Parts(parts, bulk, potential, max_force, min_eigenvalue, note).bind(bound)


def _check_balance(bound, parts, bulk):
    """Check that complex and crystals hold the atoms of the parts."""
    size = int(max(atoms.numbers.max() for atoms in (bound, bulk, *parts))) + 1
    bound_in, bulk_in, *parts_in = (np.bincount(atoms.numbers, minlength=size) for atoms in (bound, bulk, *parts))
    if (bound_in + (len(parts) - 1) * bulk_in != sum(parts_in)).any():
        formulas = ", ".join(atoms.get_chemical_formula() for atoms in parts)
        raise StructureError(
            f"{bound.get_chemical_formula()} and {len(parts) - 1} x {bulk.get_chemical_formula()} do not hold "
            f"the atoms of the parts, {formulas}: expected as many of each element"
        )
