"""Second derivatives of the energy of modified embedded atoms.

H = Σ_i J_iᵀ (d²E_i) J_i over the sites, J_i the derivatives of the 24 moments of a site and d²E_i its curvature as a
function of them; plus, for each pair, the second derivatives of S W with slopes frozen (see
`vibentropy.potentials.meam.bonds`):

    S [W (g gᵀ + L) + ∇W gᵀ + g ∇Wᵀ + ∇∇W],   g and L the first two derivatives of ln S.

Blocks are between the atoms that one site feels: itself, those that it has a bond with, and those that screen one.
"""

import numpy as np
from numpy.typing import NDArray

from vibentropy.numerics.machine_code import njit
from vibentropy.potentials.meam.bonds import is_counted, worth
from vibentropy.potentials.meam.density import N_GROUPS, N_MOMENTS, moments_of, powers_of, radial_parts
from vibentropy.potentials.meam.functions import Constants
from vibentropy.potentials.meam.screening import screening_atoms

#: Lists of whole numbers one after the other: where each begins, and all of them.
Lists = tuple[NDArray[np.int64], NDArray[np.int64]]


@njit(nogil=True)
def _felt(first, neighbour, vectors, squares, screening, farthest, p):
    """Atoms that each site feels, itself first.

    Returns
    -------
    start : ndarray of shape (n_atoms + 1,)
    atoms : ndarray of shape (n_felt,)
    """
    n = first.shape[0] - 1
    capacity = np.max(np.diff(first))
    others, by_squares = np.empty(capacity, np.int64), np.empty((capacity, 3))
    by_squares_twice = np.empty((capacity, 3, 3))
    start, atoms = np.zeros(n + 1, np.int64), np.empty(neighbour.shape[0] + n, np.int64)
    site_of = np.full(n, -1, np.int64)  # The last site that feels an atom.
    count = 0
    for i in range(n):
        begin, end = first[i], first[i + 1]
        site_of[i], atoms[count] = i, i
        count += 1
        for slot in range(begin, end):
            if screening[slot] == 0.0:
                continue
            n_others = screening_atoms(
                slot, begin, end, vectors, squares, farthest, p, others, by_squares, by_squares_twice
            )
            for t in range(-1, n_others):
                atom = neighbour[slot] if t < 0 else neighbour[others[t]]
                if site_of[atom] != i:
                    site_of[atom], atoms[count] = i, atom
                    count += 1
        start[i + 1] = count
    return start, atoms[:count].copy()


@njit(nogil=True)
def _columns(start, atoms, n_rows):
    """Columns of the first rows, ascending: atoms that are felt by a site that feels the atom of the row, too."""
    n = start.shape[0] - 1
    # Sites that feel each of the first atoms.
    feeling = np.zeros(n_rows + 1, np.int64)
    for m in range(atoms.shape[0]):
        if atoms[m] < n_rows:
            feeling[atoms[m] + 1] += 1
    feeling = np.cumsum(feeling)
    sites, filled = np.empty(feeling[n_rows], np.int64), feeling[:n_rows].copy()
    for i in range(n):
        for m in range(start[i], start[i + 1]):
            if atoms[m] < n_rows:
                sites[filled[atoms[m]]] = i
                filled[atoms[m]] += 1
    rows, columns = np.zeros(n_rows + 1, np.int64), np.empty(0, np.int64)
    for filling in range(2):
        if filling == 1:
            rows = np.cumsum(rows)
            columns = np.empty(rows[n_rows], np.int64)
        row_of = np.full(n, -1, np.int64)  # The last row that has a column.
        for a in range(n_rows):
            count = 0
            for m in range(feeling[a], feeling[a + 1]):
                i = sites[m]
                for k in range(start[i], start[i + 1]):
                    if row_of[atoms[k]] != a:
                        row_of[atoms[k]] = a
                        if filling == 1:
                            columns[rows[a] + count] = atoms[k]
                        count += 1
            if filling == 0:
                rows[a + 1] = count
            else:
                columns[rows[a] : rows[a + 1]].sort()
    return rows, columns


@njit(nogil=True)
def _add(blocks, rows, columns, place, atoms, n_atoms, matrix):
    """Add a matrix between some atoms to the blocks; an atom may be there twice, for images of it."""
    n_rows = rows.shape[0] - 1
    for a in range(n_atoms):
        row = atoms[a]
        if row >= n_rows:
            continue
        for c in range(rows[row], rows[row + 1]):
            place[columns[c]] = c
        for b in range(n_atoms):
            block = blocks[place[atoms[b]]]
            for x in range(3):
                for y in range(3):
                    block[x, y] += matrix[3 * a + x, 3 * b + y]


