"""Ridge regression without intercept, its penalty chosen by cross-validation over groups."""

import warnings
from collections.abc import Sequence
from functools import cache
from typing import ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.linear_model import Ridge

from vibentropy.descriptors.parameters import Choice, Integer, ListOf, Number, Parameter, Text
from vibentropy.learning.base import ExtensiveRegressor, group_splits
from vibentropy.learning.reduced_rows import ReducedRows
from vibentropy.learning.scaling import scales

#: Candidates for the penalty where none are given, dimensionless: four per decade.
PENALTIES = np.logspace(-12, 2, 57)


class ExtensiveRidge(ExtensiveRegressor):
    """Ridge regression without intercept, its penalty chosen by cross-validation over groups.

    Minimises ``mean((y - Z v)²) + penalty · |v|²`` over the weights v of the scaled features Z. Because the first
    term is a mean, a penalty means the same on the folds and on all rows. Scales are measured anew on the training
    rows of every fold. Rows are read once: each fold is reduced to a triangle, those of the others are what is fitted
    to, and all penalties share one singular value decomposition of them.

    With labels resolved by atoms, ``site_weight · mean(Σ_i (s_i - z_i · v)²)`` is added, the mean taken over the
    configurations that have them, i their atoms. Both means are squared errors per cell: with the weight 1, an error
    of an atom counts as much as it adds to that of the total when errors of atoms are independent.

    Features that belong together, as the parts of a union do, are a block. Those of a block may share one scale, and
    blocks may have different penalties, ``penalty · p_b`` with p_b chosen by the same folds: one block after the other
    is given each candidate, until none improves the held-out totals. Both are put into the scales, which leaves one
    penalty: features of a block are divided by √p_b times their scale, and all by one number more, so that the root
    mean square of all of them is 1.

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
    scale : {"feature", "block"}
        Whether each feature is divided by its own root mean square or by that of its block.
    block_penalties : array-like of float, optional
        Dimensionless candidates for p_b; by default 1 for all blocks.
    blocks : list of str of length n_features, optional
        Block of each feature; by default they are one.

    Attributes
    ----------
    coef_ : ndarray of shape (n_features,), k_B per unit of the feature
    scale_ : ndarray of shape (n_features,)
        Of the features of cells; those of atoms are divided by the same ones.
    block_penalties_ : dict of str to float
        p_b by the name of the block, the smallest being 1; empty without candidates or with one block.
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

    parameters: ClassVar[dict[str, Parameter]] = {
        "penalties": ListOf("dimensionless candidates", null="four per decade from 1e-12 to 1e2", item=Number(above=0)),
        "n_folds": Integer("number of folds", minimum=2),
        "site_weights": ListOf(
            "candidates for the weight of labels resolved by atoms (array `site_entropy` of the configurations) beside "
            "the totals, dimensionless",
            null="totals alone, as with [0]",
            item=Number(minimum=0),
        ),
        "scale": Choice(
            "what is divided by a root mean square of its own: each feature, or each block of them (part of a union)",
            among=("feature", "block"),
        ),
        "block_penalties": ListOf(
            "candidates for the penalty of a block, in units of `penalties`, dimensionless",
            null="the same for all blocks",
            item=Number(above=0),
        ),
        "blocks": ListOf(
            "name of the block of each feature", null="the parts of a union, or all features", item=Text()
        ),
    }

    def __init__(
        self,
        penalties: ArrayLike | None = None,
        n_folds: int = 5,
        site_weights: ArrayLike | None = None,
        scale: str = "feature",
        block_penalties: ArrayLike | None = None,
        blocks: list[str] | None = None,
    ) -> None:
        self.penalties = penalties
        self.n_folds = n_folds
        self.site_weights = site_weights
        self.scale = scale
        self.block_penalties = block_penalties
        self.blocks = blocks

    @property
    def asks_for_blocks(self) -> bool:
        """Whether the fit depends on blocks that nobody has named."""
        return self.blocks is None and (self.scale == "block" or self.block_penalties is not None)

    def fit(
        self,
        X: ArrayLike,
        y: ArrayLike,
        groups: ArrayLike | None = None,
        sites: Sequence[NDArray[np.float64] | None] | None = None,
    ) -> Self:
        """Fit the weights.

        Parameters
        ----------
        X, y, groups
            As for the other regressors.
        sites : sequence of (ndarray or None) of length n, optional
            For each row the factor of its atoms, from `vibentropy.features.atom_labels.site_factor`, or None.

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
        candidates = PENALTIES if self.penalties is None else np.asarray(self.penalties, dtype=float)
        site_weights = np.zeros(1) if self.site_weights is None else np.asarray(self.site_weights, dtype=float)
        sites = _check_sites(sites, Z.shape) if site_weights.any() else {}
        if site_weights.any() and not sites:
            warnings.warn("site_weights without labels of atoms: fitted to the totals alone", stacklevel=4)
            site_weights = np.zeros(1)
        self.penalties_, self.site_weights_ = np.unique(candidates)[::-1], np.unique(site_weights)

        n_features = Z.shape[1]
        names, blocks = np.unique(["all"] * n_features if self.blocks is None else self.blocks, return_inverse=True)
        if len(blocks) != n_features:
            raise ValueError(f"blocks of {len(blocks)} features; X has {n_features}")

        def atoms_of(rows):
            known = (ReducedRows(sites[row], 1) for row in rows if row in sites)
            return ReducedRows.join(known, n_features).divided(self.scale_)

        several = 1 if self.block_penalties is None or len(names) == 1 else len(np.unique(self.block_penalties))
        chooses = len(self.site_weights_) * len(self.penalties_) * several > 1
        folds = [np.arange(len(y))]
        if chooses:
            folds = [test for _, test in group_splits(len(y), groups, self.n_folds)]
        cells, atoms = [ReducedRows.of(Z[fold], y[fold]) for fold in folds], [atoms_of(fold) for fold in folds]
        others = []
        if chooses:
            for number, held_out in enumerate(cells):
                parts = (part[:number] + part[number + 1 :] for part in (cells, atoms))
                others.append((held_out, *(ReducedRows.join(part, n_features) for part in parts)))

        @cache
        def held_out_rmse(ratios):
            """Root mean square errors of shape (n_site_weights, n_penalties), k_B."""
            squared = np.zeros((len(self.site_weights_), len(self.penalties_)))
            for held_out, seen, their_atoms in others:
                divisors = self._divisors(seen, blocks, ratios)
                seen, their_atoms = seen.divided(divisors), their_atoms.divided(divisors)
                for weight, errors in zip(self.site_weights_, squared, strict=True):
                    errors += held_out.squared_errors(
                        _ridge_path(seen, self.penalties_, their_atoms, weight) / divisors
                    )
            return np.sqrt(squared / len(y)) if others else np.full_like(squared, np.nan)

        ratios = (1.0,) * len(names)
        if several > 1:
            candidates = np.unique(np.asarray(self.block_penalties, dtype=float)).tolist()
            ratios = _choose(lambda tried: held_out_rmse(tried).min(), ratios, candidates)
        self.block_penalties_ = dict(zip(names.tolist(), ratios, strict=True)) if several > 1 else {}
        cv_rmse = held_out_rmse(ratios)
        best = divmod(int(np.argmin(cv_rmse)), len(self.penalties_)) if others else (0, 0)
        self.site_weight_, self.penalty_ = float(self.site_weights_[best[0]]), float(self.penalties_[best[1]])
        self.cv_rmse_, self.site_cv_rmse_ = cv_rmse[best[0]], cv_rmse.min(axis=1)
        whole, of_atoms = (ReducedRows.join(parts, n_features) for parts in (cells, atoms))
        if self.scale == "block" or several > 1:
            divisors = self._divisors(whole, blocks, ratios)
            whole, of_atoms, self.scale_ = whole.divided(divisors), of_atoms.divided(divisors), self.scale_ * divisors
        return _ridge_path(whole, np.array([self.penalty_]), of_atoms, self.site_weight_)[0]

    def _divisors(self, rows, blocks, ratios):
        """Divide features, which are divided by `scale_` already, further by these for a fit to some rows."""
        rms = rows.root_mean_squares()
        divisors = scales(rms)
        if self.scale == "block":
            divisors = scales(rms * self.scale_, blocks) / self.scale_
        if self.scale == "block" or len(set(ratios)) > 1:
            divisors = divisors * np.sqrt(np.array(ratios))[blocks]
            divisors *= np.sqrt(np.mean((rms / divisors) ** 2))
        return divisors


def _choose(error, ratios, candidates):
    """Give one block after the other the candidate of smallest error, until no other one has less.

    Only ratios matter, because penalties of all candidates are tried with each: the smallest of them is 1.
    """
    while True:
        before = ratios
        for block in range(len(ratios)):
            tried = [(*ratios[:block], candidate, *ratios[block + 1 :]) for candidate in candidates]
            ratios = min([ratios, *(tuple(r / min(one) for r in one) for one in tried)], key=error)
        if ratios == before:
            return ratios


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


def _ridge_path(cells, penalties, atoms, site_weight):
    """Weights of shape (n_penalties, n_features), all penalties from one decomposition."""
    rows = np.concatenate([cells.factor, atoms.weighted(cells.n * site_weight)])
    ridge = Ridge(alpha=cells.n * penalties, fit_intercept=False, solver="svd")
    labels = np.repeat(rows[:, -1:], len(penalties), axis=1)
    return ridge.fit(rows[:, :-1], labels).coef_.reshape(len(penalties), -1)
