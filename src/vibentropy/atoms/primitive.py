"""The primitive cell that a perfect crystal repeats."""

import numpy as np
from ase import Atoms
from ase.geometry import find_mic, minkowski_reduce
from numpy.typing import ArrayLike, NDArray
from scipy.spatial import cKDTree

from vibentropy.atoms.reference import TRANSLATION_TOLERANCE, TRANSLATIONS
from vibentropy.errors import StructureError

#: Atoms that are looked at first, before a vector between two atoms is tried on all of them.
_SAMPLE = 16


def primitive_cell(crystal: Atoms) -> tuple[Atoms, NDArray[np.int64]]:
    """Find the smallest cell that a perfect crystal repeats.

    Parameters
    ----------
    crystal : ase.Atoms
        Periodic, a cell of any shape. Atoms may be off their sites by `TRANSLATION_TOLERANCE`.

    Returns
    -------
    primitive : ase.Atoms
        With reduced cell vectors, and each atom at the mean of all that it stands for.
    repetitions : ndarray of shape (3, 3), int64
        Cell vectors of the crystal in units of those of the primitive cell.

    Raises
    ------
    StructureError
        If the crystal is not as many atoms on each lattice point.
    """
    n = len(crystal)
    # A translation of a crystal of n atoms, n times over, is one of its cell vectors.
    basis = np.eye(3, dtype=np.int64) * n
    positions = crystal.get_scaled_positions() % 1.0 % 1.0
    tree = cKDTree(positions, boxsize=1.0)
    reach = TRANSLATION_TOLERANCE / np.linalg.svd(crystal.cell[:], compute_uv=False)[-1]
    vectors, lengths = find_mic(crystal.positions - crystal.positions[0], crystal.cell, pbc=True)
    inverse = np.linalg.inv(crystal.cell[:])
    for vector in vectors[np.argsort(lengths, kind="stable")[1 : TRANSLATIONS + 1]] @ inverse:
        if abs(_determinant(basis)) == n**2:
            break  # There is one atom to each lattice point.
        along = vector * n @ np.linalg.inv(basis)
        rest = (along - np.round(along)) @ basis / n @ crystal.cell[:]
        if np.linalg.norm(rest) < 4 * TRANSLATION_TOLERANCE:
            continue  # It is known already.
        tried = slice(_SAMPLE), slice(n)
        if all(_maps_onto(tree, positions, crystal.numbers, some, vector, reach) for some in tried):
            basis = lattice_basis([*basis.tolist(), np.round(vector * n).astype(int).tolist()])
    cell, _ = minkowski_reduce(basis / n @ crystal.cell[:])
    repetitions = np.round(crystal.cell[:] @ np.linalg.inv(cell)).astype(np.int64)
    return _mean_cell(crystal, cell, n**3 // abs(_determinant(basis))), repetitions


def _maps_onto(tree, positions, numbers, some, vector, reach):
    """Whether a translation takes some atoms to others of their kind."""
    distances, image = tree.query((positions[some] + vector) % 1.0 % 1.0, distance_upper_bound=reach)
    return np.isfinite(distances).all() and bool((numbers[image] == numbers[some]).all())


def _mean_cell(crystal, cell, n_cells):
    """Put the atoms of all cells of a lattice on top of each other."""
    n_basis, rest = divmod(len(crystal), n_cells)
    if rest:
        raise StructureError(f"{len(crystal)} atoms do not fill {n_cells} cells of a crystal alike")
    scaled = crystal.positions @ np.linalg.inv(cell)
    reach = 2 * TRANSLATION_TOLERANCE / np.linalg.svd(cell, compute_uv=False)[-1]
    left, numbers, positions = np.ones(len(crystal), bool), [], []
    for _ in range(n_basis):
        first = int(left.argmax())
        offsets = scaled - scaled[first]
        offsets -= np.round(offsets)
        here = left & (np.abs(offsets).max(axis=1) < reach)
        if here.sum() != n_cells:
            raise StructureError(f"{here.sum()} atoms are alike in a crystal of {n_cells} cells, expected one in each")
        positions.append((scaled[first] + offsets[here].mean(axis=0)) @ cell)
        numbers.append(crystal.numbers[first])
        left &= ~here
    return Atoms(numbers, positions, cell=cell, pbc=True)


def _determinant(matrix):
    (a, b, c), (d, e, f), (g, h, i) = (map(int, row) for row in matrix)
    return a * (e * i - f * h) - b * (d * i - f * g) + c * (d * h - e * g)


def lattice_basis(vectors: ArrayLike) -> NDArray[np.int64]:
    """Find three vectors whose integer sums are those of any number of vectors, by Euclid's algorithm in each column.

    Parameters
    ----------
    vectors : array_like of int, shape (n_vectors, 3)
        Of rank 3.

    Returns
    -------
    ndarray of shape (3, 3), int64
        Rows of an upper triangle (Hermite's normal form, less its signs and what is above the diagonal).
    """
    rows, basis = [list(map(int, vector)) for vector in np.asarray(vectors)], []
    for column in range(3):
        while sum(row[column] != 0 for row in rows) > 1:
            pivot = min((row for row in rows if row[column]), key=lambda row: abs(row[column]))
            rows = [
                row if row is pivot else [x - row[column] // pivot[column] * y for x, y in zip(row, pivot, strict=True)]
                for row in rows
            ]
        (pivot,) = (row for row in rows if row[column])
        rows.remove(pivot)
        basis.append(pivot)
    return np.array(basis, dtype=np.int64)
