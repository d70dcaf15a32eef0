"""Extensive features of several elements: relative to the references that labels are relative to."""

from dataclasses import replace
from typing import ClassVar

import numpy as np
import pytest
from ase.build import bulk
from hypothesis import given
from hypothesis import strategies as st
from odd_cells import rotate

from vibentropy.atoms.crystal import Crystal
from vibentropy.atoms.reference_cells import ReferenceCells
from vibentropy.descriptors import create
from vibentropy.errors import DataError, StructureError
from vibentropy.features.extensive import (
    CrystalFeatures,
    DescribedCrystal,
    ElementFeatures,
    above_bulk,
    above_reference_atoms,
    bulk_features,
    describe_references,
    extensive_features,
    reference_shares,
)
from vibentropy.features.sets import FeatureSet, concatenate
from vibentropy.sources.perfect import filled

A = 2.8553
ELEMENTS = {2: ["Fe", "P"], 3: ["Fe", "P", "Cr"]}


def references(n, size=2):
    """The crystal, and crystals with one atom of another element in them, larger and rattled as relaxed ones are."""
    cells = [bulk("Fe", "bcc", a=A, cubic=True).repeat(2)]
    for number, symbol in enumerate(ELEMENTS[n][1:]):
        cells.append(bulk("Fe", "bcc", a=A, cubic=True).repeat(size + number))
        cells[-1].symbols[3] = symbol
        cells[-1].rattle(0.02, seed=number)
    return cells


def defective(n, seed):
    """A few sites empty, a few taken by others."""
    rng = np.random.default_rng(seed)
    atoms = bulk("Fe", "bcc", a=A, cubic=True).repeat((2, 2, 3))
    atoms.symbols = rng.choice(ELEMENTS[n], len(atoms), p=[0.7, *[0.3 / (n - 1)] * (n - 1)])
    atoms.rattle(0.1, rng=rng)
    del atoms[rng.choice(len(atoms), rng.integers(0, 3), replace=False)]
    return atoms


def afs(n):
    return create("afs", n_max=2, l_max=2, r_cut=3.5, species=ELEMENTS[n])


cases = given(st.sampled_from(sorted(ELEMENTS)), st.integers(0, 10**6), st.tuples(*[st.integers(1, 2)] * 3))


@cases
def test_repeated_turned_and_reordered_cells(n, seed, repetitions):
    descriptor, atoms = afs(n), defective(n, seed)
    described = describe_references(descriptor, *(cells := references(n))[:1], cells[1:])
    (one,) = extensive_features(descriptor, atoms, described)
    rng = np.random.default_rng(seed)
    changed = rotate(atoms.repeat(repetitions), rng)
    changed = changed[rng.permutation(len(changed))]
    tolerance = 1e-11 * len(changed) * np.abs(described.values).max()
    np.testing.assert_allclose(
        extensive_features(descriptor, changed, described)[0], np.prod(repetitions) * one, rtol=0, atol=tolerance
    )
    # Renamed together with the references, columns change their names and places only.
    new = dict(zip(ELEMENTS[n], ["Mo", "W", "V"], strict=False))
    for cell in (atoms, *cells):
        cell.symbols = [new[symbol] for symbol in cell.symbols]
    renamed = create("afs", n_max=2, l_max=2, r_cut=3.5, species=list(new.values()))
    names = [name.translate(str.maketrans({"-": " ", "_": " "})) for name in descriptor.feature_names]
    expected = [" ".join(new.get(word, word) for word in name.split()) for name in names]
    assert [name.replace("-", " ").replace("_", " ") for name in renamed.feature_names] == expected
    (found,) = extensive_features(renamed, atoms, describe_references(renamed, cells[0], cells[1:]))
    np.testing.assert_allclose(found, one, rtol=0, atol=tolerance)


