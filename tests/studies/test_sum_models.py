"""Which models of sums are extensive: on repeated, diluted and mixed cells."""

import numpy as np
import pytest
from toy_cells import toy

from vibentropy.studies import sum_models
from vibentropy.studies.sum_models import MODELS


@pytest.fixture(autouse=True)
def few_parameters(monkeypatch):
    """The choice among many parameters is that of scikit-learn, and takes most of the time."""
    monkeypatch.setattr(sum_models, "SUM_LENGTHS", (4.0, 16.0))
    monkeypatch.setattr(sum_models, "SUM_PENALTIES", (1e-8, 1e-4))
    monkeypatch.setattr(sum_models, "NETWORK_PENALTIES", (1.0,))


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
