"""Figures of labels, of predictions (parity by class of defect, extrapolation to larger cells), and of speed.

Figures are made as objects, without pyplot and its global state, in the style of ``vibentropy.mplstyle``. A class of
defects has the same colour and marker in every figure: warm colours for interstitials, cold ones for vacancies,
darker ones for larger clusters, so that figures survive colour blindness and grey printing.
"""

import functools
import re
from importlib.resources import as_file, files
from itertools import cycle

import matplotlib.style
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator, NullFormatter

from vibentropy.benchmark import MEASURED, REFERENCE, largest
from vibentropy.errors import DataError
from vibentropy.evaluation import MODEL, SPLITS, error_metrics
from vibentropy.published import reported
from vibentropy.storage import atomic

#: Widths of one and of two journal columns, in.
SINGLE, DOUBLE = 3.4, 7.0

#: Panels with more points than this are images inside vector files.
MAX_VECTOR_POINTS = 5000

#: Colours of clusters of 1, 2, 3 and 4 interstitials (I) or vacancies (V), and their markers.
CLUSTERS = {
    "I": ("#f0a733", "#e0701a", "#b8400c", "#6f1d06"),
    "V": ("#79b8e0", "#3a8fc8", "#1f5fa8", "#0b2a5c"),
}
CLUSTER_MARKERS = ("o", "s", "^", "D")
SEVERAL = {"color": "#5f8f2c", "marker": "X"}
OTHERS = [{"color": color, "marker": mark} for mark in "Pv" for color in ("#8f4fa8", "#7a7a7a", "#d17ab0", "#000000")]

#: Sets of test cells in turn, and the cells of the training.
TESTS = [
    {"color": color, "marker": marker}
    for color, marker in zip(("#1f9e92", "#c43e8c", "#43237e", "#8c8a00", "#c0392b", "#000000"), "os^DvP", strict=True)
]
TRAINING = {"color": "#8c8c8c", "marker": "."}

#: Published ranges beside the labels of a run, by potential; means of both.
PUBLISHED_COLORS = ("#000000", "#8c8c8c")
PUBLISHED_MEAN = {"marker": "D", "ms": 2.5}
OWN_MEAN = {"marker": "D", "ms": 3, "mfc": "white", "mec": "black", "mew": 0.6}

#: Descriptors of this package in figures of speed, and everything else: packages by their markers.
OURS_COLORS = (
    "#c0392b",
    "#e0701a",
    "#c99a00",
    "#5f8f2c",
    "#1f9e92",
    "#3a8fc8",
    "#1f5fa8",
    "#43237e",
    "#c43e8c",
    "#6f1d06",
)
PEER_GREYS = ("#4d4d4d", "#8c8c8c", "#b3b3b3")
NEIGHBOURS_COLOR = "#dcdcdc"

#: Areas (points²) that make markers look equally large.
AREAS = {"o": 11, "s": 9.5, "^": 13, "D": 8, "X": 14, "P": 14, "v": 13, ".": 14}

CLUSTER = re.compile(r"([IV])([1-9]\d*)")
SEVERAL_CLUSTERS = re.compile(r"(?![IV]\d+$)(\d+x)?[IV]\d+(\+(\d+x)?[IV]\d+)*")


def styled(function):
    """Run a function with the parameters of ``vibentropy.mplstyle`` instead of those of the process."""

    @functools.wraps(function)
    def wrapper(*args, **kwargs):
        with as_file(files("vibentropy") / "vibentropy.mplstyle") as path, matplotlib.style.context(["default", path]):
            return function(*args, **kwargs)

    return wrapper


