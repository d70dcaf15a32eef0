"""What binds complexes of defects, by the labels of a run: of each class against the classes of its parts.

A class says in its name what it is made of: ``V1+P2``, ``2V_Fe+P_Fe``, ``I3``. Its parts are the classes of one alone,
by their minimum of lowest energy in the same cell; a lone solute that is a reference of the run has formed nothing.
Names are only believed as far as atoms bear them out: complex and perfect crystals hold the atoms of the parts.
"""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from ase import Atoms

from vibentropy.atoms.reference import CELL_TOLERANCE
from vibentropy.atoms.reference_cells import ReferenceCells
from vibentropy.labels.binding import CONVENTION

#: A part in the name of a class, with its number before or behind: ``V2``, ``2V_Fe``, ``P_Fe``.
_PART = re.compile(r"(?P<before>\d*)(?P<name>[A-Z][A-Za-z]*(?:_[A-Z][A-Za-z]*)?)(?P<behind>\d*)")

#: Columns of `bindings`.
_COLUMNS = [
    *("defect_class", "n_sites", "id", "parts", "formation_energy", "formation_entropy"),
    *("binding_energy", "binding_entropy", "convention"),
]


def excess(atoms: Atoms, crystal: Atoms) -> Counter[str]:
    """Count the atoms of each element that a cell has more than the perfect crystal.

    Parameters
    ----------
    atoms, crystal : ase.Atoms

    Returns
    -------
    Counter
        By chemical symbol, below zero where there are fewer; without zeros.
    """
    more = Counter(atoms.get_chemical_symbols())
    more.subtract(crystal.get_chemical_symbols())
    return Counter({symbol: number for symbol, number in more.items() if number})


def parts_of(defect_class: str, crystal: Atoms) -> Counter[str]:
    """Read from its name what a class is made of.

    Parameters
    ----------
    defect_class : str
        Such as ``V1+P2`` or ``2V_Fe+P_Fe``.
    crystal : ase.Atoms
        In a crystal of one element, ``P_Fe`` is P.

    Returns
    -------
    Counter
        Parts by their names; empty for free text.
    """
    parts: Counter[str] = Counter()
    elements = set(crystal.get_chemical_symbols())
    for text in defect_class.split("+"):
        match = _PART.fullmatch(text)
        if match is None or (match["before"] and match["behind"]):
            return Counter()
        name, _, site = match["name"].partition("_")
        if site and elements != {site}:
            name = match["name"]
        parts[name] += int(match["before"] or match["behind"] or 1)
    return parts


@dataclass(frozen=True, eq=False)
class Minimum:
    """A labelled minimum, with what its class is made of.

    Attributes
    ----------
    id, defect_class : str
    atoms, crystal : ase.Atoms
        The perfect crystal is in the same cell.
    energy, entropy : float
        Of formation, eV and k_B.
    parts : Counter
        See `parts_of`.
    excess : Counter
        See `excess`.
    """

    id: str
    defect_class: str
    atoms: Atoms
    crystal: Atoms
    energy: float
    entropy: float
    parts: Counter[str]
    excess: Counter[str]

    @classmethod
    def of(cls, row: Mapping[Any, Any], atoms: Atoms, crystal: Atoms) -> "Minimum":
        """Take it from a row of the table of a set.

        Parameters
        ----------
        row : mapping
            With id, defect_class, formation_energy and formation_entropy.
        atoms, crystal : ase.Atoms

        Returns
        -------
        Minimum
        """
        name = str(row["defect_class"])
        formed = float(row["formation_energy"]), float(row["formation_entropy"])
        return cls(str(row["id"]), name, atoms, crystal, *formed, parts_of(name, crystal), excess(atoms, crystal))

    @property
    def is_complex(self) -> bool:
        """Whether it has several parts."""
        return self.parts.total() > 1

    def shares_cell(self, other: "Minimum") -> bool:
        """Tell whether another one is compared with the same perfect crystal.

        Parameters
        ----------
        other : Minimum

        Returns
        -------
        bool
        """
        cells = self.crystal.cell[:] - other.crystal.cell[:]
        return len(self.crystal) == len(other.crystal) and bool(np.abs(cells).max() <= CELL_TOLERANCE)


