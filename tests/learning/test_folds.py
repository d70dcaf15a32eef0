"""Folds: trajectories and basins kept together, and the splits that tear them."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import cross_val_predict

from vibentropy.errors import DataError
from vibentropy.evaluation.fitting import cross_predict
from vibentropy.learning.folds import (
    basin_groups,
    describe_folds,
    fold_and_group,
    folds_table,
    grouped_folds,
    home_groups,
    main_split,
    torn_rows,
)
from vibentropy.learning.ridge import ExtensiveRidge


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
    with pytest.raises(DataError, match=f"{n_folds} folds of 3 groups of trajectories"):
        grouped_folds(["a", "b", "c", "c"], n_folds)


def test_folds_table(configurations):
    folds = folds_table(configurations, 3)
    assert list(folds.columns) == ["id", "split", "fold", "group"]
    assert list(folds["group"]) == list(configurations["dataset"] + "/" + configurations["trajectory"])
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
    with pytest.raises(DataError, match="7 folds of 6 groups of trajectories"):
        folds_table(configurations, 7, ["file_order"])


def test_torn_rows():
    assert list(torn_rows(["a", "b", "a", "c", "b"], [0, 1, 1, 2, 1])) == [True, False, True, False, False]


def test_errors_are_those_of_grouped_folds_where_there_are_any():
    assert main_split(["shuffled", "groups"]) == "groups"
    assert main_split(["shuffled", "file_order"]) == "shuffled"


def test_folds_are_found_by_name(configurations):
    folds = folds_table(configurations, 3)
    ids = configurations["id"][[7, 2, 3]]
    fold, group = fold_and_group(folds.sample(frac=1, random_state=0), ids)
    np.testing.assert_array_equal(fold, folds["fold"][[7, 2, 3]])
    assert list(group) == ["b/x", "a/y", "a/y"]
    with pytest.raises(DataError, match="c/x/0 is in no fold"):
        fold_and_group(folds, ["a/x/0", "c/x/0"])


def visits(text, duplicate_of):
    """Labelled minima from ``"a a b"``, the trajectory of each, and ``{3: 0}``, the one that each duplicate repeats."""
    trajectories = text.split()
    repeated = [str(duplicate_of[k]) if k in duplicate_of else "" for k in range(len(trajectories))]
    return pd.DataFrame(
        {
            "id": [str(k) for k in range(len(trajectories))],
            "dataset": "d",
            "trajectory": trajectories,
            "defect_class": "V2",
            "status": "labelled",
            "duplicate_of": repeated,
        }
    )


def letters(groups):
    """Trajectories that groups are named after, as text."""
    return " ".join(group.removeprefix("d/") for group in groups)


@pytest.mark.parametrize(
    ("trajectories", "duplicate_of", "chained", "home"),
    [
        ("a a b b", {}, "a a b b", "a a b b"),
        # b falls back into a minimum of a, and c into another one of b: a, b and c are one group.
        ("a a b b c c d", {2: 1, 5: 3}, "a a a a a a d", "a a a b c b d"),
        # A duplicate that comes before what it repeats.
        ("a a b b", {0: 3}, "a a a a", "b a b b"),
        # Two of one minimum that is not in the table, such as one of a test set.
        ("a b b", {0: 9, 2: 9}, "a a a", "a b a"),
    ],
)
def test_groups_hold_trajectories_and_basins(trajectories, duplicate_of, chained, home):
    table = visits(trajectories, duplicate_of)
    # Rows are in their order, whatever their index.
    for same in (table, table.set_index(-np.arange(len(table)))):
        assert letters(basin_groups(same)) == chained
        assert letters(home_groups(same)) == home


@settings(max_examples=30)
@given(st.lists(st.tuples(st.integers(0, 7), st.integers(0, 7)), min_size=1, max_size=20))
def test_chains_are_closed_and_cuts_keep_basins(pairs):
    """Against labels that spread from row to row until none changes."""
    first = {}
    duplicate_of = {k: first[basin] for k, (_, basin) in enumerate(pairs) if first.setdefault(basin, k) != k}
    table = visits(" ".join(str(trajectory) for trajectory, _ in pairs), duplicate_of)
    spread = list(range(len(pairs)))
    for _ in pairs:
        for k, own in enumerate(pairs):
            spread[k] = min(spread[n] for n, other in enumerate(pairs) if own[0] == other[0] or own[1] == other[1])
    chained, home = basin_groups(table), home_groups(table)
    same = np.equal.outer(chained, chained)
    np.testing.assert_array_equal(same, np.equal.outer(spread, spread))
    for basin in {basin for _, basin in pairs}:
        assert len({home[k] for k, (_, other) in enumerate(pairs) if other == basin}) == 1
    assert same[np.equal.outer(home, home)].all()


def test_excluded_duplicates_still_chain():
    table = visits("a a b b c c d d e e", {2: 1})
    folds = folds_table(table, 2)
    assert list(folds["id"]) == [k for k in "0123456789" if k != "2"]
    assert letters(folds["group"]) == "a a a c c d d e e"
    assert not torn_rows(folds["group"], folds["fold"]).any()
    assert letters(folds_table(table, 2, exclude_duplicates=False)["group"]) == "a a a a c c d d e e"
    assert describe_folds(table, folds) == [
        "10 labelled minima of 5 trajectories in 9 basins: shared basins chain them into 4 groups, the largest of 3 of "
        "9 rows",
        "groups: 0 of 9 rows have another one of their group in other folds",
    ]


@pytest.mark.parametrize("exclude", [True, False])
def test_chains_that_are_too_long_for_even_folds_are_cut(exclude):
    table = visits("a a b b c c d d", {2: 1, 4: 3})  # a, b and c: five of six rows, or six of eight
    folds = folds_table(table, 2, ["groups", "shuffled"], exclude_duplicates=exclude)
    groups = letters(folds.loc[folds["split"] == "groups", "group"])
    assert groups == ("a a b c d d" if exclude else "a a a b b c d d")
    note = describe_folds(table, folds)
    assert note[1].startswith("too large for even folds, or too few: cut at the duplicates")
    assert note[1].endswith(f"4 groups, the largest of {2 if exclude else 3} rows")
    assert note[2].startswith("groups: 0 of")
    torn = torn_rows(*folds.loc[folds["split"] == "shuffled", ["group", "fold"]].to_numpy().T).sum()
    assert torn > 0
    assert note[3] == f"shuffled: {torn} of {len(folds) // 2} rows have another one of their group in other folds"