def class_styles(classes):
    """Colour and marker of classes of defects.

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
    styles, others = {}, []
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
def parity(predictions, stage="cross-validation"):
    """Predicted against exact formation entropies by class of defect, one panel for each model and split.

    Parameters
    ----------
    predictions : pandas.DataFrame
        Of predictions (`vibentropy.evaluation`).
    stage : str
        Which of them to draw.

    Returns
    -------
    matplotlib.figure.Figure
        With root mean square and mean absolute error in the corner of each panel, and the split above it where there
        is more than one or it tears trajectories apart.

    Raises
    ------
    DataError
        If there are none.
    """
    predictions = _of_stage(predictions, stage)
    figure, n_columns, models = _grid(predictions, height=1.0, by_split=True)
    figure.set_layout_engine("compressed")
    n_rows = -(-len(models) // n_columns)
    panels = figure.subplots(n_rows, n_columns, squeeze=False, sharex=True, sharey=True).ravel()
    limits = _limits(predictions["formation_entropy"], predictions["prediction"])
    styles = class_styles(predictions["defect_class"])
    for axes, (title, rows) in zip(panels, models.items(), strict=False):
        _diagonal(axes, limits)
        for name, of_class in _legend_classes(rows):
            _points(axes, of_class, "prediction", **styles[of_class["defect_class"].iloc[0]], label=name)
        _corner(axes, rows, ("RMSE", "MAE"))
        axes.set(xlim=limits, ylim=limits, box_aspect=1)
        if len(models) > 1 or _not_grouped(predictions):
            axes.set_title(title)
    _finish(figure, panels, panels, len(models), n_columns)
    return figure


@styled
def extrapolation(predictions):
    """Predicted against exact formation entropies inside and outside the range of the training, with residuals.

    Parameters
    ----------
    predictions : pandas.DataFrame
        Of predictions: the held-out ones (``cross-validation``, the first split of several) or, without any, those of
        the fit (``training``), and those of larger cells (``test``), if there are any.

    Returns
    -------
    matplotlib.figure.Figure
        For each model one panel above one of residuals. The range of the training entropies is shaded; test cells
        have a colour and marker by data set, faint bars of one standard deviation where there is one, and their errors
        in the corner.

    Raises
    ------
    DataError
        If there are no predictions of training cells.
    """
    held_out = (predictions["stage"] == "cross-validation").any()
    training = _of_stage(predictions, "cross-validation" if held_out else "training")
    training = training[training["split"] == training["split"].iloc[0]]
    origin = "held out" if held_out else "fitted"
    if _not_grouped(training):
        origin += f", {SPLITS[training['split'].iloc[0]]}"
    predictions = pd.concat([training, predictions[predictions["stage"] == "test"]], ignore_index=True)
    predictions = predictions.assign(error=predictions["prediction"] - predictions["formation_entropy"])
    training_range = training["formation_entropy"].agg(["min", "max"])
    limits = _limits(predictions["formation_entropy"], predictions["prediction"])
    largest_error = 1.15 * predictions["error"].abs().max() or 1.0
    of_tests = predictions[predictions["stage"] == "test"].groupby("dataset")["n_sites"]
    # Small cells first; of one size, by name.
    datasets = of_tests.max().sort_index().sort_values(kind="stable").index.tolist()

    figure, n_columns, models = _grid(predictions, height=1.22)
    n_rows = -(-len(models) // n_columns)
    panels = figure.subplots(
        2 * n_rows, n_columns, squeeze=False, sharex=True, sharey="row", height_ratios=[3, 1] * n_rows
    )
    mains, residuals = panels[::2].ravel(), panels[1::2].ravel()
    for main, residual, (title, rows) in zip(mains, residuals, models.items(), strict=False):
        for axes in (main, residual):
            axes.axvspan(*training_range, color="#e9e9e9", lw=0, zorder=0, label="range of training")
        _diagonal(main, limits)
        residual.axhline(0, color="black", lw=0.6, zorder=1)
        test = rows[rows["stage"] == "test"]
        training = rows.drop(test.index)
        for axes, column in ((main, "prediction"), (residual, "error")):
            label = f"{_sites(training)}training ({origin})"
            _points(axes, training, column, **TRAINING, label=label)
            for number, dataset in enumerate(datasets):
                of_set = test[test["dataset"] == dataset]
                style = TESTS[number % len(TESTS)]
                _points(axes, of_set, column, **style, label=f"{_sites(of_set)}{dataset}", bars=True)
        if len(test):
            _corner(main, test, ("RMSE", "MAE", "slope"), title="test cells")
        else:
            _corner(main, training, ("RMSE", "MAE", "slope"), title="training cells")
        main.set(xlim=limits, ylim=limits)
        residual.set_ylim(-largest_error, largest_error)
        if len(models) > 1:
            main.set_title(title)
    for residual in residuals[: len(models) : n_columns]:
        residual.set_ylabel(r"error ($k_\mathrm{B}$)")
    _finish(figure, mains, residuals, len(models), n_columns)
    return figure


@styled
def labels(table, element):
    """Distribution of exact formation entropies by class of defect, beside the published ranges.

    Parameters
    ----------
    table : pandas.DataFrame
        Of labelled configurations (`vibentropy.dataset`).
    element : str
        Published numbers are drawn for the element that they are of (`vibentropy.published.reported`).

    Returns
    -------
    matplotlib.figure.Figure
        One row per class with a histogram, on a bracket from the smallest to the largest entropy with the mean, and the
        number of labels; below it such a bracket of the published entropies for each potential.

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
    edges = np.linspace(min(ends), max(ends), 81) if max(ends) > min(ends) else np.array([-0.5, 0.5]) + min(ends)

    figure = Figure(figsize=(SINGLE, 0.75 + (0.2 + 0.07 * len(brackets)) * len(by_class)))
    axes = figure.subplots()
    step = 0.15
    for row, (name, values) in enumerate(by_class.items()):
        counts, _ = np.histogram(values, edges)
        axes.stairs(0.68 * counts / counts.max() - row, edges, baseline=-row, fill=True, color=styles[name]["color"])
        _bracket(axes, values.min(), values.mean(), values.max(), -row, styles[name]["color"], OWN_MEAN)
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
    entries = [Line2D([], [], color=color, **OWN_MEAN, label="this run: range, mean")]
    entries += [
        Line2D([], [], color=color, **PUBLISHED_MEAN, label=f"published, {potential}: range, mean")
        for color, potential in zip(PUBLISHED_COLORS, brackets, strict=False)
    ]
    figure.legend(handles=entries, loc="outside lower center", ncols=1)
    _lay_out(figure)
    return figure


