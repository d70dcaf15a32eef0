"""Hessian moments against traces of dense matrices, the spectrum of the crystal, and entropies."""

import numpy as np
import pytest
from ase.build import bulk

from vibentropy.atoms.crystal import Crystal
from vibentropy.descriptors import create
from vibentropy.errors import ConfigError, SaddlePointError, StructureError
from vibentropy.features.extensive import bulk_features, extensive_features
from vibentropy.labels.determinants import log_determinant
from vibentropy.labels.entropy import formation_entropy
from vibentropy.potentials.embedded_atom import Potential
from vibentropy.potentials.newton import newton_relax

IRON = Potential.from_setfl("FeP_mm.eam.fs", "Fe")
A = 2.8553127


def moments(**parameters):
    return create("hessian_moments", potential={"file": "FeP_mm.eam.fs", "element": "Fe"}, **parameters)


def rattled(repeat, seed=0):
    atoms = Crystal("Fe", "bcc", A).cell(repeat)
    atoms.positions += np.random.default_rng(seed).uniform(-0.08, 0.08, atoms.positions.shape)
    del atoms[5]
    return atoms


def dense(atoms):
    """ln det H_ii of each atom, and R as a matrix."""
    n = len(atoms)
    hessian = IRON.hessian(atoms).toarray()
    values, vectors = np.linalg.eigh(hessian.reshape(n, 3, n, 3)[np.arange(n), :, np.arange(n)])
    roots = np.einsum("iab,ib,icb->iac", vectors, values**-0.5, vectors)
    scaled = np.einsum("iab,ibjc,jcd->iajd", roots, hessian.reshape(n, 3, n, 3), roots).reshape(3 * n, 3 * n)
    return np.log(values).sum(axis=1), np.eye(3 * n) - scaled


def of_atoms(matrix):
    """Trace of the block of each atom."""
    return np.diagonal(matrix).reshape(-1, 3).sum(axis=1)


@pytest.fixture(scope="module")
def atoms():
    return rattled(6)


@pytest.fixture(scope="module")
def reference(atoms):
    return dense(atoms)


class TestDenseTraces:
    def test_short_steps(self, atoms, reference):
        """Six steps of 2.8 Å do not go around the cell, so its periodic images do not show."""
        logarithm, r = reference
        r = r * np.kron(atoms.get_all_distances(mic=True) < 2.8, np.ones((3, 3)))
        powers = [r @ r]
        while len(powers) < 5:
            powers.append(powers[-1] @ r)
        expected = [-logarithm / 2, *(of_atoms(power) / (2 * k) for k, power in enumerate(powers, 2))]
        for order in (2, 3, 4, 5, 6):
            found = moments(max_order=order, r_hop=2.8).local(atoms)
            np.testing.assert_allclose(found, np.transpose(expected[:order]), rtol=0, atol=1e-11)

    def test_all_steps(self, atoms, reference):
        logarithm, r = reference
        found = moments(max_order=4).local(atoms)
        second = r @ r
        np.testing.assert_allclose(found[:, 0], -logarithm / 2, rtol=0, atol=1e-11)
        np.testing.assert_allclose(found[:, 1], of_atoms(second) / 4, rtol=0, atol=1e-11)
        # Walks around a cell 17 Å wide are few and faint.
        np.testing.assert_allclose(found[:, 2], of_atoms(second @ r) / 6, rtol=0, atol=1e-8)
        np.testing.assert_allclose(found[:, 3], of_atoms(second @ second) / 8, rtol=0, atol=1e-6)


