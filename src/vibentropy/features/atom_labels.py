"""Labels resolved by atoms, and the rows that they add to a linear regression of totals.

The exact analysis of a minimum divides its formation entropy among its atoms, S_f = Σ_i s_i (docs/theory.md, "Site
entropies"), and a descriptor with local values divides the features alike, X = Σ_i x_i with x_i the features of the
atom minus those of an atom of the perfect crystal. Weights that are right for every atom are right for every cell, so
that one minimum has a thousand things to say instead of one.

Least squares need little of them. With Q R = (x | s), the triangular factor of the atoms' features beside their
entropies,

    Σ_i (s_i - x_i · w)² = |R (w, -1)|²,

so a configuration takes n_features + 1 rows at most, however many atoms it has, and factors of several configurations
join into one. The normal equations Σ_i x_i x_iᵀ would be as small, but they square the condition number: of features
that are close to dependent they keep half of the digits.

Conventions. Site entropies add up to the formation entropy with N_d/N_0, labels compare mode by mode, with
(N_d - 1)/(N_0 - 1) times the entropy S_0 of the perfect crystal. Either way all atoms of a cell are compared with the
same number, S_0/N_0 or (N_d - 1)/N_d · S_0/(N_0 - 1): the difference of the two labels is to be spread evenly over the
atoms, and then holds for each of them.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vibentropy.datasets.store import ConfigurationSet
from vibentropy.datasets.table import SITE_ENTROPY, Status
from vibentropy.errors import DataError

#: Largest difference in k_B between a label and the sum over its atoms, in the same convention; archives are rounded.
TOLERANCE = 1e-3


def site_labels(configurations: ConfigurationSet) -> dict[str, NDArray[np.float64]]:
    """Labels of atoms of configurations: site entropies that add up to the label of the cell.

    Parameters
    ----------
    configurations : ConfigurationSet

    Returns
    -------
    dict of str to ndarray of shape (n_atoms,), k_B
        By id, of the configurations that have both a label and site entropies; compared mode by mode.

    Raises
    ------
    DataError
        If site entropies do not add up to the formation entropy in the convention of the literature, where that is
        known.
    """
    labels: dict[str, NDArray[np.float64]] = {}
    for atoms, row in zip(configurations.frames, configurations.table.itertuples(), strict=True):
        if row.status != Status.LABELLED or not atoms.has(SITE_ENTROPY):
            continue
        sites = atoms.arrays[SITE_ENTROPY]
        label = row.formation_entropy_per_atom_convention
        if abs(sites.sum() - label) > TOLERANCE:  # False where it is not known
            raise DataError(
                f"{row.id}: its site entropies add up to {sites.sum():.6f} k_B; expected its formation entropy in the "
                f"N_d/N_0 convention, {label:.6f} k_B, within {TOLERANCE:g}"
            )
        labels[str(row.id)] = sites + (row.formation_entropy - sites.sum()) / len(sites)
    return labels


def site_factor(features: NDArray[np.float64], labels: NDArray[np.float64]) -> NDArray[np.float64]:
    """Triangular factor of the features of atoms beside their labels.

    Parameters
    ----------
    features : ndarray of shape (n_atoms, n_features)
        Relative to the perfect crystal.
    labels : ndarray of shape (n_atoms,), k_B

    Returns
    -------
    ndarray of shape (min(n_atoms, n_features + 1), n_features + 1)
        Its last column belongs to the labels.
    """
    return np.asarray(np.linalg.qr(np.column_stack([features, labels]), mode="r"))


@dataclass(frozen=True, eq=False)
class SiteRows:
    """Atoms of some configurations as rows of a regression.

    Parameters
    ----------
    factor : ndarray of shape (at most n_features + 1, n_features + 1)
        As from `site_factor`, for the atoms of all of them.
    n_cells : int
        Number of configurations.
    """

    factor: NDArray[np.float64]
    n_cells: int

    @classmethod
    def of(cls, factors: Sequence[NDArray[np.float64]], n_features: int) -> "SiteRows":
        """Join the factors of the atoms of configurations, of which there may be none.

        Parameters
        ----------
        factors : sequence of ndarray
            One from `site_factor` for each configuration.
        n_features : int

        Returns
        -------
        SiteRows
        """
        factor = np.concatenate([np.empty((0, n_features + 1)), *factors])
        return cls(np.asarray(np.linalg.qr(factor, mode="r")) if len(factor) else factor, len(factors))

    @classmethod
    def join(cls, parts: Sequence["SiteRows"]) -> "SiteRows":
        """Put the atoms of several parts together.

        Parameters
        ----------
        parts : sequence of SiteRows
            Not empty, all of the same features.

        Returns
        -------
        SiteRows
        """
        return cls(np.concatenate([part.factor for part in parts]), sum(part.n_cells for part in parts))

    def scaled(self, scale: NDArray[np.float64]) -> "SiteRows":
        """Divide each feature of the atoms by its scale; labels stay.

        Parameters
        ----------
        scale : ndarray of shape (n_features,)

        Returns
        -------
        SiteRows
        """
        return SiteRows(self.factor / np.append(scale, 1.0), self.n_cells)

    def weighted(self, weight: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Rows whose squared errors add up to `weight` times those of the atoms of a cell, on average over the cells.

        Parameters
        ----------
        weight : float

        Returns
        -------
        features : ndarray of shape (n_rows, n_features)
        labels : ndarray of shape (n_rows,), k_B
            No rows for a weight of zero.
        """
        rows = np.sqrt(weight / self.n_cells) * self.factor if weight and self.n_cells else self.factor[:0]
        return rows[:, :-1], rows[:, -1]
