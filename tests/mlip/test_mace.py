"""MACE through the door of potentials, with a model that is fitted here; `.ci/run mlip` runs these tests."""

import numpy as np
import pytest

import vibentropy
from vibentropy import load_potential
from vibentropy.potentials.calculators import CalculatorPotential, IsolatedCalculator
from vibentropy.potentials.finite_differences import FiniteDifferencePotential

TO_INSTALL = "machine-learnt potentials: pip install -c constraints-mlip.txt -e '.[mlip]'"
torch = pytest.importorskip("torch", reason=TO_INSTALL)
calculators = pytest.importorskip("mace.calculators", reason=TO_INSTALL)

pytestmark = pytest.mark.slow(minutes=4)


@pytest.fixture(scope="module")
def model(iron):
    from small_mace import fit  # which imports what may not be there

    return fit(iron)


@pytest.fixture(scope="module")
def file(model, tmp_path_factory):
    path = tmp_path_factory.mktemp("model") / "my.model"
    torch.save(model, path)
    return path


@pytest.fixture(scope="module")
def mace(model):
    """As an object, as in a notebook."""
    return load_potential(
        calculator=calculators.MACECalculator(models=[model], device="cpu", default_dtype="float64"), element="Fe"
    )


@pytest.fixture(scope="module")
def perfect(iron_crystal):
    return iron_crystal(3)


@pytest.fixture(scope="module")
def vacancy(perfect, mace):
    atoms = perfect.copy()
    del atoms[0]
    return vibentropy.relax(atoms, mace)


def test_its_hessian_is_the_derivative_of_its_forces(mace, vacancy):
    """Against central differences of two steps, whose error of second order cancels."""
    assert isinstance(mace, CalculatorPotential)
    assert isinstance(mace.engine, IsolatedCalculator)
    hessian = mace.hessian(vacancy)
    coarse, fine = (FiniteDifferencePotential(mace.engine, "Fe", step).hessian(vacancy) for step in (0.004, 0.002))
    error = np.abs(hessian - (4 * fine - coarse) / 3).max()
    print(f"largest difference of the Hessians {error:.1e} of {np.abs(hessian).max():.2f} eV/Å²")
    assert error < 1e-6 * np.abs(hessian).max()


def test_both_routes_give_the_same_label_of_the_vacancy(mace, vacancy, perfect):
    """The crystal is a minimum, or there would be none."""
    by_differences = FiniteDifferencePotential(mace.engine, "Fe", 0.01)
    labels = [vibentropy.formation_entropy(vacancy, perfect, potential) for potential in (mace, by_differences)]
    print("vacancy: {:.4f} k_B by its Hessian, {:.4f} k_B by differences".format(*labels))
    assert labels[0] == pytest.approx(labels[1], abs=1e-3)
    assert np.linalg.norm(mace.energy_and_forces(vacancy)[1], axis=1).max() <= 1e-6
