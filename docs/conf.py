"""The documentation site: `sphinx-build -W --keep-going -n docs docs/_build`."""

import logging
import os
import re
import sys
from pathlib import Path

from numpydoc import xref

import vibentropy

sys.path.append(str(Path(__file__).parent / "extensions"))

project = "vibentropy"
author = "The vibentropy developers"
copyright = "The vibentropy developers, BSD-3-Clause"
version = release = vibentropy.__version__

extensions = [
    "myst_nb",
    "numpydoc",
    "sphinx.ext.autodoc",
    "sphinx.ext.mathjax",
    "sphinx_gallery.gen_gallery",
    "sphinx-mathjax-offline",
    "sphinx_click",
    # Ours, in docs/extensions.
    "config_reference",
    "registered_classes",
    "repository_links",
]
# Of examples of the gallery the site has pages; the notebooks made of them are only downloaded.
exclude_patterns = ["_build", "gallery", "gallery_of_figures/*.ipynb"]
smartquotes = False  # they make dashes of the hyphens of options

# Pages are read in the repository as well, where formulas are blocks of the language `math` and links name headings.
myst_enable_extensions = ["dollarmath"]
myst_fence_as_directive = ["math"]
myst_heading_anchors = 4
#: Files and folders of the repository that have a page of their own here.
repository_pages = {
    "README.md": "index",
    "CHANGELOG.md": "changelog",
    "CITATION.cff": "citing",
    "CONTRIBUTING.md": "contributing",
    "data/README.md": "data",
    "descriptors": "api/descriptors",
    "descriptors/__init__.py": "api/descriptors",
    "workflow/schemas/config.schema.yaml": "configuration",
}

# Docstrings say shapes and units, which types cannot.
autodoc_typehints = "none"
autodoc_member_order = "bysource"
autodoc_class_signature = "separated"
numpydoc_show_class_members = False
# Names of the package in the types of docstrings are links, all other words are words: those of Python and NumPy would
# take inventories from the network.
xref.DEFAULT_LINKS.clear()
numpydoc_xref_param_type = True
numpydoc_xref_ignore = "all"
numpydoc_xref_aliases = {name: f"vibentropy.{name}" for name in vibentropy.__all__} | {
    name: f"vibentropy.descriptors.{name}" for name in ("Descriptor", "LocalDescriptor")
}
# `Name` in a docstring is a link where that name is on the site, and code anywhere else.
default_role = "py:obj"
nitpick_ignore_regex = [("py:obj", ".*"), ("py:class", r"collections\.abc\..*")]

# Notebooks run while the site is built, and an error in one of them ends the build. What runs them tells of errors only
# (docs/jupyter does so for the kernel): not of each start, nor that a kernel listens on this machine unencrypted.
logging.getLogger("traitlets").setLevel(logging.WARNING)
os.environ["JUPYTER_PATH"] = str(Path(__file__).parent / "jupyter")
nb_execution_mode = "force"
nb_execution_timeout = 900  # seconds for a cell; the first ones compile
nb_execution_raise_on_error = True
nb_merge_streams = True
# Widgets would load their scripts from the network; there are none.
nb_ipywidgets_js = {}

sphinx_gallery_conf = {
    "examples_dirs": "gallery",
    "gallery_dirs": "gallery_of_figures",
    "within_subsection_order": "FileNameSortKey",
    "image_scrapers": "drawn_figures.scrape",
    "abort_on_example_error": True,
    "download_all_examples": False,
    "write_computation_times": False,
    "min_reported_time": 3600,
    "remove_config_comments": True,
}

html_theme = "furo"
html_title = f"vibentropy {release}"
html_static_path = ["static"]
html_css_files = ["site.css"]
html_copy_source = False
html_theme_options = {"top_of_page_buttons": []}


def setup(app):
    """Take the one file of MathJax that needs no fonts beside it: browsers refuse those of pages opened from a disk."""
    app.config.mathjax_path = "mathjax/tex-svg.js"
    app.connect("autodoc-process-docstring", keep_bars)
    app.connect("autodoc-skip-member", skip_generated)
    app.connect("sphinx-click-process-epilog", examples_as_code)


def keep_bars(app, what, name, obj, options, lines):
    """Bars in docstrings are those of absolute values, outside of code: no substitutions of reStructuredText."""
    for number, line in enumerate(lines):
        parts = re.split(r"(`+[^`]+`+)", line)
        lines[number] = "".join(part if k % 2 else part.replace("|", r"\|") for k, part in enumerate(parts))


def skip_generated(app, what, name, obj, skip, options):
    """Leave out what nobody wrote: methods that scikit-learn adds to estimators, and fields of named tuples."""
    return True if re.fullmatch(r"set_\w+_request|get_metadata_routing", name) or is_field(obj) else None


def is_field(obj):
    """Whether something is a field of a named tuple, which the docstring of its class has."""
    return str(getattr(obj, "__doc__", "")).startswith("Alias for field number")


def examples_as_code(app, context, lines):
    """Make blocks of code of the examples in the help of commands, which are indented there."""
    changed = []
    for line in lines:
        if not line.startswith("|   "):
            changed.append(line.removeprefix("| "))
            continue
        if not changed[-1].startswith("   "):
            changed += ["", ".. code-block:: sh", ""]
        changed.append(line.removeprefix("|"))
    lines[:] = changed
