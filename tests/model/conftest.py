"""A small model, with and without standard deviations."""

import pytest
from small_models import CRYSTAL, FRAMES, LABELS, A

from vibentropy.descriptors import create
from vibentropy.features.extensive import bulk_features, extensive_features
from vibentropy.learning.registry import create_regressor
from vibentropy.model.entropy_model import EntropyModel


@pytest.fixture(scope="module")
def descriptor():
    return create("afs", n_max=2, l_max=2, r_cut=4.0)


@pytest.fixture(scope="module", params=["ridge", "bayesian_ridge"])
def fitted(request, descriptor):
    """Regressor, model and features of `FRAMES`."""
    reference = bulk_features(descriptor, CRYSTAL)
    X = extensive_features(descriptor, FRAMES, reference)
    regressor = create_regressor(request.param).fit(X, LABELS)
    model = EntropyModel.from_fit(
        descriptor,
        regressor,
        reference,
        element="Fe",
        volume_per_atom=A**3 / 2,
        entropy_range=(LABELS.min(), LABELS.max()),
        config_sha256="0" * 64,
        run_seed=2020,
    )
    return regressor, model, X
