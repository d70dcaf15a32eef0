"""
Beyond the training set
=======================

The model of iron that comes with the package learnt from cells with a single cluster. Here it predicts some of them
again, and cells with several clusters, loops and voids, which it has not seen. Grey is the range of the training.
"""

import pandas as pd

import vibentropy
from vibentropy.evaluation.predictions import predictions_table
from vibentropy.report.figures.predictions import extrapolation_figure

# sphinx_gallery_start_ignore
import os  # isort: skip

os.chdir("../..")
# sphinx_gallery_end_ignore

model = vibentropy.EntropyModel.load()
tables = []
for name, rows, stage in (("clusters", [0, 1633, 20], "training"), ("cells_1024", [0, 42], "test")):
    cells = vibentropy.read_archive(f"data/{name}.h5", name, rows=rows)
    predicted = model.predict(cells.frames).rename(columns={"formation_entropy": "prediction"})
    tables.append(predictions_table(cells.table, predicted, stage=stage, descriptor="iron", regressor="ridge"))
figure = extrapolation_figure(pd.concat(tables))
