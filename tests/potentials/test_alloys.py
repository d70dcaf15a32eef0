"""Embedded atoms of several elements; those of one are in test_embedded_atom.py."""

from dataclasses import replace

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from hypothesis import given, settings
from hypothesis import strategies as st
from matscipy.calculators.eam import EAM
from twins import twins

from vibentropy import load_potential
from vibentropy.atoms.neighbours import neighbour_pairs
from vibentropy.errors import ConfigError, NotAnalyticError, PotentialError, StructureError
from vibentropy.potentials.embedded_atom import Potential
from vibentropy.potentials.embedded_hessian import Bonds
from vibentropy.potentials.hessian_rows import hessian_rows, sites
from vibentropy.potentials.lammps_engine import LammpsEngine
from vibentropy.potentials.setfl import write_setfl

#: Densities of the first depend on both elements (eam/fs), of the second on one (eam/alloy).
STEELS = Potential.from_setfl("FeP_mm.eam.fs", ["Fe", "P"])
BRONZES = Potential.from_setfl("CuNi.eam.alloy", ["Ni", "Cu"])


@st.composite
def alloys(draw, potential):
    """Crystals of a potential, strained and rattled, with atoms of all of its elements at random."""
    rng = np.random.default_rng(draw(st.integers(0, 10**6)))
    fcc = "Ni" in potential.elements
    atoms = bulk("X", "fcc" if fcc else "bcc", a=3.6 if fcc else 2.87, cubic=True)
    atoms = atoms.repeat(draw(st.tuples(*[st.integers(1, 2)] * 3)))
    atoms.symbols = rng.choice(potential.elements, len(atoms))
    atoms.set_cell(atoms.cell[:] @ (np.eye(3) + rng.uniform(-0.05, 0.05, (3, 3))), scale_atoms=True)
    atoms.positions += rng.uniform(-0.15, 0.15, (len(atoms), 3)) + rng.uniform(-9, 9, 3)
    return atoms


def steel(repeat, seed=0, share=0.2):
    rng = np.random.default_rng(seed)
    atoms = bulk("Fe", "bcc", a=2.8553, cubic=True).repeat(repeat)
    atoms.symbols[rng.random(len(atoms)) < share] = "P"
    atoms.set_cell(atoms.cell[:] @ (np.eye(3) + rng.uniform(-0.02, 0.02, (3, 3))), scale_atoms=True)
    atoms.positions += rng.uniform(-0.1, 0.1, atoms.positions.shape)
    del atoms[1]
    return atoms


@pytest.mark.parametrize("potential", [STEELS, BRONZES], ids=lambda potential: potential.table.style)
@settings(max_examples=15)
@given(data=st.data())
def test_forces_and_hessian_are_derivatives_of_the_energy(potential, data):
    atoms = data.draw(alloys(potential))
    h = 2e-4
    hessian = potential.hessian(atoms).toarray()
    _, forces = potential.energy_and_forces(atoms)
    scale = max(1.0, np.abs(hessian).max())
    np.testing.assert_allclose(hessian, hessian.T, atol=1e-12 * scale)
    parts = potential.hessian_parts(atoms)
    gradients = parts.gradients.toarray()
    together = parts.local.toarray() + gradients.T @ (parts.curvatures[:, None] * gradients)
    np.testing.assert_allclose(together, hessian, rtol=0, atol=1e-11 * scale)
    for k in data.draw(st.lists(st.integers(0, 3 * len(atoms) - 1), min_size=1, max_size=6, unique=True)):
        plus, minus = atoms.copy(), atoms.copy()
        plus.positions.flat[k] += h
        minus.positions.flat[k] -= h
        (e_plus, f_plus), (e_minus, f_minus) = potential.energy_and_forces(plus), potential.energy_and_forces(minus)
        column = -(f_plus - f_minus).ravel() / (2 * h)
        # A distance within h of where V'' jumps straddles the jump.
        if np.abs(column - hessian[k]).max() < 3.0:
            assert np.abs(column - hessian[k]).max() < 2e-4 * scale
            assert -(e_plus - e_minus) / (2 * h) == pytest.approx(forces.flat[k], abs=1e-4 * scale)