def test_all_orders_of_the_perfect_crystal():
    """tr R^k is the mean over wave vectors of tr R(q)^k: the Fourier transform of one row, with room for six steps."""
    n, wide = 9, 30
    primitive = bulk("Fe", "bcc", a=A)
    atoms = primitive.repeat(n)
    row = -IRON.hessian(atoms).toarray()[:3].reshape(3, n, n, n, 3).transpose(1, 2, 3, 0, 4)
    stiffness = -row[0, 0, 0, 0, 0]
    np.testing.assert_allclose(row[0, 0, 0], -stiffness * np.eye(3), atol=1e-10)
    row[0, 0, 0] = 0.0
    # Each block goes to its nearest image in a grid without images in reach.
    padded = np.zeros((wide, wide, wide, 3, 3))
    for shift in np.ndindex(n, n, n):
        images = np.array(shift) - n * np.stack(np.meshgrid([0, 1], [0, 1], [0, 1], indexing="ij"), -1).reshape(-1, 3)
        nearest = images[np.linalg.norm(images @ primitive.cell[:], axis=1).argmin()]
        padded[tuple(nearest)] = row[shift] / stiffness
    bands = np.fft.fftn(padded, axes=(0, 1, 2))
    power, expected = bands, [-1.5 * np.log(stiffness)]
    for k in range(2, 7):
        power = power @ bands
        expected.append(np.trace(power, axis1=-2, axis2=-1).real.mean() / (2 * k))
    found = moments(max_order=6).local(primitive)[0]
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-10)


def test_small_cells_repeated():
    atoms = rattled(3)
    descriptor = moments(max_order=4)
    once, twice = descriptor.total(atoms), descriptor.total(atoms.repeat((2, 1, 1)))
    np.testing.assert_allclose(twice, 2 * once, rtol=0, atol=1e-8)


def test_distances_share_the_second_moment():
    atoms = rattled(3)
    whole, resolved = moments(max_order=3), moments(max_order=3, distances=[2.5, 2.9, 4.0, 5])
    assert resolved.feature_names == ["ln_det", "tr_R2_2.5", "tr_R2_2.9", "tr_R2_4.0", "tr_R2_5.0", "tr_R3"]
    parts = resolved.local(atoms)
    assert (parts[:, 1:5] > 0).all()
    np.testing.assert_allclose(parts[:, 1:5].sum(axis=1), whole.local(atoms)[:, 1], rtol=1e-12)
    np.testing.assert_allclose(parts[:, [0, -1]], whole.local(atoms)[:, [0, -1]], rtol=1e-12)


def test_a_step_between_two_distances_is_shared_linearly():
    """The first two shells of the perfect crystal, by steps that reach no further."""
    atoms = bulk("Fe", "bcc", a=A)
    near, far = np.sqrt(3) / 2 * A, A
    first = moments(max_order=2, r_hop=near + 0.1).total(atoms)[1]
    second = moments(max_order=2, r_hop=far + 0.1).total(atoms)[1] - first
    knots = [near - 0.2, near + 0.1, far]
    found = moments(max_order=2, r_hop=far + 0.1, distances=knots).total(atoms)[1:]
    np.testing.assert_allclose(found, [first / 3, first * 2 / 3, second], rtol=1e-9)


def test_terms_are_those_of_the_determinant():
    """ln det' H = Σ ln det H_ii + ln det' (1 - R) up to the norm of the translations; the series has no limit."""
    atoms = Crystal("Fe", "bcc", A).cell(4)
    logarithm, r = dense(atoms)
    eigenvalues = np.linalg.eigvalsh(r)
    np.testing.assert_allclose(eigenvalues[-3:], 1.0, atol=1e-10)
    rest = eigenvalues[:-3]
    # Scaling by D moves the translations: det' H = det D det' (1 - R) / det (Tᵀ D T), here D is a number.
    exact = logarithm.sum() + np.log1p(-rest).sum() - logarithm[0]
    assert exact == pytest.approx(log_determinant(IRON.hessian(atoms)).value, abs=1e-8)
    assert rest.min() < -1.05
    partial = logarithm.sum() - logarithm[0] - np.cumsum([(rest**k).sum() / k for k in range(1, 80)])
    assert abs(partial[3] - exact) < 15
    assert abs(partial[-1] - exact) > abs(partial[20] - exact)


