"""Exact vibrational formation entropies in the classical harmonic limit.

The label of a configuration needs only the determinant of its Hessian without the three translations, which a
Cholesky factor gives at a fraction of the cost of the eigenvalues; the factorisation fails exactly when the
configuration is no minimum.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from ase import Atoms

from vibentropy.atoms.checks import check_crystal
from vibentropy.atoms.reference import check_perfect, check_same_cell
from vibentropy.errors import NotConvergedError, SaddlePointError, StructureError
from vibentropy.labels.cholesky import factorise
from vibentropy.potentials.protocols import Interaction

#: Largest force (eV/Å) of a configuration that counts as relaxed.
MAX_FORCE = 1e-4

#: Smallest eigenvalue (eV/Å²) of a Hessian that counts as clearly stable.
MIN_EIGENVALUE = 1e-3

#: Vectors and steps of the inverse iteration for the smallest eigenvalue.
_BLOCK, _STEPS = 4, 6


@dataclass(frozen=True)
class LogDeterminant:
    """ln det' of a Hessian in eV/Å², and how far from a saddle it is.

    Attributes
    ----------
    value : float
        Sum of the logarithms of all eigenvalues but the three translations.
    smallest_eigenvalue : float
        Smallest of these eigenvalues, in eV/Å². An upper bound, mostly to 1 % (six steps of a block inverse iteration).
    n_atoms : int
    """

    value: float
    smallest_eigenvalue: float
    n_atoms: int


def log_determinant(hessian: Any, min_eigenvalue: float = MIN_EIGENVALUE) -> LogDeterminant:
    """Logarithm of the determinant of a Hessian without its three translations.

    With the normalised translations t_a and any c > 0, K = H + c Σ_a t_a t_aᵀ is positive definite exactly when H is
    the Hessian of a minimum, and ln det' H = 2 Σ_i ln L_ii - 3 ln c with K = L Lᵀ.

    Parameters
    ----------
    hessian : sparse array or ndarray of shape (3 n_atoms, 3 n_atoms)
        In eV/Å², symmetric, invariant under translation. Needs 36 n_atoms² bytes beside it.
    min_eigenvalue : float
        Smallest eigenvalue in eV/Å² that counts as clearly positive.

    Returns
    -------
    LogDeterminant

    Raises
    ------
    SaddlePointError
        If an eigenvalue other than the translations is not clearly positive.
    """
    factor = factorise(hessian)
    smallest = _smallest_eigenvalue(factor)
    if smallest < min_eigenvalue:
        raise SaddlePointError(
            f"the smallest eigenvalue of the Hessian is {smallest:.2e} eV/Å², not clearly positive "
            f"(expected at least {min_eigenvalue:.1e})"
        )
    return LogDeterminant(factor.log_determinant(), smallest, factor.size // 3)


def _smallest_eigenvalue(factor):
    """Smallest eigenvalue of L Lᵀ without the translations, by block inverse iteration: a bound from above."""
    vectors = np.random.default_rng(0).standard_normal((factor.size, min(_BLOCK, factor.size - 3)))
    for _ in range(_STEPS):
        for axis in range(3):
            vectors[axis::3] -= vectors[axis::3].mean(axis=0)
        basis, _ = np.linalg.qr(vectors)
        vectors = factor.solve(basis)
    return float(1.0 / np.linalg.eigvalsh(basis.T @ vectors)[-1])


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


def relaxed_hessian(atoms: Atoms, potential: Interaction, max_force: float = MAX_FORCE) -> Any:
    """Compute the Hessian of a relaxed configuration.

    Parameters
    ----------
    atoms : ase.Atoms
        A periodic crystal of one element.
    potential : vibentropy.Potential
    max_force : float
        Largest force that a relaxed configuration may have, eV/Å.

    Returns
    -------
    sparse array or ndarray of shape (3 n_atoms, 3 n_atoms), eV/Å²

    Raises
    ------
    StructureError
        For alloys, molecules and surfaces.
    NotConvergedError
        If a force is larger than `max_force`.
    """
    check_crystal(atoms)
    if len(atoms) < 2:
        raise StructureError("a cell of one atom has only translations, hence no vibrational entropy")
    _, forces = potential.energy_and_forces(atoms)
    largest = float(np.linalg.norm(forces, axis=1).max())
    if not largest <= max_force:
        raise NotConvergedError(f"the largest force is {largest:.2e} eV/Å, expected at most {max_force:.1e}: relax it")
    return potential.hessian(atoms)


def relaxed_log_determinant(
    atoms: Atoms, potential: Interaction, max_force: float = MAX_FORCE, min_eigenvalue: float = MIN_EIGENVALUE
) -> LogDeterminant:
    """Compute ln det' H of a relaxed configuration.

    Parameters
    ----------
    atoms, potential, max_force
        See `relaxed_hessian`.
    min_eigenvalue : float
        See `log_determinant`, eV/Å².

    Returns
    -------
    LogDeterminant

    Raises
    ------
    StructureError, NotConvergedError
        See `relaxed_hessian`.
    SaddlePointError
        If the configuration is no minimum.
    """
    return log_determinant(relaxed_hessian(atoms, potential, max_force), min_eigenvalue)


def formation_entropy(
    atoms: Atoms,
    bulk: Atoms,
    potential: Interaction,
    max_force: float = MAX_FORCE,
    min_eigenvalue: float = MIN_EIGENVALUE,
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
    potential : vibentropy.Potential
    max_force : float
        Largest force that a relaxed configuration may have, eV/Å.
    min_eigenvalue : float
        See `log_determinant`, eV/Å².

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
    """
    check_same_cell(atoms, bulk)
    check_perfect(bulk)
    defect = relaxed_log_determinant(atoms, potential, max_force, min_eigenvalue)
    return entropy_of(defect, relaxed_log_determinant(bulk, potential, max_force, min_eigenvalue))[0]
