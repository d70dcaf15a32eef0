"""Descriptor from the stiffness of each atom with its neighbours free to follow: local parts of ln det H."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any, ClassVar

import numpy as np
from numba import get_num_threads
from scipy.spatial import cKDTree
from threadpoolctl import threadpool_limits

from vibentropy.descriptors.hessian import DEFAULT, ClusterDescriptor, whiten, whitening
from vibentropy.descriptors.parameters import POTENTIAL, SPECIES, ListOf, Number, Parameter
from vibentropy.errors import SaddlePointError
from vibentropy.files.machine_code import njit
from vibentropy.potentials.hessian_rows import hessian_range, sites

#: Atoms whose clusters are cut out of the same rows, and those that are factorised at a time.
SIZE, CHUNK = 256, 16
#: Smallest pivot of a stable cluster, in roots of the stiffness of its atoms. Atoms that nothing holds, as those of a
#: molecule, have pivots of nothing but rounding, which is above or below zero by chance.
MIN_PIVOT = 1e-5


class HessianStiffness(ClusterDescriptor):
    """Stiffness of atoms while those around them follow; asks an embedded-atom potential, at prediction time too.

    It is what an atom shows to a slow force, when the atoms around it yield and those further away are held. ``ln_R``
    is -1/2 ln det k_i(R), with the Schur complement k_i(R) = H_ii - H_iC (H_CC)^-1 H_Ci of the atoms C within R of atom
    i. Up to a constant that is 1/2 ln det of its mean square displacements, [(H_(i+C))^-1]_ii. At R = 0 it is -1/2 ln
    det H_ii. A determinant is made of such terms: ln det H = Σ_i ln det k_i, if C is all atoms that had their turn
    before i; it lies between the sums for no atoms and for all others (Fischer's inequality). As features, relative to
    the perfect crystal, they are in k_B.

    The rim is soft, so that features are continuous: with the stiffness of each atom p in units of H_pp, the coupling
    of atoms p and q has the factor f(r_ip) f(r_iq), where f falls from 1 to 0 over `width` below R.

    H has no periodic images here: features are local and extensive in cells of any size. Defined near minima of the
    potential only, and for one element. The cost grows with the ninth power of R, of which there may be several.

    Parameters
    ----------
    potential : dict, optional
        ``file`` and ``element`` of an embedded-atom potential, see `vibentropy.Potential.from_setfl`; by default an
        iron. Others have no analytic Hessian.
    radii : list of float, optional
        R in Å, ascending, from 0; by default 0 and 5.
    width : float
        Of the rim, Å.
    species : list of str, optional
        None, or the element of the potential.
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
    seconds_per_atom: ClassVar[float] = 1.8e-3
    examples: ClassVar[tuple[dict[str, Any], ...]] = ({"potential": DEFAULT, "radii": [0.0, 3.0, 3.6], "width": 0.5},)

    def __init__(
        self,
        potential: dict[str, str] | None = None,
        radii: list[float] | None = None,
        width: float = 0.4,
        species: list[str] | None = None,
    ) -> None:
        self.potential = potential
        self.radii = radii
        self.width = width
        self.species = species

    def _blocks(self, atoms):
        per_atom = sites(self._potential, atoms)
        logarithm, roots = whitening(per_atom.stiffness)
        largest = max(self._radii)
        hop = min(2 * largest, hessian_range(self._potential)) * (1 + 1e-9)
        for centres, index, positions, rows in self._rows(atoms, per_atom, largest, hop, SIZE):
            start, columns, steps = rows
            whiten(start, columns, steps, roots[index])
            near = cKDTree(positions).query_ball_point(positions[: len(centres)], largest, return_sorted=True)
            first, members = np.cumsum([0, *map(len, near)]), np.concatenate(near)
            features = np.repeat(-0.5 * logarithm[centres, None], len(self._radii), axis=1)
            for column, radius in enumerate(self._radii):
                if radius > 0:
                    try:
                        features[:, column] += _yielding(radius, self.width, first, members, positions, *rows)
                    except np.linalg.LinAlgError as error:
                        raise SaddlePointError(
                            f"around one of the atoms {centres.min()} to {centres.max()} those within {radius} Å give "
                            "way together with the others held: stiffness is defined near minima of the potential"
                        ) from error
            yield centres, features


def _yielding(radius, width, first, members, positions, start, columns, steps):
    """Logarithm of the mean square displacement of each centre in units of that with all others held, halved.

    Parameters
    ----------
    radius, width : float, Å
    first, members : ndarray of int
        Atoms near centre i, itself among them, are ``members[first[i]:first[i + 1]]``.
    positions : ndarray of shape (n_atoms, 3), Å
    start, columns, steps : ndarray
        Rows of R, see `vibentropy.descriptors.hessian.whiten`.

    Returns
    -------
    ndarray of shape (n_centres,)

    Raises
    ------
    numpy.linalg.LinAlgError
        If a cluster is not stable.
    """
    logarithms = np.empty(len(first) - 1)

    def factorise(chunk):
        matrices = _gather(chunk, radius, width, first, members, positions, start, columns, steps)
        # The centre is last: the end of the factor is that of its stiffness when all others have yielded.
        pivots = np.diagonal(np.linalg.cholesky(matrices), axis1=1, axis2=2)
        if pivots.min() < MIN_PIVOT:
            raise np.linalg.LinAlgError("a cluster is not held by its surroundings")
        logarithms[chunk] = -np.log(pivots[:, -3:]).sum(axis=1)

    chunks = np.split(np.arange(len(logarithms)), range(CHUNK, len(logarithms), CHUNK))
    # Many small factorisations: one thread each.
    with threadpool_limits(1), ThreadPoolExecutor(get_num_threads()) as pool:
        list(pool.map(factorise, chunks))
    return logarithms


@njit(nogil=True)
def _gather(chunk, radius, width, first, members, positions, start, columns, steps):
    """Stiffness of clusters in units of that of their atoms, each centre last, filled up in front with ones."""
    size = 0
    for i in chunk:
        size = max(size, first[i + 1] - first[i])
    matrices = np.zeros((len(chunk), 3 * size, 3 * size))
    place = np.full(positions.shape[0], -1)
    factor = np.zeros(positions.shape[0])
    for number in range(len(chunk)):
        i, matrix = chunk[number], matrices[number]
        for p in range(3 * size):
            matrix[p, p] = 1.0
        cluster = members[first[i] : first[i + 1]]
        row = size - 2
        for p in cluster:
            if p == i:
                place[p], factor[p] = size - 1, 1.0
                continue
            square = 0.0
            for a in range(3):
                square += (positions[p, a] - positions[i, a]) ** 2
            x = (radius - np.sqrt(square)) / width
            if x > 0:
                x = min(x, 1.0)
                place[p], factor[p] = row, x**3 * (10 - 15 * x + 6 * x**2)
                row -= 1
        for p in cluster:
            if place[p] < 0:
                continue
            for c in range(start[p], start[p + 1]):
                q = columns[c]
                if 0 <= place[q] < place[p]:
                    step = -factor[p] * factor[q]
                    for a in range(3):
                        for b in range(3):
                            matrix[3 * place[p] + a, 3 * place[q] + b] = step * steps[c, a, b]
        place[cluster] = -1
    return matrices
