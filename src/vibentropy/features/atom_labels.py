"""Labels resolved by atoms, and the rows that they add to a linear regression of totals.

The exact analysis of a minimum divides its formation entropy among its atoms, S_f = Σ_i s_i (docs/theory.md, "Site
entropies"), and a descriptor with local values divides the features alike, X = Σ_i x_i with x_i the features of the
atom minus those of an atom of the perfect crystal. Weights that are right for every atom are right for every cell, so
that one minimum has a thousand things to say instead of one.

Least squares need little of them: the triangular factor of the atoms' features beside their entropies, which has
n_features + 1 rows at most, however many atoms there are (`vibentropy.learning.reduced_rows`).

Conventions. Site entropies add up to the formation entropy with N_d/N_0, labels compare mode by mode, with
(N_d - 1)/(N_0 - 1) times the entropy S_0 of the perfect crystal. Either way all atoms of a cell are compared with the
same number, S_0/N_0 or (N_d - 1)/N_d · S_0/(N_0 - 1): the difference of the two labels is to be spread evenly over the
atoms, and then holds for each of them. With several elements each atom is compared with one of its element, mode by
mode (`vibentropy.labels.entropy.formed_site_entropies`), and the same holds.
"""

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
