"""Features are divided by their root mean square and never centred."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from vibentropy.learning.scaling import RootMeanSquareScaler, scales


def test_scaler_divides_by_the_root_mean_square():
    X = np.array([[3.0, 0.0, 10.0], [4.0, 0.0, 10.0]])
    scaler = RootMeanSquareScaler().fit(X)
    np.testing.assert_allclose(scaler.scale_, [np.sqrt(12.5), 1.0, 10.0], rtol=1e-15)
    # A constant column stays a constant, and a feature unknown to the training keeps its unit.
    np.testing.assert_allclose(scaler.transform([[0.0, 7.0, 10.0]]), [[0.0, 7.0, 1.0]], rtol=1e-15)


@given(
    arrays(float, (5, 3), elements=st.floats(-1e3, 1e3, allow_subnormal=False)),
    st.floats(1e-3, 1e3),
)
def test_scaler_never_centres(X, factor):
    scaler = RootMeanSquareScaler().fit(X)
    np.testing.assert_array_equal(scaler.transform(np.zeros((1, 3))), 0.0)
    np.testing.assert_allclose(scaler.transform(factor * X), factor * scaler.transform(X), rtol=1e-12)


def test_features_of_a_block_share_a_scale():
    """One that training does not fill counts as zero, and keeps its unit where the whole block is empty."""
    found = scales(np.array([3.0, 0.0, 5.0, 4.0, 0.0]), np.array([0, 2, 1, 0, 1]))
    np.testing.assert_allclose(found, [np.sqrt(12.5), 1.0, np.sqrt(12.5), np.sqrt(12.5), np.sqrt(12.5)], rtol=1e-15)
