"""Any potential that has forces: its Hessian by central differences, and the test of the step that this needs."""

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd
from ase.data import atomic_masses, atomic_numbers

from vibentropy.crystal import Crystal
from vibentropy.errors import VibentropyError
from vibentropy.harmonic import MAX_FORCE, MIN_EIGENVALUE, entropy_of, log_determinant
from vibentropy.ingest import reference_crystal
from vibentropy.relaxation import newton_relax
from vibentropy.structures import check_element

#: Labels that move by more than this (k_B) with the step are worth a warning.
TOLERANCE = 0.01


@dataclass(frozen=True)
class FiniteDifferencePotential:
    """A potential of one element behind an engine, twice differentiable by central differences of its forces.

    Attributes
    ----------
    engine : object
        With ``energy_and_forces(atoms)`` in eV and eV/Å and ``hessian(atoms, step)`` in eV/Å², such as
        `vibentropy.engine.LammpsEngine` and `vibentropy.ase_engine.AseEngine`.
    element : str
    step : float
        Displacement in Å.
    """

    engine: object
    element: str
    step: float

    @property
    def mass(self):
        """Standard atomic mass of the element in u."""
        return float(atomic_masses[atomic_numbers[self.element]])

    def energy_and_forces(self, atoms):
        """Potential energy and forces.

        Parameters
        ----------
        atoms : ase.Atoms
            Of the element of the potential; lengths in Å.

        Returns
        -------
        energy : float, eV
        forces : ndarray of shape (n_atoms, 3), eV/Å

        Raises
        ------
        StructureError
            For another element.
        VibentropyError
            With the message of the engine where it fails.
        """
        check_element(atoms, self.element)
        return self.engine.energy_and_forces(atoms)

    def hessian(self, atoms):
        """Second derivatives of the potential energy: central differences, made symmetric and free of net forces.

        Parameters
        ----------
        atoms : ase.Atoms

        Returns
        -------
        ndarray of shape (3 n_atoms, 3 n_atoms), eV/Å²

        Raises
        ------
        StructureError, VibentropyError
            As `energy_and_forces`.
        """
        check_element(atoms, self.element)
        return translation_invariant(self.engine.hessian(atoms, self.step))[0]


def translation_invariant(matrix):
    """Give a matrix of finite differences the symmetries of a Hessian.

    The result is the closest matrix (in the sum of squared elements) that is symmetric and obeys the acoustic sum
    rule: P (A + Aᵀ)/2 P, where P projects the three translations out. Its determinant without translations is then
    exactly what `vibentropy.harmonic.log_determinant` computes.

    Parameters
    ----------
    matrix : ndarray of shape (3 n_atoms, 3 n_atoms), eV/Å²

    Returns
    -------
    hessian : ndarray of shape (3 n_atoms, 3 n_atoms), eV/Å²
    asymmetry : float, eV/Å²
        Largest |A_ij - A_ji|.
    net_force : float, eV/Å²
        Largest force on an atom, per displacement, when all atoms move alike: what the sum rule forbids.
    """
    asymmetry = float(np.abs(matrix - matrix.T).max())
    hessian = (matrix + matrix.T) / 2
    n_atoms = len(hessian) // 3
    blocks = hessian.reshape(n_atoms, 3, n_atoms, 3)
    sums = blocks.sum(axis=2)
    net_force = float(np.abs(sums).max())
    blocks -= sums[:, :, None, :] / n_atoms
    blocks -= sums.transpose(2, 0, 1)[None] / n_atoms
    blocks += (sums.sum(axis=0) / n_atoms**2)[None, :, None, :]
    return hessian, asymmetry, net_force


def smallest_crystal(datasets, lattice):
    """Build the perfect crystal of the smallest cell in which labels are computed.

    Parameters
    ----------
    datasets : dict of str to dict
        Specifications of the data sets without given entropies.
    lattice : path-like
        File of the `Crystal` that recipes start from; not read where there are none.

    Returns
    -------
    ase.Atoms
    """
    cells = [tuple(cell) for dataset in datasets.values() for cell in dataset.get("recipe", {}).get("cells", [])]
    crystals = [reference_crystal(dataset) for dataset in datasets.values() if "recipe" not in dataset]
    if cells:
        crystals.append(Crystal.load(lattice).cell(min(cells, key=math.prod)))
    return min(crystals, key=len)


def step_test(perfect, potential, max_force=MAX_FORCE, min_eigenvalue=MIN_EIGENVALUE):
    """Label the vacancy with half the step, the step, and twice the step.

    Parameters
    ----------
    perfect : ase.Atoms
        Perfect crystal, at rest.
    potential : FiniteDifferencePotential
        Its engine also has ``relax(atoms, max_force)`` and ``handover``.
    max_force, min_eigenvalue : float
        Gates of a label, see `vibentropy.harmonic.relaxed_log_determinant`; eV/Å and eV/Å².

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
            corrected = [translation_invariant(engine.hessian(atoms, step)) for atoms in (defect, perfect)]
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


def verdict(table):
    """Say in a sentence what a step test shows.

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
