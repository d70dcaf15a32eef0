"""Library and parameter files of modified embedded atoms: what is read, and what is refused with the place."""

from dataclasses import replace

import numpy as np
import pytest
from ase.build import bulk

from vibentropy.errors import NotAnalyticError, PotentialError, VibentropyError
from vibentropy.potentials.lammps_engine import LammpsEngine
from vibentropy.potentials.meam.files import MeamParameters, read_meam, read_pair_style, words_of, write_meam
from vibentropy.potentials.potential_files import FORCE_LAW, is_force_law

RECORD = """\
'Fe' 'bcc' 8 26 55.845
5.13 4.01 1.0 1.1 1.2 2.851 4.29 0.555
1.0 2.77 1.3 -10.81 0.9 -5
"""
#: What the record says and the defaults of LAMMPS add.
IRON = MeamParameters(
    element="Fe",
    lattice="bcc",
    atomic_number=26,
    mass=55.845,
    Ec=4.29,
    re=2.851 * np.sqrt(3) / 2,
    alpha=5.13,
    asub=0.555,
    beta=(4.01, 1.0, 1.1, 1.2),
    t=(2.77, 1.3, -10.81),
    rho0=0.9,
    ibar=-5,
)


@pytest.fixture
def read(tmp_path):
    """Read iron from the texts of a library and of a parameter file."""

    def read(library=RECORD, parameters=None, names=("Fe",), name="Fe", element="Fe"):
        (tmp_path / "library.meam").write_text(library, encoding="utf-8")
        path = None
        if parameters is not None:
            path = tmp_path / "fe.meam"
            path.write_text(parameters, encoding="utf-8")
        return read_meam(tmp_path / "library.meam", path, element, names, name)

    return read


@pytest.fixture
def energy_of_lammps(tmp_path):
    """Energy of a crystal by LAMMPS, from the files that `read` has written."""

    def energy(names=("Fe",), name="Fe"):
        parameters = tmp_path / "fe.meam"
        line = (tmp_path / "library.meam", *names, parameters if parameters.exists() else "NULL", name)
        with LammpsEngine("meam", [f"* * {' '.join(map(str, line))}"], ["Fe"]) as engine:
            return engine.energy_and_forces(bulk("Fe", cubic=True))[0]

    return energy


