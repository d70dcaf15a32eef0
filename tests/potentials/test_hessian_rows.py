"""Rows of the Hessian with every periodic image by itself, against the whole Hessian of a cell."""

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk

from vibentropy.atoms.neighbours import neighbour_pairs
from vibentropy.errors import PotentialError, StructureError
from vibentropy.potentials.embedded_atom import Potential
from vibentropy.potentials.embedded_hessian import Bonds
from vibentropy.potentials.hessian_rows import hessian_rows, sites

IRON = Potential.from_setfl("FeP_mm.eam.fs", "Fe")


def rattled(repeat, seed=0):
    rng = np.random.default_rng(seed)
    atoms = bulk("Fe", "bcc", a=2.8553, cubic=True).repeat(repeat)
    atoms.set_cell(atoms.cell[:] @ (np.eye(3) + rng.uniform(-0.03, 0.03, (3, 3))), scale_atoms=True)
    atoms.positions += rng.uniform(-0.1, 0.1, atoms.positions.shape)
    del atoms[1]
    return atoms


def with_images(atoms, copies):
    """Atoms in the home cell, then in the cells around it, in free space; and the atom that each is an image of."""
    shifts = np.stack(np.meshgrid(*[np.arange(-copies, copies + 1)] * 3, indexing="ij"), -1).reshape(-1, 3)
    shifts = shifts[np.argsort(np.abs(shifts).sum(axis=1), kind="stable")]
    positions = (atoms.positions[None] + (shifts @ atoms.cell[:])[:, None]).reshape(-1, 3)
    return positions, np.tile(np.arange(len(atoms)), len(shifts))


def test_ranges():
    # The density of this iron ends at 4.2 Å (Ackland et al., J. Phys.: Condens. Matter 16, S2629 (2004)).
    assert IRON.density_range == pytest.approx(4.2)
    assert IRON.hessian_range == pytest.approx(8.4)
    assert IRON.r_cut == pytest.approx(5.3)


def test_images_add_up_to_the_blocks_of_the_cell():
    atoms = rattled((3, 3, 4))
    n, known = len(atoms), sites(IRON, atoms)
    positions, index = with_images(atoms, 2)
    pairs = neighbour_pairs(Atoms(f"X{len(positions)}", positions), IRON.r_cut)
    arguments = IRON, Bonds(known.kinds[index], *pairs), n, positions, known.slope[index], known.curvature[index]
    start, columns, blocks = hessian_rows(*arguments, IRON.hessian_range)
    summed = np.zeros((n, n, 3, 3))
    rows = np.repeat(np.arange(n), np.diff(start))
    np.add.at(summed, (rows, index[columns]), blocks)
    summed[np.arange(n), np.arange(n)] += known.stiffness
    expected = IRON.hessian(atoms).toarray().reshape(n, 3, n, 3).transpose(0, 2, 1, 3)
    np.testing.assert_allclose(summed, expected, rtol=0, atol=1e-11)
    # No atom feels a translation of the crystal: what holds it is what ties it to all others.
    ties = np.add.reduceat(blocks, start[:-1])
    np.testing.assert_allclose(ties, -known.stiffness, rtol=0, atol=1e-11)

    short, near, some = hessian_rows(*arguments, 3.0)
    distances = np.linalg.norm(positions[columns] - positions[rows], axis=1)
    np.testing.assert_array_equal(near, columns[distances < 3.0])
    np.testing.assert_array_equal(some, blocks[distances < 3.0])
    assert short[-1] == len(near)


class TestRefusals:
    def test_another_element(self):
        with pytest.raises(StructureError, match="W where only Fe"):
            sites(IRON, bulk("W"))

    def test_atoms_too_close(self):
        atoms = rattled(3)
        atoms.positions[7] = atoms.positions[20] + [0.0, 0.0, 1.4]
        with pytest.raises(PotentialError, match=r"atoms (7 and 20|20 and 7) are 1\.400 Å apart, closer than 1\.5"):
            sites(IRON, atoms)

    def test_an_isolated_atom(self):
        with pytest.raises(PotentialError, match="density at atom 0"):
            sites(IRON, Atoms("Fe"))
