"""What is asked of all models, with and without larger cells."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from toy_cells import SPECIFICATION, toy

from vibentropy.errors import DataError
from vibentropy.features.sets import FeatureSet
from vibentropy.report.figures.extensivity import extensivity_figure
from vibentropy.report.figures.style import DOUBLE
from vibentropy.studies import extensivity, sum_models
from vibentropy.studies.extensivity import MULTIPLES
from vibentropy.studies.sum_models import MODELS

ROOT = Path(__file__).resolve().parents[2]


#: Models that are extensive by construction.
EXTENSIVE = ("ridge", "atom_kernel")


@pytest.fixture(autouse=True)
def few_parameters(monkeypatch):
    """The choice among many parameters is that of scikit-learn, and takes most of the time."""
    monkeypatch.setattr(sum_models, "SUM_LENGTHS", (4.0, 16.0))
    monkeypatch.setattr(sum_models, "SUM_PENALTIES", (1e-8, 1e-4))
    monkeypatch.setattr(sum_models, "NETWORK_PENALTIES", (1.0,))


@pytest.fixture
def run():
    """A table of 30 training cells in ten groups and ten test cells, its features and folds."""
    cells, entropy, groups = toy(40)
    table = pd.DataFrame({"id": [f"c/{k:02d}" for k in range(40)], "formation_entropy": entropy})
    table = table.assign(n_atoms=cells.n_atoms.astype(int), n_sites=100, status="labelled", duplicate_of="")
    table["role"] = np.where(np.arange(40) < 30, "train", "test")
    table["dataset"] = np.where(table["role"] == "train", "small", "large")
    table["trajectory"] = groups.astype(str)
    table["defect_class"] = np.where(table["role"] == "train", np.where(groups % 2, "I1", "V2"), "2xI1+V2")
    table.loc[39, "defect_class"] = "loop7"
    features = FeatureSet(cells.X, tuple(table["id"]), tuple("abcd"), np.zeros(4), {})
    folds = pd.DataFrame({"id": table["id"][:30], "split": "groups", "fold": groups[:30] % 3, "group": groups[:30]})
    return table, {"made": features}, folds


def test_assessment_of_an_extensive_model(run):
    table, features, folds = run
    predictions, chosen = extensivity.assess("ridge", table, features, folds, seed=1)
    assert chosen["penalty"] > 0
    counts = predictions.groupby(["test", "of"]).size().to_dict()
    assert counts == {("held out", 1): 30, ("test set", "large"): 10} | {
        (test, m): 30 for test in ("copies", "crystal", "mixture") for m in MULTIPLES
    }
    made = predictions[predictions["test"].isin(["copies", "crystal", "mixture"])]
    np.testing.assert_allclose(made["prediction"], made["parts"], rtol=1e-10)
    held_out = predictions[predictions["test"] == "held out"].set_index("id")
    exact = table.set_index("id")["formation_entropy"]
    np.testing.assert_array_equal(held_out["formation_entropy"], exact[held_out.index])
    assert (held_out["prediction"] - held_out["formation_entropy"]).abs().max() < 1
    test = predictions[predictions["test"] == "test set"]
    assert list(test["known"]) == [True] * 9 + [False]
    pd.testing.assert_frame_equal(predictions, extensivity.assess("ridge", table, features, folds, seed=1)[0])


def test_labels_of_held_out_cells_are_not_seen(run):
    table, features, folds = run
    before, _ = extensivity.assess("kernel_per_size", table, features, folds)
    out = folds["fold"] == 1
    table.loc[out[out].index, "formation_entropy"] *= 3
    after, _ = extensivity.assess("kernel_per_size", table, features, folds)
    rows = (before["test"] != "test set") & before["id"].isin(folds["id"][out])
    np.testing.assert_array_equal(before["prediction"][rows], after["prediction"][rows])
    assert not np.allclose(before["prediction"][~rows], after["prediction"][~rows])


def test_assessment_holds_out_groups_where_there_is_another_split(run):
    table, features, folds = run
    torn = folds.assign(split="shuffled", fold=np.arange(30) % 3)
    expected, _ = extensivity.assess("ridge", table, features, folds)
    found, _ = extensivity.assess("ridge", table, features, pd.concat([torn, folds]))
    pd.testing.assert_frame_equal(found, expected)


def test_assessment_without_training_or_with_other_folds(run):
    table, features, folds = run
    with pytest.raises(DataError, match="no training configuration"):
        extensivity.assess("ridge", table[table["role"] == "test"], features, folds)
    with pytest.raises(DataError, match="c/00 is in no fold"):
        extensivity.assess("ridge", table, features, folds[1:])


@pytest.fixture
def every_model(run):
    """Predictions of all models: those of ridge, and for functions of the sums saturating ones."""
    table, features, folds = run
    ridge, _ = extensivity.assess("ridge", table, features, folds)
    others = ridge.assign(prediction=np.minimum(ridge["prediction"], 20.0))
    return pd.concat([(ridge if name in EXTENSIVE else others).assign(model=name) for name in MODELS])


def test_summary(every_model):
    summary = extensivity.summarise(every_model).set_index(["model", "test", "of", "clusters"])
    assert summary.index.is_unique
    copies = summary.loc[("ridge", "copies", 4, "all")]
    np.testing.assert_allclose(copies[["ratio", "ratio_low", "ratio_high"]].astype(float), 1)
    assert copies["deviation"] == pytest.approx(0, abs=1e-12)
    some = every_model[
        (every_model["model"] == "network") & (every_model["test"] == "copies") & (every_model["of"] == 4)
    ]
    expected = np.abs(some["prediction"] - some["parts"]).sum() / np.abs(some["parts"]).sum()
    row = summary.loc[("network", "copies", 4, "all")]
    assert row["deviation"] == pytest.approx(expected)
    assert row["ratio"] == pytest.approx(np.median(some["prediction"] / some["parts"]))
    assert summary.loc[("ridge", "test set", "large", "known"), "n"] == 9
    assert summary.loc[("ridge", "test set", "large", "new"), "n"] == 1
    assert np.isnan(summary.loc[("ridge", "test set", "large", "all"), "ratio"])


@pytest.mark.usefixtures("unplaced")
def test_figure(every_model):
    figure = extensivity_figure(every_model, extensivity.summarise(every_model))
    assert figure.get_figwidth() == DOUBLE
    assert [axes.get_title() for axes in figure.axes[:4]] == [MODELS[name] for name in list(MODELS)[:4]]
    assert [text.get_text() for text in figure.legends[0].get_texts()][:6] == list(MODELS.values())
    ridge = every_model[(every_model["model"] == "ridge") & (every_model["test"] == "test set")]
    error = (ridge["prediction"] - ridge["formation_entropy"]).abs().mean()
    assert figure.axes[0].texts[0].get_text().startswith(f"MAE {error:.1f}")
    far = every_model.assign(prediction=every_model["prediction"].mask(every_model["model"] == "network", 1e4))
    figure = extensivity_figure(far, extensivity.summarise(far))
    assert figure.axes[3].texts[0].get_text().endswith("10 beyond")
    with pytest.raises(DataError, match="no test sets"):
        extensivity_figure(every_model[every_model["test"] != "test set"], extensivity.summarise(every_model))


@pytest.mark.slow(minutes=1.5)
def test_target_of_the_workflow(tmp_path):
    config = {
        "results": str(tmp_path / "results"),
        "datasets": {
            "clusters": {"role": "train", "archive": "data/clusters.h5", "classes": ["I1", "V2"]},
            "larger": {"role": "test", "archive": "data/cells_1024.h5", "classes": ["loop7", "5xV4"]},
        },
        "descriptors": {
            "waves": {"kind": "scattering"},
            "local": SPECIFICATION,
        },
        "regressors": {"ridge": {"kind": "ridge"}},
        "evaluation": {"folds": 2},
        "nonlinear": {"environments": 20},
        "shard_size": 1000,
    }
    path = tmp_path / "config.yaml"
    path.write_text(yaml.safe_dump(config))
    command = [sys.executable, "-m", "snakemake", "nonlinear", "--cores", "2", "--quiet", "--configfile", path]
    subprocess.run(command, cwd=ROOT, check=True)
    table = pd.read_csv(tmp_path / "results/tables/nonlinear.csv")
    assert list(table["model"].unique()) == list(MODELS)
    made = table[table["model"].isin(EXTENSIVE) & table["ratio"].notna()]
    np.testing.assert_allclose(made["ratio"], 1, atol=1e-8)
    assert (tmp_path / "results/figures/nonlinear.pdf").read_bytes().startswith(b"%PDF")
