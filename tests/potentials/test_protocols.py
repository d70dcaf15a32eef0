"""Potentials and engines have the methods that the rest of the package calls, wherever they run."""

import inspect

import numpy as np
import pytest
from ase.build import bulk
from ase.calculators.emt import EMT

from vibentropy.potentials.ase_engine import AseEngine
from vibentropy.potentials.calculators import CalculatorPotential, IsolatedCalculator
from vibentropy.potentials.embedded_atom import Potential
from vibentropy.potentials.finite_differences import FiniteDifferencePotential
from vibentropy.potentials.lammps_engine import LammpsEngine
from vibentropy.potentials.meam.potential import Meam
from vibentropy.potentials.own_process import IsolatedEngine
from vibentropy.potentials.protocols import Engine, HessianEngine, Interaction


def public(cls):
    return {name for name in vars(cls) if not name.startswith("_")} | set(getattr(cls, "__annotations__", {}))


@pytest.mark.parametrize("cls", [LammpsEngine, AseEngine, IsolatedEngine])
@pytest.mark.parametrize("method", sorted(public(Engine) - {"handover"}))
def test_engines_have_the_methods_of_the_protocol(cls, method):
    expected = inspect.signature(getattr(Engine, method)).parameters
    parameters = inspect.signature(getattr(cls, method)).parameters
    assert [(p.name, p.default) for p in parameters.values()] == [(p.name, p.default) for p in expected.values()]


@pytest.mark.parametrize("cls", [Potential, Meam, FiniteDifferencePotential, CalculatorPotential])
def test_potentials_have_the_methods_of_the_protocol(cls):
    assert public(Interaction) == {"elements", "masses", "energy_and_forces", "hessian"}
    # Derived classes have the rest from their parents.
    assert public(Interaction) <= set().union(*map(public, cls.__mro__))


@pytest.mark.parametrize("cls", [AseEngine, IsolatedCalculator])
def test_engines_with_hessians_have_them(cls):
    expected = inspect.signature(HessianEngine.own_hessian).parameters
    assert inspect.signature(cls.own_hessian).parameters.keys() == expected.keys()


def test_an_engine_in_a_process_of_its_own_is_the_same_engine():
    copper = bulk("Cu", cubic=True)
    copper.rattle(0.1, seed=1)
    here = AseEngine(EMT())
    with IsolatedEngine(AseEngine.named, "ase.calculators.emt.EMT", {}) as there:
        assert there.handover == here.handover
        for one, other in zip(here.energy_and_forces(copper), there.energy_and_forces(copper), strict=True):
            np.testing.assert_array_equal(one, other)
        groups = [np.array([0]), np.array([1, 3])]
        expected = here.response(copper, 0.01, groups)
        np.testing.assert_array_equal(there.response(copper, step=0.01, groups=groups), expected)
        for engine in (here, there):
            ((part, response),) = engine.responses(copper, 0.01, {7: groups})
            assert part == 7
            np.testing.assert_array_equal(response, expected)
        relaxed = [engine.relax(copper, 1e-3, max_steps=3).positions for engine in (here, there)]
        np.testing.assert_array_equal(*relaxed)
        snapshots = [engine.anneal(copper, 300, 1e-3, 2, 2, seed=5)[-1].positions for engine in (here, there)]
        np.testing.assert_array_equal(*snapshots)


def test_a_method_that_engines_do_not_have_is_an_error_here():
    with IsolatedEngine(AseEngine.named, "ase.calculators.emt.EMT", {}) as engine:
        assert not hasattr(engine, "quench")
        with pytest.raises(AttributeError, match="relaxx"):
            engine.relaxx(bulk("Cu"), 1e-3)
        # No process has seen the mistake.
        assert engine._process.poll() is None
