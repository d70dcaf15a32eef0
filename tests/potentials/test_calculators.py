"""Calculators of ASE through the door of potentials."""

import os

import numpy as np
import pandas as pd
import pytest
from ase.build import bulk
from ase.calculators.emt import EMT
from matscipy.calculators.eam import EAM
from odd_calculators import EnergyOnly, Extending, Moody, SelfMade, silicon

import vibentropy
from vibentropy import load_potential
from vibentropy.errors import ConfigError, NotAnalyticError, PotentialError, StructureError, VibentropyError
from vibentropy.labels.labelling import Labeller
from vibentropy.potentials.ase_engine import AseEngine
from vibentropy.potentials.calculators import CalculatorPotential, IsolatedCalculator, as_potential
from vibentropy.potentials.finite_differences import FiniteDifferencePotential

DIFFERENCES = {"hessian": "finite_differences"}


def vacancy_in(perfect):
    atoms = perfect.copy()
    del atoms[0]
    return atoms


@pytest.mark.slow
def test_matscipy_gives_the_analytic_label(iron, fine_table, iron_crystal):
    """Its Hessian, on the same functions, by the class as in a configuration and by the calculator as it is."""
    perfect = iron_crystal(3)
    relaxed = vibentropy.relax(vacancy_in(perfect), iron)
    expected = vibentropy.formation_entropy(relaxed, perfect, iron)
    named = load_potential(calculator="matscipy.calculators.eam.EAM", parameters={"fn": str(fine_table)}, element="Fe")
    for potential in (named, EAM(str(fine_table))):
        assert isinstance(as_potential(potential, perfect), CalculatorPotential)
        # Its cubic splines through the fine table leave noise of 3e-5 eV/Å² in second derivatives.
        assert vibentropy.formation_entropy(relaxed, perfect, potential) == pytest.approx(expected, abs=1e-3)
    assert isinstance(named.engine, IsolatedCalculator)
    np.testing.assert_allclose(
        vibentropy.relax(vacancy_in(perfect), named).positions, relaxed.positions, rtol=0, atol=1e-5
    )


def test_matscipy_and_lammps_agree_on_silicon():
    """Three-body terms: the Hessian of the one against differences of the other, with the same parameters."""
    perfect = bulk("Si", "diamond", a=5.431, cubic=True) * 2
    matscipy = load_potential(calculator=silicon(), element="Si")
    assert isinstance(matscipy, CalculatorPotential)
    # It cannot be pickled.
    assert isinstance(matscipy.engine, AseEngine)
    lammps = load_potential(pair_style="sw", pair_coeff=["* * Si.sw Si"], element="Si", step=0.002)
    vacancy = vibentropy.relax(vacancy_in(perfect), lammps)
    np.testing.assert_allclose(matscipy.energy_and_forces(vacancy)[1], lammps.energy_and_forces(vacancy)[1], atol=1e-5)
    labels = [vibentropy.formation_entropy(vacancy, perfect, potential) for potential in (matscipy, lammps)]
    assert labels[0] == pytest.approx(labels[1], abs=1e-3)


def test_hessian_is_that_of_the_key(fine_table, iron_crystal):
    of = {"calculator": EAM(str(fine_table)), "element": "Fe"}
    assert isinstance(load_potential(**of), CalculatorPotential)
    assert isinstance(load_potential(**of, hessian="analytic"), CalculatorPotential)
    by_differences = load_potential(**of, **DIFFERENCES)
    assert isinstance(by_differences, FiniteDifferencePotential)
    atoms = iron_crystal(2)
    assert np.abs(load_potential(**of).hessian(atoms) - by_differences.hessian(atoms)).max() < 0.05
    assert isinstance(load_potential(calculator=EMT(), element="Cu"), FiniteDifferencePotential)
    with pytest.raises(NotAnalyticError, match="EMT offers no Hessian, .* `hessian: finite_differences`"):
        load_potential(calculator=EMT(), element="Cu", hessian="analytic")


