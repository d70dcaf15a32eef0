"""Tables of predictions, in memory and in files."""

import numpy as np
import pandas as pd
import pytest

from vibentropy.errors import DataError
from vibentropy.evaluation.predictions import (
    PREDICTION_COLUMNS,
    load_predictions,
    predictions_table,
)
from vibentropy.files.tables import save_table


def test_predictions_table(predictions):
    assert list(predictions.columns) == PREDICTION_COLUMNS
    first = predictions.iloc[0]
    assert (first["id"], first["formation_entropy"], first["prediction"]) == ("a/x/0", 1.0, 2.0)


def test_predictions_table_of_rows_that_were_not_held_out(configurations):
    predicted = pd.DataFrame({"prediction": np.arange(12.0), "std": 0.0})
    table = predictions_table(configurations[::-1], predicted, stage="test", descriptor="afs", regressor="ridge")
    assert set(table["fold"]) == {-1}
    np.testing.assert_array_equal(table["prediction"], np.arange(12.0))
    np.testing.assert_array_equal(table["formation_entropy"], np.arange(12.0, 0.0, -1.0))


def test_predictions_table_refuses(configurations):
    predicted = pd.DataFrame({"prediction": np.zeros(11), "std": 0.0})
    with pytest.raises(DataError, match="11 predictions for 12 configurations"):
        predictions_table(configurations, predicted, stage="test", descriptor="afs", regressor="ridge")
    with pytest.raises(DataError, match="stage 'tests' is none of"):
        predictions_table(configurations[:11], predicted, stage="tests", descriptor="afs", regressor="ridge")


def test_tables_come_back_as_they_were_written(predictions, tmp_path):
    predictions["prediction"] += np.pi * 1e-5
    predictions["defect_class"] = ["", "None", "NA", "I2,V1", "Å", "nan"] * 8
    predictions["trajectory"] = [f"{k:03d}" for k in range(48)]
    save_table(predictions[:20], tmp_path / "a.csv")
    save_table(predictions[20:], tmp_path / "b.csv")
    again = load_predictions(tmp_path / "a.csv", tmp_path / "b.csv")
    pd.testing.assert_frame_equal(again, predictions.reset_index(drop=True), check_exact=True)


def test_tables_of_something_else_are_refused(tmp_path):
    (tmp_path / "other.csv").write_text("id,prediction\na,1.0\n")
    with pytest.raises(DataError, match=r"other.csv: .*no column dataset, role"):
        load_predictions(tmp_path / "other.csv")
    (tmp_path / "text.csv").write_text("id,prediction\na,much\n")
    with pytest.raises(DataError, match=r"text.csv: not a table"):
        load_predictions(tmp_path / "text.csv")
    with pytest.raises(DataError, match=r"none.csv"):
        load_predictions(tmp_path / "none.csv")
