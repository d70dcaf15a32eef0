"""Labels that recur, and those that do by chance."""

import numpy as np
import pandas as pd
import pytest

from vibentropy.errors import DataError
from vibentropy.labels.determinants import LogDeterminant
from vibentropy.labels.entropy import entropy_of
from vibentropy.studies.recurrence import in_published_convention, recurrence


def minima(defect_class, n_atoms, logs, perfect=6566.4, n_sites=1024):
    """Labelled minima from ln det' of their Hessians."""
    bulk = LogDeterminant(perfect, 1.0, n_sites)
    labels = [entropy_of(LogDeterminant(value, 1.0, n_atoms), bulk) for value in logs]
    return pd.DataFrame(
        {
            "defect_class": defect_class,
            "n_atoms": n_atoms,
            "n_sites": n_sites,
            "status": "labelled",
            "role": "train",
            "duplicate_of": "",
            "formation_entropy": [per_mode for per_mode, _ in labels],
            "formation_entropy_per_atom_convention": [per_atom for _, per_atom in labels],
        }
    )


def published(n_atoms, logs, perfect=6566.4, n_sites=1024):
    """The convention as it is written."""
    return -0.5 * (np.asarray(logs) - (n_atoms - 3) / (n_sites - 3) * perfect) - 0.0125


@pytest.mark.parametrize("n_atoms", [1028, 1026, 1024, 1020])
def test_the_convention_is_that_of_the_formula(n_atoms):
    logs = np.array([6597.1, 6550.3, 6566.4])
    converted = in_published_convention(minima("X", n_atoms, logs))
    np.testing.assert_allclose(converted, published(n_atoms, logs), atol=1e-9)


def test_what_recurs_and_what_does_by_chance_are_counted():
    rng = np.random.default_rng(0)
    logs = 6560 + rng.uniform(-10, 10, 400)
    theirs = published(1026, logs[:100])
    # Three times as it is there, and once 1e-4 off, which is within the tolerance; the others are strangers.
    labels = np.concatenate([np.repeat(theirs[:1], 3), theirs[1:] + 1e-4, rng.uniform(0, 10, 200)])
    table = recurrence(minima("I2", 1026, logs), {"I2": labels, "V4": labels[:5]})
    assert table["defect_class"].tolist() == ["I2"]
    (row,) = table.to_dict("records")
    assert row["minima"] == 400
    assert row["rows"] == 302
    assert row["published"] == 300
    assert row["recur"] >= 100
    # 300 labels over some 10 k_B cover 2 x 3e-4 of it each.
    assert row["by_chance"] == pytest.approx(400 * 300 * 6e-4 / 10, rel=0.3)
    assert row["recur"] == pytest.approx(100 + 0.75 * row["by_chance"], abs=6)
    assert 102 <= row["rows_recur"] <= 115


def test_duplicates_and_saddles_do_not_count():
    table = minima("V1", 1023, [6500.0, 6500.0, 6510.0])
    table.loc[1, "duplicate_of"] = "the first"
    table.loc[2, "status"] = "saddle"
    result = recurrence(table, {"V1": published(1023, [6500.0])})
    assert result[["minima", "recur"]].iloc[0].tolist() == [1, 1]
    with pytest.raises(DataError, match="no training minimum in 1024 sites is of the classes I3"):
        recurrence(table, {"I3": np.array([1.0])})


def test_only_cells_like_the_published_ones_count():
    logs = [6500.0, 6510.0, 6520.0]
    table = minima("V1", 1023, logs)
    table.loc[0, "role"] = "test"
    table.loc[1, "formation_entropy_per_atom_convention"] = np.nan
    large = minima("V1", 1999, logs, n_sites=2000)
    result = recurrence(pd.concat([table, large]), {"V1": published(1023, logs), "V2": np.array([])})
    assert result[["defect_class", "minima", "recur", "rows", "rows_recur"]].values.tolist() == [["V1", 1, 1, 3, 1]]
