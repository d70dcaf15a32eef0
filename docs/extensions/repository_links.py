"""Links of pages as a browser of the repository reads them: to files, relative to the page or to the page it includes.

Pages of the site include files such as ``CONTRIBUTING.md``, whose links start at the root of the repository. A link to
a file that has a page (`repository_pages` of ``conf.py``) leads to that page, any other one to a copy of the file.
"""

import os
from pathlib import Path

from docutils import nodes
from sphinx import addnodes
from sphinx.transforms import SphinxTransform


class RepositoryLinks(SphinxTransform):
    """Give each link of Markdown to a file of the repository its page, or else a copy of the file."""

    # Before references are resolved and files to download are collected.
    default_priority = 5

    def apply(self, **kwargs):
        """Replace the links of one page."""
        for node in list(self.document.findall(nodes.Element)):
            if node.get("reftype") != "myst":
                continue
            target, _, anchor = node["reftarget"].partition("#")
            file = self._file(node, target)
            if file is None:
                continue
            page = self._page(file)
            if page:
                anchor = node.get("reftargetid") or anchor or None
                replacement = addnodes.pending_xref(refdomain="doc", reftarget=page, reftargetid=anchor)
            elif file.is_file():
                path = os.path.relpath(file, Path(self.env.srcdir, node["refdoc"]).parent)
                replacement = addnodes.download_reference(refdomain=None, reftarget=path)
            else:
                continue  # a folder, of which Sphinx warns
            for name in ("refdoc", "reftype", "refexplicit"):
                replacement[name] = node[name]
            replacement.source, replacement.line = node.source, node.line
            replacement += node.children
            node.replace_self(replacement)

    def _file(self, node, target):
        """File or folder that is meant; None where there is none, as for the page that the link is on."""
        if not target:
            return None
        if node.get("refdomain") == "doc":
            target = f"/{target}.md" if not target.startswith("/") else f"{target}.md"
        source = Path(self.env.srcdir)
        here = source if target.startswith(str(source.parent)) else source / Path(node["refdoc"]).parent
        for folder in (here, source, source.parent):
            path = Path(os.path.normpath(folder / target.rstrip("/")))
            if path.exists() and path.is_relative_to(source.parent):
                return path
        return None

    def _page(self, file):
        """Name of the page of a file or folder; empty where it has none."""
        source = Path(self.env.srcdir)
        if file.suffix == ".md" and file.is_relative_to(source):
            return file.relative_to(source).with_suffix("").as_posix()
        return self.config.repository_pages.get(file.relative_to(source.parent).as_posix(), "")


def setup(app):
    """Register the transform and the table of pages."""
    app.add_config_value("repository_pages", {}, "env", dict)
    app.add_transform(RepositoryLinks)
    return {"parallel_read_safe": True}
