import numpy as np
import pytest
from ase.build import bulk

from vibentropy.atoms.reference_cells import ReferenceCells
from vibentropy.errors import StructureError


def crystal(repeat, a=2.87):
    return bulk("Fe", "bcc", a=a, cubic=True).repeat(repeat)


def with_solute(repeat, **options):
    atoms = crystal(repeat, **options)
    atoms.symbols[1] = "P"
    return atoms


def of_modes(atoms):
    """A quantity with the same dependence on the size of a cell as entropies have."""
    n = len(atoms)
    return 7.0 * (n - 1) + 3.0 * np.log(n) + 11.0 * atoms.get_chemical_symbols().count("P")


@pytest.fixture
def random_alloys():
    """Two arrangements of one composition, relaxed as far as it goes here."""
    cells = []
    for seed in range(2):
        cells.append(bulk("Cu", "fcc", a=3.6, cubic=True).repeat(3))
        cells[-1].symbols[np.random.default_rng(seed).permutation(108)[:40]] = "Ni"
        cells[-1].rattle(0.05, seed=seed)
    return cells


def test_a_random_alloy_is_compared_with_itself(random_alloys):
    copper = bulk("Cu", "fcc", a=3.615, cubic=True)
    references = ReferenceCells.of([random_alloys[0], copper])
    assert references.random
    assert references.crystals == [None, None]
    defect = random_alloys[0].copy()
    del defect[[5, 17]]
    defect.append("Ni")
    defect.positions[-1] = defect.positions[8] + [0.0, 0.0, 1.8]
    assert references.around(defect).cells[0] is random_alloys[0]
    # Turned as a whole, and in another order.
    turned = defect[::-1]
    turned.rotate(40, (1, 2, 3), rotate_cell=True)
    assert len(references.around(turned).cells[0]) == 108
    with pytest.raises(StructureError, match="are of another element than the nearest site of the random alloy"):
        references.around(random_alloys[1])
    assert not ReferenceCells.of([bulk("FeAl", "cesiumchloride", a=2.9).repeat(3), bulk("Fe")]).random
    assert not ReferenceCells.of([copper]).random


@pytest.mark.parametrize("size", [2, 3, 4])
def test_a_solute_is_compared_with_the_crystal_around_it(size):
    """Whatever the size of its cell, two of them count as two, and what depends on sizes cancels."""
    references = ReferenceCells.of([crystal(3), with_solute(size)])
    assert (references.crystals[1] is None) == (size == 3)
    atoms = crystal(3)
    atoms.symbols[[5, 20]] = "P"
    calls = []
    quantities = references.quantities(lambda cell: calls.append(cell) or of_modes(cell))
    # A factor of each is what they may cost.
    assert len(calls) == 2 + (size != 3)
    assert references.formed_of_modes(atoms, of_modes(atoms), quantities) == pytest.approx(0, abs=1e-9)
    del atoms[0]
    per_site = of_modes(crystal(3)) / 53
    assert references.formed_of_modes(atoms, 7.0, quantities) == pytest.approx(7.0 - 52 * per_site - 22.0, abs=1e-9)
    # Energies know nothing of sizes.
    energies = references.formed(atoms, -5.0, references.quantities(lambda cell: -4.0 * len(cell)))
    assert energies == pytest.approx(-5.0 + 4.0 * 53, abs=1e-9)


def test_other_crystals_stay_as_they_are():
    assert ReferenceCells.of([crystal(3), bulk("P", "fcc", a=4.0)]).crystals == [None, None]
    # Triclinic repetitions of the primitive cell are some.
    small = bulk("Fe", "bcc", a=2.87).repeat((3, 4, 5))
    small.symbols[0] = "P"
    (found,) = ReferenceCells.of([crystal(3), small]).crystals[1:]
    assert len(found) == 60
    np.testing.assert_allclose(found.cell[:], small.cell[:], atol=1e-12)
    assert set(found.get_chemical_symbols()) == {"Fe"}


def test_what_is_no_reference_is_refused():
    with pytest.raises(StructureError, match="no reference cell, expected the perfect crystal"):
        ReferenceCells.of([])
    with pytest.raises(StructureError, match="no translation maps its 53 atoms"):
        ReferenceCells.of([crystal(3)[1:]])
    strained = crystal(3)
    strained.set_cell(strained.cell[:] * [1.01, 1.0, 1.0], scale_atoms=True)
    for first, other in ((crystal(3), with_solute(2, a=3.0)), (strained, with_solute(2))):
        with pytest.raises(StructureError, match="the reference cell Fe15P is no repetition of the perfect crystal"):
            ReferenceCells.of([first, other])
    references = ReferenceCells.of([crystal(3), with_solute(3)])
    with pytest.raises(StructureError, match="compare both in the same cell"):
        references.around(crystal(2))
    with pytest.raises(StructureError, match="holds Cr, of which no reference cell has atoms"):
        references.around(bulk("Cr", "bcc", a=2.87, cubic=True).repeat(3))
    # A random alloy is no crystal, but the cell without the defect.
    alloy = crystal(3)
    alloy.symbols[::3] = "P"
    ReferenceCells.of([alloy, crystal(3)]).around(alloy)
