"""Figure of models that are and that are not linear in the summed features."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator, MaxNLocator, NullLocator, ScalarFormatter

from vibentropy.errors import DataError
from vibentropy.report.figures.style import AREAS, COLORS, DOUBLE, beyond, common_limits, diagonal, lay_out, styled
from vibentropy.studies.sum_models import MODELS

#: Line and marker of each model: full lines for extensive ones, dashed for functions of the sums, dotted for remedies.
STYLES = {
    "ridge": {"color": COLORS[0], "marker": "o", "ls": "-"},
    "atom_kernel": {"color": COLORS[2], "marker": "s", "ls": "-"},
    "kernel_ridge": {"color": COLORS[1], "marker": "^", "ls": "--"},
    "network": {"color": COLORS[3], "marker": "D", "ls": "--"},
    "kernel_per_atom": {"color": COLORS[4], "marker": "v", "ls": ":"},
    "kernel_per_size": {"color": COLORS[5], "marker": "p", "ls": ":"},
}

#: Models with a panel of predictions.
SHOWN = ("ridge", "atom_kernel", "kernel_ridge", "network")

#: Tests of additivity, with words for their panels.
TESTS = {"copies": "copies of a cell", "crystal": "more crystal around it", "mixture": "different cells together"}

#: Range that is drawn of the prediction divided by what extensivity asks for.
QUOTIENTS = (-0.3, 1.8)


@styled
def extensivity_figure(predictions: pd.DataFrame, summary: pd.DataFrame) -> Figure:
    """Put functions of the sums beside sums over atoms: larger cells, tests of additivity, and errors.

    Parameters
    ----------
    predictions : pandas.DataFrame
        From `vibentropy.studies.extensivity.assess`, of all models.
    summary : pandas.DataFrame
        From `vibentropy.studies.extensivity.summarise`.

    Returns
    -------
    matplotlib.figure.Figure
        Predicted against exact entropies of the test sets, filled where all clusters of a cell are of classes of the
        training; points outside the frame are at its edge, with their number. Below, the median of prediction divided
        by what extensivity asks for, with the range of 68 % of the cells, against the multiple; and mean absolute
        errors.

    Raises
    ------
    DataError
        If there are no predictions of test sets.
    """
    test = predictions[predictions["test"] == "test set"]
    if test.empty:
        raise DataError("there are no test sets to draw: the figure is about cells that were not trained on")
    figure = Figure(figsize=(DOUBLE, 0.68 * DOUBLE))
    tops, bottoms = figure.subplots(2, 4)
    limits = common_limits(test["formation_entropy"])
    for axes, model in zip(tops, SHOWN, strict=True):
        _parity(axes, test[test["model"] == model], limits, STYLES[model])
        axes.set_title(MODELS[model])
        axes.set_xlabel(r"exact $S_\mathrm{f}$ ($k_\mathrm{B}$)")
    tops[0].set_ylabel(r"predicted $S_\mathrm{f}$ ($k_\mathrm{B}$)")
    for axes, (name, words) in zip(bottoms, TESTS.items(), strict=False):
        # One cell, held out, is what the multiples are compared with.
        _additivity(axes, summary[summary["test"].isin(["held out", name])])
        axes.set_title(words)
    bottoms[0].set_ylabel("predicted / extensive")
    _errors(bottoms[3], summary)
    handles, labels = bottoms[0].get_legend_handles_labels()
    for face, label in (("#7a7a7a", "clusters as in training"), ("white", "others")):
        handles.append(Line2D([], [], ls="none", marker="o", mfc=face, mec="#7a7a7a", mew=0.5))
        labels.append(label)
    figure.legend(handles, labels, loc="outside lower center", ncols=4)
    lay_out(figure)
    return figure


def _parity(axes, rows, limits, style):
    """Draw predictions of one model; those beyond the limits at the edge."""
    diagonal(axes, limits)
    inside = rows["prediction"].between(*limits)
    for of_trained_classes, face in ((False, "white"), (True, style["color"])):
        some = rows[inside & (rows["known"] == of_trained_classes)]
        axes.scatter(
            some["formation_entropy"],
            some["prediction"],
            s=AREAS[style["marker"]],
            marker=style["marker"],
            facecolors=face,
            edgecolors=style["color"],
            linewidths=0.5,
            zorder=2 + of_trained_classes,
        )
    n_beyond = beyond(axes, rows["formation_entropy"], rows["prediction"], limits, style["color"])
    error = (rows["prediction"] - rows["formation_entropy"]).abs()
    lines = [rf"MAE {error.mean():.1f}$\,k_\mathrm{{B}}$"]
    if n_beyond:
        lines.append(f"{n_beyond} beyond")
    axes.text(0.04, 0.96, "\n".join(lines), transform=axes.transAxes, ha="left", va="top", linespacing=1.3)
    axes.set(xlim=limits, ylim=limits, box_aspect=1)
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(MaxNLocator(4, steps=[1, 2, 5, 10]))


def _additivity(axes, summary):
    """Draw the quotient of prediction and what extensivity asks for against the multiple."""
    axes.axhline(1, color="black", lw=0.6, zorder=1)
    axes.set_xscale("log", base=2)
    for number, (model, style) in enumerate(STYLES.items()):
        rows = summary[summary["model"] == model]
        multiples = rows["of"].astype(int)
        # Side by side where they coincide.
        x = multiples * 2 ** (0.06 * (number - (len(STYLES) - 1) / 2))
        around = np.abs(rows[["ratio_low", "ratio_high"]].sub(rows["ratio"], axis=0)).T.to_numpy()
        axes.errorbar(x, rows["ratio"], around, **style, mew=0, elinewidth=0.6, lw=0.9, label=MODELS[model], zorder=3)
    axes.set(ylim=QUOTIENTS, xlabel="multiple $m$")
    axes.xaxis.set_major_locator(FixedLocator(sorted(multiples)))
    axes.xaxis.set_major_formatter(ScalarFormatter())
    axes.xaxis.set_minor_locator(NullLocator())


def _errors(axes, summary):
    """Draw mean absolute errors of held-out training cells and of the test sets."""
    rows = summary[summary["test"].isin(["held out", "test set"]) & (summary["clusters"] == "all")]
    names = list(dict.fromkeys(rows["of"].astype(str).where(rows["test"] == "test set", "held out")))
    for number, (model, style) in enumerate(STYLES.items()):
        errors = rows[rows["model"] == model]["mae"]
        x = np.arange(len(errors)) + 0.11 * (number - (len(STYLES) - 1) / 2)
        axes.plot(x, errors, **{**style, "ls": "none"}, mew=0)
    axes.set_yscale("log")
    axes.set_xticks(range(len(names)), names, rotation=40, ha="right", rotation_mode="anchor")
    axes.tick_params(axis="x", which="both", length=0)
    axes.set_title(r"MAE ($k_\mathrm{B}$)")
