import copy
from pathlib import Path

import numpy as np
import pytest
import yaml

from vibentropy.descriptors import LocalDescriptor
from vibentropy.errors import ConfigError
from vibentropy.run.build_check import check_build
from vibentropy.run.config import validate
from vibentropy.run.settings import Config

ROOT = Path(__file__).resolve().parents[2]
TINY = yaml.safe_load((ROOT / "workflow/configs/tiny.yaml").read_text(encoding="utf-8"))
MEAM = {
    "pair_style": "meam",
    "pair_coeff": ["* * library_2nn.meam Mo Co Ni V Fe Al Cr MoCoNiVFeAlCr_2nn.meam Fe"],
    "element": "Fe",
}
EMT = {"calculator": "ase.calculators.emt.EMT", "element": "Fe"}


class Unfinished(LocalDescriptor):
    def __init__(self, species=None):
        self.species = species


class Placed(LocalDescriptor):
    """Its parameters are called as arguments of functions often are."""

    feature_names = ("number",)

    def __init__(self, place="here", build=1, name="x", arguments=None, parameters=None, species=None):
        self.place, self.build, self.name = place, build, name
        self.arguments, self.parameters, self.species = arguments, parameters, species

    def _blocks(self, atoms):
        yield slice(None), np.ones((len(atoms), 1))


def checked(**changes):
    config = validate(copy.deepcopy(TINY) | changes)
    check_build(Config.from_block(config))
    return config


def test_configurations_that_ship_pass():
    for path in [ROOT / "config.yaml", *sorted((ROOT / "workflow/configs").glob("*.yaml"))]:
        if path.name != "published.yaml":  # The arrays that it reads do not ship.
            config = yaml.safe_load(path.read_text(encoding="utf-8"))
            check_build(Config.from_block(validate(config)))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"regressors": {"mine": {"kind": "no.such.Regressor"}}}, r"regressors\.mine: .*no"),
        ({"regressors": {"mine": {"kind": "sklearn.linear_model.HuberRegressor", "epsilonn": 2}}}, "epsilonn"),
        ({"regressors": {"mine": {"kind": "sklearn.linear_model.Ridge", "alpha": -3}}}, r"regressors\.mine"),
        (
            {"regressors": {"mine": {"kind": "sklearn.neighbors.KNeighborsRegressor"}}},
            r"regressors\.mine: KNeighborsRegressor has no coef_ .*only linear regressors",
        ),
        ({"regressors": {"mine": {"kind": "sklearn.svm.SVR"}}}, r"regressors\.mine: SVR has no coef_"),
        (
            {"regressors": {"mine": {"kind": "sklearn.svm.SVR", "kernel": "linear"}}},
            r"regressors\.mine: the predictions of SVR are not its coef_ times the features",
        ),
        ({"descriptors": {"mine": {"kind": "no.such.Descriptor"}}}, r"descriptors\.mine: .* cannot be imported"),
        ({"descriptors": {"mine": {"kind": f"{__name__}.Unfinished"}}}, "does not implement _blocks, feature_names"),
        ({"descriptors": {"mine": {"kind": "afs", "r_cut": 50.0}}}, r"descriptors\.mine\.r_cut"),
        (
            {"descriptors": {"mine": {"kind": "hessian_moments", "potential": {"file": "no.eam.fs", "element": "Fe"}}}},
            r"descriptors\.mine: .*no\.eam\.fs: no such file",
        ),
        (
            {"descriptors": {"mine": {"kind": "hessian_moments", "potential": EMT}}},
            r"descriptors\.mine\.potential: exactly one of the keys file, pair_style is expected",
        ),
        (
            {"descriptors": {"mine": {"kind": "hessian_moments", "potential": MEAM | {"pair_coeff": ["* * a b c d"]}}}},
            r"descriptors\.mine: .*the last word, 'd', is the element of the atoms",
        ),
        ({"descriptors": {"mine": {"kind": "hessian_clusters"}}}, r"descriptors\.mine: missing key 'potential'"),
        ({"potential": {"file": "FeP_mm.eam.fs", "element": "Ni"}}, "potential: .* holds Fe, P, not Ni"),
        (
            {"potential": {"element": "Fe"}},
            "potential: exactly one of the keys file, pair_style, calculator is expected",
        ),
        ({"potential": MEAM | {"file": "a"}}, "potential: exactly one of the keys file, pair_style, calculator"),
        ({"potential": {"pair_style": "meam", "element": "Fe"}}, "potential: missing key 'pair_coeff'"),
        ({"potential": MEAM | {"pair_coeff": ['* * "my.meam Fe']}}, "potential: .*No closing quotation"),
        ({"potential": MEAM | {"stp": 0.01}}, r"potential: unknown key 'stp' \(did you mean 'step'\?\)"),
        ({"potential": MEAM | {"step": 0}}, r"potential\.step: 0 is less than or equal to the minimum of 0"),
        ({"potential": EMT | {"calculator": "EMT"}}, r"potential\.calculator: found 'EMT', expected a match"),
        ({"potential": MEAM | {"pair_style": "meem"}}, "potential: LAMMPS stopped at 'pair_style meem'"),
        (
            {"potential": MEAM | {"pair_coeff": ["* * no.meam Fe NULL Fe"]}},
            "potential: no.meam: no such file",
        ),
        (
            {"potential": MEAM | {"pair_coeff": ["* * no.meam Fe NULL Fe"], "hessian": "finite_differences"}},
            "potential: LAMMPS stopped at 'pair_coeff .* Cannot open",
        ),
        ({"potential": MEAM | {"hessian": "exact"}}, r"potential\.hessian: found 'exact', expected one of auto"),
        (
            {"potential": MEAM | {"pair_style": "sw", "hessian": "analytic"}},
            "potential: pair_style sw has no analytic Hessian here, only meam has; use finite differences",
        ),
        ({"potential": EMT | {"calculator": "no.such.EMT"}}, "potential: the calculator 'no.such.EMT' cannot be built"),
        ({"potential": EMT}, "potential: EMT failed: .*Fe"),
        ({"lattice": {"structure": "bcc", "a": 4.5}}, r"lattice\.a 4\.5 .* bcc Fe with a = 2\.855312 Å"),
        ({"evaluation": {"folds": 20}}, r"evaluation\.folds: 20 folds of 8 training trajectories"),
    ],
)
def test_what_cannot_work_shows_before_anything_runs(changes, message):
    with pytest.raises(ConfigError, match=message):
        checked(**changes)


