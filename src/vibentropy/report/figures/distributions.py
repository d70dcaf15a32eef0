"""Figure of the exact entropies of a data set."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator

from vibentropy.errors import DataError
from vibentropy.report.figures.style import SINGLE, class_styles, lay_out, styled
from vibentropy.sources.reference_work import reported

#: Colours of published ranges, by potential; markers of their means, and of those of a run.
PUBLISHED_COLORS = ("#000000", "#8c8c8c")
PUBLISHED_MEAN: dict[str, Any] = {"marker": "D", "ms": 2.5}
MEAN_OF_RUN: dict[str, Any] = {"marker": "D", "ms": 3, "mfc": "white", "mec": "black", "mew": 0.6}

#: Bars from the smallest to the largest entropy of a figure.
BARS = 80


@styled
def distribution_figure(table: pd.DataFrame, element: str) -> Figure:
    """Draw the distribution of exact formation entropies by class of defect, beside the published ranges.

    Parameters
    ----------
    table : pandas.DataFrame
        Of labelled configurations (`vibentropy.datasets.store`).
    element : str
        Published numbers are drawn where there are some of it (`vibentropy.sources.reference_work.reported`).

    Returns
    -------
    matplotlib.figure.Figure
        For each class a histogram above a bracket, which goes from the smallest to the largest entropy and has the
        mean on it, and the number of labels; below, such a bracket of the published entropies for each potential. Bars
        end where the bracket does, or have the mean in their middle where all labels would fall into one; the highest
        bar of each class is as high as those of the others.

    Raises
    ------
    DataError
        If there are no labels.
    """
    entropy = table["formation_entropy"].astype(float)
    if not np.isfinite(entropy).any():
        raise DataError("there are no labels to draw")
    by_class = dict(iter(table.groupby("defect_class")["formation_entropy"]))
    styles = class_styles(by_class)
    brackets = {
        potential: {c: r for c, r in of.items() if c in by_class} for potential, of in reported(element).items()
    }
    brackets = {potential: of for potential, of in brackets.items() if of}
    ends = [
        entropy.min(),
        entropy.max(),
        *(e for of in brackets.values() for r in of.values() for e in (r.low, r.high)),
    ]
    width = (max(ends) - min(ends)) / BARS or 1.0

    figure = Figure(figsize=(SINGLE, 0.75 + (0.2 + 0.07 * len(brackets)) * len(by_class)))
    axes = figure.subplots()
    step = 0.15
    for row, (name, values) in enumerate(by_class.items()):
        counts, edges = np.histogram(values, _edges(values, width))
        axes.stairs(0.68 * counts / counts.max() - row, edges, baseline=-row, fill=True, color=styles[name]["color"])
        _bracket(axes, values.min(), values.mean(), values.max(), -row, styles[name]["color"], MEAN_OF_RUN)
        axes.text(1.02, -row, f"{len(values):,}", transform=axes.get_yaxis_transform(), va="bottom", size="small")
        for k, (color, of_class) in enumerate(zip(PUBLISHED_COLORS, brackets.values(), strict=False), start=1):
            if name in of_class:
                one = of_class[name]
                _bracket(axes, one.low, one.mean, one.high, -row - k * step, color, PUBLISHED_MEAN)
    axes.text(1.02, 1.0, "labels", transform=axes.transAxes, va="bottom", size="small")
    axes.set_yticks([-row for row in range(len(by_class))], [name or "unnamed" for name in by_class])
    axes.tick_params(axis="y", which="both", left=False, right=False)
    axes.set(
        ylim=(-len(by_class) + 1 - 0.3 - step * len(brackets), 0.8), xlabel=r"exact $S_\mathrm{f}$ ($k_\mathrm{B}$)"
    )
    axes.xaxis.set_major_locator(MaxNLocator(8, steps=[1, 2, 5, 10]))
    color = styles[next(iter(by_class))]["color"]
    entries: list[Artist] = [Patch(color=color, label="number of labels, scaled to the same height for each class")]
    entries += [Line2D([], [], color=color, **MEAN_OF_RUN, label="this run: range, mean")]
    entries += [
        Line2D([], [], color=color, **PUBLISHED_MEAN, label=f"published, {potential}: range, mean")
        for color, potential in zip(PUBLISHED_COLORS, brackets, strict=False)
    ]
    figure.legend(handles=entries, loc="outside lower center", ncols=1)
    lay_out(figure)
    return figure


def _edges(values, width):
    """Edges of the bars of a class, of about one width."""
    low, high = values.min(), values.max()
    if high - low < width:
        return np.array([-0.5, 0.5]) * width + (low + high) / 2
    return np.linspace(low, high, round((high - low) / width) + 1)


def _bracket(axes, low, mean, high, y, color, marker):
    """Draw a range with its ends and the mean as a diamond."""
    axes.plot([low, high], [y, y], "|-", color=color, ms=3.5, mew=0.8, zorder=3)
    axes.plot(mean, y, color=color, zorder=4, **marker)
