"""Frames that are read in parts are those that ASE reads at once, and those that LAMMPS wrote; in bounded memory."""

import gzip
import tracemalloc
from unittest import mock

import ase.io
import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from ase.calculators.singlepoint import SinglePointCalculator
from ase.constraints import FixAtoms
from ase.geometry import find_mic
from ase.io.formats import filetype
from dumps import write_dump
from hypothesis import given, settings
from hypothesis import strategies as st

from vibentropy import EntropyModel
from vibentropy.atoms import reading_in_parts
from vibentropy.atoms.reading import read_frames
from vibentropy.errors import DataError
from vibentropy.potentials.lammps import command, start_lammps

#: Bytes of a part: ten atoms and more.
SMALL = mock.patch.object(reading_in_parts, "BLOCK", 2000)


def assert_same(found, expected):
    """Everything that a file says about a configuration, to the last bit."""
    assert len(found) == len(expected)
    np.testing.assert_array_equal(found.cell[:], expected.cell[:])
    np.testing.assert_array_equal(found.pbc, expected.pbc)
    np.testing.assert_array_equal(found.get_celldisp(), expected.get_celldisp())
    pairs = [(found.info, expected.info), (found.arrays, expected.arrays)]
    assert (found.calc is None) == (expected.calc is None)
    if found.calc is not None:
        pairs.append((found.calc.results, expected.calc.results))
    for one, other in pairs:
        assert one.keys() == other.keys()
        for name, value in one.items():
            np.testing.assert_array_equal(value, other[name], err_msg=name)
            assert np.asarray(value).dtype == np.asarray(other[name]).dtype
    assert [repr(c) for c in found.constraints] == [repr(c) for c in expected.constraints]


numbers = st.floats(-1e6, 1e6, allow_subnormal=False)
values = st.one_of(numbers, st.integers(-(10**6), 10**6), st.booleans(), st.text("abcXYZ _-", min_size=1, max_size=9))


