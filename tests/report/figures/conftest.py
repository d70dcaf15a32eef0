"""Predictions to draw."""

import numpy as np
import pandas as pd
import pytest
from drawn import CLASSES

from vibentropy.evaluation.predictions import REQUIRED_COLUMNS


@pytest.fixture
def make():
    """Predictions of one or more models: eight classes of ten held out, two sizes of test cells of twelve."""

    def make(models=(("afs", "ridge"),), std=np.nan, stage="cross-validation"):
        rng, rows = np.random.default_rng(4), []
        for descriptor, regressor in models:
            for name, extra in CLASSES.items():
                for _ in range(10):
                    truth = 3 * abs(extra) + rng.uniform()
                    rows.append([stage, "train", name, 250 + extra, 250, truth, descriptor, regressor])
            for n_sites in (432, 1024):
                for k in range(12):
                    truth = rng.uniform(5, 60)
                    name = "I2+V1" if k % 2 else "4xI2"
                    rows.append(
                        ["test", "test", name, n_sites + 1 - 3 * (k % 2), n_sites, truth, descriptor, regressor]
                    )
        columns = [
            "stage",
            "role",
            "defect_class",
            "n_atoms",
            "n_sites",
            "formation_entropy",
            "descriptor",
            "regressor",
        ]
        table = pd.DataFrame(rows, columns=columns)
        # Root mean square and mean absolute error: 1 of the training, 2 of the test cells.
        error = np.where(np.arange(len(table)) % 2, -1.0, 1.0) * np.where(table["role"] == "test", 2, 1)
        table = table.assign(prediction=table["formation_entropy"] + error, std=std, trajectory="t", fold=0)
        table["dataset"] = np.where(table["role"] == "train", "d", "large_" + table["n_sites"].astype(str))
        table["split"] = np.where(table["stage"] == "cross-validation", "groups", "")
        return table.assign(id=[f"d/t/{k}" for k in range(len(table))])[REQUIRED_COLUMNS]

    return make