@njit(nogil=True)
def _any_row(atoms, n_rows):
    """Whether rows of some of these atoms are wanted."""
    return atoms.min() < n_rows


@njit(nogil=True)
def _bend(jacobian, size, total, curvature, weights, bent, matrix):
    """Write Jᵀ (d²E) J of a site to a matrix.

    With g = ∇A_0 and x = ∇X: E_X Σ_q 2 w_q ∇A_q ∇A_qᵀ + E_00 g gᵀ + E_0X (g xᵀ + x gᵀ) + E_XX x xᵀ.
    """
    by_x, twice_by_density, by_both, twice_by_x = curvature
    last = N_MOMENTS
    jacobian[last, :size] = 0.0
    for q in range(1, N_MOMENTS):
        for y in range(size):
            jacobian[last, y] += 2 * weights[q] * total[q] * jacobian[q, y]
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
def hessian_blocks(
    n_rows: int,
    first: NDArray[np.int64],
    neighbour: NDArray[np.int64],
    vectors: NDArray[np.float64],
    squares: NDArray[np.float64],
    screening: NDArray[np.float64],
    total: NDArray[np.float64],
    slopes: NDArray[np.float64],
    curvatures: NDArray[np.float64],
    weights: NDArray[np.float64],
    farthest: float,
    p: Constants,
    step: float,
    table: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.int64]]:
    """Make the rows of the Hessian that belong to the first atoms.

    Parameters
    ----------
    n_rows : int
        Number of atoms.
    first, neighbour, vectors, squares, screening, slopes, farthest, p, step, table
        As of `vibentropy.potentials.meam.bonds.pair_energy_and_forces`.
    total, curvatures, weights
        As of `vibentropy.potentials.meam.density.embed`.

    Returns
    -------
    blocks : ndarray of shape (n_blocks, 3, 3), eV/Å²
    columns : ndarray of shape (n_blocks,)
        Ascending in each row.
    rows : ndarray of shape (n_rows + 1,)
        Where the blocks of each atom begin.
    """
    felt, atoms_felt = _felt(first, neighbour, vectors, squares, screening, farthest, p)
    rows, columns = _columns(felt, atoms_felt, n_rows)
    blocks = np.zeros((columns.shape[0], 3, 3))
    place = np.empty(first.shape[0] - 1, np.int64)
    capacity = np.max(np.diff(first))
    size = 3 * (capacity + 2)
    room = (
        *(np.empty(capacity, np.int64), np.empty((capacity, 3)), np.empty((capacity, 3, 3))),
        *(np.empty((N_GROUPS, 3)), np.empty((3, 6))),
    )
    matrix = np.empty((size, size))
    _add_sites(
        *(first, neighbour, vectors, squares, screening, total, curvatures, weights, farthest, p),
        *(felt, atoms_felt, rows, columns, blocks, place, matrix, room),
    )
    _add_pairs(
        *(first, neighbour, vectors, squares, screening, slopes, farthest, p, step, table),
        *(rows, columns, blocks, place, matrix, room),
    )
    return blocks, columns, rows


@njit(nogil=True)
def _add_sites(
    first,
    neighbour,
    vectors,
    squares,
    screening,
    total,
    curvatures,
    weights,
    farthest,
    p,
    felt,
    atoms_felt,
    rows,
    columns,
    blocks,
    place,
    matrix,
    room,
):
    """Add what changing slopes do, site by site."""
    n, n_rows = first.shape[0] - 1, rows.shape[0] - 1
    others, by_squares, by_squares_twice, radial, powers = room
    moments, gradients = np.empty(N_MOMENTS), np.empty((N_MOMENTS, 3))
    # Rows of J for all moments and for X.
    jacobian = np.empty((N_MOMENTS + 1, matrix.shape[0]))
    bent = np.empty_like(jacobian)
    local = np.empty(n, np.int64)
    for i in range(n):
        atoms = atoms_felt[felt[i] : felt[i + 1]]
        n_atoms = atoms.shape[0]
        if not _any_row(atoms, n_rows):
            continue
        for a in range(n_atoms):
            local[atoms[a]] = 3 * a
        jacobian[:, : 3 * n_atoms] = 0.0
        begin, end = first[i], first[i + 1]
        for slot in range(begin, end):
            s, v = screening[slot], vectors[slot]
            if s == 0.0:
                continue
            r = np.sqrt(squares[slot])
            radial_parts(r, p, radial)
            powers_of(v, powers)
            moments_of(v, r, radial, powers, moments, gradients)
            at_j = local[neighbour[slot]]
            for q in range(N_MOMENTS):
                for x in range(3):
                    jacobian[q, at_j + x] += s * gradients[q, x]
                    jacobian[q, x] -= s * gradients[q, x]
            count = screening_atoms(
                slot, begin, end, vectors, squares, farthest, p, others, by_squares, by_squares_twice
            )
            for t in range(count):
                at_k = local[neighbour[others[t]]]
                for x in range(3):
                    along = 2 * s * by_squares[t, 0] * v[x]
                    to_k = 2 * s * by_squares[t, 1] * vectors[others[t], x]
                    beside = 2 * s * by_squares[t, 2] * (vectors[others[t], x] - v[x])
                    for q in range(N_MOMENTS):
                        jacobian[q, x] -= moments[q] * (along + to_k)
                        jacobian[q, at_j + x] += moments[q] * (along - beside)
                        jacobian[q, at_k + x] += moments[q] * (to_k + beside)
        _bend(jacobian, 3 * n_atoms, total[i], curvatures[i], weights, bent, matrix)
        _add(blocks, rows, columns, place, atoms, n_atoms, matrix)


