"""The figure that says what all of this is for: how well it extrapolates, and what it saves."""

import pandas as pd
from matplotlib.figure import Figure

from vibentropy.errors import DataError
from vibentropy.evaluation.metrics import error_metrics
from vibentropy.learning.uncertainty import interval_columns
from vibentropy.report.figures.predictions import points, styles_of_tests
from vibentropy.report.figures.style import DOUBLE, common_limits, diagonal, lay_out, styled
from vibentropy.report.figures.timing import growth


@styled
def overview_figure(predictions: pd.DataFrame, costs: pd.DataFrame, labels: pd.DataFrame) -> Figure:
    """Draw predicted against exact entropies of cells larger than those of the training, beside the cost of both.

    Parameters
    ----------
    predictions : pandas.DataFrame
        Of one model (`vibentropy.evaluation.fitting`): entropies of ``training`` cells are a range, those of ``test``
        cells points by data set, with calibrated intervals at 68 %.
    costs, labels : pandas.DataFrame
        Of predictions and labels, as for `vibentropy.report.figures.timing.scale_figure`.

    Returns
    -------
    matplotlib.figure.Figure
        Two columns wide.

    Raises
    ------
    DataError
        If there are no predictions of training or of test cells, or none was measured.
    """
    training, test = (predictions[predictions["stage"] == stage] for stage in ("training", "test"))
    if training.empty or test.empty:
        raise DataError("an overview needs predictions of training cells and of test cells")
    figure = Figure(figsize=(DOUBLE, 0.46 * DOUBLE))
    left, right = figure.subplots(1, 2)

    low, high = training["formation_entropy"].agg(["min", "max"]).astype(float)
    left.axvspan(low, high, color="#e3e3e3", lw=0, zorder=0, label=f"training: {_sites(training)}")
    limits = common_limits(test["formation_entropy"], test["prediction"])
    smallest = test[["formation_entropy", "prediction"]].to_numpy(float).min()
    if min(low, smallest) > 0:
        # Over decades, from cells with one defect to cells with hundreds.
        left.set(xscale="log", yscale="log")
        limits = 0.8 * float(min(low, smallest)), 1.3 * limits[1]
    diagonal(left, limits)
    for dataset, style in styles_of_tests(test).items():
        rows = test[test["dataset"] == dataset]
        interval = abs(rows[[*interval_columns(0.68)]].sub(rows["prediction"], axis=0)).T
        bar = {"fmt": "none", "ecolor": style["color"], "elinewidth": 0.5, "alpha": 0.5, "zorder": 2}
        left.errorbar(rows["formation_entropy"], rows["prediction"], interval, **bar)
        error = error_metrics(rows["formation_entropy"], rows["prediction"])["mae"]
        points(left, rows, "prediction", **style, label=f"{_sites(rows)}: {error:.2f}$\\,k_\\mathrm{{B}}$")
    slope = error_metrics(test["formation_entropy"], test["prediction"])["slope"]
    left.text(0.96, 0.04, f"slope {slope:.3f}, all cells", transform=left.transAxes, ha="right", va="bottom")
    left.set(xlim=limits, ylim=limits)
    left.set(xlabel=r"exact $S_\mathrm{f}$ ($k_\mathrm{B}$)", ylabel=r"predicted $S_\mathrm{f}$ ($k_\mathrm{B}$)")
    left.legend(loc="upper left", title="mean absolute error")

    growth(right, costs, labels, "seconds")
    right.set_ylabel("seconds on one core")
    right.legend(loc="upper left", fontsize="small")
    lay_out(figure)
    return figure


def _sites(rows):
    """Sizes of cells, such as ``16,000–54,000 sites``."""
    sizes = sorted({rows["n_sites"].min(), rows["n_sites"].max()})
    return "–".join(f"{size:,}" for size in sizes) + " sites"
