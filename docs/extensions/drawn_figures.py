"""Figures of the gallery: sphinx-gallery finds those of pyplot, and ours are objects without it."""

from matplotlib.figure import Figure
from sphinx_gallery.scrapers import figure_rst


def scrape(block, block_vars, gallery_conf):
    """Save the figures that a block of an example has made, as their functions drew them.

    Parameters
    ----------
    block : tuple
        Not used.
    block_vars : dict
        Variables of the example after the block, and an iterator of paths for images.
    gallery_conf : dict
        Configuration of sphinx-gallery.

    Returns
    -------
    str
        Images in reStructuredText.
    """
    paths = []
    for value in block_vars["example_globals"].values():
        if isinstance(value, Figure) and not hasattr(value, "of_the_gallery"):
            value.of_the_gallery = True
            paths.append(next(block_vars["image_path_iterator"]))
            value.savefig(paths[-1], dpi=150, bbox_inches="tight")
    return figure_rst(paths, gallery_conf["src_dir"])
