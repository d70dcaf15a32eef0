"""Random cells, and Hessians of random springs between their atoms."""

import hypothesis.strategies as st
import numpy as np
from ase import Atoms
from scipy.sparse import bsr_array

from vibentropy import neighbour_pairs
from vibentropy.potentials.protocols import HessianParts


def springs(atoms, random, densities=True):
    """Parts of the Hessian of random springs between atoms that are close, and of densities of either curvature."""
    n, reach = len(atoms), 3.5
    first, neighbour, vectors, _ = neighbour_pairs(atoms, reach)
    local, gradients = np.zeros((n, 3, n, 3)), np.zeros((n, n, 3))
    for i in range(n):
        for j, vector in zip(neighbour[first[i] : first[i + 1]], vectors[first[i] : first[i + 1]], strict=True):
            unit = vector / np.linalg.norm(vector)
            block = 0.5 * np.outer(unit, unit) + 0.2 * np.eye(3)
            local[i, :, j] -= block
            local[j, :, i] -= block
            local[i, :, i] += block
            local[j, :, j] += block
            gradients[i, j] += unit
            gradients[i, i] -= unit
    curvatures = random.choice([-0.02, 0.0, 0.7], n) if densities else np.zeros(n)
    return HessianParts(
        bsr_array(local.reshape(3 * n, 3 * n), blocksize=(3, 3)),
        bsr_array(gradients.reshape(n, 3 * n), blocksize=(1, 3)),
        curvatures,
    )


def whole(parts):
    gradients = parts.gradients.toarray()
    return parts.local.toarray() + gradients.T @ (parts.curvatures[:, None] * gradients)


def without(hessian, atom):
    rows = np.delete(np.arange(len(hessian)), [3 * atom, 3 * atom + 1, 3 * atom + 2])
    return hessian[np.ix_(rows, rows)]


@st.composite
def cells(draw):
    """Cells of random atoms: triclinic, long or flat, open in some directions, some atoms outside."""
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    lengths = draw(st.sampled_from([(4, 4, 30), (12, 12, 12), (5, 18, 18), (4, 4, 4), (10, 14, 20)]))
    cell = np.diag(lengths) + random.uniform(-1.5, 1.5, (3, 3))
    # Somewhere in the middle of small boxes, so that no two are on one site.
    boxes = np.array(lengths) // 2
    places = np.indices(boxes).reshape(3, -1).T
    chosen = random.permutation(len(places))[: draw(st.integers(2, len(places)))]
    scaled = (places[chosen] + random.uniform(0.3, 0.7, (len(chosen), 3))) / boxes + random.integers(
        -1, 2, (len(chosen), 3)
    )
    pbc = draw(st.tuples(*[st.booleans()] * 3))
    scaled[:, ~np.array(pbc)] %= 1.0
    return Atoms(f"Fe{len(chosen)}", scaled @ cell, cell=cell, pbc=pbc), random
