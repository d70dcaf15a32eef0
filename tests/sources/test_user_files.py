"""Any files that ASE reads: what is taken over, and a clear message for everything that can be wrong in them."""

import gzip
import re

import ase.db
import ase.io
import numpy as np
import pytest
from ase.build import molecule
from ase.calculators.singlepoint import SinglePointCalculator
from dumps import write_dump
from labelled_files import ENTROPIES, FORMATION, concatenate, defective_cells, perfect, write_database

from vibentropy.errors import DataError, StructureError
from vibentropy.sources.source import source_of
from vibentropy.units import KB_PER_ENTROPY_UNIT


def test_extended_xyz_is_taken_over(write):
    frames = defective_cells()
    one = source_of("mine", write(frames)).read()
    table = one.table
    assert list(table["id"]) == [f"mine/a.xyz/{number:04d}" for number in range(4)]
    assert list(table["formation_entropy"]) == ENTROPIES
    assert list(table["status"]) == ["labelled"] * 4
    assert list(table["label_source"]) == ["given"] * 4
    assert list(table["defect_class"]) == ["V1", "V2", "I1", "net 0"]
    assert list(table["n_atoms"]) == [15, 14, 17, 16]
    assert list(table["n_sites"]) == [16] * 4
    np.testing.assert_allclose(table["energy"], [atoms.get_potential_energy() for atoms in frames], atol=1e-8)
    np.testing.assert_allclose(table["max_force"], np.sqrt(3) * 1e-5, rtol=1e-6)
    assert table["formation_energy"].isna().all()
    for read, atoms in zip(one.frames, frames, strict=True):
        np.testing.assert_allclose(read.positions, atoms.positions, atol=5.1e-9)
        np.testing.assert_allclose(read.cell, atoms.cell, atol=1e-12)
        assert read.pbc.all()


@pytest.mark.parametrize("place", ["key_value_pairs", "data"])
def test_databases_are_taken_over(write, place):
    frames = defective_cells()
    specification = write(frames) | {"files": ["a.db"]}
    from_xyz = source_of("mine", specification | {"files": ["a.xyz"]}).read()
    write_database(frames, place=place)
    from_database = source_of("mine", specification).read()
    columns = ["defect_class", "n_sites", "formation_entropy", "status", "label_source"]
    assert from_database.table[columns].equals(from_xyz.table[columns])
    np.testing.assert_allclose(from_database.table["energy"], from_xyz.table["energy"], atol=1e-8)
    for read, atoms in zip(from_database.frames, frames, strict=True):
        np.testing.assert_array_equal(read.positions, atoms.positions)


@pytest.mark.parametrize(("name", "file_format"), [("POSCAR", "vasp"), ("a.lmp", "lammps-data"), ("a.cif", "cif")])
def test_other_formats_without_labels(write, name, file_format):
    frame = defective_cells()[0]
    frame.calc = None
    specification = write([frame], entropy=None) | {"files": [name], "format": file_format}
    ase.io.write(name, frame, format=file_format, **({"masses": True} if name == "a.lmp" else {}))
    ase.io.write("bulk", perfect(), format=file_format, **({"masses": True} if name == "a.lmp" else {}))
    one = source_of("mine", specification | {"reference": "bulk"}).read()
    assert list(one.table["status"]) == ["relaxed"]
    assert list(one.table["label_source"]) == [""]
    assert one.table["formation_entropy"].isna().all()
    difference = one.frames[0].get_all_distances(mic=True) - frame.get_all_distances(mic=True)
    np.testing.assert_allclose(difference, 0, atol=1e-4)


def test_compressed_files(write):
    specification = write(defective_cells())
    with open("a.xyz", "rb") as plain, gzip.open("b.xyz.gz", "wb") as packed:
        packed.write(plain.read())
    assert (
        list(source_of("mine", specification | {"files": ["b.xyz.gz"]}).read().table["formation_entropy"]) == ENTROPIES
    )


