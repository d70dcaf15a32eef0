import numpy as np
import pytest
from ase.build import bulk
from hypothesis import given, settings
from hypothesis import strategies as st
from liquid_iron import odd_cell

from vibentropy import formation_entropy, load_potential, relax
from vibentropy.atoms.reference_cells import ReferenceCells
from vibentropy.errors import NotAnalyticError, PotentialError, VibentropyError
from vibentropy.labels.table_uncertainty import table_uncertainty
from vibentropy.potentials.angular import AngularPotential

NICKEL = AngularPotential.from_file("Ni.adp", "Ni")


def rattled(element="Ni", a=3.52):
    atoms = bulk(element, "fcc", a=a, cubic=True).repeat(3)
    del atoms[0]
    atoms.rattle(0.08, seed=1)
    atoms.set_cell(atoms.cell[:] @ (np.eye(3) + [[0.01, 0.02, 0], [0, -0.01, 0.03], [-0.01, 0, 0]]), scale_atoms=True)
    return atoms


@pytest.mark.parametrize(
    ("file", "element", "a", "tolerance"), [("Ni.adp", "Ni", 3.52, 1e-6), ("AlCu.adp", "Cu", 3.615, 1e-5)]
)
def test_energies_and_forces_are_those_of_lammps(file, element, a, tolerance):
    commands = {"pair_style": "adp", "pair_coeff": [f"* * {file} {element}"], "element": element}
    atoms = rattled(element, a)
    energy, forces = load_potential(**commands).energy_and_forces(atoms)
    expected, expected_forces = load_potential(**commands, hessian="finite_differences").energy_and_forces(atoms)
    # LAMMPS puts cubic pieces between the points of the tables.
    assert energy == pytest.approx(expected, abs=tolerance)
    assert np.abs(forces - expected_forces).max() < 2 * tolerance


@settings(max_examples=15)
@given(seed=st.integers(0, 1000), n=st.integers(1, 5), periodic=st.booleans(), expansion=st.sampled_from([1.0, 1.3]))
def test_forces_and_hessian_are_derivatives_of_the_energy(seed, n, periodic, expansion):
    """In odd cells smaller than the cutoff, too, where atoms meet several images of each other."""
    atoms = odd_cell(seed, n, periodic, expansion)
    atoms.symbols[:] = "Ni"
    try:
        hessian = NICKEL.hessian(atoms).toarray()
        h = 2e-4
        sides = []
        for k in range(3 * n):
            for sign in (1, -1):
                moved = atoms.copy()
                moved.positions.flat[k] += sign * h
                sides.append(NICKEL.energy_and_forces(moved))
    except VibentropyError:
        return
    scale = 1 + np.abs(hessian).max()
    np.testing.assert_allclose(hessian, hessian.T, atol=1e-12 * scale)
    assert np.abs(hessian.reshape(3 * n, n, 3).sum(axis=1)).max() < 1e-10 * scale
    _, forces = NICKEL.energy_and_forces(atoms)
    for k in range(3 * n):
        (above, forces_above), (below, forces_below) = sides[2 * k : 2 * k + 2]
        assert -(above - below) / (2 * h) == pytest.approx(forces.flat[k], abs=1e-4 * scale)
        assert np.abs(hessian[k] + (forces_above - forces_below).ravel() / (2 * h)).max() < 1e-4 * scale


def test_own_blocks_are_those_of_the_hessian():
    atoms = rattled()
    blocks = NICKEL.own_blocks(NICKEL.embedded.neighbours(atoms))
    whole = NICKEL.hessian(atoms).toarray().reshape(len(atoms), 3, len(atoms), 3)
    np.testing.assert_allclose(blocks, np.einsum("iaib->iab", whole), atol=1e-12)


def test_a_vacancy_has_the_label_of_finite_differences():
    crystal = bulk("Ni", "fcc", a=3.52, cubic=True).repeat(2)
    relaxed = relax(crystal[1:], NICKEL)
    commands = {"pair_style": "adp", "pair_coeff": ["* * Ni.adp Ni"], "element": "Ni"}
    differences = load_potential(**commands, hessian="finite_differences", step=0.02)
    label = formation_entropy(relaxed, crystal, NICKEL)
    assert label == pytest.approx(formation_entropy(relaxed, crystal, differences), abs=5e-3)
    assert table_uncertainty(relaxed, ReferenceCells.of([crystal]), NICKEL) < 5e-3


def test_files_and_lines_that_do_not_fit_are_refused():
    with pytest.raises(PotentialError, match="holds Ni, not Fe"):
        AngularPotential.from_file("Ni.adp", "Fe")
    with pytest.raises(PotentialError, match=r"expected \d+ \(adp\)"):
        AngularPotential.from_file("FeP_mm.eam.fs", "Fe")
    with pytest.raises(PotentialError, match=r"expected one line: `\* \* <file> Ni`"):
        AngularPotential.from_commands("adp", ["* * Ni.adp"], "Ni")
    with pytest.raises(NotAnalyticError, match="pair_style meam is not adp"):
        AngularPotential.from_commands("meam", ["* * Ni.adp Ni"], "Ni")
    with pytest.raises(NotAnalyticError, match=r"`pair_style: adp` with `pair_coeff: \['\* \* Ni.adp Ni'\]`"):
        load_potential(file="Ni.adp", element="Ni")
