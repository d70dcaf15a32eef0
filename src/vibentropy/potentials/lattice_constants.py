"""Crystals at rest by a potential, from a rough guess, and which of several has the lowest energy."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from math import inf
from typing import Any, NamedTuple

from ase.data import atomic_numbers, covalent_radii, reference_states

from vibentropy.atoms.crystal import NEAREST, Crystal
from vibentropy.errors import StructureError, VibentropyError
from vibentropy.potentials.protocols import Interaction

#: Crystals that are compared.
CRYSTALS = ("bcc", "fcc", "hcp", "diamond")
#: Lattice constants are looked for in steps of so much, relative to where one begins, up to the largest change.
_STEP, _LARGEST_CHANGE = 0.02, 0.26
#: How exactly lattice constants are found, in Å: to be used, and to compare crystals.
_EXACT, _ROUGH = 1e-7, 1e-3
#: Crystals whose energies differ by less (eV per atom) count as equally low: potentials of short range do not tell fcc
#: and hcp apart.
DEGENERATE = 1e-6


class AtRest(NamedTuple):
    """A crystal at the lattice constants of lowest energy.

    Attributes
    ----------
    crystal : Crystal
    energy : float
        eV per atom.
    """

    crystal: Crystal
    energy: float


def at_rest(guess: Crystal, potential: Interaction, tolerance: float = _EXACT) -> AtRest:
    """Find the lattice constants of lowest energy that are closest to a guess, which may be far off.

    Parameters
    ----------
    guess : Crystal
    potential : vibentropy.potentials.protocols.Interaction
    tolerance : float
        In Å.

    Returns
    -------
    AtRest

    Raises
    ------
    StructureError
        If energies fall up to 26 % away from the guess.
    VibentropyError
        What the potential says where it is not defined at the guess.
    """
    crystal = _in_the_valley(guess, potential).relaxed(potential, tolerance, within=_STEP)
    return AtRest(crystal, crystal.energy_per_atom(potential))


def _in_the_valley(guess: Crystal, potential: Interaction) -> Crystal:
    """Go downhill from a guess until energies rise on both sides, in one step each."""
    reach = round(_LARGEST_CHANGE / _STEP)
    energies: dict[int, float] = {}

    def scaled(k: int) -> Crystal:
        return replace(guess, a=guess.a * (1 + k * _STEP))

    def at(k: int) -> float:
        if k not in energies:
            try:
                energies[k] = scaled(k).energy_per_atom(potential)
            except VibentropyError:
                # Far from its crystal a potential need not be defined.
                if k == 0:
                    raise
                energies[k] = inf
        return energies[k]

    k = 0
    while abs(k) < reach and min(at(k - 1), at(k + 1)) < at(k):
        k += 1 if at(k + 1) < at(k - 1) else -1
    if abs(k) == reach or not at(k - 1) > at(k) < at(k + 1):
        raise StructureError(
            f"{guess.structure} {guess.element} has no energy minimum near a = {guess.a:.4g} Å: energies fall up to "
            f"{_LARGEST_CHANGE:.0%} away, or are all the same"
        )
    return scaled(k)


def lowest(crystals: Mapping[str, AtRest], preferred: str | None) -> str:
    """Find the crystal of lowest energy; of several that are as low, the preferred one.

    Parameters
    ----------
    crystals : dict of AtRest
        By structure.
    preferred : str or None

    Returns
    -------
    str
        Its structure.
    """
    energies = {structure: crystal.energy for structure, crystal in crystals.items()}
    best = min(energies, key=energies.__getitem__)
    tied = preferred in energies and energies[preferred] <= energies[best] + DEGENERATE
    return preferred if tied else best  # type: ignore[return-value]


def compared(
    element: str, distance: float, potential: Interaction, structures: Iterable[str] = CRYSTALS
) -> dict[str, AtRest]:
    """Relax several crystals of one element roughly, to compare their energies.

    Parameters
    ----------
    element : str
        Chemical symbol.
    distance : float
        Of nearest neighbours, about; in Å.
    potential : vibentropy.potentials.protocols.Interaction
    structures : iterable of str

    Returns
    -------
    dict of AtRest
        By structure, lattice constants to 1e-3 Å; without those that the potential does not have.
    """
    found = {}
    for structure in structures:
        try:
            guess = Crystal(element, structure, distance / NEAREST[structure])
            found[structure] = at_rest(guess, potential, _ROUGH)
        except VibentropyError:
            continue
    return found


def usual_crystal(element: str) -> str | None:
    """Name the crystal that an element is found in, if it is one of `CRYSTALS`.

    Parameters
    ----------
    element : str
        Chemical symbol.

    Returns
    -------
    str or None
    """
    known: dict[str, Any] = reference_states[atomic_numbers[element]] or {}
    # ASE calls chains and rings by their lattice, with a basis of their own.
    return known["symmetry"] if known.get("symmetry") in CRYSTALS and "basis" not in known else None


def usual_distance(element: str) -> float:
    """Look up how far nearest neighbours are apart in the solid of an element, about.

    Parameters
    ----------
    element : str
        Chemical symbol.

    Returns
    -------
    float
        In Å: that of the crystal that it is found in, or twice the covalent radius.
    """
    number, usual = atomic_numbers[element], usual_crystal(element)
    known: dict[str, Any] = reference_states[number] or {}
    return NEAREST[usual] * float(known["a"]) if usual else 2 * float(covalent_radii[number])