@pytest.mark.parametrize("n", ELEMENTS)
def test_references_have_no_features(n):
    """And their multiples, whatever is in them."""
    descriptor, cells = afs(n), references(n, size=3)
    described = describe_references(descriptor, cells[0], cells[1:])
    assert described.elements == tuple(ELEMENTS[n])
    X = extensive_features(descriptor, [*cells, cells[1].repeat((2, 1, 1))], described)
    np.testing.assert_allclose(X, 0, atol=1e-11 * 108 * np.abs(described.values).max())
    np.testing.assert_allclose(described.crystal, bulk_features(descriptor, cells[0]), rtol=1e-12, atol=1e-12)


def test_they_are_compared_as_labels_are():
    """By the references' own way, for a descriptor that depends on the size of a cell."""
    descriptor = create("scattering", n_scales=2, l_max=1, species=ELEMENTS[2])
    cells, atoms = references(2, size=3), defective(2, 1)
    found = ReferenceCells.of(cells)
    expected = found.formed(atoms, descriptor.total(atoms), found.quantities(descriptor.total))
    described = describe_references(descriptor, cells[0], cells[1:])
    (one,) = extensive_features(descriptor, atoms, described)
    np.testing.assert_allclose(one, expected, rtol=0, atol=1e-11 * np.abs(descriptor.total(atoms)).max())


def test_the_solutes_play_no_part_where_there_are_none():
    """An alloy's features of iron alone are those of iron, one element's are what they were to the last bit."""
    one, two = create("afs", n_max=2, l_max=2, r_cut=3.5), afs(2)
    cells = references(2)
    vacancy = bulk("Fe", "bcc", a=A, cubic=True).repeat(3)
    vacancy.rattle(0.05, seed=2)
    del vacancy[4]
    alone = describe_references(one, cells[0])
    np.testing.assert_array_equal(alone, one.total(cells[0]) / len(cells[0]))
    np.testing.assert_array_equal(above_bulk(one.total(vacancy), vacancy, alone), one.total(vacancy) - 53 * alone)
    (expected,) = extensive_features(one, vacancy, alone)
    (found,) = extensive_features(two, vacancy, describe_references(two, cells[0], cells[1:]))
    of_iron = [number for number, name in enumerate(two.feature_names) if name.startswith("A_Fe_Fe-Fe_")]
    np.testing.assert_allclose(found[of_iron], expected, rtol=0, atol=1e-10 * np.abs(one.total(vacancy)).max())
    np.testing.assert_allclose(np.delete(found, of_iron), 0, atol=1e-10)


def test_an_element_without_a_reference():
    atoms = defective(3, 5)
    assert "Cr" in atoms.symbols
    descriptor, cells = afs(3), references(2)
    described = describe_references(descriptor, cells[0], cells[1:])
    with pytest.raises(StructureError, match="holds Cr where Fe and P are expected"):
        extensive_features(descriptor, atoms, described)
    with pytest.raises(StructureError, match="2 reference cells for 3 elements"):
        describe_references(descriptor, cells[0], [atoms])


def test_shares_of_atoms_add_up():
    descriptor, atoms, cells = afs(2), defective(2, 3), references(2)
    described, weights = describe_references(descriptor, cells[0], cells[1:]), np.linspace(-1, 1, descriptor.n_features)
    shares = descriptor.project(atoms, weights) - reference_shares(atoms, described, weights)
    expected = above_bulk(descriptor.total(atoms), atoms, described) @ weights
    assert shares.sum() == pytest.approx(expected, abs=1e-9)
    assert isinstance(reference_shares(atoms, np.ones(descriptor.n_features), weights), float)


def test_each_crystal_is_described_with_the_others():
    descriptor, cells = afs(2), references(2)
    perfect = filled(Crystal("Fe", "bcc", A))
    of_crystal = CrystalFeatures(descriptor, perfect, cells[1:])
    found = of_crystal({"repetitions": "3x3x2"}, perfect({"repetitions": "3x3x2"}).cell[:])
    expected = describe_references(descriptor, cells[0], cells[1:])
    assert found.elements == expected.elements
    np.testing.assert_allclose(found.values, expected.values, rtol=1e-10, atol=1e-10)


