"""Exchanges of atoms sample Boltzmann's distribution, and leave elements, velocities and trajectories in order."""

import numpy as np
import pytest
from ase import units
from ase.build import bulk
from ase.calculators.lj import LennardJones
from hypothesis import given
from hypothesis import strategies as st

from vibentropy.potentials.ase_engine import AseEngine
from vibentropy.potentials.lammps_engine import LammpsEngine
from vibentropy.potentials.swaps import Moving, Swaps, exchange, segments


@given(steps=st.integers(1, 300), every=st.integers(1, 300), attempts=st.integers(1, 9))
def test_segments_are_all_steps_with_attempts_after_each_whole_one(steps, every, attempts):
    parts = list(segments(steps, Swaps(every, attempts)))
    assert sum(part for part, _ in parts) == steps
    assert sum(tried for _, tried in parts) == attempts * (steps // every)
    assert list(segments(steps, None)) == [(steps, 0)]


def test_places_are_taken_as_boltzmann_has_it():
    """One solute among four places of different energy."""
    temperature, levels = 800.0, np.array([0.0, 0.05, 0.1, 0.2])
    places = np.array([[x, 0.0, 0.0] for x in range(4)])
    rng = np.random.default_rng(3)
    numbers, masses = np.array([26, 26, 15, 26]), np.array([56.0, 56.0, 31.0, 56.0])
    moving, visits, accepted = Moving(places, np.zeros((4, 3))), np.zeros(4), 0

    def energy_of(positions):
        return float(levels[int(positions[2, 0])])

    for _ in range(6000):
        moving, one = exchange(moving, numbers, masses, energy_of, temperature, 3, rng)
        visits[int(moving.positions[2, 0])] += 1
        accepted += one
    weights = np.exp(-levels / (units.kB * temperature))
    np.testing.assert_allclose(visits / visits.sum(), weights / weights.sum(), atol=0.025)
    assert 0.2 < accepted / 18000 < 0.9
    # Everybody is somewhere.
    np.testing.assert_array_equal(np.sort(moving.positions[:, 0]), range(4))


def test_lammps_takes_places_as_boltzmann_has_it():
    """One solute and a vacancy in a crystal that stands still."""
    temperature, atoms = 900.0, alloy("Cu", "Cu")
    atoms.positions += 0.5  # away from the faces of the cell
    del atoms[0]
    atoms.symbols[3] = "Ag"
    with lammps_engine() as engine:
        energies = []
        for place in range(len(atoms)):
            there = atoms.copy()
            there.positions[[3, place]] = there.positions[[place, 3]]
            energies.append(engine.energy_and_forces(there)[0])
        # Atoms have velocities and no time to move.
        found = engine.anneal(atoms, temperature, 1e-9, 1, 1500, 7, swaps=Swaps(1, 10))
    visited = [int(np.argmin(np.linalg.norm(atoms.positions - image.positions[3], axis=1))) for image in found]
    visits = np.bincount(visited, minlength=len(atoms))
    weights = np.exp(-(np.array(energies) - min(energies)) / (units.kB * temperature))
    # Places of one energy: shells around the vacancy.
    shells = np.unique(np.round(energies, 6), return_inverse=True)[1]
    assert len(set(shells)) == 3
    assert weights.min() < 0.5
    np.testing.assert_allclose(
        np.bincount(shells, visits) / len(found), np.bincount(shells, weights) / weights.sum(), atol=0.04
    )
    for image in found[:: len(found) // 5]:
        np.testing.assert_array_equal(image.numbers, atoms.numbers)
        # Everybody is somewhere.
        np.testing.assert_allclose(np.sort(image.positions, axis=0), np.sort(atoms.positions, axis=0), atol=1e-4)


def test_lammps_exchanges_all_pairs_of_three_elements():
    atoms = alloy("Cu", "Ag")
    atoms.positions += 0.5
    atoms.symbols[[1, 2]] = "Au"
    lines = [f"{i} {j} 0.2 2.35" for i in (1, 2, 3) for j in range(i, 4)]
    with LammpsEngine("lj/cut 4.5", lines, ["Cu", "Ag", "Au"]) as engine:
        last = engine.anneal(atoms, 600.0, 1e-9, 30, 1, 5, swaps=Swaps(1, 4))[0]
    moved = np.linalg.norm(last.positions - atoms.positions, axis=1) > 0.1
    # All energies are the same, so that every attempt is accepted.
    assert {"Cu", "Ag", "Au"} == set(atoms.symbols[moved])
    np.testing.assert_array_equal(last.numbers, atoms.numbers)
    np.testing.assert_allclose(np.sort(last.positions, axis=0), np.sort(atoms.positions, axis=0), atol=1e-4)


def test_places_keep_their_kinetic_energy():
    rng = np.random.default_rng(0)
    positions, velocities = rng.normal(size=(2, 6, 3))
    numbers = np.array([26, 26, 26, 15, 15, 26])
    masses = np.where(numbers == 26, 56.0, 31.0)
    after, accepted = exchange(Moving(positions, velocities), numbers, masses, lambda x: 0.0, 300.0, 20, rng)
    assert accepted == 20

    def energies(moving):
        kinetic = masses * (moving.velocities**2).sum(axis=1)
        return sorted(zip(moving.positions[:, 0], kinetic, strict=True))

    np.testing.assert_allclose(energies(after), energies(Moving(positions, velocities)))


def test_nothing_is_exchanged_among_atoms_of_one_element():
    moving = Moving(np.eye(3), np.eye(3))
    numbers = np.full(3, 26)
    assert exchange(moving, numbers, np.ones(3), lambda x: 0.0, 300.0, 5, np.random.default_rng(0)) == (moving, 0)


def alloy(first, second):
    atoms = bulk(first, "fcc", a=3.7, cubic=True) * 2
    atoms.symbols[[0, 5, 9]] = second
    return atoms


def lammps_engine():
    return LammpsEngine("lj/cut 4.5", ["1 1 0.2 2.35", "2 2 0.4 2.35", "1 2 0.35 2.35"], ["Cu", "Ag"])


def engines():
    return [lammps_engine(), AseEngine(LennardJones(epsilon=0.3, sigma=2.35, rc=4.5, smooth=True))]


@pytest.mark.parametrize("number", [0, 1])
def test_engines_exchange_atoms_between_steps(number):
    engine, atoms = engines()[number], alloy("Cu", "Ag")
    with engine:
        runs = [engine.anneal(atoms, 600.0, 0.002, 20, 2, 5, swaps=Swaps(10, 8)) for _ in range(2)]
        without = engine.anneal(atoms, 600.0, 0.002, 20, 2, 5)
        alike = [
            engine.anneal(bulk("Cu", "fcc", a=3.7, cubic=True) * 2, 600.0, 0.002, 20, 1, 5, swaps=swaps)[0]
            for swaps in (None, Swaps(10, 8))
        ]
    for one, other in zip(*runs, strict=True):
        np.testing.assert_array_equal(one.positions, other.positions)
        np.testing.assert_array_equal(one.numbers, atoms.numbers)

    def places(snapshot):
        """Site that each solute is next to."""
        sites = alloy("Cu", "Ag")
        return [
            int(np.argmin(np.linalg.norm((d := sites.positions - p) - np.round(d / 7.4) * 7.4, axis=1)))
            for p in snapshot.positions[[0, 5, 9]]
        ]

    assert places(without[-1]) == [0, 5, 9]
    assert places(runs[0][-1]) != [0, 5, 9]
    assert len(set(places(runs[0][-1]))) == 3
    # Where there is nothing to exchange trajectories are the same to the last bit.
    np.testing.assert_array_equal(alike[0].positions, alike[1].positions)
