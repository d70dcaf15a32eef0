"""Descriptor from moments of the Hessian: the local terms that the vibrational entropy is the sum of.

See docs/theory.md, "Local parts of the Hessian".

With D the 3 x 3 diagonal blocks H_ii of the Hessian and R = 1 - D^{-1/2} H D^{-1/2}, which has none,

    S = -1/2 ln det H = -1/2 Σ_i ln det H_ii + Σ_{k>=2} tr R^k / 2k     (in k_B, up to a constant per mode).
"""

from typing import Any, ClassVar

import numpy as np
from numba import prange

from vibentropy.descriptors.hessian import ALLOY, DEFAULT, POTENTIAL, HessianDescriptor, whiten, whitening
from vibentropy.descriptors.parameters import SPECIES, Integer, ListOf, Number, Parameter
from vibentropy.numerics.machine_code import njit
from vibentropy.potentials.local_rows import local_rows
from vibentropy.potentials.protocols import LocalHessian

#: Atoms described at a time by whether products of R are needed: their surroundings have rows in memory then.
SIZES = {False: 2048, True: 256}
#: Atoms that one thread works on with one workspace.
_CHUNK = 16


class HessianMoments(HessianDescriptor):
    """Moments of the Hessian, local terms of its determinant; asks the potential, at prediction time too.

    Each has the factor that it has in the entropy. ``ln_det`` is -1/2 ln det H_ii, and ``tr_Rk`` is tr (R^k)_ii / 2k,
    the closed walks of k steps from an atom and back: they reach k // 2 times the range of H. Relative to the perfect
    crystal all are k_B, and their plain sum is the entropy of formation as far as the series has been followed. It has
    no limit, because R has eigenvalues outside (-1, 1): the features are for a linear model to weight.

    R is that of the infinite crystal that a periodic cell stands for: each image of an atom is an atom. So features
    are local and extensive in cells of any size. The three translations, eigenvalues 1 of the R of a finite cell, stay
    in: to leave them out takes 1/2k from each cell, large or small, which is not extensive.

    With several species, features are those of the central one, and ``tr_R2`` of pairs: of the central one and of the
    atom that the first step leads to.

    Defined near minima of the potential only, where H_ii is positive definite.

    Parameters
    ----------
    potential : dict or LocalHessian, optional
        What names a potential with an analytic Hessian: ``file`` and ``element`` or ``elements``, or ``pair_style:
        meam`` with its ``pair_coeff`` and ``element``, see `vibentropy.load_potential`. Or any potential that follows
        `vibentropy.potentials.protocols.LocalHessian`, which no file can hold. By default an iron.
    max_order : int
        Largest k, from 2 to 6. What it costs grows by powers: 3 as much as 4, and 5 as much as 6.
    distances : list of float, optional
        Resolve k = 2 by the length of the step: a feature for each of these (Å, ascending), which shares a step
        linearly with the nearest other; together they are ``tr_R2``. All below the longest step.
    r_hop : float, optional
        Longest step of a walk in Å; by default the range of H, which makes the moments exact.
    species : list of str, optional
        Elements to tell apart, of those of the potential; by default all atoms must be of one element.
    """

    parameters: ClassVar[dict[str, Parameter]] = {
        "potential": POTENTIAL,
        "max_order": Integer("steps of the longest walks", minimum=2, maximum=6),
        "distances": ListOf(
            "resolve walks of two steps by the length of a step",
            unit="Å",
            null="one feature",
            item=Number(above=0),
            order="ascending",
        ),
        "r_hop": Number("longest step", unit="Å", null="the range of the Hessian", above=0),
        "species": SPECIES,
    }
    seconds_per_atom: ClassVar[float] = 7e-5
    examples: ClassVar[tuple[dict[str, Any], ...]] = (
        {"potential": DEFAULT, "max_order": 2, "distances": [2.5, 2.9, 4.0, 4.8, 5.7], "species": ["Fe"]},
        {"potential": DEFAULT, "max_order": 6, "r_hop": 3.0},
        {"potential": ALLOY, "max_order": 3, "r_hop": 3.0, "distances": [2.4, 2.9], "species": ["Al", "Fe"]},
    )

    def __init__(
        self,
        potential: dict[str, Any] | LocalHessian | None = None,
        max_order: int = 4,
        distances: list[float] | None = None,
        r_hop: float | None = None,
        species: list[str] | None = None,
    ) -> None:
        self.potential = potential
        self.max_order = max_order
        self.distances = distances
        self.r_hop = r_hop
        self.species = species

    def check_parameters(self) -> None:
        """Check the parameters; see `Descriptor.check_parameters`."""
        super().check_parameters()
        if self.distances is not None and not self.distances[-1] < self._hop:
            raise ValueError(f"distances == {self.distances!r}, but no step is longer than {self._hop:g} Å.")

    @property
    def feature_names(self) -> list[str]:
        """``ln_det``, ``tr_R2`` and so on; resolved by distance ``tr_R2_2.5`` in place of ``tr_R2``.

        With several species ``ln_det_Fe``, and ``tr_R2_Fe_P`` and ``tr_R2_Fe_P_2.5`` for steps from iron to phosphorus.
        """
        names = []
        for symbol in self._symbols:
            names.append(f"ln_det{symbol}")
            for other in self._symbols:
                second = f"tr_R2{symbol}{other}"
                names += [second] if self.distances is None else [f"{second}_{float(d)!r}" for d in self.distances]
            names += [f"tr_R{k}{symbol}" for k in range(3, self.max_order + 1)]
        return names

    @property
    def reach(self) -> float | None:
        """Distance in Å to the last atom that matters: a walk as far as it goes, and what its last step depends on."""
        return self.max_order // 2 * self._hop + self._potential.hessian_range

    @property
    def _hop(self):
        longest = self._potential.hessian_range
        return longest if self.r_hop is None else min(float(self.r_hop), longest)

    def _values(self, atoms, species):
        per_atom = local_rows(self._potential).per_atom(atoms)
        logarithm, roots = whitening(per_atom.stiffness)
        knots = np.array([0.0] if self.distances is None else self.distances, dtype=float)
        # Walks of four steps need the rows of atoms that one step leads to, those of six of atoms two steps away.
        way = (self.max_order - 1) // 2 * self._hop
        for centres, index, positions, rows in self._rows(atoms, per_atom, way, self._hop, SIZES[self.max_order > 2]):
            n, (start, columns, steps) = len(centres), rows
            whiten(start, columns, steps, roots[index])
            kinds, n_kinds = species[index], len(self._symbols)
            second = _second(n, start, columns, steps, positions, kinds, n_kinds, knots) / 4
            values = [-0.5 * logarithm[centres, None], second.reshape(n, -1)]
            if self.max_order > 2:
                traces = _higher(n, len(positions), start, columns, steps, self.max_order > 4)
                orders = np.arange(3, self.max_order + 1)
                values.append(traces[:, : len(orders)] / (2 * orders))
            yield centres, np.hstack(values)


