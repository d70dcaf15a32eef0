"""The configuration: defaults, and a message with the place for everything that can be wrong in it."""

import copy
import re
from pathlib import Path

import pytest
import yaml
from example_config import EXAMPLE, ROOT, SCHEMA, at, problems
from jsonschema import Draft202012Validator

from vibentropy.errors import ConfigError
from vibentropy.labels import entropy
from vibentropy.learning.folds import SPLITS
from vibentropy.run.config import expand_files, load, read_potential, validate
from vibentropy.sources.seeds import SHAPES
from vibentropy.units import KB_PER_ENTROPY_UNIT


@pytest.fixture(scope="module")
def schema():
    return yaml.safe_load(SCHEMA.read_text())


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


@pytest.mark.parametrize("beside", ["", "datasets: {x: {files: [nowhere.xyz]}}\nlattic: wrong\n"])
def test_a_potential_is_read_whatever_stands_beside_it(tmp_path, beside):
    path = tmp_path / "potential.yaml"
    path.write_text("potential: {calculator: ase.calculators.emt.EMT, element: Cu, step: 0.02}\n" + beside)
    assert read_potential(path) == {
        **{"calculator": "ase.calculators.emt.EMT", "parameters": {}, "element": "Cu", "step": 0.02},
        "hessian": "auto",
    }


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("potential: {pair_style: sw, element: Si}", "potential: missing key 'pair_coeff'"),
        ("potential: {file: x, element: Fe, step: 0.1}", "potential: unknown key 'step'"),
        ("potential: x.eam.fs", "potential: found 'x.eam.fs', expected a mapping"),
        ("potential: null", "has no `potential:` at the top; found 'potential'"),
        (
            "potentail: {file: x, element: Fe}",
            r"has no `potential:` .*found 'potentail' \(did you mean 'potential'\?\)",
        ),
    ],
)
def test_a_potential_that_is_none(tmp_path, text, message):
    path = tmp_path / "potential.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=f"^{re.escape(str(path))}: {message}"):
        read_potential(path)


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
    assert valid["evaluation"] == {"folds": 3, "split": "groups", "tests": {}, "one_in": {}, "tested_on": {}}
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
    assert line.startswith(f"{'.'.join(path)}: found 'text', expected a mapping (key: value)")


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (("seed",), "2020", "seed: found '2020', expected a whole number (of all random numbers of the run)"),
        (("seed",), True, "seed: found True, expected a whole number"),
        (("seed",), -1, "seed: -1 is less than the minimum of 0"),
        (("evaluation", "folds"), 5.0, "evaluation.folds: found 5.0, expected a whole number"),
        (("evaluation", "split"), "group", "evaluation.split: found 'group' (did you mean 'groups'?), expected one of"),
        (
            ("evaluation", "split"),
            ["groups", "x"],
            "evaluation.split[1]: found 'x', expected one of groups, file_order",
        ),
        (("evaluation", "split"), [], "evaluation.split: [] should be non-empty"),
        (("labels", "max_force"), "1e-4", "YAML takes this for text, write a dot and a signed exponent as in 1.0e-4"),
        (("labels", "max_force"), float("nan"), "labels.max_force: found nan, expected a number"),
        (("labels", "max_force"), True, "labels.max_force: found True, expected a number"),
        (("labels", "max_force"), 0, "labels.max_force: 0 is less than or equal to the minimum of 0"),
        (
            ("lattice", "structure"),
            "bbc",
            "found 'bbc' (did you mean 'bcc'?), expected one of sc, bcc, fcc, hcp, diamond",
        ),
        (("datasets", "train", "recipe", "cells"), [[5, 5]], "datasets.train.recipe.cells[0]: [5, 5] is too short"),
        (("datasets", "train", "recipe", "cells"), [[5, 5, 0]], "datasets.train.recipe.cells[0][2]: 0 is less than"),
        (("datasets", "train", "role"), "trian", "datasets.train.role: found 'trian' (did you mean 'train'?)"),
        (("datasets", "given", "entropy", "unit"), "kB", "entropy.unit: found 'kB' (did you mean 'k_B'?)"),
        (("datasets", "given", "entropy"), {"unit": "k_B", "key": "S"}, "datasets.given.entropy: missing key 'kind'"),
        (
            ("potential", "element"),
            "fe",
            "element: found 'fe' (did you mean 'Fe'?), expected a chemical symbol",
        ),
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


def test_all_problems_are_listed_at_once(config):
    config["sead"] = 1
    config["evaluation"]["folds"] = 1
    config["datasets"]["train"]["recipe"]["anneal"]["temperature"] = "hot"
    assert len(problems(config)) == 3


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
    ("text", "words"),
    [("", "holds nothing"), ("- 1\n", "holds a list"), ("words\n", "holds a single value")],
)
def test_files_without_keys_are_described_in_words(tmp_path, text, words):
    path = tmp_path / "run.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=f"run.yaml: {words}, expected a mapping with keys"):
        load(path)
