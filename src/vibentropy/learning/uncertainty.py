"""How wrong a prediction may be, and whether it can be judged at all.

A linear model errs by tenths of a k_B where labels are exact to 1e-4: it is misspecified, and the posterior of its
weights, which narrows with the number of rows, says little about that (docs/theory.md, "Error bars"). Besides the
standard deviation of Bayesian regressors every linear model therefore has two kinds of intervals:

POPS
    of pointwise optimal parameter sets (Swinburne and Perez, arXiv 2402.01810), the weights that would have predicted
    one row exactly: `vibentropy.learning.pointwise`.
calibrated
    symmetric, as wide as a scale s (`vibentropy.learning.error_scale`) times a quantile of |error| / s over rows that
    the fit did not see, groups kept together: `vibentropy.learning.calibration`. Rows with a perfect crystal of their
    own, such as a strained one, have quantiles of their own, if there are enough of them.

Both are zero for the perfect crystal and m times as wide for a cell repeated m times: all copies of a defect have the
same error, it does not average out. docs/error_bars.md says how the scale was chosen and what the intervals are worth.
Whether a cell is like those that a model has learnt from is asked by `vibentropy.learning.domain`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from vibentropy.features.sets import LocalValues
from vibentropy.learning.calibration import LEVELS, Calibration
from vibentropy.learning.domain import Domain, whitening
from vibentropy.learning.error_scale import ErrorScale
from vibentropy.learning.fold_fits import FoldFits
from vibentropy.learning.pointwise import PointwiseFits


def interval_columns(level: float, method: str = "calibrated") -> tuple[str, str]:
    """Names of the columns that hold the ends of an interval.

    Parameters
    ----------
    level : float
        Probability of the interval.
    method : {"calibrated", "pops"}

    Returns
    -------
    low, high : str
        Such as ``low_68`` and ``high_68``, or ``pops_low_68`` and ``pops_high_68``.
    """
    prefix = "" if method == "calibrated" else f"{method}_"
    return f"{prefix}low_{100 * level:g}", f"{prefix}high_{100 * level:g}"


#: Held-out rows of either kind from which on those with a crystal of their own are calibrated apart. With fewer than
#: 19, an interval of 95 % would be infinite.
FEWEST_OF_A_KIND = 20

#: Columns of the ends of intervals by method and level. Those of 100 % are the bounds of pointwise optimal fits.
INTERVALS = {
    "calibrated": {level: interval_columns(level) for level in LEVELS},
    "pops": {level: interval_columns(level, "pops") for level in (*LEVELS, 1.0)},
}


@dataclass(frozen=True, eq=False)
class Uncertainty:
    """Intervals and domain of one fitted model: how wrong its predictions may be, and where it cannot judge.

    Attributes
    ----------
    pointwise : PointwiseFits
    domain : Domain
    scale : ErrorScale
    calibration : Calibration or None
        None where there are too few groups to hold any out.
    own_crystal : Calibration or None
        That of rows whose perfect crystal is not that of most of the training (`Domain.differs`); None where there are
        fewer than `FEWEST_OF_A_KIND` of them, or of the others: `calibration` is of all rows then.
    """

    pointwise: PointwiseFits
    domain: Domain
    scale: ErrorScale
    calibration: Calibration | None
    own_crystal: Calibration | None = None

    def intervals(
        self, Z: NDArray[np.float64], crystals: NDArray[np.float64] | None = None, uncertainty: ArrayLike = 0.0
    ) -> dict[str, NDArray[np.float64]]:
        """Intervals relative to the prediction.

        Parameters
        ----------
        Z : ndarray of shape (n, n_features)
            Scaled features.
        crystals : ndarray of shape (n, n_features), optional
            Descriptor per atom of the perfect crystal of each cell; without it, all are like most of the training.
        uncertainty : array-like of shape (n_features,)
            As for `vibentropy.learning.domain.Domain.lattices`.

        Returns
        -------
        dict of ndarray of shape (n,), k_B
            ``low_68``, ``high_68`` and so on for `LEVELS`, calibrated, NaN without calibration; ``pops_low_68`` and so
            on, and ``pops_low_100`` and ``pops_high_100``, the bounds of the box.
        """
        ends: dict[str, NDArray[np.float64]] = {}
        scale, calibrated = self.scale(Z), self._by_crystal(len(Z), crystals, uncertainty)
        for level in LEVELS:
            half = np.full(len(Z), np.nan)
            for calibration, rows in calibrated:
                # An infinite quantile leaves the perfect crystal at zero.
                of_rows = scale[rows]
                half[rows] = np.multiply(
                    calibration.quantile(level), of_rows, out=np.zeros(len(of_rows)), where=of_rows > 0
                )
            ends |= dict(zip(INTERVALS["calibrated"][level], (-half, half), strict=True))
        sample = self.pointwise.sample(Z)
        for level in LEVELS:
            quantiles = np.quantile(sample, [(1 - level) / 2, (1 + level) / 2], axis=1)
            ends |= dict(zip(INTERVALS["pops"][level], quantiles, strict=True))
        return ends | dict(zip(INTERVALS["pops"][1.0], self.pointwise.bounds(Z), strict=True))

    def levels(
        self, Z: NDArray[np.float64], errors: NDArray[np.float64], crystals: NDArray[np.float64] | None = None
    ) -> dict[str, NDArray[np.float64]]:
        """Probabilities of the intervals that end at the exact values.

        Parameters
        ----------
        Z : ndarray of shape (n, n_features)
            Scaled features.
        errors : ndarray of shape (n,), k_B
            Exact minus predicted.
        crystals
            As for `intervals`.

        Returns
        -------
        dict of ndarray of shape (n,)
            ``level``, calibrated, NaN without calibration, and ``pops_level``.
        """
        below = np.mean(self.pointwise.sample(Z) < errors[:, None], axis=1)
        level, scale = np.full(len(Z), np.nan), self.scale(Z)
        for calibration, rows in self._by_crystal(len(Z), crystals):
            level[rows] = calibration.level(errors[rows], scale[rows])
        return {"level": level, "pops_level": np.abs(2 * below - 1)}

    def _by_crystal(self, n, crystals, uncertainty=0.0):
        """Calibrations, and which of n rows each is for."""
        own = np.zeros(n, dtype=bool)
        if self.own_crystal is not None and crystals is not None:
            own = self.domain.differs(crystals, uncertainty)
        pairs = (self.calibration, ~own), (self.own_crystal, own)
        return [(calibration, rows) for calibration, rows in pairs if calibration is not None]

    def arrays(self) -> dict[str, NDArray[Any]]:
        """All that the intervals and the domain consist of, as arrays for a file.

        Returns
        -------
        dict of ndarray
            By names such as ``pointwise/axes``.
        """
        parts = {
            "pointwise": self.pointwise,
            "domain": self.domain,
            "scale": self.scale,
            "calibration": self.calibration,
            "own_crystal": self.own_crystal,
        }
        return {
            f"{part}/{name}": np.asarray(value)
            for part, of_part in parts.items()
            if of_part is not None
            for name, value in vars(of_part).items()
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> Self:
        """Put intervals and domain together again from what `arrays` took apart, in this version or an earlier one.

        Parameters
        ----------
        arrays : dict of ndarray
            Of models of schema 1, whose scale was s² = a m² + b zᵀ C z, C having the principal axes of the pointwise
            fits, or 2.

        Returns
        -------
        Uncertainty
        """
        parts: dict[str, dict[str, Any]] = {}
        for path, value in arrays.items():
            part, name = path.split("/")
            parts.setdefault(part, {})[name] = float(value) if value.ndim == 0 else value
        if "scale" not in parts:
            parts["scale"] = {"factor": _earlier_factor(parts["pointwise"], parts.get("calibration", {}))}
        return cls(
            PointwiseFits(**parts["pointwise"]),
            Domain(**parts["domain"]),
            ErrorScale(**parts["scale"]),
            *(Calibration(**parts[name]) if name in parts else None for name in ("calibration", "own_crystal")),
        )


def quantify(
    fits: FoldFits,
    X: NDArray[np.float64],
    y: NDArray[np.float64],
    groups: ArrayLike,
    local: LocalValues | None = None,
    without: tuple[int, ...] = (),
) -> Uncertainty:
    """Find the intervals and the domain of a fit, from the errors of held-out rows.

    Held-out rows must not take part in the calibration of their own intervals. For those of fold f, ``without=(f,)``
    calibrates by fits that leave out f and one further fold, with the errors of the rows of that one.

    Parameters
    ----------
    fits : FoldFits
    X : ndarray of shape (n, n_features)
        Extensive features of all rows.
    y : ndarray of shape (n,), k_B
    groups : array-like of shape (n,)
        Labels of the rows. No fit is made to fewer than two groups; where none can be held out there is no
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
    tests = {name: [np.zeros(0)] for name in ("errors", "scale", "direction", "atoms", "differs")}
    for number in inner:
        fitted = fits.without(*without, number)
        _, domain, scale = _of_fit(fitted, X, y, local, seen & (folds != number))
        test = folds == number
        Z = X[test] / fitted.scale_
        tests["errors"].append(y[test] - fitted.predict(X[test]))
        tests["scale"].append(scale(Z))
        tests["direction"].append(domain.direction(Z))
        tests["differs"].append(np.zeros(len(Z)) if local is None else domain.differs(local.crystals[test]))
        if local is not None:
            tests["atoms"].append(domain.atoms(local.limits[test])[0])
    held_out = {name: np.concatenate(values) for name, values in tests.items()}
    pointwise, domain, scale = _of_fit(fits.without(*without), X, y, local, seen)
    domain = domain.limited(held_out["direction"], held_out["atoms"])
    return Uncertainty(
        pointwise, domain, scale, *_calibrations(held_out["errors"], held_out["scale"], held_out["differs"] > 0)
    )


