"""How many minima a fit needs."""

import pytest

from vibentropy.learning.sufficiency import too_few


@pytest.mark.parametrize(("n_minima", "n_features"), [(24, 33), (0, 1), (32, 33)])
def test_too_few_minima(n_minima, n_features):
    said = too_few(n_minima, n_features)
    assert said.startswith(f"{n_minima} distinct minima for {n_features} features: label more, at least {n_features}")


@pytest.mark.parametrize(("n_minima", "n_features"), [(33, 33), (1633, 127), (5, 5)])
def test_enough_minima(n_minima, n_features):
    assert too_few(n_minima, n_features) is None
