import copy
from pathlib import Path

import pytest
import yaml

from vibentropy.config import validate
from vibentropy.descriptors import LocalDescriptor
from vibentropy.errors import ConfigError
from vibentropy.preflight import check

ROOT = Path(__file__).resolve().parent.parent
TINY = yaml.safe_load((ROOT / "workflow/configs/tiny.yaml").read_text(encoding="utf-8"))


class Unfinished(LocalDescriptor):
    def __init__(self, species=None):
        self.species = species


def checked(**changes):
    config = validate(copy.deepcopy(TINY) | changes, ROOT / "workflow/schemas/config.schema.yaml")
    check(config)
    return config


def test_configurations_that_ship_pass():
    for path in [ROOT / "config.yaml", *sorted((ROOT / "workflow/configs").glob("*.yaml"))]:
        config = yaml.safe_load(path.read_text(encoding="utf-8"))
        check(validate(config, ROOT / "workflow/schemas/config.schema.yaml"))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"regressors": {"mine": {"kind": "no.such.Regressor"}}}, r"regressors\.mine: .*no"),
        ({"regressors": {"mine": {"kind": "sklearn.linear_model.HuberRegressor", "epsilonn": 2}}}, "epsilonn"),
        ({"regressors": {"mine": {"kind": "sklearn.linear_model.Ridge", "alpha": -3}}}, r"regressors\.mine"),
        ({"descriptors": {"mine": {"kind": "no.such.Descriptor"}}}, r"descriptors\.mine: .* cannot be imported"),
        ({"descriptors": {"mine": {"kind": f"{__name__}.Unfinished"}}}, "does not implement _blocks, feature_names"),
        ({"descriptors": {"mine": {"kind": "afs", "r_cut": 50.0}}}, r"descriptors\.mine\.r_cut"),
        ({"potential": {"file": "FeP_mm.eam.fs", "element": "Ni"}}, "potential: .* holds Fe, P, not Ni"),
        ({"lattice": {"structure": "bcc", "a": 4.5}}, r"lattice\.a 4\.5 .* bcc Fe with a = 2\.855312 Å"),
        ({"evaluation": {"folds": 20}}, r"evaluation\.folds: 20 folds of 8 training trajectories"),
    ],
)
def test_what_cannot_work_shows_before_anything_runs(changes, message):
    with pytest.raises(ConfigError, match=message):
        checked(**changes)


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
