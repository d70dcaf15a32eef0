"""Descriptors of several elements: summed over them they are those of one, and what an element is called is a name."""

from collections import Counter, defaultdict
from math import factorial, prod

import numpy as np
import pytest
from ase.build import bulk
from twins import twins

from vibentropy.descriptors import REGISTRY, create, find
from vibentropy.errors import ConfigError, StructureError
from vibentropy.potentials.embedded_atom import Potential

IRON = Potential.from_setfl("FeP_mm.eam.fs", "Fe")
#: By their number. In another order than that of the atomic numbers.
ELEMENTS = {2: ["Fe", "Cr"], 3: ["W", "Fe", "Cr"]}
POTENTIALS = {n: twins(IRON, names) for n, names in ELEMENTS.items()}

#: Whose names say channels, which a feature has in no order: how many, and what is left of the name.
CHANNELS = {
    "power_spectrum": lambda functions, degree: (functions.split("-"), (degree,)),
    "four_body": lambda functions, degrees: (list(zip(functions.split("-"), degrees.split("-"), strict=True)), ()),
    "soap": lambda first, second, degree: ([first, second], (degree,)),
    "triple_spline": lambda first, second, degree: ([first, second], (degree,)),
}
OF_BODY_ORDER = {"R": "two_body", "P": "power_spectrum", "B": "four_body"}
#: No sums over atoms of one species more than of the other: densities of species go through a modulus each.
NOT_SUMS = {"scattering"}
KINDS = sorted(REGISTRY.keys() - NOT_SUMS)


def parameters(kind):
    """The smallest example, without what says the elements."""
    example = {"max_order": 3, "r_hop": 3.0, "distances": [2.4, 2.9]} if kind == "hessian_moments" else {}
    example = example or min(find(kind).examples, key=lambda one: str(one.get("n_max", 0)))
    return {key: value for key, value in example.items() if key not in ("species", "potential", "crystal")}


def descriptor(kind, elements):
    """A descriptor of these elements; of one, it is of iron."""
    n = len(elements)
    given = {"potential": IRON if n == 1 else twins(IRON, elements)} if kind.startswith("hessian") else {}
    return create(kind, **parameters(kind), **given, species=None if n == 1 else elements)


def cell(elements):
    """Two vacancies, and atoms of all elements where chance put them."""
    rng = np.random.default_rng(1)
    atoms = bulk("Fe", "bcc", a=2.8553, cubic=True).repeat((2, 2, 3))
    atoms.set_cell(atoms.cell[:] @ [[1, 0.02, 0], [0, 1, -0.03], [0.01, 0, 1]], scale_atoms=True)
    atoms.positions += rng.uniform(-0.05, 0.05, atoms.positions.shape)
    del atoms[[3, 11]]
    atoms.symbols = rng.choice(elements, len(atoms))
    return atoms


def plain(kind, name, elements):
    """Name of a feature without elements, and how often it is in the one without them."""
    if "*" in name:
        factors = name.split("*")
        keys = [plain("", factor, elements)[0] for factor in factors]
        return tuple(sorted(keys)), orders(factors) / orders(keys)
    letter, *tokens = name.split("_")
    kind = OF_BODY_ORDER[letter] if kind == "body_order" else kind
    symbols = [token for token in tokens if set(token.split("-")) <= set(elements)]
    rest = [token for token in tokens if token not in symbols]
    if kind not in CHANNELS:
        return (letter, *rest), 1
    channels, left = CHANNELS[kind](*rest)
    neighbours = symbols[-1].split("-") if symbols else [""] * len(channels)
    # A pair of neighbours counts once in triple_spline, products of densities in both orders.
    told = list(zip(neighbours, channels, strict=True))
    weight = 1 if kind == "triple_spline" else orders(told) / orders(channels)
    return (letter, *sorted(channels), *left), weight


def orders(items):
    return factorial(len(items)) // prod(map(factorial, Counter(items).values()))


def summed(kind, names, features, elements):
    """Sum features of several elements over those."""
    sums = defaultdict(float)
    for name, feature in zip(names, np.transpose(features), strict=True):
        key, weight = plain(kind, name, elements)
        sums[key] = sums[key] + weight * feature
    return sums


@pytest.mark.parametrize("n", ELEMENTS)
@pytest.mark.parametrize("kind", KINDS)
def test_sums_over_elements_are_the_features_of_one(kind, n):
    elements = ELEMENTS[n]
    mixed, iron = cell(elements), cell(["Fe"])
    one, several = descriptor(kind, ["Fe"]), descriptor(kind, elements)
    expected, found = one.local(iron), several.local(mixed)
    assert several.n_features > one.n_features
    sums = summed(kind, several.feature_names, found, elements)
    keys = [plain(kind, name, elements)[0] for name in one.feature_names]
    assert set(keys) == set(sums)
    np.testing.assert_allclose(
        np.transpose([sums[key] for key in keys]), expected, rtol=0, atol=1e-12 * np.abs(expected).max()
    )