def test_wrong_hessian_of_a_calculator_is_refused():
    atoms = bulk("Cu", cubic=True)
    right = load_potential(calculator=EMT(), element="Cu", step=0.001).hessian(atoms)
    np.testing.assert_allclose(
        load_potential(calculator=SelfMade(right), element="Cu").hessian(atoms), right, atol=1e-9
    )
    wrong = load_potential(calculator=SelfMade(right / 63.546), element="Cu")
    with pytest.raises(
        PotentialError, match=r"divided by 63\.5\d+ .is it divided by masses.*; finite differences work"
    ):
        wrong.hessian(atoms)
    with pytest.raises(StructureError, match="holds Fe where only Cu"):
        wrong.hessian(bulk("Fe"))


def test_calculators_run_elsewhere_where_they_can():
    there = load_potential(calculator=EMT(), element="Cu")
    assert isinstance(there.engine, IsolatedCalculator)
    atoms = bulk("Cu", cubic=True)
    assert there.energy_and_forces(atoms)[0] == pytest.approx(AseEngine(EMT()).energy_and_forces(atoms)[0], abs=1e-12)

    extending = load_potential(calculator=Extending(), element="Cu")
    assert isinstance(extending.engine, IsolatedCalculator)
    np.testing.assert_array_equal(extending.energy_and_forces(atoms)[1], there.energy_and_forces(atoms)[1])

    class OfTheProgram(EMT):
        """No other process has this class."""

    for calculator in (OfTheProgram(), silicon()):
        here = load_potential(calculator=calculator, element="Cu")
        assert isinstance(here.engine, AseEngine)
        with pytest.raises(
            ConfigError, match=r"timeout_s is for calculators in a process of their own, which \w+ cannot"
        ):
            load_potential(calculator=calculator, element="Cu", timeout_s=60)
    with pytest.raises(ConfigError, match="parameters are for the class"):
        load_potential(calculator=EMT(), parameters={"a": 1}, element="Cu")


def test_door_takes_potentials_and_calculators_only(iron):
    atoms = bulk("Cu", cubic=True)
    assert as_potential(iron, atoms) is iron
    assert as_potential(EMT(), atoms).elements == ("Cu",)
    with pytest.raises(ConfigError, match="'Cu' is no potential: expected one of vibentropy.load_potential, or a calc"):
        as_potential("Cu", atoms)
    atoms.symbols[1] = "Ni"
    assert as_potential(EMT(), atoms).elements == ("Cu", "Ni")
    for calculator in (EnergyOnly(), "odd_calculators.EnergyOnly"):
        with pytest.raises(ConfigError, match="EnergyOnly has no forces, which labels need: energy"):
            load_potential(calculator=calculator, element="Cu")


def test_what_a_calculator_does_costs_its_configuration():
    """It hangs, crashes or returns NaN at some sizes; the others have labels."""
    perfect = bulk("Cu", cubic=True, a=3.59) * 2
    potential = load_potential(
        calculator="odd_calculators.Moody",
        parameters={"hang": 30, "crash": 29, "nan": 28},
        element="Cu",
        timeout_s=3,
    )
    labeller = Labeller(potential)
    rows = [labeller.label_cell(perfect[n:], perfect, relax=True)[1] for n in (2, 3, 4, 1)]
    table = pd.DataFrame(rows)
    assert list(table["status"]) == ["rejected", "rejected", "rejected", "labelled"]
    assert "ended: nothing came of `relax` for 3 s; if it needs longer, raise `timeout_s`" in table["reason"][0]
    assert "exited with status 3 in `relax`" in table["reason"][1]
    assert "Moody gives a force of [" in table["reason"][2]
    assert "nan] eV/Å on atom 1" in table["reason"][2]
    assert os.getpid() != potential.engine._process.pid


def test_nan_of_a_calculator_is_an_error_everywhere():
    atoms = bulk("Cu", cubic=True)
    potential = load_potential(calculator=Moody(nan=4), element="Cu")
    for use in (potential.energy_and_forces, potential.hessian, lambda atoms: potential.engine.relax(atoms, 1e-3)):
        with pytest.raises(VibentropyError, match=r"Moody gives a force of \[.*nan\] eV/Å on atom 1"):
            use(atoms)