class TestLibrary:
    def test_a_record_and_the_defaults(self, read):
        assert read() == IRON

    @pytest.mark.parametrize(
        "text",
        [
            RECORD.replace("'", ""),
            " ".join(RECORD.split()),
            "# elt\n\n" + RECORD.replace("\n", " # comment\n"),
            # The first of two records counts, here as in LAMMPS.
            RECORD + RECORD.replace("4.29", "5.00"),
            RECORD.replace("Fe", "Cr") + RECORD,
        ],
    )
    def test_in_any_layout(self, read, text):
        assert read(text) == IRON

    @pytest.mark.parametrize(("lattice", "z", "re"), [("fcc", 12, 2**-0.5), ("hcp", 12, 1.0), ("sc", 6, 1.0)])
    def test_lattices(self, read, lattice, z, re):
        parameters = read(RECORD.replace("'bcc' 8", f"'{lattice}' {z}"))
        assert parameters == replace(IRON, lattice=lattice, re=pytest.approx(2.851 * re))

    def test_names_of_records_are_no_symbols(self, read):
        assert read(RECORD.replace("Fe", "FeS"), name="FeS", names=["FeS"]) == IRON

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("# nothing\n", "library.meam: holds no records, expected some of 19 words: elt lat z"),
            (RECORD.replace("Fe", "Cr"), "library.meam: holds no record Fe; those are Cr"),
            (RECORD.replace("'", '"'), 'library.meam: holds no record Fe .*; those are "Fe"'),
            (RECORD.rsplit(maxsplit=1)[0], "library.meam, line 1: the last record, Fe, has 18 words, expected 19"),
            (RECORD + "Cr bcc", "line 4: the last record, Cr, has 2 words, expected 19"),
            (
                "\n" + RECORD.replace("1.2 2.851", "1.2 1 1 1 2.851").replace("0.9 -5", "0 0 0 0.9 -5"),
                "line 2, record Fe: has 25 words, as libraries of pair_style meam/ms have, expected 19",
            ),
            ("#\n" + RECORD.replace("5.13", "5,13"), "line 2, record Fe: alpha is '5,13', expected a finite number"),
            (RECORD.replace("5.13", "5_1"), "alpha is '5_1', expected a finite number"),
            (RECORD.replace("5.13", "nan"), "alpha is 'nan', expected a finite number"),
            (RECORD.replace("5.13", "-5.13"), "library.meam, line 1, record Fe: alpha is -5.13, expected a positive"),
            (RECORD.replace("4.29", "0"), "esub is 0, expected a positive number"),
            (RECORD.replace("2.851", "-2.851"), "alat is -2.851, expected a positive number"),
            (RECORD.replace("-5\n", "-5.0\n"), "ibar is '-5.0', expected an integer"),
            (RECORD.replace(" 26 ", " 26.0 "), "ielement is '26.0', expected an integer"),
            (RECORD.replace("-5\n", "2\n"), "ibar is 2, expected one of 0, 1, 3, 4, -5"),
            (RECORD.replace("bcc", "bbc"), "lat is 'bbc' .did you mean 'bcc'.*expected one of bcc, fcc"),
            (RECORD.replace("'bcc' 8", "'bcc' 12"), "z is 12, expected 8, the neighbours in bcc"),
            (RECORD.replace("1.0 2.77", "2.0 2.77"), "t0 is 2.0, expected 1"),
        ],
    )
    def test_what_is_wrong_is_said_with_its_place(self, read, text, message):
        # A parameter file is not where it is.
        for parameters in (None, "rc = 4"):
            with pytest.raises(PotentialError, match=message) as caught:
                read(text, parameters)
            assert not isinstance(caught.value, NotAnalyticError)
            assert "fe.meam" not in str(caught.value)

    def test_a_value_that_is_replaced_does_not_matter(self, read):
        assert read(RECORD.replace("4.29", "0"), "Ec(1,1) = 4.29") == IRON

    @pytest.mark.parametrize("name", ["Co", "Ni", "Cr", "Mo"])
    def test_a_record_of_another_element(self, name):
        """The masses of the first three are within a tenth of that of iron, and all have the ielement 1."""
        names = ["Mo", "Co", "Ni", "V", "Fe", "Al", "Cr"]
        with pytest.raises(
            PotentialError, match=f"the record is {name}, the `element` Fe; type `element: {name}`, or .* with Fe"
        ):
            read_meam("library_2nn.meam", "MoCoNiVFeAlCr_2nn.meam", "Fe", names, name)

    @pytest.mark.parametrize(
        ("text", "element", "message"),
        [
            # Ni and Co have the mass of iron within a tenth, too.
            (RECORD, "Ni", "line 1, record mine: ielement is 26, expected 28, that of the `element` Ni"),
            (RECORD.replace(" 26 ", " 1 "), "Cu", r"atwt is 55\.845, expected some 63\.55, that of the `element` Cu"),
            (RECORD.replace(" 26 ", " 1 "), "H", r"record mine: atwt is 55\.845, expected some 1\.01"),
            (RECORD, "fe", "the `element` is 'fe', expected a chemical symbol"),
        ],
    )
    def test_a_record_by_another_name(self, read, text, element, message):
        text = text.replace("Fe", "mine")
        with pytest.raises(PotentialError, match=message):
            read(text, element=element, names=["mine"], name="mine")
        assert read(text, "zbl(1,1) = 0", names=["mine"], name="mine").element == "Fe"

    def test_numbers_of_records_that_have_none(self, read):
        assert read(RECORD.replace(" 26 ", " 0 "), "zbl(1,1) = 0").atomic_number == 0
        with pytest.raises(
            NotAnalyticError, match="library.meam, line 1, record Fe: ielement is 0, expected the atomic"
        ):
            read(RECORD.replace(" 26 ", " 0 "), "rc = 4")

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            (
                RECORD.replace("'bcc' 8", "'dia' 4"),
                "line 1, record Fe: lat is 'dia': .* reference lattice dia have no analytic Hessian",
            ),
            (RECORD.replace("-5", "-5 1"), "line 1, record Fe: has 20 words up to the end of a line, expected 19"),
            (
                RECORD.replace(" 26 ", " 0 "),
                "ielement is 0, expected the atomic number, 26, as nuclei repel each other",
            ),
        ],
    )
    def test_what_lammps_has_and_this_has_not(self, read, energy_of_lammps, text, message):
        with pytest.raises(NotAnalyticError, match=message):
            read(text)
        assert energy_of_lammps() < 0

    @pytest.mark.parametrize(
        ("names", "message"),
        [
            (["Fe", "Xx"], "library.meam: holds no record Xx; those are Fe"),
            (["Fe", "Cr", "Fe"], "Fe is there twice among the records Fe Cr Fe; LAMMPS takes each once"),
        ],
    )
    def test_lammps_wants_all_names_once(self, read, energy_of_lammps, names, message):
        with pytest.raises(PotentialError, match=message):
            read(names=names)
        with pytest.raises(VibentropyError, match="missing: Xx|same element from MEAM library twice"):
            energy_of_lammps(names)

    @pytest.mark.parametrize("header", ["# UNITS: real\n", "\n# DATE: 2020-02-02 UNITS: real CONTRIBUTOR: me\n"])
    def test_other_units_are_refused(self, read, energy_of_lammps, header):
        line = 1 + header.startswith("\n")
        with pytest.raises(PotentialError, match=f"library.meam, line {line}: the units are real, expected metal"):
            read(header + RECORD)
        with pytest.raises(VibentropyError, match="requires real units"):
            energy_of_lammps()
        with pytest.raises(PotentialError, match=f"fe.meam, line {line}: the units are real, expected metal"):
            read(parameters=header + "rc = 4")
        with pytest.raises(VibentropyError, match="requires real units"):
            energy_of_lammps()

    @pytest.mark.parametrize("header", ["# UNITS: metal\n", "# UNITS:\n", "# iron\n# UNITS: real\n"])
    def test_other_headers_are_comments(self, read, energy_of_lammps, header):
        assert read(header + RECORD, header + "rc = 4.0") == IRON
        assert energy_of_lammps() < 0

    def test_libraries_of_the_wheel_for_another_style(self):
        with pytest.raises(PotentialError, match="library.msmeam, line .*, record Ga4: has 25 .* pair_style meam/ms"):
            read_meam("library.msmeam", None, "Ga", ["Ga4"], "Ga4")

    def test_a_name_that_is_nearly_right(self):
        with pytest.raises(PotentialError, match="holds no record Ni7 .did you mean 'Ni'.*; those are AlS, SiS"):
            read_meam("library.meam", None, "Ni", ["Ni7"], "Ni7")

    def test_a_file_that_is_not_there(self):
        with pytest.raises(PotentialError, match="nowhere.meam: no such file"):
            read_meam("nowhere.meam", None, "Fe", ["Fe"], "Fe")


