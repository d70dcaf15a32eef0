"""Sites are counted by the atoms, whatever the defects, the strain and the lattice constant."""

from pathlib import Path

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from scipy.spatial.transform import Rotation

from vibentropy.atoms.lattice_sites import lattice_sites
from vibentropy.sources.archives import read_archive

DATA = Path(__file__).parents[2] / "data"

CRYSTALS = {
    "sc": bulk("Po", "sc", a=3.3) * 6,
    "bcc": bulk("Fe", "bcc", a=2.8553, cubic=True) * (4, 5, 6),
    "bcc, narrow": bulk("Fe", "bcc", a=2.8553) * (2, 3, 9),
    "fcc": bulk("Cu", "fcc", a=3.61, cubic=True) * 4,
    "hcp": bulk("Mg", "hcp", a=3.2, c=5.2) * (6, 6, 4),
    "hcp, long c": bulk("Zn", "hcp", a=2.66, c=4.95) * (6, 6, 4),
    "diamond": bulk("Si", "diamond", a=5.43, cubic=True) * 3,
}


@pytest.mark.parametrize("name", CRYSTALS)
def test_sites_of_crystals_with_defects(name):
    """One atom in fifty is missing, as many are between sites, the rest is a little off; strained, turned, shuffled."""
    rng = np.random.default_rng(0)
    for strain in (0.0, 0.02):
        atoms = CRYSTALS[name].copy()
        number = len(atoms)
        deformation = np.eye(3) + rng.uniform(-strain, strain, (3, 3))
        atoms.set_cell(atoms.cell[:] @ deformation @ Rotation.random(rng=rng).as_matrix(), scale_atoms=True)
        n_defects = max(number // 50, 1)
        between = Atoms([atoms.symbols[0]] * n_defects, scaled_positions=rng.random((n_defects, 3)), cell=atoms.cell)
        atoms.positions += rng.normal(scale=0.05, size=atoms.positions.shape)
        del atoms[rng.permutation(number)[:n_defects]]
        for found in (atoms, atoms + between):
            assert lattice_sites(found[rng.permutation(len(found))]).number == number


def test_lattice_constants_are_those_of_the_cell():
    """To all digits, however the atoms around defects relax."""
    rng = np.random.default_rng(1)
    for a in (2.85531, 2.85548):
        atoms = bulk("Fe", "bcc", a=a, cubic=True) * 18
        atoms.positions += rng.normal(scale=0.03, size=atoms.positions.shape)
        lattice = lattice_sites(atoms[27:])
        assert lattice.number == 11664
        assert lattice.constant() == f"a = {a:.5f} Å"
        assert lattice.constant(2.0) == f"a = {2 * a:.5f} Å"
    assert lattice_sites(CRYSTALS["hcp"]).constant() == ""


def test_no_lattice_in_a_melt():
    """As in the two cells of the data that stayed disordered."""
    cells = read_archive(DATA / "liquid.h5", "liquid")
    disordered = np.flatnonzero(cells.table["formation_entropy"] > 200)
    assert [lattice_sites(cells.frames[index]) for index in disordered] == [None, None]
    rng = np.random.default_rng(2)
    atoms = CRYSTALS["bcc"].copy()
    atoms.positions += rng.normal(scale=0.6, size=atoms.positions.shape)
    assert lattice_sites(atoms) is None
    assert lattice_sites(Atoms(cell=np.eye(3), pbc=True)) is None


@pytest.mark.parametrize(
    ("name", "every"),
    [
        ("cells_1024", 4),
        ("cells_2000", 6),
        ("strained", 3),
        ("liquid", 7),
        ("cells_3456", 20),
        pytest.param("clusters", 1, marks=pytest.mark.slow(minutes=3)),
    ],
)
def test_no_false_count_in_what_ships(name, every):
    """Densely packed clusters, strained cells and quenched melts among them."""
    cells = read_archive(DATA / f"{name}.h5", name)
    rows = range(0, len(cells), every)
    counted = [lattice_sites(cells.frames[index]) for index in rows]
    assert [lattice and lattice.number for lattice in counted] == cells.table["n_sites"].iloc[list(rows)].tolist()
