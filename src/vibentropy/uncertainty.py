"""How wrong a prediction may be, and whether it can be judged at all.

The label of a minimum has an error of 1e-4 k_B, a linear model one of tenths: it is misspecified, and what the
posterior of its weights says narrows with the number of rows while the error stays (docs/theory.md, "Error bars").
Besides the standard deviation of Bayesian regressors there are therefore two kinds of intervals, for every linear
model. With z the scaled features of a cell, m(z) their root mean square, e_i the errors of the fit and G the curvature
of its loss (Zᵀ Z + n · penalty for ridge):

POPS
    pointwise optimal parameter sets (Swinburne and Perez, arXiv 2402.01810). Of all weights that predict row i
    exactly, those of smallest loss differ from the fitted ones by δ_i = e_i G⁻¹ z_i / (z_iᵀ G⁻¹ z_i). The smallest box
    around all δ_i, along their principal axes, is taken as evenly filled: `PointwiseFits`.
calibrated
    symmetric, half as wide as s(z) = √(a m(z)² + b zᵀ C z) times a quantile of |error| / s over rows that the fit did
    not see, groups kept together; C is the mean of δ_i δ_iᵀ: `Calibration`.

All of them are zero for the perfect crystal and m times as wide for a cell repeated m times: the error of a defect is
the same in each of its copies, it does not average out.

Why that s. Compared on the shipped data (A_{3,10}, ridge; coverage at 68 and 95 % and the interval score at 95 %,
k_B, smaller is better, calibrated without the rows that are judged, a and b always by maximum likelihood):

====================== ============== ============== ================== ================== ==================
s²                     interstitials  vacancies      all, held out      cells of 1024      cells of 3456
====================== ============== ============== ================== ================== ==================
m                      46, 92         95, 100        67, 95; 5.3        29, 71; 42         29, 52; 237
m²                     49, 92         94, 100        69, 95; 5.1        55, 81; 35         52, 83; 93
m³                     50, 92         91, 100        68, 95; 5.1        57, 88; 35         83, 100; 142
a m² + b zᵀ G⁻¹ z      44, 85         88, 100        63, 92; 4.8        50, 95; 14         67, 88; 100
zᵀ C z                 63, 94         76, 97         69, 95; 4.0        52, 90; 14         67, 79; 146
**a m² + b zᵀ C z**    62, 94         78, 97         69, 95; 4.0        52, 95; 13         67, 81; 140
====================== ============== ============== ================== ================== ==================

One constant, whatever the power of m, is too narrow for interstitials and too wide for vacancies; the leverage
zᵀ G⁻¹ z knows where there were few rows but not where the fit was wrong (its b takes everything, a is zero). C knows
both: it is the leverage weighted by the errors that were made. The term in m² stands for directions in which no row
had an error to show. Of the cells of 3456 sites all are covered at 95 %, loops and voids because their leverage is
large, but the eight with 16 and 23 clusters of four vacancies: each errs by more than the single one, always to the
same side, which nothing in single clusters foretells.

The box is too small where it is evenly filled (42 and 71 % of held-out cells at 68 and 95 %) and never left: its bounds
hold 100 % of held-out cells, 95 % of those of 3456 sites and 99 % of strained ones, twice as wide as the calibrated
intervals at 95 %.

The domain of a model has its reasons in words: `Domain`.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np
from scipy.linalg import eigh
from scipy.stats import qmc

from vibentropy.domain import SMALLEST_SIZE, Domain, whitening
from vibentropy.errors import DataError
from vibentropy.regression import size

#: Probabilities of the intervals that are reported.
LEVELS = (0.68, 0.95)

#: Share of the rows, those of smallest leverage, whose pointwise fits are left out: next to nothing pins them down.
#: On the shipped data the half gives the likelier errors (0.04 per row in the logarithm) than all.
SMALL_LEVERAGE = 0.5

#: Points of the box that stand for the evenly filled one, a power of two.
N_POINTS = 1024


def pointwise_corrections(Z, errors, factor):
    """Change of the weights that makes each row exact at the smallest cost in loss.

    Parameters
    ----------
    Z : ndarray of shape (n, n_features)
        Scaled features that were fitted to.
    errors : ndarray of shape (n,), k_B
        Exact minus fitted.
    factor : ndarray of shape (n_features, n_features)
        As from `whitening`.

    Returns
    -------
    corrections : ndarray of shape (n, n_features), k_B
        δ_i = e_i G⁻¹ z_i / h_i, so that z_i · δ_i = e_i; zero where there is no leverage.
    leverage : ndarray of shape (n,)
        h_i = z_iᵀ G⁻¹ z_i.
    """
    white = Z @ factor
    leverage = np.sum(white**2, axis=1)
    step = np.divide(errors, leverage, out=np.zeros(len(Z)), where=leverage > 0)
    return (white * step[:, None]) @ factor.T, leverage


@dataclass(frozen=True, eq=False)
class PointwiseFits:
    """Box around the corrections that pointwise optimal fits make to the weights.

    Attributes
    ----------
    axes : ndarray of shape (n_features, n_axes)
        Principal axes of the corrections, orthonormal; those that hold less than 1e-8 of the largest are left out.
    spread : ndarray of shape (n_axes,), k_B
        Root mean square of the corrections along each.
    low, high : ndarray of shape (n_axes,), k_B
        Smallest and largest of the corrections along each: the box.
    """

    axes: np.ndarray
    spread: np.ndarray
    low: np.ndarray
    high: np.ndarray

    @classmethod
    def fit(cls, Z, errors, factor):
        """Find the box.

        Parameters
        ----------
        Z, errors, factor
            As for `pointwise_corrections`.

        Returns
        -------
        PointwiseFits
        """
        corrections, leverage = pointwise_corrections(Z, errors, factor)
        corrections = corrections[leverage >= np.quantile(leverage, SMALL_LEVERAGE)]
        squares, axes = eigh(corrections.T @ corrections / len(corrections))
        kept = squares > 1e-8 * squares[-1]
        along = corrections @ axes[:, kept]
        return cls(axes[:, kept], np.sqrt(squares[kept]), along.min(axis=0), along.max(axis=0))

    def misfit(self, Z):
        """Root mean square of what the corrections do to predictions.

        Parameters
        ----------
        Z : ndarray of shape (n, n_features)

        Returns
        -------
        ndarray of shape (n,), k_B
            √(zᵀ C z).
        """
        return np.sqrt(np.sum((Z @ self.axes * self.spread) ** 2, axis=1))

    def bounds(self, Z):
        """Smallest and largest change of predictions by weights in the box.

        Parameters
        ----------
        Z : ndarray of shape (n, n_features)

        Returns
        -------
        low, high : ndarray of shape (n,), k_B
            Relative to the prediction.
        """
        along = Z @ self.axes
        ends = along * self.low, along * self.high
        return np.minimum(*ends).sum(axis=1), np.maximum(*ends).sum(axis=1)

    def sample(self, Z):
        """Change predictions by weights that fill the box evenly.

        Parameters
        ----------
        Z : ndarray of shape (n, n_features)

        Returns
        -------
        ndarray of shape (n, N_POINTS), k_B
            Sorted, relative to the prediction; the same in every run.
        """
        if not len(self.spread):
            return np.zeros((len(Z), N_POINTS))
        points = self.low + _points(len(self.spread)) * (self.high - self.low)
        return np.sort(Z @ self.axes @ points.T, axis=1)


@cache
def _points(n):
    """Points that fill a unit box of n dimensions: scrambling them costs as much as describing a small cell."""
    return qmc.Sobol(n, seed=0).random(N_POINTS)


@dataclass(frozen=True, eq=False)
class Calibration:
    """Errors of held-out rows in units of a scale, and that scale.

    Attributes
    ----------
    size_weight : float, k_B²
        a of s² = a m² + b misfit².
    misfit_weight : float, dimensionless
        b.
    scores : ndarray of shape (n,)
        |error| / s of the held-out rows, in ascending order.
    """

    size_weight: float
    misfit_weight: float
    scores: np.ndarray

    @classmethod
    def fit(cls, errors, size, misfit):
        """Find the scale under which the errors are most likely, if they are Gaussian.

        Parameters
        ----------
        errors : ndarray of shape (n,), k_B
            Of rows that were not fitted to.
        size : ndarray of shape (n,)
            m of these rows.
        misfit : ndarray of shape (n,), k_B
            √(zᵀ C z) of these rows.

        Returns
        -------
        Calibration

        Raises
        ------
        DataError
            If no row differs from the perfect crystal.
        """
        defective = size > SMALLEST_SIZE
        if not defective.any():
            raise DataError(f"all {len(size)} held-out rows are of perfect crystals: there is no error to calibrate by")
        errors, terms = errors[defective], np.column_stack([size, misfit])[defective] ** 2
        means = np.mean(terms, axis=0)
        # A misfit of zero everywhere, that of an exact fit, has no weight to find.
        units = np.divide(1.0, means, out=np.zeros(2), where=means > 0)
        share = np.linspace(0.0, 1.0, 101) if units[1] else np.zeros(1)
        weights = np.column_stack([1 - share, share]) * units
        variance = terms @ weights.T
        with np.errstate(divide="ignore", invalid="ignore"):
            factor = np.mean(errors[:, None] ** 2 / variance, axis=0)
            cost = np.log(factor) + np.mean(np.log(variance), axis=0)
        best = np.argmin(np.where(np.isnan(cost), np.inf, cost))
        a, b = (float(w) for w in (factor[best] or 1.0) * weights[best])
        scale = np.sqrt(a * terms[:, 0] + b * terms[:, 1])
        return cls(a, b, np.sort(np.abs(errors) / scale))

    def scale(self, size, misfit):
        """s, ndarray of shape (n,), k_B."""
        return np.sqrt(self.size_weight * size**2 + self.misfit_weight * misfit**2)

    def quantile(self, level):
        """Half width of the interval in units of the scale.

        Parameters
        ----------
        level : float
            Probability of the interval.

        Returns
        -------
        float
            The ⌈(n + 1) level⌉-th smallest of the n scores, which covers a row that is exchangeable with them at
            least that often; infinite if there are too few.
        """
        rank = int(np.ceil((len(self.scores) + 1) * level - 1e-9))
        return float(self.scores[rank - 1]) if rank <= len(self.scores) else np.inf

    def level(self, errors, scale):
        """Probability of the interval that ends at the exact value.

        Parameters
        ----------
        errors, scale : ndarray of shape (n,), k_B

        Returns
        -------
        ndarray of shape (n,)
            The row is inside the intervals of all larger probabilities.
        """
        score = np.divide(np.abs(errors), scale, out=np.zeros(len(errors)), where=scale > 0)
        return np.searchsorted(self.scores, score) / (len(self.scores) + 1)


@dataclass(frozen=True, eq=False)
class Uncertainty:
    """Intervals and domain of one fitted model.

    Attributes
    ----------
    pointwise : PointwiseFits
    domain : Domain
    calibration : Calibration or None
        None where there are too few groups to hold any out.
    """

    pointwise: PointwiseFits
    domain: Domain
    calibration: Calibration | None

    def intervals(self, Z):
        """Intervals relative to the prediction.

        Parameters
        ----------
        Z : ndarray of shape (n, n_features)
            Scaled features.

        Returns
        -------
        dict of ndarray of shape (n,), k_B
            ``low_68``, ``high_68`` and so on for `LEVELS`, calibrated, NaN without calibration; ``pops_low_68`` and so
            on, and ``pops_low_100`` and ``pops_high_100``, the bounds of the box.
        """
        found = {}
        scale = self._scale(Z)
        for level in LEVELS:
            half = np.full(len(Z), np.nan)
            if scale is not None:
                # An infinite quantile leaves the perfect crystal at zero.
                half = np.multiply(self.calibration.quantile(level), scale, out=np.zeros(len(Z)), where=scale > 0)
            found |= {f"low_{100 * level:g}": -half, f"high_{100 * level:g}": half}
        sample = self.pointwise.sample(Z)
        for level in LEVELS:
            ends = np.quantile(sample, [(1 - level) / 2, (1 + level) / 2], axis=1)
            found |= {f"pops_low_{100 * level:g}": ends[0], f"pops_high_{100 * level:g}": ends[1]}
        return found | dict(zip(("pops_low_100", "pops_high_100"), self.pointwise.bounds(Z), strict=True))

    def levels(self, Z, errors):
        """Probabilities of the intervals that end at the exact values.

        Parameters
        ----------
        Z : ndarray of shape (n, n_features)
            Scaled features.
        errors : ndarray of shape (n,), k_B
            Exact minus predicted.

        Returns
        -------
        dict of ndarray of shape (n,)
            ``level``, calibrated, NaN without calibration, and ``pops_level``.
        """
        scale = self._scale(Z)
        below = np.mean(self.pointwise.sample(Z) < errors[:, None], axis=1)
        level = np.full(len(Z), np.nan) if scale is None else self.calibration.level(errors, scale)
        return {"level": level, "pops_level": np.abs(2 * below - 1)}

    def arrays(self):
        """Everything as arrays.

        Returns
        -------
        dict of ndarray
            By names such as ``pointwise/axes``.
        """
        parts = {"pointwise": self.pointwise, "domain": self.domain, "calibration": self.calibration}
        return {
            f"{part}/{name}": np.asarray(value)
            for part, of_part in parts.items()
            if of_part is not None
            for name, value in vars(of_part).items()
        }

    @classmethod
    def from_arrays(cls, arrays):
        """Put together again what `arrays` took apart.

        Parameters
        ----------
        arrays : dict of ndarray

        Returns
        -------
        Uncertainty
        """
        parts = {}
        for path, value in arrays.items():
            part, name = path.split("/")
            parts.setdefault(part, {})[name] = float(value) if value.ndim == 0 else value
        return cls(
            PointwiseFits(**parts["pointwise"]),
            Domain(**parts["domain"]),
            Calibration(**parts["calibration"]) if "calibration" in parts else None,
        )

    def _scale(self, Z):
        if self.calibration is None:
            return None
        measure = size(Z)
        return np.where(measure > SMALLEST_SIZE, self.calibration.scale(measure, self.pointwise.misfit(Z)), 0.0)


class FoldFits:
    """Fits to all rows but those of some folds, each made once however often it is asked for.

    Parameters
    ----------
    fit : callable
        From a mask of rows to a fitted estimator.
    folds : ndarray of int of shape (n,)
    whole : estimator, optional
        The fit to all rows, where there is one already.
    """

    def __init__(self, fit, folds, whole=None):
        self.fit = fit
        self.folds = np.asarray(folds)
        self._fitted = {} if whole is None else {frozenset(): whole}

    def without(self, *numbers):
        """Fit to the rows outside some folds.

        Parameters
        ----------
        *numbers : int
            Of the folds.

        Returns
        -------
        estimator
        """
        key = frozenset(numbers)
        if key not in self._fitted:
            self._fitted[key] = self.fit(~np.isin(self.folds, list(key)))
        return self._fitted[key]


def quantify(fits, X, y, groups, local=None, without=()):
    """Intervals and domain of a fit, from the errors of rows that it or others like it did not see.

    The intervals of held-out rows must not know them: for those of fold f, ``without=(f,)`` calibrates by fits that
    leave out f and one fold more, and judges only the rows of the latter.

    Parameters
    ----------
    fits : FoldFits
    X : ndarray of shape (n, n_features)
        Extensive features of all rows.
    y : ndarray of shape (n,), k_B
    groups : array-like of shape (n,)
        Labels of the rows; a fit to fewer than two of them is not asked for, and without any to hold out there is no
        calibration.
    local : vibentropy.features.LocalValues, optional
        Of all rows; for the domain.
    without : tuple of int
        Folds that the fit leaves out.

    Returns
    -------
    Uncertainty
    """
    X, y, folds, groups = np.asarray(X), np.asarray(y), fits.folds, np.asarray(groups)
    seen = ~np.isin(folds, list(without))
    inner = [number for number in np.unique(folds[seen]) if len(np.unique(groups[seen & (folds != number)])) > 1]
    held_out = {name: [np.zeros(0)] for name in ("errors", "size", "misfit", "direction", "atoms")}
    for number in inner:
        fitted = fits.without(*without, number)
        pointwise, domain = _of_fit(fitted, X, y, local, seen & (folds != number))
        test = folds == number
        Z = X[test] / fitted.scale_
        held_out["errors"].append(y[test] - fitted.predict(X[test]))
        held_out["size"].append(size(Z))
        held_out["misfit"].append(pointwise.misfit(Z))
        held_out["direction"].append(domain.direction(Z))
        if local is not None:
            held_out["atoms"].append(domain.atoms(local.limits[test])[0])
    held_out = {name: np.concatenate(values) for name, values in held_out.items()}
    calibration = None
    if (held_out["size"] > SMALLEST_SIZE).any():
        calibration = Calibration.fit(*(held_out[name] for name in ("errors", "size", "misfit")))
    pointwise, domain = _of_fit(fits.without(*without), X, y, local, seen)
    return Uncertainty(pointwise, domain.limited(held_out["direction"], held_out["atoms"]), calibration)


def _of_fit(fitted, X, y, local, rows):
    """Pointwise fits and domain of a fit to some rows."""
    Z = X[rows] / fitted.scale_
    factor = whitening(Z, fitted)
    errors = y[rows] - fitted.predict(X[rows])
    return PointwiseFits.fit(Z, errors, factor), Domain.fit(Z, factor, None if local is None else local[rows])