class TestSets:
    @pytest.fixture
    def features(self):
        descriptor, cells = afs(2), references(2)
        frames = [defective(2, seed) for seed in range(3)] + [defective(3, 5)]
        described = describe_references(descriptor, cells[0], cells[1:])
        return FeatureSet.compute(descriptor, ["a", "b", "c", "d"], frames, described, element="Fe", dataset="train")

    def test_files_hold_what_they_are_relative_to(self, features, tmp_path):
        assert list(features.failures) == ["d"]
        assert "Cr" in features.failures["d"]
        np.testing.assert_array_equal(features.local.crystals, [features.bulk.crystal] * 3)
        features.save(tmp_path / "f.h5")
        again = FeatureSet.load(tmp_path / "f.h5")
        np.testing.assert_array_equal(again.X, features.X)
        for name in ("elements", "values", "shares"):
            np.testing.assert_array_equal(getattr(again.bulk, name), getattr(features.bulk, name))
        again.save(tmp_path / "again.h5")
        assert (tmp_path / "again.h5").read_bytes() == (tmp_path / "f.h5").read_bytes()

    def test_sets_of_other_references_do_not_go_together(self, features):
        other = replace(features, ids=("e", "f", "g"), failures={}, bulk=features.bulk.crystal)
        with pytest.raises(DataError, match="of one element cannot be put together with those of Fe and P"):
            concatenate([features, other])
        moved = ElementFeatures(features.bulk.elements, 1.1 * features.bulk.values, features.bulk.shares)
        with pytest.raises(DataError, match="different perfect crystals .* the same cell for each solute"):
            concatenate([features, replace(other, bulk=moved)])
        assert len(concatenate([features, replace(other, bulk=features.bulk)]).ids) == 6

    def test_factors_of_atoms_are_of_what_adds_up(self, features):
        """Weights that are right for every atom are those of the factor, whatever their elements."""
        frames, weights = [defective(2, seed) for seed in range(3)], np.linspace(-1, 1, features.X.shape[1])
        shares = [afs(2).project(a, weights) - reference_shares(a, features.bulk, weights) for a in frames]
        labels = dict(zip("abc", shares, strict=True))
        found = FeatureSet.compute(afs(2), list(labels), frames, features.bulk, site_labels=labels)
        np.testing.assert_array_equal(found.X, features.X)
        assert list(found.sites) == list(labels)
        for factor in found.sites.values():
            np.testing.assert_allclose(
                factor[:, :-1] @ weights, factor[:, -1], rtol=0, atol=1e-10 * np.abs(factor).max()
            )
        of_one = above_reference_atoms(afs(2).local(frames[0]), frames[0], features.bulk)
        np.testing.assert_allclose(of_one.sum(axis=0), features.X[0], rtol=0, atol=1e-9 * np.abs(features.X).max())


