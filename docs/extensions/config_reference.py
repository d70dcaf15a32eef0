"""Directive ``config-reference``: every key of a JSON schema with its type, bounds, default and description."""

import re
from pathlib import Path

import yaml
from docutils import nodes
from sphinx.util.docutils import SphinxDirective

#: Types in words.
TYPES = {"object": "mapping", "string": "text", "boolean": "true or false", "null": "null"}
BOUNDS = {"minimum": "≥", "exclusiveMinimum": ">", "maximum": "≤", "exclusiveMaximum": "<"}

#: What stands in paths for names that the user chooses.
EACH = "NAME"


def anchor(path):
    """Name the place of a key, by the keys that lead to it."""
    return "config-" + nodes.make_id("-".join(path))


def words(text):
    """Make nodes of a text in which `code` stands between backticks."""
    parts = re.split(r"`([^`]+)`", text)
    return [nodes.literal(part, part) if k % 2 else nodes.Text(part) for k, part in enumerate(parts) if part]


def as_yaml(value):
    """Write a value as one line of YAML."""
    text = yaml.safe_dump(value, default_flow_style=True, width=10**6, allow_unicode=True, sort_keys=False)
    return text.removesuffix("...\n").strip()


class Schema:
    """A schema in a file, with what it refers to.

    Blocks of keys that are referred to more than once are shown where they come first, and linked to from elsewhere.
    """

    def __init__(self, path):
        self.folder = path.parent
        self.files = {}
        self.shown = {}

    def resolve(self, schema, file):
        """Follow references: the schema, with what stands beside them, its file, and the last reference or None."""
        reference = None
        while "$ref" in schema:
            name, _, pointer = schema["$ref"].partition("#")
            file = name or file
            if file not in self.files:
                self.files[file] = yaml.safe_load((self.folder / file).read_text(encoding="utf-8"))
            reference = f"{file}#{pointer}"
            target = self.files[file]
            for key in filter(None, pointer.split("/")):
                target = target[key]
            schema = target | {key: entry for key, entry in schema.items() if key != "$ref"}
        return schema, file, reference

    def type_of(self, schema, file):
        """Say type and bounds in words, such as "list of integer ≥ 1"."""
        schema, file, _ = self.resolve(schema, file)
        if "enum" in schema:
            return " | ".join(map(as_yaml, schema["enum"]))
        if "const" in schema:
            return as_yaml(schema["const"])
        kinds = schema.get("type", [])
        said = []
        for kind in [kinds] if isinstance(kinds, str) else kinds:
            if kind == "array":
                least, most = schema.get("minItems", 0), schema.get("maxItems")
                number = f" of {least}" if least == most else f" of {least} or more" if least > 1 else ""
                items = self.type_of(schema["items"], file) if "items" in schema else ""
                said.append(f"list{number}{':' if number else ' of'} {items}" if items else f"list{number}")
            elif kind in ("number", "integer"):
                bounds = [f"{sign} {schema[name]}" for name, sign in BOUNDS.items() if name in schema]
                said.append(f"{kind} {' and '.join(bounds)}".strip())
            else:
                said.append(TYPES[kind])
        return " or ".join(said)

    def keys(self, schema, file, path):
        """Nodes of the keys of a mapping, or of the mappings in a list; path is what leads to it."""
        schema, file, reference = self.resolve(schema, file)
        if reference in self.shown:
            first = self.shown[reference]
            link = nodes.reference("", "", nodes.literal("", ".".join(first)), refid=anchor(first), internal=True)
            return [nodes.paragraph("", "", nodes.Text("Keys as under "), link, nodes.Text("."))]
        if reference:
            self.shown[reference] = path
        required = schema.get("required", ())
        items = [
            self.key([*path, name], entry, file, name in required)
            for name, entry in schema.get("properties", {}).items()
            if entry  # empty where another part of the schema says more
        ]
        each = schema.get("additionalProperties")
        if isinstance(each, dict):
            items.append(self.key([*path, EACH], each, file))
        found = [nodes.definition_list("", *items, classes=["config-keys"])] if items else []
        for way in schema.get("allOf", ()):
            found += self.way(way["if"], way["then"], file, path)
        for inner in ("then", "items"):
            if inner in schema:
                found += self.keys(schema[inner], file, path)
        if not found:
            self.shown.pop(reference, None)
        return found

    def way(self, condition, schema, file, path):
        """Nodes of the keys that there are where another key is there, or has a certain value."""
        values = {name: entry["const"] for name, entry in condition.get("properties", {}).items() if "const" in entry}
        said = ", ".join(f"{name}: {text}" for name, text in values.items()) or ", ".join(condition["required"])
        title = nodes.paragraph("", "", nodes.Text("With "), nodes.literal(said, said), classes=["config-way"])
        description = self.resolve(schema, file)[0].get("description")
        if description:
            title += [nodes.Text(": "), *words(description)]
        return [title, *self.keys(schema, file, [*path, *values.values()])]

    def key(self, path, schema, file, required=False):
        """Item of a definition list for one key."""
        name = nodes.emphasis("", "each, by its name") if path[-1] == EACH else nodes.literal(path[-1], path[-1])
        content = [*self.about(schema, file, required), *self.keys(schema, file, path)]
        return nodes.definition_list_item(
            "", nodes.term("", "", name, ids=[anchor(path)]), nodes.definition("", *content)
        )

    def about(self, schema, file, required):
        """Paragraphs on one key: type and default, and the description."""
        schema, file, _ = self.resolve(schema, file)
        line = nodes.paragraph("", "; ".join([self.type_of(schema, file), *["required"] * required]))
        line["classes"].append("config-type")
        if schema.get("default", {}) != {}:
            text = as_yaml(schema["default"])
            line += [nodes.Text("; default "), nodes.literal(text, text)]
        description = schema.get("description")
        return [line, nodes.paragraph("", "", *words(description))] if description else [line]


class ConfigReference(SphinxDirective):
    """A section for each key at the top of the schema whose path, from the page, is given."""

    required_arguments = 1

    def run(self):
        """Sections, and the description of the whole before them."""
        path = Path(self.env.relfn2path(self.arguments[0])[1])
        for part in path.parent.glob("*.yaml"):
            self.env.note_dependency(str(part))
        schema = Schema(path)
        root, file, _ = schema.resolve({"$ref": f"{path.name}#"}, path.name)
        found = [nodes.paragraph("", "", *words(root["description"]))]
        for name, entry in root["properties"].items():
            section = nodes.section("", nodes.title("", "", nodes.literal(name, name)), ids=[anchor([name])])
            section += schema.about(entry, file, name in root["required"])
            section += schema.keys(entry, file, [name])
            found.append(section)
        return found


def setup(app):
    """Register the directive."""
    app.add_directive("config-reference", ConfigReference)
    return {"parallel_read_safe": True}
