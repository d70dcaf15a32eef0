"""Second derivatives of the energy of modified embedded atoms.

H = Σ_i J_iᵀ (d²E_i) J_i over the sites, J_i the derivatives of the 24 moments of a site and d²E_i its curvature as a
function of them; plus, for each pair, the second derivatives of S W with slopes frozen (see
`vibentropy.potentials.meam.bonds`):

    S [W (g gᵀ + L) + ∇W gᵀ + g ∇Wᵀ + ∇∇W],   g and L the first two derivatives of ln S.

Two atoms have a block if one site feels both: a site feels itself, its neighbours, and the atoms that screen them.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from vibentropy.numerics.machine_code import njit
from vibentropy.potentials.meam.bonds import Table, allocate_bond, effective_potential, is_counted
from vibentropy.potentials.meam.density import N_MOMENTS, Sites, allocate_moments, moment_weights, moments_of
from vibentropy.potentials.meam.functions import Constants
from vibentropy.potentials.meam.screening import (
    Pairs,
    allocate_screening_atoms,
    coordinate_slopes,
    find_screening_atoms,
)


class _Surroundings(NamedTuple):
    """Atoms that each site feels, itself first.

    Attributes
    ----------
    starts : ndarray of shape (n_atoms + 1,)
        Where the atoms of each site begin.
    atoms : ndarray of shape (n_felt,)
    """

    starts: NDArray[np.int64]
    atoms: NDArray[np.int64]


class _Rows(NamedTuple):
    """Rows of the Hessian in blocks of 3 x 3.

    Attributes
    ----------
    starts : ndarray of shape (n_rows + 1,)
        Where the blocks of each row begin.
    columns : ndarray of shape (n_blocks,)
        Ascending in each row.
    blocks : ndarray of shape (n_blocks, 3, 3), eV/Å²
    place : ndarray of shape (n_atoms,)
        Work array: the places of the blocks of one row, by column.
    """

    starts: NDArray[np.int64]
    columns: NDArray[np.int64]
    blocks: NDArray[np.float64]
    place: NDArray[np.int64]


@njit(nogil=True)
def hessian_blocks(
    n_rows: int, pairs: Pairs, sites: Sites, p: Constants, table: Table
) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.int64]]:
    """Make the rows of the Hessian that belong to the first atoms.

    Parameters
    ----------
    n_rows : int
        Number of atoms.
    pairs : Pairs
    sites : Sites
    p : Constants
    table : Table

    Returns
    -------
    blocks : ndarray of shape (n_blocks, 3, 3), eV/Å²
    columns : ndarray of shape (n_blocks,)
        Ascending in each row.
    starts : ndarray of shape (n_rows + 1,)
        Where the blocks of each row begin.
    """
    felt = _felt(pairs, p)
    rows = _empty_rows(n_rows, felt)
    _add_sites(pairs, sites, p, felt, rows)
    _add_pairs(pairs, sites.slopes, p, table, rows)
    return rows.blocks, rows.columns, rows.starts


@njit(nogil=True)
def _felt(pairs, p):
    """Atoms that each site feels."""
    n = pairs.starts.shape[0] - 1
    screening = allocate_screening_atoms(pairs)
    starts, atoms = np.zeros(n + 1, np.int64), np.empty(pairs.second.shape[0] + n, np.int64)
    site_of = np.full(n, -1, np.int64)  # The last site that feels an atom.
    count = 0
    for i in range(n):
        site_of[i], atoms[count] = i, i
        count += 1
        for pair in range(pairs.starts[i], pairs.starts[i + 1]):
            if pairs.screening[pair] == 0.0:
                continue
            for t in range(-1, find_screening_atoms(i, pair, pairs, p, screening)):
                atom = pairs.second[pair if t < 0 else screening.to_third[t]]
                if site_of[atom] != i:
                    site_of[atom], atoms[count] = i, atom
                    count += 1
        starts[i + 1] = count
    return _Surroundings(starts, atoms[:count].copy())


@njit(nogil=True)
def _empty_rows(n_rows, felt):
    """Rows of zeros. The columns of atom i are the atoms j with which it is felt by one site."""
    n = felt.starts.shape[0] - 1
    # Sites that feel each of the first atoms.
    feeling = np.zeros(n_rows + 1, np.int64)
    for atom in felt.atoms:
        if atom < n_rows:
            feeling[atom + 1] += 1
    feeling = np.cumsum(feeling)
    sites, filled = np.empty(feeling[n_rows], np.int64), feeling[:n_rows].copy()
    for i in range(n):
        for m in range(felt.starts[i], felt.starts[i + 1]):
            atom = felt.atoms[m]
            if atom < n_rows:
                sites[filled[atom]] = i
                filled[atom] += 1
    starts, columns = np.zeros(n_rows + 1, np.int64), np.empty(0, np.int64)
    for filling in range(2):
        if filling == 1:
            starts = np.cumsum(starts)
            columns = np.empty(starts[n_rows], np.int64)
        row_of = np.full(n, -1, np.int64)  # The last row that has a column.
        for a in range(n_rows):
            count = 0
            for m in range(feeling[a], feeling[a + 1]):
                i = sites[m]
                for k in range(felt.starts[i], felt.starts[i + 1]):
                    atom = felt.atoms[k]
                    if row_of[atom] != a:
                        row_of[atom] = a
                        if filling == 1:
                            columns[starts[a] + count] = atom
                        count += 1
            if filling == 0:
                starts[a + 1] = count
            else:
                columns[starts[a] : starts[a + 1]].sort()
    return _Rows(starts, columns, np.zeros((columns.shape[0], 3, 3)), np.empty(n, np.int64))


@njit(nogil=True)
def _add(rows, atoms, matrix):
    """Add a matrix between some atoms to the blocks; several of them may be images of one."""
    n_atoms, n_rows = atoms.shape[0], rows.starts.shape[0] - 1
    for a in range(n_atoms):
        row = atoms[a]
        if row >= n_rows:
            continue
        for c in range(rows.starts[row], rows.starts[row + 1]):
            rows.place[rows.columns[c]] = c
        for b in range(n_atoms):
            block = rows.blocks[rows.place[atoms[b]]]
            for x in range(3):
                for y in range(3):
                    block[x, y] += matrix[3 * a + x, 3 * b + y]


@njit(nogil=True)
def _add_sites(pairs, sites, p, felt, rows):
    """Add Jᵀ (d²E) J, site by site."""
    n, n_rows = pairs.starts.shape[0] - 1, rows.starts.shape[0] - 1
    weights = moment_weights(p)
    screening, neighbour = allocate_screening_atoms(pairs), allocate_moments()
    moments, gradients = neighbour.moments, neighbour.slopes
    # Rows of J for all moments and for X.
    jacobian = np.empty((N_MOMENTS + 1, 3 * np.max(np.diff(felt.starts))))
    bent, matrix = np.empty_like(jacobian), np.empty((jacobian.shape[1], jacobian.shape[1]))
    local = np.empty(n, np.int64)
    for i in range(n):
        atoms = felt.atoms[felt.starts[i] : felt.starts[i + 1]]
        if atoms.min() >= n_rows:
            continue
        size = 3 * atoms.shape[0]
        for a in range(atoms.shape[0]):
            local[atoms[a]] = 3 * a
        jacobian[:, :size] = 0.0
        for pair in range(pairs.starts[i], pairs.starts[i + 1]):
            s, v = pairs.screening[pair], pairs.vectors[pair]
            if s == 0.0:
                continue
            moments_of(v, np.sqrt(pairs.squares[pair]), p, neighbour)
            at_j = local[pairs.second[pair]]
            for q in range(N_MOMENTS):
                for x in range(3):
                    jacobian[q, at_j + x] += s * gradients[q, x]
                    jacobian[q, x] -= s * gradients[q, x]
            for t in range(find_screening_atoms(i, pair, pairs, p, screening)):
                to_k = screening.to_third[t]
                at_k, u = local[pairs.second[to_k]], pairs.vectors[to_k]
                for x in range(3):
                    by_i, by_j, by_k = coordinate_slopes(x, v, u, screening.slopes[t])
                    by_i, by_j, by_k = s * by_i, s * by_j, s * by_k
                    for q in range(N_MOMENTS):
                        jacobian[q, x] += moments[q] * by_i
                        jacobian[q, at_j + x] += moments[q] * by_j
                        jacobian[q, at_k + x] += moments[q] * by_k
        _bend(jacobian, size, i, sites, weights, bent, matrix)
        _add(rows, atoms, matrix)


@njit(nogil=True)
def _bend(jacobian, size, i, sites, weights, bent, matrix):
    """Write Jᵀ (d²E) J of site i to a matrix; the last row of J and ``bent`` are written, too.

    With g = ∇A_0 and x = ∇X: E_X Σ_q 2 w_q ∇A_q ∇A_qᵀ + E_00 g gᵀ + E_0X (g xᵀ + x gᵀ) + E_XX x xᵀ.
    """
    by_x, twice_by_density, by_both, twice_by_x = sites.curvatures[i]
    last = N_MOMENTS
    jacobian[last, :size] = 0.0
    for q in range(1, N_MOMENTS):
        for y in range(size):
            jacobian[last, y] += 2 * weights[q] * sites.moments[i, q] * jacobian[q, y]
            bent[q, y] = 2 * by_x * weights[q] * jacobian[q, y]
    for y in range(size):
        bent[0, y] = twice_by_density * jacobian[0, y] + by_both * jacobian[last, y]
        bent[last, y] = by_both * jacobian[0, y] + twice_by_x * jacobian[last, y]
    for y in range(size):
        for z in range(y, size):
            matrix[y, z] = 0.0
        for q in range(N_MOMENTS + 1):
            factor = bent[q, y]
            for z in range(y, size):
                matrix[y, z] += factor * jacobian[q, z]
        for z in range(y + 1, size):
            matrix[z, y] = matrix[y, z]


@njit(nogil=True)
def _add_pairs(pairs, slopes, p, table, rows):
    """Add the second derivatives of S W, slopes frozen, pair by pair."""
    n, n_rows = pairs.starts.shape[0] - 1, rows.starts.shape[0] - 1
    screening, bond = allocate_screening_atoms(pairs), allocate_bond()
    capacity = 2 + screening.to_third.shape[0]
    atoms, gradient = np.empty(capacity, np.int64), np.empty(3 * capacity)
    matrix = np.empty((3 * capacity, 3 * capacity))
    for i in range(n):
        for pair in range(pairs.starts[i], pairs.starts[i + 1]):
            s, j, v = pairs.screening[pair], pairs.second[pair], pairs.vectors[pair]
            if s == 0.0 or not is_counted(i, j, v):
                continue
            count = find_screening_atoms(i, pair, pairs, p, screening)
            atoms[0], atoms[1] = i, j
            for t in range(count):
                atoms[2 + t] = pairs.second[screening.to_third[t]]
            if atoms[: 2 + count].min() >= n_rows:
                continue
            w, _ = effective_potential(v, np.sqrt(pairs.squares[pair]), slopes[i], slopes[j], p, table, bond)
            size = 3 * (2 + count)
            matrix[:size, :size] = 0.0
            gradient[:size] = 0.0
            for t in range(count):
                _add_screening_atom(t, v, pairs.vectors[screening.to_third[t]], s * w, screening, gradient, matrix)
            for x in range(3):
                for y in range(3):
                    k = s * bond.hessian[x, y]
                    matrix[x, y] += k
                    matrix[3 + x, 3 + y] += k
                    matrix[x, 3 + y] -= k
                    matrix[3 + x, y] -= k
            for y in range(size):
                # S W g gᵀ and half of S (∇W gᵀ + g ∇Wᵀ) by rows, the other half by columns.
                for z in range(size):
                    matrix[y, z] += s * w * gradient[y] * gradient[z]
                for x in range(3):
                    k = s * bond.gradient[x] * gradient[y]
                    matrix[y, x] -= k
                    matrix[y, 3 + x] += k
                    matrix[x, y] -= k
                    matrix[3 + x, y] += k
            _add(rows, atoms[: 2 + count], matrix)


@njit(nogil=True)
def _add_screening_atom(t, v, u, factor, screening, gradient, matrix):
    """Add what one screening atom does to the first and second derivatives of ln S, the latter times a factor.

    Parameters
    ----------
    t : int
        Which of them. In the matrix they follow the two atoms of the pair.
    v, u : ndarray of shape (3,), Å
        From the first atom to the second, and to this one.
    factor : float
        S W.
    screening : ScreeningAtoms
    gradient, matrix : ndarray
        Added to.
    """
    slopes, curvatures = screening.slopes[t], screening.curvatures[t]
    places = (0, 3, 6 + 3 * t)
    # Derivatives of the three squares by the three atoms are ±2 times these vectors.
    sign = ((-1.0, 1.0, 0.0), (-1.0, 0.0, 1.0), (0.0, -1.0, 1.0))
    for x in range(3):
        sides = (v[x], u[x], u[x] - v[x])
        by_atoms = coordinate_slopes(x, v, u, slopes)
        for a in range(3):
            gradient[places[a] + x] += by_atoms[a]
            for b in range(3):
                for k in range(3):
                    matrix[places[a] + x, places[b] + x] += 2 * factor * slopes[k] * sign[k][a] * sign[k][b]
        for y in range(3):
            others = (v[y], u[y], u[y] - v[y])
            for a in range(3):
                for b in range(3):
                    total = 0.0
                    for k in range(3):
                        for m in range(3):
                            total += curvatures[k, m] * sign[k][a] * sides[k] * sign[m][b] * others[m]
                    matrix[places[a] + x, places[b] + y] += 4 * factor * total
