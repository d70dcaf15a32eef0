"""Predictions of two models."""

import numpy as np
import pandas as pd
import pytest

from vibentropy.evaluation.predictions import (
    predictions_table,
)


@pytest.fixture
def predictions(configurations):
    """Two models, one with standard deviations, both stages; errors +1 for I2 and -2 for V1."""
    error = np.where(configurations["defect_class"] == "I2", 1.0, -2.0)
    predicted = pd.DataFrame({"prediction": configurations["formation_entropy"] + error, "std": np.nan})
    tables = []
    for regressor, std in [("ridge", np.nan), ("bayes", 1.5)]:
        for stage in ("cross-validation", "test"):
            predicted["std"] = std
            predicted["fold"] = np.arange(12) % 3
            tables.append(
                predictions_table(configurations, predicted, stage=stage, descriptor="afs", regressor=regressor)
            )
    return pd.concat(tables)