class TestParameterFile:
    def test_every_key(self, read):
        text = """
            # a comment
            rc = 4.5
            delr=0.2   # another one
            augt1 = 0
            gsmooth_factor = 50
            ialloy = 2
            mixture_ref_t = 1
            erose_form = 2
            emb_lin_neg = 1
            bkgd_dyn = 1
            rho0(1) = 1.5
            Ec(1,1) = 4.1
            delta(1,1) = 7
            alpha(1, 1) = 5.2
            re(1,1) = 2.5
            lattce(1,1) = 'fcc'
            nn2(1,1) = 1
            attrac(1,1) = 0.05
            repuls(1,1) = 0.06
            zbl(1,1) = 0
            theta(1,1) = 100
            Cmin(1,1,1) = 0.36
            Cmax(1,1,1) = 2.7
        """
        assert read(parameters=text) == replace(
            IRON,
            **{"rc": 4.5, "delr": 0.2, "augt1": 0, "gsmooth_factor": 50.0, "ialloy": 2, "mixture_ref_t": 1},
            **{"erose_form": 2, "emb_lin_neg": 1, "bkgd_dyn": 1, "rho0": 1.5, "Ec": 4.1, "alpha": 5.2, "re": 2.5},
            **{"lattice": "fcc", "nn2": 1, "attrac": 0.05, "repuls": 0.06, "zbl": 0, "Cmin": 0.36, "Cmax": 2.7},
        )

    def test_other_elements_are_of_no_concern(self, read):
        text = "Ec(1,1) = 9\nEc(1,2) = 9\nCmin(2,2,1) = 9\nlattce(1,2) = 'l12'\nEc(2,2) = 4.4\nCmin(2,2,2) = 1"
        parameters = read(RECORD.replace("Fe", "Cr") + RECORD, text, ["Cr", "Fe"])
        assert parameters == replace(IRON, Ec=4.4, Cmin=1.0)

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("rc = 4\nrcut = 4", "fe.meam, line 2: LAMMPS knows no 'rcut' .did you mean 'rc'"),
            ("cmin(1,1,1) = 4", "knows no 'cmin' .did you mean 'Cmin'"),
            ("rc", "found 'rc', expected `rc = value`"),
            ("Ec(1) = 4", r"expected `Ec\(i,j\) = value`"),
            ("Cmax(1,1) = 4", r"expected `Cmax\(i,j,k\) = value`"),
            ("Ec(2,2) = 4", "Ec is of element 2, but pair_coeff names 1: Fe"),
            ("Ec(Fe,Fe) = 4", "Ec is of element Fe, but pair_coeff names 1: Fe"),
            ("Ec(0,1) = 4", "Ec is of element 0, but pair_coeff names 1: Fe"),
            ("rc = four", "rc is 'four', expected a finite number"),
            ("rc = 4_0", "rc is '4_0', expected a finite number"),
            ("\n\nrc = 0", "fe.meam, line 3: rc is 0, expected a positive number"),
            ("rc = 4\nEc(1,1) = -1", "fe.meam, line 2: Ec is -1, expected a positive number"),
            ("Cmin(1,1,1) = 2.8", "fe.meam: Cmin is 2.8 and Cmax 2.8, expected Cmin below Cmax"),
            ("lattce(1,1) = 'xyz'", "line 1: lattce is 'xyz', expected one of bcc"),
            # LAMMPS crashes with this one.
            ("lattce(1,1) = 'l12'", "line 1: lattce is 'l12', expected one of bcc"),
            ('lattce(1,1) = "bcc"', "lattce is '\"bcc\"' .did you mean 'bcc'"),
        ],
    )
    def test_what_is_wrong_is_said_with_its_place(self, read, text, message):
        with pytest.raises(PotentialError, match=message) as caught:
            read(parameters=text)
        assert not isinstance(caught.value, NotAnalyticError)

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("lattce(1,1) = 'dia'", "fe.meam, line 1: lattce is 'dia': .* no analytic Hessian"),
            ("\nnn2(1,1) = 2", "fe.meam, line 2: nn2 is 2, which has no analytic Hessian here; 0, 1 have"),
            ("nn2(1,1) = 0.5", "nn2 is 0.5, which"),
            ("augt1 = 2", "augt1 is 2, which has no analytic Hessian here; 0, 1 have"),
            ("erose_form = 3", "erose_form is 3, which has no analytic Hessian here; 0, 1, 2 have"),
            ("Cmin(1,1,1) = -0.5", "line 1: Cmin is -0.5, and negative ones have no analytic Hessian here"),
            ("rc(1) = 4.2", "line 1: found 'rc.1. = 4.2', expected `rc = value`"),
            ("Ec(1,1,1) = 4.2", r"line 1: found 'Ec.1,1,1. = 4.2', expected `Ec\(i,j\) = value`"),
        ],
    )
    def test_what_lammps_has_and_this_has_not(self, read, energy_of_lammps, text, message):
        with pytest.raises(NotAnalyticError, match=message):
            read(parameters=text)
        assert energy_of_lammps() < 0

    def test_two_densities_of_reference(self, read):
        text, record = "ialloy = 1\nmixture_ref_t = 1", RECORD.replace("'bcc' 8", "'hcp' 12")
        with pytest.raises(NotAnalyticError, match="fe.meam: .* hcp two densities of reference"):
            read(record.replace("-5", "3"), text)
        # Without G there is one.
        assert read(record, text).mixture_ref_t


