"""Tables and pages of errors, written from predictions."""

import json
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from small_sets import log

from vibentropy.evaluation.predictions import predictions_table
from vibentropy.files.tables import save_table
from vibentropy.report.steps.evaluate import Outputs, evaluate


def test_every_table_has_its_page_and_tests_have_columns(tmp_path, configurations):
    paths, fits = [], []
    for regressor, error in [("ridge", 1.0), ("lasso", -2.0)]:
        predicted = pd.DataFrame({"prediction": configurations["formation_entropy"] + error, "std": np.nan, "fold": 0})
        names = {"descriptor": "afs", "regressor": regressor}
        parts = [
            predictions_table(configurations, predicted, stage=stage, **names, **split)
            for stage, split in [("cross-validation", {"split": "groups"}), ("test", {})]
        ]
        save_table(pd.concat(parts), tmp_path / f"{regressor}.csv")
        save_table(
            pd.DataFrame([names | {"n_features": 8, "n_selected": 8, "penalty": np.nan}]),
            tmp_path / f"fit of {regressor}.csv",
        )
        paths.append(tmp_path / f"{regressor}.csv")
        fits.append(tmp_path / f"fit of {regressor}.csv")
    suffixes = {"page": ".html", "json": ".json"}
    files = {name: tmp_path / f"{name}{suffixes.get(name.split('_')[-1], '.csv')}" for name in Outputs.__annotations__}
    progress, stream = log()
    evaluate(paths, fits, SimpleNamespace(**files), tests={"larger": ["b"]}, progress=progress)

    summary = pd.read_csv(files["summary"]).set_index("regressor")
    assert summary.loc["ridge", ["n_features", "test_mae", "larger_mae"]].tolist() == pytest.approx([8, 1.0, 1.0])
    assert summary.loc["lasso", ["test_n", "larger_n", "larger_mae"]].tolist() == pytest.approx([12, 6, 2.0])
    assert len(json.loads(files["metrics_json"].read_text())) == len(pd.read_csv(files["metrics"]))
    for name in ("metrics", "coverage", "summary"):
        assert f"{name}.csv" in files[f"{name}_page"].read_text(encoding="utf-8")
    assert "mean absolute errors, k_B" in stream.getvalue()
