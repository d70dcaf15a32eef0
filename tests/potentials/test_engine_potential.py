"""Energies and forces of engines, checked before anybody computes with them."""

import numpy as np
import pytest
from ase.build import bulk

from vibentropy.errors import PotentialError, StructureError
from vibentropy.potentials.engine_potential import EnginePotential


class Constant:
    """Engine with the same answer for all atoms."""

    def __init__(self, energy, force):
        self._answer = energy, force

    def energy_and_forces(self, atoms):
        energy, force = self._answer
        return energy, np.full((len(atoms), 3), force)


def test_what_is_not_finite_is_refused():
    atoms = bulk("Cu", cubic=True)
    potential = EnginePotential(Constant(-1.0, 0.5), ("Cu",))
    energy, forces = potential.energy_and_forces(atoms)
    assert energy == -1.0
    np.testing.assert_array_equal(forces, np.full((4, 3), 0.5))
    assert potential.masses[0] == pytest.approx(63.546, abs=1e-3)
    for answer, message in [
        ((np.nan, 0.0), "the energy is nan eV: not finite"),
        ((0.0, np.inf), r"the energy is 0\.0 eV, the force on atom 0 \[inf, inf, inf\] eV/Å: not finite"),
    ]:
        with pytest.raises(PotentialError, match=message):
            EnginePotential(Constant(*answer), ("Cu",)).energy_and_forces(atoms)
    with pytest.raises(StructureError, match="holds Fe where only Cu"):
        potential.energy_and_forces(bulk("Fe"))
