"""Hessians by central differences, for any potential that has forces."""

from dataclasses import dataclass, field, replace

import numpy as np
from ase import Atoms
from numpy.typing import NDArray

from vibentropy.atoms.checks import element_indices
from vibentropy.errors import PotentialError
from vibentropy.files.progress import Note, ignore
from vibentropy.potentials.differences import difference_hessian
from vibentropy.potentials.engine_potential import EnginePotential
from vibentropy.potentials.protocols import Interaction
from vibentropy.potentials.response_file import ResponseFile

#: Bytes of the rows of a matrix that are made symmetric together.
_STRIP = 2**24


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
    kept : ResponseFile or None
        Where a Hessian keeps its differences as they come.
    note : callable
        Told how far a long Hessian is.
    """

    step: float
    coupling_range: float | None = None
    kept: ResponseFile | None = field(default=None, compare=False)
    note: Note = field(default=ignore, compare=False)

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
        differences = difference_hessian(atoms, self.step, self.engine, self.coupling_range, self.kept, self.note)
        return translation_invariant(differences, overwrite=True)[0]

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
        element_indices(atoms, self.elements)
        rows = self.engine.response(atoms, self.step, [np.array([i]) for i in range(n_rows)])
        if not np.isfinite(rows).all():
            raise PotentialError("differences of forces are not finite")
        return rows.reshape(3 * n_rows, -1)


def watched(potential: Interaction, note: Note, kept: ResponseFile | None = None) -> Interaction:
    """Let a potential of finite differences say how far it is, and keep what it has; others stay as they are.

    Parameters
    ----------
    potential : vibentropy.potentials.protocols.Interaction
    note, kept
        See `FiniteDifferencePotential`.

    Returns
    -------
    vibentropy.potentials.protocols.Interaction
    """
    if not isinstance(potential, FiniteDifferencePotential):
        return potential
    return replace(potential, note=note, kept=kept)


def translation_invariant(
    matrix: NDArray[np.float64], overwrite: bool = False
) -> tuple[NDArray[np.float64], float, float]:
    """Give a matrix of finite differences the symmetries of a Hessian.

    The result is the closest matrix (in the sum of squared elements) that is symmetric and obeys the acoustic sum
    rule: P (A + Aᵀ)/2 P, where P projects the three translations out. Its determinant without translations is then
    exactly what `vibentropy.labels.determinants.log_determinant` computes.

    Parameters
    ----------
    matrix : ndarray of shape (3 n_atoms, 3 n_atoms), eV/Å²
    overwrite : bool
        Whether the result may take its memory.

    Returns
    -------
    hessian : ndarray of shape (3 n_atoms, 3 n_atoms), eV/Å²
    asymmetry : float, eV/Å²
        Largest |A_ij - A_ji|.
    net_force : float, eV/Å²
        Largest force on an atom, per displacement, when all atoms are displaced alike; the sum rule says zero.
    """
    hessian, asymmetry = matrix if overwrite else matrix.copy(), 0.0
    # A strip at a time: these matrices are large.
    n_rows = max(_STRIP // matrix[0].nbytes, 1)
    for begin in range(0, len(hessian), n_rows):
        strip = slice(begin, begin + n_rows)
        upper, lower = hessian[strip, begin:], hessian[begin:, strip].T
        asymmetry = max(asymmetry, float(np.abs(upper - lower).max()))
        mean = (upper + lower) / 2
        hessian[strip, begin:], hessian[begin:, strip] = mean, mean.T
    n_atoms = len(hessian) // 3
    blocks = hessian.reshape(n_atoms, 3, n_atoms, 3)
    sums = blocks.sum(axis=2)
    net_force = float(np.abs(sums).max())
    blocks -= sums[:, :, None, :] / n_atoms
    blocks -= sums.transpose(2, 0, 1)[None] / n_atoms
    blocks += (sums.sum(axis=0) / n_atoms**2)[None, :, None, :]
    return hessian, asymmetry, net_force
