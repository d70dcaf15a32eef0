"""Pointwise optimal fits against brute force, and against the package of those who proposed them."""

from types import SimpleNamespace

import numpy as np
import pytest
from popsregression import POPSRegression
from scipy.optimize import minimize

from vibentropy.learning.domain import whitening
from vibentropy.learning.pointwise import PointwiseFits, pointwise_corrections


class TestPointwiseFits:
    def test_each_is_exact_in_its_row_and_of_smallest_loss(self, scaled):
        Z, y, errors, fitted = scaled
        corrections, leverage = pointwise_corrections(Z, errors, whitening(Z, fitted))
        np.testing.assert_allclose(np.sum(corrections * Z, axis=1), errors, rtol=1e-9)
        weights = fitted.coef_ * fitted.scale_

        def loss(v):
            return np.sum((y - Z @ v) ** 2) + len(y) * 1e-3 * v @ v

        for row in (0, 17, 42):
            constraint = {"type": "eq", "fun": lambda v, row=row: Z[row] @ v - y[row]}
            found = minimize(loss, weights, constraints=constraint, method="SLSQP", options={"ftol": 1e-14})
            np.testing.assert_allclose(weights + corrections[row], found.x, atol=2e-5)
            # The loss rises by the squared error over the leverage.
            rise = loss(weights + corrections[row]) - loss(weights)
            assert rise == pytest.approx(errors[row] ** 2 / leverage[row], rel=1e-9)

    def test_they_are_the_limit_of_a_heavy_row(self, scaled):
        Z, y, errors, fitted = scaled
        corrections, _ = pointwise_corrections(Z, errors, whitening(Z, fitted))
        weight = np.where(np.arange(60) == 5, 1e9, 1.0)
        G = Z.T @ (weight[:, None] * Z) + 60 * 1e-3 * np.eye(6)
        heavy = np.linalg.solve(G, Z.T @ (weight * y))
        np.testing.assert_allclose(fitted.coef_ * fitted.scale_ + corrections[5], heavy, atol=1e-6)

    def test_leverage_is_that_of_the_hat_matrix(self, scaled):
        Z, _, errors, fitted = scaled
        hat = Z @ np.linalg.inv(Z.T @ Z + 60 * 1e-3 * np.eye(6)) @ Z.T
        _, leverage = pointwise_corrections(Z, errors, whitening(Z, fitted))
        np.testing.assert_allclose(leverage, np.diag(hat), rtol=1e-9)

    def test_box_holds_the_corrections_and_nothing_to_spare(self, scaled):
        Z, _, errors, fitted = scaled
        factor = whitening(Z, fitted)
        box = PointwiseFits.fit(Z, errors, factor)
        corrections, leverage = pointwise_corrections(Z, errors, factor)
        kept = corrections[leverage >= np.median(leverage)]
        along = kept @ box.axes
        np.testing.assert_array_equal([along.min(axis=0), along.max(axis=0)], [box.low, box.high])
        np.testing.assert_allclose(box.axes.T @ box.axes, np.eye(6), atol=1e-12)
        # All corners, by brute force.
        corners = np.array(np.meshgrid(*zip(box.low, box.high, strict=True))).reshape(6, -1)
        changes = Z @ box.axes @ corners
        np.testing.assert_allclose(box.bounds(Z), [changes.min(axis=1), changes.max(axis=1)], rtol=1e-9)
        sample = box.sample(Z)
        assert (sample >= box.bounds(Z)[0][:, None]).all()
        assert (sample <= box.bounds(Z)[1][:, None]).all()
        drawn = np.random.default_rng(0).uniform(box.low, box.high, (200_000, 6)) @ box.axes.T @ Z[:5].T
        quantiles = [0.025, 0.16, 0.84, 0.975]
        spread = np.ptp(drawn, axis=0)
        found, expected = np.quantile(sample[:5], quantiles, axis=1), np.quantile(drawn, quantiles, axis=0)
        assert (np.abs(found - expected) < 0.01 * spread).all()

    def test_the_box_of_an_exact_fit_is_a_point(self):
        Z = np.random.default_rng(0).normal(size=(20, 3))
        box = PointwiseFits.fit(Z, np.zeros(20), np.eye(3))
        for values in (*box.bounds(Z), box.sample(Z)):
            np.testing.assert_array_equal(values, 0.0)


class TestAgainstTheirAuthors:
    """`popsregression`, at the fit that it makes itself."""

    @staticmethod
    def peer(scaled, **parameters):
        """Its fit, and what we need of it: scaled features, errors and the factor of G⁻¹."""
        Z, y, _, _ = scaled
        peer = POPSRegression(**parameters).fit(Z, y)
        fitted = SimpleNamespace(covariance_=peer.sigma_, noise_variance_=1 / peer.alpha_)
        return peer, Z, y - peer.predict(Z), whitening(Z, fitted)

    def test_corrections(self, scaled):
        peer, Z, errors, factor = self.peer(scaled, posterior="ensemble")
        corrections, leverage = pointwise_corrections(Z, errors, factor)
        kept = leverage >= np.median(leverage)
        assert kept.sum() == 30
        np.testing.assert_allclose(corrections[kept], peer.posterior_samples_.T, rtol=1e-9, atol=1e-12)

    def test_box(self, scaled):
        peer, Z, errors, factor = self.peer(scaled, resampling_method="sobol", resample_density=2**16 / 60 + 1)
        box = PointwiseFits.fit(Z, errors, factor)
        width = box.high - box.low
        # Its samples fill the box, evenly along each axis.
        along = box.axes.T @ peer.posterior_samples_
        np.testing.assert_allclose(box.axes @ along, peer.posterior_samples_, atol=1e-12)
        ends = (along.min(axis=1) - box.low) / width, (box.high - along.max(axis=1)) / width
        np.testing.assert_allclose(ends, 0.0, atol=1e-3)
        middle = (box.low + box.high) / 2
        covariance = box.axes @ (np.diag(width**2 / 12) + np.outer(middle, middle)) @ box.axes.T
        scale = np.abs(covariance).max()
        np.testing.assert_allclose(peer.misspecification_sigma_ / scale, covariance / scale, atol=1e-3)
        # Predictions: the same quantiles as of our fewer points.
        changes = Z[:8] @ peer.posterior_samples_
        for level in (0.025, 0.16, 0.84, 0.975):
            found = np.quantile(box.sample(Z[:8]), level, axis=1)
            np.testing.assert_allclose(found, np.quantile(changes, level, axis=1), atol=0.01 * np.ptp(changes))
