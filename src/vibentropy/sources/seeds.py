"""Seeds of defects: atoms taken out of a perfect crystal, put into it or replaced, singly and as well-known clusters.

Shapes of a cluster:

=============== ======================================================================================================
``random``      interstitials and vacancies anywhere in a sphere; both together are Frenkel pairs
``void``        vacancies on the sites next to a random point
``loop_hkl``    platelet of interstitials: one atom more on each of the rows along the Burgers vector that pass next to
                a random point; the Burgers vector is the shortest lattice translation along a direction of <hkl>; in
                cubic crystals only
``c15``         interstitials in the C15 (Laves) structure, in bcc only; see `_c15`
``dumbbell_hkl`` one interstitial, which shares the site next to a random point with its atom, along <hkl>
=============== ======================================================================================================

Solutes of a cluster replace atoms of the crystal in its sphere, or on shells of neighbours of its vacancies.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from ase import Atoms
from ase.geometry import find_mic, get_distances

from vibentropy.atoms.crystal import NEAREST, Crystal
from vibentropy.atoms.shells import shells
from vibentropy.errors import StructureError
from vibentropy.sources.species import Counts, Substitution, by_kind, total

#: An interstitial is not put closer than this (Å) to another atom where the crystal has room for it.
_MIN_INSERTION_DISTANCE = 1.45

_INSERTION_TRIALS = 500

#: Places and orientations tried before a cell counts as full.
_PLACEMENT_TRIALS = 500

#: Atoms further than this (Å) from the sphere that an interstitial is drawn from are not looked at, unless all are.
_SURROUNDINGS = 6.0

#: Atoms of loops and C15 clusters are put off their ideal places by so much (Å), so that none starts on a saddle.
_JITTER = 0.02

#: Distance of the atoms of a dumbbell, in units of that of nearest neighbours.
_DUMBBELL = 0.8

#: How far (Å) a site may be from the radius of its shell of neighbours.
_IN_SHELL = 0.05


@dataclass(frozen=True)
class Cluster:
    """What one cluster of defects is made of.

    Attributes
    ----------
    shape : str
        See the module.
    interstitials : int or dict of str to int
        Atoms added, for ``c15`` the net number of them; by element where they are not of that of the crystal.
    vacancies : int or dict of str to int
        Atoms removed; by sublattice where it matters.
    radius : float or None
        Of the sphere that holds a random cluster, in Å; None for anywhere in the cell.
    solutes : dict of str to int
        Atoms replaced, by what they are replaced with: ``P``, or ``P_Fe`` (`vibentropy.sources.species`).
    shells : tuple of int
        Shells of neighbours of the cluster's vacancies that solutes are on, 1 for the nearest; without vacancies those
        of the first solute. Without any they are in the sphere.
    """

    shape: str
    interstitials: Counts
    vacancies: Counts
    radius: float | None
    solutes: Mapping[str, int] = field(default_factory=dict)
    shells: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "shells", tuple(self.shells))


def place(
    clusters: Sequence[Cluster],
    perfect: Atoms,
    crystal: Crystal,
    repetitions: Sequence[int],
    separation: float,
    rng: np.random.Generator,
    dissolved: Mapping[str, int] | None = None,
) -> Atoms:
    """Put clusters of defects, and solutes anywhere between them, into a perfect crystal.

    Parameters
    ----------
    clusters : sequence of Cluster
    perfect : ase.Atoms
        Possibly strained.
    crystal : vibentropy.atoms.crystal.Crystal
        What `perfect` is made of, unstrained.
    repetitions : sequence of 3 int
        Unit cells along each axis of `perfect`.
    separation : float
        Smallest distance between the centres of two clusters, Å.
    rng : numpy.random.Generator
    dissolved : dict of str to int, optional
        Solutes on sites that no cluster has taken, as of `Cluster`.

    Returns
    -------
    ase.Atoms

    Raises
    ------
    StructureError
        If the cell has no room for them.
    """
    site = _Sites(perfect, crystal, repetitions)
    centres = np.empty((0, 3))
    for cluster in clusters:
        for _ in range(_PLACEMENT_TRIALS):
            centre = rng.random(3) @ perfect.cell[:]
            free = (
                not len(centres) or get_distances(centre, centres, cell=perfect.cell, pbc=True)[1].min() >= separation
            )
            if free and (_random if cluster.shape == "random" else _compact)(site, cluster, centre, rng):
                centres = np.vstack([centres, centre])
                break
        else:
            apart = f" at {separation} Å from each other" if separation else ""
            raise StructureError(
                f"no room for {len(clusters)} clusters{apart}, only for {len(centres)}; the next one is {cluster.shape}"
            )
    for text, number in (dissolved or {}).items():
        site.replace(text, number, np.ones(len(perfect), dtype=bool), "the cell", rng)
    return site.atoms()


class _Sites:
    """Sites of a perfect crystal, those that are vacant, and positions of inserted atoms."""

    def __init__(self, perfect, crystal, repetitions):
        self.perfect = perfect
        self.crystal = crystal
        #: Strain as a matrix that unstrained vectors are multiplied by from the right.
        self.deformation = perfect.cell[:] / (crystal.edges * repetitions)[:, None]
        # Sites of cubic lattices, the diamond included, are whole in quarters of the cubic cell; of others nobody asks.
        self._quarters = 4 * np.array(repetitions)
        # Atoms of a random alloy at rest are near their sites, not on them.
        self._ideal = crystal.filling(perfect.cell[:], repetitions).positions
        self._indices = {key: index for index, key in enumerate(self._keys(self._ideal))}
        self.vacant = np.zeros(len(perfect), dtype=bool)
        #: Elements of the sites, and which are not those of the crystal.
        self.elements = np.array(perfect.get_chemical_symbols())
        self._mixed = self.elements.copy() if set(self.elements) != set(crystal.elements) else None
        self.replaced = np.zeros(len(perfect), dtype=bool)
        self.inserted = np.empty((0, 3))
        self._inserted_elements = []

    def atoms(self):
        """Build what is there now."""
        atoms = self.perfect[~self.vacant]
        atoms.symbols[:] = self.elements[~self.vacant]
        for position, element in zip(self.inserted, self._inserted_elements, strict=True):
            atoms.append(element)
            atoms.positions[-1] = position
        return atoms

    def insert(self, positions, elements):
        """Put atoms between the others; element None for that of the crystal."""
        self.inserted = np.vstack([self.inserted, positions])
        self._inserted_elements += [element or self.crystal.element for element in elements]

    def on(self, sublattice):
        """Tell which sites are on a sublattice, None for any: in a random alloy, those of an element."""
        n = len(self.perfect)
        if sublattice is not None and self._mixed is not None:
            return self._mixed == sublattice
        return np.ones(n, dtype=bool) if sublattice is None else self.crystal.on(sublattice, n)

    def replace(self, text, number, where, what, rng):
        """Put solutes on sites that are as in the crystal, from those that are allowed; say which they are."""
        element, sublattice = Substitution.parse(text)
        free = where & ~self.vacant & ~self.replaced & self.on(sublattice) & (self.elements != element)
        (free,) = np.nonzero(free)
        if len(free) < number:
            raise StructureError(f"{what} has {len(free)} sites left for {number} of {text}")
        chosen = rng.choice(free, number, replace=False)
        self.elements[chosen] = element
        self.replaced[chosen] = True
        return chosen

    def neighbours(self, centres, numbers):
        """Tell which sites are on shells of neighbours of some sites, by the unstrained crystal."""
        cell = self.crystal.cell(1)
        reach = self.crystal.a
        while len(radii := shells(cell, reach)) < max(numbers):
            reach *= 1.25
        inverse = np.linalg.inv(self.deformation)
        unstrained = self.perfect.cell[:] @ inverse
        near = np.zeros(len(self.perfect), dtype=bool)
        for centre in centres:
            offsets = (self._ideal - self._ideal[centre]) @ inverse
            distances = find_mic(offsets, unstrained, pbc=True)[1]
            for number in numbers:
                near |= np.abs(distances - radii[number - 1]) < _IN_SHELL
        return near

    def from_point(self, point):
        """Shortest vectors from a point to all sites, (n_sites, 3), and their lengths."""
        return find_mic(self.perfect.positions - point, self.perfect.cell[:], pbc=True)

    def at(self, points):
        """Find the sites, by index, at points that are sites."""
        return [self._indices[key] for key in self._keys(points)]

    def _keys(self, points):
        scaled = np.asarray(points) @ np.linalg.inv(self.perfect.cell[:])
        return map(tuple, (np.round(scaled * self._quarters).astype(int) % self._quarters).tolist())


def _random(site, cluster, centre, rng):
    """Place interstitials and vacancies in a sphere; interstitials find the room that there is."""
    radius = np.inf if cluster.radius is None else cluster.radius
    _, distances = site.from_point(centre)
    removed = []
    for sublattice, number in by_kind(cluster.vacancies):
        within = np.flatnonzero((distances <= radius) & ~site.vacant & ~site.replaced & site.on(sublattice))
        if len(within) < number:
            of = "" if sublattice is None else f" of {sublattice}"
            raise StructureError(
                f"a sphere of {radius:.2f} Å holds {len(within)} sites{of}, too few for {number} vacancies: "
                "enlarge `radius`"
            )
        chosen = rng.choice(within, number, replace=False)
        site.vacant[chosen] = True
        removed += chosen.tolist()
    for element in _added(cluster):
        site.insert(_interstitial(site, centre, radius, rng), [element])
    _dissolve(site, cluster, removed, distances <= radius, rng)
    return True


def _added(cluster):
    """Element of each interstitial of a cluster."""
    return [element for element, number in by_kind(cluster.interstitials) for _ in range(number)]


def _dissolve(site, cluster, centres, sphere, rng):
    """Replace atoms by the solutes of a cluster, one after the other."""
    for text, number in cluster.solutes.items():
        for _ in range(number):
            if cluster.shells and centres:
                numbers = ", ".join(map(str, cluster.shells))
                where, what = site.neighbours(centres, cluster.shells), f"shell {numbers} of the cluster"
            else:
                where, what = sphere, "the sphere of the cluster"
            chosen = site.replace(text, 1, where, what, rng)
            centres = centres or chosen.tolist()


def _interstitial(site, centre, radius, rng):
    """Draw points in a sphere until one has room; failing that, take the roomiest."""
    cell = site.perfect.cell
    others = np.concatenate([site.perfect.positions[~site.vacant], site.inserted])
    # Hundreds of points are tried, and a large cell has a hundred thousand atoms.
    near = others
    if np.isfinite(radius):
        near = others[get_distances(centre, others, cell=cell, pbc=True)[1][0] <= radius + _SURROUNDINGS]
    best, best_distance = None, -1.0
    for _ in range(_INSERTION_TRIALS):
        if np.isfinite(radius):
            direction = rng.standard_normal(3)
            point = centre + radius * rng.random() ** (1 / 3) * direction / np.linalg.norm(direction)
        else:
            point = rng.random(3) @ cell[:]
        nearest = get_distances(point, near, cell=cell, pbc=True)[1].min(initial=np.inf)
        if nearest > _SURROUNDINGS:
            nearest = get_distances(point, others, cell=cell, pbc=True)[1].min()
        if nearest > best_distance:
            best, best_distance = point, nearest
        if best_distance >= _MIN_INSERTION_DISTANCE:
            break
    return best


def _compact(site, cluster, centre, rng):
    """Place a cluster of a definite shape, unless it would touch another one; say whether it was placed."""
    removed, added = _SHAPES[cluster.shape.partition("_")[0]](site, cluster, centre, rng)
    if site.replaced[removed].any():
        return False
    touched = np.concatenate([site.perfect.positions[removed], added])
    others = np.concatenate([site.perfect.positions[site.vacant], site.inserted])
    if (
        len(others)
        and get_distances(touched, others, cell=site.perfect.cell, pbc=True)[1].min() < _MIN_INSERTION_DISTANCE
    ):
        return False
    site.vacant[removed] = True
    # An atom more in a dumbbell is beside that of the site.
    elements = [*site.elements[removed], *_added(cluster)]
    site.insert(added + _JITTER * rng.standard_normal((len(added), 3)), elements[: len(added)])
    _dissolve(site, cluster, removed.tolist(), np.ones(len(site.vacant), dtype=bool), rng)
    return True


def _void(site, cluster, centre, rng):
    _, distances = site.from_point(centre)
    return np.argsort(distances, kind="stable")[: total(cluster.vacancies)], np.empty((0, 3))


def _dumbbell(site, cluster, centre, rng):
    indices = rng.permutation([int(digit) for digit in cluster.shape.partition("_")[2]]) * rng.choice([-1, 1], 3)
    half = _DUMBBELL / 2 * NEAREST[site.crystal.structure] * site.crystal.a * indices / np.linalg.norm(indices)
    nearest = np.argmin(site.from_point(centre)[1])
    position = site.perfect.positions[nearest]
    return np.array([nearest]), position + np.array([-1, 1])[:, None] * half @ site.deformation


def _loop(site, cluster, centre, rng):
    """On each row along the Burgers vector b, the site nearest to the plane through the centre; b/2 beyond it, an atom.

    Any slab of thickness b across the rows holds one site of each.
    """
    indices = rng.permutation([int(digit) for digit in cluster.shape.partition("_")[2]])
    n_added = total(cluster.interstitials)
    burgers = _shortest_translation(site.crystal, indices * rng.choice([-1, 1], 3)) @ site.deformation
    vectors, _ = site.from_point(centre)
    height = vectors @ burgers / (burgers @ burgers)
    rows = np.flatnonzero((height >= -0.5) & (height < 0.5))
    across = np.linalg.norm(vectors[rows] - height[rows, None] * burgers, axis=1)
    if len(rows) < n_added:
        raise StructureError(f"a loop of {n_added} atoms in a cell that {len(rows)} rows of atoms cross")
    chosen = rows[np.argsort(across, kind="stable")[:n_added]]
    return np.empty(0, dtype=int), site.perfect.positions[chosen] + burgers / 2


def _shortest_translation(crystal, direction):
    """Shortest lattice vector along a direction of small integers."""
    # In units of half the lattice constant all translations of cubic lattices are integers.
    for multiple in (0.5, 1.0):
        vector = multiple * crystal.a * direction
        counts = np.linalg.solve(crystal.translations.T, vector)
        if np.allclose(counts, np.round(counts), atol=1e-9):
            return vector
    raise StructureError(f"no lattice translation along {direction.tolist()} up to one lattice constant")


def _c15(site, cluster, centre, rng):
    """Cluster of the C15 structure (Marinica, Willaime, Crocombette, Phys. Rev. Lett. 108, 025501 (2012)).

    The bcc lattice of constant a is two interpenetrating diamond lattices of constant 2a. In the Laves phase AB2 of the
    same constant, the A atoms are the sites of one of them; each site of the other is gone, and atoms sit at the
    middle of its bonds. The smallest piece is the cage of ten sites and twelve bonds around a site of the first
    lattice (the Z16 polyhedron, two interstitials); neighbouring cages share a ring of six sites.
    """
    if site.crystal.structure != "bcc":
        raise StructureError(f"C15 clusters are defined in bcc, not in {site.crystal.structure}")
    half = np.array([(1, 1, 1), (1, -1, -1), (-1, 1, -1), (-1, -1, 1)]) * site.crystal.a / 2
    tetrahedron = rng.choice([-1, 1]) * half @ site.deformation
    axes = np.vstack([np.eye(3), -np.eye(3)]) * site.crystal.a @ site.deformation
    positions = site.perfect.positions
    first = int(np.argmin(site.from_point(centre)[1]))
    wanted, nets = total(cluster.interstitials), set()
    for _ in range(_PLACEMENT_TRIALS):
        # Parity of a centre: towards which four of its eight neighbours its own diamond lattice goes on.
        cages = {first: 1}
        while True:
            removed, bonds = set(), {}
            for index, parity in cages.items():
                removed.update(site.at(positions[index] + np.vstack([-parity * tetrahedron, axes])))
            for index in removed:
                steps = np.vstack([tetrahedron, -tetrahedron])
                for step, other in zip(steps, site.at(positions[index] + steps), strict=True):
                    if other in removed:
                        bonds[frozenset((index, other))] = positions[index] + step / 2
            net = len(bonds) - len(removed)
            nets.add(net)
            if net >= wanted:
                break
            index, parity = list(cages.items())[rng.integers(len(cages))]
            (neighbour,) = site.at(positions[[index]] + parity * tetrahedron[rng.integers(4)])
            cages[neighbour] = -parity
        if net == wanted:
            return np.array(sorted(removed)), np.array([bonds[pair] for pair in sorted(bonds, key=sorted)])
    raise StructureError(f"no C15 cluster of {wanted} interstitials; there are {sorted(nets)}")


_SHAPES = {"void": _void, "loop": _loop, "c15": _c15, "dumbbell": _dumbbell}

#: Names of all shapes.
SHAPES = (
    *("random", "void", "loop_100", "loop_110", "loop_111", "c15"),
    *("dumbbell_100", "dumbbell_110", "dumbbell_111"),
)