class TestCommands:
    def test_the_words_of_pair_coeff(self):
        assert read_pair_style("meam", ["* * library.meam Mo Fe 'my file.meam' Fe"]) == (
            *("library.meam", ["Mo", "Fe"], "my file.meam", "Fe"),
        )
        assert read_pair_style("meam", ["* * library.meam Fe NULL Fe"]).parameters is None

    @pytest.mark.parametrize(
        ("style", "lines", "message"),
        [
            ("meam", [], "takes one line of pair_coeff, found 0"),
            ("meam", ["* * l Fe f Fe", "* * l Fe f Fe"], "takes one line of pair_coeff, found 2"),
            ("meam", ["1 1 l Fe f Fe"], "expected `. . library elements parameter-file element`"),
            ("meam", ["* * l Fe Fe"], "with NULL in place of the parameter file"),
            ("meam", ["* * l Mo Fe f Fr"], "the last word, 'Fr', .* one of Mo Fe, .* the parameter file, .* 'f'"),
            ("meam", ["* * l Fe NULL Fe extra"], "the last word, 'extra', .* one of Fe NULL, .* last but one, 'Fe'"),
            ("meam", ["* * l Fe Cr f Fe Cr"], "names several types of atoms, Fe and Cr, expected one; type Cr alone"),
            ("meam", ["* * l Fe 'f Fe"], "No closing quotation"),
            ("meam 4.0", ["* * l Fe f Fe"], "takes no arguments, found '4.0'"),
        ],
    )
    def test_others_are_refused(self, style, lines, message):
        with pytest.raises(PotentialError, match=message) as caught:
            read_pair_style(style, lines)
        assert not isinstance(caught.value, NotAnalyticError)

    @pytest.mark.parametrize("style", ["meam/spline", "meam/sw/spline", "meam/ms", "meam/kk", "eam/fs"])
    def test_other_styles_are_refused_by_name(self, style):
        with pytest.raises(NotAnalyticError, match=f"pair_style {style} has no analytic Hessian here, only meam has"):
            read_pair_style(style, ["* * l Fe f Fe"])

    def test_quotes_hold_words_together(self):
        assert words_of("a 'b c' \"d\"") == ["a", "b c", "d"]


@pytest.mark.parametrize(
    "changes", [{}, {"lattice": "fcc", "Cmin": 0.81, "rc": 4.8, "attrac": 0.05, "zbl": 0, "ibar": 3}]
)
def test_what_is_written_is_read(read, energy_of_lammps, tmp_path, changes):
    written = replace(IRON, **changes)
    write_meam(tmp_path / "library.meam", tmp_path / "fe.meam", written, f"{FORCE_LAW} of 3 relaxed cells")
    assert all(map(is_force_law, (tmp_path / "library.meam", tmp_path / "fe.meam")))
    found = read_meam(tmp_path / "library.meam", tmp_path / "fe.meam", "Fe", ["Fe"], "Fe")
    for key, value in vars(written).items():
        assert getattr(found, key) == (value if isinstance(value, str) else pytest.approx(value, rel=1e-11)), key
    if not changes:
        expected = energy_of_lammps()
        read(parameters="attrac(1,1) = 0.0")
        assert energy_of_lammps() == pytest.approx(expected, abs=1e-9)
