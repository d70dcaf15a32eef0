"""The rough melting temperature."""

import pytest
from ase.calculators.lj import LennardJones

from vibentropy import load_potential
from vibentropy.atoms.crystal import Crystal
from vibentropy.potentials.melting import rough_melting


@pytest.mark.parametrize(
    ("specification", "crystal", "melts"),
    [
        ({"file": "Cu_mishin1.eam.alloy", "element": "Cu"}, Crystal("Cu", "fcc", 3.615), 1358),
        ({"file": "W_zhou.eam.alloy", "element": "W"}, Crystal("W", "bcc", 3.165), 3695),
        ({"pair_style": "sw", "pair_coeff": ["* * Si.sw Si"], "element": "Si"}, Crystal("Si", "diamond", 5.431), 1687),
    ],
)
def test_it_is_within_a_third_of_what_is_measured(specification, crystal, melts):
    potential = load_potential(**specification)
    energy = crystal.energy_per_atom(potential)
    melting = rough_melting(energy, potential)
    assert melting.temperature == pytest.approx(melts, rel=1 / 3)
    assert melting.temperature == pytest.approx(0.032 * melting.cohesive_energy / 8.617333e-5, rel=1e-6)


def test_the_energy_of_an_atom_alone_counts():
    """By Mishin's copper it is zero in the table; by a calculator it need not be."""

    class Shifted(LennardJones):
        def calculate(self, *given):
            super().calculate(*given)
            self.results["energy"] += 5.0 * len(self.atoms)

    potential = load_potential(calculator=Shifted(epsilon=0.5, sigma=2.3), element="Cu")
    assert rough_melting(4.0, potential).cohesive_energy == pytest.approx(1.0)


def test_what_is_not_bound_does_not_melt():
    copper = load_potential(file="Cu_mishin1.eam.alloy", element="Cu")
    assert rough_melting(0.1, copper) is None
