"""Linear regressions without intercept: the only ones whose predictions grow in proportion to the crystal.

A cell that holds the same defect m times has m times the features and m times the entropy, so the prediction is
``w · X``, the features may be scaled but never centred, and there is no constant (docs/theory.md, "Extensive
features"). Every regressor here follows the contract of scikit-learn and this protocol:

``fit(X, y, groups=None)``
    Rows of one group (one trajectory) stay together wherever rows are split.
``predict(X, return_std=False)``
    Entropies in k_B; the standard deviation is NaN for a regressor that has none.
``coef_``, ``scale_``
    Weights in k_B per feature as the descriptor gives it; root mean square of each feature over the training rows.
``n_selected_``
    Number of features that the predictions depend on.
"""

import inspect
import pkgutil
import warnings
from abc import ABC, abstractmethod
from numbers import Integral, Real
from typing import ClassVar

import numpy as np
from scipy.linalg import lstsq
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, RegressorMixin, TransformerMixin, clone, is_regressor
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import ARDRegression, BayesianRidge, Ridge
from sklearn.model_selection import GroupKFold
from sklearn.utils._param_validation import HasMethods, Interval, InvalidParameterError
from sklearn.utils.validation import check_is_fitted, validate_data

from vibentropy.errors import ConfigError, DataError, did_you_mean, how_to_install
from vibentropy.sites import SiteRows


class RootMeanSquareScaler(OneToOneFeatureMixin, TransformerMixin, BaseEstimator):
    """Divide each feature by its root mean square over the training rows; never centre.

    Attributes
    ----------
    scale_ : ndarray of shape (n_features,)
        In the units of the features; 1 for a feature that is zero in every training row.
    """

    def fit(self, X, y=None):
        """Measure the scales.

        Parameters
        ----------
        X : array-like of shape (n, n_features)
        y : ignored

        Returns
        -------
        RootMeanSquareScaler
        """
        X = validate_data(self, X, dtype=np.float64)
        rms = np.sqrt(np.mean(np.square(X), axis=0))
        self.scale_ = np.where(rms > 0, rms, 1.0)
        return self

    def transform(self, X):
        """Scale.

        Parameters
        ----------
        X : array-like of shape (n, n_features)

        Returns
        -------
        ndarray of shape (n, n_features), dimensionless
            Zero where `X` is zero.
        """
        check_is_fitted(self)
        return validate_data(self, X, dtype=np.float64, reset=False) / self.scale_


def size(Z):
    """Extensive measure m of the defects of a cell: the root mean square of its scaled features.

    Parameters
    ----------
    Z : ndarray of shape (n, n_features)

    Returns
    -------
    ndarray of shape (n,), dimensionless
        Zero for the perfect crystal, m times as large for a cell repeated m times; one, root mean square, over the
        training cells.
    """
    return np.sqrt(np.mean(np.square(Z), axis=1))


def predict_linear(X, coef, scale, noise_variance=None, covariance=None):
    """Entropies and their standard deviations from the arrays that make up a fitted model.

    Parameters
    ----------
    X : ndarray of shape (n, n_features)
        Extensive features.
    coef : ndarray of shape (n_features,), k_B per unit of the feature
    scale : ndarray of shape (n_features,)
        Root mean square of each training feature.
    noise_variance : float, k_B²
        Variance of the noise of a cell whose scaled features have the root mean square 1.
    covariance : ndarray of shape (n_features, n_features), k_B²
        Of the weights of the scaled features.

    Returns
    -------
    mean : ndarray of shape (n,), k_B
    std : ndarray of shape (n,), k_B
        As in `ExtensiveBayesianRidge`; NaN without a covariance.
    """
    mean = X @ coef
    if covariance is None:
        return mean, np.full(len(X), np.nan)
    scaled = X / scale
    weights_part = np.einsum("ij,ij->i", scaled @ covariance, scaled)
    return mean, np.sqrt(noise_variance * size(scaled) + np.maximum(weights_part, 0.0))


