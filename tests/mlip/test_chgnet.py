"""CHGNet, whose weights come with it, in single precision; `.ci/run mlip` runs these tests."""

import re

import numpy as np
import pytest
from ase.build import bulk

import vibentropy
from vibentropy import load_potential
from vibentropy.errors import NotConvergedError
from vibentropy.potentials.finite_differences import FiniteDifferencePotential

pytest.importorskip("chgnet", reason="machine-learnt potentials: pip install -c constraints-mlip.txt -e '.[mlip]'")

pytestmark = pytest.mark.slow(minutes=2)


@pytest.fixture(scope="module")
def copper():
    return load_potential(
        calculator="chgnet.model.dynamics.CHGNetCalculator", parameters={"use_device": "cpu"}, element="Cu", step=0.03
    )


@pytest.fixture(scope="module")
def perfect():
    """Eight sites, which is enough to see rounding."""
    return bulk("Cu", a=3.6156) * 2


def test_vacancy_of_copper_has_a_label_where_forces_may_be_larger(copper, perfect):
    """The step matters more than the force."""
    with pytest.raises(NotConvergedError, match="a calculator in single precision gets no further") as refusal:
        vibentropy.relax(perfect[1:], copper)
    print(refusal.value.message)
    reached = float(re.search(r"largest force of (\S+) eV/Å", refusal.value.message)[1])
    assert 1e-6 < reached < 1e-4
    relaxed = vibentropy.relax(perfect[1:], copper, max_force=5e-5)
    labels = []
    for step in (0.01, 0.03):
        potential = FiniteDifferencePotential(copper.engine, ("Cu",), step)
        labels.append(vibentropy.formation_entropy(relaxed, perfect, potential))
        print(f"step {step} Å: {labels[-1]:.4f} k_B")
    assert np.ptp(labels) < 0.1
