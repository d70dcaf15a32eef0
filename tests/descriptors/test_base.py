"""What the base classes do for descriptors that bring nothing but a formula."""

import numpy as np
import pytest
from ase.build import bulk

from vibentropy.descriptors import Descriptor, LocalDescriptor
from vibentropy.descriptors.base import BLOCK, blocks
from vibentropy.errors import ConfigError, StructureError


class Count(LocalDescriptor):
    """Number of atoms of each element."""

    def __init__(self, species=None):
        self.species = species

    @property
    def feature_names(self):
        return list(self.species or ["any"])

    def _blocks(self, atoms):
        for centres in blocks(len(atoms)):
            yield centres, np.eye(self.n_features)[self.species_indices(atoms)[centres]]


class Whole(Descriptor):
    """The same, not resolved by atom."""

    feature_names = ("any",)

    def __init__(self, species=None):
        self.species = species

    def _total(self, atoms):
        return np.array([float(len(atoms))])


@pytest.fixture
def alloy():
    atoms = bulk("Fe", cubic=True).repeat((BLOCK + 1, 1, 1))
    atoms.symbols[::3] = "Cr"
    return atoms


def test_species_are_counted_in_the_order_of_their_declaration(alloy):
    numbers = alloy.symbols.formula.count()
    for species in (["Cr", "Fe"], ["Fe", "Cr"], ["Ni", "Fe", "Cr"]):
        descriptor = Count(species)
        np.testing.assert_array_equal(descriptor.total(alloy), [numbers.get(symbol, 0) for symbol in species])
        np.testing.assert_array_equal(descriptor.local(alloy).sum(axis=0), descriptor.total(alloy))


@pytest.mark.parametrize(
    ("species", "message"),
    [
        (None, r"holds Cr, Fe and none is declared: give the descriptor `species: \[Cr, Fe\]`"),
        (["Fe", "Ni"], r"holds Cr, Fe and declared are Fe, Ni: give the descriptor `species: \[Fe, Ni, Cr\]`"),
    ],
)
def test_elements_that_were_not_declared(alloy, species, message):
    with pytest.raises(StructureError, match=message):
        Count(species).total(alloy)


@pytest.mark.parametrize("descriptor", [Count(), Whole()])
def test_geometry_is_checked_before_any_descriptor_sees_it(descriptor):
    atoms = bulk("Fe", cubic=True)
    atoms.positions[1, 2] = np.inf
    with pytest.raises(StructureError, match="atom 1"):
        descriptor.total(atoms)


def test_a_descriptor_without_local_values_says_so():
    assert not Whole.has_local
    assert Whole().total(bulk("Fe")) == 1
    with pytest.raises(ConfigError, match=r"Whole.*no values per atom: use total"):
        Whole().local(bulk("Fe"))


def test_blocks_cover_all_atoms_once():
    for n in (1, BLOCK, BLOCK + 1, 3 * BLOCK):
        covered = np.concatenate([np.arange(n)[block] for block in blocks(n)])
        np.testing.assert_array_equal(covered, np.arange(n))
        assert max(len(np.arange(n)[block]) for block in blocks(n)) <= BLOCK
