"""Labels of whole sets: each configuration gets its exact formation entropy, or the reason why it has none."""

import numpy as np
import pandas as pd
from numpy.linalg import LinAlgError

from vibentropy.atoms.checks import check_crystal
from vibentropy.atoms.reference import check_same_cell
from vibentropy.datasets.store import ConfigurationSet
from vibentropy.datasets.table import SITE_ENTROPY
from vibentropy.errors import NotConvergedError, SaddlePointError, StructureError, VibentropyError
from vibentropy.labels.entropy import MAX_FORCE, MIN_EIGENVALUE, entropy_of, log_determinant, relaxed_hessian
from vibentropy.labels.modes import modes, quantum_formation_entropy, quantum_formation_free_energy
from vibentropy.potentials.newton import newton_relax


def label(
    configurations,
    reference,
    potential,
    max_force=MAX_FORCE,
    min_eigenvalue=MIN_EIGENVALUE,
    site_entropies=False,
    temperatures=(),
    progress=None,
    known=None,
):
    """Label the relaxed configurations of a set with their exact formation entropies.

    Parameters
    ----------
    configurations : ConfigurationSet
    reference : callable
        From a row of the table and the cell of that configuration to the perfect crystal (ase.Atoms) in it.
    potential : vibentropy.Potential
    max_force, min_eigenvalue : float
        See `vibentropy.labels.entropy.relaxed_log_determinant`; eV/Å and eV/Å².
    site_entropies : bool
        Resolve each entropy by atoms, in the N_d/N_0 convention, as the array `SITE_ENTROPY` of its frame. Takes
        about thirteen times as long as the label alone.
    temperatures : sequence of float
        Temperatures in K at which quantum harmonic formation entropies and free energies are added, see
        `temperature_columns`.
    progress : callable, optional
        Called with the id of each configuration that is done.
    known : dict, optional
        What earlier calls with the same potential and settings found out about perfect crystals; filled in.

    Returns
    -------
    ConfigurationSet
        The same atoms. Status ``labelled`` with entropies in k_B in both conventions and the smallest eigenvalue of
        the Hessian; ``saddle``, ``not converged`` or ``rejected`` with the reason; other rows as they were.
    """
    table = configurations.table.assign(**{name: np.nan for t in temperatures for name in temperature_columns(t)})
    frames = list(configurations.frames)
    bulks = {} if known is None else known

    def analyse(atoms, vectors):
        """Compute the determinant of a Hessian and, as far as needed, its modes."""
        hessian = relaxed_hessian(atoms, potential, max_force)
        determinant = log_determinant(hessian, min_eigenvalue)
        needed = vectors or len(temperatures)
        return determinant, modes(hessian, vectors, min_eigenvalue) if needed else None

    def bulk(perfect):
        key = perfect.cell[:].tobytes(), len(perfect)
        if key not in bulks:
            try:
                bulks[key] = analyse(perfect, vectors=False)
            except VibentropyError as error:
                bulks[key] = StructureError(f"the perfect crystal in this cell has no label: {error}")
        if isinstance(bulks[key], StructureError):
            raise bulks[key]
        return bulks[key]

    for index, row in table.iterrows():
        if row["status"] != "relaxed":
            continue
        atoms = frames[index]
        try:
            perfect = reference(row, atoms.cell)
            check_same_cell(atoms, perfect)
            bulk_determinant, bulk_vibrations = bulk(perfect)
            determinant, vibrations = analyse(atoms, site_entropies)
        except (VibentropyError, LinAlgError) as error:
            table.loc[index, ["status", "reason"]] = _STATUS.get(type(error), "rejected"), str(error)
        else:
            per_mode, per_atom = entropy_of(determinant, bulk_determinant)
            table.loc[index, ["status", "label_source"]] = "labelled", "exact"
            table.loc[index, ["formation_entropy", "formation_entropy_per_atom_convention"]] = per_mode, per_atom
            table.loc[index, "smallest_eigenvalue"] = determinant.smallest_eigenvalue
            for t in temperatures:
                frequencies = vibrations.frequencies(potential.mass), bulk_vibrations.frequencies(potential.mass)
                table.loc[index, list(temperature_columns(t))] = (
                    quantum_formation_entropy(*frequencies, t),
                    table.loc[index, "formation_energy"] + quantum_formation_free_energy(*frequencies, t),
                )
            if site_entropies:
                frames[index] = atoms.copy()
                frames[index].set_array(SITE_ENTROPY, vibrations.site_entropies(bulk_determinant))
        if progress:
            progress(row["id"])
    return ConfigurationSet(frames, table, configurations.attributes)


def label_frame(atoms, reference, potential, relax=False, known=None, **settings):
    """Label one configuration.

    Parameters
    ----------
    atoms : ase.Atoms
    reference : ase.Atoms
        The perfect crystal in the same cell.
    potential : vibentropy.Potential
    relax : bool
        Whether to relax it first, to `RELAXED_FORCE`, in a cell that stays as it is.
    known : dict, optional
    **settings
        As for `label`.

    Returns
    -------
    atoms : ase.Atoms
        Relaxed where that was asked for; with the array `SITE_ENTROPY` likewise.
    row : dict
        Columns of `vibentropy.datasets.store`: entropies, energies, ``status``, and ``reason`` where there is no label.
    """
    row = {"n_atoms": len(atoms), "n_sites": len(reference), "status": "relaxed"}
    try:
        check_crystal(atoms)
        check_same_cell(atoms, reference)
        if relax:
            atoms, _, _ = newton_relax(atoms, potential, RELAXED_FORCE)
        energy, forces = potential.energy_and_forces(atoms)
        perfect, _ = potential.energy_and_forces(reference)
    except VibentropyError as error:
        return atoms, row | {"status": _STATUS.get(type(error), "rejected"), "reason": str(error)}
    row["energy"], row["formation_energy"] = energy, energy - len(atoms) / len(reference) * perfect
    row["max_force"] = float(np.linalg.norm(forces, axis=1).max())
    one = ConfigurationSet([atoms], pd.DataFrame([row]))
    one = label(one, lambda row, cell: reference, potential, known=known, **settings)
    found = one.table.iloc[0].to_dict()
    wanted = {*row, *_FOUND, *(name for t in settings.get("temperatures", ()) for name in temperature_columns(t))}
    return one.frames[0], {name: value for name, value in found.items() if name in wanted}


#: Columns that `label` fills in.
_FOUND = (
    "formation_entropy",
    "formation_entropy_per_atom_convention",
    "smallest_eigenvalue",
    "label_source",
    "reason",
)

#: Largest force (eV/Å) after `label_frame` has relaxed a configuration.
RELAXED_FORCE = 1e-6


def temperature_columns(temperature):
    """Columns of what quantum harmonic vibrations give at a temperature in K.

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


_STATUS = {SaddlePointError: "saddle", NotConvergedError: "not converged"}
