"""The scale of errors against likelihoods, brute force and cells that add up."""

import numpy as np
import pytest

from vibentropy.learning.error_scale import N_STEPS, UNSEEN, ErrorScale
from vibentropy.learning.scaling import RootMeanSquareScaler


@pytest.fixture(scope="module")
def rows():
    """Rows along which weights of their own err: by far more in the first of four features than in the last."""
    rng = np.random.default_rng(1)
    Z = rng.normal(size=(2000, 4)) * rng.uniform(0.2, 2, 2000)[:, None]
    own = rng.normal(size=(2000, 4)) * [2.0, 1.0, 0.5, 0.25]
    return Z, np.sum(Z * own, axis=1)


def cost(scale, Z, errors):
    """Minus the logarithm of the likelihood of a row if errors are Gaussian, up to constants; for the best level."""
    square = scale(Z) ** 2
    return np.log(np.mean(errors**2 / square)) + np.mean(np.log(square))


class TestErrorScale:
    def test_it_finds_where_weights_of_rows_differ(self, rows):
        Z, errors = rows
        found = ErrorScale.fit(Z, errors)
        best = cost(ErrorScale(np.diag([2.0, 1.0, 0.5, 0.25])), Z, errors)
        by_size_alone = cost(ErrorScale(np.eye(4)), Z, errors)
        # Most of the way to the distribution that was drawn from.
        assert cost(found, Z, errors) - best < 0.3 * (by_size_alone - best)
        assert np.mean(found(Z) ** 2) == pytest.approx(1.0)

    def test_each_step_is_the_expectation_of_what_is_not_observed(self, rows, monkeypatch):
        """By Monte Carlo: weights of their own that give each row its error, drawn from M."""
        Z, errors = (part[:40] for part in rows)
        monkeypatch.setattr("vibentropy.learning.error_scale.LARGEST_LEVERAGE", 0.0)
        monkeypatch.setattr("vibentropy.learning.error_scale.N_STEPS", 0)
        start = ErrorScale.fit(Z, errors).factor
        monkeypatch.setattr("vibentropy.learning.error_scale.N_STEPS", 1)
        step = ErrorScale.fit(Z, errors).factor
        before, errors = start @ start.T, errors / np.sqrt(np.mean(errors**2))
        rng, expected = np.random.default_rng(0), np.zeros((4, 4))
        for z, error in zip(Z, errors, strict=True):
            drawn = rng.normal(size=(20_000, 4)) @ start.T
            # Matheron's rule: a draw, corrected by what it lacks of the error.
            drawn += np.outer(error - drawn @ z, before @ z) / (z @ before @ z)
            expected += drawn.T @ drawn / 20_000 / len(Z)
        expected /= np.mean(np.einsum("ij,jk,ik->i", Z, expected, Z))
        np.testing.assert_allclose(step @ step.T, expected, atol=0.02 * np.abs(expected).max())

    def test_errors_are_those_of_fits_without_the_row(self, rows, monkeypatch):
        Z, y = (part[:20] for part in rows)
        residuals = y - Z @ np.linalg.lstsq(Z, y)[0]
        without = [np.linalg.lstsq(np.delete(Z, k, axis=0), np.delete(y, k))[0] for k in range(20)]
        left_out = y - np.sum(Z * without, axis=1)
        found = ErrorScale.fit(Z, residuals)(Z)
        monkeypatch.setattr("vibentropy.learning.error_scale.LARGEST_LEVERAGE", 0.0)
        np.testing.assert_allclose(found, ErrorScale.fit(Z, left_out)(Z), rtol=1e-3)
        assert not np.allclose(found, ErrorScale.fit(Z, residuals)(Z), rtol=1e-2)

    def test_a_row_that_is_alone_in_a_direction_counts_ten_times_its_residual(self, rows, monkeypatch):
        """Without it, a fit knows nothing of the direction, and the error could be anything."""
        Z, residuals = rows[0][:500].copy(), rows[1][:500].copy()
        Z[:, 3] = 0.0
        Z[7] = [0.0, 0.0, 0.0, 1.0]
        found = ErrorScale.fit(Z, residuals)(Z)
        monkeypatch.setattr("vibentropy.learning.error_scale.LARGEST_LEVERAGE", 0.0)
        residuals[7] *= 10
        # The leverages of the others are some 1/500.
        np.testing.assert_allclose(found, ErrorScale.fit(Z, residuals)(Z), rtol=0.02)

    def test_perfect_crystals_in_the_training_do_not_matter(self, rows):
        Z, errors = (part[:100] for part in rows)
        crystals = np.concatenate([Z, np.full((9, 4), 1e-13)]), np.concatenate([errors, np.full(9, 1e-9)])
        found = ErrorScale.fit(*crystals)
        np.testing.assert_array_equal(found(Z), ErrorScale.fit(Z, errors)(Z))
        # A cell that differs from it by rounding is one, too.
        np.testing.assert_array_equal(found(np.full((1, 4), 1e-13)), 0.0)

    def test_steps_make_errors_likelier(self, rows, monkeypatch):
        Z, errors = rows
        costs = []
        for steps in range(N_STEPS + 1):
            monkeypatch.setattr("vibentropy.learning.error_scale.N_STEPS", steps)
            costs.append(cost(ErrorScale.fit(Z, errors), Z, errors))
        assert (np.diff(costs) < 0).all()

    def test_a_direction_without_rows_is_uncertain(self, rows):
        Z, errors = rows
        Z = Z * [1.0, 1.0, 1.0, 0.0]
        found = ErrorScale.fit(Z, errors)
        unseen, seen = found(np.array([[0.0, 0.0, 0.0, 1.0], [1.0, 0.0, 0.0, 0.0]]))
        assert unseen > 0.1 / np.sqrt(UNSEEN)
        assert unseen > 30 * seen

    def test_units_of_features_and_labels_do_not_matter(self, rows):
        Z, errors = rows
        units = np.array([1e-3, 1.0, 1e3, 7.0])

        def scales(X, errors):
            Z = X / RootMeanSquareScaler().fit(X).scale_
            return ErrorScale.fit(Z, errors)(Z)

        np.testing.assert_allclose(scales(Z * units, 5 * errors), scales(Z, errors), rtol=1e-8)

    def test_copies_and_the_perfect_crystal(self, rows):
        Z, errors = rows
        found = ErrorScale.fit(Z, errors)
        np.testing.assert_allclose(found(7 * Z), 7 * found(Z), rtol=1e-12)
        np.testing.assert_array_equal(found(np.zeros((2, 4))), 0.0)

    @pytest.mark.parametrize("n", [0, 1, 3])
    def test_few_rows_and_exact_fits(self, rows, n):
        Z, errors = rows
        for found in (ErrorScale.fit(Z[:n], errors[:n]), ErrorScale.fit(Z[:n], np.zeros(n))):
            assert (found(Z) > 0).all()
            assert np.isfinite(found(Z)).all()
