"""From labelled shards to a model and its predictions: the steps that jobs call, without the workflow."""

import numpy as np
import pandas as pd
import pytest
from small_runs import describe, fitted, small_run

from vibentropy.datasets.store import ConfigurationSet
from vibentropy.errors import DataError
from vibentropy.evaluation.predictions import load_predictions
from vibentropy.features.sets import FeatureSet


@pytest.fixture
def run(tmp_path):
    return small_run(tmp_path)


def test_features_are_of_labelled_cells_and_say_what_they_are_relative_to(run):
    features = FeatureSet.load(run / "features of train.h5")
    assert len(features.ids) == 17
    assert "train/V-1/0002" not in features.ids
    assert (features.dataset, features.element) == ("train", "Fe")
    assert features.volume_per_atom == pytest.approx(2.8553**3 / 2, rel=1e-12)


def test_a_model_knows_its_crystal_without_its_data_and_predicts_what_the_table_says(run):
    # Neither the lattice nor any archive is read again.
    (run / "lattice.json").unlink()
    model, text = fitted(run, read=[run / "all.h5"])
    assert (model.element, model.volume_per_atom) == ("Fe", pytest.approx(2.8553**3 / 2, rel=1e-12))
    assert model.provenance["trained_on"] == {"train": 17}
    assert "fitted to 17 configurations" in text
    predictions = load_predictions(run / "predictions.csv")
    assert predictions.groupby("stage").size().to_dict() == {"cross-validation": 17, "test": 4, "training": 17}
    tested = predictions[predictions["stage"] == "test"]
    cells = ConfigurationSet.load(run / "test.h5")
    assert list(tested["id"]) == list(cells.table["id"])
    predicted = model.predict(cells.frames)["formation_entropy"]
    np.testing.assert_allclose(predicted, tested["prediction"], rtol=1e-9)
    (row,) = pd.read_csv(run / "fit.csv").itertuples()
    assert (row.descriptor, row.regressor, row.n_features) == ("afs_2_3", "ridge", 8)


def test_the_log_says_that_there_are_too_few_minima(run):
    _, text = fitted(run)
    assert "too little data" not in text
    # One found nine times over is one.
    configurations = ConfigurationSet.load(run / "all.h5")
    trained = configurations.table.index[configurations.table["dataset"] == "train"]
    configurations.table.loc[trained[6:], "duplicate_of"] = configurations.table["id"][trained[0]]
    configurations.save(run / "all.h5")
    _, text = fitted(run, exclude_duplicates=False)
    assert "too little data: 5 distinct minima for 8 features: label more" in text


def test_one_in_three_is_the_same_third_in_every_shard(run):
    every = FeatureSet.load(run / "features of train.h5")
    stream = describe(run, "train", "third.h5", one_in=3)
    third = FeatureSet.load(run / "third.h5")
    assert 1 < len(third.ids) < len(every.ids) / 2
    assert f"{len(third.ids)} of {len(every.ids)} configurations are learnt from" in stream.getvalue()
    rows = [every.ids.index(name) for name in third.ids]
    np.testing.assert_array_equal(third.X, every.X[rows])
    # Smaller shards.
    configurations = ConfigurationSet.load(run / "train.h5")
    ids = []
    for half in np.split(np.arange(len(configurations)), [8]):
        configurations.subset(half).save(run / "train.h5")
        describe(run, "train", "half.h5", one_in=3)
        ids += FeatureSet.load(run / "half.h5").ids
    assert tuple(ids) == third.ids
    # What is left out takes no part, and does not stop the fit.
    model, _ = fitted(run, ("third.h5", "features of test.h5"))
    assert model.provenance["trained_on"] == {"train": len(third.ids)}


def test_features_that_do_not_say_their_crystal_are_to_be_made_again(run):
    written = FeatureSet.load(run / "features of train.h5")
    old = FeatureSet(written.X, written.ids, written.feature_names, written.bulk, written.descriptor)
    (run / "train").mkdir()
    old.save(run / "train/0.h5")
    with pytest.raises(DataError, match="features of train do not say what crystal .* delete them"):
        fitted(run, ("train/0.h5", "features of test.h5"))
