import io

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from ase.geometry import find_mic
from lammps_meam import potential_of
from scipy.sparse import bsr_array

from vibentropy.errors import NotConvergedError, PotentialError, SaddlePointError, VibentropyError
from vibentropy.files.logs import Progress, logged
from vibentropy.labels.determinants import log_determinant
from vibentropy.potentials.lammps_engine import LammpsEngine
from vibentropy.potentials.newton import newton_relax


@pytest.fixture
def vacancy(iron_crystal):
    atoms = iron_crystal(4)
    del atoms[0]
    return atoms


def test_newton_ends_in_the_minimum_of_lammps(iron, fine_table, vacancy):
    with LammpsEngine.on_table(fine_table, ["Fe"]) as engine:
        coarse = engine.relax(vacancy, 1e-5)
    relaxed, energy, largest = newton_relax(vacancy, iron, 1e-9)
    assert largest <= 1e-9
    assert energy == pytest.approx(iron.energy_and_forces(coarse)[0], abs=1e-9)
    assert np.abs(relaxed.positions - coarse.positions).max() < 1e-4
    assert np.abs(vacancy.positions - relaxed.positions).max() > 0.01


def test_newton_goes_downhill_where_the_hessian_is_not_positive(iron, iron_crystal):
    perfect = iron_crystal(3)
    shaken = perfect.copy()
    shaken.rattle(0.25, seed=4)
    assert np.linalg.eigvalsh(iron.hessian(shaken).toarray())[0] < -0.1
    relaxed, energy, _ = newton_relax(shaken, iron, 1e-8)
    assert energy < iron.energy_and_forces(shaken)[0]
    assert energy == pytest.approx(iron.energy_and_forces(perfect)[0], abs=1e-9)
    assert np.linalg.eigvalsh(iron.hessian(relaxed).toarray())[0] > -1e-9


class Model:
    """Energy, forces and dense Hessian from functions of the positions; counts how often it is asked."""

    def __init__(self, energy, forces, hessian):
        self._energy, self._forces, self._hessian = energy, forces, hessian
        self.force_calls = self.hessian_calls = 0

    def energy_and_forces(self, atoms):
        self.force_calls += 1
        return self._energy(atoms.positions), self._forces(atoms.positions)

    def hessian(self, atoms):
        self.hessian_calls += 1
        return self._hessian(atoms.positions)


def test_a_long_way_downhill_takes_as_many_hessians_as_it_needs():
    """Eight atoms too many at random places among 54."""
    iron = potential_of("Fe 2018")
    rng = np.random.default_rng(0)
    atoms = bulk("Fe", "bcc", a=2.8553, cubic=True) * 3
    while len(atoms) < 62:
        more = atoms + Atoms("Fe", [rng.random(3) * atoms.cell.diagonal()])
        if more.get_distances(-1, range(len(atoms)), mic=True).min() > 1.3:
            atoms = more

    class Counted:
        energy_and_forces = iron.energy_and_forces
        calls = 0

        def hessian(self, atoms):
            self.calls += 1
            return iron.hessian(atoms)

    counted = Counted()
    relaxed, energy, largest = newton_relax(atoms, counted, 1e-6)
    assert counted.calls > 60
    assert largest <= 1e-6
    assert iron.energy_and_forces(atoms)[0] - energy > 10
    assert np.linalg.eigvalsh(iron.hessian(relaxed).toarray())[0] > -1e-8


#: Of two atoms on a spring.
SPRING = np.kron([[1.0, -1.0], [-1.0, 1.0]], np.eye(3))
PAIR = Atoms("Fe2", [[0.0, 0, 0], [1.0, 0, 0]])


def test_an_energy_without_a_lower_bound_is_given_up():
    """Two atoms that repel each other by the same force at any distance."""
    slope = Model(lambda x: x[0, 0] - x[1, 0], lambda x: np.array([[-1.0, 0, 0], [1.0, 0, 0]]), lambda x: 1e-3 * SPRING)
    with pytest.raises(NotConvergedError, match=r"largest force of 1.00e\+00 eV/Å, .* after 300 Hessians$"):
        newton_relax(PAIR, slope, 1e-6)
    assert slope.hessian_calls == 300


