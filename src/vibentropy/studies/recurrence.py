"""Whether published labels recur among one's own: evidence that both are of one potential.

Labels of the reference work (`vibentropy.sources.reference_work`) follow the convention

    S = -1/2 [ln det' H_d - (N_d - 3)/(N_0 - 3) ln det' H_0] - 0.0125 k_B,

whose constant is read off from frequent minima and has no known origin. A minimum recurs if its label in that
convention is within a tolerance of a published one. Some do by chance, as many as if labels were shifted by something.
Minima are those of training sets in as many sites as the published ones.

The table has one row for each class of defects that both have, with the columns

============== =========================================================================================================
column         meaning
============== =========================================================================================================
defect_class
minima         of one's own
published      distinct labels
recur          minima of one's own that do
by_chance      the number to be expected of labels that have nothing to do with each other
rows           published labels, each counted as often as it is there
rows_recur     of these, those that are within the tolerance of one of one's own
rows_by_chance the number to be expected likewise
============== =========================================================================================================
"""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from vibentropy.datasets.table import usable
from vibentropy.errors import DataError
from vibentropy.sources.published_arrays import REPEAT_TOLERANCE, first_of_minimum
from vibentropy.sources.reference_work import LABEL_OFFSET, N_SITES

#: How close labels have to be, k_B.
TOLERANCE = 3e-4

#: Shifts of one's own labels that tell chance (k_B): so many on either side, from the first to the last.
_SHIFTS = np.linspace(0.005, 0.25, 200)


def in_published_convention(table: pd.DataFrame) -> pd.Series:
    """Convert labels to the convention of the published ones.

    Parameters
    ----------
    table : pandas.DataFrame
        With n_atoms, n_sites, and formation_entropy in both conventions, which differ by a multiple of ln det' H_0;
        where there are as many atoms as sites, it does not matter.

    Returns
    -------
    pandas.Series, k_B
        NaN where one of the conventions is unknown and matters.
    """
    defect, perfect = table["n_atoms"], table["n_sites"]
    added = (defect - perfect).astype(float)
    # Per mode less per atom is (N_d - N_0) / (2 N_0 (N_0 - 1)) ln det' H_0.
    difference = table["formation_entropy"] - table["formation_entropy_per_atom_convention"]
    of_perfect = (2 * perfect * (perfect - 1) * difference / added.where(added != 0)).mask(added == 0, 0.0)
    change = 0.5 * ((defect - 3) / (perfect - 3) - (defect - 1) / (perfect - 1)) * of_perfect
    return table["formation_entropy"] + change + LABEL_OFFSET


def recurrence(
    table: pd.DataFrame, published: Mapping[str, NDArray[np.float64]], tolerance: float = TOLERANCE
) -> pd.DataFrame:
    """Count the minima whose labels recur among published ones, class by class.

    Parameters
    ----------
    table : pandas.DataFrame
        Of configurations, as from `vibentropy.datasets.merge.merge_tables`. Rows without a label in both
        conventions are passed over.
    published : dict of ndarray, k_B
        Labels by class.
    tolerance : float
        k_B.

    Returns
    -------
    pandas.DataFrame
        With the columns that the module lists.

    Raises
    ------
    DataError
        If no minimum is of one of these classes, in a cell of so many sites and with a label in both conventions.
    """
    minima = table[usable(table) & ((table["role"] == "train") & (table["n_sites"] == N_SITES)).to_numpy()]
    own = in_published_convention(minima)
    minima, own = minima[own.notna()], own.dropna()
    rows = []
    for defect_class, labels in published.items():
        mine = np.sort(own[(minima["defect_class"] == defect_class).to_numpy()].to_numpy())
        if not len(mine) or not len(labels):
            continue
        theirs = np.sort(labels)
        shifts = [*-_SHIFTS, *_SHIFTS]
        rows.append(
            {
                "defect_class": defect_class,
                "minima": len(mine),
                "published": len(np.unique(first_of_minimum(labels, REPEAT_TOLERANCE))),
                "recur": int(_close(mine, theirs, tolerance).sum()),
                "by_chance": float(np.mean([_close(mine + shift, theirs, tolerance).sum() for shift in shifts])),
                "rows": len(theirs),
                "rows_recur": int(_close(theirs, mine, tolerance).sum()),
                "rows_by_chance": float(np.mean([_close(theirs + shift, mine, tolerance).sum() for shift in shifts])),
            }
        )
    if not rows:
        raise DataError(
            f"no training minimum in {N_SITES} sites is of the classes {', '.join(published)}, of which labels are "
            "published"
        )
    return pd.DataFrame(rows)


def _close(values, others, tolerance):
    """Whether each value is close to one of the others, which ascend."""
    after = np.searchsorted(others, values).clip(1, len(others) - 1) if len(others) > 1 else np.zeros(len(values), int)
    nearest = np.minimum(np.abs(others[after] - values), np.abs(others[after - 1] - values))
    return nearest <= tolerance
