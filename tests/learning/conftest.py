"""Data that regressors are fitted to, and models of them."""

import numpy as np
import pytest
from uncertain_models import CRYSTAL, A, misspecified, vacancies

from vibentropy.descriptors import create
from vibentropy.features.extensive import bulk_features
from vibentropy.features.sets import FeatureSet
from vibentropy.learning.fold_fits import fold_fits
from vibentropy.learning.ridge import ExtensiveRidge
from vibentropy.learning.uncertainty import quantify
from vibentropy.model.entropy_model import EntropyModel


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.fixture
def data(rng):
    """60 rows in 12 groups of five, six features of very different size, little noise."""
    X = rng.normal(size=(60, 6)) @ rng.normal(size=(6, 6)) * np.logspace(-4, 4, 6)
    y = X @ (rng.normal(size=6) / np.logspace(-4, 4, 6)) + 0.1 * rng.normal(size=60)
    return X, y, np.repeat(np.arange(12), 5)


@pytest.fixture(scope="session")
def scaled():
    """A fit: scaled features, errors and the estimator."""
    X, y, _, _ = misspecified(60, 1)
    fitted = ExtensiveRidge(penalties=[1e-3]).fit(X, y)
    return X / fitted.scale_, y, y - fitted.predict(X), fitted


@pytest.fixture(scope="session")
def model():
    """Fitted to sixty cells of vacancies, with its intervals and domain."""
    descriptor = create("afs", n_max=2, l_max=3, r_cut=4.0)
    frames = [vacancies(seed) for seed in range(60)]
    reference = bulk_features(descriptor, CRYSTAL)
    features = FeatureSet.compute(descriptor, [str(k) for k in range(60)], frames, reference)
    y = 2.5 * (len(CRYSTAL) - np.array([len(atoms) for atoms in frames])) + 0.1 * np.sin(np.arange(60))
    fits = fold_fits(ExtensiveRidge(), features.X, y, np.arange(60), np.arange(60) % 5)
    return EntropyModel.from_fit(
        descriptor,
        fits.without(),
        reference,
        element="Fe",
        volume_per_atom=A**3 / 2,
        entropy_range=(y.min(), y.max()),
        uncertainty=quantify(fits, features.X, y, np.arange(60), features.local),
    )
