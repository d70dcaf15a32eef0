import inspect
import sys
from pathlib import Path

import numpy as np
import pytest
import yaml
from ase.build import bulk

import vibentropy
from vibentropy import Potential, load_potential
from vibentropy.errors import ConfigError, NotAnalyticError, PotentialError, VibentropyError
from vibentropy.potentials.ase_engine import AseEngine
from vibentropy.potentials.finite_differences import FiniteDifferencePotential
from vibentropy.potentials.from_config import (
    has_hessian,
    identity,
    is_analytic,
    is_tabulated,
    potential_files,
    start_engine,
)
from vibentropy.potentials.meam.potential import Meam

ROOT = Path(__file__).parents[2]
MEAM = {
    "pair_style": "meam",
    "pair_coeff": ["* * library_2nn.meam Mo Co Ni V Fe Al Cr MoCoNiVFeAlCr_2nn.meam Fe"],
    "element": "Fe",
    "step": 0.005,
}
DIFFERENCES = {"hessian": "finite_differences"}
#: Silicon, whose reference lattice is not among those with an analytic Hessian.
SILICON = {"pair_style": "meam", "pair_coeff": ["* * library.meam Si SiC.meam Si"], "element": "Si"}
EMT = {"calculator": "ase.calculators.emt.EMT", "parameters": {}, "element": "Cu", "step": 0.01}
EAM = {"file": "Cu_mishin1.eam.alloy", "element": "Cu"}


def test_kind_follows_from_the_keys(iron, fine_table):
    assert isinstance(load_potential(**EAM), Potential)
    atoms = bulk("Fe", cubic=True) * 3
    atoms.rattle(0.05, seed=1)
    with start_engine({"file": "FeP_mm.eam.fs", "element": "Fe"}, fine_table) as engine:
        np.testing.assert_allclose(engine.energy_and_forces(atoms)[1], iron.energy_and_forces(atoms)[1], atol=1e-8)
        assert engine.handover > 1e-3
    for specification, crystal in ((MEAM | DIFFERENCES, atoms), (EMT, bulk("Cu", cubic=True))):
        potential = load_potential(**specification)
        with start_engine(specification) as engine:
            np.testing.assert_array_equal(engine.energy_and_forces(crystal)[1], potential.energy_and_forces(crystal)[1])
            assert engine.handover < 1e-5
        assert potential.elements == (specification["element"],)


def test_meam_is_analytic_wherever_it_can_be():
    atoms = bulk("Fe", cubic=True) * 3
    atoms.rattle(0.05, seed=1)
    potential = load_potential(**MEAM)
    assert isinstance(potential, Meam)
    assert isinstance(load_potential(**MEAM | {"hessian": "analytic"}), Meam)
    assert is_analytic(MEAM)
    assert not is_tabulated(MEAM)
    with start_engine(MEAM) as engine:
        # LAMMPS interpolates the pair potential.
        np.testing.assert_allclose(engine.energy_and_forces(atoms)[1], potential.energy_and_forces(atoms)[1], atol=1e-6)
        assert engine.handover > 1e-3
    assert isinstance(load_potential(**MEAM | DIFFERENCES), FiniteDifferencePotential)
    assert not is_analytic(MEAM | DIFFERENCES)
    # A pair style or a lattice that is not covered takes finite differences, as it always has.
    for other in (SILICON, MEAM | {"pair_style": "meam/spline"}):
        assert isinstance(load_potential(**other), FiniteDifferencePotential)
        assert not is_analytic(other)
        with pytest.raises(NotAnalyticError, match="; use finite differences: `hessian: finite_differences`"):
            load_potential(**other, hessian="analytic")
    # There is something better.
    setfl = {"pair_style": "eam/fs", "pair_coeff": ["* * FeP_mm.eam.fs Fe"], "element": "Fe"}
    with pytest.raises(NotAnalyticError, match="only meam has; name its setfl file by `file`"):
        load_potential(**setfl, hessian="analytic")