@njit(nogil=True)
def _second(n_centres, start, columns, steps, positions, kinds, n_kinds, knots):
    """Share Σ_j |R_ij|² among the species of j and the distances, linearly between the two next to r_ij."""
    shares = np.zeros((n_centres, n_kinds, knots.shape[0]))
    last = knots.shape[0] - 1
    for i in range(n_centres):
        for c in range(start[i], start[i + 1]):
            square = distance = 0.0
            for a in range(3):
                distance += (positions[columns[c], a] - positions[i, a]) ** 2
                for b in range(3):
                    square += steps[c, a, b] ** 2
            distance = np.sqrt(distance)
            right = np.searchsorted(knots, distance)
            of_kind = shares[i, kinds[columns[c]]]
            if right == 0 or right > last:
                of_kind[min(right, last)] += square
            else:
                part = (distance - knots[right - 1]) / (knots[right] - knots[right - 1])
                of_kind[right - 1] += (1 - part) * square
                of_kind[right] += part * square
    return shares


@njit(nogil=True, inline="always")
def _add_product(total, left, right):
    for a in range(3):
        for b in range(3):
            total[a, b] += left[a, 0] * right[0, b] + left[a, 1] * right[1, b] + left[a, 2] * right[2, b]


@njit(nogil=True, inline="always")
def _dot(left, right):
    total = 0.0
    for a in range(3):
        for b in range(3):
            total += left[a, b] * right[a, b]
    return total


@njit(nogil=True)
def _higher_of(begin, end, n_atoms, start, columns, steps, six, traces):
    """Write the traces of the centres from `begin` to `end`."""
    two, three = np.zeros((n_atoms, 3, 3)), np.zeros((n_atoms if six else 0, 3, 3))
    came = np.zeros(n_atoms, np.bool_)
    reached = np.empty(n_atoms, np.int64)
    for i in range(begin, end):
        n_reached = 0
        for c in range(start[i], start[i + 1]):
            for d in range(start[columns[c]], start[columns[c] + 1]):
                j = columns[d]
                if not came[j]:
                    came[j] = True
                    reached[n_reached] = j
                    n_reached += 1
                _add_product(two[j], steps[c], steps[d])
        if six:
            for c in range(n_reached):
                for d in range(start[reached[c]], start[reached[c] + 1]):
                    _add_product(three[columns[d]], two[reached[c]], steps[d])
        for c in range(start[i], start[i + 1]):
            traces[i, 0] += _dot(two[columns[c]], steps[c])
        for c in range(n_reached):
            j = reached[c]
            traces[i, 1] += _dot(two[j], two[j])
            if six:
                traces[i, 2] += _dot(two[j], three[j])
            two[j] = 0.0
            came[j] = False
        if six:
            for j in range(n_atoms):
                traces[i, 3] += _dot(three[j], three[j])
            three[:] = 0.0


@njit(nogil=True, parallel=True)
def _higher(n_centres, n_atoms, start, columns, steps, six):
    """Compute tr (R^k)_ii for k = 3 to 6 (5 and 6 if `six`), from two and three steps: R is symmetric."""
    traces = np.zeros((n_centres, 4))
    # As no more than a call, it is compiled in half the time.
    for chunk in prange((n_centres + _CHUNK - 1) // _CHUNK):
        begin, end = chunk * _CHUNK, min((chunk + 1) * _CHUNK, n_centres)
        _higher_of(begin, end, n_atoms, start, columns, steps, six, traces)
    return traces
