"""Cells cut to the atoms around their defects."""

import numpy as np
from ase.build import bulk

from vibentropy.atoms.surroundings import Surroundings

CRYSTAL = bulk("Fe", "bcc", a=2.8553, cubic=True) * 6


def vacancy(*removed):
    """Cell without some atoms, a little displaced."""
    atoms = CRYSTAL.copy()
    del atoms[list(removed)]
    atoms.rattle(0.03, seed=len(removed))
    return atoms


def test_a_cell_is_cut_to_the_shells_around_its_defects():
    atoms = vacancy(0)
    part = Surroundings.of(atoms)
    # 8, 6 and 12 neighbours, nearest first; the defect, at a corner, is moved to the middle of the cell.
    assert len(part.index) == 26
    assert (np.diff(part.distances) >= 0).all()
    assert part.distances[7] < 2.6 < 2.7 < part.distances[8]
    np.testing.assert_allclose(part.sites.empty, [np.diag(atoms.cell[:]) / 2], atol=0.1)
    np.testing.assert_allclose(
        np.linalg.norm(part.atoms.positions - part.sites.empty, axis=1), part.distances, atol=1e-6
    )
    # The same atoms as before.
    np.testing.assert_allclose(
        part.atoms.get_distances(0, range(26)), atoms[part.index].get_distances(0, range(26), mic=True), atol=1e-6
    )


def test_without_a_defect_the_surroundings_are_those_of_an_atom():
    part = Surroundings.of(CRYSTAL)
    assert len(part.index) == 27
    assert part.distances[0] == 0
    melt = CRYSTAL.copy()
    melt.rattle(0.6, seed=1)
    part = Surroundings.of(melt)
    assert part.sites is None
    assert 0 < len(part.index) < 100