@st.composite
def configurations(draw):
    """Atoms with whatever extended XYZ can hold."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    n_atoms = draw(st.integers(1, 160))
    atoms = Atoms(
        rng.choice(["Fe", "Cr", "H"], n_atoms),
        positions=rng.normal(scale=10.0 ** draw(st.integers(-3, 3)), size=(n_atoms, 3)),
        cell=draw(st.sampled_from([None, np.diag([9, 8, 7]), rng.normal(size=(3, 3))])),
        pbc=draw(st.lists(st.booleans(), min_size=3, max_size=3)),
        info=draw(st.dictionaries(st.text("abcdef", min_size=2, max_size=6), values, max_size=3)),
    )
    of_atoms = {
        "site_entropy": rng.normal(size=n_atoms),
        "grain": rng.integers(9, size=n_atoms),
        "moved": rng.random(n_atoms) < 0.5,
        "vector": rng.normal(size=(n_atoms, 3)),
        "name": rng.choice(["a", "bcd"], n_atoms),
        "initial_charges": rng.normal(size=n_atoms),
    }
    for name in draw(st.sets(st.sampled_from(sorted(of_atoms)))):
        atoms.set_array(name, of_atoms[name])
    results = {"energy": -1.5, "forces": rng.normal(size=(n_atoms, 3)), "stress": rng.normal(size=6)}
    if chosen := draw(st.sets(st.sampled_from(sorted(results)))):
        atoms.calc = SinglePointCalculator(atoms, **{name: results[name] for name in chosen})
    if draw(st.integers(0, 9)) == 0:
        atoms.set_constraint(FixAtoms(rng.permutation(n_atoms)[:3]))
    return atoms


@settings(max_examples=40, deadline=None)
@given(frames=st.lists(configurations(), min_size=1, max_size=3), packed=st.booleans())
def test_extended_xyz_is_what_ase_reads(frames, packed, tmp_path_factory):
    path = tmp_path_factory.getbasetemp() / ("a.xyz.gz" if packed else "a.xyz")
    ase.io.write(path, frames, format="extxyz")
    with SMALL:
        found = list(read_frames(path, "extxyz"))
    for one, expected in zip(found, ase.io.read(path, index=":", format="extxyz"), strict=True):
        assert_same(one, expected)


def test_other_kinds_of_xyz(tmp_path):
    """Plain ones, and cell vectors after the atoms."""
    atoms = bulk("Fe", cubic=True) * 4
    for number, keys in enumerate([{"format": "xyz"}, {"format": "extxyz", "vec_cell": True}]):
        path = tmp_path / f"{number}.xyz"
        ase.io.write(path, [atoms, atoms[1:]], **keys)
        with SMALL:
            found = list(read_frames(path, keys["format"]))
        for one, expected in zip(found, ase.io.read(path, index=":", format=keys["format"]), strict=True):
            assert_same(one, expected)


BOXES = {
    "right angles": "block 1 24 -2 21 0 23",
    "triclinic": "prism 1 24 -2 21 0 23 5 -3 4",
    "tilted the other way": "prism -3 20 0 23 2 25 -6 -4 -2",
}


@pytest.fixture
def lammps():
    library = start_lammps()
    yield library
    library.close()


@pytest.mark.parametrize("columns", ["x y z", "xs ys zs", "xu yu zu", "xsu ysu zsu"])
@pytest.mark.parametrize("box", BOXES)
def test_dumps_are_what_lammps_holds(box, columns, lammps, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    command(lammps, "units metal", "atom_modify map array sort 0 0", f"region box {BOXES[box]}")
    # Numbers of atoms have no order: groups come one after the other.
    command(lammps, "create_box 2 box", "create_atoms 1 random 200 11 box", "create_atoms 1 random 200 12 box")
    command(lammps, "mass * 55.845", "pair_style zero 5.0", "pair_coeff * *", "thermo_modify lost ignore")
    command(lammps, "velocity all create 900 7", "fix 1 all nve", "run 3 post no")
    command(lammps, "group even id 2:400:2", "group odd id 1:400:2")
    for element in ("", " element"):
        command(lammps, f"write_dump even custom even id type{element} {columns} vx vy vz modify element Fe Cr")
        command(lammps, f"write_dump odd custom odd id type{element} {columns} vx vy vz modify element Fe Cr")
        head, even = (tmp_path / "even").read_bytes().split(b"ITEM: ATOMS")
        odd = (tmp_path / "odd").read_bytes().split(b"ITEM: ATOMS")[1].split(b"\n", 1)[1]
        frame = head.replace(b"\n200\n", b"\n400\n") + b"ITEM: ATOMS" + even + odd
        with gzip.open("a.dump.gz", "wb") as file:
            file.write(frame * 2)
        with SMALL:
            first, second = read_frames("a.dump.gz", element=None if element else "Fe")
        assert_same(first, second)
        assert_same(first, ase.io.read("a.dump.gz", index=0, **({} if element else {"specorder": ["Fe"]})))
        assert set(first.symbols) == {"Fe"}
        expected = np.array(lammps.gather_atoms("x", 1, 3)).reshape(-1, 3)
        # Scaled coordinates are read as if the box began at the origin.
        apart = first.positions - expected
        apart -= apart[0]
        assert np.abs(find_mic(apart, first.cell, pbc=True)[0]).max() < 2e-4  # six digits


class TestElements:
    HEAD = "ITEM: TIMESTEP\n0\nITEM: NUMBER OF ATOMS\n{}\nITEM: BOX BOUNDS pp pp pp\n0 9\n0 9\n0 9\nITEM: ATOMS {}\n"

    def read(self, path, columns, rows, n_atoms=None, **keys):
        path.write_text(self.HEAD.format(n_atoms or len(rows), columns) + "".join(row + "\n" for row in rows))
        with SMALL:
            return next(read_frames(path, **keys))

    @pytest.mark.parametrize("n_atoms", [3, 100])
    def test_of_types(self, tmp_path, n_atoms):
        path, rows = tmp_path / "a.dump", [f"{n_atoms - k} 2 {k * 0.01} 0.5 0" for k in range(n_atoms)]
        atoms = self.read(path, "id type x y z", rows, element="W")
        assert set(atoms.symbols) == {"W"}
        np.testing.assert_allclose(atoms.positions[:, 0], 0.01 * np.arange(n_atoms)[::-1])
        with pytest.raises(DataError, match="a.dump, frame 0: it says the types of atoms and not their elements; have"):
            self.read(path, "id type x y z", rows)
        rows[-1] = rows[-1].replace(" 2 ", " 1 ")
        with pytest.raises(DataError, match=r"atoms of types 1, 2, expected one type; have LAMMPS write elements"):
            self.read(path, "id type x y z", rows, element="W")
        named = [row.replace(" 2 ", " Fe ").replace(" 1 ", " Cr ") for row in rows]
        assert str(self.read(path, "id element x y z", named, element="W").symbols[0]) == "Cr"

    @pytest.mark.parametrize("n_atoms", [3, 100])
    def test_fewer_atoms_than_counted(self, tmp_path, n_atoms):
        rows = [f"{k} Fe 0 0 {k * 0.01}" for k in range(n_atoms)]
        with pytest.raises(DataError, match=rf"frame 0: counts {n_atoms + 1} atoms, and {n_atoms} follow; the file is"):
            self.read(tmp_path / "a.dump", "id element x y z", rows, n_atoms + 1)

    def test_a_head_that_is_cut(self, tmp_path):
        path = tmp_path / "a.dump"
        write_dump(path, [bulk("Fe", cubic=True)])
        path.write_text(path.read_text().partition("ITEM: ATOMS")[0])
        with pytest.raises(DataError, match="a.dump, frame 0: there is no line `ITEM: ATOMS` in it; the file is trunc"):
            next(read_frames(path))


@pytest.mark.parametrize(
    ("name", "cut"), [("a.xyz", 3), ("a.xyz", 30), ("a.xyz", 900), ("a.dump", 20), ("a.dump", 900)]
)
def test_large_frames_that_are_cut(name, cut, tmp_path):
    atoms = bulk("Fe", cubic=True) * 5
    atoms.rattle(seed=1)
    write_dump(tmp_path / name, [atoms]) if name == "a.dump" else ase.io.write(tmp_path / name, atoms)
    whole = (tmp_path / name).read_bytes()
    (tmp_path / name).write_bytes(whole[:-cut])
    with SMALL, pytest.raises(DataError, match=f"{name}, frame 0: .*truncated"):
        next(read_frames(tmp_path / name))


def peak(function):
    """Bytes that a call needs at most, and what it returns."""
    tracemalloc.start()
    result = function()
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return most, result


def read(path):
    """Read the one frame of a file, after it was located."""
    with open(path, "rb") as file:
        return reading_in_parts.read_frame(file, path.stat().st_size, filetype(str(path)))


@pytest.mark.parametrize("name", ["a.xyz", "a.dump"])
def test_a_large_frame_takes_little_more_than_its_atoms(name, tmp_path):
    atoms = bulk("Fe", cubic=True) * 16
    write_dump(tmp_path / name, [atoms]) if name == "a.dump" else ase.io.write(tmp_path / name, atoms)
    with mock.patch.object(reading_in_parts, "BLOCK", 1 << 14):
        most, found = peak(lambda: read(tmp_path / name))
    assert len(found) == len(atoms)
    kept = sum(array.nbytes for array in found.arrays.values())
    assert most < 3 * kept + 40 * (1 << 14)
    at_once, _ = peak(lambda: read(tmp_path / name))
    print(f"{name}: {most / len(atoms):.0f} bytes for each atom in parts, {at_once / len(atoms):.0f} at once")


def test_predictions_take_little_more_than_the_atoms():
    model = EntropyModel.load()
    model.predict(bulk("Fe", cubic=True) * 3)
    sizes = [bulk("Fe", a=2.8553, cubic=True) * n for n in (10, 20)]
    small, large = (peak(lambda atoms=atoms: model.predict(atoms))[0] for atoms in sizes)
    for_each = (large - small) / (len(sizes[1]) - len(sizes[0]))
    print(f"{for_each:.0f} bytes for each atom")
    assert for_each < 150
