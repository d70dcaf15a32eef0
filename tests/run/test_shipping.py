"""What is written into the model that comes with the package."""

import pandas as pd
import pytest

from vibentropy.errors import DataError
from vibentropy.run.shipping import row_of


@pytest.fixture
def summary():
    splits = ["shuffled", "groups"]
    models = [("afs", "ridge"), ("10", "NA")]
    rows = [(*model, split, 10 * k + j) for k, model in enumerate(models) for j, split in enumerate(splits)]
    return pd.DataFrame(rows, columns=["descriptor", "regressor", "split", "cross_validation_mae"])


def test_errors_of_a_model_are_those_of_the_split_that_keeps_groups_together(summary):
    row = row_of(summary, "10", "NA")
    assert (row["split"], float(row["cross_validation_mae"])) == ("groups", 11.0)
    assert row_of(summary[summary["split"] == "shuffled"], "afs", "ridge")["cross_validation_mae"] == 0


def test_a_model_that_is_not_there_is_refused(summary):
    with pytest.raises(DataError, match="no model afs/NA; there are afs/ridge, 10/NA"):
        row_of(summary, "afs", "NA")
