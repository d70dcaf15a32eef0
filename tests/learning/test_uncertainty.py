"""Intervals against their own promise, on cells that add up and in files."""

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from ase import Atoms
from crepes import ConformalRegressor
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm
from uncertain_models import CRYSTAL, A, misspecified, vacancies

from vibentropy.evaluation.fitting import fit_and_predict
from vibentropy.features.sets import FeatureSet, LocalValues
from vibentropy.learning.bayesian import ExtensiveBayesianRidge
from vibentropy.learning.calibration import LEVELS, Calibration
from vibentropy.learning.error_scale import ErrorScale
from vibentropy.learning.fold_fits import FoldFits, fold_fits
from vibentropy.learning.ridge import ExtensiveRidge
from vibentropy.learning.uncertainty import Uncertainty, quantify
from vibentropy.model.entropy_model import EntropyModel


def predicted_intervals(X, y, groups, regressor, new):
    """New rows scaled, the uncertainty of a fit, and its intervals for them, relative to the prediction."""
    fits = fold_fits(regressor, X, y, groups, groups % 5)
    fitted = fits.without()
    uncertainty = quantify(fits, X, y, groups)
    return new / fitted.scale_, uncertainty, uncertainty.intervals(new / fitted.scale_)


class TestPromise:
    """Coverage of labels without noise by a model that cannot express them."""

    X, y, groups, _ = misspecified(1500, 7, n_groups=400)
    X_new, y_new, _, hard = misspecified(4000, 8)

    def test_calibrated_intervals_keep_it_and_the_posterior_does_not(self):
        regressor = ExtensiveBayesianRidge()
        scaled, uncertainty, intervals = predicted_intervals(self.X, self.y, self.groups, regressor, self.X_new)
        fitted = regressor.fit(self.X, self.y, groups=self.groups)
        error = self.y_new - fitted.predict(self.X_new)
        for level in (0.68, 0.95):
            inside = np.abs(error) <= intervals[f"high_{100 * level:g}"]
            # Binomial, for the new rows and for those that calibrated.
            spread = np.sqrt(level * (1 - level) * (1 / 4000 + 1 / 1500))
            assert abs(inside.mean() - level) < 3 * spread
        # The posterior of the weights covers far less than it says: it narrows with rows.
        posterior = np.sqrt(np.einsum("ij,jk,ik->i", scaled, fitted.covariance_, scaled))
        assert np.mean(np.abs(error) <= norm.ppf(0.975) * posterior) < 0.5
        # With one noise for all it is wrong for either half, where the calibrated one is less so.
        _, std = fitted.predict(self.X_new, return_std=True)
        easy = [
            np.mean(np.abs(error[~self.hard]) <= half[~self.hard])
            for half in (norm.ppf(0.84) * std, intervals["high_68"])
        ]
        assert abs(easy[1] - 0.68) < abs(easy[0] - 0.68)
        levels = uncertainty.levels(scaled, error)
        np.testing.assert_array_equal(levels["level"] < 0.68, np.abs(error) <= intervals["high_68"])

    def test_bounds_of_the_box_hold_what_its_quantiles_do_not(self):
        regressor = ExtensiveRidge()
        _, _, intervals = predicted_intervals(self.X, self.y, self.groups, regressor, self.X_new)
        fitted = regressor.fit(self.X, self.y, groups=self.groups)
        error = self.y_new - fitted.predict(self.X_new)
        inside = (intervals["pops_low_100"] <= error) & (error <= intervals["pops_high_100"])
        assert inside.mean() > 0.99
        assert (intervals["pops_low_95"] <= intervals["pops_low_68"]).all()
        assert (intervals["pops_high_68"] <= intervals["pops_high_100"]).all()

    def test_a_narrower_posterior_is_not_a_better_one(self):
        few = ExtensiveBayesianRidge().fit(self.X[:100], self.y[:100])
        many = ExtensiveBayesianRidge().fit(self.X, self.y)
        assert np.trace(many.covariance_) < np.trace(few.covariance_) / 5
        rms = [np.sqrt(np.mean((fit.predict(self.X_new) - self.y_new) ** 2)) for fit in (few, many)]
        assert rms[1] > 0.8 * rms[0]


