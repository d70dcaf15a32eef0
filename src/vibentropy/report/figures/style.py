"""What all figures share: sizes, colours of classes of defects, layout, files.

A class of defects has the same colour and marker in every figure: warm colours for interstitials, cold ones for
vacancies, darker ones for larger clusters. What else has to be told apart, by colour, takes `COLORS` in turn. Both
survive colour blindness (tests/report/figures/test_style.py) and, with their markers and lines, grey printing.
"""

import functools
import re
from collections.abc import Callable, Iterable
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import matplotlib.style
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from vibentropy.evaluation.predictions import MODEL
from vibentropy.files.atomic import atomic

#: How a line or the points of one class, model or data set are drawn: arguments of matplotlib.
Style = dict[str, Any]

P = ParamSpec("P")
R = TypeVar("R")

#: Widths of one and of two journal columns, in.
SINGLE, DOUBLE = 3.4, 7.0

#: Panels with more points than this are images inside vector files.
MAX_VECTOR_POINTS = 5000

#: Colours of test sets, descriptors, models and so on, which nothing orders.
COLORS = ("#332288", "#e69f00", "#56b4e9", "#aa3377", "#117733", "#000000", "#ee6677", "#a6cf6a")

#: Colours of clusters of 1, 2, 3 and 4 interstitials (I) or vacancies (V), and their markers.
CLUSTERS = {
    "I": ("#f0a733", "#e0701a", "#b8400c", "#6f1d06"),
    "V": ("#79b8e0", "#3a8fc8", "#1f5fa8", "#0b2a5c"),
}
CLUSTER_MARKERS = ("o", "s", "^", "D")

#: Cells with several clusters, and classes of any other name: alloys have dozens of them.
SEVERAL = {"color": "#aa3377", "marker": "X"}
_OTHER_COLORS = ("#8f4fa8", "#7a7a7a", "#d17ab0", "#000000")
OTHERS = [{"color": color, "marker": mark} for mark in "Pv<>hp*" for color in _OTHER_COLORS]

#: Areas (points²) that make markers look equally large.
AREAS = {
    "o": 11,
    "s": 9.5,
    "^": 13,
    "D": 8,
    "X": 14,
    "P": 14,
    "v": 13,
    "<": 13,
    ">": 13,
    "h": 12,
    "p": 13,
    "*": 16,
    ".": 14,
}

#: Names of classes of one cluster, and of several.
CLUSTER = re.compile(r"([IV])([1-9]\d*)")
SEVERAL_CLUSTERS = re.compile(r"(?![IV]\d+$)(\d+x)?[IV]\d+(\+(\d+x)?[IV]\d+)*")


def styled(function: Callable[P, R]) -> Callable[P, R]:
    """Decorate a function that draws a figure, to use ``vibentropy.mplstyle`` and no style of the process.

    Parameters
    ----------
    function : callable

    Returns
    -------
    callable
        With the same arguments.
    """

    @functools.wraps(function)
    def wrapper(*args: P.args, **kwargs: P.kwargs) -> R:
        with (
            as_file(files("vibentropy.report") / "vibentropy.mplstyle") as path,
            matplotlib.style.context(["default", path]),
        ):
            return function(*args, **kwargs)

    return wrapper


def class_styles(classes: Iterable[str]) -> dict[str, Style]:
    """Choose colour and marker of classes of defects in figures.

    Parameters
    ----------
    classes : iterable of str
        ``I1`` to ``I4`` and ``V1`` to ``V4`` have a style each, larger clusters that of four; several clusters
        such as ``I2+V1`` or ``4xI2`` share one. Other names take further styles in alphabetical order.

    Returns
    -------
    dict of dict
        ``color`` and ``marker`` by class.
    """
    styles: dict[str, Style] = {}
    others = []
    for name in sorted(set(classes)):
        if match := CLUSTER.fullmatch(name):
            size = min(int(match[2]), len(CLUSTER_MARKERS)) - 1
            styles[name] = {"color": CLUSTERS[match[1]][size], "marker": CLUSTER_MARKERS[size]}
        elif SEVERAL_CLUSTERS.fullmatch(name):
            styles[name] = SEVERAL
        else:
            others.append(name)
    return styles | {name: OTHERS[k % len(OTHERS)] for k, name in enumerate(others)}


