"""The configuration of a run, checked as a whole before anything is computed.

What keys there are, with their units and defaults, stands in the JSON Schema of the workflow; what a schema cannot
say (that files exist, that a potential is there when something needs it) is checked by `vibentropy.run.config_rules`.
Parameters of descriptors and regressors stand in a schema of their own, which is made from their classes
(`vibentropy.run.parameter_schema`). The library works with the `Config` that is made of it (`vibentropy.run.settings`);
Snakemake keeps the dictionary, with all defaults filled in.
"""

from __future__ import annotations

import copy
import glob
import math
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from ase.data import chemical_symbols
from jsonschema import Draft202012Validator
from jsonschema.validators import extend
from referencing import Registry, Resource

from vibentropy.errors import ConfigError, did_you_mean
from vibentropy.run.config_rules import contradictions
from vibentropy.run.settings import Config, Labels


def read(path: Path | str) -> Config:
    """Read the configuration of a run from a file, check it and fill in its defaults.

    Parameters
    ----------
    path : path-like
        YAML, or JSON, which is YAML too.

    Returns
    -------
    Config

    Raises
    ------
    ConfigError
        See `load` and `validate`.
    """
    return Config.from_block(validate(load(path)))


def read_potential(path: Path | str) -> dict[str, Any]:
    """Read the potential from the configuration of a run, or from a file that holds nothing else.

    Parameters
    ----------
    path : path-like
        YAML, or JSON. What stands beside ``potential`` is not looked at, so that data need not be there yet.

    Returns
    -------
    dict
        With its defaults, for `vibentropy.potentials.from_config.load_potential`.

    Raises
    ------
    ConfigError
        See `load`; or if there is no potential, or it is not as the schema has it.
    """
    config = load(path)
    if config.get("potential") is None:
        hints = "".join(did_you_mean(key, ["potential"]) for key in config)
        raise ConfigError(f"has no `potential:` at the top; found {', '.join(map(repr, config))}{hints}", path)
    return _block(path, config, "potential")


def read_gates(path: Path | str) -> dict[str, float]:
    """Read from the same file what counts as relaxed and as a minimum: its `labels`, or what is so by default.

    Parameters
    ----------
    path : path-like
        As of `read_potential`.

    Returns
    -------
    dict
        See `vibentropy.run.settings.Labels.gates`.

    Raises
    ------
    ConfigError
        If the block is not as the schema has it.
    """
    config = load(path)
    return Labels.from_block(_block(path, {"labels": {}} | config, "labels")).gates


def _block(path, config, name):
    """Check one block of a configuration, whatever the others are, and put its defaults in."""
    rules = _rules()
    of_block = {"properties": {name: rules["properties"][name]}}
    checked, problems = _checked(config, {"$defs": rules["$defs"]} | of_block)
    if problems:
        raise ConfigError("; ".join(problems), path)
    return checked[name]


def schema_path() -> Path:
    """Where the schema of configurations of a run lies: in the installed package, or in the source tree.

    Returns
    -------
    pathlib.Path
    """
    installed = Path(__file__).parents[1] / "schemas/config.schema.yaml"
    return installed if installed.is_file() else Path(__file__).parents[3] / "workflow/schemas/config.schema.yaml"


def load(path: Path | str) -> dict[str, Any]:
    """Read the configuration of a run from YAML, or from JSON, which is YAML too.

    Parameters
    ----------
    path : path-like

    Returns
    -------
    dict

    Raises
    ------
    ConfigError
        If the file is missing or no YAML, a key occurs twice in one place, or there are no keys at the top; with the
        line.
    """
    try:
        config = yaml.load(Path(path).read_text(encoding="utf-8"), Loader=_Loader)
    except OSError as error:
        raise ConfigError(f"cannot be read: {error.strerror}", path) from None
    except (yaml.YAMLError, ValueError, TypeError, RecursionError) as error:
        raise ConfigError(f"not a configuration in YAML: {error or type(error).__name__}", path) from error
    if not isinstance(config, dict):
        what = "nothing" if config is None else _TYPES["array"] if isinstance(config, list) else "a single value"
        raise ConfigError(f"holds {what}, expected a mapping with keys such as `datasets:` at the top", path)
    return config


class _Loader(yaml.SafeLoader):
    """Loader of plain YAML that refuses what others overwrite."""

    def compose_mapping_node(self, anchor):
        node = super().compose_mapping_node(anchor)
        lines: dict[tuple[str, str], int] = {}
        for key, _ in node.value:
            line = key.start_mark.line + 1
            # Keys are text or numbers; the merge key << may occur as often as there is something to merge.
            if isinstance(key, yaml.ScalarNode) and key.value != "<<":
                if (key.tag, key.value) in lines:
                    raise yaml.YAMLError(
                        f"the key {key.value!r} on line {line} is on line {lines[key.tag, key.value]} already; of two, "
                        "only the last would count: remove one"
                    )
                lines[key.tag, key.value] = line
        return node


