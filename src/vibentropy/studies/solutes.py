"""How many of a crystal's defects hold solutes in equilibrium: mass action in a dilute alloy.

Each minimum k with n_kX atoms of solute X occurs on ``c_k = z_k exp(-F_k / k_B T) Π_X λ_X^n_kX`` of the sites, F_k
being its free energy of formation relative to lone solutes and z_k its multiplicity. The activities λ_X follow from the
total content of each solute, ``Σ_k n_kX c_k = x_X``, lone ones included. Defects without solutes are those of the
pure crystal (`vibentropy.studies.thermodynamics`). All of that holds as long as everything is dilute.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from ase.units import kB
from scipy.optimize import root

from vibentropy.errors import DataError
from vibentropy.studies.complexes import Minimum, bind, name_of
from vibentropy.studies.thermodynamics import formation_free_energy

#: How far (relative) contents of solutes may be from what was asked for.
_TOLERANCE = 1e-9

_COLUMNS = ["part", "temperature", "bound", "defect", "minima", "concentration", "share"]


def species(minima: Sequence[Minimum], lone: Sequence[Minimum], solutes: Mapping[str, float]) -> list[Minimum]:
    """Choose the minima that a dilute alloy is made of.

    Parameters
    ----------
    minima, lone
        See `vibentropy.studies.complexes.bind`.
    solutes : mapping of str to float
        Contents by element; minima with others are left out.

    Returns
    -------
    list of Minimum
        Of all that have the same parts, in their largest cell: of single defects and of complexes without solutes the
        lowest minimum, of complexes with solutes all minima with a binding energy below zero. Lone solutes, where no
        class is one.

    Raises
    ------
    DataError
        If a solute is an element of the crystal, or no lone one is known.
    """
    crystal = set((minima or lone)[0].crystal.get_chemical_symbols()) if minima or lone else set()
    for solute in solutes:
        if solute in crystal:
            raise DataError(f"`thermodynamics.solutes` names {solute}, an element of the crystal: name solutes alone")
    bound = {id(one) for one, energy, _ in bind(minima, lone) if energy < 0}
    chosen: dict[frozenset[tuple[str, int]], list[Minimum]] = {}
    for one in sorted(minima, key=lambda one: (-len(one.crystal), one.energy)):
        held = set(one.excess) - crystal
        if not one.parts or held - set(solutes) or (one.is_complex and id(one) not in bound):
            continue
        alike = chosen.setdefault(frozenset(one.parts.items()), [])
        if not alike or (one.is_complex and held and len(one.crystal) == len(alike[0].crystal)):
            alike.append(one)
    found = [one for alike in chosen.values() for one in alike]
    single = {name for one in found if not one.is_complex for name in one.parts}
    found += [one for one in lone if not set(one.parts) & single and set(one.excess) - crystal <= set(solutes)]
    for solute in solutes:
        if not any(one.excess[solute] == 1 and not one.is_complex for one in found):
            raise DataError(
                f"`thermodynamics.solutes` names {solute}, of which no reference or class is a single one in the "
                "crystal: give a reference with one"
            )
    return found


def dilute(
    found: Sequence[Minimum],
    multiplicities: Sequence[float],
    solutes: Mapping[str, float],
    temperatures: Sequence[float],
) -> pd.DataFrame:
    """Compute in which defects vacancies, interstitials and solutes are in thermal equilibrium.

    Parameters
    ----------
    found : sequence of Minimum
        See `species`.
    multiplicities : sequence of float
        Of each (`vibentropy.studies.multiplicity`).
    solutes : mapping of str to float
        Content of each element, in atoms per site.
    temperatures : sequence of float
        In K.

    Returns
    -------
    pandas.DataFrame
        One row per part (V, P), temperature and defect that has it: bound, the share of all such parts that is in
        complexes with solutes; the defect, the number of its minima, their concentration per site together, and the
        share of such parts that is in them.

    Raises
    ------
    DataError
        If no activities give these contents.
    """
    held = np.array([[one.excess[name] for name in solutes] for one in found], dtype=float)
    contents = np.array(list(solutes.values()))
    energies, entropies = ([getattr(one, name) for one in found] for name in ("energy", "entropy"))
    rows = []
    for temperature in temperatures:
        free = formation_free_energy(energies, entropies, temperature)
        numbers = _mass_action(np.log(multiplicities) - free / (kB * temperature), held, contents)
        rows += _rows(found, numbers, held.any(axis=1), temperature)
    return pd.DataFrame(rows, columns=_COLUMNS).sort_values(
        ["part", "temperature", "concentration"], ascending=[True, True, False], ignore_index=True
    )


def _mass_action(weights, held, contents):
    """Concentrations exp(weights + held @ μ) of minima, with the μ that give the contents of solutes.

    In logarithms of the contents the problem is nearly linear, however large binding energies are.
    """

    def numbers(activities):
        return np.exp(weights + held @ activities)

    def residual(activities):
        taken = held * numbers(activities)[:, None]
        total = taken.sum(axis=0)
        return np.log(total / contents), (taken.T @ held) / total[:, None]

    # As if all solutes were alone, which is more than there can be: no sum overflows on the way from there.
    alone = held.sum(axis=1) == 1
    start = [np.log(x) - max(weights[alone & (of == 1)]) for x, of in zip(contents, held.T, strict=True)]
    solution = root(residual, start, jac=True, tol=1e-13)
    if not np.abs(residual(solution.x)[0]).max() <= _TOLERANCE:
        raise DataError(
            f"no activities give the contents of solutes, found {residual(solution.x)[0]} for the logarithms of their "
            "ratio: are all complexes dilute, with less of each solute?"
        )
    return numbers(solution.x)


def _rows(found, numbers, with_solutes, temperature):
    """Rows of a temperature."""
    rows = []
    complexes = with_solutes & np.array([one.is_complex for one in found])
    for part in dict.fromkeys(name for one in found for name in one.parts):
        of_part = np.array([one.parts[part] for one in found]) * numbers
        whole = of_part.sum()
        common = {"part": part, "temperature": temperature, "bound": of_part[complexes].sum() / whole}
        alike: dict[str, list[int]] = {}
        for k in np.flatnonzero([part in one.parts for one in found]).tolist():
            alike.setdefault(name_of(dict(sorted(found[k].parts.items(), reverse=True))), []).append(k)
        for defect, members in alike.items():
            of_defect = {"concentration": numbers[members].sum(), "share": of_part[members].sum() / whole}
            rows.append(common | {"defect": defect, "minima": len(members), **of_defect})
    return rows
