"""Exact vibrational formation entropies in the classical harmonic limit."""

from collections.abc import Callable, Sequence

import numpy as np
from ase import Atoms
from ase.calculators.calculator import Calculator
from numpy.typing import ArrayLike, NDArray

from vibentropy.atoms.checks import element_indices
from vibentropy.atoms.reference_cells import ReferenceCells
from vibentropy.files.progress import Note, ignore
from vibentropy.labels.determinants import (
    MAX_FORCE,
    MIN_EIGENVALUE,
    LogDeterminant,
    reference_log_determinant,
    relaxed_log_determinant,
)
from vibentropy.labels.table_uncertainty import table_uncertainty
from vibentropy.potentials.calculators import as_potential
from vibentropy.potentials.protocols import Interaction


def entropy_of(log_determinant_defect: LogDeterminant, log_determinant_bulk: LogDeterminant) -> tuple[float, float]:
    """Compute the formation entropy of a defective cell in both conventions from two determinants.

    Parameters
    ----------
    log_determinant_defect, log_determinant_bulk : LogDeterminant
        Of the defective cell and of the perfect crystal in the same cell.

    Returns
    -------
    per_mode : float, k_B
        -1/2 [ln det' H_d - (N_d - 1)/(N_0 - 1) ln det' H_0], independent of the unit of H.
    per_atom : float, k_B
        The same with N_d/N_0, the convention of the literature; H in eV/Å².
    """
    defect, bulk = log_determinant_defect, log_determinant_bulk
    per_mode = -0.5 * (defect.value - (defect.n_atoms - 1) / (bulk.n_atoms - 1) * bulk.value)
    per_atom = -0.5 * (defect.value - defect.n_atoms / bulk.n_atoms * bulk.value)
    return per_mode, per_atom


def formed_entropy(
    references: ReferenceCells, atoms: Atoms, defect: LogDeterminant, of_cell: Callable[[Atoms], LogDeterminant]
) -> tuple[float, float]:
    """Compute the formation entropy of a cell of any elements in both conventions from determinants.

    Parameters
    ----------
    references : ReferenceCells
    atoms : ase.Atoms
    defect : LogDeterminant
        Of these atoms.
    of_cell : callable
        Finds that of a reference cell.

    Returns
    -------
    per_mode, per_atom : float, k_B
        -1/2 ln det' H less that of as many atoms of each element in the references, with and without counting
        translations (`vibentropy.atoms.compositions`). For one element as `entropy_of`.
    """
    value, entropies = -0.5 * defect.value, references.quantities(lambda cell: -0.5 * of_cell(cell).value)
    return float(references.formed_of_modes(atoms, value, entropies)), float(references.formed(atoms, value, entropies))


def formed_site_entropies(
    references: ReferenceCells, atoms: Atoms, sites: ArrayLike, of_cell: Callable[[Atoms], LogDeterminant]
) -> NDArray[np.float64]:
    """Compare the entropy of each atom of a cell with that of an atom of its element in the references.

    Parameters
    ----------
    references : ReferenceCells
    atoms : ase.Atoms
    sites : array_like of shape (n_atoms,), k_B
        Of these atoms, see `vibentropy.labels.modes.Modes.site_entropies`.
    of_cell : callable
        As of `formed_entropy`.

    Returns
    -------
    ndarray of shape (n_atoms,), k_B
        They add up to the formation entropy per atom that `formed_entropy` returns. Compared mode by mode, so that
        nothing but their mean depends on the unit of the Hessian.
    """
    entropies = references.quantities(lambda cell: -0.5 * of_cell(cell).value)
    compared = references.per_atom_of_modes(entropies)[element_indices(atoms, references.compositions.elements)]
    shares = np.asarray(sites, dtype=float) - compared
    return shares + (float(references.formed(atoms, np.sum(sites), entropies)) - shares.sum()) / len(shares)


def formation_entropy(
    atoms: Atoms,
    bulk: Atoms | Sequence[Atoms],
    potential: Interaction | Calculator,
    max_force: float = MAX_FORCE,
    min_eigenvalue: float = MIN_EIGENVALUE,
    note: Note = ignore,
) -> float:
    """Exact vibrational formation entropy in the classical harmonic limit.

    S_f = -1/2 [ln det' H_d - (N_d - 1)/(N_0 - 1) ln det' H_0], compared mode by mode, so that temperature, mass and
    units cancel exactly. The N_d/N_0 convention of the literature is `entropy_of(...)[1]`. With several elements the
    atoms of each are compared with what reference cells say of it, see `vibentropy.atoms.compositions`.

    Parameters
    ----------
    atoms : ase.Atoms
        The defective cell, relaxed.
    bulk : ase.Atoms or sequence of ase.Atoms
        The perfect crystal in the same cell, which may be turned in space. With several elements as many reference
        cells as there are elements, the first of them in the same cell: the perfect crystal, or for a random alloy the
        cell without the defect; then for each solute a relaxed cell with another share of it, of any size, such as the
        crystal with one atom of it.
    potential : vibentropy.potentials.protocols.Interaction or ase.calculators.calculator.Calculator
        Of `vibentropy.load_potential`, or a calculator of ASE as it is, which
        `vibentropy.potentials.calculators.as_potential` makes a potential of.
    max_force : float
        Largest force that a relaxed configuration may have, eV/Å.
    min_eigenvalue : float
        See `log_determinant`, eV/Å².
    note : callable
        See `vibentropy.labels.determinants.relaxed_log_determinant`.

    Returns
    -------
    float, k_B

    Raises
    ------
    SaddlePointError
        If one of the cells is not at a minimum, where there is no harmonic entropy.
    NotConvergedError
        If one of the cells is not relaxed.
    StructureError
        For molecules, surfaces, cells that differ, a `bulk` of one element with a defect, and references that do not
        say what an atom of each element counts.
    PotentialError
        If the tables of the potential leave too much open, see `vibentropy.labels.table_uncertainty`.
    """
    references = ReferenceCells.of([bulk] if isinstance(bulk, Atoms) else list(bulk)).around(atoms)
    potential = as_potential(potential, *references.cells, atoms)
    defect = relaxed_log_determinant(atoms, potential, max_force, min_eigenvalue, note=note)
    entropy, _ = formed_entropy(
        references,
        atoms,
        defect,
        lambda cell: reference_log_determinant(cell, potential, max_force, min_eigenvalue, note=note),
    )
    table_uncertainty(atoms, references, potential, entropy)
    return entropy