def test_parameters_may_have_any_name():
    names = {"place": "there", "build": 2, "name": "y", "arguments": [1], "parameters": {"a": 1}}
    assert checked(descriptors={"mine": {"kind": f"{__name__}.Placed"} | names})
    with pytest.raises(ConfigError, match=r"descriptors\.mine: .*no parameter 'plaze' .did you mean 'place'"):
        checked(descriptors={"mine": {"kind": f"{__name__}.Placed", "plaze": 1}})


def test_linear_regressors_of_others_pass():
    """The last one needs more features than it is tried on."""
    others = [
        {"kind": "sklearn.linear_model.HuberRegressor"},
        {"kind": "sklearn.linear_model.RidgeCV"},
        {"kind": "sklearn.linear_model.OrthogonalMatchingPursuit", "n_nonzero_coefs": 20},
    ]
    checked(regressors={f"mine_{number}": block for number, block in enumerate(others)})


def test_potentials_that_are_not_tables_pass():
    assert checked(potential=MEAM)["potential"]["step"] == 0.01
    lattice = {"structure": "fcc", "a": 3.6}
    assert checked(potential=EMT | {"element": "Cu"}, lattice=lattice)["potential"]["parameters"] == {}


@pytest.mark.parametrize(
    ("defect", "message"),
    [
        ({"vacancies": 60, "trajectories": 4}, "60 vacancies in a cell of 54 sites"),
        ({"vacancies": 3, "radius": 1.0, "trajectories": 4}, r"radius: a sphere of 1\.0 Å holds 0\.4 sites"),
        ({"trajectories": 4}, "neither interstitials nor vacancies"),
    ],
)
def test_defects_that_do_not_fit_are_refused(defect, message):
    datasets = copy.deepcopy(TINY["datasets"])
    datasets["train"]["recipe"]["defects"]["mine"] = defect
    with pytest.raises(ConfigError, match=message):
        checked(datasets=datasets)


def test_the_same_file_cannot_train_and_test(tmp_path):
    path = tmp_path / "a.xyz"
    path.write_text("")
    entropy = {"key": "S", "unit": "k_B", "kind": "formation"}
    one = {"files": [str(path)], "reference": str(path), "entropy": entropy}
    (tmp_path / "b").mkdir()
    other = one | {"files": [str(tmp_path / "b/../a.xyz")]}
    with pytest.raises(ConfigError, match="must not be trained on"):
        checked(datasets={"train": {"role": "train", **one}, "test": {"role": "test", **other}})