def test_files_are_read_once_as_long_as_they_are_the_same(tmp_path):
    library, parameters = tmp_path / "fe.library.meam", tmp_path / "fe.meam"
    for path in (library, parameters):
        path.write_bytes(Path(f"{ROOT}/data/potentials/Fe_Etesami_2018.{path.name.partition('.')[2]}").read_bytes())
    named = {"pair_style": "meam", "pair_coeff": [f"* * {library} Fe {parameters} Fe"], "element": "Fe"}
    potential = load_potential(**named)
    assert load_potential(**named) is potential
    assert is_analytic(named)
    parameters.write_text(parameters.read_text(encoding="utf-8") + "\nrc = 4.25\n", encoding="utf-8")
    assert load_potential(**named).r_cut == 4.25
    parameters.write_text("rcut = 4\n", encoding="utf-8")
    # What is wrong is for whoever needs the potential to say.
    assert is_analytic(named)
    for use in (lambda: load_potential(**named), lambda: start_engine(named)):
        with pytest.raises(PotentialError, match="fe.meam, line 1: LAMMPS knows no 'rcut'"):
            use()


def test_hessians_of_calculators_are_asked_for(fine_table):
    of = {"calculator": "matscipy.calculators.eam.EAM", "parameters": {"fn": str(fine_table)}, "element": "Fe"}
    assert has_hessian(of)
    assert has_hessian(of | {"hessian": "analytic"})
    assert not has_hessian(of | DIFFERENCES)
    assert not has_hessian(EMT)
    assert not has_hessian(EMT | {"calculator": "no.such.Calculator"})
    assert has_hessian(MEAM)
    # It is neither sparse nor cheap as far as anybody knows.
    assert not is_analytic(of)
    # The step is none of its labels, and neither is a time limit.
    assert identity(of) == identity(of | {"step": 0.02, "hessian": "analytic", "coupling_range": 9, "timeout_s": 60})
    assert identity(of) != identity(of | DIFFERENCES)
    assert identity(EMT) == identity(EMT | DIFFERENCES | {"timeout_s": 60})


def test_labels_by_differences_and_analytic_ones_are_told_apart():
    assert identity(MEAM) == identity(MEAM | {"hessian": "analytic", "step": 0.01})
    assert identity(MEAM | DIFFERENCES) != identity(MEAM)
    # What files say that were written before there was a choice.
    assert "hessian" not in identity(MEAM | DIFFERENCES)
    assert '"hessian"' not in identity(EAM)


def test_keywords_are_the_keys_of_the_configuration():
    schema = yaml.safe_load((ROOT / "workflow/schemas/config.schema.yaml").read_text(encoding="utf-8"))["$defs"]
    keys = {key for block in schema["potentials"].values() for key in block["properties"]}
    # How many processes share the work is no property of the potential, and no part of what its labels are of.
    assert inspect.signature(load_potential).parameters.keys() == keys | {"processes"}
    values = {"hessian": "auto", "parameters": {}, "step": 0.01, "coupling_range": 9, "timeout_s": 60}
    for kind, block in schema["potentials"].items():
        for key in values.keys() - block["properties"].keys():
            with pytest.raises(ConfigError, match=f"named by {kind} has no {key}: leave it out"):
                load_potential(**{kind: "no.such", "element": "Cu", key: values[key]})
    with load_potential(**EMT | {key: value for key, value in values.items() if key != "parameters"}).engine as engine:
        assert engine._timeout_s == 60


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"pair_style": "meam"}, "one of file, pair_style and calculator, found .'file', 'pair_style'."),
        ({"file": None}, "one of file, pair_style and calculator, found none"),
        ({"file": None, "pair_style": "meam"}, "pair_style meam needs its pair_coeff"),
        ({"hessian": "finite"}, "hessian is 'finite', expected auto, analytic or finite_differences"),
        (DIFFERENCES, "the Hessian of a file is analytic; for finite differences name it by pair_style"),
        ({"timeout_s": 60}, "named by file has no timeout_s: leave it out$"),
        (MEAM | {"file": None, "timeout_s": -1}, "timeout_s is -1, expected a number above 0, in s"),
        (EMT | {"file": None, "coupling_range": 0}, "coupling_range is 0, expected a number above 0, in Å"),
        (EMT | {"file": None, "timeout_s": float("inf")}, "timeout_s is inf, expected a number above 0"),
        ({"hessian": "auto"}, "named by file has no hessian: leave it out; the Hessian of a file is analytic"),
        (
            {"pair_coeff": ["x"], "parameters": {}, "step": 0.01},
            "named by file has no pair_coeff and no parameters and no step: leave it out$",
        ),
        (MEAM | {"file": None, "parameters": "fe.meam"}, "named by pair_style has no parameters: leave it out"),
        (EMT | {"file": None, "pair_coeff": ["x"]}, "named by calculator has no pair_coeff: leave it out"),
        (MEAM | {"file": None, "step": -1}, "step is -1, expected a number above 0, in Å"),
        (EMT | {"file": None, "step": 0.0}, r"step is 0\.0, expected a number above 0"),
        (EMT | {"file": None, "step": "a"}, r"step is 'a', expected a number above 0"),
        (MEAM | {"file": None, "pair_coeff": "* * a b c d"}, "needs its pair_coeff, a list of lines, found '. . a b c"),
        ({"element": "iron"}, "element is 'iron' .did you mean 'Fe'.., expected a chemical symbol"),
        ({"element": "fe"}, "element is 'fe' .did you mean 'Fe'.., expected a chemical symbol"),
        (MEAM | {"file": None, "element": "Xx"}, "element is 'Xx', expected a chemical symbol"),
        (EMT | {"file": None, "element": "X"}, "element is 'X' .*, expected a chemical symbol"),
    ],
)
def test_what_does_not_go_together_is_refused(changes, message):
    with pytest.raises(ConfigError, match=message):
        vibentropy.load_potential(**EAM | changes)