class ExtensiveRegressor(RegressorMixin, BaseEstimator, ABC):
    """What the regressors share: they differ in how the weights of the scaled features are found."""

    def fit(self, X, y, groups=None):
        """Fit the weights.

        Parameters
        ----------
        X : array-like of shape (n, n_features)
            Extensive features, one row per cell.
        y : array-like of shape (n,), k_B
            Formation entropies.
        groups : array-like of shape (n,), optional
            Label of the trajectory of each row. Without it every row is a group of its own.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If `X` or `y` are not finite numbers of matching shapes, or a parameter is out of range.
        DataError
            If all features are zero, or the regressor cross-validates and all rows belong to one group.
        """
        return self._fit(X, y, groups)

    def _fit(self, X, y, groups, **further):
        """Check, scale and fit; what else a regressor learns from goes on to its `_fit_scaled`."""
        self._validate_params()
        X, y = validate_data(self, X, y, dtype=np.float64, y_numeric=True, ensure_min_samples=2)
        if not X.any():
            raise DataError("all features of all training cells are zero: is the cutoff of the descriptor too short?")
        scaler = RootMeanSquareScaler().fit(X)
        self.scale_ = scaler.scale_
        self.coef_ = self._fit_scaled(X / self.scale_, y, groups, **further) / self.scale_
        return self

    def predict(self, X, return_std=False):
        """Predict formation entropies.

        Parameters
        ----------
        X : array-like of shape (n, n_features)
        return_std : bool

        Returns
        -------
        mean : ndarray of shape (n,), k_B
        std : ndarray of shape (n,), k_B
            Only with `return_std`; NaN for a regressor that has none.
        """
        check_is_fitted(self)
        X = validate_data(self, X, dtype=np.float64, reset=False)
        mean, std = predict_linear(
            X,
            self.coef_,
            self.scale_,
            getattr(self, "noise_variance_", None),
            getattr(self, "covariance_", None),
        )
        return (mean, std) if return_std else mean

    @property
    def n_selected_(self):
        """Number of features whose weight is not zero."""
        check_is_fitted(self)
        return int(np.count_nonzero(self.coef_))

    @abstractmethod
    def _fit_scaled(self, Z, y, groups):
        """Weights of the scaled features `Z`, in k_B."""


class ExtensiveLeastSquares(ExtensiveRegressor):
    """Ordinary least squares without intercept.

    Minimises ``|y - Z v|²`` over the weights v of the scaled features Z by singular value decomposition; of all
    minima, the one of the smallest ``|v|``. Directions of Z that are numerically zero are left out, so that neither
    rounding nor more features than rows makes the weights diverge.

    Parameters
    ----------
    rcond : float
        Singular values below this fraction of the largest one count as zero. Features are sums of which the perfect
        crystal was subtracted; they are exact to 1e-10 of these sums (`Descriptor.tolerance`), and so is the default.

    Attributes
    ----------
    coef_ : ndarray of shape (n_features,), k_B per unit of the feature
    scale_ : ndarray of shape (n_features,)
    rank_ : int
        Number of directions that were kept.
    singular_values_ : ndarray of shape (min(n, n_features),)
        Of the scaled features, divided by √n: dimensionless, descending.
    """

    _parameter_constraints: ClassVar[dict] = {"rcond": [Interval(Real, 0, 1, closed="left")]}

    def __init__(self, rcond=1e-10):
        self.rcond = rcond

    def _fit_scaled(self, Z, y, groups):
        weights, _, self.rank_, singular_values = lstsq(Z, y, cond=self.rcond)
        self.singular_values_ = singular_values / np.sqrt(len(y))
        return weights


