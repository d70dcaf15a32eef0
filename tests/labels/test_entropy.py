import numpy as np
import pytest
from ase import Atoms, units
from ase.build import bulk, molecule
from hypothesis import given
from hypothesis import strategies as st
from matscipy.calculators.eam import EAM

import vibentropy
from vibentropy.errors import NotConvergedError, SaddlePointError, StructureError
from vibentropy.labels.determinants import log_determinant, relaxed_log_determinant
from vibentropy.labels.entropy import entropy_of
from vibentropy.potentials.lammps_engine import LammpsEngine
from vibentropy.potentials.newton import newton_relax
from vibentropy.units import THZ_PER_SQRT_EV_PER_A2_U


def with_vacancies(perfect, *sites):
    atoms = perfect.copy()
    del atoms[list(sites)]
    return atoms


def dumbbell(perfect, direction, half_length=1.0):
    """Replace atom 0 by two atoms along a direction."""
    atoms = perfect.copy()
    step = half_length * np.array(direction) / np.linalg.norm(direction)
    atoms.positions[0] += step
    atoms += Atoms("Fe", [perfect.positions[0] - step])
    return atoms


def exact(iron, atoms, perfect):
    """Formation energy (eV) and both formation entropies (k_B) of a configuration, relaxed."""
    relaxed, energy, _ = newton_relax(atoms, iron, 1e-8)
    bulk_energy, _ = iron.energy_and_forces(perfect)
    defect, reference = relaxed_log_determinant(relaxed, iron), relaxed_log_determinant(perfect, iron)
    return energy - len(atoms) / len(perfect) * bulk_energy, *entropy_of(defect, reference)


# --- The determinant -------------------------------------------------------------------------------------------------


@given(seed=st.integers(0, 10**6), n_atoms=st.integers(2, 12))
def test_determinant_is_the_product_of_the_eigenvalues(seed, n_atoms):
    rng = np.random.default_rng(seed)
    translations = np.tile(np.eye(3), (n_atoms, 1)) / np.sqrt(n_atoms)
    projector = np.eye(3 * n_atoms) - translations @ translations.T
    root = projector @ rng.normal(size=(3 * n_atoms, 4 * n_atoms))
    hessian = root @ root.T
    eigenvalues = np.linalg.eigvalsh(hessian)[3:]
    if eigenvalues[0] < 2e-3:
        return
    found = log_determinant(hessian)
    assert found.value == pytest.approx(np.log(eigenvalues).sum(), abs=1e-8)
    assert eigenvalues[0] * (1 - 1e-9) <= found.smallest_eigenvalue <= 1.3 * eigenvalues[0]


def test_chain_of_springs_has_its_closed_form():
    # N equal springs in a ring, three independent directions: det' of the ring Laplacian is N² k^(N-1).
    n, k = 9, 2.5
    ring = k * (2 * np.eye(n) - np.roll(np.eye(n), 1, 0) - np.roll(np.eye(n), -1, 0))
    found = log_determinant(np.kron(ring, np.eye(3)))
    assert found.value == pytest.approx(3 * (2 * np.log(n) + (n - 1) * np.log(k)), abs=1e-10)
    assert found.smallest_eigenvalue == pytest.approx(4 * k * np.sin(np.pi / n) ** 2, rel=0.01)


def test_per_mode_entropy_does_not_depend_on_the_unit_of_the_hessian(iron, iron_crystal):
    perfect = iron_crystal(3)
    relaxed, _, _ = newton_relax(with_vacancies(perfect, 0), iron, 1e-8)
    hessians = [iron.hessian(atoms).toarray() for atoms in (relaxed, perfect)]
    first = entropy_of(*(log_determinant(h) for h in hessians))
    second = entropy_of(*(log_determinant(7.0 * h) for h in hessians))
    assert second[0] == pytest.approx(first[0], abs=1e-9)
    # The N_d/N_0 convention of the literature does, as stated in docs/theory.md, "Formation entropy".
    n_d, n_0 = len(relaxed), len(perfect)
    bulk_value = log_determinant(hessians[1]).value
    assert first[0] - first[1] == pytest.approx((n_d - n_0) / (2 * n_0 * (n_0 - 1)) * bulk_value, abs=1e-10)


