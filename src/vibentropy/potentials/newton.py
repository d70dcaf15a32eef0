"""Relaxation to forces that first-order methods cannot reach: truncated Newton steps with the exact Hessian."""

import numpy as np
from ase import Atoms
from scipy.sparse import bsr_array, issparse

from vibentropy.errors import NotConvergedError, PotentialError, StructureError
from vibentropy.potentials.protocols import Interaction

#: Longest displacement of an atom in one step, Å.
_MAX_DISPLACEMENT = 0.1

#: A Hessian is used again as long as each step divides the largest force by at least this.
_GOOD_REDUCTION = 4.0

#: Hessians after which a configuration counts as not converging: those that lower the energy by less than so much (eV),
#: and all. Crowded cells that are handed over near a saddle have a long way downhill.
_MAX_IDLE_HESSIANS, _DOWNHILL = 60, 1e-2
_MAX_HESSIANS = 300

#: The linear system is solved until the residual is this fraction of the forces. Close to the minimum the fraction is
#: the square root of the largest force (eV/Å), which keeps the convergence superlinear.
_LOOSEST_SOLUTION = 0.1

#: Iterations after which the linear system is taken for singular; the step so far is downhill all the same.
_MAX_ITERATIONS = 1000

#: Smallest stiffness in the preconditioner, as a fraction of the mean stiffness.
_SOFTEST = 0.1


def newton_relax(atoms: Atoms, potential: Interaction, max_force: float) -> tuple[Atoms, float, float]:
    """Relax a configuration at fixed cell until the largest force is below a bound.

    The Newton equations are solved by preconditioned conjugate gradients, which need products with the Hessian only:
    no dense matrix. Directions of negative curvature are followed downhill (Steihaug, SIAM J. Numer. Anal. 20, 626
    (1983)); a configuration held at a saddle by symmetry stays there. A Hessian is used for as long as it pays.

    Parameters
    ----------
    atoms : ase.Atoms
    potential : vibentropy.potentials.protocols.Interaction
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
        If sixty Hessians lower the energy by less than 0.01 eV each, or three hundred in all do not reach the bound, or
        no step lowers the energy any more.
    PotentialError
        If the configuration is outside the domain of the potential to begin with.
    """
    atoms = atoms.copy()
    energy, forces = potential.energy_and_forces(atoms)
    largest = _largest(forces)
    if not (np.isfinite(energy) and np.isfinite(largest)):
        raise NotConvergedError(f"the energy is {energy} eV and the largest force {largest} eV/Å, not finite")
    idle = 0
    for _ in range(_MAX_HESSIANS):
        if largest <= max_force:
            return atoms, energy, largest
        if idle == _MAX_IDLE_HESSIANS:
            reason = f"after {idle} Hessians that lowered the energy by less than {_DOWNHILL} eV"
            break
        before = energy
        hessian = potential.hessian(atoms)
        precondition = _block_jacobi(hessian)
        accepted = False
        while largest > max_force:
            step = _newton_step(hessian, forces, precondition, 0.1 * max_force)
            trial, trial_energy, trial_forces = _backtrack(atoms, step, energy, largest, potential)
            if trial is None:
                break
            reduction = largest / _largest(trial_forces)
            atoms, energy, forces, largest = trial, trial_energy, trial_forces, _largest(trial_forces)
            accepted = True
            if reduction < _GOOD_REDUCTION:
                break
        if not accepted:
            reason = "where no step lowers the energy"
            break
        idle += before - energy < _DOWNHILL
    else:
        reason = f"after {_MAX_HESSIANS} Hessians"
    if largest <= max_force:
        return atoms, energy, largest
    raise NotConvergedError(
        f"Newton steps stop at a largest force of {largest:.2e} eV/Å, expected {max_force:.1e}, {reason}"
    )


def _newton_step(hessian, forces, precondition, tolerance):
    """Solve H u = f by conjugate gradients until precise enough, too long, or curved the wrong way; without drift.

    Parameters
    ----------
    hessian : sparse array or ndarray of shape (3 n_atoms, 3 n_atoms), eV/Å²
    forces : ndarray of shape (n_atoms, 3), eV/Å
        They add up to zero, and so do all residuals, so that translations play no part.
    precondition : callable
        From residuals to displacements.
    tolerance : float
        Residual in eV/Å at which to stop.

    Returns
    -------
    ndarray of shape (n_atoms, 3), Å
    """
    largest = _largest(forces)
    tolerance = max(tolerance, largest * min(_LOOSEST_SOLUTION, np.sqrt(largest)))
    step, residual = np.zeros_like(forces), forces.copy()
    direction = preconditioned = precondition(residual)
    weight = (residual * preconditioned).sum()
    for _ in range(_MAX_ITERATIONS):
        image = (hessian @ direction.ravel()).reshape(-1, 3)
        curvature = (direction * image).sum()
        if curvature <= 0:
            step += direction * (_MAX_DISPLACEMENT / _largest(direction))
            break
        length = weight / curvature
        step += length * direction
        residual -= length * image
        if _largest(residual) <= tolerance or _largest(step) >= _MAX_DISPLACEMENT:
            break
        preconditioned = precondition(residual)
        weight, previous = (residual * preconditioned).sum(), weight
        direction = preconditioned + (weight / previous) * direction
    step -= step.mean(axis=0)
    return step * min(1.0, _MAX_DISPLACEMENT / _largest(step))


def _block_jacobi(hessian):
    """Multiply each atom's residual by the inverse of its own block of the Hessian, made clearly positive."""
    stiffness, axes = np.linalg.eigh(_diagonal_blocks(hessian))
    stiffness = np.abs(stiffness)
    stiffness = np.maximum(stiffness, _SOFTEST * stiffness.mean())
    inverse = (axes / stiffness[:, None, :]) @ axes.transpose(0, 2, 1)
    return lambda residual: (inverse @ residual[:, :, None])[:, :, 0]


def _diagonal_blocks(hessian):
    """Blocks of the atoms themselves, shape (n_atoms, 3, 3)."""
    atoms = np.arange(hessian.shape[0] // 3)
    if not issparse(hessian):
        return np.asarray(hessian).reshape(len(atoms), 3, len(atoms), 3)[atoms, :, atoms]
    hessian = bsr_array(hessian, blocksize=(3, 3))
    blocks = np.zeros((len(atoms), 3, 3))
    rows = np.repeat(atoms, np.diff(hessian.indptr))
    diagonal = hessian.indices == rows
    blocks[rows[diagonal]] = hessian.data[diagonal]
    return blocks


def _backtrack(atoms, step, energy, largest, potential):
    """Halve a step until the energy falls, or the forces do where the energy is level to rounding."""
    level = 1e-14 * (abs(energy) + len(atoms))
    for _ in range(6):
        trial = atoms.copy()
        trial.positions += step
        try:
            trial_energy, trial_forces = potential.energy_and_forces(trial)
        except (PotentialError, StructureError):
            pass  # The step leaves the domain of the potential, or puts atoms on top of each other: too long.
        else:
            if trial_energy < energy - level or (trial_energy < energy + level and _largest(trial_forces) < largest):
                return trial, trial_energy, trial_forces
        step = step / 2
    return None, None, None


def _largest(vectors):
    return float(np.sqrt((vectors**2).sum(axis=1).max()))
