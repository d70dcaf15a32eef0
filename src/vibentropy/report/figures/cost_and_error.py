"""Figure of models side by side: error against number of features and cost."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter

from vibentropy.errors import DataError
from vibentropy.report.figures.style import DOUBLE, lay_out, styled
from vibentropy.studies.cost_and_error import pareto_front

#: Kinds of model, by whether they need a potential.
KINDS = {
    False: {"label": "positions alone", "color": "#1f5fa8", "marker": "o"},
    True: {"label": "positions and potential", "color": "#b8400c", "marker": "s"},
}

#: Characters of the key that fit beside each other.
KEY_WIDTH = 140

#: Panels are lower (in) with a few models than with many. So few have their names beside their points, and no front:
#: of two models that differ, each may be on it.
FEW, LOW, HIGH = 4, 1.6, 2.3


@styled
def cost_and_error_figure(table: pd.DataFrame, tests: Sequence[str] = ()) -> Figure:
    """Draw errors against number of features and cost of computing them, with the front of each kind of model.

    Of models with equally many features of one descriptor, which cost the same, the one with the smallest held-out
    error is drawn, in all panels.

    Parameters
    ----------
    table : pandas.DataFrame
        From `vibentropy.studies.cost_and_error.comparison_table`.
    tests : sequence of str
        Names of tests, a row of panels for each below that of the held-out error.

    Returns
    -------
    matplotlib.figure.Figure
        With a key to the numbers, which count models from the smallest held-out error, positions alone first. Up to
        `FEW` models are named beside their points, without a front.

    Raises
    ------
    DataError
        If there is no model, or a test has no errors.
    """
    if table.empty:
        raise DataError("there are no models to compare")
    shown = table.drop_duplicates(["descriptor", "n_selected"], ignore_index=True)
    errors = {f"{test}_mae": test.replace("_", " ") for test in tests}
    missing = [column for column in errors if column not in shown]
    if missing:
        raise DataError(f"there is no column {missing[0]} to draw")
    errors = {"cross_validation_mae": "held out"} | errors
    costs = {"n_selected": "number of features", "cpu_us_per_atom": r"cost per atom ($\mathrm{\mu s}$ on one core)"}

    names = [f"{row.descriptor}, {row.regressor}" for row in shown.itertuples()]
    few = len(shown) <= FEW
    key = [] if few else [f"{k + 1}  {name}" for k, name in enumerate(names)]
    n_columns = max(KEY_WIDTH // (max(map(len, names)) + 5), 1)
    height = LOW if few else HIGH
    figure = Figure(figsize=(DOUBLE, height * len(errors) + 0.135 * -(-len(key) // n_columns) + 0.35))
    panels = figure.subplots(len(errors), 2, squeeze=False, sharex="col", sharey="row")
    places: set[tuple[bool, bool | None]] = set()
    for row, (error, name) in zip(panels, errors.items(), strict=True):
        for axes, cost in zip(row, costs, strict=True):
            axes.set(xscale="log", yscale="log")
            places |= _name_points(axes, shown, cost, error, names) if few else _draw(axes, shown, cost, error)
        row[0].set_ylabel(f"MAE, {name} ($k_\\mathrm{{B}}$)")
    for axes, label in zip(panels[-1], costs.values(), strict=True):
        axes.set_xlabel(label)
    for axes in panels.ravel():
        axes.margins(0.25 if few else 0.12)
        for axis in (axes.xaxis, axes.yaxis):
            _mark(axis)
    blank = Line2D([], [], ls="none")
    if key:
        figure.legend([blank] * len(key), key, loc="outside lower center", ncols=n_columns, handlelength=0)
    figure.legend(handles=_kinds(places), loc="outside upper center", ncols=4)
    figure.align_ylabels()
    lay_out(figure)
    return figure


def _mark(axis):
    """Write enough numbers along a logarithmic axis, which is seldom longer than some decades."""
    decades = np.ptp(np.log10(axis.get_view_interval()))
    subs = (1.0, 1.5, 2.0, 3.0, 5.0, 7.0) if decades < 1 else (1.0, 2.0, 5.0) if decades < 3 else (1.0,)
    # A short axis may have none of these on it.
    short = MaxNLocator(5, steps=[1, 2, 5, 10]) if decades < 0.4 else None
    axis.set_major_locator(short or LogLocator(subs=subs, numticks=20))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axis.set_minor_formatter(NullFormatter())


def _name_points(axes, table, cost, error, names):
    """Draw points of both kinds with the names of the models beside them; return which kinds there are."""
    rows = table[np.isfinite(table[cost]) & np.isfinite(table[error])]
    middle = np.sqrt(rows[cost].min() * rows[cost].max())
    for number, row in rows.iterrows():
        style = KINDS[row["needs_potential"]]
        axes.scatter(row[cost], row[error], s=25, marker=style["marker"], color=style["color"], zorder=3)
        # Towards the middle of the panel, where there is room, and not on the line of the next name.
        side, place = (-5, "right") if row[cost] > middle else (5, "left")
        up, line = (1, "bottom") if number % 2 == 0 else (-1, "top")
        axes.annotate(
            names[number],
            (row[cost], row[error]),
            xytext=(side, up),
            textcoords="offset points",
            ha=place,
            va=line,
            size="small",
        )
    return {(needs, None) for needs in rows["needs_potential"]}


def _draw(axes, table, cost, error):
    """Draw numbered points of both kinds and the front of each; return which kinds are on a front and behind it."""
    places = set()
    for needs_potential, style in KINDS.items():
        rows = table[table["needs_potential"] == needs_potential]
        rows = rows[np.isfinite(rows[cost]) & np.isfinite(rows[error])]
        if rows.empty:
            continue
        front = rows.iloc[pareto_front(rows[cost], rows[error])]
        axes.step(front[cost], front[error], where="post", color=style["color"], lw=0.8, alpha=0.6, zorder=2)
        for number, row in rows.iterrows():
            on_front = number in front.index
            places.add((needs_potential, on_front))
            axes.scatter(
                row[cost],
                row[error],
                s=70,
                marker=style["marker"],
                facecolors=style["color"] if on_front else "white",
                edgecolors=style["color"],
                linewidths=0.6,
                zorder=5 if on_front else 3,
            )
            axes.annotate(
                str(number + 1),
                (row[cost], row[error]),
                ha="center",
                va="center_baseline",
                fontsize=6,
                color="white" if on_front else style["color"],
                zorder=6 if on_front else 4,
            )
    return places


def _kinds(places):
    """Legend entries for the kinds of model that were drawn; where there is a front, open markers are behind it."""
    return [
        Line2D([], [], ls="none", marker=style["marker"], mfc=fill, mec=style["color"], mew=0.6, label=label)
        for needs_potential, style in KINDS.items()
        for on_front, fill, label in (
            (None, style["color"], style["label"]),
            (True, style["color"], f"{style['label']}, on the front"),
            (False, "white", f"{style['label']}, behind it"),
        )
        if (needs_potential, on_front) in places
    ]
