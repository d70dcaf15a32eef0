"""The perfect crystal that defects are put into and compared with."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from ase import Atoms
from ase.build import bulk
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import minimize_scalar

from vibentropy.errors import ConfigError
from vibentropy.files.atomic import atomic

#: Sites in the cubic cell of each crystal structure.
SITES_PER_CELL = {"sc": 1, "bcc": 2, "fcc": 4, "diamond": 8}


class _HasEnergy(Protocol):
    def energy_and_forces(self, atoms: Atoms, /) -> tuple[float, NDArray[Any]]: ...


@dataclass(frozen=True)
class Crystal:
    """A perfect crystal of one element.

    Attributes
    ----------
    element : str
    structure : str
        A cubic lattice type of `ase.build.bulk`, such as ``"bcc"``.
    a : float
        Lattice constant in Å.
    """

    element: str
    structure: str
    a: float

    def cell(self, repetitions: int | Sequence[int]) -> Atoms:
        """Repeat the cubic unit cell of the crystal along each axis.

        Parameters
        ----------
        repetitions : int or sequence of three int
            The same along all axes, or one number for each.

        Returns
        -------
        ase.Atoms
            Periodic, lengths in Å.
        """
        return bulk(self.element, self.structure, a=self.a, cubic=True).repeat(repetitions)

    def filling(self, cell: ArrayLike, repetitions: int | Sequence[int]) -> Atoms:
        """Repeat the cubic unit cell along each axis and strain all of it so that it fills a cell.

        Parameters
        ----------
        cell : array_like of shape (3, 3)
            Cell vectors in Å.
        repetitions : sequence of 3 int

        Returns
        -------
        ase.Atoms
        """
        atoms = self.cell(repetitions)
        atoms.set_cell(np.asarray(cell), scale_atoms=True)
        return atoms

    @property
    def translations(self) -> NDArray[np.float64]:
        """Primitive lattice vectors of the crystal, the rows of an array of shape (3, 3), in Å."""
        return np.asarray(bulk(self.element, self.structure, a=self.a).cell)

    def save(self, path: str | Path) -> None:
        """Write the crystal as JSON: element, structure, and the lattice constant ``a`` in Å with all its digits.

        Parameters
        ----------
        path : path-like

        Raises
        ------
        OutputError
            If it cannot be written.
        """
        with atomic(path) as temporary:
            temporary.write_text(json.dumps(asdict(self), indent=1) + "\n", encoding="utf-8")

    @classmethod
    def load(cls, path: str | Path) -> "Crystal":
        """Read the JSON that `save` wrote.

        Parameters
        ----------
        path : path-like

        Returns
        -------
        Crystal
        """
        return cls(**json.loads(Path(path).read_text(encoding="utf-8")))

    def relaxed(self, potential: _HasEnergy, tolerance: float = 1e-9) -> "Crystal":
        """Find the lattice constant of lowest energy that a potential gives the crystal.

        Parameters
        ----------
        potential : vibentropy.Potential
        tolerance : float
            In Å. Energies in double precision cannot tell lattice constants apart that differ by less than 1e-8 Å.

        Returns
        -------
        Crystal

        Raises
        ------
        ConfigError
            If there is no minimum within 5 % of the present lattice constant.
        """
        bounds = 0.95 * self.a, 1.05 * self.a
        result = minimize_scalar(
            lambda a: potential.energy_and_forces(Crystal(self.element, self.structure, a).cell(1))[0],
            bounds=bounds,
            method="bounded",
            options={"xatol": tolerance},
        )
        if min(abs(result.x - bound) for bound in bounds) < 1e-3 * self.a:
            raise ConfigError(
                f"{self.structure} {self.element} has no energy minimum near a = {self.a} Å "
                f"(between {bounds[0]:.4f} and {bounds[1]:.4f} Å)"
            )
        return Crystal(self.element, self.structure, float(result.x))
