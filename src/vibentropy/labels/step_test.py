"""How much the formation entropy of a vacancy depends on the step of the finite differences."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from ase import Atoms

from vibentropy.atoms.reference_cells import ReferenceCells
from vibentropy.errors import VibentropyError
from vibentropy.labels.determinants import MAX_FORCE, MIN_EIGENVALUE, log_determinant
from vibentropy.labels.entropy import formed_entropy
from vibentropy.potentials.differences import difference_hessian
from vibentropy.potentials.finite_differences import FiniteDifferencePotential, translation_invariant
from vibentropy.potentials.newton import newton_relax

#: Labels that move by more than this (k_B) with the step are worth a warning.
TOLERANCE = 0.01


def step_test(
    bulk: Atoms | Sequence[Atoms],
    potential: FiniteDifferencePotential,
    max_force: float = MAX_FORCE,
    min_eigenvalue: float = MIN_EIGENVALUE,
) -> pd.DataFrame:
    """Label a vacancy with half the step, the step, and twice the step; among its neighbours is one of each solute.

    Parameters
    ----------
    bulk : ase.Atoms or sequence of ase.Atoms
        Perfect crystal, at rest, and with several elements one more cell for each, see
        `vibentropy.labels.entropy.formation_entropy`.
    potential : FiniteDifferencePotential
        Its engine relaxes the vacancy.
    max_force, min_eigenvalue : float
        What a label needs, see `vibentropy.labels.determinants.relaxed_log_determinant`; eV/Å and eV/Å².

    Returns
    -------
    pandas.DataFrame
        One row per step: number of sites; step in Å; formation entropy, mode by mode, in k_B; its difference from
        that with the step of the potential; largest asymmetry and net force of the Hessians before they were
        corrected, in eV/Å² (see `translation_invariant`); and the reason where there is no label.

    Raises
    ------
    StructureError
        If there is not a reference for each element.
    """
    references = ReferenceCells.of([bulk] if isinstance(bulk, Atoms) else list(bulk))
    perfect = references.cells[0]
    defect = _vacancy(perfect, references.compositions.elements)
    engine = potential.engine
    unrelaxed = ""
    try:
        defect, _, _ = newton_relax(engine.relax(defect, engine.handover), potential, max_force)
    except VibentropyError as error:
        unrelaxed = str(error)
    rows = []
    for step in (potential.step / 2, potential.step, 2 * potential.step):
        row = {"n_sites": len(perfect), "step": step, "formation_entropy": np.nan, "reason": unrelaxed}
        row |= {"asymmetry": np.nan, "net_force": np.nan}
        if not unrelaxed:
            corrections: list[tuple[float, float]] = []

            def determinant(atoms, step=step, corrections=corrections):
                hessian, *correction = translation_invariant(
                    difference_hessian(atoms, step, engine, potential.coupling_range, note=potential.note)
                )
                corrections.append(tuple(correction))
                return log_determinant(hessian, min_eigenvalue)

            try:
                row["formation_entropy"] = formed_entropy(references, defect, determinant(defect), determinant)[0]
            except VibentropyError as error:
                row["reason"] = str(error)
            if corrections:
                row["asymmetry"], row["net_force"] = np.max(corrections, axis=0)
        rows.append(row)
    table = pd.DataFrame(rows)
    table.insert(3, "difference", table["formation_entropy"] - table["formation_entropy"][1])
    return table


def _vacancy(perfect, elements):
    """Take the first atom away, and put one atom of each element that the crystal lacks on the nearest sites."""
    solutes = [element for element in elements if element not in perfect.symbols]
    distances = perfect.get_distances(0, range(len(perfect)), mic=True)
    defect = perfect.copy()
    for element, site in zip(solutes, np.argsort(distances, kind="stable")[1:], strict=False):
        defect.symbols[site] = element
    del defect[0]
    return defect


def verdict(table: pd.DataFrame) -> str:
    """Say in a sentence what a test of the step shows.

    Parameters
    ----------
    table : pandas.DataFrame
        Of `step_test`.

    Returns
    -------
    str
        Begins with ``warning`` where a label is missing or moves by more than 0.01 k_B.
    """
    if table["formation_entropy"].isna().any():
        return f"warning: the vacancy has no label ({'; '.join(table['reason'][table['reason'] != ''].unique())})"
    largest, step = table["difference"].abs().max(), table["step"][1]
    text = f"half and twice the step of {step:g} Å move the label of the vacancy by up to {largest:.1e} k_B"
    return f"warning: {text}, more than {TOLERANCE} k_B: choose another step" if largest > TOLERANCE else text
