"""Formation entropies of one defect in the infinite crystal, from larger and larger cells around it.

In periodic cells held at zero mean strain the entropy of a defect of finite size approaches its limit as
S_f(N) = S∞ + c/N, N the number of sites: its strain field sees its own images and cannot spread beyond the cell.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from ase import Atoms
from ase.build import make_supercell
from ase.geometry import find_mic
from numpy.typing import NDArray
from scipy.sparse.csgraph import breadth_first_order
from scipy.spatial import cKDTree

from vibentropy.atoms.primitive import primitive_cell
from vibentropy.atoms.reference import crystal_in_cell
from vibentropy.atoms.reference_cells import ReferenceCells, is_random
from vibentropy.errors import NotConvergedError, StructureError
from vibentropy.files.progress import Done, Note, ignore
from vibentropy.labels.determinants import (
    MAX_FORCE,
    MIN_EIGENVALUE,
    LogDeterminant,
    reference_log_determinant,
    relaxed_log_determinant,
)
from vibentropy.labels.entropy import formed_entropy
from vibentropy.potentials.newton import newton_relax
from vibentropy.potentials.protocols import Interaction

#: Sites of the cells that a defect is put into.
SIZES = (3456, 8192, 16_000)

#: Largest force (eV/Å) of the relaxed cells.
_RELAXED_FORCE = 1e-6

#: An atom this far from its site belongs to the defect, and parts of one defect are at most so far apart; in units of
#: the distance of nearest neighbours. And how much of the cell a defect may extend over.
_OFF_SITE, _ONE_DEFECT, _LARGEST = 0.35, 4.0, 0.75

#: How far (Å) an atom near the defect may move when the cell grows, and how far (eV) the formation energy may be from a
#: straight line in 1/N, or which share of its change.
_SAME_MINIMUM, _SAME_ENERGY, _SAME_SHARE = 0.1, 2e-3, 0.2


@dataclass(frozen=True)
class InfiniteEntropy:
    """Formation entropy of a defect in the infinite crystal.

    Attributes
    ----------
    value : float, k_B
        S∞ of the two largest cells.
    uncertainty : float, k_B
        Its difference to S∞ of the two smallest.
    sites : tuple of int
        Of the cells.
    entropies, energies : tuple of float
        Formation entropies (k_B) and energies (eV) in them.
    largest : ase.Atoms
        The relaxed defect in the largest cell.
    """

    value: float
    uncertainty: float
    sites: tuple[int, ...]
    entropies: tuple[float, ...]
    energies: tuple[float, ...]
    largest: Atoms


def infinite_entropy(
    atoms: Atoms,
    crystal: Atoms,
    potential: Interaction,
    max_force: float = MAX_FORCE,
    min_eigenvalue: float = MIN_EIGENVALUE,
    sizes: Sequence[int] = SIZES,
    done: Done = ignore,
    memory: int | None = None,
    note: Note = ignore,
    others: Sequence[Atoms] = (),
) -> InfiniteEntropy:
    """Find the formation entropy of a defect in the infinite crystal.

    Parameters
    ----------
    atoms : ase.Atoms
        One defect in a periodic cell, relaxed.
    crystal : ase.Atoms
        The perfect crystal in the same cell.
    potential : vibentropy.Potential
    max_force, min_eigenvalue : float
        See `vibentropy.labels.determinants.relaxed_log_determinant`.
    sizes : sequence of int
        About how many sites the cells shall have, ascending, three or more.
    done : callable
        Called with the size of each cell that is done.
    memory : int, optional
        See `vibentropy.labels.determinants.relaxed_log_determinant`.
    note : callable
        Called with what is done next and what it will cost.
    others : sequence of ase.Atoms
        Relaxed cells that atoms of further elements are compared with, as they are: the share of their own images,
        c/N with N of theirs, is left.

    Returns
    -------
    InfiniteEntropy

    Raises
    ------
    StructureError
        If the cell is no repetition of a crystal, holds no defect or several, or is larger than the smallest size; if
        the references do not say what an atom of each element counts, or the crystal is a random alloy.
    NotConvergedError
        If the defect in a larger cell is not the same minimum.
    SaddlePointError
        If it is none.
    """
    if is_random(crystal):
        raise StructureError("no larger cell of a random alloy has the same arrangement, so that there is no limit")
    defect = find_defect(atoms, crystal)
    limits = max_force, min_eigenvalue
    determinants: dict[tuple[bytes, bytes], LogDeterminant] = {}

    def determinant_of(cell: Atoms) -> LogDeterminant:
        # Those of `others` and of the crystal in them are the same for all sizes.
        key = cell.numbers.tobytes(), cell.positions.tobytes()
        if key not in determinants:
            determinants[key] = reference_log_determinant(cell, potential, *limits, memory, note)
        return determinants[key]

    sites, entropies, energies = [], [], []
    largest = atoms
    larger = _larger_cells(defect, sizes)
    for number, repetitions in enumerate(larger, 1):
        largest, perfect = defect.embedded(repetitions)
        note(f"infinite crystal: cell {number} of {len(larger)}, {len(perfect):,} sites")
        start = largest.positions.copy()
        largest, energy, _ = newton_relax(largest, potential, _RELAXED_FORCE)
        defect.check_same(start, largest)
        references = ReferenceCells.of([perfect, *others])
        of_references = references.quantities(lambda cell: potential.energy_and_forces(cell)[0])
        sites.append(len(perfect))
        energies.append(float(references.formed(largest, energy, of_references)))
        determinant = relaxed_log_determinant(largest, potential, *limits, memory, note)
        entropies.append(formed_entropy(references, largest, determinant, determinant_of)[0])
        done(f"{len(perfect)} sites")
    _check_straight(sites, energies)
    value, other = limit(sites[-2:], entropies[-2:]), limit(sites[:2], entropies[:2])
    return InfiniteEntropy(value, abs(value - other), tuple(sites), tuple(entropies), tuple(energies), largest)


def limit(sites: Sequence[int], values: Sequence[float]) -> float:
    """Extrapolate S(N) = S∞ + c/N from two cells.

    Parameters
    ----------
    sites : sequence of 2 int
    values : sequence of 2 float

    Returns
    -------
    float
    """
    (small, large), (first, second) = sites, values
    return (large * second - small * first) / (large - small)


@dataclass(frozen=True, eq=False)
class Defect:
    """One defect in a crystal.

    Attributes
    ----------
    primitive : ase.Atoms
        Of the crystal.
    repetitions : ndarray of shape (3, 3), int64
        Cell vectors in units of those of the primitive cell.
    sites : ndarray of shape (n_sites, 3), Å
        Of the crystal, around the defect.
    numbers : ndarray of shape (n_atoms,)
        Atomic numbers.
    positions : ndarray of shape (n_atoms, 3), Å
        Of the atoms, around the defect likewise, shifted onto the crystal where they were not on it.
    core : ndarray of shape (n_core, 3), Å
        Empty sites, and atoms that are off sites, share one, or are of another element than their site.
    spacing : float, Å
        Distance of nearest neighbours in the crystal.
    """

    primitive: Atoms
    repetitions: NDArray[np.int64]
    sites: NDArray[np.float64]
    numbers: NDArray[np.int64]
    positions: NDArray[np.float64]
    core: NDArray[np.float64]
    spacing: float

    def embedded(self, repetitions: NDArray[np.int64]) -> tuple[Atoms, Atoms]:
        """Put the defect, with all atoms of its cell, into a larger perfect crystal.

        Parameters
        ----------
        repetitions : ndarray of shape (3, 3), int64
            Cell vectors of that crystal, in units of those of the primitive cell.

        Returns
        -------
        atoms : ase.Atoms
            Those of the cell first; not relaxed.
        crystal : ase.Atoms
            Without the defect.
        """
        crystal = make_supercell(self.primitive, repetitions)
        tree = cKDTree(_scaled(crystal.positions, crystal.cell), boxsize=1.0)
        distances, taken = tree.query(_scaled(self.sites, crystal.cell))
        if len(np.unique(taken)) < len(self.sites) or distances.max() > 1e-3:
            raise StructureError("the sites of the cell are not among those of the larger crystal")
        rest = crystal[np.setdiff1d(np.arange(len(crystal)), taken)]
        inside = Atoms(self.numbers, self.positions, cell=crystal.cell, pbc=True)
        return inside + rest, crystal

    def check_same(self, start: NDArray[np.float64], relaxed: Atoms) -> None:
        """Check that no atom near the defect has moved far.

        Parameters
        ----------
        start : ndarray of shape (n_atoms, 3), Å
            Positions from `embedded`.
        relaxed : ase.Atoms
            The same atoms after relaxation.

        Raises
        ------
        NotConvergedError
        """
        near = cKDTree(self.core).query(self.positions)[0] < _ONE_DEFECT * self.spacing
        moved = np.linalg.norm((relaxed.positions - start)[: len(self.positions)][near], axis=1)
        if moved.max() > _SAME_MINIMUM:
            raise NotConvergedError(
                f"an atom near the defect moves by {moved.max():.2f} Å in a cell of {len(relaxed)} atoms, expected at "
                f"most {_SAME_MINIMUM} Å: it is another minimum there"
            )


def find_defect(atoms: Atoms, crystal: Atoms) -> Defect:
    """Find the defect in a cell.

    Parameters
    ----------
    atoms : ase.Atoms
    crystal : ase.Atoms
        The perfect crystal in the same cell, which may be shifted.

    Returns
    -------
    Defect

    Raises
    ------
    StructureError
        If there is none, or several far from each other.
    """
    crystal = crystal_in_cell(atoms, crystal)
    primitive, repetitions = primitive_cell(crystal)
    spacing = _spacing(primitive)
    positions = atoms.positions - _offset(atoms, primitive)
    sites, displacements = _nearest_sites(positions, primitive)
    crystal = make_supercell(primitive, repetitions)
    tree = cKDTree(_scaled(crystal.positions, crystal.cell), boxsize=1.0)
    _, occupied = tree.query(_scaled(sites, crystal.cell))
    count = np.bincount(occupied, minlength=len(crystal))
    off = (np.linalg.norm(displacements, axis=1) > _OFF_SITE * spacing) | (count[occupied] > 1)
    off |= atoms.numbers != crystal.numbers[occupied]
    core = np.concatenate([crystal.positions[count == 0], positions[off]])
    if not len(core):
        raise StructureError("the cell holds no defect: every site has one atom of its element, near it")
    core = _in_one_piece(core, crystal.cell, _ONE_DEFECT * spacing)
    centre = core.mean(axis=0)
    # Atoms go with their sites, of which some are half a cell away from the centre, on either side.
    around = centre + _wrapped(crystal.positions - centre, crystal.cell)
    return Defect(
        primitive=primitive,
        repetitions=repetitions,
        sites=around,
        numbers=atoms.numbers,
        positions=around[occupied] + displacements,
        core=core,
        spacing=spacing,
    )


def _in_one_piece(core, cell, apart):
    """Positions of the images that are next to each other."""
    vectors, distances = find_mic((core[None] - core[:, None]).reshape(-1, 3), cell, pbc=True)
    vectors, near = vectors.reshape(len(core), len(core), 3), distances.reshape(len(core), len(core)) < apart
    order, before = breadth_first_order(near, 0, directed=False)
    if len(order) < len(core):
        raise StructureError(
            f"the cell holds several defects, more than {apart:.1f} Å apart: the infinite crystal has one, so label "
            "each in a cell of its own"
        )
    core = core.copy()
    for part in order[1:]:
        core[part] = core[before[part]] + vectors[before[part], part]
    extent = np.ptp(core @ np.linalg.inv(np.asarray(cell)), axis=0).max()
    if extent > _LARGEST:
        raise StructureError(
            f"the defect extends over {extent:.0%} of the cell, expected at most {_LARGEST:.0%}: start from a larger "
            "cell"
        )
    return core


def _larger_cells(defect, sizes):
    """Repetitions of cells of the same shape and about these numbers of sites."""
    times = int(np.gcd.reduce(defect.repetitions.ravel()))
    unit = defect.repetitions // times
    per_unit = len(defect.sites) // times**3
    wanted = [max(1, round((size / per_unit) ** (1 / 3))) for size in sizes]
    if wanted[0] < times or len(set(wanted)) < len(wanted):
        raise StructureError(
            f"cells of {', '.join(map(str, sizes))} sites are not all larger repetitions of this cell of "
            f"{len(defect.sites)} sites: start from a smaller one"
        )
    return [n * unit for n in wanted]


def _check_straight(sites, energies):
    """Check that formation energies are linear in 1/N."""
    x = 1 / np.array(sites)
    expected = np.interp(x[1:-1], x[[-1, 0]], np.array(energies)[[-1, 0]])
    deviation = np.abs(expected - energies[1:-1]).max()
    allowed = max(_SAME_ENERGY, _SAME_SHARE * abs(energies[-1] - energies[0]))
    if deviation > allowed:
        raise NotConvergedError(
            f"formation energies {', '.join(f'{e:.4f}' for e in energies)} eV in cells of {', '.join(map(str, sites))} "
            f"sites are off a straight line in 1/N by {deviation:.1e} eV, expected at most {allowed:.1e}: they are not "
            "those of one minimum"
        )


def _spacing(primitive):
    """Distance of nearest neighbours."""
    large = primitive.repeat(3)
    return float(
        cKDTree(large.positions).query(large.positions[len(primitive) * 13 : len(primitive) * 14], 2)[0][:, 1].min()
    )


def _offset(atoms, primitive):
    """Shift of the crystal onto the atoms, from the phases of waves with the period of the lattice.

    Of the rarest element of a compound alone: in B2 the two sublattices have opposite phases.
    """
    reciprocal = 2 * np.pi * primitive.cell.reciprocal()
    rarest = np.bincount(primitive.numbers)[primitive.numbers].argmin()
    places, sites = (cell.positions[cell.numbers == primitive.numbers[rarest]] for cell in (atoms, primitive))
    phases = [np.angle(np.exp(1j * places @ g).sum() / np.exp(1j * sites @ g).sum()) for g in reciprocal]
    return np.linalg.solve(reciprocal, phases)


def _nearest_sites(positions, primitive):
    """Site of each atom, and where the atom is from there."""
    best = np.full(len(positions), np.inf)
    sites = np.empty_like(positions)
    for position in primitive.positions:
        place = position + np.round((positions - position) @ np.linalg.inv(primitive.cell[:])) @ primitive.cell[:]
        distance = np.linalg.norm(positions - place, axis=1)
        closer = distance < best
        best[closer], sites[closer] = distance[closer], place[closer]
    return sites, positions - sites


def _scaled(positions, cell):
    return np.asarray(positions) @ np.linalg.inv(np.asarray(cell)) % 1.0 % 1.0


def _wrapped(vectors, cell):
    """Vectors of the periodic images within half a cell vector of zero."""
    scaled = np.asarray(vectors) @ np.linalg.inv(np.asarray(cell))
    return (scaled - np.round(scaled)) @ np.asarray(cell)
