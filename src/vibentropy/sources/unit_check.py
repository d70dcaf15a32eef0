"""Entropies of a size that defects do not have: what a wrong unit, or the wrong kind of entropy, looks like.

An entropy in J/mol/K taken for one in k_B is 8.3 times too large, one in eV/K 11 600 times too small. A set is judged
as a whole, by medians and by its largest entropy, as single defects are of any size:

* per atom that a cell has more or less than its crystal, exact labels and published ones have medians of 1 to 5 k_B; a
  vacancy of iron has 2.6, which are 22 J/mol/K;
* per atom of the cell, a melt that was quenched in it has some 0.3 k_B, and no crystal more than 1.5: the whole of a
  cell's entropy is several k_B per atom;
* the largest entropy of a set is above 0.02 k_B unless all cells are perfect; 200 k_B are 0.017 eV/K.

What this cannot see: entropies in k_B that are said to be in J/mol/K are too small by 8.3, as small as those of some
metals. Sets of nothing but cells with many interstitials beside as many vacancies can be refused without a fault.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from vibentropy.errors import DataError
from vibentropy.units import KB_PER_ENTROPY_UNIT

#: Largest median of entropies per atom more or less than the crystal has, k_B.
MAX_PER_DEFECT = 12.0

#: Largest median of entropies per atom of the cell, k_B.
MAX_PER_ATOM = 1.5

#: The largest entropy of a set is at least this, k_B.
MIN_LARGEST = 0.02

#: Entropies below this are those of perfect cells, k_B.
_ZERO = 1e-6


def check_entropies(
    entropies: ArrayLike,
    n_atoms: ArrayLike,
    n_sites: ArrayLike,
    places: Sequence[str],
    unit: str = "k_B",
    kind: str = "formation",
    remedy: str = "",
) -> None:
    """Refuse a set of entropies of formation whose unit or kind cannot be what it is said to be.

    Parameters
    ----------
    entropies : array_like of shape (n,), k_B
        As converted from `unit`.
    n_atoms, n_sites : array_like of int of shape (n,)
        Of the cells and of their perfect crystals.
    places : sequence of str
        Where each entropy was found, for messages.
    unit : str
        Of the numbers there, a key of `vibentropy.units.KB_PER_ENTROPY_UNIT`.
    kind : str
        ``formation``, or ``total`` where the crystal was subtracted.
    remedy : str
        What to do where the entropies are right.

    Raises
    ------
    DataError
        Naming the largest entropy, its place, and the units in which the set would be usual.
    """
    entropies, n_atoms, n_sites = np.abs(entropies), np.asarray(n_atoms), np.asarray(n_sites)
    fault = _fault(entropies, n_atoms, n_sites)
    if fault:
        in_unit = entropies / KB_PER_ENTROPY_UNIT[unit]
        units = [
            other
            for other, factor in KB_PER_ENTROPY_UNIT.items()
            if other != unit and not _fault(in_unit * factor, n_atoms, n_sites)
        ]
        worst = int(np.argmax(entropies))
        kinds = "; or are they entropies of the whole cell, `kind: total`?" if kind == "formation" else "?"
        raise DataError(
            f"{places[worst]}: the entropy is {in_unit[worst]:.4g} {unit}; {fault}. Is the unit "
            f"{' or '.join(units) or 'another one'}{kinds}{remedy}"
        )


def _fault(entropies, n_atoms, n_sites):
    """Say what is unusual about a set; empty if nothing is."""
    largest = entropies.max(initial=0.0)
    if _ZERO < largest < MIN_LARGEST:
        return f"that is {largest:.2g} k_B, the largest of {len(entropies)}, expected some above {MIN_LARGEST} k_B"
    per_atom = np.median(entropies / n_atoms) if len(entropies) else 0.0
    if per_atom > MAX_PER_ATOM:
        return f"the median of {len(entropies)} is {per_atom:.3g} k_B per atom, expected at most {MAX_PER_ATOM}"
    net = np.abs(n_atoms - n_sites)
    counted = (net > 0) & (n_sites > 0)
    per_defect = np.median(entropies[counted] / net[counted]) if counted.any() else 0.0
    if per_defect > MAX_PER_DEFECT:
        return (
            f"the median of {counted.sum()} is {per_defect:.3g} k_B per atom by which a cell and its crystal differ, "
            f"expected at most {MAX_PER_DEFECT:g}"
        )
    return ""