@pytest.mark.parametrize("unit", KB_PER_ENTROPY_UNIT)
def test_units(write, unit):
    """R = 8.314462618 J/mol/K and k_B = 8.617333262e-5 eV/K are one k_B (CODATA 2018)."""
    k_B = {"k_B": 1.0, "eV/K": 8.617333262e-5, "J/mol/K": 8.314462618}[unit]
    frames = defective_cells()
    for atoms in frames:
        atoms.info["S_f"] *= k_B
    one = source_of("mine", write(frames, entropy=FORMATION | {"unit": unit})).read()
    # ASE's constants are those of CODATA 2014.
    np.testing.assert_allclose(one.table["formation_entropy"], ENTROPIES, rtol=2e-6)


def test_totals_are_compared_mode_by_mode(write):
    """With s per mode in the perfect cell, S_d = 3 (N_d - 1) s + x must give x."""
    frames, reference = defective_cells(), perfect()
    per_mode = 5.75
    for atoms, entropy in zip(frames, ENTROPIES, strict=True):
        atoms.info["S"] = 3 * (len(atoms) - 1) * per_mode + entropy
    reference.info["S"] = 3 * (len(reference) - 1) * per_mode
    reference.calc = SinglePointCalculator(reference, energy=-4.0 * len(reference))
    one = source_of("mine", write(frames, reference, entropy={"key": "S", "unit": "k_B", "kind": "total"})).read()
    np.testing.assert_allclose(one.table["formation_entropy"], ENTROPIES, atol=1e-10)
    np.testing.assert_allclose(one.table["formation_energy"], ENTROPIES, atol=1e-6)
    assert one.table["formation_entropy_per_atom_convention"].isna().all()


def test_keys_for_groups_classes_and_energies(write):
    frames = defective_cells()
    for number, atoms in enumerate(frames):
        atoms.info["E"] = float(number)
    one = source_of("mine", write(frames, group_key="walk", class_key="kind", energy_key="E")).read()
    assert list(one.table["trajectory"]) == ["run 1", "run 0", "run 1", "run 0"]
    # Ids say where a configuration is from, so that they are the same in every shard.
    assert list(one.table["id"]) == [f"mine/a.xyz/{number:04d}" for number in range(4)]
    assert list(one.table["defect_class"]) == ["odd", "even", "odd", "even"]
    assert list(one.table["energy"]) == [0.0, 1.0, 2.0, 3.0]


def test_each_file_is_a_trajectory_wherever_the_folder_lies(write, tmp_path):
    specification = write(defective_cells())
    for name in ("x/a.xyz", "y/a.xyz"):
        (tmp_path / name).parent.mkdir()
        ase.io.write(name, defective_cells()[:2])
    one = source_of("mine", specification | {"files": ["x/a.xyz", str(tmp_path / "y/a.xyz")]}).read()
    assert list(one.table["trajectory"]) == ["x/a.xyz"] * 2 + ["y/a.xyz"] * 2


def test_cells_of_another_crystal_are_refused(write):
    strained = perfect(3)
    strained.set_cell(1.01 * strained.cell, scale_atoms=True)
    strained.info["S_f"] = 1.0
    with pytest.raises(StructureError, match=r"frame 0: the cell has the volume of 55\.6\d\d sites of the reference"):
        source_of("mine", write([strained])).read()


def test_cells_of_other_sizes_have_their_sites_counted(write):
    frames = [perfect(3), perfect(2), perfect(3)]
    del frames[0][:2]
    frames[2].set_cell(1.0001 * frames[2].cell, scale_atoms=True)
    for atoms in frames:
        atoms.info["S_f"] = 1.0
    one = source_of("mine", write(frames)).read()
    assert list(one.table["n_sites"]) == [54, 16, 54]
    assert list(one.table["defect_class"]) == ["V2", "net 0", "net 0"]


def spoil_position(atoms):
    atoms.positions[4, 1] = np.nan


def spoil_site(atoms):
    atoms.positions[4] = atoms.positions[5] + [0, 0, 0.01] - atoms.cell[1]