class ExtensiveRidge(ExtensiveRegressor):
    """Ridge regression without intercept, its penalty chosen by cross-validation over groups.

    Minimises ``mean((y - Z v)²) + penalty · |v|²`` over the weights v of the scaled features Z. Because the first
    term is a mean, a penalty means the same on the folds and on all rows. Scales are measured anew on the training
    rows of every fold, and all penalties share one singular value decomposition per fold.

    With labels resolved by atoms, ``site_weight · mean(Σ_i (s_i - z_i · v)²)`` is added, the mean taken over the
    configurations that have them, i their atoms. Both means are squared errors per cell: with the weight 1, an error
    of an atom counts as much as it adds to that of the total when errors of atoms are independent.

    Parameters
    ----------
    penalties : array-like of float, optional
        Dimensionless candidates; four per decade from 1e-12 to 1e2 by default. A single one is taken without
        cross-validation.
    n_folds : int
        Number of folds; the number of groups if there are fewer.
    site_weights : array-like of float, optional
        Dimensionless candidates, chosen with the penalty by the errors of held-out totals; by default, as with the
        weight 0, labels of atoms are not learnt from.

    Attributes
    ----------
    coef_ : ndarray of shape (n_features,), k_B per unit of the feature
    scale_ : ndarray of shape (n_features,)
        Of the features of cells; those of atoms are divided by the same ones.
    penalty_, site_weight_ : float
        The candidates of smallest error; of several, the smallest weight and with it the largest penalty.
    penalties_ : ndarray of shape (n_penalties,)
        The candidates, largest first.
    site_weights_ : ndarray of shape (n_site_weights,)
        The candidates, smallest first; only 0 where no row is resolved by atoms.
    cv_rmse_ : ndarray of shape (n_penalties,), k_B
        Root mean square error of each penalty over all held-out rows, with the chosen weight; NaN for a single
        candidate.
    site_cv_rmse_ : ndarray of shape (n_site_weights,), k_B
        The same of each weight, with the best penalty.
    """

    _parameter_constraints: ClassVar[dict] = {
        "penalties": ["array-like", None],
        "n_folds": [Interval(Integral, 2, None, closed="left")],
        "site_weights": ["array-like", None],
    }

    def __init__(self, penalties=None, n_folds=5, site_weights=None):
        self.penalties = penalties
        self.n_folds = n_folds
        self.site_weights = site_weights

    def fit(self, X, y, groups=None, sites=None):
        """Fit the weights.

        Parameters
        ----------
        X, y, groups
            As for the other regressors.
        sites : sequence of (ndarray or None) of length n, optional
            For each row the factor of its atoms, from `vibentropy.sites.site_factor`, or None.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            Likewise; if a site weight is negative or `sites` do not fit the rows and features.
        DataError
            As for the other regressors.
        """
        return self._fit(X, y, groups, sites=sites)

    def _fit_scaled(self, Z, y, groups, sites=None):
        candidates = np.logspace(-12, 2, 57) if self.penalties is None else np.asarray(self.penalties, dtype=float)
        if candidates.ndim != 1 or not len(candidates) or not (candidates > 0).all():
            raise ValueError(f"penalties must be positive numbers, not {self.penalties}")
        site_weights = np.zeros(1) if self.site_weights is None else np.asarray(self.site_weights, dtype=float)
        if site_weights.ndim != 1 or not len(site_weights) or not (site_weights >= 0).all():
            raise ValueError(f"site_weights must be numbers that are not negative, not {self.site_weights}")
        sites = _check_sites(sites, Z.shape) if site_weights.any() else {}
        if site_weights.any() and not sites:
            warnings.warn("site_weights without labels of atoms: fitted to the totals alone", stacklevel=4)
            site_weights = np.zeros(1)
        self.penalties_, self.site_weights_ = np.unique(candidates)[::-1], np.unique(site_weights)

        def atoms(rows):
            return SiteRows.of([sites[row] for row in rows if row in sites], Z.shape[1]).scaled(self.scale_)

        cv_rmse = np.full((len(self.site_weights_), len(self.penalties_)), np.nan)
        best, parts = (0, 0), [atoms(range(len(y)))]
        if cv_rmse.size > 1:
            splits = group_splits(len(y), groups, self.n_folds)
            parts = [atoms(test) for _, test in splits]
            squared = np.zeros(cv_rmse.shape)
            for number, (train, test) in enumerate(splits):
                scaler = RootMeanSquareScaler().fit(Z[train])
                others = SiteRows.join(parts[:number] + parts[number + 1 :]).scaled(scaler.scale_)
                for weight, errors in zip(self.site_weights_, squared, strict=True):
                    path = _ridge_path(scaler.transform(Z[train]), y[train], self.penalties_, others, weight)
                    errors += np.sum((scaler.transform(Z[test]) @ path.T - y[test, None]) ** 2, axis=0)
            cv_rmse = np.sqrt(squared / len(y))
            best = np.unravel_index(np.argmin(cv_rmse), cv_rmse.shape)
        self.site_weight_, self.penalty_ = float(self.site_weights_[best[0]]), float(self.penalties_[best[1]])
        self.cv_rmse_, self.site_cv_rmse_ = cv_rmse[best[0]], cv_rmse.min(axis=1)
        return _ridge_path(Z, y, np.array([self.penalty_]), SiteRows.join(parts), self.site_weight_)[0]


