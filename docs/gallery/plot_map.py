"""
Which atoms carry the entropy
=============================

Top: the exact share of each atom in the entropy of four minima, from the logarithm of the Hessian. Middle: the
shares that a model gives the atoms, which add up to a good total but `are not unique <../results.html#targets>`__.
Bottom: the entropy of the atoms within a distance of the defect.
"""

import vibentropy
from vibentropy.report.figures.site_maps import map_figure

# sphinx_gallery_start_ignore
import os  # isort: skip

os.chdir("../..")
# sphinx_gallery_end_ignore

model = vibentropy.EntropyModel.load()
cells = vibentropy.read_archive("data/clusters.h5", "clusters")
lowest = {}
for atoms, row in zip(cells.frames, cells.table.to_dict("records"), strict=True):
    if atoms.has("site_entropy"):
        name = row["defect_class"]
        if row["formation_energy"] < lowest.get(name, (float("inf"),))[0]:
            lowest[name] = row["formation_energy"], atoms

minima = []
for name in ("I2", "I4", "V2", "V4"):
    atoms = lowest[name][1]
    atoms.info["defect_class"] = name
    atoms.set_array("predicted_site_entropy", model.site_entropies(atoms))
    minima.append(atoms)
figure = map_figure({"iron": minima})