def spoil_forces(atoms):
    atoms.calc.results["forces"][2] = [0.3, 0.4, 0.0]


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (spoil_position, r"position of atom 4 is \[.*nan.*\], not finite"),
        (spoil_site, r"atoms 4 and 5 are on one site \(1.00e-02 Å apart\)"),
        (
            spoil_forces,
            r"the largest force is 5.00e-01 eV/Å, expected at most 1.00e-04, as stored in the file: relax",
        ),
        (lambda atoms: atoms.info.pop("S_f"), r"no 'S_f' in it; there are energy, forces.*, kind, walk"),
        (lambda atoms: atoms.info.update(S_f=np.nan), r"'S_f' is nan, expected a finite number"),
        (lambda atoms: atoms.info.update(S_f="high"), r"'S_f' is high, expected a finite number"),
        (lambda atoms: atoms.info.update(S_f=True), r"'S_f' is True, expected a finite number"),
        (lambda atoms: atoms.info.update(S_f=[1.0, 2.0]), r"'S_f' has shape \(2,\), expected one number"),
        (lambda atoms: (atoms.info.pop("S_f"), atoms.new_array("S_f", atoms.positions[:, 0])), r"has shape \(14,\)"),
    ],
)
def test_faults_of_a_frame_reject_the_frame_and_faults_of_all_frames_the_file(write, spoil, reason):
    frames = defective_cells()
    spoil(frames[1])
    table = source_of("mine", write(frames)).read().table
    assert list(table["status"]) == ["labelled", "rejected", "labelled", "labelled"]
    assert np.isnan(table["formation_entropy"][1])
    assert re.search(reason, table["reason"][1])
    with pytest.raises(DataError, match=rf"^a.xyz: none of its 1 configurations can be used; frame 0: .*{reason}"):
        source_of("mine", write([frames[1]])).read()


def test_spoilt_coordinates_of_a_database_too(write):
    frames = defective_cells()
    spoil_position(frames[0])
    write(frames)
    write_database(frames)
    table = source_of("mine", {"files": ["a.db"], "reference": "bulk.extxyz", "entropy": FORMATION}).read().table
    assert list(table["status"]) == ["rejected", "labelled", "labelled", "labelled"]


def alloy(frame):
    frame.symbols[2] = "Cr"


def surface(frame):
    frame.pbc = [True, True, False]


@pytest.mark.parametrize(
    ("spoil", "entropy", "message"),
    [
        (alloy, FORMATION, "the configuration holds Cr where only Fe is expected"),
        (surface, FORMATION, r"periodic boundary conditions are \[True, True, False\]"),
        (
            lambda frame: frame.set_cell(1.01 * frame.cell),
            None,
            r"length a \(Å\) is .* and should be .*; formation entropies compare both in the same cell",
        ),
        (
            lambda frame: frame.set_cell(1.01 * frame.cell),
            FORMATION | {"kind": "total"},
            "compare both in the same cell",
        ),
    ],
)
def test_what_is_no_defect_in_the_reference_crystal_stops_the_run(write, spoil, entropy, message):
    frames = defective_cells()
    spoil(frames[2])
    with pytest.raises(StructureError, match=f"^a.xyz, frame 2: .*{message}"):
        source_of("mine", write(frames, entropy=entropy)).read()


def test_molecules_are_refused(write):
    water = molecule("H2O")
    water.info["S_f"] = 1.0
    with pytest.raises(StructureError, match=r"^a.xyz, frame 0: the configuration holds H, O where only Fe"):
        source_of("mine", write([water])).read()
    with pytest.raises(StructureError, match=r"^bulk.extxyz: it has no cell"):
        source_of("mine", write(defective_cells(), water)).read()


@pytest.mark.parametrize("key", ["group_key", "class_key"])
def test_groups_and_classes_that_are_named_must_be_there(write, key):
    frames = defective_cells()
    del frames[1].info["walk"]
    with pytest.raises(DataError, match=r"^a.xyz, frame 1: no 'walk' in it; there are S_f, energy, forces.*, kind"):
        source_of("mine", write(frames, **{key: "walk"})).read()


def test_energy_that_is_named_must_be_there(write):
    with pytest.raises(DataError, match="frame 0: no 'E' in it"):
        source_of("mine", write(defective_cells(), energy_key="E")).read()


