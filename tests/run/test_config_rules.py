"""What a schema cannot say of a configuration: what contradicts what."""

import re

import pytest
import yaml
from example_config import ROOT, SCHEMA, at, problems

from vibentropy.run.config import validate
from vibentropy.sources import published_arrays


def test_published_arrays_are_said_to_be_missing_and_where_they_are():
    config = yaml.safe_load((ROOT / "workflow/configs/published.yaml").read_text())
    names = config["datasets"]["EAM"]["arrays"]
    config["datasets"]["EAM"]["arrays"] |= {key: "no/" + names[key] for key in ("configurations", "entropies", "bulk")}
    assert problems(config) == [
        f"datasets.EAM.arrays.{key}: there is no file 'no/published/{name}'; "
        "it is published at https://github.com/louity/AFS-python"
        for key, name in [
            ("configurations", "configs_EAM.npz"),
            ("entropies", "entropies_EAM.npz"),
            ("bulk", "config_bulk.npy"),
        ]
    ]


def test_classes_of_the_arrays_belong_to_one_data_set(config, tmp_path):
    (tmp_path / "a.npz").touch()
    arrays = dict.fromkeys(("configurations", "entropies", "bulk"), str(tmp_path / "a.npz")) | {"element": "Fe"}
    config["datasets"] = {
        "interstitials": {"role": "train", "arrays": arrays | {"classes": ["I2", "I3"]}},
        "vacancies": {"role": "test", "arrays": arrays | {"classes": ["V4"]}},
    }
    del config["potential"], config["lattice"]
    valid = validate(config, SCHEMA)
    assert valid["datasets"]["vacancies"]["arrays"]["repeat_tolerance"] == published_arrays.REPEAT_TOLERANCE
    assert valid["evaluation"]["split"] == "groups"
    config["datasets"]["vacancies"]["arrays"]["classes"].append("I2")
    (line,) = problems(config)
    assert line.startswith("datasets.vacancies.arrays: I2 of '")
    assert "belongs to interstitials, too" in line


@pytest.mark.parametrize(
    ("defect", "message"),
    [
        ({"shape": "void", "vacancies": 4, "radius": 3.0}, r"I2\.radius: without effect on shape void"),
        ({"shape": "void", "vacancies": 4, "interstitials": 1}, "a void has vacancies and no interstitials"),
        ({"shape": "loop_111", "vacancies": 4}, "has interstitials and no vacancies, found 0 and 4"),
        ({"shape": "c15", "interstitials": 3}, "the smallest C15 clusters are of 2 and 4 interstitials, found 3"),
        ({"mixture": [{"vacancies": 20, "clusters": 7}]}, "140 vacancies in a cell of 250 sites"),
        ({"mixture": [{"vacancies": 2}], "clusters": 3}, "has a mixture, which leaves clusters without effect"),
        ({"mixture": [{"shape": "c15", "vacancies": 2}]}, r"I2\.mixture\[0\]: shape c15 has interstitials"),
        ({"melt": {"radius": 5.0, "temperature": 5000}, "clusters": 2}, "which leaves clusters without effect"),
        ({}, "neither interstitials nor vacancies"),
    ],
)
def test_recipes_that_cannot_be_made(config, defect, message):
    config["datasets"]["train"]["recipe"]["defects"] = {"I2": defect | {"trajectories": 3}}
    (line,) = problems(config)
    assert re.search(message, line)


def test_what_leaves_a_recipe_without_labels_is_refused(config):
    recipe = config["datasets"]["train"]["recipe"]
    recipe["quench"]["max_force"] = 1e-2
    assert "labels.max_force is 0.0001 eV/Å" in problems(config)[0]
    recipe["quench"]["max_force"] = 1e-5
    recipe["strain"] = 0.01
    validate(config, SCHEMA)
    config["lattice"]["structure"] = "diamond"
    assert "a strained diamond crystal is not at rest" in problems(config)[0]
    config["lattice"]["structure"] = "fcc"
    recipe["defects"]["I2+V1"] |= {"shape": "c15", "vacancies": 0, "radius": None}
    assert "c15 clusters are defined in bcc, found lattice.structure fcc" in problems(config)[0]


def test_options_of_labels_need_labels_to_compute(config):
    del config["datasets"]["train"], config["potential"], config["lattice"]
    config["datasets"]["given"]["role"] = "train"
    validate(config, SCHEMA)
    config["labels"]["temperatures"] = [300.0]
    assert "all labels of this run are given" in problems(config)[0]


def test_unknown_elements_are_refused(config):
    config["potential"]["element"] = "Xx"
    assert "potential: element is 'Xx', expected a chemical symbol" in problems(config)