class ExtensiveBayesianRidge(ExtensiveRegressor):
    """Bayesian ridge regression without intercept, its noise growing with the defect.

    With z the scaled features of a cell and m(z) their root mean square, the model is

        S_f = v · z + noise,    v ~ N(0, 1/λ),    noise ~ N(0, σ² m(z)),

    λ and σ² being those of largest evidence (MacKay's iteration, by scikit-learn's `BayesianRidge` on rows divided
    by √m). The predictive variance of a new cell is

        σ² m(z) + zᵀ Σ z,    Σ = (λ + σ⁻² Zᵀ diag(1/m) Z)⁻¹.

    m is the extensive measure of the defect: it is zero in the perfect crystal and doubles when the cell is
    repeated twice, and it is one, root mean square, over the training cells. The noise of a repeated cell thus adds
    up like that of independent defects, while the error that comes from uncertain weights is common to all copies
    and grows with the cell itself. Rows without features say nothing about the weights or the noise and do not
    take part.

    Parameters
    ----------
    max_iter : int
    tol : float, k_B
        Iterations end when the weights of the scaled features change by less, in total.

    Attributes
    ----------
    coef_ : ndarray of shape (n_features,), k_B per unit of the feature
    scale_ : ndarray of shape (n_features,)
    covariance_ : ndarray of shape (n_features, n_features), k_B²
        Σ above.
    noise_variance_ : float, k_B²
        σ² above.
    weight_precision_ : float, k_B⁻²
        λ above.
    n_iter_ : int

    Notes
    -----
    Not `sample_weight` 1/m: scikit-learn counts the sum of the weights as the number of rows when it estimates the
    noise, which is right for repeated rows only.

    The posterior narrows with the number of rows even when the error comes from what the features cannot express;
    `vibentropy.evaluation.coverage_table` measures how far the intervals can be trusted
    (docs/theory.md, "Error bars").
    """

    _parameter_constraints: ClassVar[dict] = {
        "max_iter": BayesianRidge._parameter_constraints["max_iter"],
        "tol": BayesianRidge._parameter_constraints["tol"],
    }

    def __init__(self, max_iter=3000, tol=1e-6):
        self.max_iter = max_iter
        self.tol = tol

    def _fit_scaled(self, Z, y, groups):
        posterior = BayesianRidge(max_iter=self.max_iter, tol=self.tol, fit_intercept=False)
        posterior.fit(*_whiten(Z, y))
        self.n_iter_ = posterior.n_iter_
        if self.n_iter_ == self.max_iter:
            warnings.warn(
                f"the evidence of the Bayesian ridge did not converge to {self.tol} k_B in {self.max_iter} iterations",
                ConvergenceWarning,
                stacklevel=3,
            )
        self.noise_variance_ = float(1.0 / posterior.alpha_)
        self.weight_precision_ = float(posterior.lambda_)
        self.covariance_ = posterior.sigma_
        return posterior.coef_


