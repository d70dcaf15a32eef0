"""Labels of whole sets: each configuration gets its exact formation entropy, or the reason why it has none."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from ase import Atoms
from numpy.linalg import LinAlgError
from numpy.typing import NDArray

from vibentropy.atoms.checks import check_crystal, element_indices
from vibentropy.atoms.reference import repeats
from vibentropy.atoms.reference_cells import ReferenceCells
from vibentropy.datasets.store import ConfigurationSet
from vibentropy.datasets.table import INFINITE_COLUMNS, SITE_ENTROPY, UNCERTAINTY, Status
from vibentropy.errors import NotConvergedError, SaddlePointError, StructureError, VibentropyError
from vibentropy.files.progress import Done, Note, ignore
from vibentropy.labels.determinants import (
    MAX_FORCE,
    MIN_EIGENVALUE,
    LogDeterminant,
    relaxed_log_determinant,
    stable_eigenvalues,
)
from vibentropy.labels.entropy import formed_entropy, formed_site_entropies
from vibentropy.labels.infinite import infinite_entropy
from vibentropy.labels.modes import Modes, frequencies, modes, quantum_entropy, quantum_free_energy
from vibentropy.labels.table_uncertainty import table_uncertainty
from vibentropy.potentials import relaxation
from vibentropy.potentials.protocols import Interaction, TableShift, Tabulated

_STATUS: dict[type[Exception], Status] = {SaddlePointError: Status.SADDLE, NotConvergedError: Status.NOT_CONVERGED}


class _Vibrations(NamedTuple):
    """What the Hessian of a cell says; what nobody asks for is None."""

    determinant: LogDeterminant
    modes: Modes | None = None
    frequencies: NDArray[np.float64] | None = None


class _Reference(NamedTuple):
    """What that of a reference cell says."""

    determinant: LogDeterminant
    frequencies: NDArray[np.float64] | None
    #: Where the potential is one of tables.
    table_shifts: Sequence[TableShift] | None


class Labeller:
    """Labels configurations with exact formation entropies; remembers the perfect crystals that it has seen.

    Parameters
    ----------
    potential : vibentropy.Potential
    max_force, min_eigenvalue : float
        See `vibentropy.labels.determinants.relaxed_log_determinant`; eV/Å and eV/Å².
    site_entropies : bool
        Resolve each entropy by atoms, in the N_d/N_0 convention, as the array `SITE_ENTROPY` of its frame. Takes
        all eigenvectors, O(N³).
    others : sequence of ase.Atoms
        Relaxed cells, of any size, that atoms of further elements are compared with, beside the perfect crystal in the
        cell of each configuration: see `vibentropy.labels.entropy.formation_entropy`.
    temperatures : sequence of float
        Temperatures in K at which quantum harmonic formation entropies and free energies are added, see
        `temperature_columns`. Takes all eigenvalues, O(N³).
    memory : int, optional
        Bytes that a sparse factor may take, see `vibentropy.labels.multifrontal.factorise_sparse`.
    infinite : sequence of int
        Add what each defect has in the infinite crystal, as `INFINITE_COLUMNS`, from cells of about so many sites; see
        `vibentropy.labels.infinite.infinite_entropy`. Where it has none there the label of its own cell stands.
    note : callable
        Called with what a large label will cost before it is begun.
    """

    def __init__(
        self,
        potential: Interaction,
        max_force: float = MAX_FORCE,
        min_eigenvalue: float = MIN_EIGENVALUE,
        site_entropies: bool = False,
        others: Sequence[Atoms] = (),
        temperatures: Sequence[float] = (),
        memory: int | None = None,
        infinite: Sequence[int] = (),
        note: Note = ignore,
    ) -> None:
        self._potential = potential
        self._max_force, self._min_eigenvalue = max_force, min_eigenvalue
        self._site_entropies, self._temperatures = site_entropies, tuple(temperatures)
        self._memory, self._infinite, self._note = memory, tuple(infinite), note
        self._others = list(others)
        # By cell, elements and, where there are several, positions.
        self._references: dict[tuple[bytes, ...], _Reference | str] = {}

    def label(
        self,
        configurations: ConfigurationSet,
        reference: Callable[[pd.Series, Any], Atoms],
        done: Done = ignore,
        relax: bool = False,
    ) -> ConfigurationSet:
        """Label the relaxed configurations of a set.

        Parameters
        ----------
        configurations : ConfigurationSet
        reference : callable
            From a row of the table and the cell of that configuration to the perfect crystal (ase.Atoms) in it.
        done : callable
            Called with the id of each configuration that is done.
        relax : bool
            Whether to relax configurations first, as `label_cell` does.

        Returns
        -------
        ConfigurationSet
            The same atoms, relaxed where that was asked for. Status ``labelled`` with entropies in k_B in both
            conventions and the smallest eigenvalue of the Hessian, and `UNCERTAINTY` for potentials with tables;
            ``saddle``, ``not converged`` or ``rejected`` with the reason; other rows as they were.
        """
        at_temperatures = [name for t in self._temperatures for name in temperature_columns(t)]
        of_infinite = {name: default for name, (default, _) in INFINITE_COLUMNS.items()} if self._infinite else {}
        of_tables = {UNCERTAINTY: np.nan} if isinstance(self._potential, Tabulated) else {}
        added = dict.fromkeys(at_temperatures, np.nan) | of_tables | of_infinite
        table = configurations.table.assign(**added)
        frames = list(configurations.frames)
        for index in np.flatnonzero(table["status"] == Status.RELAXED):
            row = table.iloc[index]
            try:
                cells = [reference(row, frames[index].cell), *self._others]
                references = ReferenceCells.of(cells).around(frames[index])
                energies = {}
                if relax:
                    frames[index] = self._relaxed(frames[index])
                    energies = self._energies(frames[index], references)
                elif len(references.cells) > 1 and np.isnan(row["formation_energy"]):
                    # Recipes have none where there are several elements: these cells are not at hand there.
                    energies = {"formation_energy": self._energies(frames[index], references)["formation_energy"]}
                formation_energy = energies.get("formation_energy", row["formation_energy"])
                frames[index], columns = self._entropies(frames[index], references, formation_energy)
                columns |= energies
            except (VibentropyError, LinAlgError) as error:
                columns = refused(error)
            table.loc[index, list(columns)] = list(columns.values())
            done(row["id"])
        return ConfigurationSet(frames, table, configurations.attributes)

    def label_cell(self, atoms: Atoms, perfect: Atoms, relax: bool = False) -> tuple[Atoms, dict[str, Any]]:
        """Label one configuration.

        Parameters
        ----------
        atoms : ase.Atoms
        perfect : ase.Atoms
            The perfect crystal in the same cell, which may be turned in space.
        relax : bool
            Whether to relax it first, by `vibentropy.relax`, in a cell that stays as it is, to a hundredth of the force
            with which it counts as relaxed.

        Returns
        -------
        atoms : ase.Atoms
            Relaxed where that was asked for; with the array `SITE_ENTROPY` likewise.
        row : dict
            Columns of `vibentropy.datasets.table`: sizes, energies, ``status``, entropies, and ``reason``, which is
            empty where there is a label.
        """
        row: dict[str, Any] = {"n_atoms": len(atoms), "n_sites": len(perfect)}
        try:
            check_crystal(atoms)
            references = ReferenceCells.of([perfect, *self._others]).around(atoms)
            if relax:
                atoms = self._relaxed(atoms)
            row |= self._energies(atoms, references)
            atoms, columns = self._entropies(atoms, references, row["formation_energy"])
        except (VibentropyError, LinAlgError) as error:
            return atoms, row | refused(error)
        return atoms, row | {"status": columns["status"], "reason": ""} | columns

    def _relaxed(self, atoms):
        return relaxation.relax(atoms, self._potential, self._max_force / MAX_FORCE * relaxation.RELAXED_FORCE)

    def _energies(self, atoms, references):
        """Columns of a configuration that take no Hessian."""
        energy, forces = self._potential.energy_and_forces(atoms)
        of_references = references.quantities(lambda cell: self._potential.energy_and_forces(cell)[0])
        return {
            "energy": energy,
            "formation_energy": float(references.formed(atoms, energy, of_references)),
            "max_force": float(np.linalg.norm(forces, axis=1).max()),
        }

    def _entropies(self, atoms, references, formation_energy):
        """Compare a configuration with its references.

        Returns
        -------
        atoms : ase.Atoms
            With `SITE_ENTROPY` where that is wanted.
        columns : dict
            ``status``, entropies and what belongs to them, those of `temperature_columns`, and `INFINITE_COLUMNS`.
        """

        def determinant_of(cell: Atoms) -> LogDeterminant:
            return self._reference(cell).determinant

        determinant_of(references.cells[0])  # Without which nothing else is worth computing.
        defect = self._vibrations(atoms)
        per_mode, per_atom = formed_entropy(references, atoms, defect.determinant, determinant_of)
        uncertainty = table_uncertainty(
            atoms, references, self._potential, per_mode, lambda cell: self._reference(cell).table_shifts
        )
        columns = {
            "status": Status.LABELLED,
            "formation_entropy": per_mode,
            "formation_entropy_per_atom_convention": per_atom,
            "smallest_eigenvalue": defect.determinant.smallest_eigenvalue,
            "label_source": "exact",
        }
        if isinstance(self._potential, Tabulated):
            columns[UNCERTAINTY] = uncertainty
        for t in self._temperatures:
            for name, of_modes, offset in zip(
                temperature_columns(t), (quantum_entropy, quantum_free_energy), (0.0, formation_energy), strict=True
            ):
                of_references = references.quantities(
                    lambda cell, of_modes=of_modes, t=t: of_modes(self._reference(cell).frequencies, t)
                )
                formed = references.formed_of_modes(atoms, of_modes(defect.frequencies, t), of_references)
                columns[name] = offset + float(formed)
        if self._infinite:
            columns |= self._in_infinite_crystal(atoms, references.cells[0])
        if self._site_entropies:
            sites = defect.modes.site_entropies()
            atoms = atoms.copy()
            atoms.set_array(SITE_ENTROPY, formed_site_entropies(references, atoms, sites, determinant_of))
        return atoms, columns

    def _in_infinite_crystal(self, atoms, perfect):
        limits = self._max_force, self._min_eigenvalue
        try:
            infinite = infinite_entropy(
                atoms,
                perfect,
                self._potential,
                *limits,
                self._infinite,
                memory=self._memory,
                note=self._note,
                others=self._others,
            )
            values = infinite.value, infinite.uncertainty, ""
        except (VibentropyError, LinAlgError) as error:
            values = np.nan, np.nan, str(error)
        return dict(zip(INFINITE_COLUMNS, values, strict=True))

    def _vibrations(self, atoms):
        limits = self._max_force, self._min_eigenvalue
        determinant = relaxed_log_determinant(atoms, self._potential, *limits, self._memory, self._note)
        if not self._site_entropies and not self._temperatures:
            return _Vibrations(determinant)
        hessian = self._potential.hessian(atoms)
        found = modes(hessian, self._site_entropies, self._min_eigenvalue) if self._site_entropies else None
        return _Vibrations(determinant, found, self._frequencies(hessian, atoms, found))

    def _frequencies(self, hessian, atoms, found=None):
        """Frequencies of a cell where quantum entropies need them."""
        if not self._temperatures:
            return None
        masses = np.array(self._potential.masses)[element_indices(atoms, self._potential.elements)]
        if found is not None and len(set(masses)) == 1:
            return found.frequencies(masses[0])
        return frequencies(hessian, masses, self._min_eigenvalue)

    def _reference(self, cell):
        """Vibrations of a reference cell, computed once for each."""
        several = len(set(cell.numbers)) > 1
        key = cell.cell[:].tobytes(), cell.numbers.tobytes(), cell.positions.tobytes() if several else b""
        if key not in self._references:
            try:
                self._references[key] = self._reference_vibrations(cell)
            except VibentropyError as error:
                what = "reference cell" if several else "perfect crystal in this cell"
                self._references[key] = f"the {what} has no label: {error}"
        vibrations = self._references[key]
        if isinstance(vibrations, str):
            raise StructureError(vibrations)
        return vibrations

    def _reference_vibrations(self, cell):
        limits, potential = (self._max_force, self._min_eigenvalue), self._potential
        shifts = potential.table_shifts(cell) if isinstance(potential, Tabulated) else None
        if repeats(cell):
            eigenvalues = stable_eigenvalues(cell, potential, *limits)
            determinant = LogDeterminant.of_eigenvalues(eigenvalues)
            masses = set(np.array(potential.masses)[element_indices(cell, potential.elements)])
            if not self._temperatures or len(masses) == 1:
                return _Reference(determinant, Modes(eigenvalues, None).frequencies(masses.pop()), shifts)
        else:
            determinant = relaxed_log_determinant(cell, potential, *limits, self._memory, self._note)
        of_modes = self._frequencies(potential.hessian(cell), cell) if self._temperatures else None
        return _Reference(determinant, of_modes, shifts)


def refused(error: Exception) -> dict[str, Any]:
    """Say why a configuration has no label.

    Parameters
    ----------
    error : Exception
        What labelling it raised.

    Returns
    -------
    dict
        Columns ``status`` and ``reason``.
    """
    return {"status": _STATUS.get(type(error), Status.REJECTED), "reason": str(error)}


def temperature_columns(temperature: float) -> tuple[str, str]:
    """Names of the columns of what quantum harmonic vibrations give at a temperature in K.

    Parameters
    ----------
    temperature : float

    Returns
    -------
    entropy : str
        Formation entropy, k_B.
    free_energy : str
        Formation energy plus the formation free energy of the vibrations with their zero-point energy, eV; NaN where
        the energy is unknown. Vibrations are compared mode by mode in both.
    """
    return f"formation_entropy_{temperature:g}K", f"formation_free_energy_{temperature:g}K"
