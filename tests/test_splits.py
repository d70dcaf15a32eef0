"""Folds: groups kept together, and the splits that tear them."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import cross_val_predict

from vibentropy.errors import DataError
from vibentropy.evaluation import cross_predict
from vibentropy.regression import ExtensiveRidge
from vibentropy.splits import folds_table, grouped_folds, torn_rows


@st.composite
def grouped_rows(draw):
    """Group of each row and class of each group."""
    sizes = draw(st.lists(st.integers(1, 6), min_size=5, max_size=25))
    classes = draw(st.lists(st.sampled_from("ABC"), min_size=len(sizes), max_size=len(sizes)))
    return np.repeat(np.arange(len(sizes)), sizes), np.repeat(classes, sizes)


@given(grouped_rows(), st.integers(2, 5), st.booleans(), st.randoms(use_true_random=False))
def test_folds_keep_groups_together_whatever_the_order(rows, n_folds, stratified, random):
    groups, strata = rows
    strata = strata if stratified else None
    folds = grouped_folds(groups, n_folds, strata)
    assert set(folds) == set(range(n_folds))
    assert all(len(set(folds[groups == group])) == 1 for group in set(groups))
    order = np.array(random.sample(range(len(groups)), len(groups)))
    again = grouped_folds(groups[order], n_folds, None if strata is None else strata[order])
    np.testing.assert_array_equal(again, folds[order])


def test_folds_spread_rows_and_classes_evenly():
    groups = np.repeat(np.arange(40), 3)
    strata = np.where(groups < 10, "I1", np.where(groups < 15, "I2", "V4"))
    counts = pd.crosstab(grouped_folds(groups, 5, strata), strata)
    np.testing.assert_array_equal(counts, [[6, 3, 15]] * 5)


def test_folds_of_classes_that_are_rarer_than_folds(recwarn):
    folds = grouped_folds(list("abcdefgh"), 4, ["I1", "I2", "I3", "I4", "V1", "V2", "V3", "V4"])
    np.testing.assert_array_equal(np.bincount(folds), [2, 2, 2, 2])
    grouped_folds(list("abcdefgh"), 4, ["I1"] * 7 + ["V1"])
    assert not recwarn


@pytest.mark.parametrize("n_folds", [1, 4])
def test_impossible_numbers_of_folds(n_folds):
    with pytest.raises(DataError, match=f"{n_folds} folds of 3 trajectories"):
        grouped_folds(["a", "b", "c", "c"], n_folds)


def test_folds_table(configurations):
    folds = folds_table(configurations, 3)
    assert list(folds.columns) == ["id", "split", "fold"]
    assert set(folds["split"]) == {"groups"}
    assert list(folds["id"]) == list(configurations["id"])
    assert pd.crosstab(folds["fold"], configurations["defect_class"]).eq(2).all(axis=None)
    # Trajectory x of data set a and that of data set b are two groups, so that there are six.
    assert set(folds_table(configurations, 6)["fold"]) == set(range(6))
    # Whatever the order in which classes come.
    many = pd.concat([configurations.assign(dataset=configurations["dataset"] + name) for name in "abcdefghi"])
    classes = np.where(many["trajectory"] == "x", "I1", np.where(many["dataset"].str.startswith("a"), "I2", "V4"))
    folds = folds_table(many.assign(id=np.arange(108), defect_class=classes), 9)
    np.testing.assert_array_equal(pd.crosstab(folds["fold"], classes), [[4, 4, 4]] * 9)


def test_file_order_cuts_rows_as_they_come(configurations):
    """What `sklearn.model_selection.cross_val_predict` does with a number of folds, for all classes together."""
    folds = folds_table(configurations[:11], 3, ["file_order"])
    assert list(folds["fold"]) == [0] * 4 + [1] * 4 + [2] * 3
    X, y = np.arange(11.0)[:, None] ** [1, 2], np.arange(11.0) ** 3
    ours = cross_predict(ExtensiveRidge(penalties=[1e-12]), X, y, np.arange(11), folds["fold"])
    theirs = cross_val_predict(LinearRegression(fit_intercept=False), X, y, cv=3)
    np.testing.assert_allclose(ours["prediction"], theirs, rtol=1e-6)


def test_shuffled_folds_are_even_and_follow_the_seed(configurations):
    folds = folds_table(configurations, 4, ["shuffled"], seed=1)
    assert list(np.bincount(folds["fold"])) == [3] * 4
    pd.testing.assert_frame_equal(folds_table(configurations, 4, ["shuffled"], seed=1), folds)
    assert not folds_table(configurations, 4, ["shuffled"], seed=2).equals(folds)
    assert torn_rows(configurations["trajectory"], folds["fold"]).any()


def test_several_splits_in_one_table(configurations):
    both = folds_table(configurations, 3, ["groups", "file_order"])
    for split in ("groups", "file_order"):
        rows = both[both["split"] == split].reset_index(drop=True)
        pd.testing.assert_frame_equal(rows, folds_table(configurations, 3, [split]))
    with pytest.raises(DataError, match="split 'random' is none of groups, file_order, shuffled"):
        folds_table(configurations, 3, ["groups", "random"])
    # Too few groups is an error whatever the split: regressors need them for their own folds.
    with pytest.raises(DataError, match="7 folds of 6 trajectories"):
        folds_table(configurations, 7, ["file_order"])


def test_torn_rows():
    assert list(torn_rows(["a", "b", "a", "c", "b"], [0, 1, 1, 2, 1])) == [True, False, True, False, False]
