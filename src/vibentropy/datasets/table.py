"""The table of a set of cells: one row for each of them.

Columns (a producer gives those it has, the others take their defaults, further ones are kept):

====================================== ======= =========================================================================
column                                 unit    meaning
====================================== ======= =========================================================================
id                                             unique; ``<dataset>/<trajectory>/<number>``; ``<dataset>/<file>/<frame>``
dataset                                        name of the data set in the configuration of the run
trajectory                                     configurations of one trajectory are not independent; see `groups`
defect_class                                   ``I2``, ``V4``, ``I2+V1``; free text where files gave it
n_atoms                                        atoms in the cell, always counted here
n_sites                                        sites of the perfect cell; -1 where unknown
seed                                           of the random numbers that made the trajectory; -1 where unknown
energy                                 eV      of the cell; NaN where unknown
formation_energy                       eV      NaN where unknown
max_force                              eV/Å    largest force on an atom; NaN where unknown
status                                         one of `Status`
reason                                         why there is no label; empty where there is one
formation_entropy                      k_B     compared mode by mode (docs/theory.md); NaN where there is none
formation_entropy_per_atom_convention  k_B     the same in the N_d/N_0 convention of the literature; NaN where unknown
smallest_eigenvalue                    eV/Å²   of the Hessian without the translations; NaN where unknown
label_source                                   ``exact`` (computed here), ``given`` (read from a file), empty for none
duplicate_of                                   id of the minimum that this one repeats, empty for none
====================================== ======= =========================================================================

`vibentropy.datasets.merge` adds ``role`` (train or test), the recipes ``repetitions`` (of the cubic cell, such as
5x5x5). Labels that are computed at temperatures add ``formation_entropy_300K`` (k_B) and ``formation_free_energy_300K``
(eV) of quantum harmonic vibrations, compared mode by mode; the free energy is with the formation energy and the
zero-point energy, NaN where the formation energy is unknown. Labels by a potential whose functions are tables add
`UNCERTAINTY` (k_B), what the tables leave open in ``formation_entropy``. Labels of the infinite crystal add
`INFINITE_COLUMNS`: ``formation_entropy_infinite`` and ``formation_entropy_infinite_uncertainty`` (k_B, mode by mode),
and ``infinite_reason``, why there is none although the cell itself has a label.
"""

from enum import StrEnum
from typing import Any

import h5py
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from vibentropy.errors import DataError


class Status(StrEnum):
    """How far a configuration got: from relaxed to its label, or to the kind of reason why it has none."""

    RELAXED = "relaxed"
    LABELLED = "labelled"
    SADDLE = "saddle"
    NOT_CONVERGED = "not converged"
    REJECTED = "rejected"


#: Default and unit of every column the package knows.
COLUMNS: dict[str, tuple[str | int | float, str]] = {
    "id": ("", ""),
    "dataset": ("", ""),
    "trajectory": ("", ""),
    "defect_class": ("", ""),
    "n_atoms": (0, ""),
    "n_sites": (-1, ""),
    "seed": (-1, ""),
    "energy": (np.nan, "eV"),
    "formation_energy": (np.nan, "eV"),
    "max_force": (np.nan, "eV/Å"),
    "status": (Status.RELAXED.value, ""),
    "reason": ("", ""),
    "formation_entropy": (np.nan, "k_B"),
    "formation_entropy_per_atom_convention": (np.nan, "k_B"),
    "smallest_eigenvalue": (np.nan, "eV/Å²"),
    "label_source": ("", ""),
    "duplicate_of": ("", ""),
}

#: The same of the columns that labels of the infinite crystal add.
INFINITE_COLUMNS: dict[str, tuple[str | float, str]] = {
    "formation_entropy_infinite": (np.nan, "k_B"),
    "formation_entropy_infinite_uncertainty": (np.nan, "k_B"),
    "infinite_reason": ("", ""),
}

#: Column that labels by a potential of tables add: what these leave open in ``formation_entropy``.
UNCERTAINTY = "formation_entropy_uncertainty"

_UNITS = {name: unit for name, (_, unit) in (COLUMNS | INFINITE_COLUMNS).items()} | {UNCERTAINTY: "k_B"}

#: Array of a frame with the entropy of each atom relative to one of the perfect crystal, k_B; extended XYZ has it too.
SITE_ENTROPY = "site_entropy"


