"""The cells that a cell is compared with: the perfect crystal in it, and for further elements others of any size.

Entropies per atom depend on the size of a cell, by some ln(N)/N. A solute is therefore compared with the perfect
crystal in its own cell, and what it differs by is what counts in cells of other sizes; there, too, c/N is left.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple, Self

import numpy as np
from ase import Atoms
from ase.build import make_supercell
from numpy.typing import ArrayLike, NDArray
from scipy.spatial import cKDTree

from vibentropy.atoms.compositions import Compositions
from vibentropy.atoms.primitive import primitive_cell
from vibentropy.atoms.reference import check_perfect, crystal_in_cell, repeats
from vibentropy.errors import StructureError

#: How far (in units of the primitive vectors) a cell may be from a repetition of a crystal.
_WHOLE = 1e-3

#: How many atoms may be of another element than their site of a random alloy, in units of what another arrangement of
#: the same composition has. Interstitials, and atoms that have changed places around them, are few.
_DIFFERING = 0.5


class Quantities(NamedTuple):
    """An extensive quantity of reference cells.

    Attributes
    ----------
    of_cells : list of ndarray
    of_crystals : list of ndarray or None
        Of the perfect crystal in each, where there is one besides (`ReferenceCells.crystals`).
    """

    of_cells: list[NDArray[np.float64]]
    of_crystals: list[NDArray[np.float64] | None]


@dataclass(frozen=True, eq=False)
class ReferenceCells:
    """Reference cells, and the perfect crystal in the cell of each.

    Attributes
    ----------
    cells : list of ase.Atoms
        As many as elements; the first is the perfect crystal, or for a random alloy the same cell without the defect.
    crystals : list of ase.Atoms or None
        The crystal of the first in the cell of each; None where it is the first itself, or a crystal of its own.
    compositions : Compositions
    """

    cells: list[Atoms]
    crystals: list[Atoms | None]
    compositions: Compositions

    @cached_property
    def random(self) -> bool:
        """Whether the first is a random alloy, with which no other cell can be compared but its own."""
        return is_random(self.cells[0])

    @classmethod
    def of(cls, cells: Sequence[Atoms]) -> Self:
        """Take cells as references.

        Parameters
        ----------
        cells : sequence of ase.Atoms

        Returns
        -------
        ReferenceCells
        ----------

        Raises
        ------
        StructureError
            If there is none, they are of one element and the first is no perfect crystal, they do not determine what
            an atom of each element counts, or one holds a defect in another crystal than the first.
        """
        if not cells:
            raise StructureError(
                "there is no reference cell, expected the perfect crystal in the cell of the configuration"
            )
        compositions = Compositions.of(cells)
        if len(compositions.elements) == 1:
            check_perfect(cells[0])
        return cls(list(cells), [None, *(_crystal_in(cells[0], cell) for cell in cells[1:])], compositions)

    def around(self, atoms: Atoms) -> Self:
        """Take them as the references of a cell, which may be turned in space against the first.

        Parameters
        ----------
        atoms : ase.Atoms

        Returns
        -------
        ReferenceCells
            The first turned as the cell is.

        Raises
        ------
        StructureError
            If the first is another cell, or none has atoms of an element of these; or if it is a random alloy, and the
            cell another one.
        """
        self.compositions.count(atoms)
        first = crystal_in_cell(atoms, self.cells[0])
        if self.random:
            _check_arrangement(atoms, first)
        return replace(self, cells=[first, *self.cells[1:]])

    def quantities(self, of_cell: Callable[[Atoms], ArrayLike]) -> Quantities:
        """Find a quantity of each reference cell and of the perfect crystal in it, each once.

        Parameters
        ----------
        of_cell : callable
            From a cell to an extensive quantity of it.

        Returns
        -------
        Quantities
        """
        crystals = [None if crystal is None else np.asarray(of_cell(crystal), dtype=float) for crystal in self.crystals]
        return Quantities([np.asarray(of_cell(cell), dtype=float) for cell in self.cells], crystals)

    def formed(self, atoms: Atoms, value: ArrayLike, quantities: Quantities) -> NDArray[np.float64]:
        """Compare a quantity of a cell with that of as many atoms of each element.

        Parameters
        ----------
        atoms : ase.Atoms
        value : array_like of shape (...)
            Of these atoms.
        quantities : Quantities
            Of the references.

        Returns
        -------
        ndarray of shape (...)
        """
        return self.compositions.formed(self.compositions.count(atoms), value, self._of_size(quantities, 0))

    def per_atom(self, quantities: Quantities) -> NDArray[np.float64]:
        """Find what an atom of each element has of them, which `formed` takes off a cell for each of its atoms.

        Parameters
        ----------
        quantities : Quantities
            Arrays of shape (n,).

        Returns
        -------
        ndarray of shape (n_elements, n)
        """
        return self.compositions.per_atom(self._of_size(quantities, 0))

    def formed_of_modes(self, atoms: Atoms, value: ArrayLike, quantities: Quantities) -> NDArray[np.float64]:
        """Do the same with sums over modes, which lack the three translations.

        Parameters
        ----------
        atoms, value, quantities
            As of `formed`.

        Returns
        -------
        ndarray of shape (...)
        """
        return self.compositions.formed_of_modes(self.compositions.count(atoms), value, self._of_size(quantities, 1))

    def per_atom_of_modes(self, quantities: Quantities) -> NDArray[np.float64]:
        """Find what an atom of each element has of sums over modes, as `formed_of_modes` counts it.

        Parameters
        ----------
        quantities : Quantities
            Single numbers.

        Returns
        -------
        ndarray of shape (n_elements,)
        """
        return self.compositions.per_atom_of_modes(self._of_size(quantities, 1))

    def _of_size(self, quantities, missing):
        """Quantities of the references as if the crystal around solutes were as in the first."""
        first, n = quantities.of_cells[0], len(self.cells[0])
        return [
            value if filled is None else value + (len(filled) - missing) / (n - missing) * first - crystal
            for value, crystal, filled in zip(quantities.of_cells, quantities.of_crystals, self.crystals, strict=True)
        ]


def is_random(cell: Atoms) -> bool:
    """Whether a reference cell is a random alloy: of several elements, and repeated by no translation.

    Parameters
    ----------
    cell : ase.Atoms

    Returns
    -------
    bool
    """
    return len(set(cell.numbers)) > 1 and not repeats(cell)


def _check_arrangement(atoms, alloy):
    """Check that most atoms are of the element that is on their site of a random alloy."""
    # With coordinates in units of the cell vectors, of which the largest error is what one is longer than another.
    tree = cKDTree(alloy.get_scaled_positions() % 1.0 % 1.0, boxsize=1.0)
    _, site = tree.query(atoms.get_scaled_positions() % 1.0 % 1.0)
    differing = int((alloy.numbers[site] != atoms.numbers).sum())
    shares = np.unique(alloy.numbers, return_counts=True)[1] / len(alloy)
    if differing > _DIFFERING * len(atoms) * (1 - shares @ shares):
        raise StructureError(
            f"{differing} of {len(atoms)} atoms are of another element than the nearest site of the random alloy that "
            "is the first reference: give the same cell without the defect, with the same elements on its sites"
        )


def _crystal_in(crystal, cell):
    """Fill a cell with a crystal, None where it is the cell of that, another crystal, or what is filled is none."""
    if not repeats(crystal) or np.abs(cell.cell[:] - crystal.cell[:]).max() < _WHOLE:
        return None
    primitive, _ = primitive_cell(crystal)
    repetitions = cell.cell[:] @ np.linalg.inv(primitive.cell[:])
    whole = np.round(repetitions).astype(int)
    if np.abs(repetitions - whole).max() > _WHOLE * np.abs(whole).max():
        if repeats(cell):
            return None
        # Compared without the crystal around it, it would be off by what the size of its cell does, up to some k_B.
        raise StructureError(
            f"the reference cell {cell.get_chemical_formula()} is no repetition of the perfect crystal, the first "
            "reference: give its defect in a cell of the same lattice, with the same lattice constant and strain"
        )
    filled = make_supercell(primitive, whole)
    filled.set_cell(cell.cell[:], scale_atoms=True)
    return filled