def test_steps_that_lead_nowhere_are_given_up():
    """A spring that is taken for a hundred times as stiff as it is."""

    def energy(x):
        return x.ravel() @ SPRING @ x.ravel() / 2

    slow = Model(energy, lambda x: -(SPRING @ x.ravel()).reshape(-1, 3), lambda x: 100 * SPRING)
    with pytest.raises(NotConvergedError, match=r"after 60 Hessians that lowered the energy by less than 0.01 eV"):
        newton_relax(PAIR, slow, 1e-6)
    assert slow.hessian_calls < 300


def test_a_harmonic_crystal_is_solved_with_one_hessian(iron, iron_crystal):
    rest = iron_crystal(3)
    stiffness = iron.hessian(rest).toarray()
    load = np.random.default_rng(3).normal(scale=0.1, size=rest.positions.shape)
    load -= load.mean(axis=0)
    harmonic = Model(
        lambda x: 0.5 * (x - rest.positions).ravel() @ stiffness @ (x - rest.positions).ravel() - (load * x).sum(),
        lambda x: load - (stiffness @ (x - rest.positions).ravel()).reshape(-1, 3),
        lambda x: stiffness,
    )
    relaxed, _, _ = newton_relax(rest, harmonic, 1e-10)
    expected = np.linalg.pinv(stiffness, rcond=1e-9) @ load.ravel()
    assert np.abs(relaxed.positions - rest.positions - expected.reshape(-1, 3)).max() < 1e-9
    assert harmonic.hessian_calls == 1
    assert harmonic.force_calls <= 9


def test_two_atoms_roll_from_a_hill_of_negative_curvature():
    def separation(x):
        return x[1] - x[0]

    def forces(x):
        pull = 4 * (separation(x) @ separation(x) - 1) * separation(x)
        return np.array([pull, -pull])

    def hessian(x):
        d = separation(x)
        block = 4 * (d @ d - 1) * np.eye(3) + 8 * np.outer(d, d)
        return np.kron([[1, -1], [-1, 1]], block)

    hill = Model(lambda x: (separation(x) @ separation(x) - 1) ** 2, forces, hessian)
    start = Atoms("Fe2", positions=[[0, 0, 0], [0.1, 0.02, 0.03]])
    assert np.linalg.eigvalsh(hessian(start.positions))[0] < -7
    relaxed, energy, _ = newton_relax(start, hill, 1e-9)
    assert relaxed.get_distance(0, 1) == pytest.approx(1, abs=1e-9)
    assert energy == pytest.approx(0, abs=1e-15)
    np.testing.assert_allclose(relaxed.positions.mean(axis=0), start.positions.mean(axis=0), atol=1e-12)


def test_sparse_and_dense_hessians_agree_and_neither_is_made_dense(iron, vacancy):
    class OnlySparse(bsr_array):
        def toarray(self, *_):
            raise AssertionError("a dense matrix")

    asked = []

    class Kept:
        def __init__(self, convert):
            self.energy_and_forces = iron.energy_and_forces
            self.hessian = lambda atoms: asked.append(len(atoms)) or convert(iron.hessian(atoms))

    plain, *_ = newton_relax(vacancy, iron, 1e-8)
    for convert in OnlySparse, lambda h: h.tocsr(), lambda h: h.toarray():
        relaxed, *_ = newton_relax(vacancy, Kept(convert), 1e-8)
        assert np.abs(relaxed.positions - plain.positions).max() < 1e-6
    # One Hessian serves more than one step.
    assert len(asked) <= 6
    again, *_ = newton_relax(vacancy, iron, 1e-8)
    assert again.positions.tobytes() == plain.positions.tobytes()


def test_a_saddle_held_by_symmetry_stays_or_goes_down(iron, iron_crystal):
    dumbbell = iron_crystal(4)
    site = dumbbell.positions[0].copy()
    axis = np.ones(3) / np.sqrt(3)
    dumbbell.positions[0] = site + 0.8 * axis
    dumbbell += Atoms("Fe", positions=[site - 0.8 * axis])
    relaxed, energy, largest = newton_relax(dumbbell, iron, 1e-6)
    assert largest <= 1e-6
    assert energy < iron.energy_and_forces(dumbbell)[0]
    with pytest.raises(SaddlePointError):
        log_determinant(iron.hessian(relaxed))


