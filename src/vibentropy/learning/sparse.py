"""Sparse linear regressions without intercept: few features survive; cross-validation over groups chooses how few.

All minimise ``mean((y - Z v)²) / 2 + penalty(v)`` over the weights v of the scaled features Z, by coordinate descent
with working sets and Anderson acceleration (skglm; Bertrand et al., NeurIPS 2022), from the largest penalty of a path
to the smallest, each solution being the start of the next. Penalties are fractions of the smallest one that leaves no
feature.

Rows enter through the triangular factor R of Z = Q R only, |y - Z v|² being |Qᵀ y - R v|² plus a constant, so that a
step costs as many operations as there are features, not rows. Coordinate descent suits features that are not too much
alike: as penalties fall, descriptors need tens of thousands of sweeps. Paths therefore end at 1e-4 by default and the
number of sweeps is bounded; a chosen solution that has not converged is a `ConvergenceWarning`. Where errors still fall
at the smallest candidate, as for the Angular Fourier Series on the shipped data, folds say that ridge with all features
is better; larger cells need not agree (A_{8,10}: 6.5 k_B with 38 features of the lasso, 10.0 k_B with all 88).

The solver is compiled at the first fit of a process for each kind of penalty, which takes two to five seconds of one
core.
"""

import warnings
from abc import abstractmethod
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike
from scipy.linalg import qr
from skglm.datafits import Quadratic
from skglm.penalties import L1, L1_plus_L2, MCPenalty
from skglm.solvers import AndersonCD
from sklearn.exceptions import ConvergenceWarning

from vibentropy.descriptors.parameters import Integer, ListOf, Number, Parameter
from vibentropy.learning.base import ExtensiveRegressor, group_splits
from vibentropy.learning.scaling import RootMeanSquareScaler

#: Rounds of the working set, and sweeps over its features in each of them.
MAX_ROUNDS, MAX_SWEEPS = 10, 2000


class SparseRegressor(ExtensiveRegressor):
    """What the sparse regressors share: they differ in what a weight costs.

    Parameters
    ----------
    penalties : array-like of float, optional
        Candidates, dimensionless, in (0, 1]: fractions of the smallest penalty that leaves no feature. By default six
        per decade from 1 to 1e-4. A single one is taken without cross-validation.
    n_folds : int
        Number of folds; the number of groups if there are fewer.
    tol : float
        Largest violation of the optimality conditions, as a fraction of the penalty.

    Attributes
    ----------
    coef_ : ndarray of shape (n_features,), k_B per unit of the feature
        Zero for the features that do not survive; `n_selected_` counts the others.
    scale_ : ndarray of shape (n_features,)
    penalty_ : float
        The candidate of smallest error; the largest of several.
    penalties_ : ndarray of shape (n_penalties,)
        The candidates, largest first.
    largest_penalty_ : float, k_B
        The smallest penalty that leaves no feature.
    cv_rmse_ : ndarray of shape (n_penalties,), k_B
        Root mean square error of each candidate over all held-out rows; NaN for a single candidate.
    n_selected_path_ : ndarray of int of shape (n_penalties,)
        Features that survive at each candidate down to the chosen one, fitted to all rows; -1 below it.
    """

    parameters: ClassVar[dict[str, Parameter]] = {
        "penalties": ListOf(
            "candidates as fractions of the smallest penalty that leaves no feature",
            null="six per decade from 1 to 1e-4",
            item=Number(above=0, maximum=1),
        ),
        "n_folds": Integer("number of folds", minimum=2),
        "tol": Number("largest violation of optimality as a fraction of the penalty", above=0),
    }

    def __init__(self, penalties: ArrayLike | None = None, n_folds: int = 5, tol: float = 1e-3) -> None:
        self.penalties = penalties
        self.n_folds = n_folds
        self.tol = tol

    def _fit_scaled(self, Z, y, groups):
        candidates = np.logspace(-4, 0, 25) if self.penalties is None else np.asarray(self.penalties, dtype=float)
        self.penalties_ = np.unique(candidates)[::-1]
        self.cv_rmse_ = np.full(len(self.penalties_), np.nan)
        chosen = 0
        if len(self.penalties_) > 1:
            squared = np.zeros(len(self.penalties_))
            for train, test in group_splits(len(y), groups, self.n_folds):
                scaler = RootMeanSquareScaler().fit(Z[train])
                path, _, _ = self._path(scaler.transform(Z[train]), y[train], self.penalties_)
                squared += np.sum((scaler.transform(Z[test]) @ path.T - y[test, None]) ** 2, axis=0)
            self.cv_rmse_ = np.sqrt(squared / len(y))
            chosen = int(np.argmin(self.cv_rmse_))
        self.penalty_ = float(self.penalties_[chosen])
        path, violations, self.largest_penalty_ = self._path(Z, y, self.penalties_[: chosen + 1])
        if violations[-1] > self.tol:
            warnings.warn(
                f"coordinate descent left a violation of {violations[-1]:.2g} of the penalty, more than {self.tol}: "
                "larger penalties, or features that are less alike, converge sooner",
                ConvergenceWarning,
                stacklevel=4,
            )
        self.n_selected_path_ = np.full(len(self.penalties_), -1)
        self.n_selected_path_[: chosen + 1] = np.count_nonzero(path, axis=1)
        return path[-1]

    def _path(self, Z, y, penalties):
        """Weights (n_penalties, n_features), relative violations (n_penalties,) and the largest penalty in k_B."""
        n, n_features = Z.shape
        largest = float(np.abs(Z.T @ y).max() / n / self._l1_ratio)
        weights, violations = np.zeros((len(penalties), n_features)), np.zeros(len(penalties))
        if largest == 0:
            return weights, violations, largest
        if n > n_features:
            Q, R = qr(Z, mode="economic")
            # As many rows as features now, over which the solver takes the mean.
            Z, y = np.sqrt(n_features / n) * R, np.sqrt(n_features / n) * (Q.T @ y)
        Z, current = np.asfortranarray(Z), np.zeros(n_features)
        for number, fraction in enumerate(penalties):
            penalty = fraction * largest
            solver = AndersonCD(
                max_iter=MAX_ROUNDS,
                max_epochs=MAX_SWEEPS,
                p0=max(10, np.count_nonzero(current)),
                tol=self.tol * penalty,
                fit_intercept=False,
            )
            current, _, violation = solver.solve(Z, y, Quadratic(), self._cost(penalty), current.copy(), Z @ current)
            weights[number], violations[number] = current, violation / penalty
        return weights, violations, largest

    #: Share of the penalty that is proportional to the size of a small weight.
    _l1_ratio = 1.0

    @abstractmethod
    def _cost(self, penalty):
        """Cost of the weights in the manner of skglm, for a penalty in k_B."""


