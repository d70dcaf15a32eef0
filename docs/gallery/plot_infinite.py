"""
How far a cell is from the infinite crystal
===========================================

Images of a defect in its periodic cell change its entropy. ``data/infinite.csv`` has the entropies of the lowest
minima of each class in cells of about 1024 to 16,000 sites, and their limit. The difference goes as one over the
number of sites; it is largest for clusters of interstitials, which strain the crystal most.
"""

import pandas as pd
from matplotlib.figure import Figure

from vibentropy.report.figures.style import class_styles, styled

# sphinx_gallery_start_ignore
import os  # isort: skip

os.chdir("../..")
# sphinx_gallery_end_ignore

table = pd.read_csv("data/infinite.csv").query("status == 'labelled'")
sizes = {1024: "of_its_cell", 3456: "3456_sites", 8192: "8192_sites", 16000: "16000_sites"}
styles = class_styles(table["defect_class"])


@styled
def draw():
    """Draw the mean difference from the limit, class by class."""
    figure = Figure(figsize=(4.2, 3.2), layout="constrained")
    axes = figure.subplots()
    for name, minima in table.groupby("defect_class"):
        missing = [(minima["formation_entropy"] - minima[f"formation_entropy_{of}"]).mean() for of in sizes.values()]
        axes.loglog(list(sizes), missing, label=name, ms=4, **styles[name])
    axes.set(xlabel="sites of the cell", ylabel=r"$S_\infty - S_\mathrm{f}(N)$ ($k_\mathrm{B}$)")
    axes.legend(ncols=2)
    return figure


figure = draw()