def complete_table(table: pd.DataFrame) -> pd.DataFrame:
    """Complete the table of a set: fill in missing columns, order them, and give each its type.

    Parameters
    ----------
    table : pandas.DataFrame
        Any of `COLUMNS`, and others that hold numbers, booleans or text.

    Returns
    -------
    pandas.DataFrame
        `COLUMNS` in their order, then the others by name; a fresh index. Where ids are missing they are made.

    Raises
    ------
    DataError
        If ids repeat, a status is unknown, or a column cannot have its type.
    """
    table = table.reset_index(drop=True)
    columns = {}
    for name, (default, _) in COLUMNS.items():
        try:
            column = table[name] if name in table else pd.Series(default, table.index)
            columns[name] = column.fillna(default).astype(type(default))
        except (TypeError, ValueError) as error:
            raise DataError(f"column {name!r} should hold {type(default).__name__}: {error}") from error
    for name in sorted(set(map(str, table)) - set(COLUMNS)):
        column = table[name]
        if column.dtype.kind not in "biuf":
            column = column.fillna("")
            types = sorted({type(value).__name__ for value in column})
            if types not in ([], ["str"]):
                raise DataError(f"column {name!r} holds {', '.join(types)}; expected only numbers, booleans or text")
            column = column.astype(str)
        columns[name] = column
    table = pd.DataFrame(columns)
    # Plain text, as files have it.
    table["status"] = table["status"].map(str)
    nameless = table["id"] == ""
    number = table.groupby(["dataset", "trajectory"]).cumcount()
    made = table["dataset"] + "/" + table["trajectory"] + "/" + number.map("{:04d}".format).astype(str)
    table["id"] = table["id"].mask(nameless, made)
    repeated = table["id"][table["id"].duplicated()]
    if len(repeated):
        raise DataError(f"id {repeated.iloc[0]!r} occurs more than once; expected unique ids")
    unknown = table[~table["status"].isin(list(Status))]
    if len(unknown):
        row = unknown.iloc[0]
        raise DataError(f"status of {row['id']} is {row['status']!r}; expected one of {', '.join(Status)}")
    return table


def write_columns(group: h5py.Group, table: pd.DataFrame) -> None:
    """Write a completed table, one data set per column with its unit as an attribute.

    Parameters
    ----------
    group : h5py.Group
    table : pandas.DataFrame
    """
    for name, column in table.items():
        if column.dtype.kind in "biuf":
            group[name] = column.to_numpy()
        else:
            group.create_dataset(name, data=column.to_numpy(object), dtype=h5py.string_dtype())
        group[name].attrs["unit"] = _UNITS.get(str(name), "")


def read_columns(group: h5py.Group) -> pd.DataFrame:
    """Read the table that `write_columns` wrote.

    Parameters
    ----------
    group : h5py.Group

    Returns
    -------
    pandas.DataFrame
    """
    return complete_table(
        pd.DataFrame(
            {name: data.asstr()[:] if h5py.check_string_dtype(data.dtype) else data[:] for name, data in group.items()}
        )
    )


def groups(table: pd.DataFrame) -> NDArray[np.str_]:
    """Label of the group of every row: rows of one group must stay in one fold.

    Parameters
    ----------
    table : pandas.DataFrame

    Returns
    -------
    ndarray of str of shape (n_rows,)
        ``<dataset>/<trajectory>``.
    """
    return (table["dataset"] + "/" + table["trajectory"]).to_numpy(str)


def usable(table: pd.DataFrame, exclude_duplicates: bool = True) -> NDArray[np.bool_]:
    """Tell which rows of a table a model may be fitted to or tested on.

    Parameters
    ----------
    table : pandas.DataFrame
    exclude_duplicates : bool
        Leave out the rows that `mark_duplicates` marked.

    Returns
    -------
    ndarray of bool of shape (n_rows,)
    """
    labelled = table["status"] == Status.LABELLED
    return (labelled & (table["duplicate_of"] == "") if exclude_duplicates else labelled).to_numpy()


def outcomes(table: pd.DataFrame) -> pd.DataFrame:
    """Count what became of the configurations of all data sets.

    Parameters
    ----------
    table : pandas.DataFrame

    Returns
    -------
    pandas.DataFrame
        One row per data set, number of sites and class of defects, with the number of configurations, how many of
        them have each `Status`, and how many of the labelled ones are duplicates.
    """
    counts = table[["dataset", "n_sites", "defect_class"]].assign(
        configurations=1,
        **{status.value: (table["status"] == status).astype(int) for status in Status},
        duplicates=(table["duplicate_of"] != "").astype(int),
    )
    return counts.groupby(["dataset", "n_sites", "defect_class"]).sum().reset_index()


def facts_of(table: pd.DataFrame, resolved: int) -> dict[str, Any]:
    """Say what is in a set of configurations.

    Parameters
    ----------
    table : pandas.DataFrame
        Completed by `complete_table`.
    resolved : int
        How many labels are resolved by atoms.

    Returns
    -------
    dict of str
        Counts, dictionaries of counts, and ranges (k_B).
    """
    labelled = table.loc[table["status"] == Status.LABELLED, "formation_entropy"]
    return {
        "configurations": len(table),
        "status": _counts(table["status"]),
        "classes": _counts(table["defect_class"]),
        "data sets": _counts(table["dataset"]),
        "atoms": _range(table["n_atoms"]),
        "formation entropies": _range(labelled),
        "resolved by atoms": resolved,
        "repeats of others": int((table["duplicate_of"] != "").sum()),
    }


def _counts(column):
    return {str(name): int(count) for name, count in column.value_counts(sort=False).items() if name != ""}


def _range(column):
    return [column.min().item(), column.max().item()] if len(column) else []


def check_labelled(table: pd.DataFrame) -> None:
    """Check that every data set has a configuration with a label.

    Parameters
    ----------
    table : pandas.DataFrame

    Raises
    ------
    DataError
        Naming the data sets that have none, with the first reason.
    """
    problems = [
        f"{name}: none of its {len(rows)} configurations has a label; "
        f"{rows['id'].iloc[0]} is {rows['status'].iloc[0]}: {rows['reason'].iloc[0]}"
        for name, rows in table.groupby("dataset")
        if not (rows["status"] == Status.LABELLED).any()
    ]
    if problems:
        raise DataError("\n".join(problems))