def test_an_archive_trains_or_tests(config, tmp_path):
    (tmp_path / "a.h5").touch()
    whole = {"role": "train", "archive": str(tmp_path / "a.h5")}
    config["datasets"] = {"train": whole | {"classes": ["I2"]}, "test": whole | {"role": "test", "classes": ["V4"]}}
    validate(config, SCHEMA)
    for parts in ((["I2"], ["I2", "V4"]), (None, ["I2"]), (["I2"], None), (None, None)):
        for name, part in zip(("train", "test"), parts, strict=True):
            config["datasets"][name]["classes"] = part
        (line,) = problems(config)
        assert "belongs to train, too: what is tested must not be trained on" in line


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (("datasets", "train", "role"), "test", "datasets: none has the role train"),
        (("potential",), None, "potential: missing, but the entropies of train have to be computed; if files"),
        (("lattice",), None, "lattice: missing, but train is made from a recipe"),
        (("potential", "file"), "Fee.eam.fs", "potential.file: Fee.eam.fs: no such file"),
        (
            ("datasets", "train", "recipe", "defects", "none"),
            {"trajectories": 1},
            "datasets.train.recipe.defects.none: neither interstitials nor vacancies",
        ),
        (("datasets", "given", "files"), ["no/*.xyz"], "datasets.given.files: no file matches 'no/*.xyz'"),
        (("datasets", "given", "reference"), "no.xyz", "datasets.given.reference: there is no file 'no.xyz'"),
        (
            ("descriptors", "afs_3_10", "kind"),
            "affs",
            "descriptors.afs_3_10.kind: found 'affs' (did you mean 'afs'?), expected one of afs",
        ),
        (
            ("regressors", "ridge", "kind"),
            "rigde",
            "regressors.ridge.kind: found 'rigde' (did you mean 'ridge'?), expected one of least_squares, ridge, bayes",
        ),
    ],
)
def test_contradictions_are_named(config, path, value, message):
    at(config, path[:-1])[path[-1]] = value
    (line,) = problems(config)
    assert line.startswith(message)


def test_given_entropies_need_neither_lattice_nor_potential(config):
    del config["datasets"]["train"], config["lattice"], config["potential"]
    config["datasets"]["given"]["role"] = "train"
    valid = validate(config, SCHEMA)
    assert valid["potential"] is None
    valid["datasets"]["given"]["entropy"] = None
    (problem,) = problems(valid)
    assert problem.startswith("potential: missing, but the entropies of given have to be computed; if files")


@pytest.mark.parametrize(
    ("tests", "message"),
    [
        ({"large": ["givn"]}, "evaluation.tests.large: 'givn' (did you mean 'given'?) is no data set of role test"),
        ({"large": ["train"]}, "evaluation.tests.large: 'train' is no data set of role test; those are given"),
        ({"large": ["given"], "all": ["given"]}, "evaluation.tests.all: 'given' is part of large, too"),
        ({"training": ["given"]}, "evaluation.tests: found 'training', expected a match of"),
        ({"large": []}, "evaluation.tests.large: [] should be non-empty"),
    ],
)
def test_tests_that_cannot_be_named(config, tests, message):
    config["evaluation"]["tests"] = tests
    (line,) = problems(config)
    assert line.startswith(message)


@pytest.mark.parametrize(
    ("one_in", "message"),
    [
        ({"afs_3_1": 5}, "evaluation.one_in: 'afs_3_1' (did you mean 'afs_3_10'?) is no descriptor of this run"),
        ({"afs_3_10": 1}, "evaluation.one_in.afs_3_10: 1 is less than the minimum of 2"),
        ({"afs_3_10": {"train": 1}}, "evaluation.one_in.afs_3_10.train: 1 is less than the minimum of 2"),
        (
            {"afs_3_10": {"trian": 2}},
            "evaluation.one_in.afs_3_10: 'trian' (did you mean 'train'?) is no data set of role",
        ),
    ],
)
def test_minima_that_cannot_be_left_out(config, one_in, message):
    config["evaluation"]["one_in"] = one_in
    (line,) = problems(config)
    assert line.startswith(message)


@pytest.mark.parametrize(
    ("tested_on", "message"),
    [
        ({"afs_3_1": ["given"]}, "evaluation.tested_on: 'afs_3_1' (did you mean 'afs_3_10'?) is no descriptor"),
        ({"afs_3_10": ["train"]}, "evaluation.tested_on.afs_3_10: 'train' is no data set of role test"),
    ],
)
def test_what_a_descriptor_cannot_be_tested_on(config, tested_on, message):
    config["evaluation"]["tested_on"] = tested_on
    (line,) = problems(config)
    assert line.startswith(message)


def test_data_sets_are_tested_together(config):
    config["evaluation"]["tests"] = {"large_cells": ["given"]}
    assert validate(config, SCHEMA)["evaluation"]["tests"] == {"large_cells": ["given"]}


@pytest.mark.parametrize(
    ("lattice", "defect", "message"),
    [
        ({"structure": "bcc", "a": 2.86, "c_over_a": 1.6}, {}, "lattice.c_over_a: bcc has none: take the line out"),
        ({"structure": "hcp", "a": 3.2}, {"shape": "loop_111"}, "loop_111 is defined in cubic crystals, found .* hcp"),
        ({"structure": "hcp", "a": 3.2}, {"shape": "c15"}, "c15 clusters are defined in bcc, found .* hcp"),
    ],
)
def test_what_goes_with_a_lattice(config, lattice, defect, message):
    config["lattice"] = lattice
    config["datasets"]["train"]["recipe"]["defects"] = {"I2": {"interstitials": 2, "trajectories": 3} | defect}
    assert re.search(message, "\n".join(problems(config)))


def test_strained_hcp_is_not_at_rest(config):
    config["lattice"] = {"structure": "hcp", "a": 3.2}
    config["datasets"]["train"]["recipe"] |= {"strain": 0.01}
    assert re.search("a strained hcp crystal is not at rest on its sites", "\n".join(problems(config)))
