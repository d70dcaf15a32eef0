"""Labels of whole sets: each configuration gets its exact formation entropy, or the reason why it has none."""

from vibentropy import published
from vibentropy.crystal import Crystal
from vibentropy.dataset import ConfigurationSet
from vibentropy.errors import NotConvergedError, SaddlePointError, VibentropyError
from vibentropy.harmonic import MAX_FORCE, MIN_EIGENVALUE, entropy_of, relaxed_log_determinant
from vibentropy.ingest import reference_crystal
from vibentropy.structures import check_same_cell


def perfect_crystals(specification, lattice):
    """Find the perfect crystal that belongs to a configuration of a data set.

    Parameters
    ----------
    specification : dict
        Of the data set, as in the configuration of a run.
    lattice : path-like
        File of the `Crystal` that recipes start from; not read where the data set has a reference of its own.

    Returns
    -------
    callable
        From a row of the table of configurations, and optionally a strained cell, to the perfect crystal in that cell
        (ase.Atoms). Files have one reference, whatever the cell.
    """
    if "recipe" not in specification:
        arrays = specification.get("arrays")
        perfect = published.reference_crystal(arrays) if arrays else reference_crystal(specification)
        return lambda row, cell=None: perfect
    crystal = Crystal.load(lattice)

    def perfect_crystal(row, cell=None):
        repetitions = [int(n) for n in row["repetitions"].split("x")]
        return crystal.cell(repetitions) if cell is None else crystal.filling(cell, repetitions)

    return perfect_crystal


def label(configurations, reference, potential, max_force=MAX_FORCE, min_eigenvalue=MIN_EIGENVALUE, progress=None):
    """Label the relaxed configurations of a set with their exact formation entropies.

    Parameters
    ----------
    configurations : ConfigurationSet
    reference : callable
        From a row of the table and the cell of that configuration to the perfect crystal (ase.Atoms) in it.
    potential : vibentropy.Potential
    max_force, min_eigenvalue : float
        See `vibentropy.harmonic.relaxed_log_determinant`; eV/Å and eV/Å².
    progress : callable, optional
        Called with the id of each configuration that is done.

    Returns
    -------
    ConfigurationSet
        The same atoms. Status ``labelled`` with entropies in k_B in both conventions and the smallest eigenvalue of
        the Hessian; ``saddle``, ``not converged`` or ``rejected`` with the reason; other rows as they were.
    """
    table = configurations.table.copy()
    bulk_determinants = {}

    def bulk_determinant(perfect):
        key = perfect.cell[:].tobytes(), len(perfect)
        if key not in bulk_determinants:
            bulk_determinants[key] = relaxed_log_determinant(perfect, potential, max_force, min_eigenvalue)
        return bulk_determinants[key]

    for index, row in table.iterrows():
        if row["status"] != "relaxed":
            continue
        atoms = configurations.frames[index]
        try:
            perfect = reference(row, atoms.cell)
            check_same_cell(atoms, perfect)
            defect = relaxed_log_determinant(atoms, potential, max_force, min_eigenvalue)
            per_mode, per_atom = entropy_of(defect, bulk_determinant(perfect))
        except VibentropyError as error:
            table.loc[index, ["status", "reason"]] = _STATUS.get(type(error), "rejected"), str(error)
        else:
            table.loc[index, ["status", "label_source"]] = "labelled", "exact"
            table.loc[index, ["formation_entropy", "formation_entropy_per_atom_convention"]] = per_mode, per_atom
            table.loc[index, "smallest_eigenvalue"] = defect.smallest_eigenvalue
        if progress:
            progress(row["id"])
    return ConfigurationSet(configurations.frames, table, configurations.attributes)


_STATUS = {SaddlePointError: "saddle", NotConvergedError: "not converged"}