def test_unknown_species_are_named(write):
    specification = write(defective_cells())
    with open("a.xyz") as file:
        text = file.read()
    second = text.index("14\n")
    with open("a.xyz", "w") as file:
        file.write(text[:second] + text[second:].replace("Fe ", "Qq ", 1))
    with pytest.raises(DataError, match=r"^a.xyz, frame 1: .*'Qq' is not a chemical element"):
        source_of("mine", specification).read()


def test_truncated_files_never_pass(write):
    """Cut anywhere but between frames, a file is refused, and the frame is named."""
    specification = write(defective_cells()[:3])
    with open("a.xyz") as file:
        text = file.read()
    ends = [text.index("\n14\n"), text.index("\n17\n"), len(text) - 1]
    cuts = sorted({*range(1, len(text), 29), *range(len(text) - 40, len(text) - 1), *(end - 1 for end in ends)})
    for cut in cuts:
        if cut in ends or cut - 1 in ends:
            continue
        with open("a.xyz", "w") as file:
            file.write(text[:cut])
        frame = sum(cut > end for end in ends)
        with pytest.raises(DataError, match=f"^a.xyz, frame {frame}: .*truncated"):
            source_of("mine", specification).read()


def test_a_whole_file_needs_no_newline_at_its_end(write):
    specification = write(defective_cells())
    with open("a.xyz") as file:
        text = file.read()
    with open("a.xyz", "w") as file:
        file.write(text.rstrip("\n"))
    assert len(source_of("mine", specification).read()) == 4


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.db", b"SQLite format 3\x00 and no more", "a.db, frame 0: cannot be read as db"),
        ("a.xyz", b"", "a.xyz: the file is empty"),
        ("a.xyz", b"\x00\x01\x02", "a.xyz, frame 0: line 1 is .*, expected the number of atoms"),
        ("a.what", b"text", "a.what: unknown type of file; give its type with `--format`, .*`format: lammps-data`"),
    ],
)
def test_files_that_hold_something_else(write, name, content, message):
    specification = write(defective_cells()) | {"files": [name]}
    with open(name, "wb") as file:
        file.write(content)
    with pytest.raises(DataError, match=f"^{message}"):
        source_of("mine", specification).read()


def test_formats_that_ase_does_not_have(write):
    specification = write(defective_cells()) | {"format": "extxzy"}
    with pytest.raises(DataError, match=r"^.*xyz, frame 0: ASE has no format 'extxzy' \(did you mean 'extxyz'\?\)"):
        source_of("mine", specification).read()


def test_molecules_have_no_cell(write):
    atoms = defective_cells()[0]
    atoms.cell, atoms.pbc = None, False
    with pytest.raises(StructureError, match=r"it has no cell \(in extended XYZ, Lattice=\)"):
        source_of("mine", write([atoms])).read()


def test_cells_that_the_run_relaxes_may_have_forces(write):
    frames = defective_cells()[:1]
    spoil_forces(frames[0])
    specification = write(frames, entropy=None)
    with pytest.raises(DataError, match="the largest force"):
        source_of("mine", specification).read()
    source = source_of("mine", specification | {"relax": True})
    assert source.relaxes
    assert list(source.read().table["status"]) == ["relaxed"]
    assert not list(source.problems(1e-4))
    given = source_of("mine", write(frames) | {"relax": True})
    assert [problem.partition(": ")[0] for problem in given.problems(1e-4)] == ["datasets.mine.relax"]


def test_missing_and_empty_files(write):
    specification = write(defective_cells())
    with pytest.raises(DataError, match=r"^no.xyz: no such file"):
        source_of("mine", specification | {"files": ["no.xyz"]}).read()
    with pytest.raises(DataError, match=r"^no.xyz: no such file"):
        source_of("mine", specification | {"reference": "no.xyz"}).read()
    write_database(defective_cells()[:1])
    with ase.db.connect("a.db") as database:
        database.delete([1])
    with pytest.raises(DataError, match=r"^a.db: holds no configurations \(read as db\); if it is of another"):
        source_of("mine", specification | {"files": ["a.db"]}).read()


