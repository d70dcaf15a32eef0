"""Relaxation of a configuration with any potential, to the forces that labels ask for."""

import numpy as np
from ase import Atoms
from ase.calculators.calculator import Calculator

from vibentropy.atoms.checks import check_geometry
from vibentropy.errors import NotConvergedError
from vibentropy.potentials.calculators import as_potential
from vibentropy.potentials.engine_potential import EnginePotential
from vibentropy.potentials.newton import newton_relax
from vibentropy.potentials.protocols import Interaction

#: Largest force (eV/Å) of a relaxed configuration: a hundredth of what labels take.
RELAXED_FORCE = 1e-6

#: Largest force (eV/Å) from which on it may be rounding that is in the way.
_NEARLY = 1e-2


def relax(atoms: Atoms, potential: Interaction | Calculator, max_force: float = RELAXED_FORCE) -> Atoms:
    """Relax the positions of atoms in a cell that stays as it is.

    Where there is a sparse analytic Hessian, by Newton steps from the start. Pair styles of LAMMPS and calculators
    first go as far as first-order methods bring them (conjugate gradients of LAMMPS, FIRE and then L-BFGS of ASE), and
    what is left is for Newton steps.

    Parameters
    ----------
    atoms : ase.Atoms
        Of one element; lengths in Å.
    potential : vibentropy.potentials.protocols.Interaction or ase.calculators.calculator.Calculator
        As for `vibentropy.formation_entropy`.
    max_force : float
        Largest norm of the force on an atom, eV/Å.

    Returns
    -------
    ase.Atoms
        A copy, without a calculator.

    Raises
    ------
    NotConvergedError
        If the forces do not become so small, saying which were reached.
    VibentropyError
        If the configuration is outside what the potential is defined for, or a calculator fails.
    """
    check_geometry(atoms)
    potential = as_potential(potential, atoms)
    if not isinstance(potential, EnginePotential):
        return newton_relax(atoms, potential, max_force)[0]
    relaxed = potential.engine.relax(atoms, max_force)
    forces = potential.energy_and_forces(relaxed)[1]
    largest = np.linalg.norm(forces, axis=1).max()
    if largest <= max_force:
        return relaxed
    try:
        return newton_relax(relaxed, potential, max_force)[0]
    except NotConvergedError as error:
        if largest > _NEARLY:
            raise
        raise NotConvergedError(
            f"{error.message}; a calculator in single precision gets no further: switch it to double precision, or "
            "raise max_force"
        ) from error