@pytest.mark.slow
def test_two_features_fit_better_than_thirty_three_of_positions():
    """Vacancies and their small clusters in 250 sites, each predicted from all others."""
    crystal = Crystal("Fe", "bcc", A)
    perfect = crystal.cell(5)
    steps = {(0.5, 0.5, 0.5), (1, 0, 0), (1, 1, 0), (1.5, 0.5, 0.5), (1, 1, 1), (2, 0, 0), (1.5, 1.5, 0.5)}
    pairs = [[(0, 0, 0), step] for step in sorted(steps)]
    triples = [[*pair, (0.5, 0.5, -0.5)] for pair in pairs[1:]] + [[*pair, (0, -1, 0)] for pair in pairs]
    frames, entropies = [], []
    for removed in ([(0, 0, 0)], *pairs, *triples):
        atoms = perfect.copy()
        sites = A * (np.array(removed) + 2)
        del atoms[[int(np.linalg.norm(perfect.positions - site, axis=1).argmin()) for site in sites]]
        atoms, _, _ = newton_relax(atoms, IRON, 1e-6)
        frames.append(atoms)
        entropies.append(formation_entropy(atoms, perfect, IRON))
    entropies = np.array(entropies)
    assert np.ptp(entropies) > 5

    def scaled(descriptor):
        features = extensive_features(descriptor, frames, bulk_features(descriptor, crystal.cell(1)))
        return features / np.sqrt((features**2).mean(axis=0))

    def error(features, penalty):
        predicted = []
        for left_out in range(len(frames)):
            x, y = np.delete(features, left_out, axis=0), np.delete(entropies, left_out)
            weights = np.linalg.solve(x.T @ x + penalty * np.eye(x.shape[1]), x.T @ y)
            predicted.append(features[left_out] @ weights)
        return np.abs(np.array(predicted) - entropies).mean()

    # The penalty that flatters the positions most.
    of_positions = scaled(create("afs", n_max=3, l_max=10, r_cut=5.0))
    positions = min(error(of_positions, 10.0**k) for k in range(-8, 1))
    two, four = (error(scaled(moments(max_order=order)), 1e-10) for order in (2, 4))
    assert two < positions / 4
    assert four < two < 0.02


class TestRefusals:
    def test_far_from_a_minimum(self):
        atoms = Crystal("Fe", "bcc", 1.3 * A).cell(2)
        with pytest.raises(SaddlePointError, match=r"atom 0 is held with a stiffness of -.* near minima"):
            moments().total(atoms)

    def test_another_element(self):
        with pytest.raises(StructureError, match="W where only Fe"):
            moments().total(bulk("W"))

    @pytest.mark.parametrize(
        ("parameters", "message"),
        [
            ({"potential": {"file": "missing.eam.fs", "element": "Fe"}}, "missing.eam.fs: no such file"),
            ({"potential": {"file": "FeP_mm.eam.fs", "element": "Cu"}}, "Cu"),
            (
                {"potential": {"pair_style": "meam", "pair_coeff": ["* *"], "element": "Fe"}},
                "expected `. . library elements",
            ),
            ({"potential": {"pair_style": "eam", "pair_coeff": ["* *"], "element": "Fe"}}, "must be meam"),
            ({"potential": {"pair_style": "meam", "element": "Fe"}}, "pair_style and pair_coeff and element"),
            ({"potential": "FeP_mm.eam.fs"}, "must be a mapping of file and element"),
            ({"species": ["W"]}, "the potential is of Fe"),
            ({"max_order": 7}, "max_order == 7, must be <= 6"),
            ({"max_order": 1}, "max_order == 1, must be >= 2"),
            ({"r_hop": 0.0}, "r_hop == 0.0, must be > 0"),
            ({"distances": []}, "must hold at least one number"),
            ({"distances": 2.5}, "must be a list of numbers"),
            ({"distances": [3.0, 2.5]}, "must ascend"),
            ({"distances": [2.5, 9.0]}, r"no step is longer than 8\.4 Å"),
            ({"distances": [0.0, 2.5]}, r"distances\[0\] == 0.0, must be > 0"),
        ],
    )
    def test_parameters(self, parameters, message):
        with pytest.raises(ConfigError, match=message):
            create("hessian_moments", **parameters)