class TestExtensivity:
    X, y, groups, _ = misspecified(200, 3, n_groups=50)

    @pytest.mark.parametrize("regressor", [ExtensiveRidge(), ExtensiveBayesianRidge()])
    def test_copies_add_up_and_the_perfect_crystal_is_certain(self, regressor):
        Z, uncertainty, one = predicted_intervals(self.X, self.y, self.groups, regressor, self.X[:7])

        @settings(max_examples=15, deadline=None, derandomize=True)
        @given(st.integers(2, 10_000))
        def check(copies):
            for end, values in uncertainty.intervals(copies * Z).items():
                np.testing.assert_allclose(values, copies * one[end], rtol=1e-10, atol=1e-8)
            domain = uncertainty.domain
            np.testing.assert_allclose(domain.direction(copies * Z), domain.direction(Z), rtol=1e-10)

        check()
        assert all(values == 0 for values in uncertainty.intervals(np.zeros((1, 6))).values())
        # To rounding it is not even asked which direction it lies in.
        assert uncertainty.domain.reasons(np.full((1, 6), 1e-12)) == [""]


class TestOwnCrystal:
    """One row in four is compared with a crystal of its own, and errs by more."""

    N = 600
    X, y, groups, _ = misspecified(N, 11, n_groups=150)
    differs = groups % 4 == 1
    y = y + 9 * differs * np.random.default_rng(0).normal(size=N) * np.abs(X).mean(axis=1)
    crystals = 0.1 * differs[:, None] * np.ones(6)

    def quantify(self, keep=slice(None)):
        X, y, groups, crystals = self.X[keep], self.y[keep], self.groups[keep], self.crystals[keep]
        limits = np.stack([-np.ones_like(X), np.ones_like(X)], axis=1)
        fits = fold_fits(ExtensiveRidge(), X, y, groups, groups % 5)
        return fits, quantify(fits, X, y, groups, LocalValues(limits, crystals))

    def test_intervals_are_those_of_crepes_with_bins(self):
        fits, uncertainty = self.quantify()
        errors, scale = np.empty(self.N), np.empty(self.N)
        for number in range(5):
            fitted, test = fits.without(number), self.groups % 5 == number
            Z, residuals = self.X / fitted.scale_, self.y - fitted.predict(self.X)
            errors[test], scale[test] = residuals[test], ErrorScale.fit(Z[~test], residuals[~test])(Z[test])
        theirs = ConformalRegressor().fit(errors, sigmas=scale, bins=self.differs)
        new = self.X[:80] / fits.without().scale_
        for level in LEVELS:
            ends = theirs.predict_int(np.zeros(80), uncertainty.scale(new), self.differs[:80], confidence=level)
            ours = uncertainty.intervals(new, self.crystals[:80])
            np.testing.assert_allclose(ours[f"high_{100 * level:g}"], ends[:, 1], rtol=1e-9)
            np.testing.assert_array_equal(ours[f"low_{100 * level:g}"], -ours[f"high_{100 * level:g}"])
        found = uncertainty.levels(new, errors[:80], self.crystals[:80])["level"]
        half = uncertainty.intervals(new, self.crystals[:80])["high_68"]
        np.testing.assert_array_equal(found < 0.68, np.abs(errors[:80]) <= half)

    def test_both_kinds_are_covered_where_all_together_are_not(self):
        fits, uncertainty = self.quantify()
        X, y, groups, _ = misspecified(4000, 12)
        differs = groups % 4 == 1
        y = y + 9 * differs * np.random.default_rng(1).normal(size=4000) * np.abs(X).mean(axis=1)
        fitted = fits.without()
        errors = np.abs(y - fitted.predict(X))
        apart = uncertainty.intervals(X / fitted.scale_, 0.1 * differs[:, None] * np.ones(6))["high_68"]
        for kind in (differs, ~differs):
            spread = np.sqrt(0.68 * 0.32 * (1 / kind.sum() + 1 / (self.N * kind.mean())))
            assert abs(np.mean(errors[kind] <= apart[kind]) - 0.68) < 3 * spread
        together = uncertainty.intervals(X / fitted.scale_)["high_68"]
        assert np.mean(errors[differs] <= together[differs]) < 0.4

    @pytest.mark.parametrize(("n", "apart"), [(19, False), (20, True)])
    @pytest.mark.parametrize("few", [True, False])
    def test_it_takes_some_of_either_kind(self, n, apart, few):
        keep = np.sort([*np.flatnonzero(self.differs == few)[:n], *np.flatnonzero(self.differs != few)[:100]])
        _, uncertainty = self.quantify(keep)
        assert (uncertainty.own_crystal is not None) is apart
        rows = len(uncertainty.calibration.scores) + (len(uncertainty.own_crystal.scores) if apart else 0)
        assert rows == n + 100
        if not apart:
            Z = self.X[:9]
            for end, values in uncertainty.intervals(Z, self.crystals[:9]).items():
                np.testing.assert_array_equal(values, uncertainty.intervals(Z)[end])

    def test_files_and_predictions_know_it(self, model, tmp_path):
        calibration = model.uncertainty.calibration
        ten_times = replace(model.uncertainty, own_crystal=Calibration(10 * calibration.scores))
        model = replace(model, uncertainty=ten_times)
        model.save(tmp_path / "model.h5")
        stretched = CRYSTAL.copy()
        stretched.set_cell(stretched.cell[:] * [[1], [1], [1.01]], scale_atoms=True)
        again, alike = EntropyModel.load(tmp_path / "model.h5"), replace(ten_times, own_crystal=None)
        for reference, factor in ((CRYSTAL, 1), (stretched, 10)):
            found, plain = (
                one.predict(vacancies(3, reference), reference=reference)
                for one in (again, replace(model, uncertainty=alike))
            )
            half, expected = (one["high_95"] - one["formation_entropy"] for one in (found, plain))
            np.testing.assert_allclose(half, factor * expected, rtol=1e-12)