def test_cohesion_is_that_which_the_file_states():
    # Ec of the fifth element in MoCoNiVFeAlCr_2nn.meam; re of bcc iron is 2.480 Å.
    crystal = bulk("Fe", "bcc", a=2.48 * 2 / np.sqrt(3))
    assert load_potential(**MEAM).energy_and_forces(crystal)[0] == pytest.approx(-4.29, abs=1e-3)


def test_files_of_commands_are_found(tmp_path, monkeypatch):
    names = [path.rpartition("/")[2] for path in potential_files(MEAM)]
    assert names == ["library_2nn.meam", "MoCoNiVFeAlCr_2nn.meam"]
    assert [path.rpartition("/")[2] for path in potential_files(EAM)] == ["Cu_mishin1.eam.alloy"]
    assert potential_files(EMT) == []
    with pytest.raises(PotentialError, match="no such file.*of that name$"):
        potential_files({"file": "nowhere", "element": "Cu"})
    # One letter short, and in a folder where it is not.
    for name in ("Cu_mishin1.eam.allo", "potentials/Cu_mishin1.eam.alloy"):
        with pytest.raises(PotentialError, match=r"no such file.* \(did you mean 'Cu_mishin1\.eam\.alloy'\?\)"):
            potential_files({"file": name, "element": "Cu"})
    # A file of one's own, in a folder with a space.
    monkeypatch.chdir(tmp_path)
    (tmp_path / "my files").mkdir()
    load_potential(**EAM).write_setfl(tmp_path / "my files/copper.eam")
    own = {"pair_style": "eam/alloy", "pair_coeff": ['* * "my files/copper.eam" Cu'], "element": "Cu", "step": 0.01}
    assert potential_files(own) == [str(tmp_path / "my files/copper.eam")]
    atoms = bulk("Cu", cubic=True) * 2
    assert load_potential(**own).energy_and_forces(atoms)[0] == pytest.approx(
        load_potential(**EAM).energy_and_forces(atoms)[0], abs=1e-9
    )


def test_files_of_calculators_are_those_that_parameters_name(tmp_path, monkeypatch):
    """Another model under the same name gives other labels."""
    monkeypatch.chdir(tmp_path)
    for name in ("my.model", "other.model"):
        (tmp_path / name).write_text(name)
    of = EMT | {"parameters": {"models": ["my.model", "other.model"], "device": "cpu", "deeper": {"again": "my.model"}}}
    assert potential_files(of) == ["my.model", "other.model"]
    before = identity(of)
    (tmp_path / "other.model").write_text("fitted anew")
    assert identity(of) != before


