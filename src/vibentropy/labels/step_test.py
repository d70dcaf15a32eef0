"""How much the formation entropy of a vacancy depends on the step of the finite differences."""

import numpy as np
import pandas as pd
from ase import Atoms

from vibentropy.errors import VibentropyError
from vibentropy.labels.determinants import MAX_FORCE, MIN_EIGENVALUE, log_determinant
from vibentropy.labels.entropy import entropy_of
from vibentropy.potentials.differences import difference_hessian
from vibentropy.potentials.finite_differences import FiniteDifferencePotential, translation_invariant
from vibentropy.potentials.newton import newton_relax

#: Labels that move by more than this (k_B) with the step are worth a warning.
TOLERANCE = 0.01


def step_test(
    perfect: Atoms,
    potential: FiniteDifferencePotential,
    max_force: float = MAX_FORCE,
    min_eigenvalue: float = MIN_EIGENVALUE,
) -> pd.DataFrame:
    """Label the vacancy with half the step, the step, and twice the step.

    Parameters
    ----------
    perfect : ase.Atoms
        Perfect crystal, at rest.
    potential : FiniteDifferencePotential
        Its engine relaxes the vacancy.
    max_force, min_eigenvalue : float
        What a label needs, see `vibentropy.labels.determinants.relaxed_log_determinant`; eV/Å and eV/Å².

    Returns
    -------
    pandas.DataFrame
        One row per step: number of sites; step in Å; formation entropy, mode by mode, in k_B; its difference from
        that with the step of the potential; largest asymmetry and net force of the two Hessians before they were
        corrected, in eV/Å² (see `translation_invariant`); and the reason where there is no label.
    """
    defect = perfect.copy()
    del defect[0]
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
            corrected = [
                translation_invariant(
                    difference_hessian(atoms, step, engine, potential.coupling_range, note=potential.note)
                )
                for atoms in (defect, perfect)
            ]
            hessians, asymmetries, net_forces = zip(*corrected, strict=True)
            row |= {"asymmetry": max(asymmetries), "net_force": max(net_forces)}
            try:
                row["formation_entropy"] = entropy_of(*(log_determinant(h, min_eigenvalue) for h in hessians))[0]
            except VibentropyError as error:
                row["reason"] = str(error)
        rows.append(row)
    table = pd.DataFrame(rows)
    table.insert(3, "difference", table["formation_entropy"] - table["formation_entropy"][1])
    return table


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