def validate(config: Mapping[str, Any], schema: Path | str | None = None) -> dict[str, Any]:
    """Check the configuration of a run and fill in its defaults.

    Parameters
    ----------
    config : dict
    schema : path-like, optional
        JSON Schema (draft 2020-12) in YAML; that of the package by default.

    Returns
    -------
    dict
        A copy with all defaults filled in and with the patterns in `files` replaced by the files they match.
        Validating it again changes nothing. `Config.from_block` takes it.

    Raises
    ------
    ConfigError
        With all problems, each with the place in the configuration, the value found and what was expected.
    """
    checked, problems = _checked(config, _rules(schema))
    if not problems:
        for block in checked["datasets"].values():
            if "files" in block:
                block["files"] = expand_files(block["files"])
        problems = list(contradictions(Config.from_block(checked)))
    if problems:
        raise ConfigError("\n".join(["the configuration cannot be used:", *dict.fromkeys(problems)]))
    return checked


def _rules(schema=None):
    """Read the schema of configurations."""
    return _parsed(Path(schema or schema_path()).read_text(encoding="utf-8"))


def _checked(config, rules):
    """Copy of a configuration with its defaults, and what is wrong with it by the schema."""
    checked = copy.deepcopy(dict(config))
    validator = _Validator(rules, registry=_parameters())
    errors = sorted(validator.iter_errors(checked), key=lambda error: [str(key) for key in error.absolute_path])
    # Where the type is wrong, nothing else that is said about the value helps.
    types = {tuple(error.absolute_path): error for error in reversed(errors) if error.validator == "type"}
    errors = [error for error in errors if types.get(tuple(error.absolute_path), error) is error]
    return checked, [f"{_place(error.absolute_path)}: {_describe(error)}" for error in errors]


#: In C, ten times as fast, where the library is.
_SafeLoader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@cache
def _parsed(text):
    """Parse YAML, once for each text: the schema is long."""
    return yaml.load(text, Loader=_SafeLoader)


@cache
def _parameters():
    """Read the schema of parameters, which that of configurations refers to."""
    name = "parameters.yaml"
    text = schema_path().with_name(name).read_text(encoding="utf-8")
    return Registry().with_resource(name, Resource.from_contents(_parsed(text)))


def expand_files(patterns: list[str]) -> list[str]:
    """Replace patterns in the configuration of a run by the files that they match.

    Parameters
    ----------
    patterns : list of str
        Paths, or patterns with ``*``, ``?``, ``[...]`` and ``**``.

    Returns
    -------
    list of str
        In the order of the patterns, sorted within each, none twice. What matches nothing is kept as it is.
    """
    files = []
    for pattern in patterns:
        matches = [] if Path(pattern).exists() else sorted(glob.glob(pattern, recursive=True))
        files += matches or [pattern]
    return list(dict.fromkeys(files))


def _fill_defaults(validator, properties, instance, schema):
    """Check the properties of an object after adding those that have a default."""
    if isinstance(instance, dict):
        for name, subschema in properties.items():
            if "default" in subschema:
                instance.setdefault(name, copy.deepcopy(subschema["default"]))
    yield from Draft202012Validator.VALIDATORS["properties"](validator, properties, instance, schema)


def _is_number(_, value):
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _is_integer(_, value):
    return isinstance(value, int) and not isinstance(value, bool)


_Validator = extend(
    Draft202012Validator,
    {"properties": _fill_defaults},
    type_checker=Draft202012Validator.TYPE_CHECKER.redefine_many({"number": _is_number, "integer": _is_integer}),
)


def _place(path):
    """``datasets.train.recipe.cells[0]`` for a path of keys and indices."""
    text = "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in path)
    return text.removeprefix(".") or "top level"


#: What types of JSON Schema are called in YAML.
_TYPES = {
    "object": "a mapping (key: value)",
    "array": "a list",
    "string": "text",
    "number": "a number",
    "integer": "a whole number",
    "boolean": "true or false",
    "null": "null",
}

#: Pattern of the schema that stands for elements.
_SYMBOL = "^[A-Z][a-z]?$"


def _describe(error):
    """Value found and what was expected, for one error of the JSON Schema."""
    value, expected = error.instance, error.validator_value
    match error.validator:
        case "additionalProperties":
            keys = list(error.schema["properties"])
            return "; ".join(f"unknown key {key!r}{did_you_mean(key, keys)}" for key in value if key not in keys)
        case "required":
            return f"missing key {', '.join(repr(key) for key in expected if key not in value)}"
        case "oneOf":
            keys = [key for alternative in expected for key in alternative["required"]]
            hints = "".join(did_you_mean(key, keys) for key in value)
            return f"exactly one of the keys {', '.join(keys)} is expected, found {', '.join(value)}{hints}"
        case "type":
            types = [expected] if isinstance(expected, str) else expected
            text = f"found {value!r}, expected {' or '.join(_TYPES[name] for name in types)}"
            if isinstance(value, str) and re.fullmatch(r"[-+]?\d+(\.\d*)?[eE][-+]?\d+", value):
                text += "; YAML takes this for text, write a dot and a signed exponent as in 1.0e-4"
        case "enum":
            text = f"found {value!r}{did_you_mean(value, expected)}, expected one of {', '.join(map(str, expected))}"
        case "pattern" if expected == _SYMBOL:
            close = did_you_mean(value.capitalize(), chemical_symbols[1:])
            text = f"found {value!r}{close}, expected a chemical symbol"
        case "pattern":
            text = f"found {value!r}, expected a match of {expected}"
        case _:
            text = error.message
    return f"{text} ({error.schema['description']})" if "description" in error.schema else text
