"""Potentials that have their energy and forces from an engine."""

from dataclasses import dataclass

import numpy as np
from ase import Atoms
from ase.data import atomic_masses, atomic_numbers
from numpy.typing import NDArray

from vibentropy.atoms.checks import element_indices
from vibentropy.errors import PotentialError
from vibentropy.potentials.protocols import Engine


@dataclass(frozen=True)
class EnginePotential:
    """What such potentials share: all but the Hessian.

    Attributes
    ----------
    engine : vibentropy.potentials.protocols.Engine
        Such as `vibentropy.potentials.lammps_engine.LammpsEngine` and `vibentropy.potentials.ase_engine.AseEngine`.
    elements : tuple of str
    """

    engine: Engine
    elements: tuple[str, ...]

    @property
    def masses(self) -> tuple[float, ...]:
        """Standard atomic masses of the elements in u."""
        return tuple(float(atomic_masses[atomic_numbers[element]]) for element in self.elements)

    def energy_and_forces(self, atoms: Atoms) -> tuple[float, NDArray[np.float64]]:
        """Potential energy and forces.

        Parameters
        ----------
        atoms : ase.Atoms
            Of elements of the potential; lengths in Å.

        Returns
        -------
        energy : float, eV
        forces : ndarray of shape (n_atoms, 3), eV/Å

        Raises
        ------
        StructureError
            For another element.
        PotentialError
            If energy or forces are not finite.
        VibentropyError
            With the message of the engine where it fails.
        """
        element_indices(atoms, self.elements)
        energy, forces = self.engine.energy_and_forces(atoms)
        bad = np.flatnonzero(~np.isfinite(forces).all(axis=1))
        if len(bad) or not np.isfinite(energy):
            where = f", the force on atom {bad[0]} {forces[bad[0]].tolist()} eV/Å" if len(bad) else ""
            raise PotentialError(f"the energy is {energy} eV{where}: not finite")
        return energy, forces
