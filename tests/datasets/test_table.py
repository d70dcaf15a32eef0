"""Columns of the table: what is filled in, what is refused, what became of configurations."""

import numpy as np
import pandas as pd
import pytest
from ase import Atoms

from vibentropy.datasets.store import ConfigurationSet
from vibentropy.datasets.table import COLUMNS, check_labelled, complete_table
from vibentropy.errors import DataError


def test_columns_fill_in_and_keep_their_types():
    table = complete_table(pd.DataFrame({"trajectory": ["a", "a", "b"], "n_sites": [250, None, 54], "zeta": [1, 2, 3]}))
    assert list(table) == [*COLUMNS, "zeta"]
    assert list(table["id"]) == ["/a/0000", "/a/0001", "/b/0000"]
    assert list(table["n_sites"]) == [250, -1, 54]
    assert table["n_sites"].dtype == np.int64
    assert (table["status"] == "relaxed").all()
    assert table["formation_entropy"].isna().all()
    assert (table["duplicate_of"] == "").all()
    assert table["zeta"].dtype == np.int64


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"id": ["a", "a"]}, "id 'a' occurs more than once"),
        ({"id": ["a", "b"], "status": ["relaxed", "fine"]}, "status of b is 'fine'; expected one of relaxed"),
        ({"energy": [1.0, "low"]}, "'energy' should hold float.*low"),
        ({"extra": [1.0, "low"]}, "'extra' holds float, str; expected only"),
        ({"extra": [{}, {}]}, "'extra' holds dict"),
        ({"id": ["a"]}, "2 frames but 1 rows"),
    ],
)
def test_tables_that_make_no_sense_are_refused(table, message):
    with pytest.raises(DataError, match=message):
        ConfigurationSet([Atoms("Fe"), Atoms("Fe")], pd.DataFrame(table))


def test_a_data_set_without_any_label_is_named_with_its_first_reason():
    table = complete_table(
        pd.DataFrame(
            {
                "id": ["train/a/00", "test/b/00", "test/b/01"],
                "dataset": ["train", "test", "test"],
                "status": ["labelled", "rejected", "saddle"],
                "reason": ["", "exploded", "negative"],
            }
        )
    )
    with pytest.raises(DataError, match="^test: none of its 2 configurations .* test/b/00 is rejected: exploded$"):
        check_labelled(table)
    check_labelled(table[table["dataset"] == "train"])
