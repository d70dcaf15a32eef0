"""Vibrations of a perfect crystal, wave by wave.

The eigenvectors of its Hessian are the waves that fit into the cell. With one atom b of each sublattice, the wave
vector q has the eigenvalues of one small matrix, D(q) = Σ_j H_bj exp(2πi q·(x_j - x_b)) (Born and Huang, Dynamical
Theory of Crystal Lattices, sec. 38). There are as many waves as primitive cells, so the cost is that of the cell, not
its cube.
"""

import numpy as np
from ase import Atoms
from ase.build import make_supercell
from ase.geometry import find_mic
from numpy.typing import NDArray
from scipy.linalg import null_space
from scipy.sparse import bsr_array

from vibentropy.atoms.primitive import lattice_basis, primitive_cell
from vibentropy.potentials.protocols import HessianRows, Interaction

#: Width (Å) of the cell whose Hessian stands for that of larger ones, and waves that are in memory at once.
_WIDE, _WAVES = 24.0, 1000


def crystal_eigenvalues(crystal: Atoms, potential: Interaction) -> NDArray[np.float64]:
    """Eigenvalues of the Hessian of a perfect crystal, without the translations.

    Parameters
    ----------
    crystal : ase.Atoms
        Periodic, a cell of any shape. Atoms that are off their sites by rounding are put there.
    potential : vibentropy.Potential

    Returns
    -------
    ndarray of shape (3 n_atoms - 3,), eV/Å²
        Ascending; negative ones where the crystal is unstable.

    Raises
    ------
    StructureError
        If the crystal is not a crystal.
    VibentropyError
        As `potential.hessian`.
    """
    primitive, repetitions = primitive_cell(crystal)
    n_basis = len(primitive)
    vectors, rows = _hessian_rows(primitive, repetitions, potential)
    # Phases are those of places in units of the vectors of the crystal's cell, in which wave vectors are integers.
    places = vectors @ np.linalg.inv(repetitions @ primitive.cell[:])
    waves = _waves(repetitions)
    eigenvalues = []
    for begin in range(0, len(waves), _WAVES):
        phases = np.exp(2j * np.pi * (waves[begin : begin + _WAVES] @ places.T))
        matrices = np.tensordot(phases, rows, 1).reshape(len(phases), 3 * n_basis, 3 * n_basis)
        matrices = (matrices + matrices.conj().transpose(0, 2, 1)) / 2
        if begin == 0:
            # The first wave has no nodes: three of its vectors are the translations.
            others = null_space(np.tile(np.eye(3), n_basis))
            eigenvalues.append(np.linalg.eigvalsh(others.T @ matrices[0].real @ others))
            matrices = matrices[1:]
        eigenvalues.append(np.linalg.eigvalsh(matrices).ravel())
    return np.sort(np.concatenate(eigenvalues))


def _hessian_rows(primitive, repetitions, potential):
    """Rows of the Hessian of one primitive cell, by the vector between the two atoms of a block.

    Returns
    -------
    vectors : ndarray of shape (n_blocks, 3), Å
    rows : ndarray of shape (n_blocks, n_basis, 3, n_basis, 3), eV/Å²
        Zero but for the pair of atoms that the vector is between.
    """
    n_basis = len(primitive)
    if isinstance(potential, HessianRows):
        crystal = make_supercell(primitive, repetitions)
        return _by_vectors(crystal, n_basis, bsr_array(potential.hessian_rows(crystal, n_basis), blocksize=(3, 3)))
    heights = 1 / np.linalg.norm(primitive.cell.reciprocal(), axis=1)
    wide = np.diag(np.ceil(_WIDE / heights).astype(int))
    if 2 * np.prod(np.diag(wide)) < abs(np.linalg.det(repetitions)):
        # A smaller cell will do, unless its atoms reach their own images.
        small = make_supercell(primitive, wide)
        vectors, rows = _by_vectors(small, n_basis, potential.hessian(small))
        vectors, distances = find_mic(vectors, small.cell, pbc=True)
        if distances.max() < _WIDE / 2:
            return vectors, rows
    crystal = make_supercell(primitive, repetitions)
    return _by_vectors(crystal, n_basis, potential.hessian(crystal))


def _by_vectors(crystal, n_basis, hessian):
    """See `_hessian_rows`; atoms of the crystal are in the order of its primitive cells."""
    blocks = bsr_array(hessian, blocksize=(3, 3))
    of_row = np.repeat(np.arange(n_basis), np.diff(blocks.indptr[: n_basis + 1]))
    column = blocks.indices[: len(of_row)]
    rows = np.zeros((len(of_row), n_basis, 3, n_basis, 3))
    rows[np.arange(len(of_row)), of_row, :, column % n_basis] = blocks.data[: len(of_row)]
    return crystal.positions[column] - crystal.positions[of_row], rows


def _waves(repetitions):
    """Wave vectors that fit into a cell, in units of its reciprocal vectors, the one without nodes first."""
    # Two waves are the same if they differ by a reciprocal vector of the primitive cell.
    steps = np.abs(np.diag(lattice_basis(repetitions.T))).tolist()
    return np.indices(steps).reshape(3, -1).T
