"""Which atoms carry the entropy of a defect: exact shares of the atoms beside those that a linear model gives them.

The exact shares are the labels resolved by atoms, in the convention of the labels
(`vibentropy.features.atom_labels.site_labels`): they add up to the formation entropy compared mode by mode. A linear
model of summed features gives each atom the share w · x_i, which add up to its prediction. A model that was fitted to
totals knows nothing of shares: moving entropy from an atom to its neighbours leaves the totals as they are, and only
the form of the descriptor decides between them.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from ase import Atoms
from ase.cell import Cell
from ase.geometry import find_mic
from numpy.typing import NDArray

from vibentropy.datasets.store import ConfigurationSet, stored_frames
from vibentropy.datasets.table import SITE_ENTROPY, usable
from vibentropy.descriptors import Descriptor
from vibentropy.errors import DataError
from vibentropy.features.atom_labels import site_labels
from vibentropy.features.extensive import Bulk, reference_shares
from vibentropy.features.sets import FeatureSet
from vibentropy.learning.base import ExtensiveRegressor
from vibentropy.learning.fold_fits import fold_fits
from vibentropy.learning.folds import fold_and_group, main_split
from vibentropy.learning.rows import match, with_blocks

#: Array of a frame with the share of each atom in the prediction, k_B; as `vibentropy predict --per-atom` names it.
PREDICTED = "predicted_site_entropy"

#: Radius (Å) around a defect whose entropy the table gives.
NEAR = 5.0


def chosen_minima(
    path: str | Path, table: pd.DataFrame, exclude_duplicates: bool = True, ids: Sequence[str] = ()
) -> ConfigurationSet:
    """Choose minima to map whose labels are resolved by atoms.

    Parameters
    ----------
    path : path-like
        Of a set of configurations.
    table : pandas.DataFrame
        Of it, with ``role``.
    exclude_duplicates : bool
        Leave out minima that repeat another one.
    ids : sequence of str
        Of the wanted ones; without any, the lowest of each class of the training sets: by energy of formation, those
        without one last, then by id.

    Returns
    -------
    ConfigurationSet
        In the order of `ids`, or of the classes; the array `SITE_ENTROPY` adds up to the label compared mode by mode.

    Raises
    ------
    DataError
        If there are none, or one of `ids` is not among them; or as `vibentropy.features.atom_labels.site_labels`.
    """
    resolved = np.array([atoms.has(SITE_ENTROPY) for atoms in stored_frames(path)], dtype=bool)
    candidates = table[usable(table, exclude_duplicates) & resolved]
    if candidates.empty:
        raise DataError(
            "no labelled minimum has an entropy for each atom: if labels are computed, set `site_entropies: true` "
            "under `labels`"
        )
    if ids:
        rows = candidates.reset_index().set_index("id")["index"]
        missing = [name for name in ids if name not in rows.index]
        if missing:
            raise DataError(
                f"{missing[0]!r}, of `minima` under `maps`, is not among the {len(rows)} distinct minima that have "
                f"a label for each atom, such as {rows.index[0]!r}"
            )
        rows = rows[list(ids)].to_numpy()
    else:
        training = candidates[candidates["role"] == "train"]
        if training.empty:
            raise DataError(
                "no training minimum has a label for each atom: name minima of other sets as `minima` of `maps`"
            )
        lowest = training.sort_values(["formation_energy", "id"]).drop_duplicates("defect_class")
        rows = lowest.sort_values("defect_class").index.to_numpy()
    chosen = ConfigurationSet.load(path, rows)
    shares = site_labels(chosen)
    for atoms, name in zip(chosen.frames, chosen.table["id"], strict=True):
        atoms.arrays[SITE_ENTROPY][:] = shares[name]
    return chosen


def unseen_fits(
    regressor: ExtensiveRegressor,
    table: pd.DataFrame,
    features: Mapping[str, FeatureSet],
    folds: pd.DataFrame,
    exclude_duplicates: bool = True,
) -> Callable[[str], ExtensiveRegressor]:
    """Prepare fits that have not seen a configuration that is mapped.

    Parameters
    ----------
    regressor : estimator
        With the protocol of `vibentropy.learning.base`; cloned.
    table : pandas.DataFrame
        Of configurations of all data sets, with their role.
    features : dict of FeatureSet
        By data set.
    folds : pandas.DataFrame
        As from `vibentropy.learning.folds.folds_table`; of several splits, the main one counts.
    exclude_duplicates : bool
        Leave out minima that repeat another one.

    Returns
    -------
    callable
        From an id to the fitted estimator: without its fold for a training minimum, else the fit to all of them.
    """
    train, _ = match(table, features, exclude_duplicates)
    regressor = with_blocks(regressor, features)
    folds = folds[folds["split"] == main_split(folds["split"].unique())]
    numbers, groups = fold_and_group(folds, train.table["id"])
    fits = fold_fits(regressor, train.X, train.y, groups, numbers, train.sites)
    fold_of = dict(zip(train.table["id"], numbers, strict=True))
    return lambda name: fits.without(*([fold_of[name]] if name in fold_of else []))


def mapped(
    minima: ConfigurationSet,
    descriptor: Descriptor,
    fit_of: Callable[[str], ExtensiveRegressor],
    compared: Callable[[dict[Any, Any], Cell], Bulk],
) -> list[Atoms]:
    """Map minima: give their atoms the shares that models predict beside the exact ones.

    Parameters
    ----------
    minima : ConfigurationSet
        As from `chosen_minima`.
    descriptor : Descriptor
        With values per atom.
    fit_of : callable
        As from `unseen_fits`.
    compared : callable
        From a row of the table (dict) and the cell of its configuration to what its atoms are compared with, such as
        `vibentropy.features.extensive.CrystalFeatures`.

    Returns
    -------
    list of ase.Atoms
        With the arrays `SITE_ENTROPY` and `PREDICTED` (k_B), and in `info` id, dataset, defect_class,
        formation_entropy and predicted_formation_entropy, the sums of the two.
    """
    frames = []
    for atoms, row in zip(minima.frames, minima.table.to_dict("records"), strict=True):
        weights = fit_of(row["id"]).coef_
        shares = descriptor.project(atoms, weights) - reference_shares(atoms, compared(row, atoms.cell), weights)
        frame = atoms.copy()
        frame.set_array(PREDICTED, shares)
        frame.info = {name: row[name] for name in ("id", "dataset", "defect_class", "formation_entropy")}
        frame.info["predicted_formation_entropy"] = float(shares.sum())
        frames.append(frame)
    return frames


def around_defect(atoms: Atoms) -> NDArray[np.float64]:
    """Compute positions of atoms relative to the centre of the exact entropy of their defect.

    Parameters
    ----------
    atoms : ase.Atoms
        With the array `SITE_ENTROPY`.

    Returns
    -------
    ndarray of shape (n_atoms, 3), Å
        Of the nearest image of each atom; the centre is the mean of the positions weighted by squared shares.
    """
    weights = atoms.arrays[SITE_ENTROPY] ** 2
    centre = atoms.positions[weights.argmax()]
    # Images are those nearest to the centre, which depends on the images.
    for _ in range(5):
        vectors, _ = find_mic(atoms.positions - centre, atoms.cell, atoms.pbc)
        centre = centre + weights @ vectors / weights.sum()
    return find_mic(atoms.positions - centre, atoms.cell, atoms.pbc)[0]


def comparison(frames: Iterable[Atoms]) -> pd.DataFrame:
    """Compare predicted with exact shares of atoms, minimum by minimum.

    Parameters
    ----------
    frames : iterable of ase.Atoms
        As from `mapped`.

    Returns
    -------
    pandas.DataFrame
        Columns id, defect_class, n_atoms, formation_entropy and prediction (k_B), site_rmse (k_B, root mean square
        difference of the shares of an atom), site_correlation, exact_near and predicted_near (k_B, sums over the atoms
        within `NEAR` of the centre of the entropy).
    """
    rows = []
    for atoms in frames:
        exact, predicted = atoms.arrays[SITE_ENTROPY], atoms.arrays[PREDICTED]
        near = np.linalg.norm(around_defect(atoms), axis=1) < NEAR
        rows.append(
            {
                "id": atoms.info["id"],
                "defect_class": atoms.info.get("defect_class", ""),
                "n_atoms": len(atoms),
                "formation_entropy": exact.sum(),
                "prediction": predicted.sum(),
                "site_rmse": np.sqrt(np.mean((predicted - exact) ** 2)),
                "site_correlation": np.corrcoef(exact, predicted)[0, 1],
                "exact_near": exact[near].sum(),
                "predicted_near": predicted[near].sum(),
            }
        )
    return pd.DataFrame(rows)
