"""The kernel of atoms against all its pairs."""

import shutil

import numpy as np
import pandas as pd
import pytest
from sklearn.kernel_ridge import KernelRidge
from toy_cells import SPECIFICATION

from vibentropy.descriptors import create
from vibentropy.errors import DataError
from vibentropy.features.extensive import bulk_features, extensive_features
from vibentropy.model.entropy_model import EntropyModel
from vibentropy.studies import atom_kernel, sum_models
from vibentropy.studies.atom_kernel import ATOM_LENGTHS, AtomKernel, Environments, evenly_spread_cells
from vibentropy.studies.sum_models import Cells


@pytest.fixture
def frames(iron_crystal):
    """Eight small cells, atoms displaced by 0.2 Å, one of them missing in every second cell."""
    cells = []
    for seed in range(8):
        atoms = iron_crystal(2)
        atoms.rattle(0.2, seed=seed)
        if seed % 2:
            del atoms[3]
        cells.append(atoms)
    return cells


@pytest.fixture
def kernel(frames, iron_crystal, tmp_path):
    """Kernel with every atom of the cells among its environments, and the bulk reference of its features."""
    descriptor = create(**SPECIFICATION)
    origin = bulk_features(descriptor, iron_crystal(2))
    pool = np.concatenate([descriptor.local(atoms) for atoms in frames]) - origin
    scale = np.sqrt((pool**2).mean(axis=0))
    path = tmp_path / "environments.h5"
    Environments(np.vstack([0 * origin, pool / scale]), origin, scale).save(path)
    kernel = AtomKernel(str(path), SPECIFICATION)
    return kernel, bulk_features(kernel, iron_crystal(2))


@pytest.fixture
def of_all_pairs(frames, iron_crystal):
    """Kernels of the cells of one length scale relative to the perfect crystal: sums over all pairs of atoms."""
    descriptor = create(**SPECIFICATION)
    crystal = descriptor.local(iron_crystal(2))[:1]
    local = [descriptor.local(atoms) for atoms in frames]
    scale = np.sqrt(((np.concatenate(local) - crystal) ** 2).mean(axis=0))

    def k(x, y, length):
        return np.exp(-((((x[:, None] - y[None]) / scale) ** 2).mean(axis=2)) / (2 * length**2))

    def of_cells(a, b, length):
        n, m = len(a), len(b)
        pairs = k(a, b, length).sum() - m * k(a, crystal, length).sum() - n * k(crystal, b, length).sum()
        return pairs + n * m * k(crystal, crystal, length).sum()

    return lambda length: np.array([[of_cells(a, b, length) for b in local] for a in local])


def test_features_are_the_kernel_of_all_pairs_of_atoms(kernel, of_all_pairs, frames):
    kernel, bulk = kernel
    blocks = np.split(extensive_features(kernel, frames, bulk), len(ATOM_LENGTHS), axis=1)
    assert len(kernel.feature_names) == len(set(kernel.feature_names)) == len(bulk)
    for length, block in zip(ATOM_LENGTHS, blocks, strict=True):
        expected = of_all_pairs(length)
        np.testing.assert_allclose(block @ block.T, expected, atol=1e-7 * np.abs(expected).max())


def test_model_is_kernel_ridge_with_the_kernel_of_all_pairs(kernel, of_all_pairs, frames):
    kernel, bulk = kernel
    entropy = np.random.default_rng(0).normal(10, 3, len(frames))
    cells = Cells(np.array([len(atoms) for atoms in frames]), extensive_features(kernel, frames, bulk))
    predict, chosen = sum_models.fit("atom_kernel", cells, entropy, np.arange(len(frames)))
    pairs = of_all_pairs(ATOM_LENGTHS[chosen["kw_args"]["number"]])
    brute = KernelRidge(alpha=chosen["alpha"], kernel="precomputed").fit(pairs, entropy)
    np.testing.assert_allclose(predict(cells), brute.predict(pairs), atol=1e-5)


