"""Figure of error bars: how often intervals of a probability hold what they promise."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from scipy.special import erf

from vibentropy.evaluation.predictions import LEVEL_COLUMNS, MODEL
from vibentropy.learning.calibration import LEVELS
from vibentropy.learning.uncertainty import INTERVALS
from vibentropy.report.figures.style import DOUBLE, Style, lay_out, models_with_room, styled

#: Methods of intervals, in words and with their lines.
METHOD_STYLES: dict[str, Style] = {
    "bayesian": {"label": "standard deviation, Bayesian", "color": "#3a8fc8", "ls": (0, (4, 1.5)), "marker": "s"},
    "pops": {"label": "pointwise optimal fits (POPS)", "color": "#332288", "ls": (0, (1, 1)), "marker": "^"},
    "calibrated": {"label": "calibrated on held-out groups", "color": "#b8400c", "ls": "-", "marker": "o"},
}

#: Most models that are drawn: what fits on a page.
MAX_MODELS = 4


@styled
def reliability_figure(predictions: pd.DataFrame) -> Figure:
    """Draw the share of exact entropies inside intervals against the probability of the intervals.

    Parameters
    ----------
    predictions : pandas.DataFrame
        Of predictions (`vibentropy.evaluation.fitting`).

    Returns
    -------
    matplotlib.figure.Figure
        For each model, at most `MAX_MODELS` of them (`models_with_room`), a row of panels: training cells held out with
        their groups, test cells up to the size of the training cells, and larger ones. A line for each method; markers
        at 68 and 95 %; the band is where 95 % of perfect intervals would lie, rows taken as independent. Without any
        intervals, as when no split keeps groups together, the figure says so.
    """
    levels = exact_levels(predictions)
    of_groups = (predictions["stage"] == "cross-validation") & (predictions["split"] == "groups")
    shown = (of_groups | (predictions["stage"] == "test")) & levels.notna().any(axis=1)
    if not shown.any():
        return _no_intervals()
    largest = predictions.loc[predictions["role"] == "train", "n_sites"].max()
    larger = predictions["n_sites"] > largest
    masks = {
        "held-out groups": of_groups,
        "test cells, not larger": (predictions["stage"] == "test") & ~larger,
        "larger test cells": (predictions["stage"] == "test") & larger,
    }
    columns = {title: mask for title, mask in masks.items() if (mask & shown).any()}
    models = models_with_room(predictions[shown], MAX_MODELS)
    width = (DOUBLE - 0.5) / 3
    figure = Figure(figsize=(0.5 + max(len(columns), 2) * width, len(models) * width + 0.6))
    figure.set_layout_engine("compressed")
    panels = figure.subplots(len(models), len(columns), squeeze=False, sharex=True, sharey=True)
    for row, model in zip(panels, models, strict=True):
        of_model = (predictions[MODEL] == list(model)).all(axis=1)
        for axes, mask in zip(row, columns.values(), strict=True):
            _panel(axes, predictions[of_model & mask], levels[of_model & mask])
        row[0].set_ylabel(f"{', '.join(model)}\n" * (len(models) > 1) + "cells inside the interval")
    for axes, title in zip(panels[0], columns, strict=True):
        axes.set_title(title)
    for axes in panels[-1]:
        axes.set_xlabel("probability of the interval")
    entries: dict[str, Any] = {}
    for axes in panels.flat:
        entries |= dict(zip(*axes.get_legend_handles_labels()[::-1], strict=True))
    ordered = [style["label"] for style in METHOD_STYLES.values() if style["label"] in entries]
    figure.legend([entries[label] for label in ordered], ordered, loc="outside lower center", ncols=3, handlelength=2.6)
    lay_out(figure)
    return figure


def exact_levels(predictions: pd.DataFrame) -> pd.DataFrame:
    """Compute the probabilities of intervals that end at the exact value, for the figure of reliability.

    Parameters
    ----------
    predictions : pandas.DataFrame

    Returns
    -------
    pandas.DataFrame
        A column for each method, NaN where it has no interval.
    """
    error = np.abs(predictions["prediction"] - predictions["formation_entropy"])
    levels = predictions[list(LEVEL_COLUMNS.values())].set_axis(list(LEVEL_COLUMNS), axis=1)
    return levels.assign(bayesian=erf(error / (np.sqrt(2) * predictions["std"])))[list(METHOD_STYLES)]


def _no_intervals():
    """Say in place of a figure that there is nothing to draw."""
    figure = Figure(figsize=(DOUBLE / 2, DOUBLE / 8))
    figure.text(0.5, 0.5, "no intervals: no split keeps groups together", ha="center", va="center")
    lay_out(figure)
    return figure


def _panel(axes, rows, levels):
    """Draw one set of cells of one model."""
    nominal = np.linspace(0, 1, 201)
    axes.plot([0, 1], [0, 1], color="black", lw=0.6, zorder=1)
    if len(rows):
        half = 1.96 * np.sqrt(nominal * (1 - nominal) / len(rows))
        axes.fill_between(nominal, nominal - half, nominal + half, color="#e2e2e2", lw=0, zorder=0)
    curves = []
    for method, style in METHOD_STYLES.items():
        ending_at_truth = levels[method].dropna().to_numpy()
        if len(ending_at_truth):
            empirical = np.mean(ending_at_truth[:, None] <= nominal, axis=0)
            curves.append(empirical)
            at = np.searchsorted(nominal, LEVELS)
            axes.plot(nominal, empirical, markevery=at.tolist(), ms=3.2, zorder=3, **style)
    low, high = (rows[end] for end in INTERVALS["pops"][1.0])
    text = f"{len(rows)} cells"
    if low.notna().any():
        truth = rows["formation_entropy"]
        text += f"\n{100 * np.mean((low <= truth) & (truth <= high)):.0f} % inside\nPOPS bounds"
    # Below the diagonal, unless intervals are so narrow that their curve runs there.
    crossed = any((curve[nominal > 0.6] < 0.3).any() for curve in curves)
    free = not any((curve[nominal < 0.4] > 0.7).any() for curve in curves)
    x, y, ha, va = (0.04, 0.95, "left", "top") if crossed and free else (0.96, 0.05, "right", "bottom")
    axes.text(x, y, text, transform=axes.transAxes, ha=ha, va=va, linespacing=1.3)
    ticks = np.linspace(0, 1, 6)
    axes.set(xlim=(0, 1), ylim=(0, 1), box_aspect=1, xticks=ticks, yticks=ticks)
