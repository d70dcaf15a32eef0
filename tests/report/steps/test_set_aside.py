"""What descriptors refuse is counted, and shown."""

import numpy as np
import pandas as pd
from small_sets import log

from vibentropy.features.sets import FeatureSet
from vibentropy.report.steps.set_aside import count_features


def features(path, dataset, ids, refused):
    X = np.zeros((len(ids), 1))
    about = {"failures": refused, "dataset": dataset}
    FeatureSet(X, tuple(ids), ("a",), np.zeros(1), {"kind": "own", "parameters": {}}, **about).save(path)
    return path


def test_cells_without_features_are_counted_by_descriptor_and_data_set(tmp_path):
    twins = {"train/b": "two atoms coincide", "train/c": "feature a is not finite"}
    paths = [
        features(tmp_path / "0.h5", "train", ["train/a"], {}),
        features(tmp_path / "1.h5", "train", ["train/d"], twins),
        features(tmp_path / "2.h5", "test", ["test/a"], {}),
    ]
    progress, stream = log()
    count_features(
        {"afs": paths, "soap": paths[2:]}, table=tmp_path / "t.csv", page=tmp_path / "t.html", progress=progress
    )
    table = pd.read_csv(tmp_path / "t.csv", keep_default_na=False)
    assert table.to_numpy().tolist() == [
        ["afs", "train", 4, 2, 2, "train/b: two atoms coincide"],
        ["afs", "test", 1, 1, 0, ""],
        ["soap", "test", 1, 1, 0, ""],
    ]
    assert "two atoms coincide" in (tmp_path / "t.html").read_text(encoding="utf-8")
    assert "train/b" in stream.getvalue()