def _calibrations(errors, scale, differs):
    """Calibrations of held-out rows with the crystal of most and with one of their own, or of all rows and None."""
    if not scale.any():
        return None, None
    kinds = [kind & (scale > 0) for kind in (~differs, differs)]
    if min(kind.sum() for kind in kinds) < FEWEST_OF_A_KIND:
        return Calibration.fit(errors, scale), None
    return tuple(Calibration.fit(errors[kind], scale[kind]) for kind in kinds)


def _of_fit(fitted, X, y, local, rows):
    """Pointwise fits, domain and scale of the errors of a fit to some rows."""
    Z = X[rows] / fitted.scale_
    factor = whitening(Z, fitted)
    errors = y[rows] - fitted.predict(X[rows])
    pointwise = PointwiseFits.fit(Z, errors, factor)
    return pointwise, Domain.fit(Z, factor, None if local is None else local[rows]), ErrorScale.fit(Z, errors)


def _earlier_factor(pointwise, calibration):
    """Take the factor of the scale out of the arrays of schema 1, and what else only that had."""
    axes, spread = pointwise["axes"], pointwise.pop("spread")
    of_size, of_misfit = (np.sqrt(calibration.pop(f"{name}_weight", 0.0)) for name in ("size", "misfit"))
    n_features = len(axes)
    return np.column_stack([of_size / np.sqrt(n_features) * np.eye(n_features), of_misfit * axes * spread])
