"""Which cells a model can judge: tests of the sum over a cell, of its atoms and of its lattice, with reasons in words.

The tests are intensive: a large cell with many defects, each of a kind that was trained on, is inside. A cell inside
can still be wrong by more than its interval, because features cannot test what they cannot express.
docs/error_bars.md counts the cells of the shipped data that are outside.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.linalg import eigh

from vibentropy.features.sets import LocalValues
from vibentropy.learning.base import ExtensiveRegressor
from vibentropy.learning.ridge import ExtensiveRidge
from vibentropy.learning.scaling import size

#: Penalty of directions that a regressor without one leaves free; the smallest that ridge tries.
SMALLEST_PENALTY = 1e-12

#: Size (m) below which a cell is the perfect crystal: far above rounding, such as that of positions to 1e-8 Å, and a
#: thousandth of that of a vacancy in iron.
SMALLEST_SIZE = 1e-4

#: Share of held-out training rows that limits of the domain let pass, by each of its tests.
INSIDE = 0.99

#: Shift of the features of a perfect crystal, in units of their range over training atoms, that counts as none, beside
#: that of small strains. For A_{3,10} of iron, a change of volume by 0.03 % or a shear by 1 % makes it.
UNSTRAINED = 0.001

#: What `verdict` says of a cell inside, and how it begins for one outside, before the reasons.
IS_INSIDE, IS_OUTSIDE = "inside", "outside: "


def whitening(Z: NDArray[np.float64], fitted: ExtensiveRegressor) -> NDArray[np.float64]:
    """Factor of the inverse curvature of the loss: G⁻¹ = L Lᵀ, so that a row has the leverage |Lᵀ z|².

    Parameters
    ----------
    Z : ndarray of shape (n, n_features)
        Scaled features that were fitted to.
    fitted : estimator
        With the protocol of `vibentropy.learning.base`. One with a posterior of its weights has G in it; for ridge
        G = Zᵀ Z + n · penalty; for others, such as sparse ones, G = Zᵀ Z over the features they use. What labels of
        atoms add to G for ridge is left out: leverages are upper bounds then.

    Returns
    -------
    ndarray of shape (n_features, n_features)
        Zero in rows of features that are not used.
    """
    if getattr(fitted, "covariance_", None) is not None:
        values, vectors = eigh(fitted.covariance_ / fitted.noise_variance_)
        return vectors * np.sqrt(np.maximum(values, 0.0))
    ridge = isinstance(fitted, ExtensiveRidge)
    used = np.full(Z.shape[1], True) if ridge else fitted.coef_ != 0
    penalty = fitted.penalty_ if ridge else SMALLEST_PENALTY
    factor = np.zeros((Z.shape[1], Z.shape[1]))
    if used.any():
        values, vectors = eigh(Z[:, used].T @ Z[:, used])
        factor[np.ix_(used, used)] = vectors / np.sqrt(np.maximum(values, 0.0) + len(Z) * penalty)
    return factor


@dataclass(frozen=True, eq=False)
class Domain:
    """The domain of a model: three tests of what it knows that do not depend on how often a cell is repeated.

    * the direction: the root of the leverage of a cell, divided by its size;
    * the atoms: how far features of an atom lie outside the range over the atoms of all training cells, in units of
      that range; only for descriptors with values per atom;
    * the lattice: how far features of the perfect crystal that a cell is compared with lie from those of the training,
      in the same units; for strained cells.

    Limits are set by training rows that the fit did not see: 99 % of them pass each of the first two.

    Attributes
    ----------
    factor : ndarray of shape (n_features, n_features)
        As from `whitening`.
    direction_limit : float
    lowest, highest : ndarray of shape (n_features,)
        Range over the atoms of the training cells, as the descriptor gives them; empty where it has none.
    atoms_limit : float
    lattice : ndarray of shape (n_features,)
        Descriptor of the perfect crystal of the training per atom; empty where there are no values per atom.
    lattice_limit : float
    """

    factor: NDArray[np.float64]
    direction_limit: float
    lowest: NDArray[np.float64]
    highest: NDArray[np.float64]
    atoms_limit: float
    lattice: NDArray[np.float64]
    lattice_limit: float

    @classmethod
    def fit(cls, Z: NDArray[np.float64], factor: NDArray[np.float64], local: LocalValues | None = None) -> Self:
        """Describe the domain of training cells; without limits yet, those of the lattice excepted.

        Parameters
        ----------
        Z : ndarray of shape (n, n_features)
            Scaled features.
        factor : ndarray of shape (n_features, n_features)
            As from `whitening`.
        local : vibentropy.features.sets.LocalValues, optional

        Returns
        -------
        Domain
        """
        if local is None:
            return cls(factor, np.inf, np.zeros(0), np.zeros(0), np.inf, np.zeros(0), np.inf)
        lowest, highest = local.limits[:, 0].min(axis=0), local.limits[:, 1].max(axis=0)
        domain = cls(factor, np.inf, lowest, highest, np.inf, np.median(local.crystals, axis=0), np.inf)
        return replace(domain, lattice_limit=max(UNSTRAINED, float(domain.lattices(local.crystals).max())))

    def limited(self, direction: ArrayLike, atoms: ArrayLike) -> Self:
        """Set the limits of the domain by rows that were held out of fits like this one.

        Parameters
        ----------
        direction, atoms : array-like of shape (n,)
            What the tests of the same name gave for them; without any, everything passes.

        Returns
        -------
        Domain
        """
        return replace(self, direction_limit=_limit(direction), atoms_limit=_limit(atoms))

    def direction(self, Z: NDArray[np.float64]) -> NDArray[np.float64]:
        """Root of the leverage of cells per unit of their size.

        Parameters
        ----------
        Z : ndarray of shape (n, n_features)
            Scaled features.

        Returns
        -------
        ndarray of shape (n,)
            Zero for the perfect crystal.
        """
        measure = size(Z)
        leverage = np.sqrt(np.sum((Z @ self.factor) ** 2, axis=1))
        return np.divide(leverage, measure, out=np.zeros(len(Z)), where=measure > SMALLEST_SIZE)

    def atoms(self, limits: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
        """How far outside the range of the training atoms the atoms of cells lie.

        Parameters
        ----------
        limits : ndarray of shape (n, 2, n_features)
            Smallest and largest value of each feature over the atoms of each cell.

        Returns
        -------
        excess : ndarray of shape (n,)
            Largest over the features, in units of the range; not above zero inside.
        feature : ndarray of int of shape (n,)
            The feature that it is found for.
        """
        excess = np.maximum(self.lowest - limits[:, 0], limits[:, 1] - self.highest) / self._width
        return excess.max(axis=1), excess.argmax(axis=1)

    def lattices(self, crystals: NDArray[np.float64], uncertainty: ArrayLike = 0.0) -> NDArray[np.float64]:
        """How far perfect crystals are from that of the training.

        Parameters
        ----------
        crystals : ndarray of shape (n, n_features)
            Descriptor of each per atom.
        uncertainty : array-like of shape (n_features,)
            Differences that count as none, see `vibentropy.features.extensive.DescribedCrystal.uncertainty`.

        Returns
        -------
        ndarray of shape (n,)
            Largest over the features, in units of the range over training atoms.
        """
        differences = np.abs(crystals - self.lattice)
        return np.max(np.where(differences > uncertainty, differences, 0.0) / self._width, axis=1)

    def differs(self, crystals: NDArray[np.float64], uncertainty: ArrayLike = 0.0) -> NDArray[np.bool_]:
        """Tell which cells are compared with another crystal than most of the training, such as a strained one.

        Parameters
        ----------
        crystals, uncertainty
            As for `lattices`.

        Returns
        -------
        ndarray of bool of shape (n,)
        """
        return self.lattices(crystals, uncertainty) > UNSTRAINED

    def reasons(
        self,
        Z: NDArray[np.float64],
        limits: NDArray[np.float64] | None = None,
        crystals: NDArray[np.float64] | None = None,
        names: Sequence[str] | None = None,
        uncertainty: ArrayLike = 0.0,
    ) -> list[str]:
        """Say why cells lie outside the domain.

        Parameters
        ----------
        Z : ndarray of shape (n, n_features)
            Scaled features.
        limits : ndarray of shape (n, 2, n_features), optional
            As for `atoms`.
        crystals : ndarray of shape (n, n_features), optional
            As for `lattices`.
        names : sequence of str, optional
            What to call each feature of an atom, see `vibentropy.descriptors.Descriptor.in_words`.
        uncertainty : array-like of shape (n_features,)
            As for `lattices`.

        Returns
        -------
        list of str
            Reasons with the value found and its limit; empty for a cell inside.
        """
        reasons: list[list[str]] = [[] for _ in Z]
        for of_cell, value in zip(reasons, self.direction(Z), strict=True):
            if value > self.direction_limit:
                of_cell.append(
                    f"few training cells are like it (leverage {value:.3g}, allowed {self.direction_limit:.3g})"
                )
        if limits is not None and len(self.lowest):
            for of_cell, value, feature in zip(reasons, *self.atoms(limits), strict=True):
                if value > self.atoms_limit:
                    words = f"feature {feature}" if names is None else names[feature]
                    of_cell.append(
                        f"an atom's {words} is {value:.3g} training ranges outside (allowed {self.atoms_limit:.3g})"
                    )
        if crystals is not None and len(self.lattice):
            for of_cell, value in zip(reasons, self.lattices(crystals, uncertainty), strict=True):
                if value > self.lattice_limit:
                    of_cell.append(
                        f"its perfect crystal is {value:.3g} training ranges from the model's "
                        f"(allowed {self.lattice_limit:.3g})"
                    )
        return ["; ".join(of_cell) for of_cell in reasons]

    @property
    def _width(self):
        """Width of the range; features that are the same for all atoms, to rounding, cannot be outside."""
        width = self.highest - self.lowest
        largest = np.maximum(np.abs(self.lowest), np.abs(self.highest))
        return np.where(width > 1e-9 * largest, width, np.inf)


def verdict(reason: str) -> str:
    """Say whether a cell lies inside a domain: the column ``domain`` of every table.

    Parameters
    ----------
    reason : str
        From `Domain.reasons`.

    Returns
    -------
    str
        ``inside``, or ``outside: `` and the reason.
    """
    return f"{IS_OUTSIDE}{reason}" if reason else IS_INSIDE


def _limit(values):
    """Limit that `INSIDE` of the values pass, at least zero."""
    return max(float(np.quantile(values, INSIDE, method="higher")), 0.0) if len(values) else np.inf
