"""What all kinds of data sets have in common."""

import inspect
from dataclasses import MISSING, fields, replace
from pathlib import Path

import pytest
import yaml

from vibentropy.errors import ConfigError
from vibentropy.run import settings
from vibentropy.sources import published_arrays, recipe_blocks, recipes, user_files
from vibentropy.sources.lattice import Lattice
from vibentropy.sources.random_alloys import KEYS
from vibentropy.sources.source import KINDS, Amount, source_of

SCHEMA = yaml.safe_load((Path(__file__).parents[2] / "workflow/schemas/config.schema.yaml").read_text(encoding="utf-8"))
DEFINED = SCHEMA["$defs"]
RECIPE = DEFINED["generated"]["properties"]["recipe"]["properties"]
BLOCKS = {
    "recipe": {
        "recipe": {
            "cells": [[3, 3, 3], [2, 3, 4]],
            "defects": {"V1": {"vacancies": 1, "trajectories": 3}},
            "anneal": {"temperature": 900, "steps_between": 10, "snapshots": 2},
        }
    },
    "files": {"files": ["a.xyz"], "reference": "bulk.xyz", "entropy": {"key": "S", "unit": "k_B", "kind": "total"}},
    "archive": {"archive": "a.h5", "classes": ["V1"]},
    "arrays": {
        "arrays": {"configurations": "c.npz", "entropies": "e.npz", "bulk": "b.npy", "element": "Fe", "classes": ["I2"]}
    },
}


def made(kind):
    return source_of("mine", {"role": "test"} | BLOCKS[kind], Lattice("bcc", 2.86))


def test_every_kind_is_tried():
    assert set(BLOCKS) == set(KINDS)


@pytest.mark.parametrize("kind", KINDS)
def test_what_jobs_are_told_is_the_same_data_set_without_its_content_and_role(kind):
    source = made(kind)
    told = source_of("mine", source.about())
    assert type(told) is type(source)
    assert told.about() == source.about()
    assert (told.name, told.computed) == ("mine", source.computed)
    empty = {"recipe": {"cells": (), "defects": {}, "anneal": None, "lattice": None}, "files": {"files": ()}}
    assert told == replace(source, role="train", **empty.get(kind, {}))


@pytest.mark.parametrize("kind", KINDS)
def test_jobs_are_not_told_the_role(kind):
    """Else changing it would label everything again."""
    tested_on, trained_on = made(kind), replace(made(kind), role="train")
    assert trained_on.about() == tested_on.about()
    if kind == "recipe":
        assert trained_on.about_smallest() == tested_on.about_smallest()


@pytest.mark.parametrize("kind", KINDS)
def test_files_that_are_missing_are_named(kind):
    source = made(kind)
    problems = "\n".join(source.problems(1e-4))
    assert all(file in problems for file in source.inputs())
    assert bool(problems) == (kind != "recipe")
    assert {file for _, file, _ in source.holdings()} <= set(source.inputs())


def test_blocks_of_no_kind_or_of_two():
    with pytest.raises(ConfigError, match="datasets.mine: has none of the keys recipe, files, archive, arrays"):
        source_of("mine", {"role": "train"})
    with pytest.raises(ConfigError, match="datasets.mine: has recipe and archive of the keys"):
        source_of("mine", BLOCKS["recipe"] | BLOCKS["archive"])


def test_work_of_a_recipe():
    source = made("recipe")
    assert source.planned() == (6, 18)
    # Two snapshots and the seed of each trajectory.
    amounts = source.amounts(6)
    assert list(amounts) == list(source.shards(6))
    assert amounts["3x3x3-V1-000"] == Amount(sites=54, configurations=6, atoms=6 * 54, steps=40, quenched=6, labels=6)
    assert replace(source, strain=0.01).amounts(6)["3x3x3-V1-000"].labels == 8
    assert source.limited(1).planned() == (2, 6)
    assert replace(source, anneal=replace(source.anneal, quench_seed=False)).planned() == (6, 12)
    assert source.limited(None) is source


def defaults(schema):
    return {name: block["default"] for name, block in schema["properties"].items() if "default" in block}


def as_block(value):
    """A default of a dataclass as YAML has it."""
    if isinstance(value, tuple):
        return [as_block(item) for item in value]
    return {} if inspect.isclass(type(value)) and type(value).__module__.startswith("vibentropy") else value


@pytest.mark.parametrize(
    ("kind", "schema", "renamed"),
    [
        (recipe_blocks.ClusterKind, DEFINED["cluster"], {}),
        (recipe_blocks.Defect, RECIPE["defects"]["additionalProperties"], {}),
        (recipe_blocks.Anneal, RECIPE["anneal"], {}),
        (user_files.Files, DEFINED["ingested"], {}),
        (user_files.GivenEntropy, DEFINED["ingested"]["properties"]["entropy"], {}),
        (published_arrays.Arrays, DEFINED["published"]["properties"]["arrays"], {}),
        (Lattice, SCHEMA["properties"]["lattice"], {}),
        (settings.Labels, SCHEMA["properties"]["labels"], {"min_eigenvalue": "minimum_eigenvalue"}),
        (settings.Duplicates, SCHEMA["properties"]["labels"]["properties"]["duplicates"], {}),
        (settings.Evaluation, SCHEMA["properties"]["evaluation"], {}),
    ],
)
def test_classes_and_schema_have_the_same_keys_and_defaults(kind, schema, renamed):
    classes = {}
    for field in fields(kind):
        value = field.default if field.default_factory is MISSING else field.default_factory()
        classes[renamed.get(field.name, field.name)] = value
    # The potential says which element a lattice is of.
    names = {name for name in classes if name not in {"name", "role", "host", "random"}}
    # The keys of a random alloy make an object of their own, which its own tests build.
    assert names == set(schema["properties"]) - {"role"} - (set(KEYS) if kind is Lattice else set())
    expected = {name: value for name, value in defaults(schema).items() if name in names}
    given = {name: as_block(classes[name]) for name in names if classes[name] is not MISSING}
    # One way to divide rows needs no list.
    if "split" in given:
        given["split"] = given["split"][0]
    assert {name: value for name, value in given.items() if name in expected} == expected
    # What is required has no default.
    assert not set(schema.get("required", ())) & set(given)


def test_defaults_of_a_recipe_and_of_a_run():
    recipe = {field.name: field.default for field in fields(recipes.Recipe)}
    assert recipe["strain"] == RECIPE["strain"]["default"]
    assert recipe["max_force"] == RECIPE["quench"]["properties"]["max_force"]["default"]
    run = {field.name: field.default for field in fields(settings.Config)}
    top = defaults(SCHEMA)
    assert all(run[name] == top[name] for name in ("results", "seed", "shard_size", "potential", "lattice"))
