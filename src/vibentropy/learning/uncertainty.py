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

import numpy as np

from vibentropy.learning.calibration import LEVELS, Calibration
from vibentropy.learning.domain import SMALLEST_SIZE, Domain, whitening
from vibentropy.learning.pointwise import PointwiseFits
from vibentropy.learning.scaling import size


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
    local : vibentropy.features.sets.LocalValues, optional
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
