"""MEAM parameters from relaxed positions, against the potentials that relaxed them and that they never saw."""

import numpy as np
import pytest
from ase.build import bulk
from iron_files import ROOT
from meam_minima import minima_of

import vibentropy
from vibentropy.errors import DataError, PotentialError, StructureError
from vibentropy.learning.meam_law import _FORMS, _SOUGHT, COHESION, _reference_lattice, _Search, learn_meam_law
from vibentropy.potentials.meam.potential import Meam

FOLDER = ROOT / "data/potentials"
SHIPPED = {
    "pair_style": "meam",
    "pair_coeff": ["* * Fe_force_law.library.meam Fe Fe_force_law.meam Fe"],
    "element": "Fe",
}
#: Library, parameter file, records and lattice constant (Å), of a root as G(Γ) (ibar -5) and a logistic function (3).
POTENTIALS = {
    "Fe": (FOLDER / "Fe_Etesami_2018.library.meam", FOLDER / "Fe_Etesami_2018.meam", "Fe", 2.8553),
    "V": ("library_2nn.meam", "MoCoNiVFeAlCr_2nn.meam", "Mo Co Ni V Fe Al Cr", 3.03109),
}


@pytest.mark.slow(minutes=2)
@pytest.mark.parametrize("element", POTENTIALS)
def test_four_small_cells_hold_the_potential(element):
    library, settings, names, constant = POTENTIALS[element]
    potential = Meam.from_files(library, settings, element=element, names=names.split())
    perfect = bulk(element, "bcc", a=constant, cubic=True) * 3
    cells, told = list(minima_of(potential, perfect)), []
    law = learn_meam_law(cells, bulk(element, "bcc", a=constant), done=told.append)
    found, exact = law.parameters, potential.parameters
    assert law.displacement < 1e-6
    assert (law.n_cells, law.n_forces) == (4, 3 * sum(map(len, cells)))
    assert found.lattice == "bcc"
    assert max(found.ibar, 0) == max(exact.ibar, 0)
    assert found.Ec == COHESION
    for key in ("re", "alpha", "asub", "beta", "t", "Cmin", "Cmax"):
        assert getattr(found, key) == pytest.approx(getattr(exact, key), rel=1e-4), key
    forces = [np.linalg.norm(law.potential().energy_and_forces(atoms)[1], axis=1).max() for atoms in cells]
    stiffness = np.trace(law.potential().hessian(cells[0]).toarray()) / (3 * len(cells[0]))
    assert law.displacement == pytest.approx(max(forces) / stiffness, rel=1e-6)
    assert told[-1].startswith(f"ibar {found.ibar}: forces of ")
    for atoms in cells:
        entropies = [
            vibentropy.formation_entropy(atoms, perfect, one, max_force=1e-3) for one in (potential, law.potential())
        ]
        assert entropies[1] == pytest.approx(entropies[0], abs=1e-3)


def test_the_law_that_ships_has_the_minima_of_data_at_rest():
    law = vibentropy.load_potential(**SHIPPED)
    cells = vibentropy.read_archive(ROOT / "data/meam/clusters_1.h5", "clusters")
    # None of those that it is learnt from, one in 128.
    for atoms in cells.frames[64:540:200]:
        assert np.abs(law.energy_and_forces(atoms)[1]).max() < 1e-5
    shaken = cells.frames[64].copy()
    shaken.rattle(0.01, seed=1)
    assert np.abs(law.energy_and_forces(shaken)[1]).max() > 0.1


@pytest.mark.parametrize(
    ("crystal", "lattice"),
    [
        (bulk("Fe", "bcc", a=2.86), "bcc"),
        (bulk("Fe", "bcc", a=2.86, cubic=True) * (1, 2, 3), "bcc"),
        (bulk("Cu", "fcc", a=3.61), "fcc"),
        (bulk("Mg", "hcp", a=3.2, c=3.2 * np.sqrt(8 / 3)), "hcp"),
        (bulk("Ti", "hcp", a=2.95, c=4.68), "hcp"),
        (bulk("Be", "hcp", a=2.286, c=3.584), "hcp"),
        (bulk("Po", "sc", a=3.35), "sc"),
    ],
)
def test_the_crystal_is_the_reference_lattice(crystal, lattice):
    # As the search begins: what it would find is not asked.
    with pytest.raises(DataError, match="0 different forces next to defects in 1 cells, expected at least 32"):
        learn_meam_law([crystal * 2], crystal)
    name, spacing = _reference_lattice(crystal)
    assert name == lattice
    first, _, _, distances = vibentropy.neighbour_pairs(crystal, 4.0)
    assert spacing == pytest.approx(distances[: first[1]].min(), rel=0.03)


def test_what_cannot_be_learnt_from():
    iron = bulk("Fe", "bcc", a=2.86, cubic=True) * 2
    for other in (bulk("Si"), bulk("Zn", "hcp", a=2.665, c=4.947)):
        with pytest.raises(DataError, match=f"the crystal of {other.symbols[0]} is none of bcc, fcc, hcp, sc"):
            learn_meam_law([], other)
    with pytest.raises(DataError, match="0 different forces next to defects in 0 cells"):
        learn_meam_law([], iron)
    with pytest.raises(DataError, match="cell 1 is of Cu, expected Fe only"):
        learn_meam_law([iron, bulk("Cu", cubic=True)], iron)
    vacancy = iron.copy()
    del vacancy[0]
    with pytest.raises(StructureError):
        learn_meam_law([vacancy], vacancy)
    # Atoms around it are alike: six of them would determine sixteen unknowns.
    with pytest.raises(DataError, match=r"\d different forces next to defects in 1 cells"):
        learn_meam_law([vacancy], iron)


def test_parameters_without_forces_are_not_the_law(monkeypatch):
    def without(potential, atoms):
        raise PotentialError("the energy of atom 0 has no derivatives")

    monkeypatch.setattr(Meam, "energy_and_forces", without)
    search = _Search([bulk("Fe", cubic=True)], "Fe", "bcc", 2.47, lambda text: None)
    begin = [first for first, _, _ in _SOUGHT.values()]
    assert search.run(search.start(_FORMS[0]), begin).displacement == np.inf
