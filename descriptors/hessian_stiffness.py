"""Descriptor from the stiffness of each atom with its neighbours free to follow: local parts of ln det H."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any, ClassVar

import numpy as np
from numba import get_num_threads
from threadpoolctl import threadpool_limits

from vibentropy.descriptors.hessian import ALLOY, DEFAULT, POTENTIAL, ClusterDescriptor, whiten, whitening
from vibentropy.descriptors.parameters import SPECIES, ListOf, Number, Parameter
from vibentropy.errors import SaddlePointError
from vibentropy.numerics.blas import cholesky
from vibentropy.numerics.machine_code import njit
from vibentropy.potentials.protocols import LocalHessian

#: Clusters that are factorised at a time.
CHUNK = 16
#: Smallest pivot of a stable cluster, in roots of the stiffness of its atoms. Atoms that nothing holds, as those of a
#: molecule, have pivots of nothing but rounding, which is above or below zero by chance.
MIN_PIVOT = 1e-5


class HessianStiffness(ClusterDescriptor):
    """Stiffness of atoms while those around them follow; asks the potential, at prediction time too.

    It is what an atom shows to a slow force, when the atoms around it yield and those further away are held. ``ln_R``
    is -1/2 ln det k_i(R), with the Schur complement k_i(R) = H_ii - H_iC (H_CC)^-1 H_Ci of the atoms C within R of atom
    i. Up to a constant that is 1/2 ln det of its mean square displacements, [(H_(i+C))^-1]_ii. At R = 0 it is -1/2 ln
    det H_ii. A determinant is made of such terms: ln det H = Σ_i ln det k_i, if C is all atoms that had their turn
    before i; it lies between the sums for no atoms and for all others (Fischer's inequality). As features, relative to
    the perfect crystal, they are in k_B.

    The rim is soft, so that features are continuous: with the stiffness of each atom p in units of H_pp, the coupling
    of atoms p and q has the factor f(r_ip) f(r_iq), where f falls from 1 to 0 over `width` below R.

    H has no periodic images here: features are local and extensive in cells of any size. Defined near minima of the
    potential only. With several species, features are those of the central one. The cost grows with the ninth power of
    the largest R; smaller ones are read off the same factor.

    Parameters
    ----------
    potential : dict or LocalHessian, optional
        What names a potential with an analytic Hessian: ``file`` and ``element`` or ``elements``, or ``pair_style:
        meam`` with its ``pair_coeff`` and ``element``, see `vibentropy.load_potential`. Or any potential that follows
        `vibentropy.potentials.protocols.LocalHessian`, which no file can hold. By default an iron.
    radii : list of float, optional
        R in Å, ascending, from 0; by default 0 and 5.
    width : float
        Of the rim, Å.
    species : list of str, optional
        Elements to tell apart, of those of the potential; by default all atoms must be of one element.

    Notes
    -----
    Nearly perfect surroundings are factorised as well. To expand around the perfect crystal to first order would save
    most of the time, but strains fall off as the cube of the distance: in a cell of 1024 sites with one cluster the
    second order is above 1e-6 k_B for all atoms of most classes, as found by second differences.
    """

    default_radii: ClassVar[tuple[float, ...]] = (0.0, 5.0)
    parameters: ClassVar[dict[str, Parameter]] = {
        "potential": POTENTIAL,
        "radii": ListOf(
            "within which neighbours follow", unit="Å", null="0 and 5", item=Number(minimum=0), order="ascending"
        ),
        "width": Number("of the soft rim below each radius", unit="Å", above=0),
        "species": SPECIES,
    }
    seconds_per_atom: ClassVar[float] = 3e-4
    examples: ClassVar[tuple[dict[str, Any], ...]] = (
        {"potential": DEFAULT, "radii": [0.0, 3.0, 3.6], "width": 0.5},
        {"potential": ALLOY, "radii": [0.0, 3.0], "width": 0.5, "species": ["Al", "Fe"]},
    )

    def __init__(
        self,
        potential: dict[str, Any] | LocalHessian | None = None,
        radii: list[float] | None = None,
        width: float = 0.4,
        species: list[str] | None = None,
    ) -> None:
        self.potential = potential
        self.radii = radii
        self.width = width
        self.species = species

    def _values(self, atoms, species):
        stiffness, neighbourhoods = self._neighbourhoods(atoms)
        logarithm, roots = whitening(stiffness)
        radii = np.array(self._radii, dtype=float)
        yielding = radii > 0
        for centres, index, (start, columns, steps), first, members, distances in neighbourhoods:
            features = np.repeat(-0.5 * logarithm[centres, None], len(radii), axis=1)
            if yielding.any():
                whiten(start, columns, steps, roots[index])
                around = index, first, members, distances
                features[:, yielding] += _yielding(radii[yielding], self.width, *around, start, columns, steps)
            yield centres, features


def _yielding(radii, width, index, first, members, distances, start, columns, steps):
    """Logarithms of the mean square displacement of each centre in units of that with all others held, halved.

    Parameters
    ----------
    radii : ndarray of shape (n_radii,), Å
        Ascending.
    width : float, Å
    index, first, members, distances : ndarray
        Centres and the atoms around each, see `vibentropy.descriptors.hessian.Neighbourhoods`.
    start, columns, steps : ndarray
        Rows of R, see `vibentropy.descriptors.hessian.whiten`.

    Returns
    -------
    ndarray of shape (n_centres, n_radii)

    Raises
    ------
    SaddlePointError
        If a cluster is not stable.
    """
    logarithms = np.empty((len(first) - 1, len(radii)))

    def factorise(chunk):
        around = len(index), first, members, distances
        matrices, away = _gather(chunk, radii[-1], width, *around, start, columns, steps)
        try:
            size = matrices.shape[1]
            stable = [cholesky(size, matrices, number * size**2, size) for number in range(len(matrices))]
            if not all(stable) or np.diagonal(matrices, axis1=1, axis2=2).min() < MIN_PIVOT:
                raise np.linalg.LinAlgError("a cluster is not held by its surroundings")
            logarithms[chunk] = _log_pivots(matrices, away, radii, width)
        except np.linalg.LinAlgError as error:
            raise SaddlePointError(
                f"around one of the atoms {index[chunk].min()} to {index[chunk].max()} those within {radii[-1]} Å give "
                "way together with the others held: stiffness is defined near minima of the potential; relax the cell"
            ) from error

    chunks = np.split(np.arange(len(logarithms)), range(CHUNK, len(logarithms), CHUNK))
    # Many small factorisations: one thread each.
    with threadpool_limits(1), ThreadPoolExecutor(get_num_threads()) as pool:
        list(pool.map(factorise, chunks))
    return logarithms


@njit(nogil=True, inline="always")
def _coupling(distance, radius, width):
    """Weaken the coupling of an atom at the rim: 1 inside, 0 outside, twice differentiable."""
    x = min((radius - distance) / width, 1.0)
    return x**3 * (10 - 15 * x + 6 * x**2) if x > 0 else 0.0


@njit(nogil=True)
def _gather(chunk, radius, width, n_atoms, first, members, distances, start, columns, steps):
    """Stiffness of the largest clusters in units of that of their atoms, filled up in front with ones.

    Returns
    -------
    matrices : ndarray of shape (n_centres, 3 n, 3 n)
        The nearest atoms first and the centre last: what a smaller cluster has of its factor stands in front of the
        rest, and the factor ends with the stiffness of the centre when all others have yielded. Only the triangle that
        LAPACK takes for the lower one, in column order: column before row.
    away : ndarray of shape (n_centres, n)
        Distances of the atoms from their centre, 0 for what is filled up.
    """
    size = 1
    for i in chunk:
        size = max(size, first[i + 1] - first[i] + 1)
    matrices = np.zeros((len(chunk), 3 * size, 3 * size))
    away = np.zeros((len(chunk), size))
    place = np.full(n_atoms, -1)
    factor = np.zeros(size)
    for number in range(len(chunk)):
        i, matrix = chunk[number], matrices[number]
        for p in range(3 * size):
            matrix[p, p] = 1.0
        order = np.argsort(distances[first[i] : first[i + 1]])
        cluster = np.empty(size, np.int64)
        begin = size - 1 - len(order)
        for m in range(len(order)):
            p = first[i] + order[m]
            away[number, begin + m] = distances[p]
            factor[begin + m] = _coupling(distances[p], radius, width)
            cluster[begin + m] = members[p]
        factor[size - 1], cluster[size - 1] = 1.0, i
        for m in range(begin, size):
            place[cluster[m]] = m
        for m in range(begin, size):
            for c in range(start[cluster[m]], start[cluster[m] + 1]):
                other = place[columns[c]]
                if 0 <= other < m:
                    step = -factor[m] * factor[other]
                    for a in range(3):
                        for b in range(3):
                            matrix[3 * other + b, 3 * m + a] = step * steps[c, a, b]
        for m in range(begin, size):
            place[cluster[m]] = -1
    return matrices, away


@njit(nogil=True)
def _log_pivots(factors, away, radii, width):
    """Minus the sum of the logarithms of the last three pivots, for all radii from the factor of the largest cluster.

    Couplings at the rim of a smaller cluster are weaker than in the larger one by P = diag(ρ_p), and there are none
    beyond it. Its matrix is P M P + 1 - P², where M has the atoms within the radius and the centre. Atoms inside the
    rim have ρ = 1 and the factor that they have in the larger cluster; what remains of M for the atoms at the rim and
    the centre is the product of the rows that follow with their transpose, from those columns on, and P acts on that
    alone.
    """
    n_centres, n = away.shape
    largest = radii[-1]
    logarithms = np.empty((n_centres, radii.shape[0]))
    for number in range(n_centres):
        factor, distances = factors[number], away[number]
        for k in range(radii.shape[0]):
            inside = n - 1
            ratio = np.ones(n)
            end = n - 1
            if radii[k] < largest:
                inside = end = 0
                for p in range(n - 1):
                    if distances[p] < radii[k]:
                        ratio[p] = _coupling(distances[p], radii[k], width) / _coupling(distances[p], largest, width)
                        end = p + 1
                        if ratio[p] == 1.0:
                            inside = p + 1
            logarithms[number, k] = _log_end(factor, 3 * inside, 3 * end, ratio)
    return logarithms


@njit(nogil=True)
def _log_end(factor, inside, end, ratio):
    """Eliminate the atoms at the rim, in rows `inside` to `end`, and return the logarithm of the last pivots.

    The factor is in column order, as `_gather` begins it.
    """
    n_rim, last = end - inside, factor.shape[0] - 3
    rest = np.empty((n_rim + 3, n_rim + 3))
    # The centre is held less by what yields inside the rim: 1 - Σ y yᵀ, its rows of the factor up to there.
    for a in range(3):
        for b in range(a + 1):
            left = 1.0 if a == b else 0.0
            for column in range(inside):
                left -= factor[column, last + a] * factor[column, last + b]
            rest[n_rim + a, n_rim + b] = left
    for row in range(n_rim):
        for column in range(row + 1):
            product = 0.0
            for q in range(inside, inside + column + 1):
                product += factor[q, inside + row] * factor[q, inside + column]
            weight = ratio[(inside + row) // 3] * ratio[(inside + column) // 3]
            rest[row, column] = weight * product
        rest[row, row] += 1.0 - ratio[(inside + row) // 3] ** 2
        for a in range(3):
            product = 0.0
            for q in range(inside, inside + row + 1):
                product += factor[q, last + a] * factor[q, inside + row]
            rest[n_rim + a, row] = ratio[(inside + row) // 3] * product
    logarithm = 0.0
    for row in range(n_rim + 3):
        for column in range(row + 1):
            value = rest[row, column]
            for q in range(column):
                value -= rest[row, q] * rest[column, q]
            if column < row:
                rest[row, column] = value / rest[column, column]
            elif value > MIN_PIVOT**2:
                rest[row, row] = np.sqrt(value)
            else:
                # Less coupled than the larger cluster, a smaller one is no less stable: only rounding leads here.
                raise np.linalg.LinAlgError("a cluster is not held by its surroundings")
        if row >= n_rim:
            logarithm -= np.log(rest[row, row])
    return logarithm
