"""What classes declare of their parameters holds in Python and in configurations alike, and generated files follow."""

import copy
import inspect
import math
from pathlib import Path

import pytest
import yaml

from vibentropy.descriptors import REGISTRY, create, find
from vibentropy.descriptors.hessian import DEFAULT, POTENTIAL
from vibentropy.descriptors.parameters import (
    Choice,
    Element,
    Integer,
    ListOf,
    Number,
    OneOf,
    Part,
    Parts,
    Record,
    Row,
    Species,
    Text,
    arguments,
)
from vibentropy.errors import ConfigError
from vibentropy.learning.registry import REGRESSORS, create_regressor, find_regressor
from vibentropy.run import parameter_schema
from vibentropy.run.config import validate

ROOT = Path(__file__).resolve().parents[2]
SCHEMA = ROOT / "workflow/schemas/config.schema.yaml"
TINY = yaml.safe_load((ROOT / "workflow/configs/tiny.yaml").read_text(encoding="utf-8"))
CLASSES = {("descriptors", kind): find(kind) for kind in REGISTRY} | {
    ("regressors", kind): find_regressor(kind) for kind in REGRESSORS
}
PARAMETERS = [
    pytest.param(section, kind, name, parameter, id=f"{kind}-{name}")
    for (section, kind), cls in CLASSES.items()
    for name, parameter in cls.parameters.items()
]


def inside(parameter):
    """Values that are just accepted."""
    match parameter:
        case Number():
            if parameter.minimum is not None:
                yield parameter.minimum
            if parameter.above is not None:
                yield math.nextafter(parameter.above, math.inf)
            if parameter.maximum is not None:
                yield parameter.maximum
            if parameter.below is not None:
                yield math.nextafter(parameter.below, -math.inf)
            if parameter.maximum is None and parameter.below is None:
                yield 10**9 if isinstance(parameter, Integer) else 1e300
        case Choice():
            yield from parameter.among
        case Text():
            yield "Fe"
        case ListOf():
            yield [next(inside(parameter.item))]
            if parameter.empty:
                yield []
        case Row():
            yield [next(inside(item)) for item in parameter.items]
        case Record():
            for one in parameter.either or [None]:
                keys = [key for key in parameter.fields if key == one or key not in parameter.either]
                yield {key: next(inside(parameter.fields[key])) for key in keys}
        case OneOf():
            for record in parameter.records:
                yield from inside(record)
        case Part():
            yield {"kind": "afs"}
        case Parts():
            yield {"a": {"kind": "afs"}}
        case Species():
            yield ["Fe", "Cr"]
        case _:
            raise AssertionError(parameter)
    if parameter.null and not parameter.required:
        yield None


def outside(parameter):
    """Values that are just refused, and values of other types."""
    valid = next(inside(parameter))
    match parameter:
        case Number():
            whole = isinstance(parameter, Integer)
            if parameter.minimum is not None:
                yield parameter.minimum - 1 if whole else math.nextafter(parameter.minimum, -math.inf)
            if parameter.above is not None:
                yield parameter.above
            if parameter.maximum is not None:
                yield parameter.maximum + 1 if whole else math.nextafter(parameter.maximum, math.inf)
            if parameter.below is not None:
                yield parameter.below
            yield from (True, "1", [1], math.nan, math.inf)
            if whole:
                yield valid + 0.5
                yield float(valid)
        case Choice():
            yield from ("no such thing", 7, True)
        case Element():
            yield from ("fe", "", 26)
        case Text():
            yield from ("", 3)
        case ListOf():
            yield from ([value] for value in outside(parameter.item))
            if not parameter.empty:
                yield []
            if parameter.order != "any":
                yield [valid[0], valid[0]]
            yield from (valid[0], "text", {"a": 1})
        case Row():
            yield from (valid[:-1], [*valid, 1])
            for number, item in enumerate(parameter.items):
                yield from ([*valid[:number], value, *valid[number + 1 :]] for value in outside(item))
        case Record():
            for valid in filter(None, inside(parameter)):
                for key in valid:
                    yield {other: value for other, value in valid.items() if other != key}
                    yield from (valid | {key: value} for value in outside(parameter.fields[key]))
                yield from (valid | {"zzz": 1}, "text", [])
            if parameter.either:
                yield {key: next(inside(field)) for key, field in parameter.fields.items()}
        case OneOf():
            for record in parameter.records:
                yield from (value for value in outside(record) if value is not None)
            yield {key: value for record in parameter.records for key, value in next(inside(record)).items()}
        case Part():
            yield from ({"n_max": 3}, {"kind": 3}, {"kind": "afs", "nmax": 3}, "afs", [])
        case Parts():
            yield from ({}, {"": {"kind": "afs"}}, "afs", [{"kind": "afs"}])
            yield from ({"a": value} for value in outside(Part()))
        case Species():
            yield from (["Fe", "Fe"], [], "Fe", [26], ["fe"])
    if not parameter.null:
        yield None


