"""The parameters of modified embedded atoms (MEAM), from relaxed positions alone.

As in `vibentropy.learning.force_law`, forces vanish at a minimum, and no label, no energy and no potential is asked;
this is for metals in which angles and screening matter. There the functions themselves are sought, here the parameters
of those that the method has: of the equation of state and of the densities, the bounds of screening, and the cutoff.
They are found by least squares of all forces, from starts that know nothing of the metal but its lattice. The energy of
cohesion sets the unit of energy, which positions do not know and classical entropies do not depend on.

The search is a local one and can come to rest in the wrong place, mostly with too wide a cutoff: bonds beyond the
second neighbours are screened, and little changes with it. So there are several searches, and what is left tells
whether one of them has found the law.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product

import numpy as np
from ase import Atoms
from ase.data import atomic_masses, atomic_numbers
from numpy.typing import NDArray
from scipy.optimize import least_squares

from vibentropy.atoms.neighbours import neighbour_pairs
from vibentropy.atoms.reference import check_perfect
from vibentropy.errors import DataError, PotentialError
from vibentropy.files.progress import Done, ignore
from vibentropy.learning.force_law import check_cells
from vibentropy.potentials.meam.files import MeamParameters
from vibentropy.potentials.meam.lattices import LATTICES
from vibentropy.potentials.meam.potential import Meam

#: Energy of cohesion, eV: of the unit of energy. Metals have one to nine.
COHESION = 4.0

#: Forms of G(Γ) that are tried: a root, an exponential, and a logistic function.
_FORMS = (0, 1, 3)

#: What is sought: where searches begin, and its bounds. Lengths are in units of the distance of first neighbours; the
#: cutoff where each begins is one of `_CUTOFFS`.
_SOUGHT = {
    "re": (1.0, 0.85, 1.15),
    "alpha": (5.0, 1.0, 12.0),
    "attrac": (0.0, -0.5, 0.5),
    "repuls": (0.0, -0.5, 0.5),
    "asub": (0.5, 0.05, 3.0),
    "beta0": (4.0, 0.1, 12.0),
    "beta1": (1.0, 0.1, 12.0),
    "beta2": (1.0, 0.1, 12.0),
    "beta3": (1.0, 0.1, 12.0),
    "t1": (0.0, -40.0, 40.0),
    "t2": (0.0, -40.0, 40.0),
    "t3": (0.0, -40.0, 40.0),
    "Cmin": (1.0, 0.05, 1.95),
    "Cmax": (2.8, 2.0, 4.0),
    "rc": (1.8, 1.3, 2.8),
    "delr": (0.1, 0.02, 0.8),
}
#: Cutoffs in bcc from which searches begin, until one leads to the law, and the one from which each goes on when it has
#: come to rest: from a narrow one it often finds the way out of where it was. In other lattices they are wider, as
#: second neighbours are further away.
_CUTOFFS, _NARROW = (1.8, 1.4, 1.5), 1.45
_LENGTHS = ("re", "rc", "delr")
#: What a step may change first, where the start is zero.
_SCALE = 0.3

#: Steps by which forces are differentiated, relative to the parameters. Those of one that comes close to zero are too
#: small to tell anything, and it stays there: searches in which cubic terms, which many potentials have not, went on
#: moving came to rest in the wrong place more often.
_DIFFERENCE = 1e-6
_MAX_STEPS = 60
#: Displacement (Å) up to which a law is exact, and no other one is tried.
EXACT = 1e-6
#: Forces below which there is no defect, eV/Å: at the start of the search those next to a vacancy are tenths.
_NO_FORCE = 1e-3

#: How far distances of neighbours in the perfect crystal may be from those in a reference lattice, relatively: hcp
#: metals have two distances of first neighbours.
_LATTICE_TOLERANCE = 0.05


@dataclass(frozen=True, eq=False)
class MeamLaw:
    """Parameters of modified embedded atoms, in a unit of energy of their own.

    Attributes
    ----------
    parameters : MeamParameters
    displacement : float
        The largest force that is left, divided by the mean stiffness with which an atom is held, Å.
    n_cells, n_forces : int
        That it is learnt from.
    """

    parameters: MeamParameters
    displacement: float
    n_cells: int
    n_forces: int

    def potential(self) -> Meam:
        """Make the potential of the parameters, which has an analytic Hessian.

        Returns
        -------
        Meam
        """
        return Meam(self.parameters)


def learn_meam_law(cells: Iterable[Atoms], crystal: Atoms, *, done: Done = ignore) -> MeamLaw:
    """Find the parameters of modified embedded atoms (2NN-MEAM, one element) whose forces vanish at relaxed positions.

    Parameters
    ----------
    cells : iterable of ase.Atoms
        Minima of one element, with defects of different kinds; a handful of a thousand atoms. Forces of 1e-6 eV/Å and
        positions to 1e-7 Å are best.
    crystal : ase.Atoms
        The perfect crystal, of any size: bcc, fcc, hcp of nearly ideal c/a, or sc, which is the reference lattice.
    done : callable
        Called where a search has come further, with what forces are left.

    Returns
    -------
    MeamLaw

    Raises
    ------
    DataError
        If the cells are not of the crystal's element, or hold fewer different forces than there are unknowns; or if the
        crystal is none of those lattices.
    StructureError
        If the crystal is not perfect.
    """
    check_perfect(crystal)
    element, cells = str(crystal.symbols[0]), list(cells)
    check_cells(cells, element)
    lattice, spacing = _reference_lattice(crystal)
    search = _Search(cells, element, lattice, spacing, done)
    begin, _, _ = zip(*_SOUGHT.values(), strict=True)
    wider = LATTICES[lattice].ratio / LATTICES["bcc"].ratio
    different = search.different_forces(_with_cutoff(begin, _CUTOFFS[0] * wider))
    if different < 2 * len(_SOUGHT):
        raise DataError(
            f"{different} different forces next to defects in {len(cells)} cells, expected at least {2 * len(_SOUGHT)} "
            f"for {len(_SOUGHT)} unknowns: give more relaxed cells with defects, or less symmetric ones"
        )
    found: list[_Found] = []
    for one in search.from_all_starts(begin, wider):
        found.append(one)
        if one.displacement < EXACT:
            break
    best = min(found, key=lambda law: law.displacement)
    parameters = search.parameters(best.start, best.x)
    return MeamLaw(parameters, best.displacement, len(cells), 3 * sum(map(len, cells)))


def _reference_lattice(crystal: Atoms) -> tuple[str, float]:
    """Name the reference lattice that a crystal is, and find the distance of its first neighbours (Å)."""
    first, _, vectors, distances = neighbour_pairs(crystal, 8.0)
    vectors, distances = vectors[: first[1]], distances[: first[1]]
    nearest = distances < distances.min(initial=np.inf) * (1 + _LATTICE_TOLERANCE)
    spacing = float(distances[nearest].mean()) if nearest.any() else 1.0
    for name, lattice in LATTICES.items():
        numbers = [
            int((np.abs(distances / spacing - ratio) < _LATTICE_TOLERANCE).sum()) for ratio in (1.0, lattice.ratio)
        ]
        like_hcp = lattice.shape[2] > 0
        if numbers == [lattice.neighbours, lattice.second_neighbours] and _third_moment(vectors[nearest]) == like_hcp:
            return name, spacing
    raise DataError(
        f"the crystal of {crystal.symbols[0]} is none of {', '.join(LATTICES)} (hcp of nearly ideal c/a), expected one "
        "of these, the reference lattices of MEAM"
    )


def _third_moment(vectors):
    """Whether directions of neighbours have a third moment, as in hcp: no inversion leaves them the same."""
    unit = vectors / np.linalg.norm(vectors, axis=1)[:, None]
    return bool(np.abs(np.einsum("na,nb,nc->abc", unit, unit, unit)).max() > 0.1)


@dataclass(frozen=True)
class _Found:
    """What a search came to: the parameters that are not sought, those that are, and `MeamLaw.displacement`."""

    start: MeamParameters
    x: tuple[float, ...]
    displacement: float


def _with_cutoff(x, cutoff):
    """Values of what is sought, with this cutoff and the first width of its shell."""
    return tuple(({**dict(zip(_SOUGHT, x, strict=True)), "rc": cutoff, "delr": _SOUGHT["delr"][0]}).values())


@dataclass(frozen=True)
class _Search:
    """Least squares of the forces in some cells."""

    cells: list[Atoms]
    element: str
    lattice: str
    spacing: float
    done: Done

    def start(self, form: int) -> MeamParameters:
        """Parameters that are not sought; the repulsion of nuclei has a unit of energy, which a law has not."""
        return MeamParameters(
            element=self.element,
            lattice=self.lattice,
            atomic_number=atomic_numbers[self.element],
            mass=float(atomic_masses[atomic_numbers[self.element]]),
            Ec=COHESION,
            re=1.0,
            alpha=1.0,
            asub=1.0,
            beta=(1.0, 1.0, 1.0, 1.0),
            t=(0.0, 0.0, 0.0),
            rho0=1.0,
            ibar=form,
            nn2=1,
            augt1=0,
            zbl=0,
        )

    def different_forces(self, x: Sequence[float]) -> int:
        """Count the forces of different size."""
        if not self.cells:
            return 0
        sizes = np.linalg.norm(self.forces(self.start(_FORMS[0]), x).reshape(-1, 3), axis=1)
        return len(np.unique(np.round(sizes[sizes > _NO_FORCE], 6)))

    def parameters(self, start: MeamParameters, x: Sequence[float]) -> MeamParameters:
        """Put the parameters that are sought into the others."""
        value = {
            name: float(one) * (self.spacing if name in _LENGTHS else 1.0) for name, one in zip(_SOUGHT, x, strict=True)
        }
        return replace(
            start,
            re=value["re"],
            alpha=value["alpha"],
            attrac=value["attrac"],
            repuls=value["repuls"],
            asub=value["asub"],
            beta=(value["beta0"], value["beta1"], value["beta2"], value["beta3"]),
            t=(value["t1"], value["t2"], value["t3"]),
            Cmin=value["Cmin"],
            Cmax=value["Cmax"],
            rc=value["rc"],
            delr=value["delr"],
        )

    def forces(self, start: MeamParameters, x: Sequence[float]) -> NDArray[np.float64]:
        """All forces, or infinite ones where a potential of these parameters has none."""
        potential = Meam(self.parameters(start, x))
        try:
            return np.concatenate([potential.energy_and_forces(atoms)[1].ravel() for atoms in self.cells])
        except PotentialError:
            return np.full(3 * sum(map(len, self.cells)), np.inf)

    def from_all_starts(self, begin: Sequence[float], wider: float) -> Iterator[_Found]:
        """Search from each cutoff with each form of G, and then from the narrow cutoff with what was found."""
        for first, form in product(_CUTOFFS, _FORMS):
            start, x = self.start(form), tuple(begin)
            for cutoff in (first, _NARROW):
                found = self.run(start, _with_cutoff(x, cutoff * wider))
                x = found.x
                yield found

    def run(self, start: MeamParameters, begin: Sequence[float]) -> _Found:
        """Search from here on."""
        least = np.inf

        def forces(x):
            nonlocal least
            found = self.forces(start, x)
            if (left := float(np.sqrt(np.mean(found**2)))) < least:
                least = left
                self.done(f"ibar {start.ibar}: forces of {left:.3g} are left")
            return found

        sought = np.array(begin, dtype=float)
        _, low, high = (np.array(column) for column in zip(*_SOUGHT.values(), strict=True))
        if not np.isfinite(forces(sought)).all():
            return _Found(start, tuple(begin), np.inf)
        best = least_squares(
            forces,
            sought,
            bounds=(low, high),
            x_scale=np.maximum(np.abs(sought), _SCALE),
            diff_step=_DIFFERENCE,
            max_nfev=_MAX_STEPS,
        )
        x = tuple(best.x.tolist())
        stiffness = Meam(self.parameters(start, x)).hessian(self.cells[0]).diagonal().mean()
        largest = np.linalg.norm(best.fun.reshape(-1, 3), axis=1).max()
        return _Found(start, x, float(largest / stiffness) if stiffness > 0 else np.inf)
