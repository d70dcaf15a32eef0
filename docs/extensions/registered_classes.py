"""Directive ``registered-classes``: the classes of a registry, each under the name that configurations give it."""

import pkgutil

from docutils import nodes
from docutils.statemachine import StringList
from sphinx.util.docutils import SphinxDirective
from sphinx.util.nodes import nested_parse_with_titles


class RegisteredClasses(SphinxDirective):
    """Documentation of each class in a dictionary of names and places, such as ``vibentropy.descriptors:REGISTRY``."""

    required_arguments = 1

    def run(self):
        """Document all of them."""
        lines = []
        for kind, place in pkgutil.resolve_name(self.arguments[0]).items():
            lines += [f".. rubric:: kind: {kind}", "", f".. autoclass:: {place.replace(':', '.')}", ""]
        container = nodes.container()
        nested_parse_with_titles(self.state, StringList(lines, source=self.arguments[0]), container)
        return container.children


def setup(app):
    """Register the directive."""
    app.add_directive("registered-classes", RegisteredClasses)
    return {"parallel_read_safe": True}
