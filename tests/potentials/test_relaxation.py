"""Relaxation with whatever potential there is."""

import numpy as np
import pytest
from ase.build import bulk
from ase.calculators.emt import EMT
from ase.geometry import find_mic
from odd_calculators import Noisy

import vibentropy
from vibentropy.errors import NotConvergedError, StructureError
from vibentropy.potentials.newton import newton_relax


@pytest.fixture
def vacancy():
    atoms = bulk("Cu", cubic=True, a=3.59) * 2
    del atoms[0]
    atoms.rattle(0.1, seed=2)
    return atoms


def test_calculators_and_lammps_relax_into_their_minimum(vacancy, lennard_jones):
    before = vacancy.positions.copy()
    for potential in (EMT(), lennard_jones[1]._calculator):
        relaxed = vibentropy.relax(vacancy, potential)
        relaxed.calc = potential
        assert np.linalg.norm(relaxed.get_forces(), axis=1).max() <= 1e-6
        np.testing.assert_array_equal(vacancy.positions, before)
    argon = {"pair_style": "lj/cut 4.75", "pair_coeff": ["* * 0.4 2.3"], "element": "Cu"}
    minimum = vibentropy.relax(vacancy, vibentropy.load_potential(**argon))
    difference = find_mic(minimum.positions - relaxed.positions, vacancy.cell)[0]
    assert np.abs(difference - difference.mean(axis=0)).max() < 1e-5


def test_analytic_potentials_take_newton_steps(iron, iron_crystal):
    vacancy = iron_crystal(3)
    del vacancy[0]
    expected, _, largest = newton_relax(vacancy, iron, 1e-9)
    assert largest <= 1e-9
    np.testing.assert_array_equal(vibentropy.relax(vacancy, iron, max_force=1e-9).positions, expected.positions)


def test_forces_that_are_not_reached_are_said(vacancy):
    message = r"at a largest force of \d\.\d\de-0[34] eV/Å, expected 1\.0e-06, .*single precision gets no further"
    with pytest.raises(NotConvergedError, match=message):
        vibentropy.relax(vacancy, Noisy())
    relaxed = vibentropy.relax(vacancy, Noisy(), max_force=0.02)
    relaxed.calc = Noisy()
    assert np.linalg.norm(relaxed.get_forces(), axis=1).max() <= 0.02


def test_nonsense_is_refused(vacancy):
    vacancy.positions[3, 1] = np.nan
    with pytest.raises(StructureError, match="position of atom 3 .* not finite"):
        vibentropy.relax(vacancy, EMT())