@styled
def cost(table):
    """Time of one computation against the number of atoms, of descriptors of this package and of others.

    Parameters
    ----------
    table : pandas.DataFrame
        From `vibentropy.benchmark.gather`.

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
    _lay_out(figure)
    return figure


@styled
def speed(table):
    """Atoms per second in the largest cell of each implementation, with the ratio to the reference beside it.

    Parameters
    ----------
    table : pandas.DataFrame
        From `vibentropy.benchmark.gather`.

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
    figure.get_layout_engine().set(w_pad=0.08)
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
    _lay_out(figure)
    return figure


@styled
def save(figure, *paths):
    """Write a figure, each file whole or not at all; the same figure gives the same bytes.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
    *paths : path-like
        Their suffixes choose the formats: ``.pdf``, ``.svg``, or ``.png`` at 300 dots per inch.
    """
    undated = {".pdf": {"CreationDate": None}, ".svg": {"Date": None}}
    for path in paths:
        with atomic(path) as temporary:
            figure.savefig(temporary, metadata=undated.get(temporary.suffix))


def _of_stage(predictions, stage):
    """Rows of one stage, at least one."""
    rows = predictions[predictions["stage"] == stage]
    if rows.empty:
        found = ", ".join(sorted(set(predictions["stage"]))) or "none at all"
        raise DataError(f"there are no predictions of stage {stage!r} to draw, but {found}")
    return rows


