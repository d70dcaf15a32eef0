"""Rows that a long command keeps as they come, so that the same command goes on where an earlier one stopped.

They stand beside the output as ``<output>.partial``, a line of JSON each, until the output is complete. Each has a
fingerprint of everything that it depends on: what the options say, what their files hold, and the configuration.
Rows with another one stay unused. Finite differences keep the forces of the Hessian that they are at as
``<output>.forces.partial``, see `vibentropy.potentials.response_file`.
"""

import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from hashlib import sha256 as hash_of
from pathlib import Path
from typing import Any, TextIO

import click
import numpy as np
from ase import Atoms

from vibentropy.datasets.table import SITE_ENTROPY, Status
from vibentropy.files.atomic import sha256
from vibentropy.files.progress import Note
from vibentropy.potentials.response_file import ResponseFile

#: Labels one configuration: the configuration, relaxed where that was asked for, and its columns.
Compute = Callable[[Atoms], tuple[Atoms, dict[str, Any]]]


class Resumed:
    """Labels configurations, or takes over what an interrupted command had made of them.

    Parameters
    ----------
    path : pathlib.Path or None
        File of the rows; None for no file, which takes over nothing and keeps nothing.
    about : dict
        Everything else that a label depends on; JSON.
    compute : callable
        See `Compute`.
    note : callable
        Told how many rows are taken over.
    forces : ResponseFile or None
        What `compute` keeps of the label that it is at.

    Attributes
    ----------
    n_kept : int
        Rows of this command that are in the file.
    """

    def __init__(
        self, path: Path | None, about: dict[str, Any], compute: Compute, note: Note, forces: ResponseFile | None = None
    ) -> None:
        self._path, self._compute, self._note, self._forces = path, compute, note, forces
        self._about = hash_of(json.dumps(about, sort_keys=True).encode()).hexdigest()
        # Where each row begins: rows hold positions, which memory may not.
        self._rows, others = {}, False
        for begin, row in _rows(path) if path else ():
            if row["about"] == self._about:
                self._rows[row["key"]] = begin
            else:
                others = True
        if others:
            note(f"{path}: rows made with other options, or with another potential or reference, are not taken over")
        self._stream: TextIO | None = None
        self.n_kept = self._n_taken = self._n_said = 0

    def __call__(self, atoms: Atoms) -> tuple[Atoms, dict[str, Any]]:
        """Label a configuration.

        Parameters
        ----------
        atoms : ase.Atoms

        Returns
        -------
        atoms : ase.Atoms
        columns : dict
        """
        if self._path is None:
            return self._compute(atoms)
        key = self._fingerprint(atoms)
        if key in self._rows:
            self.n_kept += 1
            self._n_taken += 1
            return _restored(_row_at(self._path, self._rows[key]), atoms)
        self._say()
        labelled, columns = self._compute(atoms)
        # What was refused costs little to refuse again, and a crash or a time limit may not happen twice.
        if columns["status"] != Status.REJECTED:
            self._keep(key, atoms, labelled, columns)
            if self._forces is not None:
                self._forces.labelled()
        elif self._forces is not None:
            self._forces.failed()
        return labelled, columns

    def _fingerprint(self, atoms):
        """Hash of what a label depends on; calculators may look at anything that a file says of a configuration."""
        found = hash_of(self._about.encode())  # Rows of several options may stand in one file.
        for name, array in sorted({**atoms.arrays, "cell": atoms.cell[:], "pbc": atoms.pbc}.items()):
            found.update(f"{name} {array.dtype.str} {array.shape}".encode())
            found.update(np.ascontiguousarray(array).tobytes())
        found.update(repr(sorted(atoms.info.items())).encode())
        return found.hexdigest()

    def _keep(self, key, atoms, labelled, columns):
        if self._stream is None:
            self._stream = _continued(self._path)
        new = {
            name: labelled.arrays[name]
            for name in ("positions", SITE_ENTROPY)
            if name in labelled.arrays and not np.array_equal(labelled.arrays[name], atoms.arrays.get(name))
        }
        arrays = {name: array.tolist() for name, array in new.items()}
        line = {"about": self._about, "key": key, "columns": columns, "arrays": arrays}
        self._stream.write(json.dumps(line, default=lambda value: value.item()) + "\n")
        self._stream.flush()
        self.n_kept += 1

    def _say(self):
        """Say how many rows are taken over, whenever there are more than were said."""
        if self._n_taken > self._n_said:
            self._note(f"{self._path}: {self._n_taken} rows of an interrupted command are taken over")
        self._n_said = self._n_taken

    def close(self, complete: bool) -> None:
        """End the files, and say what they keep.

        Parameters
        ----------
        complete : bool
            Whether the output has all rows, so that these files are not needed any more.
        """
        if self._stream is not None:
            self._stream.close()
        self._say()
        kept = []
        if complete and self._path is not None:
            self._path.unlink(missing_ok=True)
        elif self.n_kept:
            kept.append(f"{self._path} keeps {self.n_kept} rows")
        forces = self._forces.close(complete) if self._forces is not None else ""
        if forces:
            kept.append(forces)
        if kept:
            click.echo(f"{' and '.join(kept)}: the same command goes on from there", err=True)


@contextmanager
def resumed(
    output: str | None, about: dict[str, Any], compute: Compute, note: Note, forces: ResponseFile | None = None
) -> Iterator[Resumed]:
    """Yield a `Resumed` for an output; what it has is kept unless all that is within this context succeeds.

    Parameters
    ----------
    output : str or None
        File that is written in the end; None for the screen, from which nothing can be taken over.
    about, compute, note, forces
        See `Resumed`.

    Yields
    ------
    Resumed
    """
    labels = Resumed(Path(f"{output}.partial") if output else None, about, compute, note, forces)
    complete = False
    try:
        yield labels
        complete = True
    finally:
        labels.close(complete)


def files_named(value: Any) -> dict[str, str]:
    """Find files whose content matters where their path stands, such as in the parameters of a calculator.

    Parameters
    ----------
    value : object
        Mappings and lists, of texts among others.

    Returns
    -------
    dict
        SHA-256 by path.
    """
    if isinstance(value, dict | list | tuple):
        parts = value.values() if isinstance(value, dict) else value
        return {path: digest for part in parts for path, digest in files_named(part).items()}
    return {value: sha256(value)} if isinstance(value, str) and os.path.isfile(value) else {}


def _rows(path):
    """Yield the rows of a file and where they begin, without those that were not written to their end."""
    if not path.exists():
        return
    begin = 0
    with open(path, "rb") as file:
        for line in file:
            with suppress(ValueError):
                row = json.loads(line)
                if isinstance(row, dict) and row.keys() >= {"about", "key", "columns", "arrays"}:
                    yield begin, row
            begin += len(line)


def _row_at(path, begin):
    with open(path, "rb") as file:
        file.seek(begin)
        return json.loads(file.readline())


def _continued(path):
    """Open a file of rows behind its last line, which may have no end."""
    torn = False
    if path.exists() and path.stat().st_size:
        with open(path, "rb") as file:
            file.seek(-1, os.SEEK_END)
            torn = file.read() != b"\n"
    stream = open(path, "a", encoding="utf-8")  # noqa: SIM115  # It stays open from row to row.
    stream.write("\n" * torn)
    return stream


def _restored(row, atoms):
    """Give a configuration and its columns as they were computed."""
    arrays = {name: np.array(values) for name, values in row["arrays"].items()}
    if arrays:
        atoms = atoms.copy()
        atoms.arrays |= arrays
    return atoms, row["columns"]
