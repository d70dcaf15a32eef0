"""Figures of speed."""

from itertools import cycle
from typing import Any, Literal

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import NullFormatter

from vibentropy.errors import DataError
from vibentropy.report.figures.style import COLORS, DOUBLE, lay_out, styled
from vibentropy.studies.benchmark.tables import MEASURED, REFERENCE, label_cost, largest

#: Colours of other packages, and of lists of neighbours alone.
PEER_GREYS = ("#4d4d4d", "#8c8c8c", "#b3b3b3")
NEIGHBOURS_COLOR = "#dcdcdc"

#: What the ways to a label are called and how they are drawn, by name.
LABEL_STYLES: dict[str, dict[str, Any]] = {
    "vibentropy_sparse": {"label": "our sparse factor", "color": COLORS[0], "marker": "s", "zorder": 3},
    "vibentropy_dense": {"label": "our dense factor", "color": COLORS[2], "marker": "D", "zorder": 3},
    "cholmod_factor": {"label": "CHOLMOD", "color": COLORS[4], "marker": "<"},
    "pardiso_factor": {"label": "PARDISO", "color": COLORS[3], "marker": ">"},
    "matscipy_eigenvalues": {"label": "matscipy, eigenvalues", "color": "#8c8c8c", "marker": "^"},
    "lammps_eigenvalues": {"label": "LAMMPS, eigenvalues", "color": "#4d4d4d", "marker": "v"},
}

#: Which of them stand beside predictions.
BESIDE_PREDICTIONS = ("vibentropy_sparse", "vibentropy_dense", "matscipy_eigenvalues", "lammps_eigenvalues")

#: How predictions from files are drawn, by name.
PREDICTION_STYLES: dict[str, dict[str, Any]] = {
    "vibentropy_predict": {"label": "prediction, from a file", "color": COLORS[1], "marker": "o", "zorder": 3},
    "vibentropy_predict_stiffness": {"label": "prediction, stiffness", "color": COLORS[5], "marker": "P", "zorder": 3},
}

#: How costs are drawn that nobody has measured.
EXTRAPOLATED: dict[str, Any] = {"ls": "--", "lw": 0.9}

#: Costs that people know: times in s and memory in MB.
LANDMARKS = {
    "seconds": {"a minute": 60, "a day": 86_400, "a year": 3.156e7, "a million years": 3.156e13},
    "peak_memory_mb": {"16 GB": 16e3, "1 TB": 1e6},
}


@styled
def cost_figure(table: pd.DataFrame) -> Figure:
    """Draw the time of one computation against the number of atoms, of descriptors of this package and of others.

    Parameters
    ----------
    table : pandas.DataFrame
        From `vibentropy.studies.benchmark.tables.gather`.

    Returns
    -------
    matplotlib.figure.Figure
        With a line of slope 1, and a legend in the order of the speeds.

    Raises
    ------
    DataError
        If nothing was measured.
    """
    measured, order = _measured(table)
    figure = Figure(figsize=(DOUBLE, 0.56 * DOUBLE))
    axes = figure.subplots()
    for name, style in _implementation_styles(order).items():
        rows = measured[measured["implementation"] == name]
        axes.loglog(rows["n_atoms"].astype(float), rows["seconds"], label=name, **style)
    ends = np.array(axes.get_xlim())
    fastest = measured.loc[measured["atoms_per_second"].idxmax(), "atoms_per_second"]
    axes.plot(ends, ends / fastest / 2, color="black", lw=0.6, ls=":", label="slope 1", zorder=1)
    axes.set(xlim=ends, xlabel="number of atoms", ylabel="seconds on one core")
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_minor_formatter(NullFormatter())
    figure.legend(loc="outside right center", title="from slow to fast", alignment="left")
    lay_out(figure)
    return figure


