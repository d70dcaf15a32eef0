"""Labels and features are matched by the ids of configurations."""

import numpy as np
import pytest

from vibentropy.errors import DataError
from vibentropy.features.sets import FeatureSet, LocalValues
from vibentropy.learning.ridge import ExtensiveRidge
from vibentropy.learning.rows import match, with_blocks


def feature_set(ids, local=False, sites=None):
    """Features whose value is the number at the end of the id."""
    X = np.array([[float(name.rpartition("/")[2])] for name in ids])
    values = LocalValues(np.stack([X, X + 1], axis=1), X) if local else None
    return FeatureSet(X, tuple(ids), ("x",), np.zeros(1), {}, sites=sites or {}, local=values)


@pytest.fixture
def table(configurations):
    table = configurations.assign(id=[f"{d}/{k}" for k, d in enumerate(configurations["dataset"])])
    table.loc[table["dataset"] == "b", "role"] = "test"
    return table


def test_rows_come_in_the_order_of_the_table_by_role(table):
    features = {
        "b": feature_set([f"b/{k}" for k in (8, 6, 11)]),
        "a": feature_set([f"a/{k}" for k in (5, 0, 3)], sites={"a/3": np.ones((2, 1))}),
    }
    train, test = match(table, features)
    assert list(train.table["id"]) == ["a/0", "a/3", "a/5"]
    assert train.X[:, 0].tolist() == [0, 3, 5]
    assert train.y.tolist() == [1, 4, 6]
    assert [site is not None for site in train.sites] == [False, True, False]
    assert list(test.table["id"]) == ["b/6", "b/8", "b/11"]
    assert test.X[:, 0].tolist() == [6, 8, 11]
    assert train.local is None


def test_values_of_atoms_go_with_their_rows(table):
    train, test = match(table, {"a": feature_set(["a/4", "a/1"], local=True), "b": feature_set(["b/7"], local=True)})
    assert train.local.crystals[:, 0].tolist() == [1, 4]
    assert test.local.limits[0, :, 0].tolist() == [7, 8]


def test_what_has_no_label_and_what_repeats_is_left_out(table):
    table.loc[1, "status"] = "saddle"
    table.loc[2, "duplicate_of"] = "a/0"
    features = {"a": feature_set([f"a/{k}" for k in range(6)])}
    assert match(table, features)[0].X[:, 0].tolist() == [0, 3, 4, 5]
    assert match(table, features, exclude_duplicates=False)[0].X[:, 0].tolist() == [0, 2, 3, 4, 5]


def test_nothing_to_train_with_is_refused(table):
    with pytest.raises(DataError, match="no training configuration has both"):
        match(table, {"b": feature_set(["b/6"])})


def test_a_regressor_is_told_the_blocks_it_asks_for():
    parts = {"a": {"kind": "pair_spline", "spacing": 2.0}, "b": {"kind": "two_body", "n_max": 2}}
    union = FeatureSet(np.zeros((0, 5)), (), (), np.zeros(5), {"kind": "union", "parameters": {"parts": parts}})
    blocks = ["a.all"] * 3 + ["b.all"] * 2
    for asking in (ExtensiveRidge(scale="block"), ExtensiveRidge(block_penalties=[1.0, 2.0])):
        told = with_blocks(asking, {"train": union})
        assert told.blocks == blocks
        assert told.scale == asking.scale
        assert asking.blocks is None
    for content in (ExtensiveRidge(), ExtensiveRidge(scale="block", blocks=["x"] * 5)):
        assert with_blocks(content, {"train": union}) is content
