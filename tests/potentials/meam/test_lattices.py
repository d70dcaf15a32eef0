"""What is said of reference lattices, counted in crystals."""

import numpy as np
import pytest
from ase.build import bulk

from vibentropy.atoms.neighbours import neighbour_pairs
from vibentropy.potentials.meam.lattices import LATTICES


@pytest.mark.parametrize("name", LATTICES)
def test_neighbours(name):
    lattice = LATTICES[name]
    crystal = bulk("Fe", name, a=1 / lattice.spacing, **({"c": np.sqrt(8 / 3)} if name == "hcp" else {}))
    first, _, vectors, distances = neighbour_pairs(crystal, 1.6)
    vectors, distances = vectors[: first[1]], distances[: first[1]]
    nearest = distances < 1.001
    assert nearest.sum() == lattice.neighbours
    second = np.abs(distances - lattice.ratio) < 1e-6
    assert second.sum() == lattice.second_neighbours
    assert not (~nearest & (distances < lattice.ratio - 1e-6)).any()
    # First neighbours of both atoms of a second pair, on the ellipse that C names.
    along = vectors[second][0]
    between = np.abs(np.linalg.norm(vectors[nearest] - along, axis=1) - 1) < 1e-6
    assert between.sum() == lattice.screening
    # Partial densities 1 to 3 of neighbours of density 1.
    n = vectors[nearest]
    squares = [
        (n.sum(axis=0) ** 2).sum(),
        (np.einsum("ix,iy->xy", n, n) ** 2).sum() - len(n) ** 2 / 3,
        (np.einsum("ix,iy,iz->xyz", n, n, n) ** 2).sum() - 0.6 * (n.sum(axis=0) ** 2).sum(),
    ]
    np.testing.assert_allclose(squares, lattice.shape, atol=1e-12)
