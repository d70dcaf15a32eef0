"""What binds the parts of a defect: a complex and the perfect crystal against each part in a cell of its own."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from ase import Atoms
from ase.calculators.calculator import Calculator

from vibentropy.atoms.reference import crystal_in_cell
from vibentropy.errors import StructureError
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
    if len(parts) < 2:
        raise StructureError(f"a complex has two parts or more, found {len(parts)}")
    for atoms in (bound, *parts):
        crystal_in_cell(atoms, bulk)
    _check_balance(bound, parts, bulk)
    potential = as_potential(potential, bulk, bound, *parts)
    limits = max_force, min_eigenvalue
    signs = [1.0, *[-1.0] * len(parts)]
    energy, entropy = 0.0, 0.0
    for sign, atoms in zip(signs, (bound, *parts), strict=True):
        energy += sign * potential.energy_and_forces(atoms)[0]
        entropy -= 0.5 * sign * relaxed_log_determinant(atoms, potential, *limits, note=note).value
    energy += (len(parts) - 1) * potential.energy_and_forces(bulk)[0]
    entropy -= 0.5 * (len(parts) - 1) * reference_log_determinant(bulk, potential, *limits, note=note).value
    return Binding(energy, entropy)


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
