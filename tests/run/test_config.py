"""The configuration: defaults, and a message with the place for everything that can be wrong in it."""

import copy
import json
import re
import subprocess
import sys
from pathlib import Path

import ase.io
import pytest
import yaml
from ase.build import bulk
from jsonschema import Draft202012Validator

from vibentropy.errors import ConfigError
from vibentropy.labels import entropy
from vibentropy.learning.folds import SPLITS
from vibentropy.run.config import config_hash, expand_files, validate
from vibentropy.sources import published_arrays
from vibentropy.sources.seeds import SHAPES
from vibentropy.units import KB_PER_ENTROPY_UNIT

ROOT = Path(__file__).parents[2]
SCHEMA = ROOT / "workflow/schemas/config.schema.yaml"
EXAMPLE = """
potential: {file: FeP_mm.eam.fs, element: Fe}
lattice: {structure: bcc, a: 2.8553}
labels: {duplicates: {exclude: false}}
evaluation: {folds: 3}
datasets:
  train:
    role: train
    recipe:
      cells: [[5, 5, 5]]
      defects:
        I2+V1: {interstitials: 2, vacancies: 1, radius: 5.0, trajectories: 3}
      anneal: {temperature: 600, steps_between: 100, snapshots: 2}
      quench: {}
  given:
    role: test
    files: [FOLDER/*.xyz]
    reference: FOLDER/bulk.xyz
    entropy: {key: S_f, unit: eV/K, kind: formation}
descriptors: {afs_3_10: {kind: afs, n_max: 3, l_max: 10, r_cut: 5.0}}
regressors:
  ridge: {kind: ridge}
  bayes: {kind: bayesian_ridge}
"""


@pytest.fixture(scope="module")
def schema():
    return yaml.safe_load(SCHEMA.read_text())


@pytest.fixture
def config(tmp_path):
    for name in ("bulk", "b", "a"):
        ase.io.write(tmp_path / f"{name}.xyz", bulk("Fe", cubic=True))
    return yaml.safe_load(EXAMPLE.replace("FOLDER", str(tmp_path)))


def at(config, path):
    """Block of a configuration at a path of keys."""
    for key in path:
        config = config[key]
    return config


def blocks(value, path=()):
    """Paths of all blocks with keys of their own in a configuration."""
    if isinstance(value, dict):
        yield path
        for key, child in value.items():
            yield from blocks(child, (*path, key))


def test_shipped_configurations_are_valid():
    for path in [ROOT / "config.yaml", *(ROOT / "workflow/configs").glob("*.yaml")]:
        if path.name != "published.yaml":
            validate(yaml.safe_load(path.read_text()), SCHEMA)


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
    assert "potential.element: 'Xx' is no chemical element" in problems(config)


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


def problems(config):
    """Lines of the error message, without the first."""
    with pytest.raises(ConfigError) as caught:
        validate(config, SCHEMA)
    return str(caught.value).splitlines()[1:]


@pytest.mark.parametrize("name", ["config.schema.yaml", "parameters.yaml"])
def test_schema_is_a_schema_and_describes_every_key(name):
    schema = yaml.safe_load((SCHEMA.parent / name).read_text(encoding="utf-8"))
    Draft202012Validator.check_schema(schema)

    def described(node):
        target = schema if "$ref" in node else node
        for step in node.get("$ref", "").split("/")[1:]:
            target = target[step]
        return "description" in node or "description" in target

    def undescribed(node, path=()):
        if isinstance(node, dict):
            for name, child in node.get("properties", {}).items():
                # An empty schema stands beside another one that has the description.
                if child not in ({}, {"const": child.get("const")}) and not described(child):
                    yield (*path, name)
            for name, child in node.items():
                yield from undescribed(child, (*path, name))
        elif isinstance(node, list):
            for number, child in enumerate(node):
                yield from undescribed(child, (*path, number))

    assert not list(undescribed(schema))


def test_defaults_are_filled_in_and_the_input_is_left_alone(config, tmp_path):
    before = copy.deepcopy(config)
    valid = validate(config, SCHEMA)
    assert config == before
    assert valid["results"] == "results"
    assert valid["seed"] == 2020
    assert valid["lattice"]["relax"] is True
    assert valid["labels"] == {
        "max_force": 1e-4,
        "minimum_eigenvalue": 1e-3,
        "site_entropies": False,
        "temperatures": [],
        "duplicates": {"energy": 1e-4, "entropy": 1e-3, "exclude": False},
    }
    assert valid["evaluation"] == {"folds": 3, "split": "groups", "tests": {}}
    recipe = valid["datasets"]["train"]["recipe"]
    assert recipe["defects"]["I2+V1"]["clusters"] == 1
    assert recipe["anneal"]["time_step"] == 0.001
    assert recipe["quench"] == {"max_force": 1e-6}
    assert valid["datasets"]["given"]["files"] == [str(tmp_path / f"{name}.xyz") for name in ("a", "b", "bulk")]
    assert valid["datasets"]["given"]["group_key"] is None
    assert validate(valid, SCHEMA) == valid


