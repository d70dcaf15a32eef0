"""Labels of whole sets: each configuration gets its exact formation entropy, or the reason why it has none."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from ase import Atoms
from numpy.linalg import LinAlgError

from vibentropy.atoms.checks import check_crystal
from vibentropy.atoms.reference import check_same_cell
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
from vibentropy.labels.entropy import entropy_of
from vibentropy.labels.infinite import infinite_entropy
from vibentropy.labels.modes import Modes, modes, quantum_formation_entropy, quantum_formation_free_energy
from vibentropy.labels.table_uncertainty import table_uncertainty
from vibentropy.potentials import relaxation
from vibentropy.potentials.protocols import Interaction, TableShift, Tabulated

_STATUS: dict[type[Exception], Status] = {SaddlePointError: Status.SADDLE, NotConvergedError: Status.NOT_CONVERGED}


class _Vibrations(NamedTuple):
    """What the Hessian of a cell says; the modes are None where the determinant is all that is needed."""

    determinant: LogDeterminant
    modes: Modes | None
    #: Of a perfect crystal, where the potential is one of tables.
    table_shifts: Sequence[TableShift] | None = None


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
        temperatures: Sequence[float] = (),
        memory: int | None = None,
        infinite: Sequence[int] = (),
        note: Note = ignore,
    ) -> None:
        self._potential = potential
        self._max_force, self._min_eigenvalue = max_force, min_eigenvalue
        self._site_entropies, self._temperatures = site_entropies, tuple(temperatures)
        self._memory, self._infinite, self._note = memory, tuple(infinite), note
        # By cell and number of atoms.
        self._crystals: dict[tuple[bytes, int], _Vibrations | str] = {}

    def label(
        self,
        configurations: ConfigurationSet,
        reference: Callable[[pd.Series, Any], Atoms],
        done: Done = ignore,
    ) -> ConfigurationSet:
        """Label the relaxed configurations of a set.

        Parameters
        ----------
        configurations : ConfigurationSet
        reference : callable
            From a row of the table and the cell of that configuration to the perfect crystal (ase.Atoms) in it.
        done : callable
            Called with the id of each configuration that is done.

        Returns
        -------
        ConfigurationSet
            The same atoms. Status ``labelled`` with entropies in k_B in both conventions and the smallest eigenvalue
            of the Hessian, and `UNCERTAINTY` for potentials with tables; ``saddle``, ``not converged`` or ``rejected``
            with the reason; other rows as they were.
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
                perfect = reference(row, frames[index].cell)
                check_same_cell(frames[index], perfect)
                frames[index], columns = self._entropies(frames[index], perfect, row["formation_energy"])
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
            The perfect crystal in the same cell.
        relax : bool
            Whether to relax it first, by `vibentropy.relax`, in a cell that stays as it is.

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
            check_same_cell(atoms, perfect)
            if relax:
                atoms = relaxation.relax(atoms, self._potential)
            energy, forces = self._potential.energy_and_forces(atoms)
            energy_of_crystal, _ = self._potential.energy_and_forces(perfect)
            row["energy"] = energy
            row["formation_energy"] = energy - len(atoms) / len(perfect) * energy_of_crystal
            row["max_force"] = float(np.linalg.norm(forces, axis=1).max())
            atoms, columns = self._entropies(atoms, perfect, row["formation_energy"])
        except (VibentropyError, LinAlgError) as error:
            return atoms, row | refused(error)
        return atoms, row | {"status": columns["status"], "reason": ""} | columns

    def _entropies(self, atoms, perfect, formation_energy):
        """Compare a configuration with the perfect crystal in its cell.

        Returns
        -------
        atoms : ase.Atoms
            With `SITE_ENTROPY` where that is wanted.
        columns : dict
            ``status``, entropies and what belongs to them, those of `temperature_columns`, and `INFINITE_COLUMNS`.
        """
        crystal = self._crystal(perfect)
        defect = self._vibrations(atoms)
        per_mode, per_atom = entropy_of(defect.determinant, crystal.determinant)
        uncertainty = table_uncertainty(atoms, perfect, self._potential, per_mode, crystal.table_shifts)
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
            entropy, free_energy = temperature_columns(t)
            defect_modes, crystal_modes = (of.modes.frequencies(self._potential.masses[0]) for of in (defect, crystal))
            columns[entropy] = quantum_formation_entropy(defect_modes, crystal_modes, t)
            columns[free_energy] = formation_energy + quantum_formation_free_energy(defect_modes, crystal_modes, t)
        if self._infinite:
            columns |= self._in_infinite_crystal(atoms, perfect)
        if self._site_entropies:
            atoms = atoms.copy()
            atoms.set_array(SITE_ENTROPY, defect.modes.site_entropies(crystal.determinant))
        return atoms, columns

    def _in_infinite_crystal(self, atoms, perfect):
        limits = self._max_force, self._min_eigenvalue
        try:
            infinite = infinite_entropy(
                atoms, perfect, self._potential, *limits, self._infinite, memory=self._memory, note=self._note
            )
            values = infinite.value, infinite.uncertainty, ""
        except (VibentropyError, LinAlgError) as error:
            values = np.nan, np.nan, str(error)
        return dict(zip(INFINITE_COLUMNS, values, strict=True))

    def _vibrations(self, atoms):
        limits = self._max_force, self._min_eigenvalue
        determinant = relaxed_log_determinant(atoms, self._potential, *limits, self._memory, self._note)
        if not self._site_entropies and not self._temperatures:
            return _Vibrations(determinant, None)
        return _Vibrations(
            determinant, modes(self._potential.hessian(atoms), self._site_entropies, self._min_eigenvalue)
        )

    def _crystal(self, perfect):
        """Vibrations of a perfect crystal, computed once for each cell."""
        key = perfect.cell[:].tobytes(), len(perfect)
        if key not in self._crystals:
            try:
                eigenvalues = stable_eigenvalues(perfect, self._potential, self._max_force, self._min_eigenvalue)
                potential = self._potential
                self._crystals[key] = _Vibrations(
                    LogDeterminant.of_eigenvalues(eigenvalues),
                    Modes(eigenvalues, None),
                    potential.table_shifts(perfect) if isinstance(potential, Tabulated) else None,
                )
            except VibentropyError as error:
                self._crystals[key] = f"the perfect crystal in this cell has no label: {error}"
        vibrations = self._crystals[key]
        if isinstance(vibrations, str):
            raise StructureError(vibrations)
        return vibrations


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
