"""Measurements, drawn."""

import numpy as np
import pytest
from matplotlib.colors import to_rgb
from measurements import missing, rows

from vibentropy.errors import DataError
from vibentropy.report.figures.timing import LABEL_STYLES, NEIGHBOURS_COLOR, cost_figure, label_figure, speed_figure
from vibentropy.studies.benchmark import peers, tables


class TestFigures:
    @pytest.fixture
    def table(self):
        return tables.gather(
            [
                rows("fast", [100, 1000], [0.1, 1.0]),
                rows("slow", [100, 1000], [1.0, 10.0]),
                rows(tables.REFERENCE, [100], [2.0], source="peer", package="numpy 1"),
                rows("list", [100], [0.01], source="peer", features=0, package="q 1"),
                missing("absent"),
            ]
        )

    def test_cost(self, table):
        (axes,) = cost_figure(table).axes
        lines = {line.get_label(): line for line in axes.lines}
        assert list(lines) == [tables.REFERENCE, "slow", "fast", "list", "slope 1"]
        np.testing.assert_allclose(lines["slow"].get_xydata(), [[100, 1], [1000, 10]])
        assert [lines[name].get_linestyle() for name in ("slow", "list")] == ["-", "--"]
        x, y = np.log(lines["slope 1"].get_xydata()).T
        assert np.diff(y) == pytest.approx(np.diff(x))

    def test_speed(self, table):
        figure = speed_figure(table)
        (axes,) = figure.axes
        labels = [label.get_text() for label in axes.get_yticklabels()]
        assert labels == ["absent", tables.REFERENCE, "slow", "fast", "list"]
        assert [bar.get_width() for bar in axes.patches] == pytest.approx([50, 100, 1000, 10_000])
        texts = {text.get_text() for text in axes.texts}
        assert {"not installed", "20×,  1,000 atoms", "200×,  100 atoms"} <= texts
        assert to_rgb(axes.patches[-1].get_facecolor()) == to_rgb(NEIGHBOURS_COLOR)

    def test_same_colours_in_both(self, table):
        (cost,), (speed,) = cost_figure(table).axes, speed_figure(table).axes
        of_line = {line.get_label(): to_rgb(line.get_color()) for line in cost.lines}
        assert [of_line["slow"], of_line["fast"]] == [to_rgb(bar.get_facecolor()) for bar in speed.patches[1:3]]

    def test_nothing_to_draw(self):
        table = tables.gather([missing("absent")])
        for draw in (cost_figure, speed_figure):
            with pytest.raises(DataError, match="nothing was measured"):
                draw(table)


class TestLabels:
    def test_measured_and_fitted(self):
        n_atoms = np.array([1000, 2000, 4000])
        labels = tables.compare_labels(
            [
                rows(tables.OUR_LABEL, n_atoms, 1e-6 * n_atoms**2.0, memory=1e-3 * n_atoms**1.5),
                rows(tables.OUR_LABEL, n_atoms, 5e-7 * n_atoms**2.0, threads=2),
                rows("matscipy_eigenvalues", [1000, 2000], [10, 80], source="peer", memory=[100, 400]),
                missing("pardiso_factor"),
            ]
        )
        figure = label_figure(labels)
        time, memory = figure.axes
        lines = [line for line in time.lines if len(line.get_xdata()) and line.get_linestyle() == "--"]
        np.testing.assert_allclose([line.get_xydata() for line in lines], [[[2000, 80], [4000, 640]]])
        markers = next(line.get_xydata() for line in time.lines if line.get_linestyle() == "None")
        np.testing.assert_allclose(markers, [[1000, 0.5], [2000, 2], [4000, 8]])
        fits = [line.get_xydata() for line in memory.lines if line.get_linestyle() == "--"]
        np.testing.assert_allclose(fits, [[[2000, 400], [4000, 1600]]])
        texts = [text.get_text() for text in figure.legends[0].texts]
        assert texts == [
            "our sparse factor: $N^{2.0}$, $N^{1.5}$",
            "matscipy, eigenvalues: $N^{3.0}$, $N^{2.0}$",
            "on 2 cores",
            "extrapolated",
        ]

    def test_every_way_has_a_style(self):
        assert list(LABEL_STYLES) == list(peers.LABELS)
