"""The law of the forces between atoms, from relaxed positions alone.

At a minimum the forces on all atoms vanish, and near a defect they do so in many different surroundings. That is enough
to find the functions of an embedded-atom potential, up to a factor that classical entropies do not depend on: no label,
no energy and no potential is asked. With φ, f and F as in `vibentropy.potentials.embedded_atom`, the force on atom i is

    Σ_j [φ'(r_ij) + (G(ρ_i) + G(ρ_j)) f'(r_ij)] n_ij ,    ρ_i = Σ_j f(r_ij) ,    G = F' .

φ and F are not unique: what is linear in ρ can be in either. Here G vanishes and ρ is 1 in the perfect crystal, so that
φ is what is called the effective pair potential. φ' and f' are cubic splines, G is a polynomial of ρ - 1. The functions
minimise the sum of the squared forces, each divided by the distortion of its surroundings, which it is proportional to
where the crystal is nearly perfect, and so is the error of a spline. The factor is fixed by the trace of the effective
pair's part of H_ii in the perfect crystal. Given f', the others are linear: they are eliminated (variable projection;
Golub and Pereyra, SIAM J. Numer. Anal. 10, 413 (1973)), and f' is found by Levenberg-Marquardt steps.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from ase import Atoms
from ase.data import atomic_masses, atomic_numbers
from numpy.typing import NDArray
from scipy.interpolate import BSpline
from scipy.sparse import csr_array, diags_array

from vibentropy.atoms.neighbours import neighbour_pairs
from vibentropy.atoms.reference import check_perfect
from vibentropy.atoms.shells import gaps, shells
from vibentropy.errors import DataError
from vibentropy.files.progress import Done, ignore
from vibentropy.potentials.embedded_atom import Potential
from vibentropy.potentials.embedded_functions import smooth_functions
from vibentropy.potentials.setfl import SetflTable

#: Of the unit of energy: Σ_j (φ'' + 2 φ'/r) over the neighbours of an atom of the perfect crystal, eV/Å². Metals have
#: some tens.
TRACE = 30.0

#: Atoms whose neighbours are closer (Å) to where the perfect crystal has them say nothing, and weights stop to grow.
_DISTORTION = 1e-2

#: Weight of the squared third differences of spline coefficients beside that of the mean squared force: decides where
#: no bond of the cells is that long, and nowhere else.
_ROUGHNESS = 1e-9

_MAX_STEPS = 40
#: A step that lowers the sum of squares by less, in parts of it, is the last.
_CONVERGED = 1e-4
_MAX_DAMPING = 1e6

#: Fewest pieces of the splines, and shells of neighbours within the cutoff.
_MIN_PIECES, _MIN_SHELLS = 8, 4

#: What is added to the diagonals of scaled normal matrices, a few hundred roundings.
_RIDGE = 1e-13

#: Step of the tables of distance, Å, and points and largest density of that of F.
_STEP = 7.5e-4
_N_RHO = 4001
_MAX_RHO = 3.0


@dataclass(frozen=True, eq=False)
class ForceLaw:
    """Functions of an embedded-atom potential, in a unit of energy of their own.

    Attributes
    ----------
    pair : scipy.interpolate.BSpline
        φ'(r) from `r_min` to `r_cut`, where it vanishes with its first two derivatives.
    density : scipy.interpolate.BSpline
        f'(r), likewise; ρ = 1 in the perfect crystal.
    embedding : ndarray of shape (order,)
        Coefficients of G = F' in (ρ - 1), (ρ - 1)², ...
    element : str
    unbalanced : float
        Root mean square of the forces that are left, relative to that of the forces of the single bonds; all of them
        divided by the distortion.
    n_cells, n_forces : int
        That it is learnt from.
    """

    pair: BSpline
    density: BSpline
    embedding: NDArray[np.float64]
    element: str
    unbalanced: float
    n_cells: int
    n_forces: int

    @property
    def r_cut(self) -> float:
        """Cutoff, Å."""
        return float(self.pair.t[-1 - self.pair.k])

    @property
    def r_min(self) -> float:
        """Shortest bond that it is learnt from, to within one piece of the splines, Å."""
        return float(self.pair.t[self.pair.k])

    def table(self) -> SetflTable:
        """Tabulate the functions, for `vibentropy.potentials.setfl.write_setfl`.

        Returns
        -------
        SetflTable
            Bonds shorter than `r_min` are springs.
        """
        r = np.arange(int(np.ceil(self.r_cut / _STEP)) + 1) * _STEP
        rho = np.linspace(0.0, _MAX_RHO, _N_RHO)
        powers = np.arange(len(self.embedding)) + 2
        return SetflTable(
            elements=(self.element,),
            masses=(float(atomic_masses[atomic_numbers[self.element]]),),
            lattice_constants=(0.0,),
            structures=("none",),
            drho=float(rho[1]),
            dr=_STEP,
            r_cut=self.r_cut,
            embedding=((rho[:, None] - 1) ** powers @ (self.embedding / powers))[None],
            density=self._integral(self.density, r)[None, None],
            r_times_pair=(r * self._integral(self.pair, r))[None, None],
        )

    def potential(self) -> Potential:
        """Make a potential of the functions, which has an analytic Hessian.

        Returns
        -------
        Potential
        """
        table = self.table()
        return Potential(table, smooth_functions(table))

    def _integral(self, slope, r):
        """Integrate a slope from the cutoff; below the shortest bond, a parabola goes on."""
        area = slope.antiderivative()
        low = np.minimum(r - self.r_min, 0.0)
        inside = area(np.clip(r, self.r_min, self.r_cut)) - area(self.r_cut)
        return inside + low * (slope(self.r_min) + low / 2 * slope(self.r_min, 1))


def learn_force_law(
    cells: Iterable[Atoms],
    crystal: Atoms,
    *,
    r_cut: float = 5.6,
    spacing: float = 0.0075,
    order: int = 5,
    done: Done = ignore,
) -> ForceLaw:
    """Find the embedded-atom functions whose forces vanish at relaxed positions.

    Parameters
    ----------
    cells : iterable of ase.Atoms
        Minima of one element, with defects; a hundred and more of a thousand atoms, of several kinds. Forces of
        1e-6 eV/Å and positions to 1e-7 Å are best. A cell takes 10 MB and half a second.
    crystal : ase.Atoms
        The perfect crystal, of any size.
    r_cut : float
        Of both functions of distance, Å. Beyond that of the potential that relaxed the cells, they come out as 0.
    spacing : float
        Of the knots of the splines, Å.
    order : int
        Of the polynomial F' of the density.
    done : callable
        Called with what each step leaves.

    Returns
    -------
    ForceLaw

    Raises
    ------
    DataError
        If the cells are not of the crystal's element, or hold fewer forces than there are unknowns; or if the cutoff is
        too short or the spacing too wide for any law.
    StructureError
        If the crystal is not perfect.
    """
    check_perfect(crystal)
    element = str(crystal.symbols[0])
    radii = shells(crystal, r_cut)
    if len(radii) < _MIN_SHELLS:
        raise DataError(
            f"r_cut == {r_cut:g} Å holds {len(radii)} shells of neighbours of the crystal, expected {_MIN_SHELLS} at "
            "least: raise it"
        )
    cells = list(cells)
    check_cells(cells, element)
    shortest = min((neighbour_pairs(atoms, r_cut)[3].min(initial=r_cut) for atoms in cells), default=r_cut)
    basis = _Basis.within(shortest, r_cut, spacing)
    if cells and basis.n < _MIN_PIECES:
        raise DataError(
            f"spacing == {spacing:g} Å leaves {basis.n} pieces between {shortest:.2f} Å and the cutoff, expected "
            f"{_MIN_PIECES} at least: lower it"
        )
    balances = [_Balance.of(atoms, radii, basis) for atoms in cells]
    n_forces = sum(balance.n_forces for balance in balances)
    unknowns = 2 * basis.n + order
    if n_forces < 2 * unknowns:
        raise DataError(
            f"{n_forces} components of forces next to defects in {len(cells)} cells, expected at least "
            f"{2 * unknowns} for {unknowns} unknowns: give more cells, relaxed ones with defects, or a wider `spacing`"
        )
    return _fit(balances, basis, _distances(crystal, r_cut), order, element, done)


def check_cells(cells: Sequence[Atoms], element: str) -> None:
    """Check that cells to learn from are of one element.

    Parameters
    ----------
    cells : sequence of ase.Atoms
    element : str
        That of the crystal.

    Raises
    ------
    DataError
        If one is not.
    """
    for number, atoms in enumerate(cells):
        if set(atoms.symbols) != {element}:
            raise DataError(
                f"cell {number} is of {', '.join(sorted(set(atoms.symbols)))}, expected {element} only, as the "
                "crystal: force laws are of one element"
            )


@dataclass(frozen=True, eq=False)
class _Basis:
    """Cubic splines that vanish with two derivatives at the cutoff, as many as `n`, on knots of one distance."""

    knots: NDArray[np.float64]
    n: int

    @classmethod
    def within(cls, shortest, r_cut, spacing):
        pieces = int(np.ceil((r_cut - shortest) / spacing))
        # Three knots beyond either end; pieces + 3 splines live between them, and the last three do not vanish there.
        return cls(r_cut + spacing * np.arange(-pieces - 3.0, 4.0), pieces)

    def spline(self, coefficients):
        return BSpline(self.knots, np.concatenate([coefficients, np.zeros((3, *coefficients.shape[1:]))]), 3)

    def values(self, r):
        if not len(r):
            return csr_array((0, self.n))
        return csr_array(BSpline.design_matrix(r, self.knots, 3))[:, : self.n]

    def integrals(self, r):
        """From the cutoff to r, as the design matrix of splines of the next degree and a matrix behind it."""
        area = self.spline(np.eye(self.n)).antiderivative()
        quartic = BSpline.design_matrix(r, area.t, 4).tocsr()
        return quartic, area.c[: quartic.shape[1]] - area(self.knots[-4])


def _distances(crystal, r_cut):
    """Distances of the neighbours of one atom of the perfect crystal."""
    first, _, _, distances = neighbour_pairs(crystal, r_cut)
    return distances[: first[1]]


@dataclass(frozen=True, eq=False)
class _Balance:
    """Forces of one cell, as functions of what is sought; all divided by the distortion of their surroundings.

    Attributes
    ----------
    density : ndarray of shape (n_atoms, n)
        Densities of unit splines of f'.
    slopes : csr_array of shape (n_bonds, n)
        Values of the splines, for each bond of an atom with a force.
    directions : csr_array of shape (n_forces, n_bonds)
    ends : csr_array of shape (n_bonds, n_atoms)
        1 at both atoms of a bond.
    """

    density: NDArray[np.float64]
    slopes: csr_array
    directions: csr_array
    ends: csr_array

    @property
    def n_forces(self):
        """Components of forces, of distorted atoms only."""
        return self.directions.shape[0]

    @property
    def pair(self):
        """Forces of unit splines of φ', of shape (n_forces, n); ten times the memory of all the rest."""
        return (self.directions @ self.slopes).toarray()

    @classmethod
    def of(cls, atoms, radii, basis):
        first, neighbour, vectors, distances = neighbour_pairs(atoms, basis.knots[-4])
        n_atoms, centre = len(atoms), np.repeat(np.arange(len(atoms)), np.diff(first))
        quartic, integrals = basis.integrals(distances)
        sums = csr_array((np.ones(len(centre)), np.arange(len(centre)), first), shape=(n_atoms, len(centre)))
        distortion = _distortion(n_atoms, centre, distances, radii)
        kept = np.flatnonzero(distortion > _DISTORTION)
        bonds = np.flatnonzero(distortion[centre] > _DISTORTION)
        row = np.searchsorted(kept, centre[bonds])
        weighted = vectors[bonds] / (distances[bonds] * (distortion[centre[bonds]] + _DISTORTION))[:, None]
        number = np.arange(len(bonds))
        directions = csr_array(
            (weighted.ravel(), ((3 * row[:, None] + np.arange(3)).ravel(), np.repeat(number, 3))),
            shape=(3 * len(kept), len(bonds)),
        )
        ends = csr_array(
            (np.ones(2 * len(bonds)), (np.tile(number, 2), np.concatenate([centre[bonds], neighbour[bonds]]))),
            shape=(len(bonds), n_atoms),
        )
        slopes = basis.values(distances[bonds])
        return cls((sums @ quartic) @ integrals, slopes, directions, ends)

    def by_embedding(self, density, order):
        """Compute the forces of unit coefficients of G, of shape (n_forces, order)."""
        return self._along_bonds(density) @ _powers(self.density @ density, order)[0]

    def by_density(self, density, embedding):
        """Differentiate the forces by the coefficients of f', to shape (n_forces, n)."""
        powers, slopes = _powers(self.density @ density, len(embedding))
        own = self.directions @ diags_array(self.ends @ (powers @ embedding)) @ self.slopes
        return own.toarray() + self._along_bonds(density) @ ((slopes @ embedding)[:, None] * self.density)

    def onto_pair(self, forces):
        """Multiply forces by those of unit splines of φ', to shape (n, ...)."""
        return self.slopes.T @ (self.directions.T @ forces)

    def by_pair(self, pair):
        """Compute the forces of φ' alone, of shape (n_forces,)."""
        return self.directions @ (self.slopes @ pair)

    def bonds(self, pair):
        """Sum of the squared forces of the single bonds."""
        return float(self.directions.power(2).sum(axis=0) @ (self.slopes @ pair) ** 2)

    def _along_bonds(self, density):
        return self.directions @ diags_array(self.slopes @ density) @ self.ends


