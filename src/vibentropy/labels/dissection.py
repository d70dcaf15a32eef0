"""The order in which a sparse Hessian is eliminated: nested dissection of the cell.

A cut through the cell leaves two halves that do not see each other once the atoms along the cut are set aside; those
come last, and each half is cut again (George, SIAM J. Numer. Anal. 10, 345 (1973)). A direction that is periodic needs
two cuts. What is set aside follows from the blocks of the matrix and never from a distance, so any cell will do. Cost
and memory are known before any number is computed.
"""

from collections.abc import Collection
from dataclasses import dataclass, field

import numpy as np
from ase import Atoms
from numpy.typing import NDArray

from vibentropy.labels.block_matrix import BlockMatrix
from vibentropy.labels.triangle import triangle_elements
from vibentropy.numerics.machine_code import njit

#: Atoms of the largest part that is not cut any more. From 30 to 60 all cost the same within a tenth.
_LEAF = 40

#: Distance (Å) within which a cut moves to the widest gap between atoms, such as that between two lattice planes.
_GAP = 1.0

#: Thickness of what a cut sets aside, in units of the range of the blocks between atoms; only balance depends on it.
_THICKNESS = 0.85


@dataclass(eq=False)
class Front:
    """What is eliminated at once.

    Attributes
    ----------
    pivots : ndarray of int64
        Vertices that are eliminated, those of the negative definite part first.
    n_negative, n_pivots, n_border : int
        Rows of the negative pivots, of all pivots, and of the border.
    border : ndarray of int64
        Vertices that are eliminated later and see a pivot or the border of a child, in the order of elimination.
    children : list of int
        Places of earlier fronts whose borders lie in this one.
    """

    pivots: NDArray[np.int64]
    children: list[int]
    border: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))
    n_negative: int = 0
    n_pivots: int = 0
    n_border: int = 0

    @property
    def panel_bytes(self) -> int:
        """Memory of the columns of the pivots."""
        return 8 * (self.n_pivots + self.n_border) * self.n_pivots

    @property
    def update_bytes(self) -> int:
        """Memory of what the front leaves to its parent."""
        return 8 * triangle_elements(self.n_border)

    @property
    def flops(self) -> float:
        """Floating-point operations, additions and multiplications."""
        return ((self.n_pivots + self.n_border) ** 3 - self.n_border**3) / 3


@dataclass(frozen=True, eq=False)
class Elimination:
    """A plan of elimination.

    Attributes
    ----------
    fronts : list of Front
        In an order in which children come before their parents; the last one is the root.
    rank : ndarray of shape (n_vertices,), int64
        Place of each vertex in the order of elimination, -1 for those that are left out.
    pinned : int
        The atom that is left out, -1 if there is none.
    """

    fronts: list[Front]
    rank: NDArray[np.int64]
    pinned: int

    @property
    def flops(self) -> float:
        """Floating-point operations of the factor."""
        return sum(front.flops for front in self.fronts)

    def peak_bytes(self, on_disk: Collection[int] = ()) -> int:
        """Largest memory of a front and what others have left.

        Parameters
        ----------
        on_disk : collection of int
            See `on_disk`.

        Returns
        -------
        int
        """
        return max(self._in_use(on_disk))

    def on_disk(self, memory: int) -> set[int]:
        """Choose what has to wait on disk instead of in memory.

        Parameters
        ----------
        memory : int
            Bytes for fronts and what they leave to others.

        Returns
        -------
        set of int
            Places of fronts; what these leave is read when their parents are eliminated. Where not even that is
            enough, all that waits at the largest front.
        """
        chosen: set[int] = set()
        while True:
            in_use = self._in_use(chosen)
            worst = int(np.argmax(in_use))
            waiting = [
                place
                for place, parent in enumerate(self._parents())
                if place < worst <= parent and place not in chosen and self.fronts[place].n_border
            ]
            if in_use[worst] <= memory or not waiting:
                return chosen
            chosen.add(max(waiting, key=lambda place: self.fronts[place].update_bytes))

    def _parents(self):
        parents = [len(self.fronts)] * len(self.fronts)
        for place, front in enumerate(self.fronts):
            for child in front.children:
                parents[child] = place
        return parents

    def _in_use(self, on_disk):
        """Memory in use while each front is eliminated."""
        in_use, waiting = [], 0
        for place, front in enumerate(self.fronts):
            children = [child for child in front.children if child not in on_disk]
            in_use.append(waiting + front.panel_bytes + front.update_bytes)
            waiting -= sum(self.fronts[child].update_bytes for child in children)
            waiting += front.update_bytes if place not in on_disk else 0
        return in_use


