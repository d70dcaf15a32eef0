"""Data files of LAMMPS, as LAMMPS and ASE write them."""

import bz2
import gzip

import ase.io
import numpy as np
import pytest
from ase.build import bulk
from ase.data import atomic_masses, atomic_numbers

from vibentropy.atoms import reading
from vibentropy.atoms.lammps_data import is_lammps_data, read_data
from vibentropy.errors import DataError

HEADER = "written by hand\n\n2 atoms\n1 atom types\n\n0 2.86 xlo xhi\n0 2.86 ylo yhi\n0 2.86 zlo zhi\n\n"
ATOMS = "Atoms # atomic\n\n2 1 1.43 1.43 1.43\n1 1 0 0 0\n"


@pytest.fixture(scope="module")
def by_lammps(tmp_path_factory):
    """A triclinic vacancy with masses, as `write_data` of LAMMPS writes it; with labels of types in another file."""
    from vibentropy.potentials.lammps import start_lammps

    atoms = bulk("W", cubic=True).repeat(3)[1:]
    atoms.set_cell(atoms.cell[:] @ [[1, 0, 0], [0.01, 1, 0], [0.02, 0.03, 1]], scale_atoms=True)
    folder = tmp_path_factory.mktemp("data")
    ase.io.write(folder / "in.data", atoms, format="lammps-data", masses=True)
    lmp = start_lammps()
    lmp.commands_string(f"units metal\natom_style atomic\nread_data {folder}/in.data\nwrite_data {folder}/plain")
    lmp.commands_string(f"labelmap atom 1 W\nwrite_data {folder}/labelled types labels\nclear")
    lmp.close()
    return folder, atoms


@pytest.mark.parametrize("name", ["plain", "labelled"])
@pytest.mark.parametrize("called", ["w.data", "data.vac", "v.lmp", "w", "w.db", "w.data.gz", "w.data.bz2"])
def test_files_of_lammps_are_recognised_whatever_they_are_called(name, called, by_lammps, tmp_path):
    folder, atoms = by_lammps
    pack = {"gz": gzip.compress, "bz2": bz2.compress}.get(called[-3:].lstrip("."), bytes)
    path = tmp_path / called
    path.write_bytes(pack((folder / name).read_bytes()))
    assert reading.count(path) == 1
    (read,) = reading.read_frames(path)
    assert set(read.symbols) == {"W"}
    order = np.lexsort(atoms.positions.T.round(3)), np.lexsort(read.positions.T.round(3))
    np.testing.assert_allclose(read.positions[order[1]], atoms.positions[order[0]], atol=1e-6)
    np.testing.assert_allclose(read.cell[:], atoms.cell[:], atol=1e-6)


@pytest.mark.parametrize(
    ("said", "element", "read"),
    [
        ("Masses\n\n1 55.845\n\n", None, "Fe"),
        # Masses decide.
        ("Masses\n\n1 55.845\n\n", "W", "Fe"),
        ("Masses\n\n1 55.845 # iron\n\n", None, "Fe"),
        ("Atom Type Labels\n\n1 Fe\n\n", None, "Fe"),
        ("Atom Type Labels\n\n1 Fe\n\nMasses\n\nFe 55.845\n\n", None, "Fe"),
        ("Atom Type Labels\n\n1 core\n\nMasses\n\ncore 55.845\n\n", None, "Fe"),
        ("Atom Type Labels\n\n1 core\n\n", "Fe", "Fe"),
        ("", "Fe", "Fe"),
        # Hydrogen is the first element, and the label says so.
        ("Atom Type Labels\n\n1 H\n\n", None, "H"),
    ],
)
def test_elements_are_those_of_masses_then_of_labels_then_of_the_reference(said, element, read, tmp_path):
    path = tmp_path / "a.data"
    path.write_text(HEADER + said + ATOMS)
    atoms = read_data(path, element)
    assert set(atoms.symbols) == {read}
    np.testing.assert_allclose(atoms.positions, [[0, 0, 0], [1.43] * 3])


def test_types_without_elements(tmp_path):
    """ASE takes them for hydrogen, helium and so on."""
    path = tmp_path / "a.data"
    path.write_text(HEADER + ATOMS)
    with pytest.raises(DataError, match=r"^.*a.data, frame 0: it says the types .* not their elements; .*`mass 1 55"):
        list(reading.read_frames(path))
    path.write_text(HEADER + ATOMS.replace("1 1 0 0 0", "1 2 0 0 0"))
    with pytest.raises(DataError, match=r"atoms of types 1, 2, and nothing says their elements; have LAMMPS write m"):
        list(reading.read_frames(path, element="Fe"))


@pytest.mark.parametrize(
    "text",
    [
        "2\nLattice='1 0 0 0 1 0 0 0 1'\nFe 0 0 0\nFe 1 1 1\n",
        "2 atoms\n0 2.86 0 xlo\n",
        "2 atoms in a box\n0 2.86 xlo xhi\n",
        "ITEM: NUMBER OF ATOMS\n2\n",
    ],
)
def test_other_texts_are_no_data_files(text):
    assert is_lammps_data(HEADER.encode())
    assert is_lammps_data(HEADER.replace("\n", "\r\n").encode())
    assert is_lammps_data(b"\n2 atoms # 1\n\n1 0 0 avec\n0 1 0 bvec\n0 0 1 cvec\n")
    assert not is_lammps_data(text.encode())


def test_masses_of_all_elements_are_theirs(tmp_path):
    """The nearest mass is meant: masses of elements with digits left out."""
    path = tmp_path / "a.data"
    for element in ("Al", "Fe", "Cu", "W"):
        path.write_text(HEADER + f"Masses\n\n1 {atomic_masses[atomic_numbers[element]]:.1f}\n\n" + ATOMS)
        assert set(read_data(path).symbols) == {element}