def _distortion(n_atoms, centre, distances, radii):
    """How far the nearest two shells of each atom are from those of the perfect crystal, at most."""
    near = distances < gaps(radii)[1].middle
    off = np.abs(distances[near, None] - np.array(radii)).min(axis=1)
    distortion = np.zeros(n_atoms)
    np.maximum.at(distortion, centre[near], off)
    return distortion


def _powers(rho, order):
    """Powers of ρ - 1 from 1 to the order, and their derivatives."""
    exponents = np.arange(1, order + 1)
    powers = (rho - 1)[:, None] ** np.arange(order + 1)
    return powers[:, 1:], exponents * powers[:, :-1]


def _fit(balances, basis, distances, order, element, done):
    n, n_forces = basis.n, sum(balance.n_forces for balance in balances)
    values = basis.values(distances).toarray()
    trace = (basis.spline(np.eye(n))(distances, 1)[:, :n] + 2 * values / distances[:, None]).sum(axis=0)
    quartic, integrals = basis.integrals(distances)
    unit_density = (quartic @ integrals).sum(axis=0)
    third = np.diff(np.eye(n), 3, axis=0)
    rough = _ROUGHNESS * n_forces * third.T @ third
    of_pair = sum(balance.pair.T @ balance.pair for balance in balances) + rough

    def eliminate(density):
        """φ' and G that leave least with this f', and the sum of squares that is left."""
        columns = [balance.by_embedding(density, order) for balance in balances]
        mixed = sum(balance.onto_pair(column) for balance, column in zip(balances, columns, strict=True))
        normal = np.block([[of_pair, mixed], [mixed.T, sum(column.T @ column for column in columns)]])
        best = _smallest(normal, np.concatenate([trace, np.zeros(order)]), TRACE)
        return best[:n], best[n:], columns, best @ normal @ best + density @ rough @ density

    density = _falling(basis, distances)
    density /= unit_density @ density
    pair, embedding, columns, left = eliminate(density)
    damping = 1e-3
    for step in range(1, _MAX_STEPS + 1):
        normal, gradient = _linearised(balances, columns, pair, density, embedding, rough)
        while True:
            change = _step(normal, gradient, damping, (trace, unit_density))[n : 2 * n]
            trial = eliminate(density + change)
            if trial[-1] < left or damping > _MAX_DAMPING:
                break
            damping *= 5
        if not trial[-1] < left:
            break
        ended = trial[-1] > (1 - _CONVERGED) * left and damping < 1e-3
        density, (pair, embedding, columns, left) = density + change, trial
        damping /= 4
        done(f"step {step}: forces of {np.sqrt(left / n_forces):.3g} are left")
        if ended:
            break
    forces = [balance.by_pair(pair) + column @ embedding for balance, column in zip(balances, columns, strict=True)]
    unbalanced = sum(force @ force for force in forces) / sum(balance.bonds(pair) for balance in balances)
    return ForceLaw(
        basis.spline(pair),
        basis.spline(density),
        embedding,
        element,
        float(np.sqrt(unbalanced)),
        len(balances),
        n_forces,
    )


