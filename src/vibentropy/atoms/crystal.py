"""The perfect crystal that defects are put into and compared with."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from math import inf
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from ase import Atoms
from ase.build import bulk
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import minimize, minimize_scalar

from vibentropy.atoms.compounds import COMPOUNDS
from vibentropy.errors import ConfigError
from vibentropy.files.atomic import atomic

#: Sites in the unit cell of each structure of one element: the cubic cell, and of hcp the orthorhombic one.
OF_ONE_ELEMENT = {"sc": 1, "bcc": 2, "fcc": 4, "hcp": 4, "diamond": 8}
#: The same of all structures, ordered compounds included.
SITES_PER_CELL = OF_ONE_ELEMENT | {name: len(order.sites) for name, order in COMPOUNDS.items()}
#: c/a of hcp with all twelve neighbours at one distance.
IDEAL_C_OVER_A = (8 / 3) ** 0.5
#: Distance of nearest neighbours in units of the lattice constant; of hcp at the ideal c/a.
NEAREST = {"sc": 1.0, "bcc": 3**0.5 / 2, "fcc": 0.5**0.5, "hcp": 1.0, "diamond": 3**0.5 / 4}
NEAREST |= {name: NEAREST[order.parent] / order.edge for name, order in COMPOUNDS.items()}


class _HasEnergy(Protocol):
    def energy_and_forces(self, atoms: Atoms, /) -> tuple[float, NDArray[Any]]: ...


def lowest_lattice_constant(
    energy: Callable[[float], float], guess: float, *, within: float, tolerance: float, what: str
) -> float:
    """Find the lattice constant of lowest energy near a guess.

    Parameters
    ----------
    energy : callable
        From a lattice constant in Å to an energy in eV.
    guess : float
        In Å.
    within : float
        How far from the guess it is looked for, relative to it.
    tolerance : float
        In Å.
    what : str
        The crystal in words, for the error.

    Returns
    -------
    float
        In Å.

    Raises
    ------
    ConfigError
        If there is no minimum there.
    """
    bounds = (1 - within) * guess, (1 + within) * guess
    found = float(minimize_scalar(energy, bounds=bounds, method="bounded", options={"xatol": tolerance}).x)
    if min(abs(found - bound) for bound in bounds) < 1e-3 * guess:
        raise ConfigError(
            f"{what} has no energy minimum near a = {guess} Å (between {bounds[0]:.4f} and {bounds[1]:.4f} Å)"
        )
    return found


@dataclass(frozen=True)
class Crystal:
    """A perfect crystal, of one element or an ordered compound of two.

    Attributes
    ----------
    element : str
        Of compounds A in AB and A3B.
    structure : str
        One of `SITES_PER_CELL`.
    a : float
        Lattice constant in Å.
    c_over_a : float or None
        Of hcp, by default the ideal one; None of cubic crystals.
    partner : str or None
        Of compounds B (`vibentropy.atoms.compounds`); None of others.
    """

    element: str
    structure: str
    a: float
    c_over_a: float | None = None
    partner: str | None = None

    def __post_init__(self) -> None:
        if self.structure == "hcp" and self.c_over_a is None:
            object.__setattr__(self, "c_over_a", IDEAL_C_OVER_A)

    @property
    def edges(self) -> NDArray[np.float64]:
        """Lengths of the edges of the unit cell, shape (3,), in Å: a, and of hcp a, √3 a and c."""
        if self.c_over_a is None:
            return np.full(3, self.a)
        return self.a * np.array([1.0, 3**0.5, self.c_over_a])

    @property
    def elements(self) -> tuple[str, ...]:
        """Chemical symbols of its elements."""
        return (self.element,) if self.partner is None else (self.element, self.partner)

    @property
    def sublattices(self) -> list[str]:
        """Name of the sublattice of each site of the unit cell, that of its element (`vibentropy.atoms.compounds`)."""
        if self.structure in COMPOUNDS:
            return COMPOUNDS[self.structure].sublattices(self.elements)
        return [self.element] * SITES_PER_CELL[self.structure]

    def on(self, sublattice: str, n_sites: int) -> NDArray[np.bool_]:
        """Tell which sites of a cell are on a sublattice.

        Parameters
        ----------
        sublattice : str
            Its name, or an element: all of its sublattices.
        n_sites : int
            Of the cell, from `cell` or `filling`.

        Returns
        -------
        ndarray of shape (n_sites,), bool
        """
        element = np.array(self.cell(1).get_chemical_symbols()) == sublattice
        names = np.array(self.sublattices)
        return np.tile(element | (names == sublattice), n_sites // len(names))

    @property
    def facts(self) -> dict[str, Any]:
        """What tells the crystal from others, for attributes of files and `Crystal.from_facts`; without Nones."""
        return {key: value for key, value in asdict(self).items() if value is not None}

    @classmethod
    def from_facts(cls, facts: Mapping[str, Any]) -> "Crystal":
        """Build the crystal that `facts` are of, which may stand among others.

        Parameters
        ----------
        facts : dict

        Returns
        -------
        Crystal
        """
        c_over_a = float(facts["c_over_a"]) if "c_over_a" in facts else None
        partner = str(facts["partner"]) if "partner" in facts else None
        return cls(str(facts["element"]), str(facts["structure"]), float(facts["a"]), c_over_a, partner)

    @property
    def name(self) -> str:
        """Structure and elements: ``bcc Fe``, ``DO3 Fe3Al``."""
        formula = COMPOUNDS[self.structure].formula if self.structure in COMPOUNDS else "{}"
        return f"{self.structure} {formula.format(*self.elements)}"

    def __str__(self) -> str:
        shape = "" if self.c_over_a is None else f", c/a = {self.c_over_a:.7f}"
        return f"{self.name}, a = {self.a:.7f} Å{shape}"

    def cell(self, repetitions: int | Sequence[int]) -> Atoms:
        """Repeat the unit cell of the crystal along each axis: the cubic one, or of hcp the orthorhombic one.

        Parameters
        ----------
        repetitions : int or sequence of three int
            The same along all axes, or one number for each.

        Returns
        -------
        ase.Atoms
            Periodic, lengths in Å.
        """
        if self.structure in COMPOUNDS:
            unit = COMPOUNDS[self.structure].unit(self.elements, self.a)
        elif self.structure == "hcp":
            unit = bulk(self.element, "hcp", a=self.a, covera=self.c_over_a, orthorhombic=True)
        else:
            unit = bulk(self.element, self.structure, a=self.a, cubic=True)
        return unit.repeat(repetitions)

    def filling(self, cell: ArrayLike, repetitions: int | Sequence[int]) -> Atoms:
        """Repeat the unit cell along each axis and strain all of it so that it fills a cell.

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
        """Primitive lattice vectors of a crystal of one element, the rows of an array of shape (3, 3), in Å."""
        return np.asarray(bulk(self.element, self.structure, a=self.a, covera=self.c_over_a).cell)

    def save(self, path: str | Path) -> None:
        """Write the crystal as JSON: its `facts`, the lattice constant ``a`` in Å with all its digits.

        Parameters
        ----------
        path : path-like

        Raises
        ------
        OutputError
            If it cannot be written.
        """
        with atomic(path) as temporary:
            temporary.write_text(json.dumps(self.facts, indent=1) + "\n", encoding="utf-8")

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

    def energy_per_atom(self, potential: _HasEnergy) -> float:
        """Energy of the crystal by a potential, eV per atom.

        Parameters
        ----------
        potential : vibentropy.potentials.protocols.Interaction

        Returns
        -------
        float
        """
        unit = self.cell(1)
        return potential.energy_and_forces(unit)[0] / len(unit)

    def relaxed(self, potential: _HasEnergy, tolerance: float = 1e-9, within: float = 0.05) -> "Crystal":
        """Find the lattice constants of lowest energy that a potential gives the crystal.

        Parameters
        ----------
        potential : vibentropy.Potential
        tolerance : float
            In Å. Energies in double precision cannot tell lattice constants apart that differ by less than 1e-8 Å.
        within : float
            How far from the present lattice constant it is looked for, relative to it.

        Returns
        -------
        Crystal

        Raises
        ------
        ConfigError
            If there is no minimum there.
        """
        a = lowest_lattice_constant(
            lambda a: replace(self, a=a).energy_per_atom(potential),
            self.a,
            within=within,
            tolerance=tolerance,
            what=self.name,
        )
        found = replace(self, a=a)
        return found if self.c_over_a is None else found._relaxed_in_both(potential, self.c_over_a, tolerance)

    def _relaxed_in_both(self, potential, c_over_a, tolerance):
        """Find a and c/a of lowest energy of hcp, from a good guess of them."""
        a = self.a
        found = minimize(
            lambda constants: replace(self, a=constants[0], c_over_a=constants[1]).energy_per_atom(potential),
            (a, c_over_a),
            method="Nelder-Mead",
            options={
                "xatol": tolerance,
                "fatol": inf,
                "initial_simplex": [(a, c_over_a), (1.01 * a, c_over_a), (a, 1.01 * c_over_a)],
            },
        )
        return replace(self, a=float(found.x[0]), c_over_a=float(found.x[1]))