@njit(nogil=True)
def _add_pairs(
    first,
    neighbour,
    vectors,
    squares,
    screening,
    slopes,
    farthest,
    p,
    step,
    table,
    rows,
    columns,
    blocks,
    place,
    matrix,
    room,
):
    """Add the second derivatives of what each pair is worth, slopes frozen."""
    n, n_rows = first.shape[0] - 1, rows.shape[0] - 1
    others, by_squares, by_squares_twice, radial, powers = room
    polynomials, pull, stiffness = np.empty((N_GROUPS, 10)), np.empty(3), np.empty((3, 3))
    atoms, gradient = np.empty(matrix.shape[0] // 3, np.int64), np.empty(matrix.shape[0])
    for i in range(n):
        begin, end = first[i], first[i + 1]
        for slot in range(begin, end):
            s, j, v = screening[slot], neighbour[slot], vectors[slot]
            if s == 0.0 or not is_counted(i, j, v):
                continue
            count = screening_atoms(
                slot, begin, end, vectors, squares, farthest, p, others, by_squares, by_squares_twice
            )
            n_atoms = 2 + count
            atoms[0], atoms[1] = i, j
            for t in range(count):
                atoms[2 + t] = neighbour[others[t]]
            if not _any_row(atoms[:n_atoms], n_rows):
                continue
            r = np.sqrt(squares[slot])
            w, _ = worth(v, r, slopes[i], slopes[j], p, step, table, radial, powers, polynomials, pull, stiffness)
            size = 3 * n_atoms
            matrix[:size, :size] = 0.0
            gradient[:size] = 0.0
            for t in range(count):
                _screen(t, v, vectors[others[t]], s * w, by_squares[t], by_squares_twice[t], gradient, matrix)
            for x in range(3):
                for y in range(3):
                    k = s * stiffness[x, y]
                    matrix[x, y] += k
                    matrix[3 + x, 3 + y] += k
                    matrix[x, 3 + y] -= k
                    matrix[3 + x, y] -= k
            for y in range(size):
                # S W g gᵀ and half of S (∇W gᵀ + g ∇Wᵀ) by rows, the other half by columns.
                for z in range(size):
                    matrix[y, z] += s * w * gradient[y] * gradient[z]
                for x in range(3):
                    k = s * pull[x] * gradient[y]
                    matrix[y, x] -= k
                    matrix[y, 3 + x] += k
                    matrix[x, y] -= k
                    matrix[3 + x, y] += k
            _add(blocks, rows, columns, place, atoms, n_atoms, matrix)


@njit(nogil=True)
def _screen(t, v, u, factor, slopes, curvatures, gradient, matrix):
    """Add what one screening atom does to the first and second derivatives of ln S, the latter times a factor.

    Parameters
    ----------
    t : int
        Which of them: its place is after the two atoms of the pair and the others before it.
    v, u : ndarray of shape (3,), Å
        From the first atom to the second, and to this one.
    factor : float
        S W.
    slopes, curvatures : ndarray of shape (3,) and (3, 3)
        By the squares of v, u and u - v.
    gradient, matrix : ndarray
        Added to.
    """
    places = (0, 3, 6 + 3 * t)
    # Derivatives of the three squares by the three atoms are ±2 times these vectors.
    sign = ((-1.0, 1.0, 0.0), (-1.0, 0.0, 1.0), (0.0, -1.0, 1.0))
    for x in range(3):
        sides = (v[x], u[x], u[x] - v[x])
        for a in range(3):
            for k in range(3):
                gradient[places[a] + x] += 2 * slopes[k] * sign[k][a] * sides[k]
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
