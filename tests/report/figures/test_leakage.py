"""The figure of held-out errors by the way of testing."""

import numpy as np
import pandas as pd
import pytest

from vibentropy.errors import DataError
from vibentropy.report.figures.leakage import leakage_figure
from vibentropy.report.figures.style import save_figure
from vibentropy.sources.reference_work import REPORTED_ERRORS
from vibentropy.studies.leakage import WAYS


def rows(regressor, classes, errors):
    ways = [way for way in WAYS if regressor == "ridge" or way.penalty == "nested"]
    model = {"descriptor": "afs", "regressor": regressor, "classes": classes}
    return [model | way._asdict() | {"mae": mae, "remembered": 0.5} for way, mae in zip(ways, errors, strict=True)]


def test_every_row_is_a_point(tmp_path):
    table = pd.DataFrame(
        rows("ridge", "all", [0.7, 0.6, 0.5, 0.4, 0.3])
        + rows("ridge", "I2 I3", [0.8, 0.7, 0.6, 0.5, 0.4])
        + rows("bayesian_ridge", "all", [0.75, 0.65, 0.55, 0.35])
        + rows("bayesian_ridge", "I2 I3", [0.85, 0.75, 0.65, 0.45])
    )
    table.loc[table["classes"] != "all", "remembered"] = 0.75
    table.loc[table["split"] == "groups", "remembered"] = 0.0
    figure = leakage_figure(table, "Fe")
    save_figure(figure, tmp_path / "figure.png")
    assert [axes.get_title() for axes in figure.axes] == ["all classes", "I2, I3"]
    left = figure.axes[0]
    ridge, bayesian, published = left.lines
    np.testing.assert_allclose(ridge.get_xdata(), [0.7, 0.6, 0.5, 0.4, 0.3])
    assert list(ridge.get_ydata()) == [0, 1, 2, 3, 4]
    np.testing.assert_allclose(bayesian.get_xdata(), [0.75, 0.65, 0.55, 0.35])
    assert list(bayesian.get_ydata()) == [0, 1, 2, 4]
    assert published.get_xdata()[0] == REPORTED_ERRORS[0].held_out[0]
    # The lines of file order.
    np.testing.assert_allclose(published.get_ydata(), [1.6, 3.4])
    words = [text.get_text() for text in left.get_yticklabels()]
    assert words[0] == "distinct minima, trajectories together"
    assert words[3] == "with repeats, file order, penalty by the errors of the same rows"
    # Each panel has its own.
    assert [[text.get_text() for text in axes.texts] for axes in figure.axes] == [
        ["0%", "0%", "50%", "50%", "50%"],
        ["0%", "0%", "75%", "75%", "75%"],
    ]
    narrow = pd.concat([table, table[table["classes"] == "I2 I3"].assign(classes="I2 I3 (published range)")])
    assert leakage_figure(narrow).axes[2].get_title() == "I2, I3\n(published range)"
    # Nothing is published of copper.
    assert len(leakage_figure(table, "Cu").axes[0].lines) == 2
    with pytest.raises(DataError, match="no ways of testing"):
        leakage_figure(table[:0])
