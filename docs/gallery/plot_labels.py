"""
Exact entropies by class
========================

The labels of the training set that ships: 1633 minima of bcc iron with one to four interstitials (I) or vacancies
(V). Brackets below the histograms are the ranges published with the reference work, for other potentials.
"""

import vibentropy
from vibentropy.report.figures.distributions import distribution_figure

# sphinx_gallery_start_ignore
import os  # isort: skip

os.chdir("../..")
# sphinx_gallery_end_ignore

table = vibentropy.read_archive("data/clusters.h5", "clusters").table
figure = distribution_figure(table, "Fe")