def lone_solutes(references: ReferenceCells) -> list[Minimum]:
    """Find which references of a run are the perfect crystal with one solute: these have formed nothing.

    Parameters
    ----------
    references : ReferenceCells

    Returns
    -------
    list of Minimum
    """
    first, *others = references.cells
    lone = []
    for cell, filled in zip(others, references.crystals[1:], strict=True):
        crystal = first if filled is None else filled
        more = excess(cell, crystal)
        if len(cell) == len(crystal) and sorted(more.values()) == [-1, 1]:
            solute, site = sorted(more, key=lambda symbol: -more[symbol])
            parts = parts_of(f"{solute}_{site}", crystal)
            lone.append(Minimum("reference", f"{solute}_{site}", cell, crystal, 0.0, 0.0, parts, more))
    return lone


def bind(minima: Sequence[Minimum], lone: Sequence[Minimum] = ()) -> list[tuple[Minimum, float, float]]:
    """Find how those of minima bind that have several parts, all of which are among them or lone solutes.

    Parameters
    ----------
    minima : sequence of Minimum
        With the lowest of each part.
    lone : sequence of Minimum
        See `lone_solutes`.

    Returns
    -------
    list of (Minimum, float, float)
        Complexes with their binding energy (eV) and entropy (k_B): those of formation less those of the parts.
    """
    single = sorted((one for one in minima if one.parts.total() == 1), key=lambda one: one.energy)
    bound = []
    for one in minima:
        if not one.is_complex:
            continue
        found = {}
        for name in one.parts:
            alone = [part for part in single if name in part.parts and part.shares_cell(one)]
            alone += [part for part in lone if name in part.parts]
            found[name] = alone[0] if alone else None
        parts = [(number, part) for name, number in one.parts.items() if (part := found[name]) is not None]
        if len(parts) < len(found) or not _balanced(one, parts):
            continue
        energy = one.energy - sum(number * part.energy for number, part in parts)
        entropy = one.entropy - sum(number * part.entropy for number, part in parts)
        bound.append((one, energy, entropy))
    return bound


def _balanced(one, parts):
    """Whether complex and perfect crystals hold the atoms of the parts."""
    left = Counter(one.excess)
    for number, part in parts:
        left.subtract({symbol: number * more for symbol, more in part.excess.items()})
    return not any(left.values())


def bindings(minima: Sequence[Minimum], lone: Sequence[Minimum] = ()) -> pd.DataFrame:
    """Tabulate how the minimum of lowest energy of each class binds, in each size of the cell.

    Parameters
    ----------
    minima, lone
        See `bind`.

    Returns
    -------
    pandas.DataFrame
        defect_class, n_sites, id, parts, formation_energy and binding_energy (eV), formation_entropy and
        binding_entropy (k_B), and convention, which says what the signs mean; the most strongly bound first. Classes
        whose parts are not all in the run, in the same cell, are left out.
    """
    rows = [
        {
            "defect_class": one.defect_class,
            "n_sites": len(one.crystal),
            "id": one.id,
            "parts": name_of(one.parts),
            "formation_energy": one.energy,
            "formation_entropy": one.entropy,
            "binding_energy": energy,
            "binding_entropy": entropy,
            "convention": CONVENTION,
        }
        for one, energy, entropy in bind(minima, lone)
    ]
    table = pd.DataFrame(rows, columns=_COLUMNS).sort_values(["binding_energy", "id"], ignore_index=True)
    return table.drop_duplicates(["defect_class", "n_sites"], ignore_index=True)


def name_of(parts: Mapping[str, int]) -> str:
    """Write parts as ``V + 2 P``.

    Parameters
    ----------
    parts : mapping of str to int

    Returns
    -------
    str
    """
    return " + ".join(name if number == 1 else f"{number} {name}" for name, number in parts.items())
