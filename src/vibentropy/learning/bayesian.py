"""Bayesian regressors without intercept, their noise growing with the defect."""

import warnings
from typing import ClassVar

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import ARDRegression, BayesianRidge

from vibentropy.descriptors.parameters import Integer, Number, Parameter
from vibentropy.errors import DataError
from vibentropy.learning.base import ExtensiveRegressor
from vibentropy.learning.reduced_rows import ReducedRows
from vibentropy.learning.scaling import size


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
    noise, which is right for repeated rows, and for rows that stand for more (`vibentropy.learning.reduced_rows`).

    The posterior narrows with the number of rows even when the error comes from what the features cannot express;
    `vibentropy.evaluation.coverage.coverage_table` measures how far the intervals can be trusted
    (docs/theory.md, "Error bars").
    """

    parameters: ClassVar[dict[str, Parameter]] = {
        "max_iter": Integer("largest number of iterations", minimum=1),
        "tol": Number("change of the weights at which iterations end", unit="k_B", above=0),
    }

    def __init__(self, max_iter: int = 3000, tol: float = 1e-6) -> None:
        self.max_iter = max_iter
        self.tol = tol

    def _fit_scaled(self, Z, y, groups):
        rows, labels = _whiten(Z, y)
        reduced = ReducedRows.of(rows, labels)
        # scikit-learn takes the sum of the weights for the number of rows that there are.
        weight = reduced.n / len(reduced.factor)
        posterior = BayesianRidge(
            max_iter=self.max_iter,
            tol=self.tol,
            alpha_init=1 / (labels.var() + np.finfo(float).eps),  # as by default, from all rows
            fit_intercept=False,
        )
        posterior.fit(
            reduced.features / np.sqrt(weight),
            reduced.labels / np.sqrt(weight),
            sample_weight=np.full(len(reduced.factor), weight),
        )
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

    parameters: ClassVar[dict[str, Parameter]] = {
        **ExtensiveBayesianRidge.parameters,
        "max_precision": Number("precision from which on a weight is zero", unit="1/k_B²", above=0),
    }

    def __init__(self, max_iter: int = 300, tol: float = 1e-3, max_precision: float = 1e4) -> None:
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


def _whiten(Z, y):
    """Rows of the scaled features that are not zero and their labels, divided by the root of the measure m(z)."""
    measure = size(Z)
    # Far above rounding, far below any defect: the root mean square over the training rows is one.
    defective = measure > 1e-8
    root = np.sqrt(measure[defective])
    if len(root) < 2:
        raise DataError(f"{len(root)} of {len(y)} training rows differ from the perfect crystal; 2 are needed")
    return Z[defective] / root[:, None], y[defective] / root