def test_snakemake_reads_the_schema_to_the_same_defaults(config):
    """The schema does not lean on extensions of ours."""
    utils = pytest.importorskip("snakemake.utils")
    config["datasets"]["given"]["files"] = expand_files(config["datasets"]["given"]["files"])
    ours = validate(config, SCHEMA)
    utils.validate(config, str(SCHEMA))
    assert config == ours


def free_names(path):
    """Whether the keys of a block are names that the user chooses."""
    return path[-1:] in [("datasets",), ("descriptors",), ("regressors",), ("defects",)]


CLOSED = [path for path in blocks(yaml.safe_load(EXAMPLE)) if not free_names(path)]


@pytest.mark.parametrize("path", CLOSED, ids=".".join)
def test_unknown_keys_are_errors_at_every_level(config, path):
    at(config, path)["zzz"] = 1
    assert problems(config) == [f"{'.'.join(path) or 'top level'}: unknown key 'zzz'"]


@pytest.mark.parametrize("path", CLOSED, ids=".".join)
def test_misspelt_keys_are_recognised(config, path):
    for key in list(at(config, path)) or ["max_force"]:
        changed = copy.deepcopy(config)
        block = at(changed, path)
        misspelt = key + key[-1]
        block[misspelt] = block.pop(key, None)
        lines = problems(changed)
        # Without a kind, any parameter might be right.
        expected = "missing key 'kind'" if key == "kind" else f"(did you mean {key!r}?)"
        assert any(line.startswith(".".join(path) or "top level") and expected in line for line in lines), lines


@pytest.mark.parametrize("path", [path for path in blocks(yaml.safe_load(EXAMPLE)) if path], ids=".".join)
def test_text_in_place_of_a_block_is_refused(config, path):
    at(config, path[:-1])[path[-1]] = "text"
    (line,) = problems(config)
    assert line.startswith(f"{'.'.join(path)}: found 'text', expected object")


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (("seed",), "2020", "seed: found '2020', expected integer (of all random numbers of the run)"),
        (("seed",), True, "seed: found True, expected integer"),
        (("seed",), -1, "seed: -1 is less than the minimum of 0"),
        (("evaluation", "folds"), 5.0, "evaluation.folds: found 5.0, expected integer"),
        (("evaluation", "split"), "group", "evaluation.split: found 'group' (did you mean 'groups'?), expected one of"),
        (
            ("evaluation", "split"),
            ["groups", "x"],
            "evaluation.split[1]: found 'x', expected one of groups, file_order",
        ),
        (("evaluation", "split"), [], "evaluation.split: [] should be non-empty"),
        (("labels", "max_force"), "1e-4", "YAML takes this for text, write a dot and a signed exponent as in 1.0e-4"),
        (("labels", "max_force"), float("nan"), "labels.max_force: found nan, expected number"),
        (("labels", "max_force"), True, "labels.max_force: found True, expected number"),
        (("labels", "max_force"), 0, "labels.max_force: 0 is less than or equal to the minimum of 0"),
        (("lattice", "structure"), "bbc", "found 'bbc' (did you mean 'bcc'?), expected one of sc, bcc, fcc, diamond"),
        (("datasets", "train", "recipe", "cells"), [[5, 5]], "datasets.train.recipe.cells[0]: [5, 5] is too short"),
        (("datasets", "train", "recipe", "cells"), [[5, 5, 0]], "datasets.train.recipe.cells[0][2]: 0 is less than"),
        (("datasets", "train", "role"), "trian", "datasets.train.role: found 'trian' (did you mean 'train'?)"),
        (("datasets", "given", "entropy", "unit"), "kB", "entropy.unit: found 'kB' (did you mean 'k_B'?)"),
        (("datasets", "given", "entropy"), {"unit": "k_B", "key": "S"}, "datasets.given.entropy: missing key 'kind'"),
        (("datasets", "a/b"), {"role": "train"}, "datasets: found 'a/b', expected a match of"),
        (
            ("datasets", "x"),
            {"role": "test", "file": []},
            "exactly one of the keys recipe, files, archive, arrays is expected",
        ),
        (("datasets", "given", "recipe"), {}, "datasets.given: exactly one of the keys recipe, files, archive, arrays"),
        (("datasets",), {}, "datasets: {} should be non-empty"),
        (("descriptors", "afs_3_10", "n_max"), 0, "descriptors.afs_3_10.n_max: 0 is less than the minimum of 1"),
        (("descriptors", "x"), {"n_max": 3}, "descriptors.x: missing key 'kind'"),
        (("regressors", "ridge", "penalties"), [-1.0], "regressors.ridge.penalties[0]: -1.0 is less than or equal"),
    ],
)
def test_values_that_cannot_be_are_named(config, path, value, message):
    at(config, path[:-1])[path[-1]] = value
    lines = problems(config)
    assert any(message in line for line in lines), lines


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (("datasets", "train", "role"), "test", "datasets: none has the role train"),
        (("potential",), None, "potential: missing, but the entropies of train have to be computed"),
        (("lattice",), None, "lattice: missing, but train is made from a recipe"),
        (("potential", "file"), "Fee.eam.fs", "potential.file: Fee.eam.fs: no such file"),
        (
            ("datasets", "train", "recipe", "defects", "none"),
            {"trajectories": 1},
            "datasets.train.recipe.defects.none: neither interstitials nor vacancies",
        ),
        (("datasets", "given", "files"), ["no/*.xyz"], "datasets.given.files: no file is or matches 'no/*.xyz'"),
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