class TestHonesty:
    """Held-out rows know nothing of the intervals that they are judged by."""

    X, y, groups, _ = misspecified(120, 5, n_groups=30)

    def chain(self, y):
        table = pd.DataFrame(
            {"id": [f"a/{k}" for k in range(120)], "formation_entropy": y, "n_atoms": 53, "n_sites": 54}
        )
        table = table.assign(
            dataset="a", role="train", n_sites=54, trajectory=self.groups.astype(str), defect_class="V1",
            status="labelled", duplicate_of="",
        )  # fmt: skip
        features = FeatureSet(self.X, tuple(table["id"]), tuple("abcdef"), np.zeros(6), {})
        folds = pd.DataFrame({"id": table["id"], "split": "groups", "fold": self.groups % 3, "group": self.groups})
        names = {"descriptor": "d", "regressor": "r"}
        _, predictions, _ = fit_and_predict(ExtensiveRidge(), table, {"a": features}, folds, names=names)
        return predictions[predictions["stage"] == "cross-validation"].set_index("id")

    def test_labels_of_a_fold_do_not_move_its_intervals(self):
        fold = self.groups % 3
        before, after = self.chain(self.y), self.chain(np.where(fold == 1, 7 * self.y - 30, self.y))
        ends = [name for name in before if name.startswith(("low", "high", "pops_low", "pops_high"))]
        np.testing.assert_array_equal(before.loc[fold == 1, ends], after.loc[fold == 1, ends])
        assert not np.isclose(before.loc[fold != 1, "high_95"], after.loc[fold != 1, "high_95"]).any()

    def test_scores_are_of_rows_that_neither_the_weights_nor_the_scale_have_seen(self):
        fits = fold_fits(ExtensiveRidge(), self.X, self.y, self.groups, self.groups % 5)
        scores = []
        for number in range(5):
            fitted, test = fits.without(number), self.groups % 5 == number
            Z, errors = self.X / fitted.scale_, self.y - fitted.predict(self.X)
            scores.extend(np.abs(errors[test]) / ErrorScale.fit(Z[~test], errors[~test])(Z[test]))
        found = quantify(fits, self.X, self.y, self.groups)
        np.testing.assert_allclose(found.calibration.scores, np.sort(scores), rtol=1e-10)

    def test_too_few_rows_for_a_level(self):
        """Ten scores hold nothing at 95 %: any entropy may be, but of the perfect crystal it is zero."""
        X, y, groups = self.X[:10], self.y[:10], np.arange(10)
        fits = fold_fits(ExtensiveRidge(penalties=[1e-6]), X, y, groups, groups % 5)
        intervals = quantify(fits, X, y, groups).intervals(np.eye(6)[:2] * [[1], [0]])
        np.testing.assert_array_equal(intervals["high_95"], [np.inf, 0.0])
        np.testing.assert_array_equal(intervals["low_95"], [-np.inf, 0.0])

    def test_fits_are_made_once(self):
        asked = []

        def fit(rows):
            asked.append(rows)
            return ExtensiveRidge().fit(self.X[rows], self.y[rows])

        fits = FoldFits(fit, self.groups % 5)
        for without in [(), *((number,) for number in range(5))]:
            quantify(fits, self.X, self.y, self.groups, without=without)
        assert len(asked) == 1 + 5 + 10

    def test_too_few_groups_to_hold_any_out(self):
        fits = fold_fits(ExtensiveRidge(penalties=[1e-6]), self.X, self.y, self.groups % 2, self.groups % 2)
        uncertainty = quantify(fits, self.X, self.y, self.groups % 2)
        assert uncertainty.calibration is None
        assert np.isnan(uncertainty.intervals(self.X)["low_68"]).all()
        assert np.isfinite(uncertainty.intervals(self.X)["pops_low_68"]).all()
        assert uncertainty.domain.direction_limit == np.inf
        assert Uncertainty.from_arrays(uncertainty.arrays()).calibration is None


