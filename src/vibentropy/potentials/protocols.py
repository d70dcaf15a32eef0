"""What the rest of the package expects of potentials and of engines; whatever has these methods is one."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any, NamedTuple, Protocol, Self, runtime_checkable

import numpy as np
from ase import Atoms
from numpy.typing import NDArray
from scipy.sparse import bsr_array

from vibentropy.potentials.swaps import Swaps


@dataclass(frozen=True, eq=False)
class HessianParts:
    """A Hessian as a short-ranged part and a sum over densities: H = A + Σ_k c_k g_k g_kᵀ.

    Attributes
    ----------
    local : bsr_array of shape (3 n_atoms, 3 n_atoms), blocks of 3 x 3, eV/Å²
        A, symmetric.
    gradients : bsr_array of shape (n_densities, 3 n_atoms), blocks of 1 x 3
        Rows g_k, derivatives of each density by the positions.
    curvatures : ndarray of shape (n_densities,)
        c_k, second derivatives of the energy by the densities. Any sign.
    """

    local: bsr_array
    gradients: bsr_array
    curvatures: NDArray[np.float64]


class Interaction(Protocol):
    """A potential, twice differentiable.

    Attributes
    ----------
    elements : tuple of str
        Chemical symbols of the elements that it covers.
    masses : tuple of float
        Their atomic masses in u.
    """

    @property
    def elements(self) -> tuple[str, ...]: ...  # noqa: D102

    @property
    def masses(self) -> tuple[float, ...]: ...  # noqa: D102

    def energy_and_forces(self, atoms: Atoms) -> tuple[float, NDArray[Any]]:
        """Potential energy and forces.

        Parameters
        ----------
        atoms : ase.Atoms
            Of elements of the potential; lengths in Å.

        Returns
        -------
        energy : float, eV
        forces : ndarray of shape (n_atoms, 3), eV/Å

        Raises
        ------
        VibentropyError
            If the configuration is outside what the potential is defined for.
        """

    def hessian(self, atoms: Atoms) -> Any:
        """Second derivatives of the potential energy.

        Parameters
        ----------
        atoms : ase.Atoms

        Returns
        -------
        sparse array or ndarray of shape (3 n_atoms, 3 n_atoms), eV/Å²
            Symmetric and invariant under translation.

        Raises
        ------
        VibentropyError
            As `energy_and_forces`.
        """


@runtime_checkable
class SplitHessian(Interaction, Protocol):
    """An interaction that offers its Hessian in parts of shorter range; sparse labels then cost half as much."""

    def hessian_parts(self, atoms: Atoms) -> HessianParts:
        """Second derivatives of the potential energy, those by way of densities left as gradients.

        Parameters
        ----------
        atoms : ase.Atoms

        Returns
        -------
        HessianParts
            Their sum is that of `Interaction.hessian`.

        Raises
        ------
        VibentropyError
            As `Interaction.energy_and_forces`.
        """


@runtime_checkable
class HessianRows(Interaction, Protocol):
    """An interaction that makes a few rows of its Hessian without the others, such as those of a primitive cell."""

    def hessian_rows(self, atoms: Atoms, n_rows: int) -> Any:
        """Rows of the Hessian that belong to the first atoms.

        Parameters
        ----------
        atoms : ase.Atoms
        n_rows : int
            Number of atoms.

        Returns
        -------
        sparse array or ndarray of shape (3 n_rows, 3 n_atoms), eV/Å²

        Raises
        ------
        VibentropyError
            As `Interaction.energy_and_forces`.
        """


@runtime_checkable
class LocalHessian(Interaction, Protocol):
    """An interaction whose Hessian ends at a distance: descriptors can be made of its rows.

    Attributes
    ----------
    hessian_range : float
        In Å: what is further away from an atom has no part in its rows of the Hessian, neither as the other atom of a
        block nor by changing one. Where energies of atoms depend on their neighbours, twice the cutoff.
    """

    @property
    def hessian_range(self) -> float: ...  # noqa: D102


class TableShift(NamedTuple):
    """What the table of a function leaves open in the entropy of a cell.

    Attributes
    ----------
    function : str
    place : float
        Where the table leaves its second derivative most open, of the arguments that occur in the cell.
    entropies : ndarray of shape (n_strains,)
        Changes in k_B of the whole cell, at some small strains. Of a defect counts what they differ by from those of as
        many atoms of the perfect crystal.
    """

    function: str
    place: float
    entropies: NDArray[np.float64]


@runtime_checkable
class Tabulated(Interaction, Protocol):
    """An interaction whose functions are tables, and that knows what these leave open.

    Attributes
    ----------
    by_finite_differences : str
        What to type to take finite differences of the tables instead.
    """

    @property
    def by_finite_differences(self) -> str: ...  # noqa: D102

    def table_shifts(self, atoms: Atoms) -> list[TableShift]:
        """Compare each function with another one that follows its table as well.

        Parameters
        ----------
        atoms : ase.Atoms

        Returns
        -------
        list of TableShift
            For every cell the same functions in the same order.

        Raises
        ------
        VibentropyError
            As `Interaction.energy_and_forces`.
        """


class Engine(Protocol):
    """What anneals and relaxes cells, a context manager that ends with what it runs on.

    The methods of all engines are documented here; those of each say only what is particular about it.

    Attributes
    ----------
    handover : float
        Norm of all forces together at which a quench by `relax` may leave the rest to Newton steps, eV/Å. Where a
        Hessian costs as much as thousands of forces, that is where they have nothing left to do.
    """

    handover: float

    def energy_and_forces(self, atoms: Atoms) -> tuple[float, NDArray[Any]]:
        """Potential energy and forces.

        Parameters
        ----------
        atoms : ase.Atoms
            Lengths in Å.

        Returns
        -------
        energy : float, eV
        forces : ndarray of shape (n_atoms, 3), eV/Å

        Raises
        ------
        VibentropyError
            If the configuration is outside what the potential is defined for.
        """

    def response(self, atoms: Atoms, step: float, groups: Sequence[NDArray[Any]]) -> NDArray[Any]:
        """Responses of forces to displacements, by central differences.

        The same to the last bit whatever was computed before.

        Parameters
        ----------
        atoms : ase.Atoms
        step : float
            Displacement in Å.
        groups : sequence of ndarray of int
            Atoms that are displaced together, all along x, y and z in turn.

        Returns
        -------
        ndarray of shape (n_groups, 3, n_atoms, 3), eV/Å²
            By how much forces fall per displacement.

        Raises
        ------
        VibentropyError
            As `energy_and_forces`.
        """

    def responses(
        self, atoms: Atoms, step: float, parts: Mapping[int, Sequence[NDArray[Any]]]
    ) -> Iterator[tuple[int, NDArray[Any]]]:
        """Responses to many displacements; engines that can do so compute several parts at once.

        Parameters
        ----------
        atoms, step
            See `response`.
        parts : dict of sequences of ndarray of int
            The groups of each part.

        Yields
        ------
        part : int
        response : ndarray of shape (n_groups, 3, n_atoms, 3), eV/Å²
            In the order in which they are done.

        Raises
        ------
        VibentropyError
            As `energy_and_forces`.
        """
        for part, groups in parts.items():
            yield part, self.response(atoms, step, groups)

    def relax(self, atoms: Atoms, max_force: float, max_steps: int = 2000) -> Atoms:
        """Relax the positions of atoms at fixed cell.

        Parameters
        ----------
        atoms : ase.Atoms
        max_force : float
            Norm of all forces together at which to stop, eV/Å.
        max_steps : int
            After which to stop whatever the forces are.

        Returns
        -------
        ase.Atoms
            A copy with relaxed positions.
        """

    def anneal(
        self,
        atoms: Atoms,
        temperature: float,
        time_step: float,
        steps_between: int,
        snapshots: int,
        seed: int,
        molten: Sequence[int] = (),
        melt_temperature: float | None = None,
        swaps: Swaps | None = None,
    ) -> list[Atoms]:
        """Molecular dynamics at fixed cell with a Langevin thermostat.

        Parameters
        ----------
        atoms : ase.Atoms
        temperature : float
            In K.
        time_step : float
            In ps.
        steps_between : int
            Steps before the first snapshot and between snapshots.
        snapshots : int
        seed : int
            Of velocities and thermostat, 1 to `vibentropy.potentials.lammps_engine.MAX_SEED`.
        molten : sequence of int
            Atoms with a thermostat of their own: a pocket of melt in the crystal.
        melt_temperature : float, optional
            Of that thermostat, in K.
        swaps : Swaps, optional
            Exchanges of atoms of different elements at `temperature`, see `vibentropy.potentials.swaps`.

        Returns
        -------
        list of ase.Atoms
            The snapshots, in order of time.
        """

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None, /
    ) -> None: ...


class HessianEngine(Engine, Protocol):
    """An engine whose calculator may have a Hessian of its own.

    Attributes
    ----------
    has_hessian : bool
        Whether it has one.
    """

    has_hessian: bool

    def own_hessian(self, atoms: Atoms) -> Any:
        """Second derivatives of the energy, as the calculator has them.

        Parameters
        ----------
        atoms : ase.Atoms

        Returns
        -------
        sparse array or ndarray of shape (3 n_atoms, 3 n_atoms), eV/Å²
            Symmetric and invariant under translation.

        Raises
        ------
        VibentropyError
            If it does not belong to the forces, see `vibentropy.potentials.own_hessian.checked`.
        """
