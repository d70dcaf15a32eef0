import numpy as np
import pytest
from ase.build import bulk

from vibentropy import load_potential
from vibentropy.errors import PotentialError
from vibentropy.potentials.funcfl import is_funcfl, read_funcfl
from vibentropy.potentials.potential_files import find_potential


def written(number=47, points=100, dr=0.06):
    """A funcfl file whose values tell function and position."""
    values = np.concatenate([start + np.arange(points) for start in (1000, 2000, 3000)])
    lines = ["a comment", f"{number} 107.87 4.09 FCC", f"{points} 0.01 {points} {dr} 5.5"]
    return "\n".join([*lines, *(" ".join(map(str, row)) for row in values.reshape(-1, 5))]) + "\n"


def test_functions_are_found(tmp_path):
    path = tmp_path / "numbered.eam"
    path.write_text(written())
    table = read_funcfl(path, "Ag")
    assert (table.masses, table.lattice_constants) == ((107.87,), (4.09,))
    assert (table.elements, table.structures, table.style) == (("Ag",), ("fcc",), "eam")
    assert (table.drho, table.dr, table.r_cut) == (0.01, 0.06, 5.5)
    np.testing.assert_array_equal(table.embedding[0], 1000 + np.arange(100))
    np.testing.assert_allclose(table.r_times_pair[0, 0], 27.2 * 0.529 * (2000.0 + np.arange(100)) ** 2, rtol=1e-14)
    np.testing.assert_array_equal(table.density[0, 0], 3000 + np.arange(100))


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda text: text[: len(text) // 2], "expected 300: truncated"),
        (lambda text: text.replace("47 107.87", "47 silver"), "not a funcfl file"),
        (lambda text: text.replace("47 107.87", "28 58.7"), r"it is of the element 28 \(Ni\), not Ag"),
        (lambda text: text.replace("47 107.87", "47 -107.87"), "the mass is -107.87"),
        (lambda text: text.replace("5.5\n", "7.5\n", 1), "line 3: the cutoff of 7.5 Å is beyond"),
        (lambda text: text.replace("2017", "x2017"), "value 17 of the effective charge is x2017"),
    ],
)
def test_faulty_files_are_refused_with_the_reason(tmp_path, spoil, message):
    path = tmp_path / "faulty.eam"
    path.write_text(spoil(written()))
    with pytest.raises(PotentialError, match=message) as error:
        read_funcfl(path, "Ag")
    assert str(path) in str(error.value)


def test_format_is_recognised_by_what_is_in_a_file():
    assert is_funcfl(find_potential("Ag_u3.eam"))
    assert not is_funcfl(find_potential("FeP_mm.eam.fs"))
    assert not is_funcfl(find_potential("library.meam"))


@pytest.mark.parametrize(("file", "element", "a"), [("Ag_u3.eam", "Ag", 4.09), ("Cu_smf7.eam", "Cu", 3.615)])
def test_energies_and_forces_are_those_of_lammps(file, element, a):
    atoms = bulk(element, "fcc", a=a, cubic=True).repeat(3)
    del atoms[0]
    atoms.rattle(0.05, seed=1)
    energy, forces = load_potential(file=file, element=element).energy_and_forces(atoms)
    lammps = load_potential(pair_style="eam", pair_coeff=[f"* * {file}"], element=element, hessian="finite_differences")
    lammps_energy, lammps_forces = lammps.energy_and_forces(atoms)
    # LAMMPS draws straight lines through the slopes of these five hundred points.
    assert energy / len(atoms) == pytest.approx(lammps_energy / len(atoms), abs=3e-5)
    assert np.abs(forces - lammps_forces).max() < 2e-3
