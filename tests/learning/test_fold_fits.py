"""Fits without folds: to the other rows, made once."""

import numpy as np
import pytest

from vibentropy.errors import DataError
from vibentropy.learning.fold_fits import FoldFits, check_groups, fold_fits
from vibentropy.learning.ridge import ExtensiveRidge


@pytest.fixture
def rows():
    rng = np.random.default_rng(4)
    X, groups = rng.normal(size=(24, 3)), np.repeat(np.arange(8), 3)
    return X, X @ [1.0, -2.0, 3.0] + 0.1 * rng.normal(size=24), groups, groups % 4


def test_fits_are_those_to_the_other_rows(rows):
    X, y, groups, folds = rows
    regressor = ExtensiveRidge([0.1])
    fits = fold_fits(regressor, X, y, groups, folds)
    for left_out in ([1], [0, 2], []):
        seen = ~np.isin(folds, left_out)
        expected = ExtensiveRidge([0.1]).fit(X[seen], y[seen], groups=groups[seen])
        np.testing.assert_array_equal(fits.without(*left_out).coef_, expected.coef_)
    assert not hasattr(regressor, "coef_")


def test_each_is_made_once_in_whatever_order_folds_are_named(rows):
    masks = []
    fits = FoldFits(lambda mask: masks.append(mask) or len(masks), rows[3], whole="whole")
    assert fits.without() == "whole"
    assert fits.without(2, 1) == fits.without(1, 2) == fits.without(1, 1, 2) == 1
    assert fits.without(1) == 2
    assert len(masks) == 2


def test_torn_groups_are_named():
    check_groups(np.array([3, 3, 5]), np.array([0, 0, 1]))
    with pytest.raises(DataError, match="group 3 lies in more than one fold"):
        check_groups(np.array([3, 3, 5]), np.array([0, 1, 1]))
