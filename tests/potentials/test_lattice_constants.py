"""Crystals at rest, against scans of energies and what is published."""

import numpy as np
import pytest

from vibentropy import load_potential
from vibentropy.atoms.crystal import NEAREST, Crystal
from vibentropy.errors import StructureError
from vibentropy.potentials.lattice_constants import (
    DEGENERATE,
    AtRest,
    at_rest,
    compared,
    lowest,
    usual_crystal,
    usual_distance,
)


def test_hcp_is_at_rest_in_both_directions():
    potential = load_potential(file="Mg_mm.eam.fs", element="Mg")
    crystal, energy = at_rest(Crystal("Mg", "hcp", 3.21, 1.624), potential)

    def energy_of(a, c_over_a):
        return Crystal("Mg", "hcp", a, c_over_a).energy_per_atom(potential)

    assert energy == pytest.approx(energy_of(crystal.a, crystal.c_over_a), abs=1e-12)
    for change in (np.array([1e-3, 0]), np.array([0, 1e-3])):
        around = [energy_of(*(np.array([crystal.a, crystal.c_over_a]) + sign * change)) - energy for sign in (-1, 1)]
        assert min(around) > 0
        # A slope would show in the difference: rise on one side only.
        assert around[0] == pytest.approx(around[1], rel=0.05)


def test_a_guess_may_be_far_off(iron):
    crystal, _ = at_rest(Crystal("Fe", "bcc", 3.3), iron)
    assert crystal.a == pytest.approx(2.8553, abs=1e-4)


def test_without_a_minimum_there_is_no_lattice_constant():
    class Repulsion:
        def energy_and_forces(self, atoms):
            return len(atoms) * atoms.cell.volume ** (-1 / 3), None

    with pytest.raises(StructureError, match="no energy minimum near a = 3.6 Å"):
        at_rest(Crystal("Cu", "fcc", 3.6), Repulsion())


def test_the_lowest_crystal(iron):
    crystals = compared("Fe", 2.5, iron)
    assert lowest(crystals, preferred="fcc") == "bcc"
    scan = [Crystal("Fe", "fcc", a).energy_per_atom(iron) for a in np.linspace(3.5, 3.8, 301)]
    assert crystals["fcc"].energy == pytest.approx(min(scan), abs=1e-5)


def test_of_crystals_that_are_as_low_the_preferred_one_is_taken():
    crystal = Crystal("Cu", "fcc", 3.6)
    crystals = {"fcc": AtRest(crystal, -3.0), "hcp": AtRest(crystal, -3.0 - DEGENERATE / 2)}
    assert lowest(crystals, "fcc") == "fcc"
    assert lowest(crystals, None) == lowest(crystals, "bcc") == "hcp"
    crystals["hcp"] = AtRest(crystal, -3.0 - 2 * DEGENERATE)
    assert lowest(crystals, "fcc") == "hcp"


def test_crystals_that_a_potential_does_not_have_are_left_out():
    class OneSite:
        """Defined in the crystals of one site in a primitive cell only."""

        def energy_and_forces(self, atoms):
            if len(atoms) not in (2, 4) or np.ptp(atoms.cell.lengths()) > 1e-9:
                raise StructureError("not here")
            return len(atoms) * (atoms.cell.volume / len(atoms) - 12.0) ** 2, None

    assert compared("Fe", 2.5, OneSite()).keys() == {"bcc", "fcc"}


@pytest.mark.parametrize(
    ("element", "crystal", "distance"), [("Fe", "bcc", 2.48), ("Mg", "hcp", 3.21), ("Si", "diamond", 2.35)]
)
def test_crystals_in_which_elements_are_found(element, crystal, distance):
    assert usual_crystal(element) == crystal
    assert usual_distance(element) == pytest.approx(distance, abs=0.02)


def test_of_other_elements_the_distance_is_that_of_covalent_bonds():
    assert usual_crystal("Ga") is None
    assert usual_distance("Ga") == pytest.approx(2 * 1.22)
    assert NEAREST.keys() >= {usual_crystal(element) for element in ("Al", "W", "Ti", "Ge")}
