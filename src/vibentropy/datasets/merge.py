"""The shards of all data sets of a run, put into one file."""

import numpy as np
import pandas as pd

from vibentropy.datasets.duplicates import mark_duplicates
from vibentropy.datasets.store import KIND, ConfigurationSet, write_set
from vibentropy.datasets.table import SITE_ENTROPY, complete_table
from vibentropy.errors import DataError
from vibentropy.files.hdf5 import open_file


def collect(tables, roles, energy_tolerance=1e-4, entropy_tolerance=1e-3):
    """Put the tables of the shards of all data sets of a run together.

    Parameters
    ----------
    tables : iterable of pandas.DataFrame
        In any order.
    roles : dict of str to str
        Role of each data set, ``train`` or ``test``; becomes the column ``role``.
    energy_tolerance, entropy_tolerance : float
        See `mark_duplicates`; eV and k_B.

    Returns
    -------
    pandas.DataFrame
        In the order of the ids, duplicates marked.

    Raises
    ------
    DataError
        If there are no tables, or an id occurs in two of them.
    """
    tables = list(tables)
    if not tables:
        raise DataError("no data sets to put together")
    # An empty table would make floats of integers.
    whole = complete_table(pd.concat([table for table in tables if len(table)] or tables[:1]))
    whole = complete_table(whole.iloc[np.argsort(whole["id"].to_numpy(str), kind="stable")])
    whole["role"] = whole["dataset"].map(roles).astype(str)
    return mark_duplicates(whole, energy_tolerance, entropy_tolerance)


def merge(sources, path, roles, energy_tolerance=1e-4, entropy_tolerance=1e-3, **attributes):
    """Put the shards of all data sets of a run into one file.

    Tables are put together first; then the arrays are copied shard by shard, one of them in memory.

    Parameters
    ----------
    sources : sequence of path-like
        As written by `ConfigurationSet.save`, in any order.
    path : path-like
        For `ConfigurationSet.load`: what the whole would have saved, byte by byte.
    roles, energy_tolerance, entropy_tolerance
        See `collect`.
    **attributes
        Of the whole, in addition to those that all shards share.

    Returns
    -------
    pandas.DataFrame
        From `collect`.

    Raises
    ------
    DataError, StructureError
        As `ConfigurationSet.load` and `collect`.
    """
    tables, of_shards, resolved = [], [], []
    for source in sources:
        shard = ConfigurationSet.load(source)
        tables.append(shard.table)
        of_shards.append(shard.attributes)
        resolved.append(any(atoms.has(SITE_ENTROPY) for atoms in shard.frames))
    table = collect(tables, roles, energy_tolerance, entropy_tolerance)
    first, *others = of_shards
    shared = {
        name: value
        for name, value in first.items()
        if all(name in other and np.array_equal(other[name], value) for other in others)
    }
    ids = pd.Index(table["id"])
    places = [ids.get_indexer(shard["id"]) for shard in tables]

    def array(name, number):
        if name == SITE_ENTROPY and not resolved[number]:
            return np.full(tables[number]["n_atoms"].sum(), np.nan)
        with open_file(sources[number], KIND) as file:
            return file[name][:]

    write_set(path, table, shared | attributes, places, any(resolved), array)
    return table
