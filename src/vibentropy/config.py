"""The configuration of a run, checked as a whole before anything is computed.

What keys there are, with their units and defaults, stands in the JSON Schema of the workflow; what a schema cannot
say (that files exist, that a potential is there when something needs it) is checked here.
"""

import copy
import glob
import hashlib
import json
import math
import re
from functools import cache
from importlib.metadata import entry_points
from pathlib import Path

import yaml
from ase.data import atomic_numbers
from jsonschema import Draft202012Validator
from jsonschema.validators import extend

from vibentropy.crystal import SITES_PER_CELL
from vibentropy.errors import ConfigError, PotentialError, did_you_mean
from vibentropy.interactions import is_analytic, potential_files
from vibentropy.published import SOURCE

#: Keys that say where results go, how work is cut up, what is timed and what else is drawn, not what is computed.
_NOT_SCIENCE = ("results", "shard_size", "benchmark", "data", "learning", "nonlinear", "thermodynamics", "maps")


def schema_path():
    """Where the schema of configurations lies: in the installed package, or in the source tree.

    Returns
    -------
    pathlib.Path
    """
    installed = Path(__file__).parent / "schemas/config.schema.yaml"
    return installed if installed.is_file() else Path(__file__).parents[2] / "workflow/schemas/config.schema.yaml"


def load(path):
    """Read a configuration from YAML, or from JSON, which is YAML too.

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
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from None
    except (yaml.YAMLError, ValueError, TypeError, RecursionError) as error:
        raise ConfigError(f"{path}: not a configuration in YAML: {error or type(error).__name__}") from error
    if not isinstance(config, dict):
        raise ConfigError(f"{path}: holds {type(config).__name__}, expected keys such as `datasets:` at the top")
    return config


class _Loader(yaml.SafeLoader):
    """Loader of plain YAML that refuses what others overwrite."""

    def compose_mapping_node(self, anchor):
        node = super().compose_mapping_node(anchor)
        lines = {}
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


def validate(config, schema_path):
    """Check a configuration and fill in its defaults.

    Parameters
    ----------
    config : dict
    schema_path : path-like
        JSON Schema (draft 2020-12) in YAML.

    Returns
    -------
    dict
        A copy with all defaults filled in and with the patterns in `files` replaced by the files they match.
        Validating it again changes nothing.

    Raises
    ------
    ConfigError
        With all problems, each with the place in the configuration, the value found and what was expected.
    """
    schema = _parsed(Path(schema_path).read_text(encoding="utf-8"))
    config = copy.deepcopy(config)
    errors = sorted(_Validator(schema).iter_errors(config), key=lambda error: [str(key) for key in error.absolute_path])
    # Where the type is wrong, nothing else that is said about the value helps.
    types = {tuple(error.absolute_path): error for error in reversed(errors) if error.validator == "type"}
    errors = [error for error in errors if types.get(tuple(error.absolute_path), error) is error]
    problems = [f"{_place(error.absolute_path)}: {_describe(error)}" for error in errors]
    if not problems:
        for specification in config["datasets"].values():
            if "files" in specification:
                specification["files"] = expand_files(specification["files"])
        problems = list(_contradictions(config, schema))
    if problems:
        raise ConfigError("\n".join(["the configuration cannot be used:", *dict.fromkeys(problems)]))
    return config


@cache
def _parsed(text):
    """Parse YAML, once for each text: the schema is long."""
    return yaml.safe_load(text)


def config_hash(config):
    """Fingerprint of what a configuration computes.

    Parameters
    ----------
    config : dict
        As returned by `validate`.

    Returns
    -------
    str
        SHA-256 of its canonical JSON, without the keys that do not touch the numbers of other targets (`results`,
        `shard_size`, `benchmark`, `data`, `learning`, `nonlinear`, `thermodynamics`, `maps`).
    """
    science = {key: value for key, value in config.items() if key not in _NOT_SCIENCE}
    return hashlib.sha256(json.dumps(science, sort_keys=True, allow_nan=False).encode()).hexdigest()


def expand_files(patterns):
    """Replace patterns by the files that they match.

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