@styled
def save_figure(figure: Figure, *paths: str | Path, source: str = "") -> None:
    """Write a figure, each file whole or not at all; the same figure gives the same bytes.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
    *paths : path-like
        Their suffixes choose the formats: ``.pdf``, ``.svg``, or ``.png`` at 300 dots per inch.
    source : str
        Where the figure comes from, as `vibentropy.run.provenance.origin` says it, for the metadata of the files:
        Keywords, or Comment in PNG.
    """
    metadata = {
        ".pdf": {"Keywords": source or None, "CreationDate": None},
        ".svg": {"Keywords": [source] if source else None, "Date": None},
        ".png": {"Comment": source} if source else {},
    }
    for path in paths:
        with atomic(path) as temporary:
            figure.savefig(temporary, metadata=metadata.get(temporary.suffix))


def common_limits(*columns: ArrayLike) -> tuple[float, float]:
    """Choose common limits for both axes of a panel: all values, zero, and a margin.

    Parameters
    ----------
    *columns : array-like
        Of any lengths.

    Returns
    -------
    low, high : float
    """
    values = np.concatenate([np.asarray(column, dtype=float) for column in columns] + [[0.0]])
    margin = 0.04 * np.ptp(values)
    return values.min() - margin, values.max() + margin


def beyond(axes: Axes, x: pd.Series, y: pd.Series, limits: tuple[float, float], color: str) -> int:
    """Draw points above or below the frame of a panel as ticks at its edge.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
    x, y : pandas.Series
    limits : (float, float)
        Of y.
    color : str

    Returns
    -------
    int
        Their number.
    """
    outside = ~y.between(*limits)
    if outside.any():
        axes.plot(x[outside], np.clip(y[outside], *limits), "|", color=color, ms=6, mew=0.6, clip_on=False, zorder=4)
    return int(outside.sum())


def models_with_room(predictions: pd.DataFrame, most: int) -> list[tuple[str, str]]:
    """Choose the models that a figure has room for.

    Parameters
    ----------
    predictions : pandas.DataFrame
        Of predictions (`vibentropy.evaluation.fitting`).
    most : int

    Returns
    -------
    list of tuple
        Descriptor and regressor of all models or, if there are more than `most`, the best ones by mean absolute error
        of what was held out (of all predictions, if nothing was): first the best of each descriptor, then others. In
        the order they come in.
    """
    models = list(dict.fromkeys(zip(*(predictions[name] for name in MODEL), strict=True)))
    if len(models) <= most:
        return models
    held_out = predictions[predictions["stage"] == "cross-validation"]
    judged = predictions if held_out.empty else held_out
    errors = (judged["prediction"] - judged["formation_entropy"]).abs()
    ordered = errors.groupby([judged[name] for name in MODEL]).mean().sort_values(kind="stable").index
    repeated = ordered.get_level_values("descriptor").duplicated()
    chosen = set([*ordered[~repeated], *ordered[repeated]][:most])
    return [model for model in models if model in chosen]


def diagonal(axes: Axes, limits: tuple[float, float]) -> None:
    """Draw the line of exact predictions into a panel.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
    limits : (float, float)
        From where to where.
    """
    axes.plot(limits, limits, color="black", lw=0.6, zorder=1)


def lay_out(figure: Figure) -> None:
    """Place panels, legends and labels of a figure, and keep them where they are.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
        Complete: the layout engine is taken off.
    """
    # Points far beyond the frames would push everything else aside.
    for artist in [artist for axes in figure.axes for artist in (*axes.lines, *axes.collections)]:
        artist.set_in_layout(False)
    # The engine needs a few passes; after them files do not depend on the order in which they are written.
    if figure.axes and (engine := figure.get_layout_engine()):
        for _ in range(3):
            engine.execute(figure)
    figure.set_layout_engine("none")