@pytest.mark.parametrize("potential", [STEELS, BRONZES], ids=lambda potential: potential.table.style)
def test_lammps_and_matscipy_agree_on_the_fine_table(potential, tmp_path):
    """Energies, forces and Hessian; matscipy reads both styles by the ending of the file."""
    path = tmp_path / "fine.eam.fs"
    potential.write_setfl(path)
    atoms = steel((3, 2, 2), share=0.3)
    if potential is BRONZES:
        atoms.symbols = ["Cu" if symbol == "P" else "Ni" for symbol in atoms.get_chemical_symbols()]
        atoms.set_cell(atoms.cell[:] * 2.27 / 2.02, scale_atoms=True)
    energy, forces = potential.energy_and_forces(atoms)
    with LammpsEngine.on_table(path, potential.elements) as engine:
        by_lammps = engine.energy_and_forces(atoms)
        differences = engine.dynamical_matrix(atoms, 1e-3)
    assert by_lammps[0] == pytest.approx(energy, abs=1e-8)
    np.testing.assert_allclose(by_lammps[1], forces, atol=1e-7)
    hessian = potential.hessian(atoms).toarray()
    np.testing.assert_allclose(differences, hessian, atol=2e-3)
    of_matscipy = EAM(str(path), kind="eam/fs").get_property("hessian", atoms)
    np.testing.assert_allclose(of_matscipy.toarray(), hessian, atol=1e-3)


def test_rows_are_those_of_the_hessian():
    atoms = steel((6, 6, 7))
    known = sites(STEELS, atoms)
    # Wider than two ranges: no image of an atom couples to it.
    assert min(atoms.cell.cellpar()[:3]) > 2 * STEELS.hessian_range - 2.0
    n = len(atoms)
    hessian = STEELS.hessian(atoms).toarray().reshape(n, 3, n, 3).transpose(0, 2, 1, 3)
    np.testing.assert_allclose(known.stiffness, hessian[np.arange(n), np.arange(n)], rtol=0, atol=1e-11)
    shifts = np.stack(np.meshgrid(*[(-1, 0, 1)] * 3, indexing="ij"), -1).reshape(-1, 3)
    shifts = shifts[np.argsort(np.abs(shifts).sum(axis=1), kind="stable")]
    positions = (atoms.positions[None] + (shifts @ atoms.cell[:])[:, None]).reshape(-1, 3)
    index = np.tile(np.arange(n), len(shifts))
    bonds = Bonds(known.kinds[index], *neighbour_pairs(Atoms(f"X{len(positions)}", positions), STEELS.r_cut))
    start, columns, blocks = hessian_rows(
        STEELS, bonds, n, positions, known.slope[index], known.curvature[index], STEELS.hessian_range
    )
    summed = np.zeros((n, n, 3, 3))
    np.add.at(summed, (np.repeat(np.arange(n), np.diff(start)), index[columns]), blocks)
    summed[np.arange(n), np.arange(n)] += known.stiffness
    np.testing.assert_allclose(summed, hessian, rtol=0, atol=1e-10)


def test_copies_of_one_element_are_that_element(iron, iron_crystal):
    copies = twins(iron)
    atoms = steel((3, 3, 2), share=0.0)
    mixed = atoms.copy()
    mixed.symbols[::3] = "Cr"
    energy, forces = iron.energy_and_forces(atoms)
    assert copies.energy_and_forces(mixed)[0] == pytest.approx(energy, abs=1e-10)
    np.testing.assert_allclose(copies.energy_and_forces(mixed)[1], forces, atol=1e-12)
    np.testing.assert_allclose(copies.hessian(mixed).toarray(), iron.hessian(atoms).toarray(), atol=1e-12)
    assert copies.hessian_range == iron.hessian_range


def test_one_element_of_several_is_as_if_it_were_alone(iron, iron_crystal):
    atoms = iron_crystal(3)
    atoms.rattle(0.1)
    assert STEELS.energy_and_forces(atoms)[0] == pytest.approx(iron.energy_and_forces(atoms)[0], abs=1e-10)
    np.testing.assert_allclose(STEELS.hessian(atoms).toarray(), iron.hessian(atoms).toarray(), atol=1e-12)