class TestRandomAlloys:
    """Each cell has a reference of its own; what an atom of each element counts comes from cells in common."""

    SPECIES: ClassVar[list[str]] = ["Cu", "Ni"]
    DESCRIPTOR = create("two_body", n_max=4, r_cut=4.0, species=SPECIES)
    COPPER = bulk("Cu", "fcc", a=3.615, cubic=True)

    def alloy(self, seed):
        atoms = bulk("Cu", "fcc", a=3.6, cubic=True).repeat(3)
        atoms.symbols[np.random.default_rng(seed).permutation(108)[:40]] = "Ni"
        atoms.rattle(0.05, seed=seed)
        return atoms

    def features(self, seed, other=COPPER):
        """Of a vacancy in an arrangement."""
        defect = self.alloy(seed)[3:]
        described = describe_references(self.DESCRIPTOR, self.alloy(seed), [other])
        return FeatureSet.compute(self.DESCRIPTOR, [f"a{seed}"], [defect], described)

    def test_elements_are_in_one_order(self):
        assert len({self.alloy(seed).symbols[0] for seed in range(5)}) == 2
        assert {self.features(seed).bulk.elements for seed in range(5)} == {("Cu", "Ni")}
        bulk_of_elements = self.features(1).bulk
        np.testing.assert_allclose(bulk_of_elements.shares, [68 / 108, 40 / 108])
        np.testing.assert_allclose(bulk_of_elements.crystal, self.DESCRIPTOR.total(self.alloy(1)) / 108, atol=1e-10)

    def test_arrangements_go_together(self, tmp_path):
        first, second = self.features(1), self.features(2)
        assert not np.allclose(first.bulk.values, second.bulk.values, rtol=1e-3)
        together = concatenate([first, second])
        total = self.DESCRIPTOR.total
        for row, seed in enumerate((1, 2)):
            atoms, alloy = self.alloy(seed)[3:], self.alloy(seed)
            of_copper = total(self.COPPER) / 4
            of_nickel = (total(alloy) - 68 * of_copper) / 40
            n_nickel = (atoms.symbols == "Ni").sum()
            expected = total(atoms) - (105 - n_nickel) * of_copper - n_nickel * of_nickel
            np.testing.assert_allclose(together.X[row], expected, rtol=0, atol=1e-9 * np.abs(total(alloy)).max())
        together.save(tmp_path / "f.h5")
        again = FeatureSet.load(tmp_path / "f.h5")
        np.testing.assert_array_equal(again.bulk.conditions, together.bulk.conditions)
        again.save(tmp_path / "again.h5")
        assert (tmp_path / "again.h5").read_bytes() == (tmp_path / "f.h5").read_bytes()

    def test_others_do_not(self):
        nickel = bulk("Ni", "fcc", a=3.52, cubic=True)
        with pytest.raises(DataError, match="different perfect crystals .* the same cell for each solute"):
            concatenate([self.features(1), self.features(2, nickel)])
        ordered = describe_references(self.DESCRIPTOR, bulk("CuNi", "cesiumchloride", a=2.9), [self.COPPER])
        with pytest.raises(DataError, match="random alloys cannot be put together with those relative to a crystal"):
            concatenate([self.features(1), replace(self.features(2), bulk=ordered)])

    def test_the_uncertainty_of_a_lattice_constant_takes_the_cell_as_it_is(self):
        described = DescribedCrystal.of(self.DESCRIPTOR, self.alloy(1), [self.COPPER])
        assert (described.uncertainty > 0).any()
        assert (described.uncertainty < 0.05 * np.abs(described.features.crystal).max()).all()


class TestCompounds:
    """B2: both elements are in the first reference, and one more cell says how it is shared between them."""

    SPECIES: ClassVar[list[str]] = ["Fe", "Al"]
    DESCRIPTOR = create("two_body", n_max=4, r_cut=4.0, species=SPECIES)

    def described(self, other):
        return describe_references(self.DESCRIPTOR, bulk("FeAl", "cesiumchloride", a=2.9), [other])

    def test_defects_that_keep_the_ratio_do_not_depend_on_it(self):
        iron, aluminium = bulk("Fe", "bcc", a=2.86), bulk("Al", "fcc", a=4.05)
        crystal = bulk("FeAl", "cesiumchloride", a=2.9).repeat(3)
        antisites, vacancies, vacancy = crystal.copy(), crystal.copy(), crystal.copy()
        antisites.symbols[[0, 1]] = ["Al", "Fe"]
        antisites.rattle(0.02, seed=1)
        del vacancies[[0, 21]]
        del vacancy[0]
        first, second = self.described(iron), self.described(aluminium)
        np.testing.assert_allclose(first.shares, [0.5, 0.5])
        np.testing.assert_allclose(first.crystal, self.DESCRIPTOR.total(crystal) / 54, rtol=1e-12, atol=1e-12)
        X, Y = (
            extensive_features(self.DESCRIPTOR, [crystal, antisites, vacancies, vacancy], bulk_of_elements)
            for bulk_of_elements in (first, second)
        )
        largest = np.abs(self.DESCRIPTOR.total(crystal)).max()
        np.testing.assert_allclose(X[0], 0, atol=1e-11 * largest)
        np.testing.assert_allclose(X[:3], Y[:3], rtol=0, atol=1e-11 * largest)
        assert (np.abs(X[1:]).max(axis=1) > 1e-3 * largest).all()
        assert np.abs(X[3] - Y[3]).max() > 1e-3 * largest
