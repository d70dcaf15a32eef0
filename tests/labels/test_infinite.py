"""Labels of the infinite crystal."""

import numpy as np
import pytest

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
    with pytest.raises(StructureError, match="compare the same cell"):
        infinite_entropy(vacancy, iron_crystal(4), iron)
