"""Minima of a run, labelled, and some of their labels resolved by atoms."""

import numpy as np
import pandas as pd
import pytest
from small_sets import CRYSTAL, log

from vibentropy.datasets.merge import merge
from vibentropy.datasets.store import ConfigurationSet
from vibentropy.labels.labelling import Labeller
from vibentropy.potentials.newton import newton_relax
from vibentropy.run.steps import resolve

POTENTIAL = {"file": "FeP_mm.eam.fs", "element": "Fe"}


@pytest.fixture(scope="module")
def minima(iron, tmp_path_factory):
    """Folder of a run with seven vacancies in each of two data sets, one of them without a label."""
    folder = tmp_path_factory.mktemp("run")
    CRYSTAL.save(folder / "lattice.json")
    for dataset, size in (("train", 2), ("test", 3)):
        perfect = CRYSTAL.cell((size,) * 3)
        frames = []
        for site in range(7):
            atoms = perfect.copy()
            del atoms[site]
            frames.append(newton_relax(atoms, iron, 1e-9)[0])
        rows = {
            "dataset": dataset,
            "trajectory": [f"V1-{number}" for number in range(7)],
            "defect_class": "V1",
            "n_sites": len(perfect),
            "repetitions": "x".join([str(size)] * 3),
            "formation_energy": np.arange(7.0),
            "energy": np.arange(7.0),
            "status": "relaxed",
        }
        labelled = Labeller(iron).label(ConfigurationSet(frames, pd.DataFrame(rows)), lambda row, cell, p=perfect: p)
        assert (labelled.table["status"] == "labelled").all()
        labelled.table.loc[2, ["status", "reason"]] = "saddle", "a direction is not stable"
        # Else all are taken for one minimum.
        labelled.table["formation_entropy"] += 1e-3 * np.arange(7)
        labelled.save(folder / f"{dataset}.h5")
    merge([folder / f"{name}.h5" for name in ("train", "test")], folder / "all.h5", {"train": "train", "test": "test"})
    return folder


@pytest.fixture(scope="module")
def resolved(minima, iron):
    """Files of two jobs that resolve five labels, and the log of the second."""
    paths = [minima / f"{part}.h5" for part in range(2)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(resolve, "load_potential", lambda **block: iron)
        for part, path in enumerate(paths):
            progress, stream = log()
            resolve.resolve_part(
                minima / "all.h5",
                minima / "lattice.json",
                path,
                datasets={"train": {"recipe": {}}},
                number=5,
                part=part,
                per_job=3,
                potential=POTENTIAL,
                gates={},
                progress=progress,
            )
    return paths, stream.getvalue()
