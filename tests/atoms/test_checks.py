"""Cells that nothing can be computed of are refused with what is wrong with them."""

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk

from vibentropy.atoms.checks import check_crystal, check_element, check_geometry
from vibentropy.errors import StructureError


@pytest.fixture
def atoms():
    return bulk("Fe", "bcc", a=2.86, cubic=True) * (2, 2, 2)


def test_what_is_sound_passes(atoms):
    check_geometry(atoms)
    check_crystal(atoms)
    check_element(atoms, "Fe")
    check_geometry(Atoms("Fe"))  # free space, no cell
    slab = atoms.copy()
    slab.pbc = True, True, False
    slab.cell[2] = 0
    check_geometry(slab)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda atoms: atoms.positions.__setitem__((3, 1), np.nan), r"position of atom 3 is \[.*nan.*\], not finite"),
        (lambda atoms: atoms.set_cell([[np.inf, 0, 0], [0, 5, 0], [0, 0, 5]]), "the cell is not finite"),
        (lambda atoms: atoms.set_cell([[5, 0, 0], [10, 1e-7, 0], [0, 0, 5]]), "zero or parallel"),
        (lambda atoms: atoms.set_cell([[5, 0, 0], [0, 0, 0], [0, 0, 5]]), "zero or parallel"),
        (lambda atoms: atoms.__delitem__(slice(None)), "no atoms"),
    ],
)
def test_geometry(atoms, spoil, message):
    spoil(atoms)
    with pytest.raises(StructureError, match=message):
        check_geometry(atoms)
    with pytest.raises(StructureError, match=message):
        check_crystal(atoms)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda atoms: atoms.set_pbc([True, True, False]), r"\[True, True, False\].*in all three directions"),
        (lambda atoms: (atoms.set_pbc(False), atoms.set_cell(np.zeros((3, 3)))), "it has no cell"),
    ],
)
def test_crystals(atoms, spoil, message):
    spoil(atoms)
    check_geometry(atoms)
    with pytest.raises(StructureError, match=message):
        check_crystal(atoms)


def test_elements(atoms):
    atoms.symbols[[1, 4]] = ["W", "Cr"]
    with pytest.raises(StructureError, match="holds Cr, W where only Fe is expected"):
        check_element(atoms, "Fe")
