"""How often exact entropies lie within the intervals of their predictions."""

from collections.abc import Sequence
from functools import partial

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.stats import norm

from vibentropy.evaluation.metrics import RESOLVED, resolved
from vibentropy.evaluation.predictions import METHODS, MODEL
from vibentropy.learning.calibration import LEVELS
from vibentropy.learning.domain import IS_INSIDE
from vibentropy.learning.uncertainty import INTERVALS, interval_columns


def coverage_table(predictions: pd.DataFrame, by: Sequence[str] = RESOLVED) -> pd.DataFrame:
    """How often the exact entropy lies within the intervals of its prediction, and how wide they are.

    Parameters
    ----------
    predictions : pandas.DataFrame
        Of predictions; for each method, those without its intervals are left out.
    by : sequence of str
        As in `metrics_table`.

    Returns
    -------
    pandas.DataFrame
        Columns descriptor, regressor, stage, split, ``by``, ``value``, ``method``, ``n``, ``n_trajectories``, which are
        independent of each other, ``rmse`` (k_B), and for each level such as 68 %

        * ``coverage_68``: below its level where intervals are too narrow;
        * ``inside_coverage_68``: of the cells inside the domain, NaN where there are none;
        * ``width_68`` (k_B): of the intervals, on average;
        * ``score_68`` (k_B): the interval score of Gneiting and Raftery (J. Am. Stat. Assoc. 102, 359 (2007)), the
          width plus 2 / (1 - level) times what the exact value lies outside, on average. The smaller the better, and
          smallest for the true quantiles.

        The method ``bayesian`` takes the Gaussian of the standard deviation, ``pops`` and ``calibrated`` are those of
        `vibentropy.learning.uncertainty`; the level 100 % is of the bounds of ``pops`` alone.
    """
    tables = []
    for method in METHODS:
        ends = method_intervals(predictions, method)
        columns = {
            name: values
            for level, pair in ends.items()
            for name, values in zip(interval_columns(level), pair.values(), strict=True)
        }
        with_ends = predictions.assign(**columns)
        with_ends = with_ends[with_ends[interval_columns(LEVELS[0])[0]].notna()]
        summary = partial(_coverage, levels=list(ends))
        tables.append(resolved(with_ends, by, summary).assign(method=method))
    table = pd.concat([table for table in tables if len(table)] or tables[:1], ignore_index=True)
    first = [*MODEL, "stage", "split", "by", "value", "method", "n"]
    return table[[*first, *(name for name in table if name not in first)]]


def against_goal(coverage: pd.DataFrame) -> pd.DataFrame:
    """Put the coverage of calibrated intervals beside how far it may be off.

    Parameters
    ----------
    coverage : pandas.DataFrame
        As from `coverage_table`, overall and by ``"test"``, with calibrated intervals among the methods.

    Returns
    -------
    pandas.DataFrame
        One row for each model and for its held-out cells (``held out``) and each named test, in the column ``cells``.
        Further ``n``, ``n_trajectories`` and, in per cent, for each level such as 68 % ``coverage_68``, ``off_68``,
        which says "low" or "high" where that is more than `tolerance` off, and ``inside_95``, coverage at the largest
        level of the cells inside the domain.
    """
    held_out = (coverage["stage"] == "cross-validation") & (coverage["by"] == "overall")
    rows = coverage[(coverage["method"] == "calibrated") & (held_out | (coverage["by"] == "test"))]
    shown = rows[[*MODEL]].assign(cells=rows["value"].where(rows["by"] == "test", "held out"))
    shown[["n", "n_trajectories"]] = rows[["n", "n_trajectories"]]
    for level in LEVELS:
        name = f"{100 * level:g}"
        off = rows[f"coverage_{name}"] - level
        beyond = off.abs() > tolerance(level, rows["n_trajectories"])
        shown[f"coverage_{name}"] = 100 * rows[f"coverage_{name}"]
        shown[f"off_{name}"] = np.where(beyond, np.where(off < 0, "low", "high"), "")
    return shown.assign(inside_95=100 * rows[f"inside_coverage_{100 * LEVELS[-1]:g}"]).reset_index(drop=True)


def tolerance(level: float, n_trajectories: ArrayLike) -> NDArray[np.float64]:
    """How far a coverage may be off: five points, or two standard errors if that is more.

    Parameters
    ----------
    level : float
        Nominal coverage.
    n_trajectories : array-like
        Number of trajectories. Cells of one resemble each other, so that it is these that are counted as independent.

    Returns
    -------
    ndarray
        Of the coverage as a share, like `level`; the standard error is binomial.
    """
    return np.maximum(0.05, 2 * np.sqrt(level * (1 - level) / np.asarray(n_trajectories)))


def method_intervals(predictions: pd.DataFrame, method: str) -> dict[float, dict[str, pd.Series]]:
    """Give the ends of the intervals of one method.

    Parameters
    ----------
    predictions : pandas.DataFrame
    method : str
        One of `METHODS`.

    Returns
    -------
    dict of dict of pandas.Series
        ``low`` and ``high`` (k_B) by level; NaN where they are not known.
    """
    if method != "bayesian":
        return {
            level: {"low": predictions[low], "high": predictions[high]}
            for level, (low, high) in INTERVALS[method].items()
        }
    mean, std = predictions["prediction"], predictions["std"]
    half = {level: norm.ppf((1 + level) / 2) * std for level in LEVELS}
    return {level: {"low": mean - half[level], "high": mean + half[level]} for level in LEVELS}


def _coverage(rows, levels):
    """Coverage, width and score of intervals at some levels."""
    truth = rows["formation_entropy"]
    inside = rows["domain"] == IS_INSIDE
    summary = {
        "n": len(rows),
        "n_trajectories": len(rows[["dataset", "trajectory"]].drop_duplicates()),
        "rmse": float(np.sqrt(np.mean((rows["prediction"] - truth) ** 2))),
    }
    for level in levels:
        low, high = (rows[end] for end in interval_columns(level))
        outside, held = np.maximum(low - truth, 0) + np.maximum(truth - high, 0), (low <= truth) & (truth <= high)
        summary |= {
            f"coverage_{100 * level:g}": float(np.mean(held)),
            f"inside_coverage_{100 * level:g}": float(np.mean(held[inside])) if inside.any() else np.nan,
            f"width_{100 * level:g}": float(np.mean(high - low)),
        }
        if level < 1:
            summary[f"score_{100 * level:g}"] = float(np.mean(high - low + 2 / (1 - level) * outside))
    return summary
