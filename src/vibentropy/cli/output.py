"""Rows and configurations as CSV, JSON, extended XYZ, or a table on the screen; written as they come."""

from __future__ import annotations

import csv
import json
import math
import sys
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import click
import numpy as np

from vibentropy.cli.inputs import Input
from vibentropy.cli.options import is_stdout
from vibentropy.files.atomic import atomic

#: A row by names of columns.
Row = dict[str, Any]

#: Takes a row and, where its file holds configurations, the configuration.
Write = Callable[..., object]


def rows_to(path: str | None, columns: Sequence[str], screen: Sequence[Column]) -> AbstractContextManager[Write]:
    """Open the file or the screen that a command writes its rows to.

    Parameters
    ----------
    path : str or None
        File whose suffix is one of `vibentropy.cli.options.ROW_SUFFIXES`, or `-` and such a suffix for stdout; None
        for the table on the screen.
    columns : list of str
        Of a CSV file; others of a row are left out.
    screen : list of Column

    Returns
    -------
    context manager
        Of a callable that takes a row (dict) and its configuration (ase.Atoms), dressed for extended XYZ; None where
        none could be read, which has no place there.
    """
    if path is None:
        return _screen(screen)
    if path.endswith(".csv"):
        return _csv(path, columns)
    return _json(path) if path.endswith(".json") else _extxyz(path)


class Column:
    """Column of the table on the screen.

    Parameters
    ----------
    title : str
    width : int
        Negative to begin at the left.
    text : callable
        From a row to text.
    """

    def __init__(self, title: str, width: int, text: Callable[[Row], str]) -> None:
        self.title, self.width, self.text = title, width, text

    def cell(self, text: str) -> str:
        """Pad text to the width of the column.

        Parameters
        ----------
        text : str

        Returns
        -------
        str
        """
        return text.rjust(self.width) if self.width > 0 else text.ljust(-self.width)


def place_columns(files: Sequence[Input]) -> list[Column]:
    """Columns of the table on the screen that say which file and frame a configuration is from.

    Parameters
    ----------
    files : sequence of Input
        That may occur; the longest name sets the width.

    Returns
    -------
    list of Column
    """
    width = max(len("file"), *(len(file.name) for file in files))
    return [Column("file", -width, lambda row: row["file"]), Column("frame", 6, lambda row: str(row["frame"]))]


def number(name: str, digits: int = 3) -> Callable[[Row], str]:
    """Make the text of a number in a row of the table on the screen.

    Parameters
    ----------
    name : str
        Of the column of the row.
    digits : int
        Behind the decimal point.

    Returns
    -------
    callable
        From a row to text: a dash where there is no number, and no sign where it rounds to zero.
    """
    return lambda row: "-" if not math.isfinite(row.get(name, math.nan)) else f"{row[name]:z.{digits}f}"


@contextmanager
def _screen(columns):
    click.echo("  ".join(column.cell(column.title) for column in columns).rstrip())
    yield lambda row, atoms=None: click.echo("  ".join(column.cell(column.text(row)) for column in columns).rstrip())


@contextmanager
def _opened(path):
    """Yield a text stream that becomes the file when all is written, or stdout, whose reader waits for each row."""
    if is_stdout(path):
        yield sys.stdout
        return
    with atomic(path) as temporary, open(temporary, "w", newline="", encoding="utf-8") as stream:
        yield stream


@contextmanager
def _csv(path, columns):
    with _opened(path) as stream:
        writer = csv.DictWriter(stream, columns, restval="", extrasaction="ignore", lineterminator="\n")
        writer.writeheader()

        def write(row, atoms=None):
            writer.writerow({name: _plain(value) for name, value in row.items()})
            stream.flush()

        yield write


@contextmanager
def _json(path):
    with _opened(path) as stream:
        before = "[\n"

        def write(row, atoms=None):
            nonlocal before
            plain = {name: _plain(value) for name, value in row.items()}
            stream.write(before + json.dumps(plain, ensure_ascii=False, allow_nan=False))
            stream.flush()
            before = ",\n"

        yield write
        stream.write("\n]\n" if before == ",\n" else "[]\n")


@contextmanager
def _extxyz(path):
    from ase.io.extxyz import write_extxyz

    with _opened(path) as stream:

        def write(row, atoms=None):
            if atoms is not None:
                write_extxyz(stream, [atoms])
                stream.flush()

        yield write


def _plain(value):
    """Value as plain Python has it; None for a number that is not finite."""
    if isinstance(value, np.ndarray):
        return value.tolist()
    value = value.item() if isinstance(value, np.generic) else value
    return None if isinstance(value, float) and not math.isfinite(value) else value
