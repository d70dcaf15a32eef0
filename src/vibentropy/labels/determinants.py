"""Determinants of Hessians without the translations, each by the way that is cheapest.

A Cholesky factor gives the determinant at a fraction of the cost of the eigenvalues, and fails exactly when the
configuration is no minimum. Large cells have sparse factors; perfect crystals need none.
"""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from ase import Atoms
from numpy.typing import NDArray
from scipy.sparse import issparse

from vibentropy.atoms.checks import check_crystal
from vibentropy.atoms.reference import repeats
from vibentropy.errors import NotConvergedError, SaddlePointError, StructureError
from vibentropy.files.progress import Note, duration, ignore
from vibentropy.labels.bloch import crystal_eigenvalues
from vibentropy.labels.block_matrix import from_hessian, from_parts
from vibentropy.labels.cholesky import factorise
from vibentropy.labels.dissection import dissect
from vibentropy.labels.lanczos import lowest_eigenvalue
from vibentropy.labels.multifrontal import factorise_sparse, spare_memory
from vibentropy.potentials.protocols import Interaction, SplitHessian, Tabulated

#: Largest force (eV/Å) of a configuration that counts as relaxed.
MAX_FORCE = 1e-4

#: Smallest eigenvalue (eV/Å²) of a Hessian that counts as clearly stable.
MIN_EIGENVALUE = 1e-3

#: What one floating-point operation of a sparse factor costs in units of one of a dense factor, and operations that
#: its fronts cost besides: which of the two is faster, measured from 250 to 3456 atoms of iron and copper.
_SPARSE_COST, _SPARSE_START = 1.2, 5e8

#: Operations of a sparse factor in a second of one core, with the eigenvalue that is held against the threshold; and
#: seconds from which on a cost is worth a line.
_SPARSE_SPEED, _LONG = 25e9, 10.0