@styled
def speed_figure(table: pd.DataFrame) -> Figure:
    """Draw atoms per second in the largest cell of each implementation, with the ratio to the reference beside it.

    Parameters
    ----------
    table : pandas.DataFrame
        From `vibentropy.studies.benchmark.tables.gather`.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    DataError
        If nothing was measured.
    """
    _, order = _measured(table)
    missing = table[~table["implementation"].isin(order["implementation"])]
    n_bars = len(order) + len(missing)
    figure = Figure(figsize=(DOUBLE, 0.9 + 0.165 * n_bars))
    figure.set_layout_engine("constrained", w_pad=0.08)
    axes = figure.subplots()
    styles = _implementation_styles(order)
    for k, row in enumerate(order.itertuples(), start=len(missing)):
        light = row.n_features == 0
        color = NEIGHBOURS_COLOR if light else styles[row.implementation]["color"]
        axes.barh(k, row.atoms_per_second, height=0.72, color=color, edgecolor="#8c8c8c" if light else "none", lw=0.5)
        ratio = "" if np.isnan(row.ratio) else f"{_two_digits(row.ratio)}×,  "
        axes.annotate(
            f"{ratio}{row.n_atoms:,} atoms",
            (row.atoms_per_second, k),
            xytext=(3, 0),
            textcoords="offset points",
            va="center",
            size="small",
        )
    left = order["atoms_per_second"].min() / 3
    for k, row in enumerate(missing.itertuples()):
        axes.annotate(
            _shorten(row.status),
            (left, k),
            xytext=(3, 0),
            textcoords="offset points",
            va="center",
            size="small",
            color="#7a7a7a",
        )
    axes.set_xscale("log")
    axes.set(xlim=(left, order["atoms_per_second"].max() * 8), ylim=(-0.7, n_bars - 0.3))
    axes.set_yticks(range(n_bars), [*missing["implementation"], *order["implementation"]])
    axes.tick_params(axis="y", which="both", left=False, right=False)
    axes.set_xlabel(f"atoms per second on one core (×: compared with {REFERENCE})")
    lay_out(figure)
    return figure


@styled
def scale_figure(predictions: pd.DataFrame, labels: pd.DataFrame) -> Figure:
    """Draw time and memory of predictions from files and of exact labels against the number of atoms.

    Parameters
    ----------
    predictions : pandas.DataFrame
        From `vibentropy.studies.benchmark.tables.compare_predictions`.
    labels : pandas.DataFrame
        From `vibentropy.studies.benchmark.tables.compare_labels`.

    Returns
    -------
    matplotlib.figure.Figure
        Measurements have markers; dashed lines continue the cost of labels
        (`vibentropy.studies.benchmark.tables.label_cost`).

    Raises
    ------
    DataError
        If no prediction was measured.
    """
    figure = Figure(figsize=(DOUBLE, 0.42 * DOUBLE))
    panels = figure.subplots(1, 2, sharex=True)
    growth(panels[0], predictions, labels, "seconds")
    growth(panels[1], predictions, labels, "peak_memory_mb")
    panels[0].set_ylabel("seconds on one core")
    panels[1].set_ylabel("memory (MB)")
    figure.legend(*panels[0].get_legend_handles_labels(), loc="outside upper center", ncols=3)
    lay_out(figure)
    return figure


@styled
def label_figure(labels: pd.DataFrame) -> Figure:
    """Draw time and memory of all ways to an exact label against the number of atoms.

    Parameters
    ----------
    labels : pandas.DataFrame
        From `vibentropy.studies.benchmark.tables.compare_labels`.

    Returns
    -------
    matplotlib.figure.Figure
        Measurements on one core have lines, times on more are open markers; dashed lines continue the cost on one core
        (`vibentropy.studies.benchmark.tables.label_cost`), and the legend has their slopes.

    Raises
    ------
    DataError
        If nothing was measured.
    """
    measured, _ = _measured(labels)
    figure = Figure(figsize=(DOUBLE, 0.5 * DOUBLE))
    time, memory = figure.subplots(1, 2, sharex=True)
    n_largest = float(measured["n_atoms"].max())
    handles: list[Line2D] = []
    for name, style in LABEL_STYLES.items():
        rows = measured[measured["implementation"] == name].sort_values("n_atoms")
        one_core, more = rows[rows["threads"] == 1], rows[rows["threads"] > 1]
        time.loglog(more["n_atoms"].astype(float), more["seconds"], **style | {"ls": "", "mfc": "none", "label": ""})
        if one_core.empty:
            continue
        handles += _label_line(time, measured, name, "seconds", n_largest)
        _label_line(memory, measured, name, "peak_memory_mb", n_largest)
        slopes = one_core[["seconds_slope", "memory_slope"]].iloc[-1]
        if slopes.notna().all():
            handles[-1].set_label("{}: $N^{{{:.1f}}}$, $N^{{{:.1f}}}$".format(style["label"], *slopes))
    numbers = measured.loc[measured["threads"] > 1, "threads"].unique()
    if len(numbers):
        cores = " or ".join(str(number) for number in sorted(numbers))
        handles.append(Line2D([], [], color="black", ls="", marker="o", mfc="none", label=f"on {cores} cores"))
    handles.append(Line2D([], [], color="black", **EXTRAPOLATED, label="extrapolated"))
    _finish(time, "seconds")
    _finish(memory, "peak_memory_mb")
    time.set_ylabel("seconds")
    memory.set_ylabel("memory on one core (MB)")
    figure.legend(handles=handles, loc="outside upper center", ncols=3, title="slopes of time and memory on one core")
    lay_out(figure)
    return figure


