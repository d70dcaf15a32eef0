"""
Energy against entropy
======================

Do minima of higher energy have more entropy? Where they do, the slope is the temperature at which all minima of the
class are equally probable. Only classes of enough minima that are correlated have a line.
"""

import vibentropy
from vibentropy.report.figures.thermodynamics import compensation_figure
from vibentropy.studies.thermodynamics import compensation

# sphinx_gallery_start_ignore
import os  # isort: skip

os.chdir("../..")
# sphinx_gallery_end_ignore

table = vibentropy.read_archive("data/clusters.h5", "clusters").table
lines = compensation(table)
figure = compensation_figure(table, lines)

# %%
# The slopes and correlations behind it:

lines.round(2)