class ExtensiveLasso(SparseRegressor):
    """Lasso without intercept, its penalty chosen by cross-validation over groups: few features survive.

    The penalty is ``penalty · Σ |v_k|``; see `SparseRegressor` for parameters and attributes.
    """

    def _cost(self, penalty):
        return L1(penalty)


class ExtensiveElasticNet(SparseRegressor):
    """Elastic net without intercept: features that are alike survive together, where the lasso takes one of them.

    The penalty is ``penalty · (l1_ratio Σ |v_k| + (1 - l1_ratio) Σ v_k² / 2)``.

    Parameters
    ----------
    penalties, n_folds, tol
        As for `SparseRegressor`, whose attributes it has, too.
    l1_ratio : float
        In (0, 1]; 1 is the lasso.
    """

    parameters: ClassVar[dict[str, Parameter]] = {
        **SparseRegressor.parameters,
        "l1_ratio": Number("share of the lasso in the penalty", above=0, maximum=1),
    }

    def __init__(
        self, penalties: ArrayLike | None = None, n_folds: int = 5, tol: float = 1e-3, l1_ratio: float = 0.5
    ) -> None:
        super().__init__(penalties, n_folds, tol)
        self.l1_ratio = l1_ratio

    @property
    def _l1_ratio(self):  # type: ignore[override]
        return self.l1_ratio

    def _cost(self, penalty):
        return L1_plus_L2(penalty, self.l1_ratio)


class ExtensiveMCP(SparseRegressor):
    """Regression with the minimax concave penalty, without intercept: large weights are not shrunk.

    See C.-H. Zhang, Ann. Stat. 38, 894 (2010). A weight costs ``penalty · |v| - v² / (2 gamma)`` up to ``|v| = gamma ·
    penalty`` and no more from there on: large weights are not drawn towards zero as those of the lasso are, so that
    fewer features do. The problem is not convex; the path leads to one of its local minima.

    Parameters
    ----------
    penalties, n_folds, tol
        As for `SparseRegressor`, whose attributes it has, too.
    gamma : float
        Above 1; the lasso at infinity, hard thresholds at 1.
    """

    parameters: ClassVar[dict[str, Parameter]] = {
        **SparseRegressor.parameters,
        "gamma": Number("weights above this multiple of the penalty cost no more", above=1),
    }

    def __init__(
        self, penalties: ArrayLike | None = None, n_folds: int = 5, tol: float = 1e-3, gamma: float = 3.0
    ) -> None:
        super().__init__(penalties, n_folds, tol)
        self.gamma = gamma

    def _cost(self, penalty):
        return MCPenalty(penalty, self.gamma)
