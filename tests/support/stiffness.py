"""Hessians against differences of forces, and their symmetries."""

from itertools import pairwise

import numpy as np


def differences(potential, atoms, direction, h):
    """Change of all forces along a displacement, by differences of fourth order."""
    total = np.zeros((len(atoms), 3))
    for k, weight in ((-2, -1), (-1, 8), (1, -8), (2, 1)):
        moved = atoms.copy()
        moved.positions += k * h * direction
        total += weight * potential.energy_and_forces(moved)[1]
    return total / (12 * h)


def hessian_error(potential, atoms, direction):
    """Error of H u against differences of forces, and the uncertainty of these differences, in eV/Å².

    Differences are extrapolated to no step, and taken where three extrapolations agree best: wide steps meet kinks and
    higher derivatives, narrow ones rounding. Both errors are relative to stiffness beyond 100 eV/Å², where nuclei meet.
    """
    product = (potential.hessian(atoms) @ direction.ravel()).reshape(-1, 3)
    steps = [differences(potential, atoms, direction, 1.6e-3 / 2**k) for k in range(6)]
    limits = [(16 * narrow - wide) / 15 for wide, narrow in pairwise(steps)]
    changes = [np.abs(wide - narrow).max() for wide, narrow in pairwise(limits)]
    spread = [max(pair) for pair in pairwise(changes)]
    best = int(np.argmin(spread))
    scale = max(1.0, np.abs(product).max() / 100)
    return np.abs(product - limits[best + 1]).max() / scale, spread[best] / scale


def assert_hessian(potential, atoms, seed=0, n_directions=6):
    """H is that of differences of forces, which are sharp along at least half of the directions.

    Along the others a step may take a pair to where it is screened completely or into the cutoff, or the density of an
    atom near zero.
    """
    rng = np.random.default_rng(seed)
    errors = []
    for moved in range(1, n_directions + 1):
        # Few atoms meet fewer kinks, and many couple more.
        direction = np.zeros((len(atoms), 3))
        direction[rng.permutation(len(atoms))[:moved]] = rng.normal(size=(min(moved, len(atoms)), 3))
        errors.append(hessian_error(potential, atoms, direction))
    error, uncertainty = np.transpose(errors)
    assert np.mean(uncertainty < 3e-9) >= 0.5
    assert (error < 1e-9 + 2 * uncertainty).all()


def assert_symmetries(potential, atoms):
    hessian = potential.hessian(atoms).toarray()
    scale = max(1.0, np.abs(hessian).max())
    np.testing.assert_allclose(hessian, hessian.T, rtol=0, atol=1e-12 * scale)
    sums = hessian.reshape(len(hessian), -1, 3).sum(axis=1)
    np.testing.assert_allclose(sums, 0, rtol=0, atol=1e-11 * scale)
    forces = potential.energy_and_forces(atoms)[1]
    np.testing.assert_allclose(forces.sum(axis=0), 0, atol=1e-12 * max(1.0, np.abs(forces).max()) * len(atoms))
