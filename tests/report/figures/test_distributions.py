"""Distributions of labels beside published ones, drawn."""

import numpy as np
import pandas as pd
import pytest

from vibentropy.errors import DataError
from vibentropy.report.figures.distributions import distribution_figure


@pytest.mark.usefixtures("unplaced")
def test_figure_of_labels_has_brackets_where_there_are_published_ones():
    rng = np.random.default_rng(1)
    table = pd.DataFrame({"defect_class": ["I2"] * 40 + ["V4"] * 30 + ["4xI2"] * 5 + ["V1"]})
    table["formation_entropy"] = np.r_[rng.uniform(2, 14, 40), rng.normal(10, 1, 30), rng.uniform(20, 40, 5), 2.6]
    (axes,) = distribution_figure(table, "Fe").axes
    assert [text.get_text() for text in axes.get_yticklabels()] == ["4xI2", "I2", "V1", "V4"]

    def ranges(axes):
        return {tuple(np.round(line.get_xdata(), 9)) for line in axes.lines if len(line.get_xdata()) == 2}

    own = table.groupby("defect_class")["formation_entropy"].agg(["min", "max"]).round(9)
    own = set(own.itertuples(index=False, name=None))
    assert ranges(axes) == own | {(1.10, 15.44), (7.01, 16.46), (7.87, 15.20), (12.81, 27.94)}
    assert {"40", "30", "5", "1"} <= {text.get_text() for text in axes.texts}
    (legend,) = axes.figure.legends
    assert len(legend.get_texts()) == 4
    # Bars are where their labels are, one of a single label around it.
    for bars, (low, high) in zip(
        axes.patches, table.groupby("defect_class")["formation_entropy"].agg(["min", "max"]).to_numpy(), strict=True
    ):
        edges = bars.get_data().edges
        if low < high:
            np.testing.assert_allclose(edges[[0, -1]], [low, high])
        else:
            assert len(edges) == 2
            assert edges.mean() == pytest.approx(low)
        # Of about one width in all classes.
        assert np.diff(edges) == pytest.approx((40 - 1) / 80, rel=0.25)
    (axes,) = distribution_figure(table, "W").axes
    assert ranges(axes) == own
    # One label alone, or all alike, has a figure too; none at all has not.
    distribution_figure(table[table["defect_class"] == "V1"], "W")
    with pytest.raises(DataError, match="no labels to draw"):
        distribution_figure(table[:0], "Fe")
