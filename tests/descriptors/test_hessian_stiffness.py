"""Stiffness of atoms with yielding neighbours against Schur complements of dense matrices."""

import numpy as np
import pytest
from ase import Atoms
from scipy.spatial.transform import Rotation

from vibentropy.atoms.crystal import Crystal
from vibentropy.descriptors import create
from vibentropy.descriptors.hessian import ClusterDescriptor
from vibentropy.errors import ConfigError, SaddlePointError
from vibentropy.potentials.embedded_atom import Potential

IRON = Potential.from_setfl("FeP_mm.eam.fs", "Fe")
A = 2.8553127


def stiffness(radii, **parameters):
    return create("hessian_stiffness", potential={"file": "FeP_mm.eam.fs", "element": "Fe"}, radii=radii, **parameters)


def rattled(repeat):
    atoms = Crystal("Fe", "bcc", A).cell(repeat)
    atoms.positions += np.random.default_rng(0).uniform(-0.05, 0.05, atoms.positions.shape)
    del atoms[5]
    return atoms


def block(matrix, rows, columns):
    def expand(atoms):
        return (3 * np.asarray(atoms)[:, None] + np.arange(3)).ravel()

    return matrix[np.ix_(expand(rows), expand(columns))]


@pytest.fixture(scope="module")
def atoms():
    return rattled(6)


@pytest.fixture(scope="module")
def hessian(atoms):
    return IRON.hessian(atoms).toarray()


def test_schur_complement_of_the_dense_hessian(atoms, hessian):
    """Between shells of neighbours the rim is empty, and its softness without effect."""
    distances = atoms.get_all_distances(mic=True)
    radii = [0.0, 3.4, 4.45, 5.35]
    found = stiffness(radii, width=0.05).local(atoms)
    for i in (0, 17, 300):
        own = block(hessian, [i], [i])
        for column, radius in enumerate(radii):
            assert not ((radius - 0.05 < distances[i]) & (distances[i] < radius)).any()
            near = np.flatnonzero((distances[i] < radius) & (distances[i] > 0))
            yielding = own
            if len(near):
                coupling = block(hessian, near, [i])
                yielding = own - coupling.T @ np.linalg.solve(block(hessian, near, near), coupling)
            assert found[i, column] == pytest.approx(-np.linalg.slogdet(yielding)[1] / 2, abs=1e-10)


@pytest.mark.parametrize("radii", [[4.3], [3.3, 4.3], [3.0, 4.0, 4.1, 4.3, 4.9]])
def test_displacements_with_a_soft_rim(atoms, hessian, radii):
    """1/2 ln det of the block of the inverse, couplings at the rim scaled down; rims overlap, or not."""
    distances, width = atoms.get_all_distances(mic=True), 1.0
    found = stiffness(radii, width=width).local(atoms)
    for i in (4, 211):
        for column, radius in enumerate(radii):
            near = np.flatnonzero(distances[i] < radius)
            x = np.clip((radius - distances[i, near]) / width, 0, 1)
            assert ((x > 0) & (x < 1)).any()
            factor = np.where(near == i, 1.0, x**3 * (10 - 15 * x + 6 * x**2))
            scale = np.kron(np.outer(factor, factor), np.ones((3, 3)))
            for k in range(len(near)):
                scale[3 * k : 3 * k + 3, 3 * k : 3 * k + 3] = 1.0
            inverse = np.linalg.inv(block(hessian, near, near) * scale)
            own = 3 * int(np.flatnonzero(near == i)[0])
            expected = np.linalg.slogdet(inverse[own : own + 3, own : own + 3])[1] / 2
            assert found[i, column] == pytest.approx(expected, abs=1e-10)


def test_more_neighbours_make_it_softer(atoms):
    found = stiffness([0.0, 2.0, 3.0, 3.3, 4.0, 4.8], width=0.7).local(atoms)
    np.testing.assert_allclose(found[:, 1], found[:, 0], rtol=0, atol=1e-12)  # no neighbours
    assert (np.diff(found[:, 1:], axis=1) > 0).all()
    np.testing.assert_allclose(found[:, 0], create("hessian_moments", max_order=2).local(atoms)[:, 0], rtol=1e-12)