@pytest.mark.parametrize("kind", sorted(REGISTRY))
def test_renaming_elements_permutes_features(kind):
    """An element may get another name, and names may change places."""
    elements = ELEMENTS[2]
    atoms, first = cell(elements), descriptor(kind, elements)
    expected = dict(zip(first.feature_names, first.total(atoms), strict=True))
    largest = max(map(abs, expected.values()))
    for new in (["Mo", "V"], ["V", "Mo"]):
        renamed, names = atoms.copy(), dict(zip(elements, new, strict=True))
        renamed.symbols = [names[symbol] for symbol in atoms.symbols]
        second = descriptor(kind, new)
        found = dict(zip(map(sorted_name, second.feature_names), second.total(renamed), strict=True))
        for name, value in expected.items():
            for old, other in names.items():
                name = name.replace(old, other)
            assert found.pop(sorted_name(name)) == pytest.approx(value, rel=0, abs=1e-12 * largest)
        assert not found


def sorted_name(name):
    """Neighbours in the order of the alphabet, with their functions: soap and acsf sort them by atomic numbers."""
    tokens = name.split("_")
    pairs = [k for k, token in enumerate(tokens) if token in ("V-Mo", "Mo-V")]
    for k in pairs if tokens[0] in ("p", "G4") else []:
        if tokens[k] == "V-Mo":
            tokens[k] = "Mo-V"
            if tokens[0] == "p":
                tokens[k + 1], tokens[k + 2] = tokens[k + 2], tokens[k + 1]
    head = "_".join(tokens)
    return head


class TestHessian:
    @pytest.mark.parametrize("kind", ["hessian_moments", "hessian_stiffness", "hessian_clusters"])
    def test_an_element_that_the_potential_has_not(self, kind):
        with pytest.raises(ConfigError, match=r"species.*potential is of Fe.*elements: \[Fe, P\]"):
            create(kind, potential={"file": "FeP_mm.eam.fs", "element": "Fe"}, species=["Fe", "P"])

    @pytest.mark.parametrize("given", [{}, {"element": "Fe", "elements": ["Fe", "P"]}])
    def test_one_element_or_several(self, given):
        with pytest.raises(ConfigError, match="mapping of file and element or elements"):
            create("hessian_stiffness", potential={"file": "FeP_mm.eam.fs"} | given)

    def test_an_alloy_whose_species_are_not_told_apart(self):
        potential = {"file": "FeP_mm.eam.fs", "elements": ["Fe", "P"]}
        atoms = bulk("Fe", "bcc", a=2.8553, cubic=True).repeat(2)
        alone = create("hessian_stiffness", potential=potential, radii=[0.0])
        iron = create("hessian_stiffness", potential={"file": "FeP_mm.eam.fs", "element": "Fe"}, radii=[0.0])
        np.testing.assert_allclose(alone.total(atoms), iron.total(atoms), rtol=1e-12)
        atoms.symbols[0] = "P"
        with pytest.raises(StructureError, match=r"give the descriptor `species: \[P, Fe\]`"):
            alone.total(atoms)

    @pytest.mark.parametrize(
        ("kind", "repeat"),
        [("hessian_moments", 2), ("hessian_stiffness", 2), ("hessian_clusters", 2), ("hessian_stiffness", 6)],
    )
    def test_any_potential_with_a_sparse_hessian_of_several_elements(self, kind, repeat):
        """By the Hessian of clusters in narrow cells, and by that of the cell in wide ones."""
        potential = Potential.from_setfl("AlFe_mm.eam.fs", ["Fe", "Al"])
        rng = np.random.default_rng(3)
        atoms = bulk("Fe", "bcc", a=2.8553, cubic=True).repeat(repeat)
        atoms.symbols[rng.choice(len(atoms), 4, replace=False)] = "Al"
        atoms.positions += rng.uniform(-0.03, 0.03, atoms.positions.shape)
        # In another order than the potential's.
        about = parameters(kind) | {"species": ["Al", "Fe"]}
        expected = create(kind, potential=potential, **about).local(atoms)
        found = create(kind, potential=Handed(potential), **about).local(atoms)
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-10 * np.abs(expected).max())


class Handed:
    """A potential that offers nothing but the protocol."""

    def __init__(self, potential):
        self.elements, self.masses, self.hessian_range = potential.elements, potential.masses, potential.hessian_range
        self.energy_and_forces, self.hessian = potential.energy_and_forces, potential.hessian


def test_steps_are_told_apart_by_both_of_their_ends():
    """A lone atom steps to the others and they to it, as often; not to itself."""
    atoms = bulk("Fe", "bcc", a=2.8553, cubic=True).repeat(3)
    atoms.rattle(0.02, seed=1)
    atoms.symbols[7] = "Cr"
    moments = create("hessian_moments", potential=POTENTIALS[2], max_order=2, r_hop=3.0, species=["Fe", "Cr"])
    local = dict(zip(moments.feature_names, moments.local(atoms).T, strict=True))
    iron = create("hessian_moments", potential=IRON, max_order=2, r_hop=3.0)
    one = dict(zip(iron.feature_names, iron.local(cell_of_iron(atoms)).T, strict=True))
    assert not local["tr_R2_Cr_Cr"].any()
    assert local["tr_R2_Fe_Cr"].sum() == pytest.approx(local["tr_R2_Cr_Fe"].sum(), rel=1e-12)
    assert np.flatnonzero(local["tr_R2_Cr_Fe"]).tolist() == np.flatnonzero(local["ln_det_Cr"]).tolist() == [7]
    assert local["tr_R2_Cr_Fe"][7] == pytest.approx(one["tr_R2"][7], rel=1e-12)
    # The neighbours in the first two shells.
    assert len(np.flatnonzero(local["tr_R2_Fe_Cr"])) == 14


def cell_of_iron(atoms):
    iron = atoms.copy()
    iron.symbols = "Fe" * len(atoms)
    return iron
