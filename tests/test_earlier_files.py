"""Files of earlier versions are read, and say what they said: `tests/fixtures/README.md` lists them."""

import json
import pkgutil
import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import pytest

from vibentropy.datasets.store import ConfigurationSet
from vibentropy.descriptors import MOVED, create, find
from vibentropy.features.extensive import extensive_features
from vibentropy.features.sets import FeatureSet
from vibentropy.model.entropy_model import EntropyModel
from vibentropy.sources import archives

FOLDER = Path(__file__).parent / "fixtures"
PREDICTIONS = pd.read_csv(FOLDER / "predictions.csv", keep_default_na=False, na_values=[""])


@pytest.fixture(scope="module")
def configurations():
    return ConfigurationSet.load(FOLDER / "configurations.h5")


@pytest.fixture(scope="module")
def crystal():
    return archives.read_header(FOLDER / "archive.h5").crystal


def test_they_are_small():
    assert sum(path.stat().st_size for path in FOLDER.iterdir()) < 300_000


def test_configurations(configurations):
    table = configurations.table
    assert len(table) == 28
    assert table["dataset"].value_counts().to_dict() == {"train": 24, "test": 4}
    assert set(table["status"]) == {"labelled"}
    assert table["formation_entropy"].iloc[0] == pytest.approx(10.102319, abs=1e-6)
    assert [len(atoms) for atoms in configurations.frames] == list(table["n_atoms"])


@pytest.mark.parametrize("name", sorted(PREDICTIONS["model"].unique()))
def test_models_predict_what_they_predicted(name, configurations, crystal, monkeypatch):
    monkeypatch.chdir(FOLDER)  # one reads another file by a relative path
    expected = PREDICTIONS[PREDICTIONS["model"] == name].reset_index(drop=True).drop(columns="model")
    ids = list(configurations.table["id"])
    frames = [configurations.frames[ids.index(row)] for row in expected.pop("id")]
    reference = crystal.cell((4, 4, 4)) if name == "atom_kernel" else None
    predicted = EntropyModel.load(f"{name}.h5").predict(frames, reference=reference)
    # Files of models without intervals have no columns for them.
    expected = expected.dropna(axis="columns", how="all").reindex(columns=predicted.columns)
    for column in predicted.columns.drop("domain", errors="ignore"):
        np.testing.assert_allclose(predicted[column], expected[column], rtol=1e-9, atol=1e-9, err_msg=column)
    if "domain" in predicted:
        assert list(predicted["domain"]) == list(expected["domain"])


def test_features_are_those_of_the_descriptor_that_the_file_names(configurations):
    features = FeatureSet.load(FOLDER / "features.h5")
    descriptor = create(features.descriptor["kind"], **features.descriptor["parameters"])
    assert features.feature_names == tuple(descriptor.feature_names)
    frames = dict(zip(configurations.table["id"], configurations.frames, strict=True))
    X = extensive_features(descriptor, [frames[name] for name in features.ids], features.bulk)
    np.testing.assert_allclose(features.X, X, rtol=1e-9, atol=1e-9)
    assert features.local.limits.shape == (len(X), 2, X.shape[1])


def test_paths_of_classes_that_moved_are_those_of_the_classes():
    for old, new in MOVED.items():
        assert find(old) is pkgutil.resolve_name(new)
        with pytest.raises((ImportError, AttributeError)):
            pkgutil.resolve_name(old)


def test_a_model_of_a_class_that_moved_needs_no_import():
    """Reading a model executes nothing that is not of this package, which the new place of the class is."""
    with h5py.File(FOLDER / "atom_kernel.h5") as file:
        assert json.loads(file.attrs["descriptor"])["kind"] in MOVED
    script = """
import sys
from vibentropy.model.entropy_model import EntropyModel
assert "vibentropy.studies.atom_kernel" not in sys.modules
EntropyModel.load("atom_kernel.h5")
"""
    subprocess.run([sys.executable, "-c", script], cwd=FOLDER, check=True, timeout=120)


def test_archives(configurations, crystal):
    archived = archives.read_archive(FOLDER / "archive.h5", "test")
    assert archives.read_header(FOLDER / "archive.h5").potential == "FeP_mm.eam.fs"
    assert crystal.a == pytest.approx(2.855312455, abs=1e-9)
    originals = configurations.table.set_index("id").loc[list(archived.table["id"])]
    for column in ("energy", "formation_entropy", "smallest_eigenvalue"):
        np.testing.assert_allclose(archived.table[column], originals[column], rtol=1e-12)
    for name, atoms in zip(archived.table["id"], archived.frames, strict=True):
        original = configurations.frames[list(configurations.table["id"]).index(name)]
        offsets = np.linalg.solve(atoms.cell[:].T, (atoms.positions - original.positions).T).T
        np.testing.assert_allclose((offsets - np.rint(offsets)) @ atoms.cell[:], 0, atol=1e-6)
