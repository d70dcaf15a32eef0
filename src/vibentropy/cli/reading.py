"""Configurations of several files, one at a time; a fault of one does not stop the others."""

from collections.abc import Iterator, Sequence

import click
from ase import Atoms

from vibentropy.errors import VibentropyError
from vibentropy.files.progress import Within, ignore
from vibentropy.sources.any_file import count_frames, read_any


class Reader:
    """Yields the configurations of a command's files and keeps account of those that cannot be used.

    Parameters
    ----------
    paths : sequence of str
    file_format : str or None
        Name of ASE's format.
    element : str, optional
        Chemical symbol of all atoms of dumps of LAMMPS that say their types only.

    Attributes
    ----------
    n_read, n_bad, n_cut : int
        Configurations that were read, faults that were reported, and those among them that ended a file.
    n_partial : int
        Configurations that could be used, but not for all that was asked for.
    """

    def __init__(self, paths: Sequence[str], file_format: str | None, element: str | None = None) -> None:
        self._paths, self._format, self._element = paths, file_format, element
        self.n_read = self.n_bad = self.n_cut = self.n_partial = 0

    def __iter__(self) -> Iterator[tuple[str, int, Atoms | VibentropyError]]:
        """Yield as `frames`."""
        return self.frames()

    def frames(self, within: Within = ignore) -> Iterator[tuple[str, int, Atoms | VibentropyError]]:
        """Yield the configurations of all files; or, in place of the rest of a file, the error that ends it.

        Parameters
        ----------
        within : callable
            Called now and then with the share of a large configuration that is read, from 0 to 1.

        Yields
        ------
        path : str
        number : int
            Of the configuration in the file, from 0.
        atoms : ase.Atoms or VibentropyError
        """
        for path in self._paths:
            number = 0
            try:
                for atoms in read_any(path, self._format, self._element, within):
                    self.n_read += 1
                    yield path, number, atoms
                    number += 1
            except VibentropyError as error:
                self.n_cut += 1
                yield path, number, error

    def total(self) -> int | None:
        """Count the configurations of all files, None where that is not cheap."""
        counts = [count_frames(path, self._format) for path in self._paths]
        return None if None in counts else sum(filter(None, counts))

    def bad(self, path: str, number: int, error: Exception | str) -> str:
        """Report on stderr a configuration that cannot be used.

        Parameters
        ----------
        path : str
        number : int
            Of the configuration in the file, from 0.
        error : Exception or str

        Returns
        -------
        str
            The reason without the place.
        """
        self.n_bad += 1
        return self._report(path, number, error)

    def partial(self, path: str, number: int, error: Exception | str) -> str:
        """Report on stderr what a configuration lacks that can be used otherwise.

        Parameters
        ----------
        path, number, error
            See `bad`.

        Returns
        -------
        str
            See `bad`.
        """
        self.n_partial += 1
        return self._report(path, number, error)

    def _report(self, path, number, error):
        located = error if isinstance(error, VibentropyError) else VibentropyError(str(error))
        located.locate(path, f"frame {number}")
        click.echo(located, err=True)
        return located.message

    def finish(self, context: click.Context, output: str | None = None) -> None:
        """Say what became of the configurations where that is not on the screen, and end the command.

        Its exit code is 1 where a configuration could not be used, or not for all that was asked for, and 2 where
        none could be used.

        Parameters
        ----------
        context : click.Context
        output : str, optional
            File that results were written to; None for the screen.
        """
        unused = self.n_bad - self.n_cut
        if output:
            bad = f"; {unused} could not be used" if unused else ""
            bad += f"; {self.n_partial} only in part" if self.n_partial else ""
            bad += f"; {self.n_cut} file{'s' * (self.n_cut > 1)} could not be read to the end" if self.n_cut else ""
            click.echo(f"{output}: {self.n_read} configurations read{bad}", err=True)
        context.exit(0 if not self.n_bad + self.n_partial else 1 if self.n_read > unused else 2)


def read_reference(path: str, element: str | None = None) -> Atoms:
    """Read the perfect crystal of a command, from a file with one configuration.

    Parameters
    ----------
    path : str
    element : str, optional
        Chemical symbol of all atoms of dumps of LAMMPS that say their types only.

    Returns
    -------
    ase.Atoms

    Raises
    ------
    DataError
        As `vibentropy.sources.perfect.reference_crystal`.
    """
    from vibentropy.sources.perfect import reference_crystal

    return reference_crystal(path, element=element)
