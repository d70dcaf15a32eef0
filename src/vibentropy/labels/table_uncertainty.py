"""What the tables of a potential leave open in a formation entropy.

A table says what a function is at its points, to so many digits; entropies are made of second derivatives. Two smooth
functions that follow the table equally well differ in these, and what that is worth in a label is its uncertainty. For
most tables it is far below what anyone asks for. It is not where tables are coarse, printed with six digits, or made of
pieces that do not quite meet.
"""

from collections.abc import Callable, Sequence

import numpy as np
from ase import Atoms

from vibentropy.atoms.reference_cells import ReferenceCells
from vibentropy.errors import PotentialError
from vibentropy.potentials.protocols import Interaction, TableShift, Tabulated

#: A label is refused where it is more uncertain than this, in k_B and as a share of it, whichever is more.
MAX_UNCERTAINTY, MAX_RELATIVE_UNCERTAINTY = 0.05, 0.005


def table_uncertainty(
    atoms: Atoms,
    references: ReferenceCells,
    potential: Interaction,
    formation_entropy: float = 0.0,
    of_cell: Callable[[Atoms], Sequence[TableShift]] | None = None,
) -> float:
    """Uncertainty of a formation entropy from the tables of the potential.

    Each function is replaced by another one that follows its table as well, which changes the entropy of the defective
    cell and that of as many atoms of each element in the references; what these differ by, averaged over small strains,
    is added in squares over the functions. The entropies are those of Einstein crystals, see
    `vibentropy.Potential.table_shifts`. This is an estimate: representations scatter by half to three times as much.

    Parameters
    ----------
    atoms : ase.Atoms
        The defective cell.
    references : ReferenceCells
    potential : vibentropy.potentials.protocols.Interaction
    formation_entropy : float
        The label, k_B.
    of_cell : callable, optional
        In place of ``potential.table_shifts`` for references, where these are known from another cell.

    Returns
    -------
    float, k_B
        NaN for a potential whose functions are no tables.

    Raises
    ------
    PotentialError
        If it is more than `MAX_UNCERTAINTY` and `MAX_RELATIVE_UNCERTAINTY` allow.
    """
    if not isinstance(potential, Tabulated):
        return np.nan
    shifts = potential.table_shifts(atoms)
    of_cell = of_cell or potential.table_shifts

    def entropies(found):
        return np.array([shift.entropies for shift in found])

    formed = references.formed(atoms, entropies(shifts), references.quantities(lambda cell: entropies(of_cell(cell))))
    open_by = np.sqrt(np.mean(formed**2, axis=1))
    uncertainty = float(np.linalg.norm(open_by))
    allowed = max(MAX_UNCERTAINTY, MAX_RELATIVE_UNCERTAINTY * abs(formation_entropy))
    if not uncertainty <= allowed:
        worst = shifts[int(np.argmax(open_by))]
        place = f"a density of {worst.place**2:.4g}" if worst.function.endswith("embedding") else f"{worst.place:.4g} Å"
        raise PotentialError(
            f"the entropy is uncertain by {uncertainty:.2g} k_B, expected at most {allowed:.2g}: the table of the "
            f"{worst.function} function is too coarse or not smooth, above all near {place}; finite "
            f"differences take the table as LAMMPS interpolates it: {potential.by_finite_differences}"
        )
    return uncertainty
