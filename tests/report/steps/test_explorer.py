"""The job of the explorer: shares of atoms by models that have not seen them, of the atoms that are drawn."""

import numpy as np
import pytest
from small_runs import RECIPE, fitted, small_run
from small_sets import config, log

from vibentropy.atoms import surroundings
from vibentropy.datasets.store import ConfigurationSet
from vibentropy.evaluation.predictions import load_predictions
from vibentropy.report.steps import explorer as step


def test_shares_add_up_to_what_was_predicted_without_having_seen_the_cell(tmp_path, monkeypatch):
    # Far enough that nothing is cut off, and in more than one block.
    monkeypatch.setattr(surroundings, "REACH", 6.0)
    monkeypatch.setattr(step, "BLOCK", 8)
    written = {}
    monkeypatch.setattr(step, "write_explorer", lambda page, *of, **named: written.update(named, of=of, page=page))
    run = small_run(tmp_path)
    fitted(run)
    progress, stream = log()
    models = {
        f"afs_2_3/{kind}": {"descriptor": config()["descriptors"]["afs_2_3"], "regressor": {"kind": kind}}
        for kind in ("bayesian_ridge", "ridge")
    }
    step.explore(
        [run / "predictions.csv"],
        run / "all.h5",
        run / "folds.csv",
        run / "lattice.json",
        run / "explorer.html",
        curves=run / "learning.png",
        features={"afs_2_3": [run / "features of train.h5"]},
        datasets={"train": RECIPE, "test": RECIPE},
        models=models,
        exclude_duplicates=True,
        config=config(),
        progress=progress,
    )
    table, parts, shares = written["of"]
    assert (written["page"], written["element"]) == (run / "explorer.html", "Fe")
    assert written["curves"] == run / "learning.png"
    predictions = load_predictions(run / "predictions.csv")
    shown = predictions[predictions["stage"] != "training"].set_index("id")
    assert sorted(table["id"]) == sorted(shown.index)
    assert len(table) == 21
    assert f"21/21 {table['id'].iloc[-1]}" in stream.getvalue()
    # The model that was fitted and evaluated colours the atoms.
    assert list(shares) == ["share by afs_2_3/ridge", "share by afs_2_3/bayesian_ridge", "exact share"]
    sums = [of_cell.sum() for of_cell in shares["share by afs_2_3/ridge"]]
    np.testing.assert_allclose(sums, shown.loc[table["id"], "prediction"], atol=1e-8)
    assert shares["exact share"] == [None] * 21
    cells = ConfigurationSet.load(run / "all.h5")
    energies = cells.table.set_index("id")["formation_energy"]
    assert table["formation_energy"].tolist() == energies[table["id"]].tolist()
    frames = dict(zip(cells.table["id"], cells.frames, strict=True))
    for name, part in zip(table["id"], parts, strict=True):
        assert sorted(part.index) == list(range(len(frames[name])))
        assert part.atoms.get_distance(0, 5, mic=True) == pytest.approx(
            frames[name].get_distance(*part.index[[0, 5]], mic=True), abs=1e-6
        )