class TestModelFile:
    def test_a_new_process_gives_the_same_bits(self, model, tmp_path):
        frames = [vacancies(3), vacancies(4) * (2, 1, 1), CRYSTAL + Atoms("Fe", [[0.5 * A, 0.5 * A, 0.0]])]
        expected = model.predict(frames)
        assert list(expected.columns) == [
            *("formation_entropy", "std", "low_68", "high_68", "low_95", "high_95"),
            *(f"pops_{end}_{level}" for level in (68, 95, 100) for end in ("low", "high")),
            *("domain", "n_atoms"),
        ]
        half = expected["high_95"] - expected["formation_entropy"]
        np.testing.assert_allclose(expected["formation_entropy"] - expected["low_95"], half, rtol=1e-9)
        assert (half > 0).all()
        model.save(tmp_path / "model.h5")
        model.save(tmp_path / "again.h5")
        assert (tmp_path / "model.h5").read_bytes() == (tmp_path / "again.h5").read_bytes()
        arrays = {str(k): np.vstack([atoms.cell[:], atoms.positions]) for k, atoms in enumerate(frames)}
        np.savez(tmp_path / "frames.npz", **arrays)
        script = """
import numpy as np
from ase import Atoms
from vibentropy.model.entropy_model import EntropyModel
frames = np.load("frames.npz")
atoms = [Atoms("Fe" * (len(x) - 3), x[3:], cell=x[:3], pbc=True) for x in (frames[name] for name in "012")]
EntropyModel.load("model.h5").predict(atoms).to_csv("predicted.csv", index=False)
"""
        subprocess.run([sys.executable, "-c", script], cwd=tmp_path, check=True, timeout=120)
        found = pd.read_csv(tmp_path / "predicted.csv", keep_default_na=False)
        pd.testing.assert_frame_equal(found, expected.assign(std=""), check_exact=True, check_dtype=False)

    def test_arrays_make_up_the_whole(self, model):
        again = Uncertainty.from_arrays(model.uncertainty.arrays())
        for part in ("pointwise", "domain", "scale", "calibration"):
            for name, value in vars(getattr(model.uncertainty, part)).items():
                np.testing.assert_array_equal(getattr(getattr(again, part), name), value)
