"""How often exact entropies lie within the intervals of their predictions."""

from collections.abc import Sequence
from functools import partial

import numpy as np
import pandas as pd
from scipy.stats import norm

from vibentropy.evaluation.metrics import RESOLVED, resolved
from vibentropy.evaluation.predictions import METHODS, MODEL
from vibentropy.learning.calibration import LEVELS
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
        Columns descriptor, regressor, stage, split, ``by``, ``value``, ``method``, ``n``, ``rmse`` (k_B), and for each
        level such as 68 %

        * ``coverage_68``: below its level where intervals are too narrow;
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
    summary = {"n": len(rows), "rmse": float(np.sqrt(np.mean((rows["prediction"] - truth) ** 2)))}
    for level in levels:
        low, high = (rows[end] for end in interval_columns(level))
        outside = np.maximum(low - truth, 0) + np.maximum(truth - high, 0)
        summary |= {
            f"coverage_{100 * level:g}": float(np.mean((low <= truth) & (truth <= high))),
            f"width_{100 * level:g}": float(np.mean(high - low)),
        }
        if level < 1:
            summary[f"score_{100 * level:g}"] = float(np.mean(high - low + 2 / (1 - level) * outside))
    return summary
