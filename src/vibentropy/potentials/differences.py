"""Second derivatives by central differences of forces, several atoms at a time where their rows do not overlap."""

from collections.abc import Callable, Sequence

import numpy as np
from ase import Atoms
from ase.geometry import find_mic
from numpy.typing import NDArray

from vibentropy.errors import ConfigError, PotentialError
from vibentropy.files.progress import Note, TimeLeft, ignore
from vibentropy.potentials.protocols import Engine
from vibentropy.potentials.response_file import ResponseFile

#: Change of a force beyond the coupling range, as a fraction of the largest change: more is no rounding.
_TOLERANCE = 1e-3

#: Groups of atoms that are one part of the work: 24 forces. That is what an interruption costs each process.
_PART = 4


def central_differences(
    positions: NDArray[np.float64],
    step: float,
    groups: Sequence[NDArray[np.int64]],
    forces: Callable[[NDArray[np.float64]], NDArray[np.float64]],
) -> NDArray[np.float64]:
    """Responses of forces to displacements of groups of atoms.

    Parameters
    ----------
    positions : ndarray of shape (n_atoms, 3), Å
    step : float
        Displacement in Å.
    groups : sequence of ndarray of int
        Atoms that are displaced together.
    forces : callable
        From positions to forces of shape (n_atoms, 3), eV/Å; called six times for each group.

    Returns
    -------
    ndarray of shape (n_groups, 3, n_atoms, 3), eV/Å²
        By how much forces fall per displacement, the axis of which comes second.
    """
    responses = np.empty((len(groups), 3, *positions.shape))
    for k, axis in np.ndindex(len(groups), 3):
        sides = []
        for length in (-step, step):
            displaced = positions.copy()
            displaced[groups[k], axis] += length
            sides.append(forces(displaced))
        responses[k, axis] = (sides[0] - sides[1]) / (2 * step)
    return responses


def difference_hessian(
    atoms: Atoms,
    step: float,
    engine: Engine,
    coupling_range: float | None = None,
    kept: ResponseFile | None = None,
    note: Note = ignore,
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
    engine : vibentropy.potentials.protocols.Engine
        Asked for six forces for each group of atoms, and for several groups at once where it has several processes. The
        Hessian is the same to the last bit however many these are.
    coupling_range : float, optional
        Distance in Å beyond which moving an atom changes no force.
    kept : ResponseFile, optional
        Where responses are taken from as far as they are there, and kept as they come.
    note : callable
        Told how far a long Hessian is.

    Returns
    -------
    ndarray of shape (3 n_atoms, 3 n_atoms), eV/Å²
        As the differences are: not made symmetric.

    Raises
    ------
    ConfigError
        If forces beyond the coupling range change.
    PotentialError
        If forces are not finite.
    VibentropyError
        With the message of the engine where it fails, or if the file cannot be used.
    """
    n_atoms = len(atoms)
    groups = list(_groups(atoms, coupling_range))
    parts = [groups[k : k + _PART] for k in range(0, len(groups), _PART)]
    matrix = np.zeros((n_atoms, 3, n_atoms, 3))

    def place(part, responses):
        for (group, owners), response in zip(parts[part], responses, strict=True):
            if not np.isfinite(response).all():
                raise PotentialError("differences of forces are not finite")
            if coupling_range is None:
                matrix[group[0]] = response
                continue
            _check_range(response, owners, coupling_range)
            reached = np.flatnonzero(owners >= 0)
            matrix[owners[reached], :, reached] = response[:, reached].swapaxes(0, 1)

    left = dict.fromkeys(range(len(parts)))
    if kept is not None:
        key = kept.find(atoms, step, coupling_range, len(parts))
        for part, responses in kept.read(key):
            place(part, responses)
            del left[part]
    done = TimeLeft(f"Hessian of {n_atoms} atoms by differences of forces", len(left), note)
    for part, responses in engine.responses(atoms, step, {k: [group for group, _ in parts[k]] for k in left}):
        place(part, responses)
        if kept is not None:
            kept.write(key, part, responses)
        done()
    return matrix.reshape(3 * n_atoms, 3 * n_atoms)


def _groups(atoms, coupling_range):
    """Cut atoms into groups that are displaced together.

    Yields
    ------
    group : ndarray of int
    owners : ndarray of shape (n_atoms,) of int, or None
        Which atom of the group a force belongs to, -1 where to none; None where all belong to the only one.
    """
    if coupling_range is None:
        yield from ((np.array([i]), None) for i in range(len(atoms)))
        return
    left = np.ones(len(atoms), dtype=bool)
    while left.any():
        free, group, owners = left.copy(), [], np.full(len(atoms), -1, np.int32)
        while free.any():
            i = int(free.argmax())
            group.append(i)
            distances = find_mic(atoms.positions - atoms.positions[i], atoms.cell, atoms.pbc)[1]
            owners[distances <= coupling_range] = i
            free &= distances > 2 * coupling_range
        left[group] = False
        yield np.array(group), owners


def _check_range(response, owners, coupling_range):
    sizes = np.abs(response).max(axis=(0, 2))
    beyond = np.where(owners < 0, sizes, 0.0)
    if beyond.max() > _TOLERANCE * sizes.max():
        k = int(beyond.argmax())
        raise ConfigError(
            f"coupling_range {coupling_range:g} Å is too short: moving atoms further away than that changes the force "
            f"on atom {k} by {beyond[k]:.2g} eV/Å per Å; make it longer or leave it out"
        )