def test_kernel_of_atoms_is_extensive_on_repeated_cells(frames, iron_crystal, tmp_path):
    descriptor = create(**SPECIFICATION)
    path = tmp_path / "environments.h5"
    origin = bulk_features(descriptor, iron_crystal(2))
    Environments.choose(descriptor, frames, origin, 20, seed=1).save(path)
    kernel = AtomKernel(str(path), SPECIFICATION)
    bulk = bulk_features(kernel, iron_crystal(2))

    def cells(frames):
        return Cells(np.array([len(atoms) for atoms in frames]), extensive_features(kernel, frames, bulk))

    entropy = np.random.default_rng(0).normal(10, 3, len(frames))
    predict, _ = sum_models.fit("atom_kernel", cells(frames), entropy, np.arange(len(frames)))
    single = predict(cells(frames))
    for repetitions in [(2, 1, 1), (2, 2, 1), (2, 2, 2)]:
        repeated = predict(cells([atoms * repetitions for atoms in frames]))
        np.testing.assert_allclose(repeated, np.prod(repetitions) * single, atol=1e-8)
    np.testing.assert_allclose(predict(cells([iron_crystal(3)])), 0, atol=1e-8)


def test_environments_are_atoms_of_the_cells(frames, iron_crystal, monkeypatch, tmp_path):
    descriptor = create(**SPECIFICATION)
    origin = bulk_features(descriptor, iron_crystal(2))
    chosen = Environments.choose(descriptor, frames, origin, 12, seed=3)
    assert chosen.points.shape == (12, descriptor.n_features)
    assert not chosen.points[0].any()
    pool = np.concatenate([descriptor.local(atoms) for atoms in frames])
    found = np.abs((chosen.points[1:] * chosen.scale + origin)[:, None] - pool[None]).max(axis=2).min(axis=1)
    np.testing.assert_allclose(found, 0, atol=1e-9)
    np.testing.assert_allclose(chosen.scale, np.sqrt(((pool - origin) ** 2).mean(axis=0)), rtol=1e-12)
    np.testing.assert_array_equal(chosen.points, Environments.choose(descriptor, frames, origin, 12, seed=3).points)
    chosen.save(tmp_path / "a.h5")
    np.testing.assert_array_equal(Environments.load(tmp_path / "a.h5").points, chosen.points)
    # In bounded memory: cells evenly spread over all of them, the first and the last among these.
    asked = []
    monkeypatch.setattr(atom_kernel, "MAX_POOL", 3 * 16 * descriptor.n_features)
    monkeypatch.setattr(
        type(descriptor), "local", lambda self, atoms, of=descriptor.local: asked.append(atoms) or of(atoms)
    )
    Environments.choose(descriptor, frames, origin, 12)
    assert [frames.index(atoms) for atoms in asked] == [0, 4, 7]
    assert list(evenly_spread_cells([16] * 8, descriptor.n_features)) == [0, 4, 7]
    assert list(evenly_spread_cells([16] * 3, descriptor.n_features)) == [0, 1, 2]


def test_models_find_their_environments_from_any_folder(kernel, frames, iron_crystal, tmp_path, monkeypatch):
    """As seen from the model, or beside it; not from the folder that one happens to work in."""
    _, bulk = kernel
    run, other = tmp_path / "run", tmp_path / "other"
    (run / "models").mkdir(parents=True)
    other.mkdir()
    monkeypatch.chdir(tmp_path)
    coef = np.ones(len(bulk))
    shutil.move("environments.h5", "run/environments.h5")
    described = create(
        "union",
        parts={
            "kernel": {
                "kind": "vibentropy.studies.atom_kernel.AtomKernel",
                "environments": "run/environments.h5",
                "descriptor": SPECIFICATION,
            }
        },
    )
    model = EntropyModel(described, coef, bulk, coef, None, None, "Fe", 11.6, (0, 1), "ridge")
    model.save("run/models/m.h5")
    assert described.parts["kernel"]["environments"] == "run/environments.h5"
    expected = model.predict(frames[1], iron_crystal(2))
    monkeypatch.chdir(other)
    loaded = EntropyModel.load("../run/models/m.h5")
    pd.testing.assert_frame_equal(loaded.predict(frames[1], iron_crystal(2)), expected)
    loaded.save("../run/models/again.h5")
    assert (run / "models/again.h5").read_bytes() == (run / "models/m.h5").read_bytes()
    shutil.copy(run / "models/m.h5", tmp_path / "other/m.h5")
    with pytest.raises(DataError, match=r"m\.h5: .* reads \.\./environments\.h5, .* copy environments\.h5 into"):
        EntropyModel.load("m.h5")
    shutil.copy(run / "environments.h5", other)
    pd.testing.assert_frame_equal(EntropyModel.load("m.h5").predict(frames[1], iron_crystal(2)), expected)
