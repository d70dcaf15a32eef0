"""Configurations of several files, one at a time; a fault of one does not stop the others."""

from collections.abc import Iterator, Sequence
from itertools import islice

import click
from ase import Atoms

from vibentropy.cli.inputs import Input
from vibentropy.cli.options import is_stdout
from vibentropy.errors import DataError, VibentropyError
from vibentropy.files.facts import counted
from vibentropy.files.progress import Within, ignore
from vibentropy.sources.any_file import count_frames, read_any


class Reader:
    """Yields the configurations of a command's files and keeps account of those that cannot be used.

    Parameters
    ----------
    files : sequence of Input
    file_format : str or None
        Name of ASE's format.
    element : str, optional
        Chemical symbol of all atoms of dumps of LAMMPS that say their types only.
    quiet : bool
        Whether `finish` says nothing.

    Attributes
    ----------
    n_read, n_bad, n_cut : int
        Configurations that were read, faults that were reported, and those among them that ended a file.
    n_partial : int
        Configurations that could be used, but not for all that was asked for.
    """

    def __init__(
        self, files: Sequence[Input], file_format: str | None, element: str | None = None, quiet: bool = False
    ) -> None:
        self._files, self._format, self._element, self._quiet = files, file_format, element, quiet
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
        name : str
            Of the file.
        number : int
            Of the configuration in the file, from 0.
        atoms : ase.Atoms or VibentropyError
        """
        for file in self._files:
            following = 0
            try:
                for number, atoms in _numbered(file, self._format, self._element, within):
                    self.n_read += 1
                    yield file.name, number, atoms
                    following = number + 1
            except VibentropyError as error:
                self.n_cut += 1
                if error.place[:1] == (file.path,):
                    error.place = (file.name, *error.place[1:])
                yield file.name, following, error

    def total(self) -> int | None:
        """Count the configurations of all files, None where that is not cheap."""
        counts = [(file, count_frames(file.path, self._format)) for file in self._files]
        return (
            sum(len(range(n)[file.part]) for file, n in counts if n) if all(n is not None for _, n in counts) else None
        )

    def bad(self, name: str, number: int, error: Exception | str) -> str:
        """Report on stderr a configuration that cannot be used.

        Parameters
        ----------
        name : str
            Of the file.
        number : int
            Of the configuration in the file, from 0.
        error : Exception or str

        Returns
        -------
        str
            The reason without the place.
        """
        self.n_bad += 1
        return self._report(name, number, error)

    def partial(self, name: str, number: int, error: Exception | str) -> str:
        """Report on stderr what a configuration lacks that can be used otherwise.

        Parameters
        ----------
        name, number, error
            See `bad`.

        Returns
        -------
        str
            See `bad`.
        """
        self.n_partial += 1
        return self._report(name, number, error)

    def _report(self, name, number, error):
        located = error if isinstance(error, VibentropyError) else VibentropyError(str(error))
        located.locate(name, f"frame {number}")
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
        if output and not is_stdout(output) and not self._quiet:
            bad = f"; {unused} could not be used" if unused else ""
            bad += f"; {self.n_partial} only in part" if self.n_partial else ""
            bad += f"; {counted(self.n_cut, 'file')} could not be read to the end" if self.n_cut else ""
            click.echo(f"{output}: {counted(self.n_read, 'configuration')} read{bad}", err=True)
        context.exit(0 if not self.n_bad + self.n_partial else 1 if self.n_read > unused else 2)


def _numbered(file, file_format, element, within):
    """Yield the configurations of a file that are asked for, each with its number in the file."""
    if not file.frames:
        yield from enumerate(read_any(file.path, file_format, element, within))
        return
    part, total = file.part, count_frames(file.path, file_format)
    if total is None and min(part.start or 0, part.stop or 0) < 0:
        # From the end, which only reading finds.
        total = sum(1 for _ in read_any(file.path, file_format, element))
    if total is None:
        n_found = 0
        for found in islice(
            enumerate(read_any(file.path, file_format, element, within)), part.start, part.stop, part.step
        ):
            n_found += 1
            yield found
        if not n_found:
            raise DataError(f"holds no frame {file.frames}, they are numbered from 0", file.path)
        return
    wanted = range(total)[part]
    if not wanted:
        there = f"frames 0 to {total - 1}" if total > 1 else "frame 0 only"
        raise DataError(f"holds {there}, not {file.frames}", file.path)
    frames = read_any(file.path, file_format, element, within, wanted.start, wanted[-1] + 1)
    yield from islice(enumerate(frames, wanted.start), None, None, wanted.step)
