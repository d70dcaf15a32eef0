"""Which configurations to label next, found out before they are labelled."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from vibentropy.errors import DataError
from vibentropy.learning.scaling import RootMeanSquareScaler, size

#: Prior precision λ of the weights for leverages; a cell adds 1 to that of each, on average. It keeps the first choices
#: finite; with ten times more or less, errors change by less than they scatter.
PENALTY = 1e-2

#: Scores that differ by less, relative to the largest, are a tie: rounding must not choose.
_TIE = 1e-9


def select(
    pool: ArrayLike, n: int, known: ArrayLike | None = None, criterion: str = "leverage", model: Any = None
) -> NDArray[np.int64]:
    """Choose the configurations to label next, without their labels.

    One after the other is chosen, each as if the ones before were already labelled: what two similar configurations
    have in common counts once. With z the scaled features of a configuration, m their root mean square, and Σ the
    covariance of the weights given everything chosen so far, up to the variance of the noise,

    ``leverage``
        takes the largest zᵀ Σ z / m, Σ = (λ + Σ_chosen z zᵀ / m)⁻¹. This maximises ln det Σ⁻¹, the information on the
        weights, greedily (D-optimal design). No labels at all are needed.
    ``variance``
        takes the largest predictive variance σ² m + zᵀ Σ z of a Bayesian ridge that was fitted to what is labelled,
        whose λ, σ² and Σ come from labels. It takes what the model expects to be worst at: large and unusual defects.

    Both believe, as `vibentropy.learning.bayesian.ExtensiveBayesianRidge` does, that the variance of the noise grows
    with the defect. Extensive features make it necessary to say so: with a constant noise, a cell with twice as many
    copies of a defect has four times the leverage, and nothing but the largest cells would ever be chosen. With a
    growing one it has twice the leverage, as two cells have together. The cost of a label grows faster, with the third
    power of the number of sites, and is not considered: offer cells of similar size.

    What is gained depends on how much there is to learn. On the shipped minima, with about as many labels as features,
    choices by leverage do as well as twice as many random ones (A_{3,10}, power spectrum); with several times as many
    they are no better. Two moments of the Hessian have learnt all they can from twenty random labels: what is left is
    the error of the features, and the extremes that are chosen stand for the others less well.

    Parameters
    ----------
    pool : array-like of shape (n_pool, n_features)
        Extensive features of the candidates, as the descriptor gives them.
    n : int
        How many to choose.
    known : array-like of shape (n_known, n_features), optional
        For leverage: features of what is labelled already.
    criterion : str
        ``leverage`` or ``variance``.
    model : fitted regressor or EntropyModel, optional
        For variance: with a covariance of the weights. It knows what it was fitted to.

    Returns
    -------
    ndarray of int of shape (n,)
        Rows of `pool`, most wanted first; the first choices do not depend on `n`. Ties go to the row that comes first.
        Configurations without features, perfect crystals, come last.

    Raises
    ------
    DataError
        If the pool is too small, features are not finite or do not fit together, the criterion is unknown, or the
        model is missing or has no covariance.
    """
    X = _features(pool, "the pool")
    if not 0 <= n <= len(X):
        raise DataError(f"{n} configurations are to be chosen from a pool of {len(X)}")
    if criterion == "leverage":
        if model is not None:
            raise DataError("leverages come from features alone: a model is for the criterion 'variance'")
        labelled = np.empty((0, X.shape[1])) if known is None else _features(known, "what is known", X.shape[1])
        Z, _ = _unit_noise(RootMeanSquareScaler().fit_transform(np.concatenate([X, labelled])))
        Z, Z_known = np.split(Z, [len(X)])
        covariance = np.linalg.inv(PENALTY * np.eye(Z.shape[1]) + Z_known.T @ Z_known)
        return _most_variable(Z, covariance, 1.0, np.ones(len(Z)), n)
    if criterion == "variance":
        if known is not None:
            raise DataError("the model knows what it was fitted to: known configurations are for leverages")
        scale, covariance, noise_variance = _posterior(model, X.shape[1])
        Z, measure = _unit_noise(X / scale)
        return _most_variable(Z, covariance, noise_variance, measure, n)
    raise DataError(f"criterion {criterion!r} is none of leverage, variance")


def _most_variable(Z, covariance, noise, weight, n):
    """Choose rows of largest variance ``weight (noise + zᵀ covariance z)``, each with the ones before it labelled.

    Parameters
    ----------
    Z : ndarray of shape (n_pool, n_features)
        Rows whose labels have the same noise.
    covariance : ndarray of shape (n_features, n_features)
        Of the weights before anything of `Z` is labelled.
    noise : float
        Variance of a label.
    weight : ndarray of shape (n_pool,)
    n : int

    Returns
    -------
    ndarray of int of shape (n,)

    Notes
    -----
    With v = covariance · z, a label of the row z takes ``v vᵀ / (noise + zᵀ v)`` from the covariance (Sherman and
    Morrison), and ``(z'ᵀ v)² / (noise + zᵀ v)`` from the variance of every other row z': one product with `Z` for each
    choice.
    """
    covariance = covariance.copy()
    variance = np.einsum("ij,ij->i", Z @ covariance, Z)
    chosen = np.empty(n, dtype=int)
    free = np.ones(len(Z), dtype=bool)
    for step in range(n):
        score = np.where(free, weight * (noise + variance), -1.0)
        best = np.flatnonzero(score >= (1 - _TIE) * score.max())[0]
        v = covariance @ Z[best]
        drop = v / np.sqrt(noise + Z[best] @ v)
        covariance -= np.outer(drop, drop)
        variance = np.maximum(variance - (Z @ drop) ** 2, 0.0)
        chosen[step], free[best] = best, False
    return chosen


def _unit_noise(Z):
    """Divide scaled features so that all rows have the same noise.

    Parameters
    ----------
    Z : ndarray of shape (n, n_features)

    Returns
    -------
    rows : ndarray of shape (n, n_features)
        ``z / √m``; zero where z is.
    measure : ndarray of shape (n,)
        m, the root mean square of z.
    """
    measure = size(Z)
    return Z / np.sqrt(np.where(measure > 0, measure, 1.0))[:, None], measure


def _posterior(model, n_features):
    """Scales, covariance of the weights and variance of the noise of a regressor or a model file."""
    names = ("scale", "covariance", "noise_variance")
    scale, covariance, noise = (getattr(model, name + "_", getattr(model, name, None)) for name in names)
    if scale is None or covariance is None or noise is None:
        raise DataError(
            "the criterion 'variance' needs a fitted Bayesian ridge: "
            + ("no model was given" if model is None else f"{type(model).__name__} has no covariance of its weights")
        )
    if len(scale) != n_features:
        raise DataError(f"the model has {len(scale)} features, the pool {n_features}")
    return scale, covariance, noise


def _features(X, name, n_features=None):
    """Check features."""
    X = np.asarray(X, dtype=float)
    if X.ndim != 2 or n_features not in (None, X.shape[1]):
        expected = "n_features" if n_features is None else n_features
        raise DataError(f"{name} has the shape {X.shape}; expected (n, {expected})")
    if not np.isfinite(X).all():
        raise DataError(f"{name}: row {np.isfinite(X).all(axis=1).argmin()} has features that are not finite")
    return X
