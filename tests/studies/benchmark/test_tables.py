"""Measurements in tables."""

import numpy as np
import pandas as pd
import pytest
from measurements import missing, rows

from vibentropy.errors import DataError
from vibentropy.files.tables import save_table
from vibentropy.studies.benchmark import tables


class TestTables:
    def test_ratio_to_the_best_of_the_reference(self):
        measured = [
            rows("a", [100, 1000], [1, 10]),
            rows(tables.REFERENCE, [100, 1000], [10, 200], source="peer"),
            missing("b"),
        ]
        table = tables.gather(measured).set_index(["implementation", "n_atoms"])
        np.testing.assert_allclose(table.loc["a", "ratio"], [10, 10])
        np.testing.assert_allclose(table.loc[tables.REFERENCE, "ratio"], [1, 0.5])
        assert table.loc["b", "ratio"].isna().all()
        assert tables.gather([missing("b")])["ratio"].isna().all()

    def test_slope(self):
        n_atoms = np.array([250, 1024, 8192, 1_024_000])
        seconds = 1e-5 * n_atoms**1.25
        seconds[0] *= 10  # small cells do not count
        growth = tables.scaling(tables.gather([rows("a", n_atoms, seconds), rows("b", [1024], [1]), missing("c")]))
        growth = growth.set_index("implementation")
        assert growth.loc["a", "slope"] == pytest.approx(1.25)
        assert growth.loc["a", ["cells", "smallest", "largest"]].tolist() == [3, 1024, 1_024_000]
        assert np.isnan(growth.loc["b", "slope"])
        assert "c" not in growth.index

    def test_survive_csv(self, tmp_path):
        measured = [rows("a", [100], [1]), missing("b")]
        for k, table in enumerate(measured):
            save_table(table, tmp_path / f"{k}.csv")
        read = tables.load(tmp_path / "0.csv", tmp_path / "1.csv")
        pd.testing.assert_frame_equal(tables.gather(read), tables.gather(measured), check_dtype=False)

    def test_another_csv_is_refused(self, tmp_path):
        (tmp_path / "x.csv").write_text("a,b\n1,2\n")
        with pytest.raises(DataError, match="x.csv"):
            tables.load(tmp_path / "x.csv")
