"""How hot a crystal may become: a rule of thumb where no phase diagram is known."""

from typing import NamedTuple

from ase import Atoms
from ase.units import kB

from vibentropy.errors import VibentropyError
from vibentropy.potentials.embedded_atom import Potential
from vibentropy.potentials.protocols import Interaction

#: Melting temperature times k_B in units of the cohesive energy (Guinea, Rose, Smith and Ferrante, Appl. Phys. Lett.
#: 44, 53 (1984)): right within a third for most metals.
RATIO = 0.032
#: Edge of the cell that an atom is alone in, Å.
_ALONE = 40.0


class Melting(NamedTuple):
    """A rough melting temperature.

    Attributes
    ----------
    temperature : float
        In K.
    cohesive_energy : float
        That it is made of, eV per atom.
    """

    temperature: float
    cohesive_energy: float


def rough_melting(energy: float, potential: Interaction) -> Melting | None:
    """Guess the melting temperature of a crystal from its cohesive energy.

    Parameters
    ----------
    energy : float
        Of the crystal at rest, eV per atom.
    potential : vibentropy.potentials.protocols.Interaction

    Returns
    -------
    Melting or None
        None where the potential does not bind the atoms of the crystal.
    """
    cohesive = _energy_alone(potential) - energy
    return Melting(RATIO * cohesive / kB, cohesive) if cohesive > 0 else None


def _energy_alone(potential):
    """Energy of an atom without neighbours, eV; zero, as usual, where a potential says nothing of it."""
    if isinstance(potential, Potential):
        # The smooth functions begin at higher densities.
        return float(potential.table.embedding[0, 0])
    try:
        return potential.energy_and_forces(Atoms(potential.elements[0], cell=[_ALONE] * 3, pbc=True))[0]
    except VibentropyError:
        return 0.0
