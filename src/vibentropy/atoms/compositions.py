"""What cells are made of, in units of reference cells: how formation quantities of several elements are defined.

An extensive quantity of a cell with n_X atoms of element X is compared with Σ_X n_X q_X. The q_X of the elements are
those that reference cells c, as many as there are elements, agree with: Q_c = Σ_X n_Xc q_X. Sums over modes lack the
three translations that a cell has whatever its size; there Q_c = Σ_X n_Xc q_X - q_0, with the translations counted at
the composition x of the first reference, q_0 = Σ_X x_X q_X. For one element that is (N_d - 1)/(N_0 - 1) Q_0.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from ase import Atoms
from ase.data import atomic_numbers
from numpy.typing import ArrayLike, NDArray

from vibentropy.errors import StructureError

#: Condition number of the counts, each element's divided by its largest, above which references are too much alike.
_CONDITION = 1e8


@dataclass(frozen=True, eq=False)
class Compositions:
    """Numbers of atoms of each element in reference cells.

    Attributes
    ----------
    elements : tuple of str
    counts : ndarray of shape (n_cells, n_elements)
        As many cells as elements.
    """

    elements: tuple[str, ...]
    counts: NDArray[np.float64]

    @classmethod
    def of(cls, cells: Sequence[Atoms]) -> Self:
        """Count the atoms of reference cells.

        Parameters
        ----------
        cells : sequence of ase.Atoms

        Returns
        -------
        Compositions
            Elements in the order in which they first occur.

        Raises
        ------
        StructureError
            If these cells do not determine what an atom of each element counts.
        """
        elements = tuple(dict.fromkeys(symbol for cell in cells for symbol in cell.get_chemical_symbols()))
        counts = np.array([_count(cell, elements) for cell in cells], dtype=float)
        found = "; ".join(cell.get_chemical_formula() for cell in cells)
        if len(cells) != len(elements):
            raise StructureError(
                f"{_number(len(cells), 'reference cell')} for {_number(len(elements), 'element')} ({found}), expected "
                "one for each: the perfect crystal, then for each solute a cell with another share of it, such as the "
                "crystal with one atom of it"
            )
        if np.linalg.cond(counts / counts.max(axis=0)) > _CONDITION:
            raise StructureError(
                f"the reference cells ({found}) have shares of {' and '.join(elements)} that follow from each other, "
                "expected cells of different composition"
            )
        return cls(elements, counts)

    def count(self, atoms: Atoms) -> NDArray[np.float64]:
        """Count the atoms of a cell.

        Parameters
        ----------
        atoms : ase.Atoms

        Returns
        -------
        ndarray of shape (n_elements,)

        Raises
        ------
        StructureError
            If it has atoms of an element that no reference has.
        """
        others = sorted(set(atoms.get_chemical_symbols()) - set(self.elements))
        if others:
            raise StructureError(
                f"the configuration holds {', '.join(others)}, of which no reference cell has atoms: add one that does"
            )
        return _count(atoms, self.elements)

    def formed(self, counts: ArrayLike, value: ArrayLike, references: ArrayLike) -> NDArray[np.float64]:
        """Compare a quantity with that of as many atoms of each element in the references.

        Parameters
        ----------
        counts : array_like of shape (n_elements,)
            See `count`.
        value : array_like of shape (...)
        references : array_like of shape (n_cells, ...)
            The quantity of each reference cell.

        Returns
        -------
        ndarray of shape (...)
        """
        return _less(value, np.linalg.solve(self.counts.T, np.asarray(counts, dtype=float)), references)

    def per_atom(self, references: ArrayLike) -> NDArray[np.float64]:
        """Find what an atom of each element has of a quantity: the q_X of the module, for many cells at once.

        Parameters
        ----------
        references : array_like of shape (n_cells, n)
            Quantities of each reference cell.

        Returns
        -------
        ndarray of shape (n_elements, n)
        """
        return np.linalg.solve(self.counts, np.asarray(references, dtype=float))

    def formed_of_modes(self, counts: ArrayLike, value: ArrayLike, references: ArrayLike) -> NDArray[np.float64]:
        """Do the same with sums over modes, which lack the three translations.

        Parameters
        ----------
        counts, value, references
            As of `formed`.

        Returns
        -------
        ndarray of shape (...)
            Independent of the unit that modes are measured in, as there are as many on both sides.
        """
        missing = self._missing
        shares = np.linalg.solve((self.counts - missing).T, np.asarray(counts, dtype=float) - missing)
        return _less(value, shares, references)

    def per_atom_of_modes(self, references: ArrayLike) -> NDArray[np.float64]:
        """Find what an atom of each element has of a sum over modes: the q_X of the module with q_0.

        Parameters
        ----------
        references : array_like of shape (n_cells,)
            The sum of each reference cell.

        Returns
        -------
        ndarray of shape (n_elements,)
        """
        return np.linalg.solve(self.counts - self._missing, np.asarray(references, dtype=float))

    @property
    def _missing(self):
        """Atoms of each element that three translations are worth."""
        return self.counts[0] / self.counts[0].sum()


def _count(atoms, elements):
    return np.bincount(atoms.numbers, minlength=len(atomic_numbers))[[atomic_numbers[symbol] for symbol in elements]]


def _less(value, shares, references):
    return np.asarray(value, dtype=float) - np.tensordot(shares, np.asarray(references, dtype=float), 1)


def _number(n, what):
    return f"{n} {what}{'s' * (n != 1)}"
