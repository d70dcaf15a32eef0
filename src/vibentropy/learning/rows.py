"""Labelled cells and their features, row by row."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import clone

from vibentropy.datasets.table import usable
from vibentropy.errors import DataError
from vibentropy.features.sets import FeatureSet, LocalValues
from vibentropy.learning.base import ExtensiveRegressor


@dataclass(frozen=True, eq=False)
class Rows:
    """Labelled configurations and their features, row by row.

    Attributes
    ----------
    table : pandas.DataFrame
    X : ndarray of shape (n, n_features)
        Extensive features.
    sites : list of (ndarray or None) of length n
        Factor of the atoms of each row (`vibentropy.features.atom_labels.site_factor`), None for those with no labels
        of atoms.
    local : LocalValues or None
        None if the descriptor has no values per atom.
    """

    table: pd.DataFrame
    X: NDArray[np.float64]
    sites: list[NDArray[np.float64] | None]
    local: LocalValues | None

    @property
    def y(self) -> NDArray[np.float64]:
        """Formation entropies of the rows, ndarray of shape (n,), k_B."""
        return self.table["formation_entropy"].to_numpy()


def match(
    table: pd.DataFrame, features: Mapping[str, FeatureSet], exclude_duplicates: bool = True
) -> tuple[Rows, Rows]:
    """Find the configurations that have both a label and features, in the order of the table.

    Parameters
    ----------
    table : pandas.DataFrame
        Of configurations of all data sets, with their role.
    features : dict of FeatureSet
        By data set.
    exclude_duplicates : bool
        Leave out minima that repeat another one.

    Returns
    -------
    train, test : Rows
        Of the data sets of each role.

    Raises
    ------
    DataError
        If there are none to train with.
    """
    place = {name: number for number, name in enumerate(name for one in features.values() for name in one.ids)}
    taken = table[usable(table, exclude_duplicates) & table["id"].isin(place.keys()).to_numpy()]
    if not (taken["role"] == "train").any():
        raise DataError("no training configuration has both a label and features")
    X = np.concatenate([one.X for one in features.values()])
    local = LocalValues.join(one.local for one in features.values())
    factors = {name: factor for one in features.values() for name, factor in one.sites.items()}

    def rows(role):
        of_role = taken[taken["role"] == role]
        at = np.array([place[name] for name in of_role["id"]], dtype=int)
        sites = [factors.get(name) for name in of_role["id"]]
        return Rows(of_role, X[at], sites, None if local is None else local[at])

    return rows("train"), rows("test")


def with_blocks(regressor: ExtensiveRegressor, features: Mapping[str, FeatureSet]) -> ExtensiveRegressor:
    """Tell a regressor which features belong together, if its fit depends on that.

    Parameters
    ----------
    regressor : estimator
    features : dict of FeatureSet
        By data set, all of one descriptor.

    Returns
    -------
    estimator
        A clone with the blocks of the descriptor; `regressor` itself if it does not ask for them.
    """
    if not getattr(regressor, "asks_for_blocks", False):
        return regressor
    return clone(regressor).set_params(blocks=next(iter(features.values())).feature_blocks)