@dataclass(frozen=True)
class LogDeterminant:
    """ln det' of a Hessian in eV/Å², and how far from a saddle it is.

    Attributes
    ----------
    value : float
        Sum of the logarithms of all eigenvalues but the three translations.
    smallest_eigenvalue : float
        Smallest of these eigenvalues, in eV/Å², to a thousandth.
    n_atoms : int
    """

    value: float
    smallest_eigenvalue: float
    n_atoms: int

    @classmethod
    def of_eigenvalues(cls, eigenvalues: NDArray[np.float64]) -> Self:
        """Add up the logarithms of eigenvalues.

        Parameters
        ----------
        eigenvalues : ndarray of shape (3 n_atoms - 3,), eV/Å²
            All of them positive.

        Returns
        -------
        LogDeterminant
        """
        return cls(float(np.log(eigenvalues).sum()), float(eigenvalues.min()), len(eigenvalues) // 3 + 1)


def log_determinant(hessian: Any, min_eigenvalue: float = MIN_EIGENVALUE) -> LogDeterminant:
    """Logarithm of the determinant of a Hessian without its three translations, by a dense factor.

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
    n_atoms = factor.size // 3
    if issparse(hessian):
        smallest = lowest_eigenvalue(lambda vector: hessian @ vector, n_atoms, floor=min_eigenvalue)
    else:
        # A product costs as much as a solution here, and of these fewer are needed: the lowest eigenvalue of -K⁻¹
        # belongs to the lowest of H.
        smallest = -1 / lowest_eigenvalue(lambda vector: -factor.solve(vector[:, None])[:, 0], n_atoms, between=2)
    _check_stable(smallest, min_eigenvalue)
    return LogDeterminant(factor.log_determinant(), smallest, n_atoms)


def eigenvalues_below(hessian: Any, atoms: Atoms, bound: float) -> int:
    """Count the eigenvalues of a Hessian below a bound, translations included, by Sylvester's law of inertia.

    Parameters
    ----------
    hessian : sparse array of shape (3 n_atoms, 3 n_atoms), eV/Å²
    atoms : ase.Atoms
        What it belongs to.
    bound : float
        In eV/Å², no eigenvalue.

    Returns
    -------
    int
    """
    matrix = from_hessian(hessian)
    return factorise_sparse(matrix, dissect(matrix, atoms, pin=False), shift=bound, definite=False).negative


def _check_stable(smallest, min_eigenvalue):
    if smallest < min_eigenvalue:
        raise SaddlePointError(
            f"the smallest eigenvalue of the Hessian is {smallest:.2e} eV/Å², not clearly positive "
            f"(expected at least {min_eigenvalue:.1e})"
        )


def check_relaxed(atoms: Atoms, potential: Interaction, max_force: float = MAX_FORCE) -> None:
    """Check that a configuration is a crystal at rest.

    Parameters
    ----------
    atoms : ase.Atoms
        A periodic crystal.
    potential : vibentropy.Potential
    max_force : float
        Largest force that a relaxed configuration may have, eV/Å.

    Raises
    ------
    StructureError
        For molecules and surfaces.
    NotConvergedError
        If a force is larger than `max_force`.
    """
    check_crystal(atoms)
    if len(atoms) < 2:
        raise StructureError("a cell of one atom has only translations, hence no vibrational entropy")
    _, forces = potential.energy_and_forces(atoms)
    largest = float(np.linalg.norm(forces, axis=1).max())
    if not largest <= max_force:
        raise NotConvergedError(
            f"the largest force is {largest:.2e} eV/Å{of_whose(potential)}, expected at most {max_force:.1e}: relax it "
            "with `--relax` or, in a data set of files, `relax: true`"
        )


def of_whose(potential: Interaction) -> str:
    """Say whose forces they are where others compute different ones from the same potential.

    Parameters
    ----------
    potential : vibentropy.potentials.protocols.Interaction

    Returns
    -------
    str
        For the middle of a message; empty unless the functions of the potential are tables.
    """
    if not isinstance(potential, Tabulated):
        return ""
    return " by the smooth functions that vibentropy fits to the tables of the potential (LAMMPS' own may be smaller)"


def relaxed_log_determinant(
    atoms: Atoms,
    potential: Interaction,
    max_force: float = MAX_FORCE,
    min_eigenvalue: float = MIN_EIGENVALUE,
    memory: int | None = None,
    note: Note = ignore,
) -> LogDeterminant:
    """Compute ln det' H of a relaxed configuration, by a dense or by a sparse factor, whichever costs less.

    Without the rows of any one atom H is positive definite exactly when it is the Hessian of a minimum, since the
    eigenvalues of the rest lie between those of H, and ln det' H = ln det H_rest + 3 ln n_atoms: that keeps it sparse.

    Parameters
    ----------
    atoms, potential, max_force
        See `check_relaxed`.
    min_eigenvalue : float
        See `log_determinant`, eV/Å².
    memory : int, optional
        Bytes that a sparse factor may take, see `vibentropy.labels.multifrontal.factorise_sparse`.
    note : callable
        Called with what a sparse factor will cost before it is begun, if that is long.

    Returns
    -------
    LogDeterminant

    Raises
    ------
    StructureError, NotConvergedError
        See `check_relaxed`.
    SaddlePointError
        If the configuration is no minimum.
    """
    check_relaxed(atoms, potential, max_force)
    hessian = None
    if isinstance(potential, SplitHessian):
        matrix = from_parts(potential.hessian_parts(atoms))
    else:
        hessian = potential.hessian(atoms)
        if not issparse(hessian):
            return log_determinant(hessian, min_eigenvalue)
        matrix = from_hessian(hessian)
    plan = _cheaper(matrix, atoms)
    if plan is None:
        return log_determinant(potential.hessian(atoms) if hessian is None else hessian, min_eigenvalue)
    _say_cost(plan, len(atoms), memory, note)
    # From above, and at a fraction of the cost of the factor: what it refuses is no minimum.
    smallest = lowest_eigenvalue(matrix.apply, len(atoms), floor=min_eigenvalue)
    _check_stable(smallest, min_eigenvalue)
    try:
        factor = factorise_sparse(matrix, plan, memory=memory)
    except SaddlePointError:
        if hessian is not None:
            raise
        # Without its densities a Hessian may be indefinite where it is not with them: its own factor decides.
        matrix = from_hessian(potential.hessian(atoms))
        factor = factorise_sparse(matrix, dissect(matrix, atoms), memory=memory)
    return LogDeterminant(factor.log_determinant + 3 * float(np.log(len(atoms))), smallest, len(atoms))


def _say_cost(plan, n_atoms, memory, note):
    """Say what a sparse factor will cost."""
    seconds = plan.flops / _SPARSE_SPEED
    if seconds < _LONG:
        return
    operations = f"{plan.flops:.1e}".replace("e+", "e")
    needed = plan.peak_bytes()
    on_disk = needed - plan.peak_bytes(plan.on_disk(spare_memory() if memory is None else memory))
    waits = f", of which {on_disk / 1e9:.1f} GB go to disk" if on_disk else ""
    note(
        f"{n_atoms:,} atoms: a sparse factor of {operations} operations, about {duration(seconds)}, "
        f"{needed / 1e9:.1f} GB{waits}"
    )


def _cheaper(matrix, atoms):
    """Plan of a sparse factor, if it is cheaper than the dense one of 9 n³ operations."""
    dense = 9.0 * matrix.n_atoms**3
    if dense < _SPARSE_START:
        return None
    plan = dissect(matrix, atoms)
    return plan if _SPARSE_COST * plan.flops + _SPARSE_START < dense else None


def reference_log_determinant(
    cell: Atoms,
    potential: Interaction,
    max_force: float = MAX_FORCE,
    min_eigenvalue: float = MIN_EIGENVALUE,
    memory: int | None = None,
    note: Note = ignore,
) -> LogDeterminant:
    """Compute ln det' H of a reference cell: of a perfect crystal wave by wave, of any other by a factor.

    Parameters
    ----------
    cell : ase.Atoms
        Such as the perfect crystal, one with a solute, or a random alloy.
    potential, max_force, min_eigenvalue, memory, note
        See `relaxed_log_determinant`.

    Returns
    -------
    LogDeterminant

    Raises
    ------
    StructureError, NotConvergedError, SaddlePointError
        See `relaxed_log_determinant`.
    """
    if repeats(cell):
        return LogDeterminant.of_eigenvalues(stable_eigenvalues(cell, potential, max_force, min_eigenvalue))
    return relaxed_log_determinant(cell, potential, max_force, min_eigenvalue, memory, note)


def stable_eigenvalues(
    crystal: Atoms, potential: Interaction, max_force: float = MAX_FORCE, min_eigenvalue: float = MIN_EIGENVALUE
) -> NDArray[np.float64]:
    """Eigenvalues of the Hessian of a perfect crystal at a minimum, wave by wave and without the translations.

    Parameters
    ----------
    crystal, potential, max_force
        See `check_relaxed`.
    min_eigenvalue : float
        See `log_determinant`, eV/Å².

    Returns
    -------
    ndarray of shape (3 n_atoms - 3,), eV/Å²

    Raises
    ------
    StructureError, NotConvergedError, SaddlePointError
        See `relaxed_log_determinant`.
    """
    check_relaxed(crystal, potential, max_force)
    eigenvalues = crystal_eigenvalues(crystal, potential)
    _check_stable(float(eigenvalues[0]), min_eigenvalue)
    return eigenvalues
