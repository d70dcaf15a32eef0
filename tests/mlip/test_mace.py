"""MACE through the door of potentials, with a model that is fitted here; `.ci/run mlip` runs these tests."""

import numpy as np
import pytest
from pages import blocks

import vibentropy
from vibentropy import load_potential
from vibentropy.errors import NotConvergedError
from vibentropy.potentials.calculators import CalculatorPotential, IsolatedCalculator
from vibentropy.potentials.finite_differences import FiniteDifferencePotential
from vibentropy.potentials.from_config import potential_files

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
    coarse, fine = (FiniteDifferencePotential(mace.engine, ("Fe",), step).hessian(vacancy) for step in (0.004, 0.002))
    error = np.abs(hessian - (4 * fine - coarse) / 3).max()
    print(f"largest difference of the Hessians {error:.1e} of {np.abs(hessian).max():.2f} eV/Å²")
    assert error < 1e-6 * np.abs(hessian).max()


def test_both_routes_give_the_same_label_of_the_vacancy(mace, model, vacancy, perfect):
    """The crystal is a minimum, or there would be none."""
    calculator = calculators.MACECalculator(models=[model], device="cpu", default_dtype="float64")
    by_differences = load_potential(calculator=calculator, element="Fe", hessian="finite_differences", step=0.005)
    assert isinstance(by_differences, FiniteDifferencePotential)
    labels = [vibentropy.formation_entropy(vacancy, perfect, potential) for potential in (mace, by_differences)]
    print("vacancy: {:.4f} k_B by its Hessian, {:.4f} k_B by differences".format(*labels))
    assert labels[0] == pytest.approx(labels[1], abs=1e-3)
    assert np.linalg.norm(mace.energy_and_forces(vacancy)[1], axis=1).max() <= 1e-6


def test_class_by_its_path_reads_the_model_of_a_file(mace, file, vacancy):
    """As in a configuration, and as the page of potentials shows it."""
    parameters = {"model_paths": str(file), "device": "cpu", "default_dtype": "float64"}
    of = {"calculator": "mace.calculators.MACECalculator", "parameters": parameters, "element": "Fe"}
    assert potential_files(of) == [str(file)]
    named = load_potential(**of)
    assert isinstance(named, CalculatorPotential)
    np.testing.assert_allclose(named.energy_and_forces(vacancy)[1], mace.energy_and_forces(vacancy)[1], atol=1e-12)


def test_single_precision_has_a_label_where_forces_may_be_larger(file, vacancy, perfect):
    """Its Hessian is single precision, too, and passes the check."""
    parameters = {"model_paths": str(file), "device": "cpu", "default_dtype": "float32"}
    single = load_potential(calculator="mace.calculators.MACECalculator", parameters=parameters, element="Fe")
    atoms = perfect.copy()
    del atoms[0]
    with pytest.raises(NotConvergedError, match="a calculator in single precision gets no further") as refusal:
        vibentropy.relax(atoms, single)
    print(refusal.value.message)
    relaxed = vibentropy.relax(atoms, single, max_force=5e-5)
    label = vibentropy.formation_entropy(relaxed, perfect, single)
    print(f"vacancy: {label:.4f} k_B in single precision")
    assert np.abs(relaxed.positions - vacancy.positions).max() < 1e-4


def test_example_of_the_page_runs(file, perfect, monkeypatch):
    (example,) = [block.text for block in blocks("docs/potentials.md", "python") if "my.model" in block.text]
    monkeypatch.chdir(file.parent)
    perfect.write("bulk.xyz", format="extxyz")
    perfect[1:].write("vacancy.xyz", format="extxyz")
    exec(compile(example, "docs/potentials.md", "exec"), {})
