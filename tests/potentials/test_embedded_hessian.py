"""Second derivatives of embedded atoms. That they are those of the energy is tested in test_embedded_atom.py."""

import numpy as np
import pytest
from hypothesis import given, settings
from liquid_iron import cells, inside, odd_cell
from matscipy.calculators.eam import EAM


def test_replicated_cell_has_the_folded_hessian(iron):
    atoms = next(a for a in (odd_cell(seed, 5, True, 1.3) for seed in range(1000)) if inside(iron, a))
    energy, forces = iron.energy_and_forces(atoms)
    twice = atoms * (2, 1, 1)
    assert iron.energy_and_forces(twice)[0] == pytest.approx(2 * energy, abs=1e-9)
    np.testing.assert_allclose(iron.energy_and_forces(twice)[1], np.tile(forces, (2, 1)), atol=1e-9)
    blocks = iron.hessian(twice).toarray().reshape(2, 15, 2, 15)
    np.testing.assert_allclose(blocks[0].sum(axis=1), iron.hessian(atoms).toarray(), atol=1e-9)


@settings(max_examples=40)
@given(atoms=cells)
def test_the_parts_add_up_to_the_whole(iron, atoms):
    """Cells smaller than the cutoff too, where several images of an atom share a block."""
    if not inside(iron, atoms):
        return
    parts, whole = iron.hessian_parts(atoms), iron.hessian(atoms).toarray()
    gradients = parts.gradients.toarray()
    sum_of_parts = parts.local.toarray() + gradients.T @ (parts.curvatures[:, None] * gradients)
    np.testing.assert_allclose(sum_of_parts, whole, rtol=0, atol=1e-12 * max(1.0, np.abs(whole).max()))


def test_hessian_is_that_of_matscipy_on_the_same_functions(iron, fine_table, iron_crystal):
    atoms = iron_crystal((3, 4, 3))
    del atoms[5]
    atoms.rattle(0.05, seed=2)
    theirs = EAM(str(fine_table)).get_hessian(atoms, format="sparse").toarray()
    # matscipy puts cubic splines through the points of the fine table: their second derivative is good to 1e-5.
    assert np.abs(theirs - iron.hessian(atoms).toarray()).max() < 1e-4


def test_hessian_is_sparse_beyond_twice_the_density_cutoff(iron, iron_crystal):
    atoms = iron_crystal(7)
    row = iron.hessian(atoms).tocsr()[[0], :].tocoo()
    reach = np.unique(atoms.get_distances(0, np.unique(row.coords[1] // 3), mic=True))
    assert 5.3 < reach.max() < 2 * 4.2


def test_blocks_of_atoms_with_themselves_are_those_of_the_whole(iron, iron_crystal):
    # Wide enough that no atom meets its own image, not even by way of a third one's density.
    atoms = iron_crystal(4)
    del atoms[5]
    atoms.rattle(0.05, seed=2)
    blocks = iron.own_blocks(iron.neighbours(atoms))
    whole = iron.hessian(atoms).toarray().reshape(len(atoms), 3, len(atoms), 3)
    np.testing.assert_allclose(blocks, np.einsum("iaib->iab", whole), atol=1e-12)
