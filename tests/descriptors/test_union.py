"""Unions against their parts, and what they say of parts that are wrong."""

import numpy as np
import pytest
from ase.build import bulk
from iron_files import ROOT
from jsonschema import Draft202012Validator

from vibentropy.descriptors import Descriptor, create
from vibentropy.errors import ConfigError
from vibentropy.run import parameter_schema

AFS = {"kind": "afs", "n_max": 2, "l_max": 1, "r_cut": 4.0}
SNAP = {"kind": "snap", "twojmax": 2, "r_cut": 3.0}


class Whole(Descriptor):
    """A descriptor without local values."""

    feature_names = ("volume",)
    reach = None
    tolerance = 1e-3
    continuous = False

    def __init__(self, species=None):
        self.species = species

    def _total(self, atoms):
        return np.array([atoms.get_volume()])


@pytest.fixture
def alloy():
    atoms = bulk("Fe", a=2.8553, cubic=True).repeat(2)
    atoms.symbols[:5] = "Cr"
    atoms.rattle(0.1, seed=0)
    return atoms


def test_features_of_the_parts_in_the_order_of_their_names(alloy):
    species = ["Fe", "Cr"]
    union = create("union", parts={"b": AFS, "a": SNAP}, species=species)
    a, b = create(**SNAP, species=species), create(**AFS, species=species)
    np.testing.assert_array_equal(union.total(alloy), np.append(a.total(alloy), b.total(alloy)))
    np.testing.assert_array_equal(union.local(alloy), np.hstack([a.local(alloy), b.local(alloy)]))
    assert union.feature_names == [*(f"a.{name}" for name in a.feature_names), *(f"b.{n}" for n in b.feature_names)]
    assert union.reach == 4.0
    assert union.tolerance == a.tolerance
    assert union.has_local
    assert union.continuous


def test_one_part_without_local_values(alloy):
    union = create("union", parts={"angles": AFS, "cell": {"kind": f"{__name__}.Whole"}}, species=["Fe", "Cr"])
    assert not union.has_local
    assert union.reach is None
    assert union.tolerance == 1e-3
    assert not union.continuous
    assert union.total(alloy)[-1] == alloy.get_volume()
    with pytest.raises(ConfigError, match="part 'cell' has no values per atom"):
        union.local(alloy)


def test_changed_parameters_take_effect(alloy):
    union = create("union", parts={"a": AFS}, species=["Fe", "Cr"])
    before = union.total(alloy)
    union.parts["a"] = AFS | {"l_max": 2}
    assert len(union.total(alloy)) == union.n_features > len(before)


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ({"angles": {"kind": "affs"}}, r"part 'angles'.*'affs' \(did you mean 'afs'\?\)"),
        ({"angles": {"kind": "afs", "nmax": 3}}, r"part 'angles'.*no parameter 'nmax' \(did you mean 'n_max'\?\)"),
        ({"angles": AFS | {"r_cut": -1.0}}, "part 'angles'.*r_cut == -1.0"),
        ({"all": {"kind": "union", "parts": {"angles": AFS | {"l_max": -1}}}}, "part 'all'.*part 'angles'.*l_max"),
        ({"angles": AFS | {"species": ["Fe"]}}, "part 'angles'.*species belong to the whole"),
        ({"angles": {"n_max": 3}}, "part 'angles'.*mapping with a kind"),
        ({"angles": "afs"}, "part 'angles'.*mapping with a kind"),
        ({1: AFS}, "part 1: its name must be text"),
        ({}, "mapping of names to descriptors"),
        ([AFS], "mapping of names to descriptors"),
    ],
)
def test_parts_that_are_wrong(parts, message):
    with pytest.raises(ConfigError, match=f"(?s){message}"):
        create("union", parts=parts)


def test_needs_a_potential_if_a_part_does():
    parts = {"moments": {"kind": "hessian_moments"}}
    assert create("union", parts=parts).needs_potential
    assert create("union", parts={"more": {"kind": "union", "parts": parts}}).needs_potential
    assert not create("union").needs_potential
    # A force law knows positions only.
    modified = ["* * Fe_force_law.library.meam Fe Fe_force_law.meam Fe"]
    for law in ({"file": "Fe_force_law.eam.alloy"}, {"pair_style": "meam", "pair_coeff": modified}):
        of_law = {"kind": "hessian_moments", "potential": law | {"element": "Fe"}}
        assert not create("union", parts={"law": of_law}).needs_potential
    # The library of a law with the parameters of a potential is no law.
    mixed = f"* * Fe_force_law.library.meam Fe {ROOT / 'data/potentials/Fe_Etesami_2018.meam'} Fe"
    of_both = {"pair_style": "meam", "pair_coeff": [mixed], "element": "Fe"}
    assert create("hessian_moments", potential=of_both).needs_potential


def test_each_part_is_a_block():
    nested = {"kind": "union", "parts": {"x": AFS, "y": AFS}}
    descriptor = create("union", parts={"b": AFS, "a": nested})
    n = create(**AFS).n_features
    assert create(**AFS).feature_blocks == ["all"] * n
    assert descriptor.feature_blocks == ["a.x.all"] * n + ["a.y.all"] * n + ["b.all"] * n
    starts = [block.removesuffix("all") for block in descriptor.feature_blocks]
    assert all(name.startswith(start) for name, start in zip(descriptor.feature_names, starts, strict=True))


def test_schema_checks_parts_as_it_checks_descriptors():
    validator = Draft202012Validator({"$ref": "#/$defs/descriptor", "$defs": parameter_schema.schema()["$defs"]})
    nested = {"kind": "union", "parts": {"more": {"kind": "union", "parts": {"a": AFS}}}}
    assert validator.is_valid(nested)
    nested["parts"]["more"]["parts"]["a"] = AFS | {"nmax": 3}
    (error,) = validator.iter_errors(nested)
    assert list(error.absolute_path) == ["parts", "more", "parts", "a"]
    assert not validator.is_valid({"kind": "union", "parts": {"a": {"n_max": 3}}})
    assert not validator.is_valid({"kind": "union", "parts": {}})