class ExtensiveARD(ExtensiveRegressor):
    """Automatic relevance determination without intercept: Bayesian ridge with a prior for each weight.

    The model is that of `ExtensiveBayesianRidge`, its noise growing with the defect, but the weight of each scaled
    feature has a precision of its own, all of them and the noise being those of largest evidence (by scikit-learn's
    `ARDRegression` on rows divided by √m). The precision of a feature that explains nothing grows without bound; once
    it exceeds a threshold the feature is pruned, and takes no part in predictions nor in their variance.

    Parameters
    ----------
    max_iter : int
    tol : float, k_B
        Iterations end when the weights of the scaled features change by less, in total.
    max_precision : float, k_B⁻²
        Precision from which on a feature is pruned: the weight is then known to be below 1/√max_precision.

    Attributes
    ----------
    coef_ : ndarray of shape (n_features,), k_B per unit of the feature
        Zero for pruned features.
    scale_ : ndarray of shape (n_features,)
    covariance_ : ndarray of shape (n_features, n_features), k_B²
        Of the weights of the scaled features; rows and columns of pruned features are zero.
    noise_variance_ : float, k_B²
        As in `ExtensiveBayesianRidge`.
    weight_precisions_ : ndarray of shape (n_features,), k_B⁻²
    n_iter_ : int
    """

    _parameter_constraints: ClassVar[dict] = {
        "max_iter": ARDRegression._parameter_constraints["max_iter"],
        "tol": ARDRegression._parameter_constraints["tol"],
        "max_precision": [Interval(Real, 0, None, closed="neither")],
    }

    def __init__(self, max_iter=300, tol=1e-3, max_precision=1e4):
        self.max_iter = max_iter
        self.tol = tol
        self.max_precision = max_precision

    def _fit_scaled(self, Z, y, groups):
        posterior = ARDRegression(
            max_iter=self.max_iter, tol=self.tol, threshold_lambda=self.max_precision, fit_intercept=False
        )
        posterior.fit(*_whiten(Z, y))
        self.n_iter_ = posterior.n_iter_
        self.noise_variance_ = float(1.0 / posterior.alpha_)
        self.weight_precisions_ = posterior.lambda_
        kept = posterior.lambda_ < self.max_precision
        self.covariance_ = np.zeros((Z.shape[1], Z.shape[1]))
        self.covariance_[np.ix_(kept, kept)] = posterior.sigma_
        return posterior.coef_


class ExtensiveLinear(ExtensiveRegressor):
    """Any linear regressor in the manner of scikit-learn, on scaled features and held to extensivity.

    Parameters
    ----------
    estimator : estimator
        It has ``coef_`` once fitted. One with a parameter ``cv`` that is None or a number of folds is given folds
        that keep groups together.

    Attributes
    ----------
    coef_ : ndarray of shape (n_features,), k_B per unit of the feature
    scale_ : ndarray of shape (n_features,)
    estimator_ : estimator
        Fitted to the scaled features.
    """

    _parameter_constraints: ClassVar[dict] = {"estimator": [HasMethods(["fit", "predict"])]}

    def __init__(self, estimator):
        self.estimator = estimator

    def _fit_scaled(self, Z, y, groups):
        self.estimator_ = clone(self.estimator)
        cv = self.estimator_.get_params().get("cv", "none of its parameters")
        if cv is None or isinstance(cv, Integral):
            self.estimator_.set_params(cv=group_splits(len(y), groups, cv or 5))
        self.estimator_.fit(Z, y)
        name = type(self.estimator_).__name__
        weights = np.ravel(getattr(self.estimator_, "coef_", ()))
        if weights.shape != (Z.shape[1],):
            raise ConfigError(f"{name} has no coef_ of one weight per feature: only linear regressors are extensive")
        if not np.allclose(np.ravel(self.estimator_.predict(Z)), Z @ weights, atol=1e-8 * np.abs(y).max()):
            raise ConfigError(f"the predictions of {name} are not its coef_ times the features: it is not extensive")
        return weights


#: Regressors by the name that a configuration gives them, and where they are; imported when first asked for, because
#: what the sparse ones stand on takes seconds to import.
REGRESSORS = {
    "least_squares": "vibentropy.regression:ExtensiveLeastSquares",
    "ridge": "vibentropy.regression:ExtensiveRidge",
    "bayesian_ridge": "vibentropy.regression:ExtensiveBayesianRidge",
    "ard": "vibentropy.regression:ExtensiveARD",
    "lasso": "vibentropy.sparse:ExtensiveLasso",
    "elastic_net": "vibentropy.sparse:ExtensiveElasticNet",
    "mcp": "vibentropy.sparse:ExtensiveMCP",
}


def find_regressor(kind):
    """Class of a regressor.

    Parameters
    ----------
    kind : str
        A name in `REGRESSORS`, or the dotted path of a class.

    Returns
    -------
    type
        Subclass of scikit-learn's `BaseEstimator`.

    Raises
    ------
    ConfigError
        If there is no such class, or it cannot be imported.
    """
    if kind not in REGRESSORS and "." not in str(kind):
        raise ConfigError(
            f"there is no regressor {kind!r}{did_you_mean(kind, REGRESSORS)}; known are {', '.join(REGRESSORS)}, "
            "and dotted paths to classes"
        )
    try:
        found = pkgutil.resolve_name(REGRESSORS.get(kind, kind))
    except (ImportError, AttributeError, ValueError) as error:
        raise ConfigError(f"regressor {kind!r}: {error}{how_to_install(error)}") from error
    if not (isinstance(found, type) and issubclass(found, BaseEstimator)):
        raise ConfigError(f"{kind!r} is not a class of estimators in the manner of scikit-learn")
    return found