def test_reference_is_one_crystal(write):
    specification = write(defective_cells())
    (crystal,) = source_of("mine", specification).reference_cells()
    assert len(crystal) == 16
    with pytest.raises(DataError, match=r"^a.xyz: holds 4 configurations, expected one"):
        source_of("mine", specification | {"reference": "a.xyz"}).reference_cells()
    twice = perfect() + perfect()
    with pytest.raises(StructureError, match=r"^bulk.extxyz: atoms .* are on one site"):
        source_of("mine", write(defective_cells(), twice)).read()
    with pytest.raises(DataError, match=r"^a.xyz: none of its 4 .*frame 0: the reference: no 'S_f' in it"):
        source_of("mine", write(defective_cells(), entropy=FORMATION | {"kind": "total"})).read()


@pytest.mark.parametrize("entropy", [None, FORMATION])
def test_dumps_of_types_have_the_element_of_the_reference(entropy, write):
    specification = write(defective_cells(), entropy=entropy) | {"files": ["a.dump"]}
    write_dump("a.dump", defective_cells(), types=True)
    (size,) = source_of("mine", specification).amounts(50).values()
    assert size.configurations == 4
    if entropy is None:
        assert {str(atoms.symbols) for atoms in source_of("mine", specification).read().frames} == {
            "Fe15",
            "Fe14",
            "Fe17",
            "Fe16",
        }
    else:
        with pytest.raises(DataError, match="no 'S_f' in it"):  # And not: no elements.
            source_of("mine", specification).read()


def test_what_only_the_whole_set_shows(write):
    """Shards of rejected frames, and of tiny entropies, are nothing unusual; a file or a set of them is."""
    frames = defective_cells()
    for atoms in frames[:3]:
        del atoms.info["S_f"]
    specification = write(frames)
    parts = [
        source_of("mine", specification).read(parts) for parts in source_of("mine", specification).shards(2).values()
    ]
    assert (parts[0].table["status"] == "rejected").all()
    table = concatenate(parts[::-1]).table
    assert source_of("mine", specification).check_whole(table).to_dict("records") == [
        {"file": "a.xyz", "configurations": 4, "rejected": 3}
    ]
    del frames[3].info["S_f"]
    specification = write(frames)
    with pytest.raises(DataError, match=r"^a.xyz: none of its 4 .*; frame 0: no 'S_f'.*; frame 1: .*; frame 2: "):
        source_of("mine", specification).check_whole(
            concatenate(parts[:1] + [source_of("mine", specification).read([["a.xyz", "a.xyz", 2, 4]])]).table
        )