def test_perfect_crystal_has_no_entropy_of_formation(iron, iron_crystal):
    perfect = iron_crystal(3)
    assert vibentropy.formation_entropy(perfect, perfect, iron) == pytest.approx(0, abs=1e-10)


# --- Against other ways to the same number ---------------------------------------------------------------------------


@pytest.fixture(scope="module")
def vacancy(iron):
    perfect = bulk("Fe", "bcc", a=2.8553127, cubic=True) * (4, 4, 4)
    return newton_relax(with_vacancies(perfect, 0), iron, 1e-9)[0], perfect


def eigenvalue_entropy(hessians):
    """Per-mode formation entropy from the eigenvalues of the Hessians of defect and bulk."""
    logs = [np.log(np.linalg.eigvalsh((h + h.T) / 2)[3:]).sum() for h in hessians]
    return -0.5 * (logs[0] - (len(hessians[0]) - 3) / (len(hessians[1]) - 3) * logs[1])


def test_label_is_that_of_the_eigenvalues(iron, vacancy):
    expected = eigenvalue_entropy([iron.hessian(atoms).toarray() for atoms in vacancy])
    assert vibentropy.formation_entropy(*vacancy, iron) == pytest.approx(expected, abs=1e-9)


def test_label_from_matscipy_on_the_same_functions(iron, fine_table, vacancy):
    calculator = EAM(str(fine_table))
    hessians = []
    for atoms in vacancy:
        atoms = atoms.copy()
        atoms.calc = calculator
        hessians.append(calculator.get_hessian(atoms, format="sparse").toarray())
    # Its cubic splines through the fine table leave noise of 3e-5 eV/Å² in second derivatives.
    assert vibentropy.formation_entropy(*vacancy, iron) == pytest.approx(eigenvalue_entropy(hessians), abs=1e-3)


@pytest.mark.parametrize("step", [0.001, 0.01])
def test_label_does_not_depend_on_how_it_is_differentiated(iron, fine_table, vacancy, step):
    with LammpsEngine.on_table(fine_table, ["Fe"]) as engine:
        hessians = [engine.dynamical_matrix(atoms, step) for atoms in vacancy]
    # With the table itself instead of its smooth representation the same steps give numbers 0.14 k_B apart. The
    # limit of 0.01 Å is the anharmonicity of fourth order, which the bulk does not quite cancel.
    tolerance = {0.001: 1e-4, 0.01: 5e-3}[step]
    assert vibentropy.formation_entropy(*vacancy, iron) == pytest.approx(eigenvalue_entropy(hessians), abs=tolerance)


# --- Published and recomputed numbers (docs/theory.md, "Numbers to check against") -----------------------------------


def test_vacancy_in_1024_sites(iron, iron_crystal):
    perfect = iron_crystal(8)
    energy, _, entropy = exact(iron, with_vacancies(perfect, 0), perfect)
    assert energy == pytest.approx(1.721, abs=1e-3)
    assert entropy == pytest.approx(2.616, abs=5e-3)
    assert relaxed_log_determinant(perfect, iron).value / 1024 == pytest.approx(6.364975, abs=2e-6)


def test_divacancy_in_1024_sites(iron, iron_crystal):
    perfect = iron_crystal(8)
    nearest = int(np.argmin(np.abs(perfect.get_distances(0, range(1024), mic=True) - 2.4727)))
    energy, _, entropy = exact(iron, with_vacancies(perfect, 0, nearest), perfect)
    assert energy == pytest.approx(3.303, abs=1e-3)
    assert entropy == pytest.approx(4.552, abs=5e-3)