def test_it_does_not_depend_on_threads_or_pieces(atoms, monkeypatch):
    descriptor = stiffness([3.0])
    expected = descriptor.local(atoms)
    monkeypatch.setattr("vibentropy.descriptors.hessian.WHOLE", 10)
    monkeypatch.setattr("vibentropy.descriptors.hessian.SIZE", 64)
    monkeypatch.setattr("vibentropy.descriptors.hessian_stiffness.CHUNK", 5)
    np.testing.assert_allclose(descriptor.local(atoms), expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize(
    ("kind", "radii", "repeat"),
    [
        ("hessian_stiffness", [0.0, 3.0, 3.5], (4, 6, 6)),
        ("hessian_clusters", [0.0, 3.0, 3.5], (4, 6, 6)),
        # 17.1 Å are more than two ranges, and more than two radii, but images of the rim feel each other.
        ("hessian_stiffness", [3.5, 5.4], (6, 7, 7)),
    ],
)
def test_wide_cells_are_described_as_a_whole_and_narrow_ones_in_blocks(kind, radii, repeat, monkeypatch):
    """Twice a narrow cell is a wide one; its rows are made once for all of it, or around some atoms at a time."""
    narrow = rattled(repeat)
    narrow.set_cell(narrow.cell[:] @ [[1, 0.02, 0], [0, 1, -0.03], [0.01, 0, 1]], scale_atoms=True)
    wide = narrow.repeat((2, 1, 1))
    descriptor = create(kind, radii=radii)
    used = []
    for name in ("_whole", "_in_blocks"):
        method = getattr(ClusterDescriptor, name)
        monkeypatch.setattr(
            ClusterDescriptor, name, lambda *a, name=name, method=method: used.append(name) or method(*a)
        )
    expected = descriptor.local(wide)
    np.testing.assert_allclose(descriptor.local(narrow), expected[: len(narrow)], rtol=0, atol=1e-11)
    monkeypatch.setattr("vibentropy.descriptors.hessian.WHOLE", len(wide) - 1)
    np.testing.assert_allclose(descriptor.local(wide), expected, rtol=0, atol=1e-11)
    assert used == ["_whole", "_in_blocks", "_in_blocks"]


class TestRefusals:
    def test_far_from_a_minimum(self):
        with pytest.raises(SaddlePointError, match="near minima"):
            stiffness([0.0]).total(Crystal("Fe", "bcc", 1.3 * A).cell(2))

    def test_a_cluster_that_gives_way(self):
        """Each atom is held by the others at rest, but the crystal under pressure has soft waves."""
        crystal = Crystal("Fe", "bcc", 1.11 * A).cell(5)
        stiffness([0.0]).total(crystal)
        with pytest.raises(SaddlePointError, match=r"those within 5\.4 Å give way together"):
            stiffness([5.4]).total(crystal)

    def test_a_molecule_in_free_space(self):
        """Nothing holds the four together: what is left of the determinant is rounding, whatever its sign."""
        positions = [[2.165, 0.841, 0.831], [-0.110, 0.001, 0.088], [1.762, -0.019, -1.376], [4.187, 0.733, -0.657]]
        descriptor = stiffness([3.6], width=0.5)
        for turn in Rotation.random(100, random_state=0):
            with pytest.raises(SaddlePointError, match="give way together"):
                descriptor.total(Atoms("Fe4", turn.apply(positions)))

    @pytest.mark.parametrize(
        ("parameters", "message"),
        [
            ({"potential": {"file": "missing.eam.fs", "element": "Fe"}}, "missing.eam.fs: no such file"),
            ({"species": ["W"]}, "the potential is of Fe"),
            ({"radii": []}, "must hold at least one number"),
            ({"radii": 3.0}, "must be a list of numbers"),
            ({"radii": [-1.0]}, r"radii\[0\] == -1.0, must be >= 0"),
            ({"radii": [3.0, 3.0]}, "must ascend"),
            ({"width": 0.0}, "width == 0.0, must be > 0"),
        ],
    )
    def test_parameters(self, parameters, message):
        with pytest.raises(ConfigError, match=message):
            create("hessian_stiffness", **parameters)
