"""Figure of learning curves: how errors fall with the number of labels, and what choosing them is worth."""

from itertools import cycle

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter

from vibentropy.errors import DataError
from vibentropy.evaluation.predictions import MODEL
from vibentropy.report.figures.style import COLORS, DOUBLE, SINGLE, lay_out, styled
from vibentropy.studies.learning_curves import SELECTIONS

#: Regressors of each descriptor in turn, and the ways to choose.
REGRESSORS = (("-", "o"), ("--", "s"), (":", "^"), ("-.", "D"))
CHOICES = {
    "random": {"color": "#7a7a7a", "marker": "o"},
    "leverage": {"color": "#5f8f2c", "marker": "s"},
    "variance": {"color": "#8f4fa8", "marker": "^"},
}

#: Bands hold this part of the samples, in the middle.
BAND = 0.8

#: Descriptors whose choices are shown, the most accurate ones.
MOST_CHOICES = 4


@styled
def learning_figure(table: pd.DataFrame, test: str | None = None) -> Figure:
    """Draw the mean absolute error against the number of training configurations.

    Parameters
    ----------
    table : pandas.DataFrame
        As from `vibentropy.studies.learning_curves.learning_curve`, of all models.
    test : str, optional
        The named test to show; all test sets together without.

    Returns
    -------
    matplotlib.figure.Figure
        A panel of the folds that were held out and one of the test sets, if there are any, with a curve for each
        model, fitted to random samples (if there are none, to those of another selection); then, if there are several
        selections, a panel for each of the most accurate descriptors with a curve for each selection, of the regressor
        that is the most accurate with all configurations. Points are medians over samples and folds, bands hold four
        fifths of these.

    Raises
    ------
    DataError
        If the table is empty.
    """
    if table.empty:
        raise DataError("there are no learning curves to draw")
    held_out = table[table["stage"] == "cross-validation"]
    tested = table[table["by"] == "test"] if test else table[(table["stage"] == "test") & (table["by"] == "overall")]
    tested = tested[tested["value"] == (test or "all")]
    shown = {"held-out groups": held_out} | ({test or "test sets": tested} if len(tested) else {})
    selections = [name for name in SELECTIONS if name in set(table["selection"])]
    best = _most_accurate(held_out)[:MOST_CHOICES] if len(selections) > 1 else []

    n_panels = len(shown) + len(best)
    n_columns = n_panels if n_panels < 4 else 2 if n_panels == 4 else 3
    n_rows = -(-n_panels // n_columns)
    width = SINGLE if n_panels == 1 else DOUBLE
    figure = Figure(figsize=(width, n_rows * (0.75 * width / n_columns + 0.25) + 0.5))
    panels = figure.subplots(n_rows, n_columns, squeeze=False, sharex=True).ravel()
    styles = _model_styles(held_out)
    for axes, (title, rows) in zip(panels, shown.items(), strict=False):
        rows = rows[rows["selection"] == selections[0]]
        for model, of_model in rows.groupby(MODEL, sort=False):
            _curve(axes, of_model, label=", ".join(map(str, model)), **styles[model])
        axes.set_title(title)
    for axes, model in zip(panels[len(shown) :], best, strict=False):
        rows = held_out[(held_out[MODEL] == list(model)).all(axis=1)]
        for selection in selections:
            style = CHOICES[selection] | {"label": SELECTIONS[selection]}
            _curve(axes, rows[rows["selection"] == selection], **style)
        axes.set_title(", ".join(model))
    if best:
        panels[len(shown)].legend(loc="upper right", title="held-out groups, chosen", alignment="left")
    figure.legend(*panels[0].get_legend_handles_labels(), loc="outside lower center", ncols=4 if n_panels > 1 else 2)
    _finish(figure, panels, n_panels, n_columns)
    return figure


def _most_accurate(held_out):
    """Models of smallest error with all configurations, one for each descriptor, best first."""
    # Descriptors that fail for a configuration have fewer of them.
    largest = held_out.groupby(MODEL)["n_configurations"].transform("max")
    everything = held_out[held_out["n_configurations"] == largest]
    errors = everything.groupby(MODEL, sort=False)["mae"].median().sort_values(kind="stable")
    best: dict[str, tuple[str, str]] = {}
    for model in errors.index:
        best.setdefault(model[0], model)
    return list(best.values())


def _model_styles(table):
    """Line style by model: a colour for each descriptor, a line and a marker for each regressor."""
    models = list(table.groupby(MODEL, sort=False).groups)
    descriptors, regressors = (list(dict.fromkeys(names)) for names in zip(*models, strict=True))
    colors = dict(zip(descriptors, cycle(COLORS), strict=False))
    lines = dict(zip(regressors, cycle(REGRESSORS), strict=False))
    return {(d, r): {"color": colors[d], "ls": lines[r][0], "marker": lines[r][1]} for d, r in models}


def _curve(axes, rows, *, color, marker, label, ls="-"):
    """Draw medians and the band around them."""
    errors = rows.groupby("n_configurations")["mae"]
    axes.loglog(errors.median(), color=color, marker=marker, ls=ls, label=label, zorder=3)
    low, high = errors.quantile((1 - BAND) / 2), errors.quantile((1 + BAND) / 2)
    axes.fill_between(low.index, low, high, color=color, alpha=0.15, lw=0, zorder=2)


def _finish(figure, panels, n_panels, n_columns):
    """Label axes and lay everything out."""
    for k, axes in enumerate(panels):
        if k >= n_panels:
            axes.remove()
            continue
        # Decades alone are too few marks for errors.
        axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 3, 5, 7)))
        axes.xaxis.set_major_formatter("{x:g}")
        axes.yaxis.set_major_formatter("{x:g}")
        axes.xaxis.set_minor_formatter(NullFormatter())
        axes.yaxis.set_minor_formatter(NullFormatter())
        if k % n_columns == 0:
            axes.set_ylabel(r"mean absolute error ($k_\mathrm{B}$)")
        if k + n_columns >= n_panels:
            axes.set_xlabel("training configurations")
            axes.tick_params(labelbottom=True)
    lay_out(figure)