def test_dumbbell_in_1024_sites(iron, fine_table, iron_crystal):
    perfect = iron_crystal(8)
    with LammpsEngine.on_table(fine_table, ["Fe"]) as engine:
        coarse = engine.relax(dumbbell(perfect, (1, 1, 0)), 1e-2)
    energy, _, entropy = exact(iron, coarse, perfect)
    assert energy == pytest.approx(3.534, abs=1e-3)
    assert entropy == pytest.approx(1.722, abs=5e-3)


def test_symmetric_111_dumbbell_is_a_saddle(iron, iron_crystal):
    perfect = iron_crystal(5)
    relaxed, _, largest = newton_relax(dumbbell(perfect, (1, 1, 1), 0.9), iron, 1e-6)
    assert largest < 1e-6
    assert (np.linalg.eigvalsh(iron.hessian(relaxed).toarray()) < -1e-3).sum() == 5
    with pytest.raises(SaddlePointError, match="negative eigenvalue"):
        vibentropy.formation_entropy(relaxed, perfect, iron)


def test_elastic_constants(iron, iron_crystal):
    perfect = iron_crystal(1)

    def stiffness(strain):
        """Second derivative of the energy density along a strain, GPa."""
        h = 1e-3
        energies = []
        for step in (-h, 0, h):
            atoms = perfect.copy()
            atoms.set_cell(atoms.cell[:] @ (np.eye(3) + step * np.array(strain)), scale_atoms=True)
            energies.append(iron.energy_and_forces(atoms)[0])
        return (energies[0] - 2 * energies[1] + energies[2]) / h**2 / perfect.get_volume() / units.GPa

    c11 = stiffness(np.diag([1, 0, 0]))
    c12 = stiffness(np.diag([1, 1, 0])) / 2 - c11
    # A pure shear of engineering strain 1.
    c44 = stiffness(0.5 * np.array([[0, 1, 0], [1, 0, 0], [0, 0, 0]]))
    assert (c11, c12, c44) == pytest.approx((243, 145, 116), abs=1)


def test_highest_phonon(iron, iron_crystal):
    largest = np.linalg.eigvalsh(iron.hessian(iron_crystal(4)).toarray())[-1]
    assert np.sqrt(largest / 55.845) * THZ_PER_SQRT_EV_PER_A2_U == pytest.approx(9.63, abs=0.02)


# --- Refusals --------------------------------------------------------------------------------------------------------


def test_unrelaxed_cell_is_refused(iron, iron_crystal):
    perfect = iron_crystal(3)
    with pytest.raises(
        NotConvergedError,
        match=r"largest force is .* by the smooth functions .*LAMMPS' own .* `--relax` .* `relax: true`",
    ):
        vibentropy.formation_entropy(with_vacancies(perfect, 0), perfect, iron)


def test_soft_direction_is_not_clearly_stable():
    ring = 2 * np.eye(4) - np.roll(np.eye(4), 1, 0) - np.roll(np.eye(4), -1, 0)
    hessian = np.kron(ring, np.diag([1.0, 1.0, 1e-4]))
    with pytest.raises(SaddlePointError, match=r"smallest eigenvalue of the Hessian is 2\.\d+e-04"):
        log_determinant(hessian)
    assert np.isfinite(log_determinant(hessian, min_eigenvalue=1e-5).value)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda atoms: atoms.set_pbc((True, True, False)), "periodic in all three directions"),
        (lambda atoms: atoms.symbols.__setitem__(0, "Cr"), "holds Cr, of which no reference cell has atoms"),
        (lambda atoms: atoms.set_cell(atoms.cell[:] * 1.01), "compare both in the same cell"),
    ],
)
def test_what_is_no_crystal_in_the_same_cell_is_refused(iron, iron_crystal, spoil, message):
    perfect = iron_crystal(2)
    atoms = perfect.copy()
    spoil(atoms)
    with pytest.raises(StructureError, match=message):
        vibentropy.formation_entropy(atoms, perfect, iron)


def test_molecules_are_refused(iron, iron_crystal):
    with pytest.raises(StructureError):
        relaxed_log_determinant(molecule("H2O"), iron)
    with pytest.raises(StructureError, match="one atom"):
        relaxed_log_determinant(bulk("Fe"), iron)
