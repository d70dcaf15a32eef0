"""Figures of predictions: parity by class of defect, extrapolation to larger cells."""

from collections.abc import Mapping, Sequence
from itertools import chain, cycle
from typing import NamedTuple

import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from vibentropy.errors import DataError
from vibentropy.evaluation.metrics import error_metrics
from vibentropy.evaluation.predictions import MODEL
from vibentropy.learning.folds import SPLITS, main_split
from vibentropy.report.figures.style import (
    AREAS,
    COLORS,
    DOUBLE,
    MAX_VECTOR_POINTS,
    SEVERAL_CLUSTERS,
    SINGLE,
    Style,
    beyond,
    class_styles,
    common_limits,
    diagonal,
    lay_out,
    models_with_room,
    styled,
)
from vibentropy.sources.reference_work import EXTRAPOLATED, REPORTED, ReportedErrors

#: Sets of test cells in turn, and the cells of the training.
TESTS: list[Style] = [{"color": color, "marker": marker} for color, marker in zip(COLORS, "osD^vPX<", strict=True)]
TRAINING: Style = {"color": "#8c8c8c", "marker": "."}

#: Most models that are drawn: what fits on a page; see `models_with_room`.
MAX_MODELS = 9

#: One bad model must not hide the others. Ticks at the edge of a panel stand for predictions farther outside the range
#: of exact entropies than this part of it, and for errors so many times as large as the largest of the median model.
ROOM, LARGE = 0.25, 3.0

#: What parity shows, along its two axes.
_BOTH = ("formation_entropy", "prediction")

#: Nor must a bad cell: it is a tick where its error is so many times as large as those of nine tenths of its set.
FAR = 4.0