def growth(
    axes: Axes, predictions: pd.DataFrame, labels: pd.DataFrame, column: Literal["seconds", "peak_memory_mb"]
) -> None:
    """Draw one cost of predictions and of exact labels against the number of atoms; a legend says what is extrapolated.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
    predictions, labels : pandas.DataFrame
        As for `scale_figure`.
    column : {"seconds", "peak_memory_mb"}

    Raises
    ------
    DataError
        If no prediction was measured.
    """
    predicted, _ = _measured(predictions)
    for name, style in PREDICTION_STYLES.items():
        rows = predicted[predicted["implementation"] == name].sort_values("n_atoms")
        if len(rows):
            axes.loglog(rows["n_atoms"].astype(float), rows[column].astype(float), **style)
    for name in BESIDE_PREDICTIONS:
        for line in _label_line(axes, labels, name, column, float(predicted["n_atoms"].max())):
            line.set_label(f"exact: {LABEL_STYLES[name]['label']}")
    if any(line.get_linestyle() == EXTRAPOLATED["ls"] for line in axes.lines):
        axes.plot([], [], color="black", **EXTRAPOLATED, label="extrapolated")
    _finish(axes, column)


def _label_line(axes, labels, name, column, n_largest):
    """Draw the cost of one way to a label on one core, and its fit up to the largest number of atoms."""
    style = LABEL_STYLES[name]
    chosen = (labels["implementation"] == name) & (labels["status"] == MEASURED) & (labels["threads"] == 1)
    rows = labels[chosen].sort_values("n_atoms")
    if rows.empty:
        return []
    n_atoms = rows["n_atoms"].to_numpy(float)
    lines = axes.loglog(n_atoms, rows[column].astype(float), **style)
    if len(rows) > 1 and n_largest > n_atoms[-1]:
        ends = np.array([n_atoms[-1], n_largest])
        axes.plot(ends, label_cost(labels, name, column, ends), color=style["color"], **EXTRAPOLATED)
    return lines


def _finish(axes, column):
    """Name the number of atoms, and costs that people know: left where lines are measured, right beyond."""
    axes.set_xlabel("number of atoms")
    drawn = [line for line in axes.lines if line.get_linestyle() != EXTRAPOLATED["ls"] and len(line.get_ydata())]
    measured = max((float(np.max(line.get_ydata())) for line in drawn), default=np.inf)
    for text, value in LANDMARKS[column].items():
        # With space for the words above the line.
        if axes.get_ylim()[0] < value < axes.get_ylim()[1] / 10:
            axes.axhline(value, color="#d0d0d0", lw=0.5, zorder=0)
            above: dict[str, Any] = {"xycoords": ("axes fraction", "data"), "textcoords": "offset points"}
            at, offset, side = (0, 3, "left") if value < measured else (1, -3, "right")
            axes.annotate(text, (at, value), (offset, 1.5), ha=side, size="small", color="#7a7a7a", **above)
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_minor_formatter(NullFormatter())


def _measured(table):
    """Rows that were measured, and the one of the largest cell of each implementation, from slow to fast."""
    measured = table[table["status"] == MEASURED]
    if measured.empty:
        raise DataError("nothing was measured, so there is no speed to draw")
    return measured, largest(table).sort_values("atoms_per_second", kind="stable")


def _implementation_styles(order):
    """Line styles by implementation: colours and markers for this package, greys and a marker per package for others.

    Parameters
    ----------
    order : pandas.DataFrame
        One row per implementation.

    Returns
    -------
    dict of dict
    """
    ours, peers = (order[order["source"] == source].sort_values("implementation") for source in ("ours", "peer"))
    styles = {}
    for k, name in enumerate(ours["implementation"]):
        # Five markers and eight colours: forty descriptors before one looks like another.
        styles[name] = {"color": COLORS[k % len(COLORS)], "marker": "os^Dv"[k % 5], "lw": 1.0, "zorder": 3}
    for marker, (_, rows) in zip(cycle("s^Dv<>ph"), peers.groupby("package"), strict=False):
        for name, color in zip(rows["implementation"], cycle(PEER_GREYS), strict=False):
            styles[name] = {"color": color, "marker": marker, "ls": "--", "mfc": "white", "zorder": 2}
    return {name: styles[name] for name in order["implementation"]}


def _two_digits(number):
    """Write a number with two digits, or all before the point: ``0.25``, ``3.4``, ``71``, ``1,240``."""
    return f"{number:,.0f}" if number >= 99.5 else f"{number:.2g}"


def _shorten(text, width=70):
    return text if len(text) <= width else text[: width - 1] + "…"
