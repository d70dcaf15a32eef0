"""Coverage against promise, drawn."""

import warnings

import numpy as np
import pandas as pd
from scipy.stats import norm

from vibentropy.report.figures.reliability import exact_levels, reliability_figure


def test_reliability_draws_each_method_where_it_is_known():
    rng = np.random.default_rng(0)
    std = rng.uniform(0.5, 2, 300)
    rows = pd.DataFrame({"formation_entropy": 0.0, "prediction": std * rng.normal(size=300), "std": std})
    rows["level"] = rows["pops_level"] = rng.random(300)
    rows["pops_low_100"], rows["pops_high_100"] = -9.0, 9.0
    rows = rows.assign(descriptor="afs", regressor="bayes", role="train", n_sites=54, split="groups")
    rows["stage"] = np.where(np.arange(300) < 200, "cross-validation", "test")
    rows.loc[200:, ["role", "split"]] = ["test", ""]
    rows.loc[250:, "n_sites"] = 128
    levels = exact_levels(rows)
    np.testing.assert_allclose(levels["bayesian"], 2 * norm.cdf(np.abs(rows["prediction"]) / std) - 1, rtol=1e-9)
    figure = reliability_figure(rows)
    assert [axes.get_title() for axes in figure.axes] == [
        "held-out groups",
        "test cells, not larger",
        "larger test cells",
    ]
    line = figure.axes[0].lines[1]
    np.testing.assert_allclose(
        line.get_ydata()[[50, 190]], [np.mean(levels["bayesian"][:200] <= level) for level in (0.25, 0.95)]
    )
    # Words stand below the diagonal, or above it where a curve is in their way.
    assert figure.axes[0].texts[0].get_position() == (0.96, 0.05)
    narrow = reliability_figure(rows.assign(pops_level=0.99))
    assert narrow.axes[0].texts[0].get_position() == (0.04, 0.95)
    both = reliability_figure(rows.assign(pops_level=0.99, level=0.01))
    assert both.axes[0].texts[0].get_position() == (0.96, 0.05)
    with warnings.catch_warnings(action="error"):
        nothing = reliability_figure(rows.assign(std=np.nan, level=np.nan, pops_level=np.nan))
    assert not nothing.axes
    assert "no intervals" in nothing.texts[0].get_text()
