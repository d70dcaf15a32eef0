import numpy as np
import pandas as pd
import pytest
from ase import Atoms
from ase.build import bulk
from ase.calculators.lj import LennardJones
from ase.geometry import find_mic
from hypothesis import given
from hypothesis import strategies as st

from vibentropy import formation_entropy
from vibentropy.errors import StructureError, VibentropyError
from vibentropy.labels.entropy import log_determinant
from vibentropy.labels.step_test import step_test, verdict
from vibentropy.potentials.ase_engine import AseEngine
from vibentropy.potentials.finite_differences import FiniteDifferencePotential, translation_invariant
from vibentropy.potentials.lammps_engine import LammpsEngine
from vibentropy.potentials.newton import newton_relax

#: A Lennard-Jones crystal in eV and Å, cut off between two shells of neighbours.
EPSILON, SIGMA, R_CUT = 0.4, 2.3, 4.75


@pytest.fixture(scope="module")
def by_lammps(fine_table):
    """The iron of the other tests, as a potential that has nothing but forces."""
    with LammpsEngine.on_table(fine_table, "Fe") as engine:
        yield FiniteDifferencePotential(engine, "Fe", 0.001)


@pytest.fixture(scope="module")
def lennard_jones():
    with LammpsEngine(f"lj/cut {R_CUT}", [f"* * {EPSILON} {SIGMA}"], "Cu") as lammps:
        ase = AseEngine(LennardJones(epsilon=EPSILON, sigma=SIGMA, rc=R_CUT, smooth=False))
        yield lammps, ase


@given(n_atoms=st.integers(2, 6), seed=st.integers(0, 2**32 - 1))
def test_projection_is_the_closest_matrix_with_the_symmetries(n_atoms, seed):
    rng = np.random.default_rng(seed)
    matrix = rng.standard_normal((3 * n_atoms, 3 * n_atoms))
    given_matrix = matrix.copy()
    hessian, asymmetry, net_force = translation_invariant(matrix)
    np.testing.assert_array_equal(matrix, given_matrix)
    translations = np.tile(np.eye(3), (n_atoms, 1)) / np.sqrt(n_atoms)
    projector = np.eye(3 * n_atoms) - translations @ translations.T
    symmetric = (matrix + matrix.T) / 2
    np.testing.assert_allclose(hessian, projector @ symmetric @ projector, atol=1e-12)
    assert asymmetry == np.abs(matrix - matrix.T).max()
    assert net_force == pytest.approx(np.abs(symmetric @ translations * np.sqrt(n_atoms)).max())
    # What is right already stays, and the errors of what was corrected are gone.
    again, asymmetry, net_force = translation_invariant(hessian)
    np.testing.assert_allclose(again, hessian, atol=1e-12)
    assert asymmetry < 1e-12
    assert net_force < 1e-12


def test_determinant_does_not_feel_how_the_translations_are_left_out(by_lammps, iron_crystal):
    atoms = iron_crystal(2)
    hessian = by_lammps.hessian(atoms)
    eigenvalues = np.linalg.eigvalsh(hessian)
    assert np.abs(eigenvalues[:3]).max() < 1e-10
    assert log_determinant(hessian).value == pytest.approx(np.log(eigenvalues[3:]).sum(), abs=1e-9)


def test_hessian_is_the_analytic_one(by_lammps, iron, iron_crystal):
    atoms = iron_crystal(3)
    del atoms[0]
    atoms.rattle(0.05, seed=3)
    assert np.abs(by_lammps.hessian(atoms) - iron.hessian(atoms).toarray()).max() < 2e-3
    energy, forces = by_lammps.energy_and_forces(atoms)
    assert energy == pytest.approx(iron.energy_and_forces(atoms)[0], abs=1e-9)
    np.testing.assert_allclose(forces, iron.energy_and_forces(atoms)[1], atol=1e-8)
    assert by_lammps.mass == pytest.approx(55.845, abs=1e-3)


def test_label_is_the_analytic_one(by_lammps, iron, iron_crystal):
    perfect = iron_crystal(3)
    vacancy = perfect.copy()
    del vacancy[0]
    relaxed, _, largest = newton_relax(by_lammps.engine.relax(vacancy, 1e-4), by_lammps, 1e-8)
    assert largest <= 1e-8
    label = formation_entropy(relaxed, perfect, by_lammps)
    assert label == pytest.approx(formation_entropy(relaxed, perfect, iron), abs=1e-4)


