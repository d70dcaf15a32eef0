import numpy as np
from ase import Atoms

from vibentropy.atoms.neighbours import neighbour_pairs
from vibentropy.potentials.angular import AngularPotential
from vibentropy.potentials.angular_bonds import WEIGHTS, bond_derivatives, moment_gradients, moments
from vibentropy.potentials.splines import side_by_side


def bonds():
    """A few bonds of atoms that are no crystal, and the functions of nickel."""
    rng = np.random.default_rng(0)
    atoms = Atoms("Ni5", positions=rng.uniform(0, 3.4, size=(5, 3)) + 2.2 * np.eye(5, 3), cell=[6, 6.5, 7], pbc=True)
    potential = AngularPotential.from_file("Ni.adp", "Ni")
    first, _, vectors, distances = neighbour_pairs(atoms, potential.r_cut)
    return potential, first, vectors, distances


def energy(potential, first, vectors):
    distances = np.linalg.norm(vectors, axis=1)
    q = moments(first, vectors, distances, side_by_side([potential.dipole, potential.quadrupole]))
    return 0.5 * (q**2 @ WEIGHTS).sum()


def test_moments_are_the_sums_of_their_definition():
    potential, first, vectors, distances = bonds()
    u, w = potential.dipole(distances)[0], potential.quadrupole(distances)[0]
    q = moments(first, vectors, distances, side_by_side([potential.dipole, potential.quadrupole]))
    for i in range(len(first) - 1):
        of_atom = slice(first[i], first[i + 1])
        x = vectors[of_atom]
        mu, quadrupole = u[of_atom] @ x, np.einsum("p,pa,pb->ab", w[of_atom], x, x)
        np.testing.assert_allclose(q[i, :3], mu, atol=1e-12)
        np.testing.assert_allclose(q[i, 3:9], quadrupole[[0, 1, 2, 1, 0, 0], [0, 1, 2, 2, 2, 1]], atol=1e-12)
        # The energy of Mishin and co-workers, 1/2 |μ|² + 1/2 λ:λ - 1/6 (tr λ)².
        expected = 0.5 * mu @ mu + 0.5 * (quadrupole**2).sum() - np.trace(quadrupole) ** 2 / 6
        assert abs(0.5 * q[i] ** 2 @ WEIGHTS - expected) < 1e-12


def test_derivatives_are_those_of_the_energy_by_a_bond():
    potential, first, vectors, distances = bonds()
    functions = side_by_side([potential.dipole, potential.quadrupole])
    q = moments(first, vectors, distances, functions)
    gradients, curvatures = bond_derivatives(first, vectors, distances, q, functions)
    by_vectors = moment_gradients(vectors, distances, functions)
    h = 1e-4
    for p in range(0, len(distances), max(1, len(distances) // 12)):
        for a in range(3):
            moved = [vectors.copy(), vectors.copy()]
            moved[0][p, a] += h
            moved[1][p, a] -= h
            above, below = (energy(potential, first, v) for v in moved)
            assert abs(gradients[p, a] - (above - below) / (2 * h)) < 1e-6
            # The whole second derivative has what the moments change by, too.
            second = (above - 2 * energy(potential, first, vectors) + below) / h**2
            whole = curvatures[p, a, a] + by_vectors[p, :, a] ** 2 @ WEIGHTS
            assert abs(whole - second) < 1e-5
        np.testing.assert_allclose(curvatures[p], curvatures[p].T, atol=1e-14)
