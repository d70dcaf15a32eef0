"""The potential that the configuration of a run names: analytic, by LAMMPS, or by ASE.

Potentials are of the protocol `vibentropy.potentials.protocols.Interaction`. Engines are of the protocol
`vibentropy.potentials.protocols.Engine` and run in processes of their own: a crash is an error like any other.
"""

import json
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ase.data import atomic_numbers

from vibentropy.errors import PotentialError
from vibentropy.files.atomic import sha256
from vibentropy.potentials.ase_engine import AseEngine
from vibentropy.potentials.embedded_atom import Potential, find_potential
from vibentropy.potentials.finite_differences import FiniteDifferencePotential
from vibentropy.potentials.lammps_engine import LammpsEngine
from vibentropy.potentials.own_process import IsolatedEngine


def is_analytic(specification: Mapping[str, Any]) -> bool:
    """Whether a potential has an analytic Hessian, as the smooth representation of an embedded-atom potential has.

    Parameters
    ----------
    specification : dict
        As for `load_potential`.

    Returns
    -------
    bool
    """
    return "file" in specification


def load_potential(specification: Mapping[str, Any]) -> Potential | FiniteDifferencePotential:
    """Build the potential that a configuration of a run names.

    Parameters
    ----------
    specification : dict
        ``potential`` of a configuration: element, and either file; or pair_style, pair_coeff and step; or calculator,
        parameters and step.

    Returns
    -------
    Potential or FiniteDifferencePotential

    Raises
    ------
    ConfigError, PotentialError
        If it cannot be built.
    """
    if is_analytic(specification):
        return Potential.from_setfl(specification["file"], specification["element"])
    return FiniteDifferencePotential(_general_engine(specification), specification["element"], specification["step"])


def start_engine(specification: Mapping[str, Any], table: str | Path | None = None) -> IsolatedEngine:
    """Start an engine that anneals and relaxes with a potential.

    Parameters
    ----------
    specification : dict
        See `load_potential`.
    table : path-like, optional
        Written by `Potential.write_setfl`; needed for analytic potentials.

    Returns
    -------
    IsolatedEngine
        A `LammpsEngine` or an `AseEngine`.
    """
    if is_analytic(specification):
        return IsolatedEngine(LammpsEngine.on_table, table, specification["element"])
    return _general_engine(specification)


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
        If the file of an analytic potential does not exist, or the quotes in a command do not match.
    """
    if is_analytic(specification):
        return [str(find_potential(specification["file"]))]
    commands = [specification.get("pair_style", ""), *specification.get("pair_coeff", [])]
    paths = [_shipped(word) for command in commands for word in _words(command) if _may_be_a_file(word, specification)]
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
    described = {key: value for key, value in specification.items() if key != "file"}
    return json.dumps({**described, "files": {Path(file).name: sha256(file) for file in files}}, sort_keys=True)


def _general_engine(specification):
    if "pair_style" in specification:
        style, *coefficients = (
            _resolved(command, specification) for command in (specification["pair_style"], *specification["pair_coeff"])
        )
        return IsolatedEngine(LammpsEngine, style, coefficients, specification["element"])
    return IsolatedEngine(AseEngine.named, specification["calculator"], specification["parameters"])


def _resolved(command, specification):
    """Replace the names of files in a command of LAMMPS by their paths."""
    words = [(_may_be_a_file(word, specification) and _shipped(word)) or word for word in _words(command)]
    return " ".join(f'"{word}"' if " " in word else word for word in words)


def _words(command):
    try:
        return shlex.split(command)
    except ValueError as error:
        raise PotentialError(f"{command!r}: {error}") from None


def _may_be_a_file(word, specification):
    """Whether a word is neither the name of a pair style nor a chemical symbol, which files could be called, too."""
    return word not in atomic_numbers and word not in _words(specification["pair_style"])[:1]


def _shipped(word):
    try:
        return str(find_potential(word).resolve())
    except PotentialError:
        return None