def _describe(error):
    """Value found and what was expected, for one error of the JSON Schema."""
    found, expected = error.instance, error.validator_value
    match error.validator:
        case "additionalProperties":
            known = list(error.schema["properties"])
            return "; ".join(f"unknown key {key!r}{did_you_mean(key, known)}" for key in found if key not in known)
        case "required":
            return f"missing key {', '.join(repr(key) for key in expected if key not in found)}"
        case "oneOf":
            known = [key for alternative in expected for key in alternative["required"]]
            hints = "".join(did_you_mean(key, known) for key in found)
            return f"exactly one of the keys {', '.join(known)} is expected, found {', '.join(found)}{hints}"
        case "type":
            text = f"found {found!r}, expected {' or '.join([expected] if isinstance(expected, str) else expected)}"
            if isinstance(found, str) and re.fullmatch(r"[-+]?\d+(\.\d*)?[eE][-+]?\d+", found):
                text += "; YAML takes this for text, write a dot and a signed exponent as in 1.0e-4"
        case "enum":
            text = f"found {found!r}{did_you_mean(found, expected)}, expected one of {', '.join(map(str, expected))}"
        case "pattern":
            text = f"found {found!r}, expected a match of {expected}"
        case _:
            text = error.message
    return f"{text} ({error.schema['description']})" if "description" in error.schema else text


def _contradictions(config, schema):
    """Yield what is wrong with a configuration that its schema accepts."""
    datasets = config["datasets"]
    if not any(specification["role"] == "train" for specification in datasets.values()):
        yield "datasets: none has the role train"
    for name, specification in datasets.items():
        if "recipe" in specification:
            for label, defect in specification["recipe"]["defects"].items():
                place = f"datasets.{name}.recipe.defects.{label}"
                yield from _clusters(place, defect, specification["recipe"]["cells"], config["lattice"])
        elif "files" in specification:
            for file in specification["files"]:
                if not Path(file).is_file():
                    yield f"datasets.{name}.files: no file is or matches {file!r}"
            if not Path(specification["reference"]).is_file():
                yield f"datasets.{name}.reference: there is no file {specification['reference']!r}"
        elif "archive" in specification:
            if not Path(specification["archive"]).is_file():
                yield f"datasets.{name}.archive: there is no file {specification['archive']!r}"
        else:
            for key in ("configurations", "entropies", "bulk"):
                file = specification["arrays"][key]
                if not Path(file).is_file():
                    yield f"datasets.{name}.arrays.{key}: there is no file {file!r}; it is published at {SOURCE}"

    places = {}
    for name, specification in datasets.items():
        arrays = specification.get("arrays", {"classes": []})
        held = [("files", file, None) for file in specification.get("files", [])]
        if "archive" in specification:
            held += [("archive", specification["archive"], part) for part in specification["classes"] or [None]]
        held += [("arrays", arrays["configurations"], defect_class) for defect_class in arrays["classes"]]
        for key, file, part in held:
            path = Path(file).resolve()
            # A whole file holds every part of it.
            others = [
                other
                for other_part, other in places.get(path, {}).items()
                if other != name and (part == other_part or None in (part, other_part))
            ]
            places.setdefault(path, {}).setdefault(part, name)
            if others:
                found = repr(file) if part is None else f"{part} of {file!r}"
                yield (
                    f"datasets.{name}.{key}: {found} belongs to {others[0]}, too: what is tested must not be trained on"
                )
    n_groups = sum(
        len(specification["recipe"]["cells"])
        * sum(d["trajectories"] for d in specification["recipe"]["defects"].values())
        for specification in datasets.values()
        if "recipe" in specification and specification["role"] == "train"
    )
    recipes_only = all("recipe" in s for s in datasets.values() if s["role"] == "train")
    if recipes_only and 0 < n_groups < config["evaluation"]["folds"]:
        yield f"evaluation.folds: {config['evaluation']['folds']} folds of {n_groups} training trajectories"

    generated = [name for name, specification in datasets.items() if "recipe" in specification]
    labelled = "arrays", "archive"
    unlabelled = [
        name for name, s in datasets.items() if s.get("entropy") is None and not any(k in s for k in labelled)
    ]
    if generated and config["lattice"] is None:
        yield f"lattice: missing, but {', '.join(generated)} is made from a recipe"
    if unlabelled and config["potential"] is None:
        yield f"potential: missing, but the entropies of {', '.join(unlabelled)} have to be computed"
    labels = config["labels"]
    if (labels["site_entropies"] or labels["temperatures"]) and not (generated or unlabelled):
        yield "labels: site_entropies and temperatures are computed with labels, and all labels of this run are given"
    for name in generated:
        reached = datasets[name]["recipe"]["quench"]["max_force"]
        if reached > labels["max_force"]:
            yield (
                f"datasets.{name}.recipe.quench.max_force: {reached:g} eV/Å leaves nothing that counts as relaxed: "
                f"labels.max_force is {labels['max_force']:g} eV/Å"
            )
        if datasets[name]["recipe"]["strain"] and config["lattice"] and config["lattice"]["structure"] == "diamond":
            yield (
                f"datasets.{name}.recipe.strain: a strained diamond crystal is not at rest on its sites, as the "
                "crystal that defects are compared with has to be"
            )
    if config["potential"] is not None:
        if config["potential"]["element"] not in atomic_numbers:
            yield f"potential.element: {config['potential']['element']!r} is no chemical element"
        try:
            potential_files(config["potential"])
        except PotentialError as error:
            yield f"{'potential.file' if is_analytic(config['potential']) else 'potential'}: {error}"

    tested = [name for name, specification in datasets.items() if specification["role"] == "test"]
    owners = {}
    for test, names in config["evaluation"]["tests"].items():
        for name in names:
            if name not in tested:
                known = ", ".join(tested) or "none"
                yield (
                    f"evaluation.tests.{test}: {name!r}{did_you_mean(name, tested)} is no data set of role test; "
                    f"those are {known}"
                )
            elif owners.setdefault(name, test) != test:
                yield f"evaluation.tests.{test}: {name!r} is part of {owners[name]}, too"

    plugins = [entry.name for entry in entry_points(group="vibentropy.descriptors")]
    for section, known in [
        ("descriptors", [*schema["$defs"]["descriptors"], *plugins]),
        ("regressors", [*schema["$defs"]["regressors"]]),
    ]:
        for name, block in config[section].items():
            kind = block["kind"]
            if "." not in kind and kind not in known:
                yield (
                    f"{section}.{name}.kind: found {kind!r}{did_you_mean(kind, known)}, "
                    f"expected one of {', '.join(known)}, or a dotted path"
                )