def dissect(matrix: BlockMatrix, atoms: Atoms, pin: bool = True) -> Elimination:
    """Order the vertices of a matrix by nested dissection.

    Parameters
    ----------
    matrix : BlockMatrix
    atoms : ase.Atoms
        What it belongs to: any cell and periodicity.
    pin : bool
        Leave out one atom of the root, so that no translation is left.

    Returns
    -------
    Elimination
    """
    dissection = _Dissection(matrix, atoms, pin)
    return Elimination(dissection.fronts, dissection.rank, dissection.pinned)


@dataclass(eq=False)
class _Part:
    """Part of the cell: atoms, their coordinates along each axis in Å, densities; low, high, periodic of each axis."""

    atoms: NDArray[np.int64]
    coordinates: NDArray[np.float64]
    densities: NDArray[np.int64]
    box: list[tuple[float, float, bool]]


class _Dissection:
    def __init__(self, matrix, atoms, pin):
        self.matrix, self.pinned = matrix, -1
        self._side = np.zeros(len(matrix.first) - 1, np.int8)
        self.fronts = []
        coordinates, box = _coordinates(atoms)
        self._thickness = _THICKNESS * _reach(matrix, coordinates, box)
        vertices = np.arange(len(matrix.first) - 1)
        whole = _Part(vertices[: matrix.n_atoms], coordinates, vertices[matrix.n_atoms :], box)
        self._cut(whole)
        if pin:
            self._leave_one_out()
        self._number()

    def _cut(self, part):
        """Append the fronts of a part; the place of its last one."""
        halves = self._halves(part) if len(part.atoms) > _LEAF else None
        if halves is None:
            atoms, densities, children = part.atoms, part.densities, []
        else:
            left, right, atoms, densities = halves
            children = [self._cut(half) for half in (left, right)]
        vertices = np.concatenate([densities, atoms])
        negative = self.matrix.negative[vertices]
        self.fronts.append(Front(np.concatenate([vertices[negative], vertices[~negative]]), children))
        return len(self.fronts) - 1

    def _leave_one_out(self):
        """Leave out an atom of the root, or of the last front that has one."""
        for front in reversed(self.fronts):
            atoms = front.pivots[front.pivots < self.matrix.n_atoms]
            if len(atoms):
                self.pinned = int(atoms[-1])
                front.pivots = front.pivots[front.pivots != self.pinned]
                return

    def _halves(self, part):
        """Two parts that do not see each other, and the atoms and densities between them; None where there are none."""
        extents = [(high - low) * (1 + 1e-6 * periodic) for low, high, periodic in part.box]
        for axis in np.argsort(extents)[::-1]:
            halves = self._halves_along(part, int(axis))
            if halves is not None:
                return halves
        return None

    def _halves_along(self, part, axis):
        low, high, periodic = part.box[axis]
        z, thickness = part.coordinates[:, axis], self._thickness[axis]
        width = (high - low) / 2 - thickness if periodic else (high - low - thickness) / 2
        if width <= 0:
            return None
        if periodic:
            origin = _widest_gap(z, low + min(_GAP, width), low, high)
            z = np.where(z < origin, z + high - low, z) - origin
            low, high = 0.0, high - low
        middle = _widest_gap(z, low + width, low, high)
        is_left = z < middle
        left, others = part.atoms[is_left], part.atoms[~is_left]
        side, graph = self._side, (self.matrix.first, self.matrix.neighbour)
        side[left] = 1
        between = _touches(others, *graph, side, 1)
        right = others[~between]
        side[right] = 2
        touches_left, touches_right = (_touches(part.densities, *graph, side, which) for which in (1, 2))
        side[part.atoms] = 0
        if not len(left) or not len(right):
            return None
        coordinates = part.coordinates.copy()
        coordinates[:, axis] = z
        end = high - thickness if periodic else high
        parts = []
        for members, here, there, bounds in (
            (is_left, touches_left, touches_right, (low, middle)),
            (_scattered(~is_left, ~between), touches_right, touches_left, (middle + thickness, end)),
        ):
            box = list(part.box)
            box[axis] = (*bounds, False)
            parts.append(_Part(part.atoms[members], coordinates[members], part.densities[here & ~there], box))
        return *parts, others[between], part.densities[touches_left == touches_right]

    def _number(self):
        matrix, sizes, negative = self.matrix, self.matrix.sizes, self.matrix.negative
        order = np.concatenate([front.pivots for front in self.fronts])
        self.rank = np.full(len(sizes), -1, np.int64)
        self.rank[order] = np.arange(len(order))
        end = 0
        for front in self.fronts:
            end += len(front.pivots)
            later = [_later(front.pivots, matrix.first, matrix.neighbour, self.rank, end)]
            for child in front.children:
                ranks = self.rank[self.fronts[child].border]
                later.append(ranks[ranks >= end])
            front.border = order[np.unique(np.concatenate(later))]
            front.n_pivots = int(sizes[front.pivots].sum())
            front.n_negative = int(negative[front.pivots].sum())
            front.n_border = int(sizes[front.border].sum())