def create_regressor(kind, **parameters):
    """Build a regressor by name.

    Parameters
    ----------
    kind : str
        A name in `REGRESSORS`, or the dotted path of a class of linear regressors in the manner of scikit-learn,
        such as ``"sklearn.linear_model.HuberRegressor"``, which is fitted without intercept.
    **parameters
        Of its constructor.

    Returns
    -------
    estimator
        Unfitted, with the protocol of this module.

    Raises
    ------
    ConfigError
        If there is no such regressor or parameter, or a value is out of range.
    """
    cls = find_regressor(kind)
    known = list(inspect.signature(cls).parameters)
    for name in parameters:
        if name not in known:
            raise ConfigError(
                f"regressor {kind!r} has no parameter {name!r}{did_you_mean(name, known)}; "
                f"it takes {', '.join(known) or 'none'}"
            )
    if "fit_intercept" in known:
        if parameters.get("fit_intercept", False):
            raise ConfigError(f"regressor {kind!r}: fit_intercept must be false, an intercept is not extensive")
        parameters["fit_intercept"] = False
    try:
        estimator = cls(**parameters)
        estimator._validate_params()
    except (TypeError, InvalidParameterError) as error:
        raise ConfigError(f"regressor {kind!r}: {error}") from error
    if not is_regressor(estimator):
        raise ConfigError(f"{kind!r} is not a regressor in the manner of scikit-learn")
    return estimator if isinstance(estimator, ExtensiveRegressor) else ExtensiveLinear(estimator)


def _whiten(Z, y):
    """Rows of the scaled features that are not zero and their labels, divided by the root of the measure m(z)."""
    measure = size(Z)
    # Far above rounding, far below any defect: the root mean square over the training rows is one.
    defective = measure > 1e-8
    root = np.sqrt(measure[defective])
    if len(root) < 2:
        raise DataError(f"{len(root)} of {len(y)} training rows differ from the perfect crystal; 2 are needed")
    return Z[defective] / root[:, None], y[defective] / root


def group_splits(n, groups, n_folds):
    """Divide rows into folds that keep groups together.

    Parameters
    ----------
    n : int
        Number of rows.
    groups : array-like of shape (n,) or None
        Without groups each row is one of its own.
    n_folds : int
        The number of groups if there are fewer.

    Returns
    -------
    list of pairs of ndarray of int
        Training and test rows.

    Raises
    ------
    DataError
        If all rows belong to one group.
    """
    groups = np.arange(n) if groups is None else np.asarray(groups)
    n_groups = len(np.unique(groups))
    if n_groups < 2:
        raise DataError(f"all {n} training rows belong to one group: cross-validation needs two")
    return list(GroupKFold(min(n_folds, n_groups)).split(np.empty((n, 0)), groups=groups))


def _check_sites(sites, shape):
    """Factors by row, of the rows that have one; refuse those that do not fit rows and features of that shape."""
    if sites is None:
        return {}
    n, n_features = shape
    if len(sites) != n:
        raise ValueError(f"sites of {len(sites)} rows; X has {n}")
    for factor in sites:
        if factor is not None and (np.ndim(factor) != 2 or np.shape(factor)[1] != n_features + 1):
            raise ValueError(
                f"a factor of the atoms of a row has the shape {np.shape(factor)}; expected {n_features + 1} columns"
            )
    return {row: factor for row, factor in enumerate(sites) if factor is not None}


def _ridge_path(Z, y, penalties, sites, site_weight):
    """Weights of shape (n_penalties, n_features), all penalties from one decomposition."""
    n = len(y)
    features, labels = sites.weighted(n * site_weight)
    Z, y = np.vstack([Z, features]), np.concatenate([y, labels])
    ridge = Ridge(alpha=n * penalties, fit_intercept=False, solver="svd")
    return ridge.fit(Z, np.repeat(y[:, None], len(penalties), axis=1)).coef_.reshape(len(penalties), -1)