def _clusters(place, defect, cells, lattice):
    """Yield what is wrong with the clusters of a class."""
    kinds = {f"{place}.mixture[{number}]": kind for number, kind in enumerate(defect["mixture"])} or {place: defect}
    without = {"shape": "random", "interstitials": 0, "vacancies": 0, "radius": None, "clusters": 1}
    own = {key: defect[key] for key, default in without.items() if defect[key] != default}
    if defect["mixture"] and own:
        yield f"{place}: has a mixture, which leaves {', '.join(own)} without effect"
    if defect["melt"] and not defect["mixture"] and not defect["interstitials"] + defect["vacancies"]:
        if own:
            yield f"{place}: has neither interstitials nor vacancies, which leaves {', '.join(own)} without effect"
        return
    for where, kind in kinds.items():
        added, removed = kind["interstitials"], kind["vacancies"]
        match kind["shape"].partition("_")[0]:
            case "random" if not added + removed:
                yield f"{where}: neither interstitials nor vacancies"
            case "void" if added or not removed:
                yield f"{where}: a void has vacancies and no interstitials, found {removed} and {added}"
            case "loop" | "c15" if removed or not added:
                yield f"{where}: shape {kind['shape']} has interstitials and no vacancies, found {added} and {removed}"
            case "c15" if added in (1, 3):
                yield f"{where}.interstitials: the smallest C15 clusters are of 2 and 4 interstitials, found {added}"
        if kind["shape"] != "random" and kind["radius"] is not None:
            yield f"{where}.radius: without effect on shape {kind['shape']}"
        if lattice is not None:
            if kind["shape"] == "c15" and lattice["structure"] != "bcc":
                yield f"{where}.shape: c15 clusters are defined in bcc, found lattice.structure {lattice['structure']}"
            yield from _crowding(where, kind, lattice)
    wanted = sum(kind["clusters"] * kind["vacancies"] for kind in kinds.values())
    if lattice is not None:
        sites = min(SITES_PER_CELL[lattice["structure"]] * math.prod(cell) for cell in cells)
        if wanted > sites // 2:
            yield f"{place}: {wanted} vacancies in a cell of {sites} sites"


def _crowding(place, defect, lattice):
    """Yield why a sphere does not have the room that a random cluster needs."""
    per_cell = SITES_PER_CELL[lattice["structure"]]
    if defect["radius"] is not None:
        # A sphere holds its volume's worth of sites, give or take those at its surface.
        held = 4 / 3 * math.pi * defect["radius"] ** 3 * per_cell / lattice["a"] ** 3
        if defect["vacancies"] > held:
            yield (
                f"{place}.radius: a sphere of {defect['radius']} Å holds {held:.1f} sites on average, too few for "
                f"{defect['vacancies']} vacancies"
            )