def test_names_say_which_function_it_is():
    assert list(STEELS.functions) == [
        *("Fe-Fe pair", "Fe-P pair", "P-P pair"),
        *("Fe density at Fe", "P density at Fe", "Fe density at P", "P density at P"),
        *("Fe embedding", "P embedding"),
    ]
    assert {name for name in BRONZES.functions if "density" in name} == {"Ni density", "Cu density"}
    assert repr(STEELS) == "<Potential of Fe, P, embedded atoms, cutoff 5.3 Å>"
    alone = Atoms("FeP", [[0, 0, 0], [0, 0, 4.9]])
    with pytest.raises(PotentialError, match="density at atom 0 is .*; the Fe embedding function is represented"):
        STEELS.energy_and_forces(alone)
    shifts = {shift.function: shift for shift in STEELS.table_shifts(steel(2))}
    assert list(shifts) == list(STEELS.functions)


def test_a_faulty_function_of_another_element_does_no_harm(tmp_path):
    """Steps in the embedding function of phosphorus, which iron never meets."""
    embedding = STEELS.table.embedding.copy()
    embedding[1] = np.round(embedding[1], 1)
    write_setfl(tmp_path / "steps.eam.fs", replace(STEELS.table, embedding=embedding), "test")
    assert Potential.from_setfl(tmp_path / "steps.eam.fs", "Fe").residuals()["max_residual"].max() < 1e-8
    spoilt = Potential.from_setfl(tmp_path / "steps.eam.fs", ["Fe", "P"])
    assert spoilt.residuals().set_index("function").loc["P embedding", "max_residual"] > 0.01


@pytest.mark.parametrize(
    ("keys", "error", "message"),
    [
        ({"file": "FeP_mm.eam.fs"}, ConfigError, "one of element and elements, found none"),
        ({"file": "FeP_mm.eam.fs", "element": "Fe", "elements": ["P"]}, ConfigError, "found both"),
        ({"file": "FeP_mm.eam.fs", "elements": ["Fe", "Fe"]}, ConfigError, "expected each element once"),
        ({"file": "FeP_mm.eam.fs", "elements": []}, ConfigError, "expected each element once"),
        (
            {"file": "FeP_mm.eam.fs", "elements": ["Fe", "X"]},
            ConfigError,
            "elements holds 'X' .*, expected a chemical sym",
        ),
        ({"file": "FeP_mm.eam.fs", "elements": ["Fe", "Cr"]}, PotentialError, "holds Fe, P, not Cr"),
        ({"file": "Cu_u3.eam", "elements": ["Cu", "Ni"]}, PotentialError, "of one element, as all funcfl files, not"),
        (
            {
                "pair_style": "adp",
                "pair_coeff": ["* * AlCu.adp Al Cu"],
                "elements": ["Al", "Cu"],
                "hessian": "analytic",
            },
            NotAnalyticError,
            "adp has an analytic Hessian for one element, not for Al and Cu; use finite differences",
        ),
        (
            {"pair_style": "eam/fs", "pair_coeff": ["* * FeP_mm.eam.fs P Fe"], "elements": ["Fe", "P"]},
            ConfigError,
            "ends with P Fe, expected Fe P there: the elements of the potential in their order",
        ),
    ],
)
def test_bad_input(keys, error, message):
    with pytest.raises(error, match=message):
        load_potential(**keys)


def test_elements_that_were_not_asked_for_are_refused():
    with pytest.raises(StructureError, match="holds P where only Fe is expected"):
        load_potential(file="FeP_mm.eam.fs", element="Fe").energy_and_forces(steel(2))
    with pytest.raises(StructureError, match="holds Cr where Fe and P are expected"):
        STEELS.energy_and_forces(bulk("Cr"))


def test_finite_differences_of_lammps_are_those_of_the_smooth_functions():
    atoms = steel(2)
    by_differences = load_potential(
        pair_style="eam/fs", pair_coeff=["* * FeP_mm.eam.fs Fe P"], elements=["Fe", "P"], step=0.01
    )
    assert by_differences.elements == ("Fe", "P")
    # Noise of the table, see docs/theory.md.
    np.testing.assert_allclose(by_differences.hessian(atoms), STEELS.hessian(atoms).toarray(), atol=0.1)