def test_steps_that_leave_the_domain_of_the_potential_are_shortened(iron, vacancy):
    class Narrow:
        hessian = staticmethod(iron.hessian)
        refused = 0

        def energy_and_forces(self, atoms):
            if np.abs(atoms.positions - vacancy.positions).max() > 0.02:
                Narrow.refused += 1
                raise PotentialError("too far")
            return iron.energy_and_forces(atoms)

    with pytest.raises(NotConvergedError):
        newton_relax(vacancy, Narrow(), 1e-8)
    assert Narrow.refused > 1
    vacancy.positions[1] = vacancy.positions[2] + [1.0, 0.0, 0.0]
    with pytest.raises(PotentialError, match="closer than 1.5"):
        newton_relax(vacancy, iron, 1e-8)


def test_forces_below_rounding_cannot_be_had(iron, vacancy):
    with pytest.raises(NotConvergedError, match="largest force of .*, expected 1.0e-20"):
        newton_relax(vacancy, iron, 1e-20)


def test_triclinic_cells_come_back_from_lammps_unturned(iron, fine_table, iron_crystal):
    atoms = iron_crystal(3)
    atoms.set_cell(
        atoms.cell[:] @ (np.eye(3) + [[0.0, 0.02, 0.01], [0.03, 0.0, 0.0], [0.0, 0.01, 0.0]]), scale_atoms=True
    )
    at_rest = atoms.copy()
    atoms.rattle(0.05, seed=1)
    with LammpsEngine.on_table(fine_table, ["Fe"]) as engine:
        relaxed = engine.relax(atoms, 1e-5)
        hot = engine.anneal(at_rest, 300.0, 0.002, 50, 2, 17)
    np.testing.assert_array_equal(relaxed.cell[:], atoms.cell[:])

    def displacements(moved):
        return find_mic(moved.positions - at_rest.positions, at_rest.cell)[0]

    displacement = displacements(relaxed)
    assert np.abs(displacement - displacement.mean(axis=0)).max() < 1e-4
    for snapshot in hot:
        moved = np.linalg.norm(displacements(snapshot), axis=1)
        assert 0.01 < moved.mean() < 0.4


def test_annealing_repeats_itself_bit_by_bit(fine_table, vacancy):
    with LammpsEngine.on_table(fine_table, ["Fe"]) as engine:
        first = engine.anneal(vacancy, 600.0, 0.002, 30, 2, 99)
        engine.relax(vacancy, 1e-2)
        second = engine.anneal(vacancy, 600.0, 0.002, 30, 2, 99)
        other = engine.anneal(vacancy, 600.0, 0.002, 30, 2, 98)
    for one, two, three in zip(first, second, other, strict=True):
        np.testing.assert_array_equal(one.positions, two.positions)
        assert np.abs(one.positions - three.positions).max() > 1e-3


def test_annealing_has_its_temperature(iron, fine_table, iron_crystal):
    atoms = iron_crystal(5)
    ground = iron.energy_and_forces(atoms)[0]
    with LammpsEngine.on_table(fine_table, ["Fe"]) as engine:
        snapshots = engine.anneal(atoms, 300.0, 0.002, 200, 6, 5)[2:]
    # Equipartition: the mean potential energy of a nearly harmonic crystal is 3/2 k_B T per atom.
    energy = np.mean([iron.energy_and_forces(s)[0] for s in snapshots]) - ground
    assert energy / (1.5 * 8.617333e-5 * len(atoms)) == pytest.approx(300, rel=0.15)


def test_failures_of_lammps_carry_its_message(fine_table, vacancy):
    with (
        LammpsEngine("eam/alloy", [f'* * "{fine_table}" Ni'], ["Fe"]) as engine,
        pytest.raises(VibentropyError, match="LAMMPS stopped at 'pair_coeff"),
    ):
        engine.relax(vacancy, 1e-2)


def test_progress_counts_and_deliberate_errors_end_with_their_message(tmp_path):
    stream = io.StringIO()
    progress = Progress(stream)
    progress.expect(2)
    progress("first")
    progress("second")
    assert [line.split(" (")[0] for line in stream.getvalue().splitlines()] == ["1/2 first", "2/2 second"]
    assert "0 s left" in stream.getvalue().splitlines()[-1]

    with pytest.raises(SystemExit, match="error: no such thing"), logged(tmp_path / "log"):
        raise VibentropyError("no such thing")
    assert (tmp_path / "log").read_text() == "error: no such thing\n"
    with pytest.raises(ZeroDivisionError), logged(tmp_path / "log"):
        raise ZeroDivisionError
