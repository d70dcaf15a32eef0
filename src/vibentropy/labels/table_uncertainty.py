"""What the tables of a potential leave open in a formation entropy.

A table says what a function is at its points, to so many digits; entropies are made of second derivatives. Two smooth
functions that follow the table equally well differ in these, and what that is worth in a label is its uncertainty. For
most tables it is far below what anyone asks for. It is not where tables are coarse, printed with six digits, or made of
pieces that do not quite meet.
"""

from collections.abc import Sequence

import numpy as np
from ase import Atoms

from vibentropy.errors import PotentialError
from vibentropy.potentials.protocols import Interaction, TableShift, Tabulated

#: A label is refused where it is more uncertain than this, in k_B and as a share of it, whichever is more.
MAX_UNCERTAINTY, MAX_RELATIVE_UNCERTAINTY = 0.05, 0.005


def table_uncertainty(
    atoms: Atoms,
    bulk: Atoms,
    potential: Interaction,
    formation_entropy: float = 0.0,
    of_bulk: Sequence[TableShift] | None = None,
) -> float:
    """Uncertainty of a formation entropy from the tables of the potential.

    Each function is replaced by another one that follows its table as well, which changes the entropy of the defective
    cell and that of as many atoms of the perfect crystal; what these differ by, averaged over small strains, is added
    in squares over the functions. The entropies are those of Einstein crystals, see
    `vibentropy.Potential.table_shifts`. This is an estimate: representations scatter by half to three times as much.

    Parameters
    ----------
    atoms : ase.Atoms
        The defective cell.
    bulk : ase.Atoms
        The perfect crystal in the same cell.
    potential : vibentropy.potentials.protocols.Interaction
    formation_entropy : float
        The label, k_B.
    of_bulk : sequence of TableShift, optional
        ``potential.table_shifts(bulk)``, where that is known from another cell.

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
    if of_bulk is None:
        of_bulk = potential.table_shifts(bulk)
    ratio = len(atoms) / len(bulk)
    open_by = [_rms(shift.entropies - ratio * other.entropies) for shift, other in zip(shifts, of_bulk, strict=True)]
    uncertainty = float(np.linalg.norm(open_by))
    allowed = max(MAX_UNCERTAINTY, MAX_RELATIVE_UNCERTAINTY * abs(formation_entropy))
    if not uncertainty <= allowed:
        worst = shifts[int(np.argmax(open_by))]
        place = f"a density of {worst.place**2:.4g}" if worst.function == "embedding" else f"{worst.place:.4g} Å"
        raise PotentialError(
            f"the entropy is uncertain by {uncertainty:.2g} k_B, allowed are {allowed:.2g}: the table of the "
            f"{worst.function} function is too coarse or not smooth, above all near {place}; finite "
            f"differences take the table as LAMMPS interpolates it: {potential.by_finite_differences}"
        )
    return uncertainty


def _rms(values):
    return np.sqrt(np.mean(values**2))
