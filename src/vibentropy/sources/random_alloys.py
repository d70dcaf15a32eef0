"""Random alloys as the crystal of recipes: cells of one composition, each an arrangement of elements of its own.

No two cells of a random alloy are alike, so that a defect is compared with the same cell without it. A run therefore
makes a few arrangements of each size, at rest, and each trajectory starts from one of them and is compared with it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from vibentropy.atoms.crystal import lowest_lattice_constant
from vibentropy.datasets.store import ConfigurationSet
from vibentropy.errors import DataError
from vibentropy.files.progress import Done, ignore
from vibentropy.sources.made_cells import RANDOM_CELLS, as_set, at_rest, beside

if TYPE_CHECKING:
    from ase import Atoms
    from numpy.typing import ArrayLike

    from vibentropy.atoms.crystal import Crystal
    from vibentropy.potentials.protocols import Interaction

#: Keys of the configuration, under ``lattice``, that make it a random alloy.
KEYS = ("composition", "arrangements", "seed")

#: Unit cells along each axis of the cell whose lattice constant is looked for, how far from the guess, and how exactly
#: (Å): another arrangement has another one by more than this.
_CELL, _WITHIN, _TOLERANCE = 4, 0.03, 1e-5


@dataclass(frozen=True)
class RandomAlloy:
    """Elements at random on the sites of a crystal.

    Attributes
    ----------
    composition : dict of str to float
        Share of all sites by element, without that of the crystal, which has the others.
    arrangements : int
        Of each size of cell.
    seed : int
        Of the arrangements.
    """

    composition: Mapping[str, float] = field(default_factory=dict)
    arrangements: int = 1
    seed: int = 0

    def counts(self, n_sites: int) -> dict[str, int]:
        """Count the atoms of each element of `composition` in a cell.

        Parameters
        ----------
        n_sites : int

        Returns
        -------
        dict of str to int
        """
        return {element: round(share * n_sites) for element, share in self.composition.items()}

    def atoms(self, crystal: Crystal, repetitions: int | Sequence[int], number: int = 0) -> Atoms:
        """Build an arrangement, with all atoms on the sites of the crystal.

        Parameters
        ----------
        crystal : Crystal
        repetitions : int or sequence of 3 int
        number : int
            Of the arrangement.

        Returns
        -------
        ase.Atoms
            Its sites in the order of those of the crystal.
        """
        atoms = crystal.cell(repetitions)
        counts = self.counts(len(atoms))
        elements = [element for element, n in counts.items() for _ in range(n)]
        sites = np.random.default_rng([self.seed, len(atoms), number]).permutation(len(atoms))[: len(elements)]
        symbols = np.array(atoms.get_chemical_symbols(), dtype=object)
        symbols[sites] = elements
        atoms.symbols = symbols.tolist()
        return atoms

    def at_rest(
        self, crystal: Crystal, potential: Interaction, repetitions: int | Sequence[int], number: int = 0
    ) -> Atoms:
        """Build an arrangement and relax its atoms.

        Parameters
        ----------
        crystal : Crystal
        potential : vibentropy.potentials.protocols.Interaction
        repetitions, number
            As of `atoms`.

        Returns
        -------
        ase.Atoms

        Raises
        ------
        NotConvergedError
            If the atoms do not come to rest.
        """
        return at_rest(self.atoms(crystal, repetitions, number), potential)

    def relaxed(self, crystal: Crystal, potential: Interaction) -> Crystal:
        """Find the lattice constant of lowest energy that a potential gives one arrangement with its atoms at rest.

        Parameters
        ----------
        crystal : Crystal
            Its lattice constant is a first guess; c/a stays as it is.
        potential : vibentropy.potentials.protocols.Interaction

        Returns
        -------
        Crystal

        Raises
        ------
        ConfigError
            If there is no minimum near the guess.
        """

        def energy(a: float) -> float:
            return potential.energy_and_forces(self.at_rest(replace(crystal, a=a), potential, _CELL))[0]

        what = f"lattice.a: the random alloy on {crystal.structure}"
        a = lowest_lattice_constant(energy, crystal.a, within=_WITHIN, tolerance=_TOLERANCE, what=what)
        return replace(crystal, a=a)


def make_random_cells(
    alloy: RandomAlloy,
    sizes: Iterable[Sequence[int]],
    crystal: Crystal,
    potential: Interaction,
    done: Done = ignore,
) -> ConfigurationSet:
    """Make all arrangements of a random alloy at rest.

    Parameters
    ----------
    alloy : RandomAlloy
    sizes : iterable of sequences of 3 int
        In unit cells along each vector.
    crystal : Crystal
        At the lattice constant of the alloy.
    potential : vibentropy.potentials.protocols.Interaction
    done : callable
        Called with the name of each that is done.

    Returns
    -------
    ConfigurationSet
        From the smallest size to the largest; for `RandomCells.of`.

    Raises
    ------
    NotConvergedError
        See `RandomAlloy.at_rest`.
    """
    cells = []
    for size in sorted({tuple(size) for size in sizes}, key=lambda size: (prod(size), size)):
        text = "x".join(map(str, size))
        for number in range(alloy.arrangements):
            columns = {"trajectory": f"{text}/{number}", "repetitions": text}
            cells.append((alloy.at_rest(crystal, potential, size, number), columns))
            done(f"random/{text}/{number}")
    return as_set("random", cells, crystal, potential)


@dataclass(frozen=True, eq=False)
class RandomCells:
    """The cells of a random alloy that trajectories start from, and are compared with.

    Called as `vibentropy.sources.source.Perfect`, for rows with ``repetitions`` and ``seed``, that of the trajectory,
    which decides between the arrangements of a size.

    Attributes
    ----------
    cells : dict of str to list of ase.Atoms
        Arrangements by size, ``8x8x8``, from the smallest size to the largest.
    """

    cells: Mapping[str, Sequence[Atoms]]

    @classmethod
    def of(cls, made: ConfigurationSet) -> Self:
        """Take the cells that `make_random_cells` made.

        Parameters
        ----------
        made : ConfigurationSet

        Returns
        -------
        RandomCells
        """
        cells: dict[str, list[Atoms]] = {}
        for atoms, size in zip(made.frames, made.table["repetitions"], strict=True):
            cells.setdefault(str(size), []).append(atoms)
        return cls(cells)

    @classmethod
    def beside(cls, lattice: Path | str) -> Self:
        """Read the cells that lie beside the file of a crystal.

        Parameters
        ----------
        lattice : path-like

        Returns
        -------
        RandomCells

        Raises
        ------
        DataError
            If the file is missing or something else.
        """
        return cls.of(ConfigurationSet.load(beside(lattice, RANDOM_CELLS)))

    @property
    def smallest(self) -> Atoms:
        """The first arrangement of the smallest size."""
        return next(iter(self.cells.values()))[0]

    def of_size(self, size: str) -> Sequence[Atoms]:
        """Find all arrangements of a size.

        Parameters
        ----------
        size : str
            ``8x8x8``.

        Returns
        -------
        sequence of ase.Atoms

        Raises
        ------
        DataError
            If there is none.
        """
        if size not in self.cells:
            raise DataError(f"there is no random cell of {size} unit cells, only of {', '.join(self.cells)}")
        return self.cells[size]

    def __call__(self, row: Mapping[Any, Any], cell: ArrayLike | None = None) -> Atoms:
        """Find the cell without the defect of a configuration."""
        arrangements = self.of_size(row["repetitions"])
        return arrangements[int(row["seed"]) % len(arrangements)]
