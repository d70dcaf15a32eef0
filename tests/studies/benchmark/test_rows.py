"""Rows that fits are measured on."""

import numpy as np

from vibentropy.studies.benchmark import rows


def test_rows_are_nearly_dependent_and_in_groups(monkeypatch):
    monkeypatch.setattr(rows, "N_FEATURES", 30)
    X, y, groups = rows.draw_rows(500)
    assert (X.shape, y.shape, groups.shape) == ((500, 30), (500,), (500,))
    assert np.unique(groups, return_counts=True)[1].tolist() == [10] * 50
    assert np.linalg.cond(X / np.linalg.norm(X, axis=0)) > 10
    np.testing.assert_array_equal(rows.draw_rows(500).X, X)
