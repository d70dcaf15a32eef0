"""Quantiles of intervals against counts, another implementation and their own promise."""

import numpy as np
import pytest
from crepes import ConformalRegressor
from hypothesis import given, settings
from hypothesis import strategies as st

from vibentropy.errors import DataError
from vibentropy.learning.calibration import LEVELS, Calibration


class TestCalibration:
    def test_quantile_and_level_count_scores(self):
        found = Calibration(np.arange(1.0, 20.0))  # 19 scores: ranks are twentieths
        assert [found.quantile(level) for level in (0.05, 0.5, 0.95)] == [1.0, 10.0, 19.0]
        assert found.quantile(0.96) == np.inf
        assert list(found.level(np.array([0.5, 1.0, -10.5, 30.0]), np.ones(4))) == [0.0, 0.0, 0.5, 0.95]
        # An interval holds the exact value when its probability is above the level, and no sooner.
        for error, level in zip((3.0, 12.2, 19.0), found.level(np.array([3.0, 12.2, 19.0]), np.ones(3)), strict=True):
            assert found.quantile(level + 0.01) >= error
            assert level == 0 or found.quantile(level) < error

    # Not 199: 200 times 0.68 is a whole number, of which crepes takes the next because of rounding.
    @pytest.mark.parametrize("n", [30, 200, 1000])
    def test_intervals_are_those_of_crepes(self, n):
        rng = np.random.default_rng(n)
        scale, errors = rng.uniform(0.1, 3, n), rng.standard_t(3, n)
        ours, theirs = Calibration.fit(errors, scale), ConformalRegressor().fit(errors, sigmas=scale)
        new = rng.uniform(0.1, 3, 50)
        for level in LEVELS:
            half = theirs.predict_int(np.zeros(50), sigmas=new, confidence=level)[:, 1]
            np.testing.assert_allclose(ours.quantile(level) * new, half, rtol=1e-12)

    @settings(max_examples=10, deadline=None, derandomize=True)
    @given(st.integers(20, 60), st.floats(0.5, 3.0), st.sampled_from(LEVELS))
    def test_exchangeable_rows_are_covered_whatever_their_scale(self, n, power, level):
        """Not on average over large samples, but for few rows, of a distribution that is not Gaussian."""
        rng = np.random.default_rng(n)
        covered = []
        for _ in range(1500):
            scale = rng.uniform(0.1, 3, n + 1)
            errors = rng.standard_t(2, n + 1) * scale**power  # which the scale is wrong about
            half = Calibration.fit(errors[:-1], scale[:-1]).quantile(level) * scale[-1]
            covered.append(abs(errors[-1]) <= half)
        # At least the level, and at most one of the n + 1 ranks more; three standard errors of 1500 draws.
        spread = 3 * np.sqrt(level * (1 - level) / 1500)
        assert level - spread <= np.mean(covered) <= level + 1 / (n + 1) + spread

    def test_exact_fits_and_perfect_crystals(self):
        exact = Calibration.fit(np.zeros(30), np.ones(30))
        assert exact.quantile(0.95) == 0.0
        with pytest.raises(DataError, match="all 3 held-out rows are of perfect crystals"):
            Calibration.fit(np.ones(3), np.zeros(3))
