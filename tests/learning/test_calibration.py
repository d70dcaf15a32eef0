"""Widths of intervals against likelihoods and counts."""

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.stats import norm

from vibentropy.errors import DataError
from vibentropy.learning.calibration import Calibration


class TestCalibration:
    def test_weights_are_the_likeliest(self):
        rng = np.random.default_rng(4)
        m, misfit = rng.uniform(0.1, 3, 5000), rng.uniform(0.1, 3, 5000)
        errors = rng.normal(size=5000) * np.sqrt(0.5 * m**2 + 2.0 * misfit**2)
        found = Calibration.fit(errors, m, misfit)
        assert found.size_weight == pytest.approx(0.5, rel=0.15)
        assert found.misfit_weight == pytest.approx(2.0, rel=0.1)
        assert found.quantile(0.68) == pytest.approx(norm.ppf(0.84), rel=0.05)

        def cost(weights):
            variance = weights[0] * m**2 + weights[1] * misfit**2
            return np.mean(np.log(variance) + errors**2 / variance)

        best = minimize(cost, [1.0, 1.0], bounds=[(1e-9, None)] * 2)
        assert cost([found.size_weight, found.misfit_weight]) < best.fun + 1e-4

    def test_quantile_and_level_count_scores(self):
        found = Calibration(1.0, 0.0, np.arange(1.0, 20.0))  # 19 scores: ranks are twentieths
        assert [found.quantile(level) for level in (0.05, 0.5, 0.95)] == [1.0, 10.0, 19.0]
        assert found.quantile(0.96) == np.inf
        assert list(found.level(np.array([0.5, 1.0, -10.5, 30.0]), np.ones(4))) == [0.0, 0.0, 0.5, 0.95]
        # An interval holds the exact value when its probability is above the level, and no sooner.
        for error, level in zip((3.0, 12.2, 19.0), found.level(np.array([3.0, 12.2, 19.0]), np.ones(3)), strict=True):
            assert found.quantile(level + 0.01) >= error
            assert level == 0 or found.quantile(level) < error

    def test_exact_fits_and_perfect_crystals(self):
        exact = Calibration.fit(np.zeros(30), np.ones(30), np.zeros(30))
        assert exact.quantile(0.95) == 0.0
        with pytest.raises(DataError, match="all 3 held-out rows are of perfect crystals"):
            Calibration.fit(np.ones(3), np.zeros(3), np.zeros(3))
