"""Hessians by central differences, for any potential that has forces."""

from dataclasses import dataclass

import numpy as np
from ase import Atoms
from numpy.typing import NDArray

from vibentropy.atoms.checks import element_indices
from vibentropy.errors import PotentialError
from vibentropy.potentials.engine_potential import EnginePotential


@dataclass(frozen=True)
class FiniteDifferencePotential(EnginePotential):
    """A potential whose Hessian comes from central differences of the forces of an engine.

    Attributes
    ----------
    engine : vibentropy.potentials.protocols.Engine
    elements : tuple of str
        See `vibentropy.potentials.engine_potential.EnginePotential`.
    step : float
        Displacement in Å.
    coupling_range : float or None
        Distance in Å beyond which moving an atom changes no force, where it is known.
    """

    step: float
    coupling_range: float | None = None

    def hessian(self, atoms: Atoms) -> NDArray[np.float64]:
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
        element_indices(atoms, self.elements)
        differences = self.engine.hessian(atoms, self.step, self.coupling_range)
        if not np.isfinite(differences).all():
            raise PotentialError("differences of forces are not finite")
        return translation_invariant(differences)[0]

    def hessian_rows(self, atoms: Atoms, n_rows: int) -> NDArray[np.float64]:
        """Rows of the Hessian that belong to the first atoms, by central differences of their own displacements.

        Parameters
        ----------
        atoms : ase.Atoms
        n_rows : int
            Number of atoms.

        Returns
        -------
        ndarray of shape (3 n_rows, 3 n_atoms), eV/Å²
            As the differences are: neither symmetric nor free of net forces.

        Raises
        ------
        StructureError, VibentropyError
            As `energy_and_forces`.
        """
        rows = np.empty((n_rows, 3, 3 * len(atoms)))
        for i, axis in np.ndindex(n_rows, 3):
            forces = []
            for step in (self.step, -self.step):
                displaced = atoms.copy()
                displaced.positions[i, axis] += step
                forces.append(self.energy_and_forces(displaced)[1].ravel())
            rows[i, axis] = (forces[1] - forces[0]) / (2 * self.step)
        return rows.reshape(3 * n_rows, -1)


def translation_invariant(matrix: NDArray[np.float64]) -> tuple[NDArray[np.float64], float, float]:
    """Give a matrix of finite differences the symmetries of a Hessian.

    The result is the closest matrix (in the sum of squared elements) that is symmetric and obeys the acoustic sum
    rule: P (A + Aᵀ)/2 P, where P projects the three translations out. Its determinant without translations is then
    exactly what `vibentropy.labels.determinants.log_determinant` computes.

    Parameters
    ----------
    matrix : ndarray of shape (3 n_atoms, 3 n_atoms), eV/Å²

    Returns
    -------
    hessian : ndarray of shape (3 n_atoms, 3 n_atoms), eV/Å²
    asymmetry : float, eV/Å²
        Largest |A_ij - A_ji|.
    net_force : float, eV/Å²
        Largest force on an atom, per displacement, when all atoms are displaced alike; the sum rule says zero.
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
