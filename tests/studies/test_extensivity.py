"""The kernel of atoms against all its pairs, and which models are extensive: on repeated, diluted and mixed cells."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from sklearn.kernel_ridge import KernelRidge

from vibentropy.descriptors import create
from vibentropy.errors import DataError
from vibentropy.features.sets import FeatureSet, bulk_features, extensive_features
from vibentropy.report.figures.extensivity import extensivity_figure
from vibentropy.report.figures.style import DOUBLE
from vibentropy.studies import atom_kernel, extensivity, sum_models
from vibentropy.studies.atom_kernel import ATOM_LENGTHS, AtomKernel, Environments, evenly_spread_cells
from vibentropy.studies.extensivity import MULTIPLES
from vibentropy.studies.sum_models import MODELS, Cells

ROOT = Path(__file__).resolve().parents[2]
SPECIFICATION = {"kind": "afs", "n_max": 2, "l_max": 2, "r_cut": 4.0}

#: Models that are extensive by construction.
EXTENSIVE = ("ridge", "atom_kernel")


@pytest.fixture(autouse=True)
def few_parameters(monkeypatch):
    """The choice among many parameters is that of scikit-learn, and takes most of the time."""
    monkeypatch.setattr(sum_models, "SUM_LENGTHS", (4.0, 16.0))
    monkeypatch.setattr(sum_models, "SUM_PENALTIES", (1e-8, 1e-4))
    monkeypatch.setattr(sum_models, "NETWORK_PENALTIES", (1.0,))


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


def toy(n=60, n_features=4, seed=0):
    """Cells of 100 atoms or so in groups of three, and an entropy linear in their positive features."""
    rng = np.random.default_rng(seed)
    X = rng.gamma(2.0, size=(n, n_features)) * np.logspace(-1, 2, n_features)
    entropy = X @ (rng.uniform(0.5, 2, n_features) / np.logspace(-1, 2, n_features)) + 0.1 * rng.normal(size=n)
    return Cells(rng.integers(96, 105, n).astype(float), X), entropy, np.arange(n) // 3


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


@pytest.mark.parametrize("model", [name for name in MODELS if name not in ("atom_kernel", "network")])
def test_what_is_extensive_and_what_is_not(model):
    cells, entropy, groups = toy()
    predict, _ = sum_models.fit(model, cells, entropy, groups)
    own = predict(cells)
    assert np.abs(own - entropy).mean() < 0.1 * entropy.std()
    drawn = np.random.default_rng(0).integers(len(own), size=(40, 8))
    off = {
        "copies": predict(cells.copies(8)) / (8 * own) - 1,
        "crystal": predict(cells.crystal(8)) / own - 1,
        "mixture": predict(cells.mixture(drawn)) / own[drawn].sum(axis=1) - 1,
    }
    fails = {test for test, deviation in off.items() if np.abs(deviation).max() > 1e-8}
    assert (
        fails
        == {
            "ridge": set(),
            "kernel_ridge": {"copies", "mixture"},
            "kernel_per_atom": {"crystal", "mixture"},
            "kernel_per_size": {"mixture"},
        }[model]
    )


@pytest.mark.parametrize("seed", range(4))
def test_kernel_ridge_of_the_sums_is_bounded(seed):
    """Far from all training cells the kernel is zero: however many copies, one and the same entropy."""
    cells, entropy, _ = toy(n=12, n_features=2, seed=seed)
    predict, _ = sum_models.fit("kernel_ridge", cells, entropy, np.arange(12))
    np.testing.assert_allclose(predict(cells.copies(1e6)), entropy.mean(), rtol=1e-9)


def test_network_is_not_extensive_and_the_same_in_every_run():
    cells, entropy, groups = toy()
    predict, chosen = sum_models.fit("network", cells, entropy, groups, seed=5)
    again, _ = sum_models.fit("network", cells, entropy, groups, seed=5)
    assert set(chosen) == {"activation", "alpha"}
    np.testing.assert_array_equal(predict(cells), again(cells))
    assert np.abs(predict(cells.copies(8)) / (8 * predict(cells)) - 1).max() > 1e-3


@pytest.fixture
def run():
    """A table of 30 training cells in ten groups and ten test cells, its features and folds."""
    cells, entropy, groups = toy(40)
    table = pd.DataFrame({"id": [f"c/{k:02d}" for k in range(40)], "formation_entropy": entropy})
    table = table.assign(n_atoms=cells.n_atoms.astype(int), n_sites=100, status="labelled", duplicate_of="")
    table["role"] = np.where(np.arange(40) < 30, "train", "test")
    table["dataset"] = np.where(table["role"] == "train", "small", "large")
    table["trajectory"] = groups.astype(str)
    table["defect_class"] = np.where(table["role"] == "train", np.where(groups % 2, "I1", "V2"), "2xI1+V2")
    table.loc[39, "defect_class"] = "loop7"
    features = FeatureSet(cells.X, tuple(table["id"]), tuple("abcd"), np.zeros(4), {})
    folds = pd.DataFrame({"id": table["id"][:30], "split": "groups", "fold": groups[:30] % 3, "group": groups[:30]})
    return table, {"made": features}, folds


def test_assessment_of_an_extensive_model(run):
    table, features, folds = run
    predictions, chosen = extensivity.assess("ridge", table, features, folds, seed=1)
    assert chosen["penalty"] > 0
    counts = predictions.groupby(["test", "of"]).size().to_dict()
    assert counts == {("held out", 1): 30, ("test set", "large"): 10} | {
        (test, m): 30 for test in ("copies", "crystal", "mixture") for m in MULTIPLES
    }
    made = predictions[predictions["test"].isin(["copies", "crystal", "mixture"])]
    np.testing.assert_allclose(made["prediction"], made["parts"], rtol=1e-10)
    held_out = predictions[predictions["test"] == "held out"].set_index("id")
    exact = table.set_index("id")["formation_entropy"]
    np.testing.assert_array_equal(held_out["formation_entropy"], exact[held_out.index])
    assert (held_out["prediction"] - held_out["formation_entropy"]).abs().max() < 1
    test = predictions[predictions["test"] == "test set"]
    assert list(test["known"]) == [True] * 9 + [False]
    pd.testing.assert_frame_equal(predictions, extensivity.assess("ridge", table, features, folds, seed=1)[0])


def test_labels_of_held_out_cells_are_not_seen(run):
    table, features, folds = run
    before, _ = extensivity.assess("kernel_per_size", table, features, folds)
    out = folds["fold"] == 1
    table.loc[out[out].index, "formation_entropy"] *= 3
    after, _ = extensivity.assess("kernel_per_size", table, features, folds)
    rows = (before["test"] != "test set") & before["id"].isin(folds["id"][out])
    np.testing.assert_array_equal(before["prediction"][rows], after["prediction"][rows])
    assert not np.allclose(before["prediction"][~rows], after["prediction"][~rows])


def test_assessment_holds_out_groups_where_there_is_another_split(run):
    table, features, folds = run
    torn = folds.assign(split="shuffled", fold=np.arange(30) % 3)
    expected, _ = extensivity.assess("ridge", table, features, folds)
    found, _ = extensivity.assess("ridge", table, features, pd.concat([torn, folds]))
    pd.testing.assert_frame_equal(found, expected)


def test_assessment_without_training_or_with_other_folds(run):
    table, features, folds = run
    with pytest.raises(DataError, match="no training configuration"):
        extensivity.assess("ridge", table[table["role"] == "test"], features, folds)
    with pytest.raises(DataError, match="c/00 is in no fold"):
        extensivity.assess("ridge", table, features, folds[1:])


@pytest.fixture
def every_model(run):
    """Predictions of all models: those of ridge, and for functions of the sums saturating ones."""
    table, features, folds = run
    ridge, _ = extensivity.assess("ridge", table, features, folds)
    others = ridge.assign(prediction=np.minimum(ridge["prediction"], 20.0))
    return pd.concat([(ridge if name in EXTENSIVE else others).assign(model=name) for name in MODELS])


def test_summary(every_model):
    summary = extensivity.summarise(every_model).set_index(["model", "test", "of", "clusters"])
    assert summary.index.is_unique
    copies = summary.loc[("ridge", "copies", 4, "all")]
    np.testing.assert_allclose(copies[["ratio", "ratio_low", "ratio_high"]].astype(float), 1)
    assert copies["deviation"] == pytest.approx(0, abs=1e-12)
    some = every_model[
        (every_model["model"] == "network") & (every_model["test"] == "copies") & (every_model["of"] == 4)
    ]
    expected = np.abs(some["prediction"] - some["parts"]).sum() / np.abs(some["parts"]).sum()
    row = summary.loc[("network", "copies", 4, "all")]
    assert row["deviation"] == pytest.approx(expected)
    assert row["ratio"] == pytest.approx(np.median(some["prediction"] / some["parts"]))
    assert summary.loc[("ridge", "test set", "large", "known"), "n"] == 9
    assert summary.loc[("ridge", "test set", "large", "new"), "n"] == 1
    assert np.isnan(summary.loc[("ridge", "test set", "large", "all"), "ratio"])


def test_figure(every_model):
    figure = extensivity_figure(every_model, extensivity.summarise(every_model))
    assert figure.get_figwidth() == DOUBLE
    assert [axes.get_title() for axes in figure.axes[:4]] == [MODELS[name] for name in list(MODELS)[:4]]
    assert [text.get_text() for text in figure.legends[0].get_texts()][:6] == list(MODELS.values())
    ridge = every_model[(every_model["model"] == "ridge") & (every_model["test"] == "test set")]
    error = (ridge["prediction"] - ridge["formation_entropy"]).abs().mean()
    assert figure.axes[0].texts[0].get_text().startswith(f"MAE {error:.1f}")
    far = every_model.assign(prediction=every_model["prediction"].mask(every_model["model"] == "network", 1e4))
    figure = extensivity_figure(far, extensivity.summarise(far))
    assert figure.axes[3].texts[0].get_text().endswith("10 beyond")
    with pytest.raises(DataError, match="no test sets"):
        extensivity_figure(every_model[every_model["test"] != "test set"], extensivity.summarise(every_model))


@pytest.mark.slow
def test_target_of_the_workflow(tmp_path):
    config = {
        "results": str(tmp_path / "results"),
        "datasets": {
            "clusters": {"role": "train", "archive": "data/clusters.h5", "classes": ["I1", "V2"]},
            "larger": {"role": "test", "archive": "data/cells_1024.h5", "classes": ["loop7", "5xV4"]},
        },
        "descriptors": {
            "waves": {"kind": "scattering"},
            "local": SPECIFICATION,
        },
        "regressors": {"ridge": {"kind": "ridge"}},
        "evaluation": {"folds": 2},
        "nonlinear": {"environments": 20},
        "shard_size": 1000,
    }
    path = tmp_path / "config.yaml"
    path.write_text(yaml.safe_dump(config))
    command = [sys.executable, "-m", "snakemake", "nonlinear", "--cores", "2", "--quiet", "--configfile", path]
    subprocess.run(command, cwd=ROOT, check=True)
    table = pd.read_csv(tmp_path / "results/tables/nonlinear.csv")
    assert list(table["model"].unique()) == list(MODELS)
    made = table[table["model"].isin(EXTENSIVE) & table["ratio"].notna()]
    np.testing.assert_allclose(made["ratio"], 1, atol=1e-8)
    assert (tmp_path / "results/figures/nonlinear.pdf").read_bytes().startswith(b"%PDF")
