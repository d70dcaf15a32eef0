"""Duplicates are the ones of the definition."""

import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st
from random_sets import reproducible

from vibentropy.datasets.duplicates import mark_duplicates
from vibentropy.datasets.table import complete_table, usable


def brute_force_duplicates(table, energy_tolerance, entropy_tolerance):
    """The definition, word by word: quadratic, no sorting by energy."""
    # Rows without an energy keep what they come with.
    result = {row["id"]: row["duplicate_of"] if np.isnan(row["energy"]) else "" for row in table.to_dict("records")}
    rows = sorted(table.to_dict("records"), key=lambda row: row["id"])
    representatives = []
    for row in rows:
        if row["status"] != "labelled" or np.isnan(row["energy"]) or np.isnan(row["formation_entropy"]):
            continue
        for other in representatives:
            if (
                row["n_atoms"] == other["n_atoms"]
                and row["n_sites"] == other["n_sites"]
                and abs(row["energy"] - other["energy"]) <= energy_tolerance
                and abs(row["formation_entropy"] - other["formation_entropy"]) <= entropy_tolerance
            ):
                result[row["id"]] = other["id"]
                break
        else:
            representatives.append(row)
    return result


@given(seed=st.integers(0, 10_000), n_rows=st.integers(0, 40))
@reproducible
def test_duplicates_follow_the_definition_in_any_order(seed, n_rows):
    rng = np.random.default_rng(seed)
    table = complete_table(
        pd.DataFrame(
            {
                "id": [f"train/{number:02d}" for number in range(n_rows)],
                "defect_class": rng.choice(["I2", "C15-I2"], n_rows),
                "n_atoms": rng.choice([54, 56], n_rows),
                "n_sites": rng.choice([54, 128], n_rows),
                # Binary fractions: sums and differences are exact, so "within" has no rounding in it.
                "energy": rng.choice([0.0, 0.125, 0.25, 0.375, 1.0, np.nan], n_rows),
                "formation_entropy": rng.choice([0.0, 0.5, 1.0, 1.5, np.nan], n_rows),
                "status": rng.choice(["labelled", "labelled", "labelled", "saddle"], n_rows),
                "duplicate_of": "given",
            }
        )
    )
    marked = mark_duplicates(table, 0.125, 0.5)
    assert dict(zip(marked["id"], marked["duplicate_of"], strict=True)) == brute_force_duplicates(table, 0.125, 0.5)
    assert (table["duplicate_of"] == "given").all()
    shuffled = mark_duplicates(table.sample(frac=1, random_state=seed), 0.125, 0.5).sort_values("id")
    pd.testing.assert_frame_equal(shuffled.reset_index(drop=True), marked)


def test_duplicates_do_not_chain():
    table = complete_table(
        pd.DataFrame(
            {
                "id": ["a", "b", "c"],
                "status": "labelled",
                "energy": [0.0, 0.8e-4, 1.6e-4],
                "formation_entropy": [2.0, 2.0, 2.0],
            }
        )
    )
    marked = mark_duplicates(table)
    assert list(marked["duplicate_of"]) == ["", "a", ""]
    assert list(usable(marked)) == [True, False, True]
    assert list(usable(marked, exclude_duplicates=False)) == [True, True, True]
    assert list(usable(marked.assign(status=["labelled", "saddle", "rejected"]))) == [True, False, False]


def test_many_repeats_take_seconds_at_most():
    rng = np.random.default_rng(0)
    basins = rng.normal(size=(2000, 2))
    values = basins[rng.integers(0, len(basins), 30_000)] + rng.uniform(-1e-5, 1e-5, (30_000, 2))
    table = complete_table(
        pd.DataFrame({"status": "labelled", "energy": values[:, 0], "formation_entropy": values[:, 1]})
    )
    marked = mark_duplicates(table)
    assert (marked["duplicate_of"] == "").sum() == len(basins)