def _falling(basis, distances):
    """Coefficients of a first f', which falls to zero between the third and the fourth shell."""
    end = gaps(sorted({*np.round(distances, 2)}))[2].middle
    r = np.linspace(basis.knots[3], basis.knots[-4], 10 * basis.n)
    normal = np.vstack([basis.values(r).toarray(), 1e-3 * np.eye(basis.n)])
    return np.linalg.lstsq(normal, np.concatenate([-np.maximum(end - r, 0.0), np.zeros(basis.n)]))[0]


def _smallest(normal, constraint, value):
    """Find the x of smallest xᵀ A x whose product with a vector has this value."""
    scale = 1 / np.sqrt(np.diagonal(normal) + np.finfo(float).tiny)
    scaled = normal * scale[:, None] * scale + _RIDGE * np.eye(len(normal))
    x = scale * np.linalg.solve(scaled, scale * constraint)
    return x * value / (constraint @ x)


def _linearised(balances, columns, pair, density, embedding, rough):
    """Find the normal matrix of the forces in all unknowns, and half the gradient of the sum of squares."""
    n, order = len(pair), len(embedding)
    normal, gradient = np.zeros((2 * n + order, 2 * n + order)), np.zeros(2 * n + order)
    for balance, column in zip(balances, columns, strict=True):
        derivatives = np.hstack([balance.pair, balance.by_density(density, embedding), column])
        normal += derivatives.T @ derivatives
        gradient += derivatives.T @ (balance.by_pair(pair) + column @ embedding)
    for start, coefficients in ((0, pair), (n, density)):
        part = slice(start, start + n)
        normal[part, part] += rough
        gradient[part] += rough @ coefficients
    return normal, gradient


def _step(normal, gradient, damping, constraints):
    """Damped Gauss-Newton step that leaves the trace and the density of the perfect crystal as they are."""
    n = len(constraints[0])
    fixed = np.zeros((2, len(normal)))
    fixed[0, :n], fixed[1, n : 2 * n] = constraints
    scale = 1 / np.sqrt(np.diagonal(normal) + np.finfo(float).tiny)
    scaled = normal * scale[:, None] * scale + _RIDGE * np.eye(len(normal))
    scaled[range(n, 2 * n), range(n, 2 * n)] += damping
    saddle = np.block([[scaled, (fixed * scale).T], [fixed * scale, np.zeros((2, 2))]])
    return scale * np.linalg.lstsq(saddle, np.concatenate([-gradient * scale, [0.0, 0.0]]))[0][: len(normal)]