def _not_grouped(predictions):
    """Whether some of the predictions are of a split that need not keep trajectories together."""
    return not set(predictions["split"]) <= {"", "groups"}


def _grid(predictions, height, by_split=False):
    """Figure and rows of each model by the title of its panel, regressor after regressor.

    Parameters
    ----------
    predictions : pandas.DataFrame
    height : float
        Of a panel in units of its width.
    by_split : bool
        One panel for each split of each model, side by side.

    Returns
    -------
    figure : matplotlib.figure.Figure
        Without axes.
    n_columns : int
    models : dict of DataFrame
    """
    rows = dict(
        iter((predictions if by_split else predictions.assign(split="")).groupby([*MODEL, "split"], sort=False))
    )
    descriptors, regressors, splits = (list(dict.fromkeys(names)) for names in zip(*rows, strict=True))
    named = len(splits) > 1 or (by_split and _not_grouped(predictions))
    titles = {
        (d, r, split): f"{d}, {r}" + (f"\n({SPLITS[split]})" if named else "")
        for r in regressors
        for d in descriptors
        for split in splits
    }
    models = {title: rows[key] for key, title in titles.items() if key in rows}
    if len(models) == 1:
        return Figure(figsize=(SINGLE, height * SINGLE)), 1, models
    side_by_side = next((len(names) for names in (splits, descriptors) if len(names) > 1), len(regressors))
    n_columns = side_by_side if side_by_side <= 3 else 2 if side_by_side == 4 else 3
    n_rows = -(-len(models) // n_columns)
    title, legend = 0.35 if named else 0.2, 0.4
    return Figure(figsize=(DOUBLE, n_rows * (height * DOUBLE / n_columns + title) + legend)), n_columns, models


def _bracket(axes, low, mean, high, y, color, marker):
    """Draw a range with its ends and the mean as a diamond."""
    axes.plot([low, high], [y, y], "|-", color=color, ms=3.5, mew=0.8, zorder=3)
    axes.plot(mean, y, color=color, zorder=4, **marker)


def _limits(*columns):
    """Find common limits of both axes: all values, zero, and a margin."""
    values = np.concatenate([np.asarray(column, dtype=float) for column in columns] + [[0.0]])
    margin = 0.04 * np.ptp(values)
    return values.min() - margin, values.max() + margin


def _diagonal(axes, limits):
    axes.plot(limits, limits, color="black", lw=0.6, zorder=1)


def _legend_classes(rows):
    """Pairs of legend entry and rows: several clusters are one class, named with its numbers of atoms."""
    shown = rows["defect_class"].map(lambda name: "several clusters" if SEVERAL_CLUSTERS.fullmatch(name) else name)
    for name, of_class in rows.groupby(shown):
        counts = sorted(set(of_class["n_atoms"]))
        atoms = ", ".join(map(str, counts)) if len(counts) < 3 else f"{counts[0]}–{counts[-1]}"
        yield f"{name or 'unnamed'} ({atoms} atoms)", of_class


def _points(axes, rows, column, color, marker, label, bars=False):
    """Draw points, and faint bars of one standard deviation where asked for and known."""
    rasterized = len(rows) > MAX_VECTOR_POINTS
    x, y = rows["formation_entropy"], rows[column]
    if bars and rows["std"].notna().any():
        axes.errorbar(
            x, y, rows["std"], fmt="none", ecolor=color, elinewidth=0.5, alpha=0.35, zorder=2, rasterized=rasterized
        )
    axes.scatter(
        x,
        y,
        s=AREAS[marker],
        c=color,
        marker=marker,
        edgecolors="white",
        linewidths=0.25,
        alpha=0.9,
        label=label,
        zorder=3,
        rasterized=rasterized,
    )


def _sites(rows):
    """Beginning of a legend entry: the cell sizes, where they are known."""
    sizes = sorted(set(rows["n_sites"]))
    return f"{', '.join(map(str, sizes))} sites, " if sizes and sizes[0] > 0 else ""


def _corner(axes, rows, names, title=None):
    """Write errors into the lower right corner."""
    metrics = error_metrics(rows["formation_entropy"], rows["prediction"])
    units = {"RMSE": r"$\,k_\mathrm{B}$", "MAE": r"$\,k_\mathrm{B}$", "slope": ""}
    lines = [f"{name} {metrics[name.lower()]:.{3 if name == 'slope' else 2}f}{units[name]}" for name in names]
    text = "\n".join([title, *lines] if title else lines)
    axes.text(0.96, 0.04, text, transform=axes.transAxes, ha="right", va="bottom", linespacing=1.3)


def _finish(figure, tops, bottoms, n_models, n_columns):
    """Remove spare panels, label the others, place the legend, and lay everything out."""
    for k, (top, bottom) in enumerate(zip(tops, bottoms, strict=True)):
        if k >= n_models:
            for axes in {top, bottom}:
                axes.remove()
            continue
        for axis in (top.xaxis, top.yaxis):
            axis.set_major_locator(MaxNLocator(6, steps=[1, 2, 5, 10]))
        if k % n_columns == 0:
            top.set_ylabel(r"predicted $S_\mathrm{f}$ ($k_\mathrm{B}$)")
        if k + n_columns >= n_models:
            bottom.set_xlabel(r"exact $S_\mathrm{f}$ ($k_\mathrm{B}$)")
            bottom.tick_params(labelbottom=True)
    if n_models == 1:
        tops[0].legend(loc="upper left", frameon=True, framealpha=0.85, edgecolor="none")
    else:
        entries = {}
        for axes in tops[:n_models]:
            handles, labels = axes.get_legend_handles_labels()
            entries |= {label: h for label, h in zip(labels, handles, strict=True) if label not in entries}
        figure.legend(entries.values(), entries.keys(), loc="outside lower center", ncols=4)
    figure.align_ylabels()
    _lay_out(figure)


def _lay_out(figure):
    """Place everything once and for all."""
    # The engine needs a few passes; after them files do not depend on the order in which they are written.
    for _ in range(3):
        figure.draw_without_rendering()
    figure.set_layout_engine("none")


def _measured(table):
    """Rows that were measured, and the one of the largest cell of each implementation, from slow to fast."""
    measured = table[table["status"] == MEASURED]
    if measured.empty:
        raise DataError("nothing was measured, so there is no speed to draw")
    return measured, largest(table).sort_values("atoms_per_second", kind="stable")


def _implementation_styles(order):
    """Line styles by implementation: colours for this package, greys and a marker per package for others.

    Parameters
    ----------
    order : pandas.DataFrame
        One row per implementation.

    Returns
    -------
    dict of dict
    """
    own, peers = (order[order["source"] == source].sort_values("implementation") for source in ("ours", "peer"))
    styles = {}
    for k, name in enumerate(own["implementation"]):
        marker = "os^DvP"[k // len(OURS_COLORS) % 6]
        styles[name] = {"color": OURS_COLORS[k % len(OURS_COLORS)], "marker": marker, "lw": 1.0, "zorder": 3}
    for marker, (_, rows) in zip(cycle("s^Dv<>ph"), peers.groupby("package"), strict=False):
        for name, color in zip(rows["implementation"], cycle(PEER_GREYS), strict=False):
            styles[name] = {"color": color, "marker": marker, "ls": "--", "mfc": "white", "zorder": 2}
    return {name: styles[name] for name in order["implementation"]}


def _two_digits(number):
    """``0.25``, ``3.4``, ``71``, ``1,240``."""
    return f"{number:,.0f}" if number >= 99.5 else f"{number:.2g}"


def _shorten(text, width=70):
    return text if len(text) <= width else text[: width - 1] + "…"
