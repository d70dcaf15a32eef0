"""Labels with half and twice the step, and the verdict on it."""

import numpy as np
import pandas as pd
import pytest
from argon import EPSILON, R_CUT, SIGMA
from ase.build import bulk

from vibentropy import formation_entropy
from vibentropy.errors import StructureError
from vibentropy.labels.step_test import step_test, verdict
from vibentropy.potentials.finite_differences import FiniteDifferencePotential
from vibentropy.potentials.lammps_engine import LammpsEngine


def test_step_test_shows_the_error_of_the_step(lennard_jones):
    perfect = bulk("Cu", "fcc", a=3.6, cubic=True) * 3
    table = step_test(perfect, FiniteDifferencePotential(lennard_jones[0], ("Cu",), 0.02))
    assert list(table["step"]) == [0.01, 0.02, 0.04]
    assert list(table["n_sites"]) == [108] * 3
    entropy = table["formation_entropy"]
    np.testing.assert_array_equal(table["difference"], entropy - entropy[1])
    # Central differences err with the square of the step, and so does their asymmetry.
    assert table["difference"][2] / -table["difference"][0] == pytest.approx(4, rel=0.1)
    assert table["asymmetry"][2] / table["asymmetry"][1] == pytest.approx(4, rel=0.1)
    # Each pair acts alike on both its atoms, whatever the step: pair potentials keep the sum rule.
    assert (table["net_force"] < 1e-9).all()
    label = formation_entropy(
        relaxed_vacancy(perfect, lennard_jones[0]), perfect, FiniteDifferencePotential(lennard_jones[0], ("Cu",), 0.02)
    )
    assert label == pytest.approx(entropy[1], abs=1e-6)
    assert verdict(table).startswith("warning") == bool(table["difference"].abs().max() > 0.01)


def test_step_test_says_why_there_is_no_label(lennard_jones):
    table = step_test(bulk("Cu", "sc", a=2.5) * 3, FiniteDifferencePotential(lennard_jones[0], ("Cu",), 0.01))
    assert table["formation_entropy"].isna().all()
    assert verdict(table).startswith("warning: the vacancy has no label (the Hessian has a negative eigenvalue")


def test_with_several_elements_each_has_a_reference(lennard_jones):
    """Silver that is a copy of copper changes nothing; a lone one is taken off."""
    perfect = bulk("Cu", "fcc", a=3.6, cubic=True) * 2
    solute = perfect.copy()
    solute.symbols[5] = "Ag"
    with LammpsEngine(f"lj/cut {R_CUT}", [f"* * {EPSILON} {SIGMA}"], ["Cu", "Ag"]) as engine:
        table = step_test([perfect, solute], FiniteDifferencePotential(engine, ("Cu", "Ag"), 0.02))
    alone = step_test(perfect, FiniteDifferencePotential(lennard_jones[0], ("Cu",), 0.02))
    np.testing.assert_allclose(table["formation_entropy"], alone["formation_entropy"], atol=1e-6)
    assert table["formation_entropy"].notna().all()


def test_elements_without_a_reference_are_refused_before_anything_is_computed():
    compound = bulk("CuAg", "cesiumchloride", a=3.0) * 3
    with pytest.raises(StructureError, match="1 reference cell for 2 elements"):
        step_test(compound, FiniteDifferencePotential(None, ("Cu", "Ag"), 0.02))


def relaxed_vacancy(perfect, engine):
    vacancy = perfect.copy()
    del vacancy[0]
    return engine.relax(vacancy, 1e-6)


def test_verdicts():
    table = step_test_table([2.0, 2.001, 2.005])
    assert verdict(table) == "half and twice the step of 0.01 Å move the label of the vacancy by up to 4.0e-03 k_B"
    assert verdict(step_test_table([2.0, 2.02, 2.03])).startswith("warning: half and twice the step of 0.01 Å")
    table = step_test_table([2.0, 2.0, np.nan])
    table.loc[2, "reason"] = "a saddle"
    assert verdict(table) == "warning: the vacancy has no label (a saddle)"


def step_test_table(entropies):
    table = pd.DataFrame({"step": [0.005, 0.01, 0.02], "formation_entropy": entropies, "reason": ""})
    return table.assign(difference=table["formation_entropy"] - entropies[1])
