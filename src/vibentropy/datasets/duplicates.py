"""Minima that repeat another one."""

import bisect
from operator import itemgetter

import pandas as pd

from vibentropy.datasets.table import Status


def mark_duplicates(
    table: pd.DataFrame, energy_tolerance: float = 1e-4, entropy_tolerance: float = 1e-3
) -> pd.DataFrame:
    """Mark the labelled minima that repeat another one, by their energies and entropies.

    Labelled rows of one number of atoms and of sites, whatever their class, are taken in the order of their ids,
    training sets first (a test configuration that repeats a training one is the duplicate, not the other way round).
    Each is compared with the representatives so far, the rows that repeat none: if energy and entropy agree with one of
    them, the row is a duplicate of the first such representative, otherwise it becomes a representative itself.
    Duplicates never stand for others, so there are no chains, and the outcome does not depend on the order of the rows.
    It does depend on which rows are there: mark whole data sets, not shards. A row without an energy repeats nothing
    but what it is said to repeat.

    Parameters
    ----------
    table : pandas.DataFrame
    energy_tolerance : float
        In eV.
    entropy_tolerance : float
        In k_B.

    Returns
    -------
    pandas.DataFrame
        A copy with `duplicate_of` set in every row.
    """
    candidates = table[
        (table["status"] == Status.LABELLED) & table["energy"].notna() & table["formation_entropy"].notna()
    ]
    duplicate_of: dict[str, str] = {}
    role = candidates["role"] if "role" in candidates else pd.Series("", candidates.index)
    candidates = candidates.assign(later=role != "train").sort_values(["later", "id"])
    for _, rows in candidates.groupby(["n_atoms", "n_sites"]):
        representatives: list[tuple[float, float, int, str]] = []  # (energy, entropy, rank, id), by energy
        columns = rows["energy"], rows["formation_entropy"], range(len(rows)), rows["id"]
        for row in zip(*columns, strict=True):
            energy, entropy, _, name = row
            start = bisect.bisect_left(representatives, energy - energy_tolerance, key=itemgetter(0))
            stop = bisect.bisect_right(representatives, energy + energy_tolerance, key=itemgetter(0))
            near = representatives[start:stop]
            matches = [(rank, other) for _, s, rank, other in near if abs(s - entropy) <= entropy_tolerance]
            if matches:
                duplicate_of[name] = min(matches)[1]
            else:
                bisect.insort(representatives, row)
    column = pd.Series([duplicate_of.get(name, "") for name in table["id"]], table.index, dtype=str)
    said = table.get("duplicate_of", "")
    return table.assign(duplicate_of=column.where(table["energy"].notna(), said))
