"""Descriptors of the Hessian of potentials that are handed to them as objects."""

from functools import partial
from typing import ClassVar

import numpy as np
import pytest

from vibentropy.atoms.crystal import Crystal
from vibentropy.descriptors import create, recipe
from vibentropy.errors import ConfigError, StructureError
from vibentropy.learning.ridge import ExtensiveRidge
from vibentropy.model.entropy_model import EntropyModel
from vibentropy.potentials.embedded_atom import Potential
from vibentropy.potentials.finite_differences import FiniteDifferencePotential
from vibentropy.potentials.from_config import load_potential

IRON = Potential.from_setfl("FeP_mm.eam.fs", "Fe")

KINDS = {
    "hessian_stiffness": {"radii": [0.0, 3.0, 3.6], "width": 0.5},
    "hessian_clusters": {"radii": [0.0, 3.0]},
    "hessian_moments": {"max_order": 4, "r_hop": 3.0},
}


class Handed:
    """A potential that offers nothing but the protocol, and says how large the Hessians were that it was asked for."""

    elements, masses = ("Fe",), (55.845,)
    energy_and_forces = IRON.energy_and_forces
    hessian_range = IRON.hessian_range

    def __init__(self, form):
        self.form, self.sizes = form, []

    def hessian(self, atoms):
        self.sizes.append(len(atoms))
        return self.form(IRON.hessian(atoms))


def vacancy(repeat):
    atoms = Crystal("Fe", "bcc", 2.8553127).cell(repeat)
    atoms.set_cell(atoms.cell[:] @ [[1, 0.02, 0], [0, 1, -0.03], [0.01, 0, 1]], scale_atoms=True)
    atoms.positions += np.random.default_rng(1).uniform(-0.05, 0.05, atoms.positions.shape)
    del atoms[3]
    return atoms


@pytest.mark.parametrize("form", [lambda h: h, lambda h: h.tocsr(), lambda h: h.toarray()], ids=["bsr", "csr", "dense"])
@pytest.mark.parametrize("kind", KINDS)
def test_any_potential_with_a_sparse_hessian_will_do(kind, form):
    """In narrow cells it is asked for the Hessian of clusters, in wide ones for that of the cell."""
    handed = Handed(form)
    of = partial(create, kind, **KINDS[kind])
    atoms = vacancy((2, 3, 2))
    expected = of().local(atoms)
    np.testing.assert_allclose(of(potential=handed).local(atoms), expected, rtol=0, atol=1e-10)
    assert min(handed.sizes) > len(atoms)


def test_a_wide_cell_is_asked_for_its_own_hessian():
    handed = Handed(lambda hessian: hessian)
    atoms = vacancy(6)
    found = create("hessian_stiffness", potential=handed, **KINDS["hessian_stiffness"]).local(atoms)
    expected = create("hessian_stiffness", **KINDS["hessian_stiffness"]).local(atoms)
    np.testing.assert_array_equal(found, expected)
    assert handed.sizes == [len(atoms)]


@pytest.mark.parametrize("repeat", [(2, 3, 2), 6], ids=["narrow", "wide"])
def test_what_a_potential_returns_is_left_as_it_is(repeat):
    """It may keep its Hessian for the next call."""
    kept = {}

    def keep(hessian):
        return kept.setdefault(hessian.shape, hessian)

    atoms, descriptor = vacancy(repeat), create("hessian_stiffness", potential=Handed(keep), radii=[0.0, 3.0])
    first = descriptor.local(atoms)
    before = {shape: hessian.copy() for shape, hessian in kept.items()}
    np.testing.assert_array_equal(descriptor.local(atoms), first)
    for shape, hessian in kept.items():
        np.testing.assert_array_equal(hessian.data, before[shape].data)


def test_a_model_of_such_a_descriptor_can_be_shown():
    descriptor = create("hessian_stiffness", potential=Handed(lambda hessian: hessian), radii=[0.0, 3.0])
    fitted = ExtensiveRidge([1e-3]).fit(np.eye(2), np.ones(2))
    model = EntropyModel.from_fit(
        descriptor, fitted, np.ones(2), element="Fe", volume_per_atom=11.6, entropy_range=(1, 2)
    )
    assert repr(model).startswith("<EntropyModel of Fe: hessian_stiffness, 2 features")


class TestModifiedEmbeddedAtoms:
    NAMED: ClassVar = {
        "pair_style": "meam",
        "pair_coeff": ["* * library_2nn.meam Mo Co Ni V Fe Al Cr MoCoNiVFeAlCr_2nn.meam Fe"],
        "element": "Fe",
    }

    @pytest.mark.parametrize("kind", KINDS)
    def test_a_configuration_names_them(self, kind):
        """The Hessian that it takes in a narrow cell is that of the infinite crystal, in rows around each atom."""
        atoms = vacancy((2, 3, 2))
        of = partial(create, kind, **KINDS[kind])
        found = of(potential=self.NAMED).local(atoms)
        np.testing.assert_array_equal(of(potential=load_potential(**self.NAMED)).local(atoms), found)
        assert np.abs(of().local(atoms) - found).max() > 1e-2
        np.testing.assert_allclose(of(potential=self.NAMED).total(atoms * (1, 1, 2)), 2 * found.sum(axis=0), rtol=1e-9)
        assert of(potential=self.NAMED).reach > KINDS[kind].get("radii", [0.0])[-1] + 8.0

    def test_files_hold_their_names(self):
        descriptor = create("hessian_stiffness", potential=self.NAMED, radii=[0.0, 3.0])
        block = recipe(descriptor)
        again = create(block["kind"], **block["parameters"])
        np.testing.assert_array_equal(again.local(vacancy(2)), descriptor.local(vacancy(2)))

    def test_what_has_no_analytic_hessian_is_refused(self):
        silicon = {"pair_style": "meam", "pair_coeff": ["* * library.meam Si SiC.meam Si"], "element": "Si"}
        with pytest.raises(ConfigError, match="lattice dia have no analytic Hessian.*name one that has") as caught:
            create("hessian_stiffness", potential=silicon)
        # Which would be refused here.
        assert "finite_differences" not in str(caught.value)

    def test_keys_that_are_of_labels_are_named(self):
        with pytest.raises(
            ConfigError, match=r"pair_style and pair_coeff and element .*, without 'hessian' and 'step'\.$"
        ):
            create("hessian_stiffness", potential=self.NAMED | {"hessian": "analytic", "step": 0.01})


class TestRefusals:
    @pytest.mark.parametrize("repeat", [2, 6])
    def test_another_element(self, repeat):
        atoms = vacancy(repeat)
        atoms.numbers[:] = 74
        with pytest.raises(StructureError, match="W where only Fe"):
            create("hessian_stiffness", potential=Handed(lambda hessian: hessian), radii=[0.0, 3.0]).total(atoms)

    def test_a_potential_whose_hessian_has_no_end(self):
        endless = FiniteDifferencePotential(engine=None, elements=("Fe",), step=0.01)
        with pytest.raises(
            ConfigError,
            match="must be a mapping of file and element or elements, or of pair_style .* in Python also any potential",
        ):
            create("hessian_stiffness", potential=endless)

    def test_files_cannot_hold_it(self):
        descriptor = create("hessian_stiffness", potential=Handed(lambda hessian: hessian))
        with pytest.raises(ConfigError, match=r"hessian_stiffness.*: potential is <.*>, which files cannot hold"):
            recipe(descriptor)
