"""Tables as CSV or JSON: written whole or not at all, read with the types that their owner declares."""

import json
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from vibentropy.errors import DataError
from vibentropy.files.atomic import atomic


def save_table(table: pd.DataFrame, path: Path | str) -> None:
    """Write a table as CSV or JSON, whole or not at all.

    Parameters
    ----------
    table : pandas.DataFrame
    path : path-like
        Its suffix, ``.csv`` or ``.json``, chooses the format; JSON is a list of objects with null for NaN. Floats keep
        all their digits.

    Raises
    ------
    DataError
        If the suffix is another one.
    """
    with atomic(path) as temporary:
        if temporary.suffix == ".csv":
            table.to_csv(temporary, index=False)
        elif temporary.suffix == ".json":
            rows = table.astype(object).where(table.notna(), None).to_dict("records")
            text = json.dumps(rows, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
            temporary.write_text(text, encoding="utf-8")
        else:
            raise DataError("tables are written as .csv or .json", path)


def read_table(
    *paths: Path | str,
    columns: Mapping[str, type | str],
    optional: Mapping[str, type | str] | None = None,
    others: type | str = str,
    kind: str = "the expected table",
) -> pd.DataFrame:
    """Read tables that `save_table` wrote as CSV, one after the other.

    Types are declared and never guessed from the values: a descriptor may be called ``10``, ``1e3`` or ``NA``.

    Parameters
    ----------
    *paths : path-like
    columns : dict
        Types, by name, of the columns that must be there: ``str`` (empty cells are empty text), ``int``, ``float``
        (empty cells are NaN), ``bool``, or ``"Int64"`` for whole numbers that may be missing.
    optional : dict, optional
        The same for columns that may be absent; they are then added, as if all their cells were empty.
    others : type
        That of all further columns.
    kind : str
        What the tables are, for messages, with its article: "a table of folds".

    Returns
    -------
    pandas.DataFrame
        Columns in the order of the first file, those that it lacks at the end.

    Raises
    ------
    DataError
        If a file is missing, is no CSV table or lacks a column, or if a value does not have the type of its column;
        naming the file, the column and the line.
    """
    return pd.concat([_read(path, columns, optional or {}, others, kind) for path in paths], ignore_index=True)


#: From text to a value, and words for what is expected, by type of column.
_TYPES: dict[Any, tuple[Callable[[str], Any], str]] = {
    str: (str, "text"),
    int: (int, "a whole number"),
    "Int64": (lambda text: int(text) if text else pd.NA, "a whole number or nothing"),
    float: (lambda text: float(text or "nan"), "a number or nothing"),
    bool: ({"True": True, "False": False}.__getitem__, "True or False"),
}


def _read(path, columns, optional, others, kind):
    try:
        with warnings.catch_warnings():
            # Of rows that are longer than the header.
            warnings.simplefilter("error", pd.errors.ParserWarning)
            table = pd.read_csv(path, dtype=str, keep_default_na=False, index_col=False)
    except FileNotFoundError as error:
        raise DataError(f"no such file, expected {kind}", path) from error
    except (OSError, ValueError, pd.errors.ParserWarning) as error:
        raise DataError(f"not {kind} ({error})", path) from error
    missing = [name for name in columns if name not in table]
    if missing:
        raise DataError(
            f"not {kind}, it has no column {', '.join(missing)}; there are {', '.join(map(str, table))}", path
        )
    table = table.reindex(columns=[*table, *(name for name in optional if name not in table)], fill_value="")
    types = dict.fromkeys(table, others) | optional | columns
    return pd.DataFrame({name: _typed(path, table[name], types[name]) for name in table})


def _typed(path, column, wanted):
    """Column of text as the type that was declared for it."""
    parse, expected = _TYPES[wanted]
    values = []
    for line, text in enumerate(column, start=2):
        try:
            values.append(parse(text))
        except (ValueError, KeyError):
            message = f"column {column.name!r} holds {text!r} in line {line}, expected {expected}"
            raise DataError(message, path) from None
    return pd.Series(values, dtype=wanted)
