"""The schema of descriptors and regressors in a configuration, and their tables in the documentation.

Both are made from what the classes declare (`vibentropy.descriptors.parameters`), in the source tree, by

    python -m vibentropy.run.parameter_schema
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from vibentropy.descriptors import REGISTRY, find
from vibentropy.descriptors.parameters import SPECIES, arguments, summary
from vibentropy.files.atomic import atomic
from vibentropy.learning.registry import REGRESSORS, find_regressor

_ROOT = Path(__file__).parents[3]
SCHEMA = _ROOT / "workflow/schemas/parameters.yaml"
PAGE = _ROOT / "docs/descriptors.md"

_HEADER = """\
# Parameters of descriptors and regressors, as their classes declare them. Do not edit: change `parameters` of the
# class, then run `python -m vibentropy.run.parameter_schema`. What is left out takes the default of the class.
"""
_MARKERS = "<!-- {}: made by `python -m vibentropy.run.parameter_schema` -->\n", "<!-- end of {} -->\n"


def schema() -> dict[str, Any]:
    """JSON Schema (draft 2020-12) of the blocks of all registered descriptors and regressors.

    Returns
    -------
    dict
        With the definitions ``descriptor`` and ``regressor``, which go by the kind to one of ``descriptors`` and
        ``regressors``.
    """
    blocks = {
        "descriptor": (
            "a kind (registered, an entry point, or the dotted path of a class) and its parameters",
            {kind: find(kind) for kind in REGISTRY},
        ),
        "regressor": (
            "a kind (registered, or the dotted path of a linear regressor) and its parameters",
            {kind: find_regressor(kind) for kind in REGRESSORS},
        ),
    }
    definitions: dict[str, Any] = {}
    for name, (text, classes) in blocks.items():
        definitions[name] = {
            "description": text,
            "type": "object",
            "required": ["kind"],
            "properties": {"kind": {"description": "registered name, or dotted path of a class", "type": "string"}},
            "allOf": [
                {
                    "if": {"required": ["kind"], "properties": {"kind": {"const": kind}}},
                    "then": {"$ref": f"#/$defs/{name}s/{kind}"},
                }
                for kind in classes
            ],
        }
        definitions[f"{name}s"] = {kind: _block(cls) for kind, cls in classes.items()}
    definitions["species"] = SPECIES.schema()
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "$defs": definitions}


def _block(cls: type) -> dict[str, Any]:
    """Make the schema of the block of one class."""
    properties: dict[str, Any] = {"kind": {}}
    required = []
    for argument in arguments(cls):
        parameter = argument.parameter
        if parameter is None:
            raise TypeError(f"{cls.__name__} does not declare its parameter {argument.name}")
        properties[argument.name] = {"$ref": "#/$defs/species"} if parameter is SPECIES else parameter.schema()
        if parameter.required:
            required.append(argument.name)
    block = {"description": summary(cls), "type": "object", "additionalProperties": False}
    return block | ({"required": required} if required else {}) | {"properties": properties}


def schema_text() -> str:
    """Text of the file with the schema of all descriptors and regressors.

    Returns
    -------
    str
    """
    return _HEADER + yaml.dump(schema(), Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=116)


class _Dumper(yaml.SafeDumper):
    """Writes everything out: an anchor for what occurs twice would be hard to read."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def page_text(page: str) -> str:
    """Put the tables of descriptors, regressors and their parameters into a page.

    Parameters
    ----------
    page : str
        Markdown with the markers ``<!-- descriptors: ... -->`` and ``<!-- end of descriptors -->``, and likewise for
        ``regressors`` and ``parameters``.

    Returns
    -------
    str
    """
    descriptors = {kind: find(kind) for kind in REGISTRY}
    regressors = {kind: find_regressor(kind) for kind in REGRESSORS}
    tables = {
        "descriptors": _kinds("descriptor", descriptors),
        "regressors": _kinds("regressor", regressors),
        "parameters": _parameters(descriptors | regressors),
    }
    for name, table in tables.items():
        first, last = (marker.format(name) for marker in _MARKERS)
        before, between, rest = page.partition(first)
        _, end, after = rest.partition(last)
        if not between or not end:
            raise ValueError(f"{PAGE.name} lacks the markers {first.strip()} and {last.strip()}")
        page = f"{before}{first}{table}{last}{after}"
    return page


def _kinds(name: str, classes: Mapping[str, type]) -> str:
    lines = [f"| {name} | what it is |", "|---|---|"]
    lines += [f"| `{kind}` | {_cell(summary(cls))} |" for kind, cls in classes.items()]
    return "\n".join(lines) + "\n"


def _parameters(classes: Mapping[str, type]) -> str:
    lines = ["| kind | parameter | default | values | what it is |", "|---|---|---|---|---|"]
    for kind, cls in classes.items():
        for argument in arguments(cls):
            if argument.parameter is not None and argument.parameter is not SPECIES:
                cells = [f"`{kind}`", f"`{argument.name}`", argument.default_text]
                lines.append(f"| {' | '.join([*cells, argument.parameter.values, argument.parameter.description])} |")
    return "\n".join(lines) + "\n"


def _cell(text: str) -> str:
    """Text in a table: code in Markdown's manner, and no bars."""
    return text.replace("``", "`").replace("|", "\\|")


def main() -> None:
    """Write the schema of all descriptors and regressors, and their tables for the documentation."""
    for path, text in ((SCHEMA, schema_text()), (PAGE, page_text(PAGE.read_text(encoding="utf-8")))):
        with atomic(path) as temporary:
            Path(temporary).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
