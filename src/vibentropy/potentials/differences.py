"""Second derivatives by central differences of forces, several atoms at a time where their rows do not overlap."""

from collections.abc import Callable

import numpy as np
from ase import Atoms
from ase.geometry import find_mic
from numpy.typing import NDArray

from vibentropy.errors import ConfigError

#: Change of a force beyond the coupling range, as a fraction of the largest change: more is no rounding.
_TOLERANCE = 1e-3

#: Height of a cell in coupling ranges from which on groups pay: iron of 1024 and 3456 sites takes 29 % of the forces at
#: 3.2 and 3.8, and 63 % at 2.5.
_WIDE = 3.0


def difference_hessian(
    atoms: Atoms,
    step: float,
    forces: Callable[[Atoms], NDArray[np.float64]],
    coupling_range: float | None = None,
) -> NDArray[np.float64]:
    """Hessian by central differences of forces.

    With a coupling range, atoms more than twice as far apart are displaced together: what each force changes by is due
    to the only one of them in range (Curtis, Powell and Reid, IMA J. Appl. Math. 13, 117 (1974)).

    Parameters
    ----------
    atoms : ase.Atoms
        Lengths in Å.
    step : float
        Displacement in Å.
    forces : callable
        From atoms to forces of shape (n_atoms, 3), eV/Å; called six times for each group of atoms.
    coupling_range : float, optional
        Distance in Å beyond which moving an atom changes no force.

    Returns
    -------
    ndarray of shape (3 n_atoms, 3 n_atoms), eV/Å²
        As the differences are: not made symmetric.

    Raises
    ------
    ConfigError
        If forces beyond the coupling range change.
    """
    n_atoms = len(atoms)
    matrix = np.zeros((n_atoms, 3, n_atoms, 3))
    displaced = atoms.copy()
    for group, owners in _groups(atoms, coupling_range):
        for axis in range(3):
            sides = []
            for length in (-step, step):
                displaced.positions = atoms.positions
                displaced.positions[group, axis] += length
                sides.append(forces(displaced))
            change = (sides[0] - sides[1]) / (2 * step)
            _check_range(change, owners, coupling_range)
            reached = np.flatnonzero(owners >= 0)
            matrix[owners[reached], axis, reached] = change[reached]
    return matrix.reshape(3 * n_atoms, 3 * n_atoms)


def is_wide(atoms: Atoms, coupling_range: float | None) -> bool:
    """Whether a cell is so wide that it takes less than half as many forces in groups.

    Parameters
    ----------
    atoms : ase.Atoms
        Periodic in three directions.
    coupling_range : float or None
        In Å, None where it is unknown.

    Returns
    -------
    bool
    """
    if coupling_range is None:
        return False
    heights = 1 / np.linalg.norm(atoms.cell.reciprocal(), axis=1)
    return bool(heights.min() > _WIDE * coupling_range)


def _groups(atoms, coupling_range):
    """Cut atoms into groups that are displaced together.

    Yields
    ------
    group : ndarray of int
    owners : ndarray of shape (n_atoms,) of int
        Which atom of the group a force belongs to, -1 where to none.
    """
    n_atoms = len(atoms)
    if coupling_range is None:
        yield from ((np.array([i]), np.full(n_atoms, i)) for i in range(n_atoms))
        return
    left = np.ones(n_atoms, dtype=bool)
    while left.any():
        free, group, owners = left.copy(), [], np.full(n_atoms, -1)
        while free.any():
            i = int(free.argmax())
            group.append(i)
            distances = find_mic(atoms.positions - atoms.positions[i], atoms.cell, atoms.pbc)[1]
            owners[distances <= coupling_range] = i
            free &= distances > 2 * coupling_range
        left[group] = False
        yield np.array(group), owners


def _check_range(change, owners, coupling_range):
    sizes = np.abs(change).max(axis=1)
    beyond = np.where(owners < 0, sizes, 0.0)
    if beyond.max() > _TOLERANCE * sizes.max():
        k = int(beyond.argmax())
        raise ConfigError(
            f"coupling_range {coupling_range:g} Å is too short: moving atoms further away than that changes the force "
            f"on atom {k} by {beyond[k]:.2g} eV/Å per Å; make it longer or leave it out"
        )
