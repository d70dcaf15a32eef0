"""Calculators of ASE relax, anneal and fail like LAMMPS."""

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from ase.calculators.emt import EMT
from ase.calculators.lj import LennardJones
from ase.geometry import find_mic
from odd_calculators import Single

from vibentropy.errors import StructureError, VibentropyError
from vibentropy.potentials.ase_engine import AseEngine
from vibentropy.potentials.finite_differences import FiniteDifferencePotential


def test_lammps_and_ase_relax_into_the_same_minimum(lennard_jones):
    start = bulk("Cu", "fcc", a=3.6, cubic=True) * 2
    del start[0]
    start.rattle(0.1, seed=1)
    minima = [engine.relax(start, 1e-5) for engine in lennard_jones]
    for engine, minimum in zip(lennard_jones, minima, strict=True):
        assert np.linalg.norm(engine.energy_and_forces(minimum)[1]) < 2e-5
    displacement = find_mic(minima[0].positions - minima[1].positions, start.cell)[0]
    assert np.abs(displacement - displacement.mean(axis=0)).max() < 1e-4


def test_ase_anneals_reproducibly_at_its_temperature(lennard_jones):
    _, engine = lennard_jones
    atoms = bulk("Cu", "fcc", a=3.6, cubic=True) * 2
    hot = [engine.anneal(atoms, 300.0, 0.004, 30, 5, seed) for seed in (5, 5, 6)]
    np.testing.assert_array_equal(hot[0][-1].positions, hot[1][-1].positions)
    assert np.abs(hot[0][-1].positions - hot[2][-1].positions).max() > 1e-3
    energies = [engine.energy_and_forces(snapshot)[0] for run in (hot[0], hot[2]) for snapshot in run[1:]]
    energy = np.mean(energies) - engine.energy_and_forces(atoms)[0]
    # Equipartition: the mean potential energy of a nearly harmonic crystal is 3/2 k_B T per atom.
    assert energy / (1.5 * 8.617333e-5 * len(atoms)) == pytest.approx(300, rel=0.3)


def test_ase_melts_a_pocket(lennard_jones):
    _, engine = lennard_jones
    atoms = bulk("Cu", "fcc", a=3.6, cubic=True) * 2
    (snapshot,) = engine.anneal(atoms, 10.0, 0.004, 12, 1, 5, molten=range(8), melt_temperature=2000.0)
    moved = np.linalg.norm(snapshot.positions - atoms.positions, axis=1)
    assert moved[:8].mean() > 2 * moved[8:].mean()


def test_atoms_without_mass_do_not_move(lennard_jones):
    atoms = bulk("Cu", "fcc", a=3.6, cubic=True)
    masses = atoms.get_masses()
    masses[2] = 0
    atoms.set_masses(masses)
    with pytest.raises(StructureError, match="the mass of atom 2 is 0 u, expected a positive one"):
        lennard_jones[1].anneal(atoms, 300.0, 0.004, 1, 1, 5)


def test_what_calculators_raise_becomes_a_deliberate_error(lennard_jones):
    class Broken(LennardJones):
        def calculate(self, *_):
            raise RuntimeError("out of range")

    with pytest.raises(VibentropyError, match="Broken failed: RuntimeError: out of range"):
        AseEngine(Broken()).energy_and_forces(Atoms("Cu"))
    with pytest.raises(StructureError, match="holds Fe where only Cu"):
        FiniteDifferencePotential(lennard_jones[0], ("Cu",), 0.01).hessian(bulk("Fe"))


def test_forces_are_doubles_whatever_a_calculator_has():
    """Else Newton steps would be solved in single precision."""
    assert AseEngine(Single()).energy_and_forces(bulk("Cu", cubic=True))[1].dtype == float


def test_relaxation_ends_where_rounding_is_in_the_way(monkeypatch):
    """Each step of a machine-learnt potential takes long."""
    calls = []
    calculate = Single.calculate
    monkeypatch.setattr(Single, "calculate", lambda *given: (calls.append(1), calculate(*given)))
    atoms = bulk("Cu", cubic=True, a=3.59) * 2
    relaxed = AseEngine(Single()).relax(atoms[1:], 1e-9)
    assert len(calls) < 1000
    assert np.linalg.norm(AseEngine(EMT()).energy_and_forces(relaxed)[1], axis=1).max() < 1e-4