def test_all_problems_are_listed_at_once(config):
    config["sead"] = 1
    config["evaluation"]["folds"] = 1
    config["datasets"]["train"]["recipe"]["anneal"]["temperature"] = "hot"
    assert len(problems(config)) == 3


def test_given_entropies_need_neither_lattice_nor_potential(config):
    del config["datasets"]["train"], config["lattice"], config["potential"]
    config["datasets"]["given"]["role"] = "train"
    valid = validate(config, SCHEMA)
    assert valid["potential"] is None
    valid["datasets"]["given"]["entropy"] = None
    assert problems(valid) == ["potential: missing, but the entropies of given have to be computed"]


def test_dotted_paths_take_any_parameters(config):
    config["descriptors"]["mine"] = {"kind": "my.module.Descriptor", "anything": [1, {"b": 2}]}
    config["regressors"]["huber"] = {"kind": "sklearn.linear_model.HuberRegressor", "epsilon": 1.5}
    valid = validate(config, SCHEMA)
    assert valid["descriptors"]["mine"] == config["descriptors"]["mine"]
    assert valid["regressors"]["huber"] == config["regressors"]["huber"]


def test_schema_agrees_with_the_library_about_units_and_gates(schema):
    files = schema["$defs"]["ingested"]["properties"]
    assert set(files["entropy"]["properties"]["unit"]["enum"]) == set(KB_PER_ENTROPY_UNIT)
    assert schema["$defs"]["split"]["enum"] == list(SPLITS)
    assert schema["$defs"]["cluster"]["properties"]["shape"]["enum"] == list(SHAPES)
    labels = schema["properties"]["labels"]["properties"]
    assert labels["max_force"]["default"] == files["max_force"]["default"] == entropy.MAX_FORCE
    assert labels["minimum_eigenvalue"]["default"] == entropy.MIN_EIGENVALUE


def test_hash_is_of_the_science(config):
    valid = validate(config, SCHEMA)
    one = config_hash(valid)
    assert re.fullmatch("[0-9a-f]{64}", one)
    reordered = json.loads(json.dumps(dict(reversed(valid.items()))))
    assert config_hash(reordered) == one
    assert config_hash(valid | {"results": "elsewhere", "shard_size": 3}) == one
    assert config_hash(valid | {"maps": {"minima": ["a"]}, "thermodynamics": {"lowest": 1}}) == one
    assert config_hash(valid | {"seed": 1}) != one
    # What a target on demand makes depends on its own section, and on no other target's.
    for section, change in [("data", {"resolved": 3}), ("nonlinear", {"environments": 7}), ("maps", {"minima": ["a"]})]:
        changed = valid | {section: change}
        assert config_hash(changed, [section]) != config_hash(valid, [section]) != one
        assert config_hash(changed) == one
        assert config_hash(changed, ["learning"]) == config_hash(valid, ["learning"])
    # Not of the process either: the hash of a running Python is salted.
    code = "import json, sys; from vibentropy.run.config import config_hash; print(config_hash(json.load(sys.stdin)))"
    other = subprocess.run(
        [sys.executable, "-c", code], input=json.dumps(valid), capture_output=True, text=True, check=True
    )
    assert other.stdout.strip() == one


def test_files_are_expanded_in_order(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("b/2.xyz", "b/1.xyz", "a/c/3.xyz", "odd[1].dat", "odd1.dat"):
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).touch()
    assert expand_files(["b/*.xyz", "**/*.xyz", "odd[1].dat", "none*"]) == [
        "b/1.xyz",
        "b/2.xyz",
        "a/c/3.xyz",
        "odd[1].dat",
        "none*",
    ]


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


def test_data_sets_are_tested_together(config):
    config["evaluation"]["tests"] = {"large_cells": ["given"]}
    assert validate(config, SCHEMA)["evaluation"]["tests"] == {"large_cells": ["given"]}
