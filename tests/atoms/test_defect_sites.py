"""Empty and shared sites: against defects that were put there, and in the classes of what ships."""

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from scipy.spatial.transform import Rotation
from workflow_runs import ROOT

from vibentropy import read_archive
from vibentropy.atoms.defect_sites import defect_sites, distances_from

CRYSTALS = {
    "bcc": bulk("Fe", "bcc", a=2.855, cubic=True) * 5,
    "fcc": bulk("Cu", "fcc", a=3.615, cubic=True) * 4,
    "diamond": bulk("Si", "diamond", a=5.431, cubic=True) * 3,
    "hcp": bulk("Zr", "hcp", a=3.23, c=5.15) * (5, 5, 4),
    "primitive": bulk("Fe", "bcc", a=2.855) * (7, 6, 5),
}


@pytest.mark.parametrize("name", CRYSTALS)
def test_vacancies_and_interstitials_are_found_where_they_are(name):
    """In strained and turned cells whose origin and order of atoms are arbitrary, with every atom a little off."""
    rng = np.random.default_rng(0)
    atoms = CRYSTALS[name].copy()
    deformation = np.eye(3) + rng.uniform(-0.02, 0.02, (3, 3))
    atoms.set_cell(atoms.cell[:] @ deformation @ Rotation.random(rng=rng).as_matrix(), scale_atoms=True)
    atoms.positions += rng.normal(size=3)
    removed = atoms.positions[[3, 40]]
    # A dumbbell: two atoms either side of the site of one.
    axis = 0.6 * deformation[0]
    atoms += Atoms([atoms.symbols[0]], positions=[atoms.positions[7] + axis])
    atoms.positions[7] -= axis
    pair = atoms.positions[[7, -1]]
    del atoms[[3, 40]]
    atoms.positions += rng.normal(scale=0.03, size=atoms.positions.shape)
    atoms.wrap()
    found = defect_sites(atoms[rng.permutation(len(atoms))])
    assert (len(found.empty), found.interstitials, len(found.shared)) == (2, 1, 2)
    assert distances_from(Atoms(positions=found.empty, cell=atoms.cell, pbc=True), removed, 5.0).max() < 0.3
    empty = defect_sites(atoms)
    assert distances_from(atoms[empty.shared], pair, 5.0).max() < 0.3


@pytest.mark.parametrize(
    ("archive", "expected"),
    [
        ("cells_1024", {"5xV4": {(20, 0)}, "4xI3": {(0, 12)}, "void9": {(9, 0)}, "loop7": {(0, 7)}}),
        ("strained", {"V4": {(4, 0)}, "I1": {(0, 1)}, "I4": {(0, 4)}}),
    ],
)
def test_classes_of_what_ships_have_the_defects_that_they_are_named_after(archive, expected):
    cells = read_archive(ROOT / f"data/{archive}.h5", archive)
    counted = {}
    for atoms, row in zip(cells.frames, cells.table.itertuples(), strict=True):
        if row.defect_class in expected:
            found = defect_sites(atoms)
            counted.setdefault(row.defect_class, set()).add((len(found.empty), found.interstitials))
            assert len(atoms) == row.n_sites - len(found.empty) + found.interstitials
    assert counted == expected


def test_there_are_none_without_a_lattice_and_in_a_perfect_crystal():
    atoms = CRYSTALS["bcc"].copy()
    found = defect_sites(atoms)
    assert (len(found.empty), len(found.shared), found.interstitials) == (0, 0, 0)
    assert found.spacing == pytest.approx(2.855 * np.sqrt(3) / 2)
    atoms.positions += np.random.default_rng(2).normal(scale=0.6, size=atoms.positions.shape)
    assert defect_sites(atoms) is None


def test_distances_are_to_the_nearest_image():
    atoms = bulk("Fe", "bcc", a=3.0, cubic=True) * 4
    distances = distances_from(atoms, np.array([[11.5, 0.0, 0.0], [6.0, 6.0, 18.0]]), 2.0)
    assert distances[0] == pytest.approx(0.5)
    (at_point,) = np.flatnonzero(distances < 1e-9)
    np.testing.assert_allclose(atoms.positions[at_point], 6.0, atol=1e-9)
    assert np.isinf(distances).sum() > 100
