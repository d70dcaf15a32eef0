"""Labels of the infinite crystal."""

import numpy as np
import pytest
from twins import twins
from workflow_runs import ROOT

from vibentropy import read_archive
from vibentropy.atoms.crystal import Crystal
from vibentropy.errors import NotConvergedError, StructureError
from vibentropy.labels.infinite import find_defect, infinite_entropy, limit
from vibentropy.potentials.newton import newton_relax


@pytest.fixture(scope="module")
def vacancy(iron, iron_crystal):
    return newton_relax(iron_crystal(5)[1:], iron, 1e-6)[0]


def dumbbell(crystal, iron):
    atoms = crystal.copy()
    along = np.array([1.0, 1.0, 0.0]) / np.sqrt(2)
    atoms.append("Fe")
    atoms.positions[-1] = atoms.positions[0] + 1.0 * along
    atoms.positions[0] -= 1.0 * along
    return newton_relax(atoms, iron, 1e-6)[0]


def test_two_cells_tell_the_limit():
    assert limit([100, 300], [5 + 7 / 100, 5 + 7 / 300]) == pytest.approx(5, abs=1e-12)


@pytest.mark.parametrize("shift", [(0, 0, 0), (1.3, -4.2, 20.0)])
def test_small_cells_extrapolate_to_their_limit(iron, iron_crystal, vacancy, shift):
    crystal = iron_crystal(5)
    atoms = vacancy.copy()
    atoms.positions += shift
    atoms.wrap()
    found = infinite_entropy(atoms, crystal, iron, sizes=(432, 1024, 2000))
    assert found.sites == (432, 1024, 2000)
    assert found.value == pytest.approx(2.6217, abs=0.004)
    assert abs(found.value - 2.6217) < 5 * found.uncertainty + 1e-3
    # Known in 1024 sites.
    assert found.entropies[1] == pytest.approx(2.613, abs=1e-3)
    assert found.energies[1] == pytest.approx(1.721, abs=1e-3)
    assert len(found.largest) == 1999


def test_copies_of_iron_have_the_limit_of_iron(iron, iron_crystal):
    crystal, sizes = iron_crystal(4), (250, 432, 686)
    vacancy = newton_relax(crystal[1:], iron, 1e-6)[0]
    expected = infinite_entropy(vacancy, crystal, iron, sizes=sizes)
    solute = crystal.copy()
    solute.symbols[5] = vacancy.symbols[0] = "Cr"  # The latter beside the vacancy.
    found = infinite_entropy(vacancy, crystal, twins(iron), sizes=sizes, others=[solute])
    assert found.largest.symbols.formula.count() == {"Cr": 1, "Fe": 684}
    np.testing.assert_allclose(found.entropies, expected.entropies, rtol=0, atol=1e-5)
    np.testing.assert_allclose(found.energies, expected.energies, rtol=0, atol=1e-5)


def test_defects_of_compounds_and_random_alloys(iron):
    compound = Crystal("Fe", "B2", 2.8513, partner="Al").cell(4)
    for shift in (0.0, 7.3):
        antisites = compound.copy()
        antisites.symbols[[0, 1]] = "Al", "Fe"
        antisites.positions += shift
        assert len(find_defect(antisites, compound).core) == 2
    mixed = compound.copy()
    mixed.numbers = np.random.default_rng(0).permutation(mixed.numbers)
    with pytest.raises(StructureError, match="no larger cell of a random alloy has the same arrangement"):
        infinite_entropy(mixed[1:], mixed, iron, others=[compound])


@pytest.mark.slow
@pytest.mark.parametrize(
    ("defect_class", "entropy", "limit_of_larger_cells", "tolerance"),
    # Limits by an independent program, from cells of up to 16,000 sites.
    [("V1", 2.6129, 2.6217, 5e-4), ("I1", 1.7250, 1.7725, 2e-3), ("I4", 8.6354, 9.33, 2e-2)],
)
def test_limits_of_minima_of_the_shipped_set(
    iron, iron_crystal, defect_class, entropy, limit_of_larger_cells, tolerance
):
    minima = read_archive(ROOT / "data/clusters.h5", "clusters", classes=[defect_class])
    (atoms,) = (
        atoms
        for atoms, label in zip(minima.frames, minima.table["formation_entropy"], strict=True)
        if abs(label - entropy) < 5e-4
    )
    found = infinite_entropy(atoms, iron_crystal(8), iron, sizes=(2000, 3456, 8192))
    assert found.value == pytest.approx(limit_of_larger_cells, abs=tolerance)
    assert found.uncertainty < 2 * tolerance


def test_interstitials_keep_their_place(iron, iron_crystal):
    crystal = iron_crystal(5)
    atoms = dumbbell(crystal, iron)
    atoms = atoms[np.random.default_rng(0).permutation(len(atoms))]
    defect = find_defect(atoms, crystal)
    assert 2 <= len(defect.core) <= 4
    large, perfect = defect.embedded(defect.repetitions // 5 * 8)
    assert (len(large), len(perfect)) == (1025, 1024)
    relaxed, energy, _ = newton_relax(large, iron, 1e-6)
    defect.check_same(large.positions, relaxed)
    per_atom = iron.energy_and_forces(perfect)[0] / len(perfect)
    assert energy - per_atom * len(large) == pytest.approx(3.534, abs=1e-3)


def test_a_defect_longer_than_half_its_cell_is_in_one_piece(iron_crystal):
    crystal = iron_crystal(8)
    atoms = read_archive(ROOT / "data/clusters.h5", "clusters", classes=["I4"], rows=[0, 1]).frames[0]
    for shift in (0.0, 6.0, 12.0):
        shifted = atoms.copy()
        shifted.positions += shift
        core = find_defect(shifted, crystal).core
        assert len(core) == 9
        np.testing.assert_allclose(np.sort(np.ptp(core, axis=0)), [3.67, 5.04, 11.50], atol=0.01)


def test_a_defect_that_reaches_around_its_cell_is_refused(iron_crystal):
    crystal = iron_crystal((3, 3, 9))
    line = np.flatnonzero(np.linalg.norm(crystal.positions[:, :2], axis=1) < 0.1)
    del (atoms := crystal.copy())[line]
    with pytest.raises(StructureError, match="extends over .* of the cell"):
        find_defect(atoms, crystal)


def test_another_minimum_is_noticed(iron, iron_crystal, vacancy):
    defect = find_defect(vacancy, iron_crystal(5))
    large, _ = defect.embedded(defect.repetitions // 5 * 6)
    moved = large.copy()
    moved.positions[np.linalg.norm(defect.positions - defect.core[0], axis=1).argmin()] += (0.2, 0, 0)
    with pytest.raises(NotConvergedError, match="moves by 0.20 Å .* another minimum"):
        defect.check_same(large.positions, moved)


def test_what_is_not_one_defect_in_a_small_cell_is_refused(iron, iron_crystal, vacancy):
    crystal = iron_crystal(5)
    with pytest.raises(StructureError, match="no defect"):
        infinite_entropy(crystal, crystal, iron)
    two = iron_crystal((5, 5, 10))
    apart = two[[i for i in range(len(two)) if i not in (0, 255)]]
    with pytest.raises(StructureError, match="several defects"):
        infinite_entropy(apart, two, iron)
    with pytest.raises(StructureError, match="start from a smaller one"):
        infinite_entropy(vacancy, crystal, iron, sizes=(128, 432, 1024))
    with pytest.raises(StructureError, match="compare both in the same cell"):
        infinite_entropy(vacancy, iron_crystal(4), iron)
