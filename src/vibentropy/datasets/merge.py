"""The shards of all data sets of a run, put into one file."""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any

import numpy as np
import pandas as pd
from ase import Atoms
from ase.data import chemical_symbols
from numpy.typing import NDArray

from vibentropy.datasets.duplicates import mark_duplicates
from vibentropy.datasets.store import ARRAYS, ConfigurationSet, joined_array, write_set
from vibentropy.datasets.table import SITE_ENTROPY, Status, complete_table
from vibentropy.errors import DataError, OutputError


def merge_tables(
    tables: Iterable[pd.DataFrame],
    roles: Mapping[str, str],
    energy_tolerance: float = 1e-4,
    entropy_tolerance: float = 1e-3,
) -> pd.DataFrame:
    """Put the tables of the shards of all data sets of a run into one, duplicates marked.

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


def merge(
    sources: Sequence[str | Path],
    path: str | Path,
    roles: Mapping[str, str],
    energy_tolerance: float = 1e-4,
    entropy_tolerance: float = 1e-3,
    **attributes: Any,
) -> pd.DataFrame:
    """Put the shards of all data sets of a run, cells and tables, into one file.

    Each shard is read once. Where its configurations belong is only clear when all tables are there: until then
    its arrays wait in scratch files beside `path`, which have no names and vanish with the process.

    Parameters
    ----------
    sources : sequence of path-like
        As written by `ConfigurationSet.save`, in any order.
    path : path-like
        For `ConfigurationSet.load`: what the whole would have saved, byte by byte, with the attribute ``element``, that
        of the labelled configurations, several in the order of the alphabet as ``Fe-P``.
    roles, energy_tolerance, entropy_tolerance
        See `merge_tables`.
    **attributes
        Of the whole, in addition to those that all shards share.

    Returns
    -------
    pandas.DataFrame
        From `merge_tables`.

    Raises
    ------
    DataError, StructureError
        As `ConfigurationSet.load` and `merge_tables`.
    OutputError
        If there is no room for the scratch files, or as `vibentropy.files.hdf5.create`.
    """
    tables, of_shards = [], []
    elements: set[str] = set()
    with ExitStack() as stack:
        scratch = _Scratch(stack, Path(path).parent)
        for source in sources:
            shard = ConfigurationSet.load(source)
            tables.append(shard.table)
            of_shards.append(shard.attributes)
            for row in np.flatnonzero(shard.table["status"] == Status.LABELLED):
                elements |= {chemical_symbols[number] for number in np.unique(shard.frames[row].numbers)}
            scratch.append(shard.frames)
        table = merge_tables(tables, roles, energy_tolerance, entropy_tolerance)
        first, *others = of_shards
        shared = {
            name: value
            for name, value in first.items()
            if all(name in other and np.array_equal(other[name], value) for other in others)
        }
        ids = pd.Index(table["id"])
        places = [ids.get_indexer(shard["id"]) for shard in tables]
        if elements:
            shared["element"] = "-".join(sorted(elements))
        write_set(path, table, shared | attributes, places, any(scratch.resolved), scratch.read)
    return table


class _Scratch:
    """Arrays of shards, one after the other in a nameless file for each array."""

    def __init__(self, stack: ExitStack, folder: Path) -> None:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._files: dict[str, IO[bytes]] = {
                name: stack.enter_context(TemporaryFile(dir=folder))  # noqa: SIM115
                for name in ARRAYS
            }
        except OSError as error:
            raise OutputError(f"no scratch file can be made there: {error}", folder) from error
        # Where the arrays of each shard begin and, with the next of them, end; in bytes.
        self._starts = {name: [0] for name in ARRAYS}
        #: Whether each shard has site entropies.
        self.resolved: list[bool] = []

    def append(self, frames: Sequence[Atoms]) -> None:
        """Keep the arrays of a shard."""
        self.resolved.append(any(atoms.has(SITE_ENTROPY) for atoms in frames))
        for name, file in self._files.items():
            if frames and (name != SITE_ENTROPY or self.resolved[-1]):
                try:
                    file.write(joined_array(frames, name).data)
                except OSError as error:
                    raise OutputError(f"no room to put configurations in order: {error}; free space there") from error
            self._starts[name].append(file.tell())

    def read(self, name: str, number: int) -> NDArray[Any]:
        """One of the arrays of a shard."""
        if name == SITE_ENTROPY and not self.resolved[number]:
            return np.full(len(self.read("numbers", number)), np.nan)
        file, layout = self._files[name], ARRAYS[name]
        start, stop = self._starts[name][number : number + 2]
        file.seek(start)
        return np.frombuffer(file.read(stop - start), layout.dtype).reshape(-1, *layout.shape)