def test_lammps_and_ase_differentiate_alike(lennard_jones):
    atoms = bulk("Cu", "fcc", a=3.6, cubic=True) * 2
    atoms.rattle(0.05, seed=1)
    # Strained and turned: LAMMPS has its own axes.
    deformation = np.eye(3) + [[0.0, 0.03, -0.02], [0.01, 0.0, 0.01], [0.02, -0.01, 0.0]]
    atoms.set_cell(atoms.cell[:] @ deformation, scale_atoms=True)
    lammps, ase = (FiniteDifferencePotential(engine, "Cu", 0.001) for engine in lennard_jones)
    np.testing.assert_allclose(lammps.energy_and_forces(atoms)[1], ase.energy_and_forces(atoms)[1], atol=1e-9)
    # The same to the square of the step, along different axes.
    np.testing.assert_allclose(lammps.hessian(atoms), ase.hessian(atoms), atol=1e-5)


def test_lammps_and_ase_relax_into_the_same_minimum(lennard_jones):
    start = bulk("Cu", "fcc", a=3.6, cubic=True) * 2
    del start[0]
    start.rattle(0.1, seed=1)
    minima = [engine.relax(start, 1e-5) for engine in lennard_jones]
    for engine, minimum in zip(lennard_jones, minima, strict=True):
        assert np.linalg.norm(engine.energy_and_forces(minimum)[1]) < 2e-5
    displacement = find_mic(minima[0].positions - minima[1].positions, start.cell)[0]
    assert np.abs(displacement - displacement.mean(axis=0)).max() < 1e-4


def test_ase_anneals_reproducibly_at_its_temperature(lennard_jones):
    _, engine = lennard_jones
    atoms = bulk("Cu", "fcc", a=3.6, cubic=True) * 2
    hot = [engine.anneal(atoms, 300.0, 0.004, 30, 5, seed) for seed in (5, 5, 6)]
    np.testing.assert_array_equal(hot[0][-1].positions, hot[1][-1].positions)
    assert np.abs(hot[0][-1].positions - hot[2][-1].positions).max() > 1e-3
    energies = [engine.energy_and_forces(snapshot)[0] for run in (hot[0], hot[2]) for snapshot in run[1:]]
    energy = np.mean(energies) - engine.energy_and_forces(atoms)[0]
    # Equipartition: the mean potential energy of a nearly harmonic crystal is 3/2 k_B T per atom.
    assert energy / (1.5 * 8.617333e-5 * len(atoms)) == pytest.approx(300, rel=0.3)


def test_ase_melts_a_pocket(lennard_jones):
    _, engine = lennard_jones
    atoms = bulk("Cu", "fcc", a=3.6, cubic=True) * 2
    (snapshot,) = engine.anneal(atoms, 10.0, 0.004, 12, 1, 5, molten=range(8), melt_temperature=2000.0)
    moved = np.linalg.norm(snapshot.positions - atoms.positions, axis=1)
    assert moved[:8].mean() > 2 * moved[8:].mean()


def test_what_calculators_raise_becomes_a_deliberate_error(lennard_jones):
    class Broken(LennardJones):
        def calculate(self, *_):
            raise RuntimeError("out of range")

    with pytest.raises(VibentropyError, match="Broken failed: RuntimeError: out of range"):
        AseEngine(Broken()).energy_and_forces(Atoms("Cu"))
    with pytest.raises(StructureError, match="holds Fe where only Cu"):
        FiniteDifferencePotential(lennard_jones[0], "Cu", 0.01).hessian(bulk("Fe"))


def test_step_test_shows_the_error_of_the_step(lennard_jones):
    perfect = bulk("Cu", "fcc", a=3.6, cubic=True) * 3
    table = step_test(perfect, FiniteDifferencePotential(lennard_jones[0], "Cu", 0.02))
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
        relaxed_vacancy(perfect, lennard_jones[0]), perfect, FiniteDifferencePotential(lennard_jones[0], "Cu", 0.02)
    )
    assert label == pytest.approx(entropy[1], abs=1e-6)
    assert verdict(table).startswith("warning") == bool(table["difference"].abs().max() > 0.01)


def test_step_test_says_why_there_is_no_label(lennard_jones):
    table = step_test(bulk("Cu", "sc", a=2.5) * 3, FiniteDifferencePotential(lennard_jones[0], "Cu", 0.01))
    assert table["formation_entropy"].isna().all()
    assert verdict(table).startswith("warning: the vacancy has no label (the Hessian has a negative eigenvalue")


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
