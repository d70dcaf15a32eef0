"""Exact vibrational formation entropies in the classical harmonic limit."""

from ase import Atoms
from ase.calculators.calculator import Calculator

from vibentropy.atoms.reference import check_perfect, check_same_cell
from vibentropy.files.progress import Note, ignore
from vibentropy.labels.determinants import (
    MAX_FORCE,
    MIN_EIGENVALUE,
    LogDeterminant,
    relaxed_log_determinant,
    stable_eigenvalues,
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


def formation_entropy(
    atoms: Atoms,
    bulk: Atoms,
    potential: Interaction | Calculator,
    max_force: float = MAX_FORCE,
    min_eigenvalue: float = MIN_EIGENVALUE,
    note: Note = ignore,
) -> float:
    """Exact vibrational formation entropy in the classical harmonic limit.

    S_f = -1/2 [ln det' H_d - (N_d - 1)/(N_0 - 1) ln det' H_0], compared mode by mode, so that temperature, mass and
    units cancel exactly. The N_d/N_0 convention of the literature is `entropy_of(...)[1]`.

    Parameters
    ----------
    atoms : ase.Atoms
        The defective cell, relaxed.
    bulk : ase.Atoms
        The perfect crystal in the same cell.
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
        If one of the two is not at a minimum, where there is no harmonic entropy.
    NotConvergedError
        If one of the two is not relaxed.
    StructureError
        For alloys, molecules, surfaces, cells that differ, and a `bulk` with a defect.
    PotentialError
        If the tables of the potential leave too much open, see `vibentropy.labels.table_uncertainty`.
    """
    check_same_cell(atoms, bulk)
    check_perfect(bulk)
    potential = as_potential(potential, atoms)
    defect = relaxed_log_determinant(atoms, potential, max_force, min_eigenvalue, note=note)
    crystal = LogDeterminant.of_eigenvalues(stable_eigenvalues(bulk, potential, max_force, min_eigenvalue))
    entropy, _ = entropy_of(defect, crystal)
    table_uncertainty(atoms, bulk, potential, entropy)
    return entropy
