"""Exchanges of atoms of different elements during molecular dynamics: Monte Carlo by the energies of a potential."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from ase import units
from numpy.typing import NDArray


@dataclass(frozen=True)
class Swaps:
    """How often atoms are exchanged.

    Attributes
    ----------
    every : int
        Steps of molecular dynamics between attempts.
    attempts : int
        Each time, of all pairs of elements together.
    """

    every: int
    attempts: int


def segments(steps: int, swaps: Swaps | None) -> Iterator[tuple[int, int]]:
    """Cut molecular dynamics where atoms are exchanged.

    Parameters
    ----------
    steps : int
    swaps : Swaps or None
        None for no exchanges.

    Yields
    ------
    steps : int
        Of dynamics.
    attempts : int
        To exchange atoms after them.
    """
    if swaps is None:
        yield steps, 0
        return
    whole, rest = divmod(steps, swaps.every)
    yield from [(swaps.every, swaps.attempts)] * whole
    if rest:
        yield rest, 0


@dataclass(frozen=True, eq=False)
class Moving:
    """Atoms in motion.

    Attributes
    ----------
    positions : ndarray of shape (n_atoms, 3)
    velocities : ndarray of shape (n_atoms, 3)
        In any unit.
    """

    positions: NDArray[np.float64]
    velocities: NDArray[np.float64]


def exchange(
    moving: Moving,
    numbers: NDArray[np.int64],
    masses: NDArray[np.float64],
    energy_of: Callable[[NDArray[np.float64]], float],
    temperature: float,
    attempts: int,
    rng: np.random.Generator,
) -> tuple[Moving, int]:
    """Let pairs of atoms of different elements change places, accepted by the rule of Metropolis.

    Velocities change places, too, scaled so that each place keeps its kinetic energy. Elements stay in their order.

    Parameters
    ----------
    moving : Moving
    numbers : ndarray of shape (n_atoms,), int
        That tell elements apart.
    masses : ndarray of shape (n_atoms,), u
    energy_of : callable
        From positions to an energy in eV.
    temperature : float, K
    attempts : int
    rng : numpy.random.Generator

    Returns
    -------
    moving : Moving
        Afterwards; as they were where all atoms are of one element.
    accepted : int
    """
    accepted = 0
    if (numbers == numbers[0]).all():
        return moving, accepted
    energy = energy_of(moving.positions)
    for _ in range(attempts):
        one = rng.integers(len(numbers))
        pair = np.array([one, rng.choice(np.flatnonzero(numbers != numbers[one]))])
        positions = moving.positions.copy()
        positions[pair] = positions[pair[::-1]]
        trial = energy_of(positions)
        if rng.random() < np.exp(min(0.0, (energy - trial) / (units.kB * temperature))):
            velocities = moving.velocities.copy()
            velocities[pair] = velocities[pair[::-1]] * np.sqrt(masses[pair[::-1]] / masses[pair])[:, None]
            moving, energy, accepted = Moving(positions, velocities), trial, accepted + 1
    return moving, accepted
