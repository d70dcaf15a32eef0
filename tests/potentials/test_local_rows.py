"""Rows of any potential, from Hessians of clusters, against those that an embedded-atom potential makes itself."""

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk

from vibentropy.atoms.clusters import clusters
from vibentropy.errors import StructureError
from vibentropy.potentials.embedded_atom import Potential
from vibentropy.potentials.local_rows import local_rows
from vibentropy.potentials.protocols import LocalHessian

IRON = Potential.from_setfl("FeP_mm.eam.fs", "Fe")


class Other:
    """A potential of which nothing is known but its Hessian and where it ends."""

    elements, masses, hessian_range = ("Fe",), IRON.masses, IRON.hessian_range
    energy_and_forces, hessian = IRON.energy_and_forces, IRON.hessian


def rattled(repeat, pbc=True):
    atoms = bulk("Fe", "bcc", a=2.8553, cubic=True).repeat(repeat)
    atoms.pbc = pbc
    atoms.positions += np.random.default_rng(3).uniform(-0.1, 0.1, atoms.positions.shape)
    return atoms


def test_the_protocol():
    assert isinstance(IRON, LocalHessian)
    assert isinstance(Other(), LocalHessian)


@pytest.mark.parametrize("atoms", [rattled(1), rattled((1, 2, 4)), rattled(3, pbc=[True, False, False])], ids=len)
def test_stiffness_and_rows(atoms):
    one, other = local_rows(IRON), local_rows(Other())
    of_one, of_other = one.per_atom(atoms), other.per_atom(atoms)
    np.testing.assert_allclose(of_other.stiffness, of_one.stiffness, rtol=0, atol=1e-11)
    for centres, positions, index in clusters(atoms, IRON.hessian_range, 7):
        for reach in (IRON.hessian_range, 3.0):
            expected = one.rows(of_one, index, positions, len(centres), reach)
            found = other.rows(of_other, index, positions, len(centres), reach)
            for k in range(2):
                np.testing.assert_array_equal(found[k], expected[k])
            np.testing.assert_allclose(found[2], expected[2], rtol=0, atol=1e-11)


def test_another_element():
    with pytest.raises(StructureError, match="W where only Fe"):
        local_rows(Other()).per_atom(Atoms("W"))