def _coordinates(atoms):
    """Coordinates in Å along the normals of the faces of the cell, inside it where it is periodic, and their box."""
    cell = atoms.cell.complete()
    heights = 1 / np.linalg.norm(cell.reciprocal(), axis=1)
    scaled = cell.scaled_positions(atoms.positions)
    box = []
    for axis in range(3):
        if atoms.pbc[axis]:
            scaled[:, axis] %= 1.0
            box.append((0.0, heights[axis], True))
        else:
            scaled[:, axis] -= scaled[:, axis].min()
            box.append((0.0, scaled[:, axis].max() * heights[axis], False))
    return scaled * heights, box


def _reach(matrix, coordinates, box):
    """Largest distance along each axis between atoms that share a block; atoms in some places speak for all."""
    reach = np.zeros(3)
    for i in range(0, matrix.n_atoms, max(1, matrix.n_atoms // 500)):
        others = matrix.neighbour[matrix.first[i] : matrix.first[i + 1]]
        distances = np.abs(coordinates[others[others < matrix.n_atoms]] - coordinates[i])
        for axis, (_, length, periodic) in enumerate(box):
            along = distances[:, axis]
            along = np.minimum(along, length - along) if periodic else along
            reach[axis] = max(reach[axis], along.max(initial=0.0))
    return reach


def _widest_gap(z, target, low, high):
    """Middle of the widest gap between coordinates near a target."""
    near = np.sort(z[np.abs(z - target) <= _GAP])
    near = np.concatenate([[max(target - _GAP, low)], near, [min(target + _GAP, high)]])
    gaps = np.diff(near)
    widest = int(gaps.argmax())
    return float(near[widest] + gaps[widest] / 2)


def _scattered(mask, values):
    """Mask whose true places take values in turn."""
    result = mask.copy()
    result[mask] = values
    return result


@njit(nogil=True)
def _touches(vertices, first, neighbour, side, which):
    """Whether each vertex shares a block with one on some side."""
    touched = np.zeros(vertices.shape[0], np.bool_)
    for k in range(vertices.shape[0]):
        for m in range(first[vertices[k]], first[vertices[k] + 1]):
            if side[neighbour[m]] == which:
                touched[k] = True
                break
    return touched


@njit(nogil=True)
def _later(vertices, first, neighbour, rank, end):
    """Ranks from `end` on of vertices that share a block with some."""
    count = 0
    for v in vertices:
        count += first[v + 1] - first[v]
    later = np.empty(count, np.int64)
    count = 0
    for v in vertices:
        for m in range(first[v], first[v + 1]):
            if rank[neighbour[m]] >= end:
                later[count] = rank[neighbour[m]]
                count += 1
    return np.unique(later[:count])
