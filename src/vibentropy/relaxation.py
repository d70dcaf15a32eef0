"""Relaxation to forces that first-order methods cannot reach: Newton steps with the analytic Hessian."""

import numpy as np
from scipy.linalg import lapack

from vibentropy.errors import NotConvergedError, PotentialError
from vibentropy.harmonic import stabilise

#: Longest displacement of an atom in one step, Å.
_MAX_DISPLACEMENT = 0.1
#: A factorisation serves further steps as long as each divides the largest force by this.
_GOOD_REDUCTION = 4.0
#: Factorisations after which a configuration counts as not converging.
_MAX_FACTORISATIONS = 60


def newton_relax(atoms, potential, max_force):
    """Relax a configuration at fixed cell until the largest force is below a bound.

    Where the Hessian is not positive definite it is shifted until it is, which turns the step towards lower energy;
    a configuration held at a saddle by symmetry stays there. A factor of the Hessian is used for as long as it pays.

    Parameters
    ----------
    atoms : ase.Atoms
    potential : vibentropy.Potential
    max_force : float
        Largest norm of the force on an atom, eV/Å.

    Returns
    -------
    relaxed : ase.Atoms
        A copy.
    energy : float, eV
    largest_force : float, eV/Å

    Raises
    ------
    NotConvergedError
        If sixty factorisations do not reach the bound, or no step lowers the energy any more.
    PotentialError
        If the configuration is outside the domain of the potential to begin with.
    """
    atoms = atoms.copy()
    energy, forces = potential.energy_and_forces(atoms)
    largest = _largest(forces)
    for _ in range(_MAX_FACTORISATIONS):
        if largest <= max_force:
            return atoms, energy, largest
        factor = _positive_factor(potential.hessian(atoms).toarray())
        accepted = False
        while largest > max_force:
            step, _ = lapack.dpotrs(factor, forces.reshape(-1, 1), lower=True)
            step = step.reshape(-1, 3)
            step *= min(1.0, _MAX_DISPLACEMENT / _largest(step))
            trial, trial_energy, trial_forces = _backtrack(atoms, step, energy, largest, potential)
            if trial is None:
                break
            reduction = largest / _largest(trial_forces)
            atoms, energy, forces, largest = trial, trial_energy, trial_forces, _largest(trial_forces)
            accepted = True
            if reduction < _GOOD_REDUCTION:
                break
        if not accepted:
            break
    if largest <= max_force:
        return atoms, energy, largest
    raise NotConvergedError(f"Newton steps stop at a largest force of {largest:.2e} eV/Å, expected {max_force:.1e}")


def _backtrack(atoms, step, energy, largest, potential):
    """Halve a step until the energy falls, or the forces do where the energy is level to rounding."""
    level = 1e-14 * (abs(energy) + len(atoms))
    for _ in range(6):
        trial = atoms.copy()
        trial.positions += step
        try:
            trial_energy, trial_forces = potential.energy_and_forces(trial)
        except PotentialError:
            pass  # The step leaves the domain of the potential: too long.
        else:
            if trial_energy < energy - level or (trial_energy < energy + level and _largest(trial_forces) < largest):
                return trial, trial_energy, trial_forces
        step = step / 2
    return None, None, None


def _positive_factor(hessian):
    """Cholesky factor of a Hessian, shifted until it is positive definite."""
    shift = 0.0
    mean = stabilise(hessian)
    while True:
        matrix = hessian.copy(order="F")
        matrix[np.diag_indices_from(matrix)] += shift
        factor, info = lapack.dpotrf(matrix, lower=True, clean=False, overwrite_a=True)
        if info == 0:
            return factor
        shift = max(4.0 * shift, 0.01 * mean)


def _largest(vectors):
    return float(np.linalg.norm(vectors, axis=1).max())
