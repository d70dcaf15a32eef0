"""Library and parameter files of modified embedded atoms: what is read, and what is refused with the place."""

from dataclasses import replace

import numpy as np
import pytest

from vibentropy.errors import NotAnalyticError, PotentialError
from vibentropy.potentials.meam.files import MeamParameters, read_meam, read_pair_style

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


class TestLibrary:
    def test_a_record_and_the_defaults(self, read):
        assert read() == IRON

    @pytest.mark.parametrize(
        "text",
        [
            RECORD.replace("'", ""),
            RECORD.replace("'", '"'),
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
            ("# nothing\n", "library.meam, element Fe: holds no records, expected some of 19 words: elt lat z"),
            (RECORD.replace("Fe", "Cr"), "element Fe: holds no such record; those are Cr"),
            (RECORD.rsplit(maxsplit=1)[0], "line 1: the last record, Fe, has 18 words, expected 19"),
            (
                "\n" + RECORD.replace("-5", "-5 1"),
                "line 2: the record of Fe does not end with a line after its 19 words",
            ),
            (RECORD.replace("5.13", "5,13"), "alpha is '5,13', expected a finite number"),
            (RECORD.replace("5.13", "nan"), "alpha is 'nan', expected a finite number"),
            (RECORD.replace("5.13", "-5.13"), "alpha is -5.13, expected a positive number"),
            (RECORD.replace("-5\n", "-5.5\n"), "ibar is -5.5, expected an integer"),
            (RECORD.replace("-5\n", "2\n"), "ibar is 2, expected one of 0, 1, 3, 4, -5"),
            (RECORD.replace("bcc", "bbc"), "lat is 'bbc' .did you mean 'bcc'.*expected one of bcc, fcc"),
            (RECORD.replace("'bcc' 8", "'bcc' 12"), "z is 12, expected 8, the neighbours in bcc"),
            (RECORD.replace("1.0 2.77", "2.0 2.77"), "t0 is 2.0, expected 1"),
        ],
    )
    def test_what_is_wrong_is_said_with_its_place(self, read, text, message):
        with pytest.raises(PotentialError, match=message):
            read(text)

    def test_another_element(self, read):
        with pytest.raises(PotentialError, match=r"number 26 and weigh 55\.845 u, which is not Cu, the `element`"):
            read(element="Cu")

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            (RECORD.replace("'bcc' 8", "'dia' 4"), "lat is 'dia': .* reference lattice dia have no analytic Hessian"),
            (RECORD.replace("1.2 2.851", "1.2 1 1 1 2.851").replace("0.9 -5", "0 0 0 0.9 -5"), "pair_style meam/ms"),
        ],
    )
    def test_what_lammps_has_and_this_has_not(self, read, text, message):
        with pytest.raises(NotAnalyticError, match=f"(?s){message}.*`hessian: finite_differences`"):
            read(text)

    def test_libraries_of_the_wheel_for_another_style(self):
        with pytest.raises(NotAnalyticError, match="library.msmeam, element Ga: line .*pair_style meam/ms"):
            read_meam("library.msmeam", None, "Ga", ["Ga"], "Ga")

    def test_a_name_that_is_nearly_right(self):
        with pytest.raises(PotentialError, match="holds no such record .did you mean 'Ni'.*; those are AlS, SiS"):
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
            ("rc(1) = 4", "line 1: found 'rc.1. = 4', expected `rc = value`"),
            ("rc", "found 'rc', expected `rc = value`"),
            ("Ec(1) = 4", r"expected `Ec\(i,j\) = value`"),
            ("Cmax(1,1) = 4", r"expected `Cmax\(i,j,k\) = value`"),
            ("Ec(2,2) = 4", "Ec is of element 2, but pair_coeff names 1: Fe"),
            ("Ec(Fe,Fe) = 4", "Ec is of element Fe, but pair_coeff names 1: Fe"),
            ("rc = four", "rc is 'four', expected a finite number"),
            ("nn2(1,1) = 2", "element Fe: nn2 is 2, expected one of 0, 1"),
            ("nn2(1,1) = 0.5", "line 1: nn2 is 0.5, expected an integer"),
            ("erose_form = 3", "erose_form is 3, expected one of 0, 1, 2"),
            ("rc = 0", "rc is 0, expected a positive number"),
            ("Cmin(1,1,1) = 2.8", "Cmin is 2.8 and Cmax 2.8, expected Cmin from 0 and below Cmax"),
            ("lattce(1,1) = 'xyz'", "lattce is 'xyz', expected one of bcc"),
        ],
    )
    def test_what_is_wrong_is_said_with_its_place(self, read, text, message):
        with pytest.raises(PotentialError, match=message) as caught:
            read(parameters=text)
        assert not isinstance(caught.value, NotAnalyticError)

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("lattce(1,1) = 'l12'", "lattce is 'l12'"),
            ("lattce(1,1) = 'hcp'\nialloy = 1\nmixture_ref_t = 1", "hcp two densities of reference"),
        ],
    )
    def test_what_lammps_has_and_this_has_not(self, read, text, message):
        with pytest.raises(NotAnalyticError, match=f"{message}.*`hessian: finite_differences`"):
            read(parameters=text)


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
            ("meam", ["* * l Mo Fe f Fr"], "the last word, 'Fr', .* one of those .* Mo Fe"),
            ("meam", ["* * l Fe 'f Fe"], "No closing quotation"),
            ("meam 4.0", ["* * l Fe f Fe"], "takes no arguments, found '4.0'"),
        ],
    )
    def test_others_are_refused(self, style, lines, message):
        with pytest.raises(PotentialError, match=message):
            read_pair_style(style, lines)

    @pytest.mark.parametrize("style", ["meam/spline", "meam/sw/spline", "meam/ms", "meam/kk", "eam/fs"])
    def test_other_styles_are_refused_by_name(self, style):
        with pytest.raises(NotAnalyticError, match=f"pair_style {style} has no .*`hessian: finite_differences`"):
            read_pair_style(style, ["* * l Fe f Fe"])

    def test_two_elements_are_refused(self):
        with pytest.raises(NotAnalyticError, match="several types of atoms, Fe and Cr: one element is done"):
            read_pair_style("meam", ["* * library.meam Fe Cr fecr.meam Fe Cr"])
