"""CHGNet, whose weights come with it, in single precision; `.ci/run mlip` runs these tests."""

import re

import numpy as np
import pytest
from ase.build import bulk

import vibentropy
from vibentropy import load_potential
from vibentropy.errors import NotConvergedError, SaddlePointError
from vibentropy.potentials.finite_differences import FiniteDifferencePotential

pytest.importorskip("chgnet", reason="machine-learnt potentials: pip install -c constraints-mlip.txt -e '.[mlip]'")

pytestmark = pytest.mark.slow(minutes=2)


@pytest.fixture(scope="module")
def copper():
    return load_potential(
        calculator="chgnet.model.dynamics.CHGNetCalculator", parameters={"use_device": "cpu"}, element="Cu"
    )


@pytest.fixture(scope="module")
def perfect():
    """Eight sites, which is enough to see rounding."""
    return bulk("Cu", a=3.6156) * 2


def test_forces_end_where_single_precision_does(copper, perfect):
    with pytest.raises(NotConvergedError, match="a calculator in single precision gets no further") as refusal:
        vibentropy.relax(perfect[1:], copper)
    print(refusal.value.message)
    assert 1e-6 < float(re.search(r"largest force of (\S+) eV/Å", refusal.value.message)[1]) < 1e-4
    relaxed = vibentropy.relax(perfect[1:], copper, max_force=5e-5)
    with pytest.raises(SaddlePointError, match="negative eigenvalue .*: a saddle, or a configuration that is not at"):
        vibentropy.formation_entropy(relaxed, perfect, copper)


def test_stiffness_depends_on_the_step(copper, perfect):
    """That is why we do not offer labels by it: in the perfect crystal forces are zero, so rounding is not to blame."""
    softest = []
    for step in (0.01, 0.03):
        hessian = FiniteDifferencePotential(copper.engine, ("Cu",), step).hessian(perfect)
        softest.append(np.linalg.eigvalsh(hessian)[3])
        print(f"step {step} Å: softest mode of the crystal {softest[-1]:.2f} eV/Å²")
    assert softest[1] > 1.5 * softest[0]