@styled
def parity_figure(predictions: pd.DataFrame, stage: str = "cross-validation") -> Figure:
    """Draw predicted against exact formation entropies by class of defect, one panel for each model and split.

    Of more than `MAX_MODELS` models those are drawn that `models_with_room` chooses.

    Parameters
    ----------
    predictions : pandas.DataFrame
        Of predictions (`vibentropy.evaluation.fitting`).
    stage : str
        Which of them to draw.

    Returns
    -------
    matplotlib.figure.Figure
        With root mean square and mean absolute error in the corner of each panel, and the number of cells where models
        differ in it; the split above where there is more than one or it tears trajectories apart. Cells that are far
        off are ticks at the edge of the panel, and counted.

    Raises
    ------
    DataError
        If there are none.
    """
    predictions = _of_stage(predictions, stage)
    predictions = _of_models(predictions, models_with_room(predictions, MAX_MODELS))
    figure, n_columns, models = _grid(predictions, height=1.0, by_split=True)
    figure.set_layout_engine("compressed")
    n_rows = -(-len(models) // n_columns)
    panels = figure.subplots(n_rows, n_columns, squeeze=False, sharex=True, sharey=True).ravel()
    exact = predictions["formation_entropy"]
    errors = predictions["prediction"] - exact
    largest = _largest_shown(predictions.assign(error=errors))
    limits = common_limits(exact, exact + errors.clip(-largest, largest))
    styles = class_styles(predictions["defect_class"])
    uneven = len({len(rows) for rows in models.values()}) > 1
    for axes, (title, rows) in zip(panels, models.items(), strict=False):
        diagonal(axes, limits)
        for name, of_class in _legend_classes(rows):
            style = styles[of_class["defect_class"].iloc[0]]
            points(axes, of_class, "prediction", **style, label=name)
            beyond(axes, of_class["formation_entropy"], of_class["prediction"], limits, style["color"])
        n_beyond = int((~rows["prediction"].between(*limits)).sum())
        said = [f"{len(rows)} cells"] if uneven else []
        _corner(axes, [*said, *_errors(rows, ("RMSE", "MAE")), *_outside(n_beyond)])
        axes.set(xlim=limits, ylim=limits, box_aspect=1)
        if len(models) > 1 or _not_grouped(predictions):
            axes.set_title(title)
    _finish(figure, panels, panels, len(models), n_columns)
    return figure


@styled
def extrapolation_figure(predictions: pd.DataFrame, tests: Mapping[str, Sequence[str]] | None = None) -> Figure:
    """Draw predicted against exact formation entropies inside and outside the range of the training, with residuals.

    Of more than `MAX_MODELS` models those are drawn that `models_with_room` chooses.

    Parameters
    ----------
    predictions : pandas.DataFrame
        Of predictions: the held-out ones (``cross-validation``; of several splits, the one that keeps groups together
        or else the first) or, without any, those of the fit (``training``), and those of larger cells (``test``), if
        there are any.
    tests : dict of sequence of str, optional
        Data sets to draw, by the name of the test that they are given together as, in the colours that they have among
        all; without them all test sets, as one test.

    Returns
    -------
    matplotlib.figure.Figure
        For each model one panel above one of residuals. The range of the training entropies is shaded; test cells
        have a colour and marker by data set, and faint bars of one standard deviation where there is one. In the corner
        are the errors of each test, of the same cells as in the table of results. What is far outside is a tick at the
        edge of the panel, and counted.

    Raises
    ------
    DataError
        If there are no predictions of training cells.
    """
    held_out = (predictions["stage"] == "cross-validation").any()
    training = _of_stage(predictions, "cross-validation" if held_out else "training")
    training = training[training["split"] == main_split(training["split"])]
    origin = "held out" if held_out else "fitted"
    if _not_grouped(training):
        origin += f", {SPLITS[training['split'].iloc[0]]}"
    test = predictions[predictions["stage"] == "test"]
    styles = styles_of_tests(test)
    if tests is None:
        tests = {"test cells": list(styles)} if styles else {}
    drawn = set(chain.from_iterable(tests.values()))
    styles = {name: style for name, style in styles.items() if name in drawn}
    predictions = pd.concat([training, test[test["dataset"].isin(styles)]], ignore_index=True)
    predictions = _of_models(predictions, models_with_room(predictions, MAX_MODELS))
    predictions = predictions.assign(error=predictions["prediction"] - predictions["formation_entropy"])
    frames = _frames(predictions, training["formation_entropy"])

    figure, n_columns, models = _grid(predictions, height=1.22)
    n_rows = -(-len(models) // n_columns)
    panels = figure.subplots(
        2 * n_rows, n_columns, squeeze=False, sharex=True, sharey="row", height_ratios=[3, 1] * n_rows
    )
    mains, residuals = panels[::2].ravel(), panels[1::2].ravel()
    for main, residual, (title, rows) in zip(mains, residuals, models.items(), strict=False):
        _extrapolation(main, residual, rows, frames, styles, origin, tests)
        if len(models) > 1:
            main.set_title(title)
    for residual in residuals[: len(models) : n_columns]:
        residual.set_ylabel(r"error ($k_\mathrm{B}$)")
    _finish(figure, mains, residuals, len(models), n_columns)
    return figure


@styled
def published_figure(
    predictions: pd.DataFrame, published: Mapping[str, ReportedErrors], larger: Sequence[str] = ()
) -> Figure:
    """Draw what the article shows: its models, on its classes of defects, with its errors beside ours.

    Parameters
    ----------
    predictions : pandas.DataFrame
        Of predictions, by one regressor.
    published : dict of ReportedErrors
        By descriptor, as from `vibentropy.sources.reference_work.counterparts`.
    larger : sequence of str
        Data sets of the extrapolation.

    Returns
    -------
    matplotlib.figure.Figure
        A panel for each model, with the held-out predictions (of the split that keeps groups together or else the
        first) of the published classes; and one with those of larger cells in the published range of entropies for
        each model that was published with that. In the corner root mean square and mean absolute errors of the points
        that are drawn, with the published ones in brackets, and the number of points.

    Raises
    ------
    DataError
        If there are no predictions of the published classes.
    """
    held_out = _of_stage(predictions, "cross-validation")
    held_out = held_out[held_out["split"] == main_split(held_out["split"])]
    tested = predictions[(predictions["stage"] == "test") & predictions["dataset"].isin(larger)]
    tested = tested[tested["formation_entropy"].between(*EXTRAPOLATED)]
    panels = []
    for descriptor, errors in published.items():
        rows = held_out[held_out["descriptor"] == descriptor]
        of_classes = rows[rows["defect_class"].isin(REPORTED[errors.potential])]
        if of_classes.empty:
            of_article = ", ".join(REPORTED[errors.potential])
            raise DataError(f"no held-out prediction of {descriptor} is of the published classes, {of_article}")
        panels.append((errors, errors.held_out, "held out", of_classes, rows))
        of_larger = tested[tested["descriptor"] == descriptor]
        if errors.extrapolation and len(of_larger):
            panels.append((errors, errors.extrapolation, "extrapolation", of_larger, rows))
    # Panels of one kind share their limits.
    limits = {
        kind: common_limits(*(rows[name] for _, _, of, rows, _ in panels if of == kind for name in _BOTH))
        for kind in {kind for _, _, kind, _, _ in panels}
    }
    classes, sets = class_styles(held_out["defect_class"]), styles_of_tests(tested)
    figure = Figure(figsize=(max(SINGLE, DOUBLE * len(panels) / 3), 3.4))
    drawn = figure.subplots(1, len(panels), squeeze=False)[0]
    for axes, (errors, printed, kind, rows, training) in zip(drawn, panels, strict=True):
        diagonal(axes, limits[kind])
        if kind == "held out":
            for name, of_class in _legend_classes(rows):
                points(axes, of_class, "prediction", **classes[of_class["defect_class"].iloc[0]], label=name)
        else:
            shown = training["formation_entropy"].agg(["min", "max"])
            axes.axvspan(*shown, color="#e9e9e9", lw=0, zorder=0, label="range of training")
            for name, style in sets.items():
                of_set = rows[rows["dataset"] == name]
                points(axes, of_set, "prediction", **style, label=f"{_sites(of_set)}{name}")
        ours = _errors(rows, ("MAE", "RMSE"))
        lines = [f"{said} ({number:.2f})" for said, number in zip(ours, printed, strict=True)]
        _corner(axes, [*lines, f"{len(rows)} cells"])
        name = f"${errors.descriptor}$" if "{" in errors.descriptor else errors.descriptor
        axes.set(xlim=limits[kind], ylim=limits[kind], box_aspect=1)
        axes.set_title(f"{name}\n{kind}")
    _finish(figure, drawn, drawn, len(panels), len(panels))
    return figure


class _Frames(NamedTuple):
    """What panels of extrapolation show, k_B.

    Attributes
    ----------
    training : (float, float)
        Range of the entropies that models were trained on.
    entropies : (float, float)
        Limits of exact and predicted entropies.
    errors : (float, float)
        Limits of errors.
    """

    training: tuple[float, float]
    entropies: tuple[float, float]
    errors: tuple[float, float]


def _frames(predictions, training_entropies):
    """Choose what panels show, so that no model whose predictions are far off hides the others."""
    low, high = common_limits(predictions["formation_entropy"])
    room = ROOM * (high - low)
    shown = predictions.loc[~_far_off(predictions), "prediction"].clip(low - room, high + room)
    limits = common_limits(predictions["formation_entropy"], shown)
    largest = 1.15 * _largest_shown(predictions)
    return _Frames(tuple(training_entropies.agg(["min", "max"])), limits, (-largest, largest))


def _largest_shown(predictions):
    """Largest error that has room in all panels: neither one bad cell nor one bad model hides the others.

    Parameters
    ----------
    predictions : pandas.DataFrame
        With the column ``error``.

    Returns
    -------
    float
        k_B.
    """
    errors = predictions.loc[~_far_off(predictions), "error"].abs()
    of_models = errors.groupby([predictions[name] for name in MODEL]).max()
    return min(of_models.max(), LARGE * of_models.median()) or 1.0


def _far_off(predictions):
    """Which cells are far off where nearly all others of their set are not."""
    errors = predictions["error"].abs()
    of_sets = errors.groupby([predictions[name] for name in (*MODEL, "stage", "dataset")])
    most = FAR * of_sets.transform("quantile", 0.9)
    return (errors > most) & (most > 0)


def _extrapolation(main, residual, rows, frames, styles, origin, tests):
    """Draw predictions of one model, and their errors in the panel below."""
    for axes in (main, residual):
        axes.axvspan(*frames.training, color="#e9e9e9", lw=0, zorder=0, label="range of training")
    diagonal(main, frames.entropies)
    residual.axhline(0, color="black", lw=0.6, zorder=1)
    test = rows[rows["stage"] == "test"]
    training = rows.drop(test.index)
    for axes, column, limits in ((main, "prediction", frames.entropies), (residual, "error", frames.errors)):
        points(axes, training, column, **TRAINING, label=f"{_sites(training)}training ({origin})")
        beyond(axes, training["formation_entropy"], training[column], limits, TRAINING["color"])
        for dataset, style in styles.items():
            of_set = test[test["dataset"] == dataset]
            points(axes, of_set, column, **style, label=f"{_sites(of_set)}{dataset}", bars=True)
            beyond(axes, of_set["formation_entropy"], of_set[column], limits, style["color"])
    of_tests = {name: test[test["dataset"].isin(datasets)] for name, datasets in tests.items()}
    of_tests = {name.replace("_", " "): of_test for name, of_test in of_tests.items() if len(of_test)}
    if len(of_tests) > 1:
        lines = ["MAE, slope"]
        lines += [
            f"{name} {', '.join(_errors(cells, ('MAE', 'slope'), named=False))}" for name, cells in of_tests.items()
        ]
    else:
        name, cells = next(iter(of_tests.items()), ("training cells", training))
        lines = [name, *_errors(cells, ("RMSE", "MAE", "slope"))]
    n_beyond, n_errors = (
        int((~rows[column].between(*limits)).sum())
        for column, limits in (("prediction", frames.entropies), ("error", frames.errors))
    )
    # Points may lie anywhere in the panel of errors: what is beyond it is said in the other.
    _corner(main, [*lines, *_outside(n_beyond), *_outside(n_errors, f"error{'s' * (n_errors != 1)} ")])
    main.set(xlim=frames.entropies, ylim=frames.entropies)
    residual.set_ylim(frames.errors)


def _of_stage(predictions, stage):
    """Rows of one stage, at least one."""
    rows = predictions[predictions["stage"] == stage]
    if rows.empty:
        stages = ", ".join(sorted(set(predictions["stage"]))) or "none at all"
        raise DataError(f"there are no predictions of stage {stage!r} to draw, but {stages}")
    return rows


def _of_models(predictions, models):
    """Rows of some models."""
    return predictions[pd.MultiIndex.from_frame(predictions[MODEL]).isin(models)]


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
    # Four alone make a square; above others like them they stay a row.
    n_columns = 2 if len(models) == 4 else side_by_side if side_by_side <= 4 else 3
    n_rows = -(-len(models) // n_columns)
    title, labels, legend = 0.35 if named else 0.2, 0.4, 0.4
    width = (DOUBLE - labels) / n_columns
    return Figure(figsize=(DOUBLE, n_rows * (height * width + title) + labels + legend)), n_columns, models


def _legend_classes(rows):
    """Pairs of legend entry and rows: several clusters are one class, named with its numbers of atoms."""
    shown = rows["defect_class"].map(lambda name: "several clusters" if SEVERAL_CLUSTERS.fullmatch(name) else name)
    for name, of_class in rows.groupby(shown):
        counts = sorted(set(of_class["n_atoms"]))
        atoms = ", ".join(map(str, counts)) if len(counts) < 3 else f"{counts[0]}–{counts[-1]}"
        yield f"{name or 'unnamed'} ({atoms} atoms)", of_class


def styles_of_tests(predictions: pd.DataFrame) -> dict[str, Style]:
    """Choose colour and marker of each test set in figures.

    Parameters
    ----------
    predictions : pandas.DataFrame
        Of test cells.

    Returns
    -------
    dict of dict
        ``color`` and ``marker`` by data set, those of small cells first, those of one size in alphabetical order.
    """
    sizes = predictions.groupby("dataset")["n_sites"].max().sort_index().sort_values(kind="stable")
    return dict(zip(sizes.index, cycle(TESTS), strict=False))


def points(
    axes: Axes, rows: pd.DataFrame, column: str, color: str, marker: str, label: str, bars: bool = False
) -> None:
    """Draw points against exact entropies, in a panel of a figure.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
    rows : pandas.DataFrame
        Of predictions.
    column : str
        What is drawn.
    color, marker, label : str
        As in matplotlib.
    bars : bool
        Draw faint bars of one standard deviation, where predictions have one.
    """
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


def _errors(rows, names, named=True):
    """Errors in words, with or without their names."""
    metrics = error_metrics(rows["formation_entropy"], rows["prediction"])
    numbers = {
        name: f"{metrics['slope']:.3f}" if name == "slope" else f"{metrics[name.lower()]:.2f}$\\,k_\\mathrm{{B}}$"
        for name in names
    }
    return [f"{name} {number}" if named else number for name, number in numbers.items()]


def _outside(number, what=""):
    """Say how many points are at the edge of a panel because they are beyond it."""
    return [f"{number} {what}beyond the axes"] if number else []


def _corner(axes, lines):
    """Write lines into the lower right corner, where a diagonal leaves room."""
    text = "\n".join(lines)
    axes.text(0.96, 0.04, text, transform=axes.transAxes, ha="right", va="bottom", linespacing=1.3, zorder=5)


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
        entries: dict[str, Artist] = {}
        for axes in tops[:n_models]:
            handles, labels = axes.get_legend_handles_labels()
            entries |= {label: h for label, h in zip(labels, handles, strict=True) if label not in entries}
        figure.legend(entries.values(), entries.keys(), loc="outside lower center", ncols=4)
    figure.align_ylabels()
    lay_out(figure)