@pytest.mark.parametrize(
    ("style", "line", "element", "found"),
    [("eam/alloy", "* * Cu_mishin1.eam.alloy Cu Cu", "Cu", "Cu Cu"), ("tersoff", "* * SiC.tersoff C", "Si", "C")],
)
def test_lines_of_another_element_are_refused(style, line, element, found):
    """LAMMPS would take carbon for silicon without a word."""
    with pytest.raises(ConfigError, match=f" ends with {found}, expected {element} there"):
        load_potential(pair_style=style, pair_coeff=[line], element=element)


@pytest.mark.parametrize(
    ("style", "line"),
    [
        ("eam/alloy", "* * Cu_mishin1.eam.alloy"),
        ("eam/alloy", "* * Cu_mishin1.eam.alloy Cu NULL"),
        ("lj/cut 5", "* * 0.4"),
    ],
)
def test_lines_with_other_numbers_of_words_are_explained(style, line):
    potential = load_potential(pair_style=style, pair_coeff=[line], element="Cu")
    with pytest.raises(
        VibentropyError,
        match="LAMMPS stopped at 'pair_coeff (?s:.*); a line is `. .` and what the pair style wants for one type",
    ):
        potential.energy_and_forces(bulk("Cu"))


@pytest.mark.parametrize(
    ("file", "element", "message"),
    [
        ("FeCr.cdeam", "Fe", "FeCr.cdeam: concentration-dependent embedded atoms .eam/cd. cannot be used: LAMMPS"),
        ("PdHHe.eam.he", "Pd", "files of eam/he are not read; use .* `pair_coeff: .'. . PdHHe.eam.he Pd'.`"),
    ],
)
def test_formats_that_are_not_read_are_named(file, element, message):
    with pytest.raises(NotAnalyticError, match=message):
        load_potential(file=file, element=element)


def test_format_that_is_not_read_works_as_it_says():
    potential = load_potential(pair_style="eam/he", pair_coeff=["* * PdHHe.eam.he Pd"], element="Pd")
    # Cohesive energy of palladium in eV.
    assert potential.energy_and_forces(bulk("Pd"))[0] == pytest.approx(-3.91, abs=0.02)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"pair_style": "meeam"}, "LAMMPS stopped at 'pair_style meeam'.*meeam"),
        (
            DIFFERENCES | {"pair_coeff": ["* * library_2nn.meam Fe nowhere.meam Fe"]},
            "LAMMPS stopped at 'pair_coeff .*nowhere.meam",
        ),
    ],
)
def test_lammps_says_what_is_wrong(changes, message):
    with pytest.raises(VibentropyError, match=message):
        load_potential(**MEAM | changes).energy_and_forces(bulk("Fe"))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"calculator": "ase.calculators.emt.ETM"}, "'ase.calculators.emt.ETM' cannot be built: AttributeError"),
        ({"calculator": "EMT"}, "calculator 'EMT': expected the dotted path of a class: ase.calculators.emt.EMT"),
        ({"calculator": "no.such.Calculator"}, "'no.such.Calculator' cannot be built: ModuleNotFoundError"),
        ({"calculator": "ase.calculators.eam.EAM", "parameters": {"potential": "nowhere"}}, "FileNotFoundError"),
        ({"calculator": "pathlib.Path"}, "PosixPath is not a calculator of ASE: it has no method get_forces"),
    ],
)
def test_what_is_no_calculator_is_refused(changes, message):
    with pytest.raises(ConfigError, match=message):
        load_potential(**EMT | changes)


def test_calculators_that_are_not_installed_say_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "mace", None)
    with pytest.raises(ConfigError, match=r"ModuleNotFoundError: .*; `pip install mace-torch`"):
        AseEngine.named("mace.calculators.MACECalculator", {})


def test_calculators_refuse_other_elements():
    with pytest.raises(VibentropyError, match="EMT failed: NotImplementedError"):
        load_potential(**EMT | {"element": "Fe"}).energy_and_forces(bulk("Fe"))