def block(section, kind, name, value):
    """Block of a configuration with one parameter."""
    cls = CLASSES[section, kind]
    needed = {"potential": DEFAULT} if cls.parameters.get("potential") is POTENTIAL else {}
    return {"kind": kind} | needed | {name: value}


@pytest.mark.parametrize(("section", "kind", "name", "parameter"), PARAMETERS)
def test_values_are_refused_in_python_and_in_configurations(section, kind, name, parameter):
    build = create if section == "descriptors" else create_regressor
    blocks = {f"b{number}": block(section, kind, name, value) for number, value in enumerate(outside(parameter))}
    # One of the parts is named by itself.
    named = "part" if isinstance(parameter, Parts) else name
    for parameters in blocks.values():
        with pytest.raises(ConfigError, match=named):
            build(**parameters)
    with pytest.raises(ConfigError) as caught:
        validate(copy.deepcopy(TINY) | {section: blocks}, SCHEMA)
    for place in blocks:
        assert f"\n{section}.{place}.{name}" in str(caught.value)


@pytest.mark.parametrize(("section", "kind", "name", "parameter"), PARAMETERS)
def test_values_at_the_bounds_are_accepted_in_python_and_in_configurations(section, kind, name, parameter):
    blocks = {f"b{number}": block(section, kind, name, value) for number, value in enumerate(inside(parameter))}
    for parameters in blocks.values():
        parameter.check(name, parameters[name])
    assert validate(copy.deepcopy(TINY) | {section: blocks}, SCHEMA)[section] == blocks


@pytest.mark.parametrize("cls", CLASSES.values(), ids=[kind for _, kind in CLASSES])
def test_classes_declare_the_arguments_of_their_constructors(cls):
    assert cls.parameters.keys() == inspect.signature(cls).parameters.keys()
    for argument in arguments(cls):
        assert argument.parameter.text
        assert argument.default is not inspect.Parameter.empty
        argument.parameter.check(argument.name, argument.default)


def test_generated_files_are_up_to_date():
    """`python -m vibentropy.run.parameter_schema` writes them."""
    assert parameter_schema.SCHEMA.read_text(encoding="utf-8") == parameter_schema.schema_text()
    page = parameter_schema.PAGE.read_text(encoding="utf-8")
    assert page == parameter_schema.page_text(page)


def test_the_page_says_defaults_and_bounds():
    page = parameter_schema.PAGE.read_text(encoding="utf-8")
    assert "| `afs` | `n_max` | 3 | whole number from 1 to 40 | number of radial functions |" in page
    assert "| `bayesian_ridge` | `tol` | 1.0e-06 | number > 0 |" in page
    with pytest.raises(ValueError, match="lacks the markers <!-- descriptors"):
        parameter_schema.page_text("# No markers\n")


def test_a_class_that_does_not_declare_a_parameter_is_named(monkeypatch):
    cls = find("afs")
    monkeypatch.setattr(cls, "parameters", {"n_max": cls.parameters["n_max"]})
    with pytest.raises(TypeError, match="AngularFourierSeries does not declare its parameter l_max"):
        parameter_schema.schema()


def test_every_kind_of_the_registry_has_its_block():
    definitions = parameter_schema.schema()["$defs"]
    for section, registry in (("descriptors", REGISTRY), ("regressors", REGRESSORS)):
        assert list(definitions[section]) == list(registry)
        dispatched = [rule["if"]["properties"]["kind"]["const"] for rule in definitions[section[:-1]]["allOf"]]
        assert dispatched == list(registry)
        assert all(definition["additionalProperties"] is False for definition in definitions[section].values())