class TestAlloys:
    """Two references: the crystal, and the crystal with one chromium atom in it."""

    @staticmethod
    def solute():
        atoms = perfect()
        atoms.symbols[5] = "Cr"
        return atoms

    @pytest.fixture
    def frames(self):
        frames = defective_cells()
        frames[0].symbols[[1, 4]] = "Cr"
        frames[3].symbols[2] = "Cr"
        return frames

    @pytest.fixture
    def specification(self, write, frames):
        reference, solute = perfect(), self.solute()
        for atoms, energy in ((reference, -64.0), (solute, -63.0)):
            atoms.calc = SinglePointCalculator(atoms, energy=energy)
            atoms.info["S_f"] = 30.0 - energy
        specification = write(frames, reference)
        ase.io.write("solute.extxyz", solute)
        return specification | {"reference": ["bulk.extxyz", "solute.extxyz"]}

    def test_elements_are_counted(self, specification, frames):
        source = source_of("mine", specification)
        found, energies = source.read(), [atoms.get_potential_energy() for atoms in defective_cells()]
        assert found.table["defect_class"].tolist() == ["V1+Cr2", "V2", "I1", "Cr1"]
        assert [atoms.get_chemical_formula() for atoms in found.frames] == ["Cr2Fe13", "Fe14", "Fe17", "CrFe15"]
        iron, chromium = -4.0, -63.0 + 4.0 * 15
        expected = [
            energy - iron * sum(atoms.symbols == "Fe") - chromium * sum(atoms.symbols == "Cr")
            for energy, atoms in zip(energies, frames, strict=True)
        ]
        np.testing.assert_allclose(found.table["formation_energy"], expected, atol=1e-7)
        assert source.alloyed() == ("Fe", "Cr")
        (other,) = source.others()
        assert other.get_chemical_formula() == "CrFe15"
        assert source.perfect()({}).get_chemical_formula() == "Fe16"
        assert source.references("lattice.json") == source.inputs()[1:] == ["bulk.extxyz", "solute.extxyz"]
        assert source_of("mine", source.about() | {"role": "train"}) == source_of("mine", specification | {"files": []})

    def test_one_file_is_said_as_before(self, specification):
        source = source_of("mine", specification | {"reference": "bulk.extxyz"})
        assert source.about()["reference"] == "bulk.extxyz"
        assert source_of("mine", specification | {"reference": ["bulk.extxyz"]}).about() == source.about()
        assert source.others() == []
        assert source.alloyed() == ()

    def test_totals_are_compared_mode_by_mode(self, specification, frames):
        """As the labels are: three translations count as atoms of the crystal."""
        entropy = {"key": "S_f", "unit": "k_B", "kind": "total", "check_size": False}
        found = source_of("mine", specification | {"entropy": entropy}).read().table["formation_entropy"]
        of_iron = 94.0 / 15
        of_chromium = 93.0 - 14 * of_iron
        for entropy, atoms in zip(found, frames, strict=True):
            n_cr = sum(atoms.symbols == "Cr")
            expected = atoms.info["S_f"] - (len(atoms) - n_cr - 1) * of_iron - n_cr * of_chromium
            assert entropy == pytest.approx(expected, abs=1e-9)

    def test_references_that_do_not_say_enough(self, specification):
        with pytest.raises(StructureError, match=r"^a.xyz, frame 0: the configuration holds Cr where only Fe is exp"):
            source_of("mine", specification | {"reference": "bulk.extxyz"}).read()
        ase.io.write("twice.extxyz", perfect().repeat((2, 1, 1)))
        for others in (["twice.extxyz"], ["solute.extxyz", "solute.extxyz"]):
            with pytest.raises(StructureError, match="reference cell"):
                source_of("mine", specification | {"reference": ["bulk.extxyz", *others]}).read()
        source = source_of("mine", specification | {"reference": ["bulk.extxyz", "no.xyz"]})
        assert "datasets.mine.reference: there is no file 'no.xyz'" in list(source.problems(1e-4))

    def test_a_random_alloy_is_the_same_cell_without_the_defect(self, write):
        """Whether entropies are computed or given: features are relative to it, too."""
        alloys = []
        for seed in range(2):
            alloys.append(perfect().repeat(2))
            alloys[-1].symbols[np.random.default_rng(seed).permutation(128)[:50]] = "Cr"
            alloys[-1].rattle(0.03, seed=seed)
        vacancy = alloys[0][1:]
        vacancy.info["S_f"] = 2.0
        specification = write([vacancy], alloys[0])
        ase.io.write("iron.extxyz", perfect())
        for entropy in (None, {"key": "S_f", "unit": "k_B", "kind": "formation"}):
            block = specification | {
                "reference": ["bulk.extxyz", "iron.extxyz"],
                "entropy": entropy,
                "energy_key": None,
            }
            ase.io.write("bulk.extxyz", alloys[0])
            (row,) = source_of("mine", block).read().table.to_dict("records")
            assert (row["status"], row["defect_class"]) == ("relaxed" if entropy is None else "labelled", "V1")
            ase.io.write("bulk.extxyz", alloys[1])
            with pytest.raises(StructureError, match="a.xyz, frame 0: .* nearest site of the random alloy"):
                source_of("mine", block).read()

    def test_the_potential_has_their_elements(self, specification):
        source = source_of("mine", specification | {"entropy": None})
        assert list(source.problems_inside(("Fe", "Cr"))) == []
        (problem,) = source.problems_inside(("Fe", "P"))
        assert "datasets.mine.reference: solute.extxyz: the configuration holds Cr where Fe and P" in problem
