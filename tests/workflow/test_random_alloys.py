"""A run on a random alloy: arrangements at rest, defects compared with their own, labels of atoms and their maps."""

import ase.io
import numpy as np
import pandas as pd
import pytest
from workflow_runs import snakemake

from vibentropy import EntropyModel, formation_entropy, load_potential
from vibentropy.atoms.crystal import Crystal
from vibentropy.datasets.store import ConfigurationSet
from vibentropy.errors import StructureError
from vibentropy.features.sets import load_by_dataset
from vibentropy.sources.made_cells import REFERENCES, beside
from vibentropy.sources.random_alloys import RandomCells

POTENTIAL = {"file": "VFe_mm.eam.fs", "elements": ["Fe", "V"]}
ANNEAL = {"temperature": 300, "steps_between": 50, "snapshots": 1}
CONFIG = {
    "results": "results",
    "seed": 1,
    "potential": POTENTIAL,
    "lattice": {
        "structure": "bcc",
        "a": 2.88,
        "composition": {"V": 0.2},
        "arrangements": 2,
        "references": [{"structure": "bcc", "element": "Fe", "a": 2.8553, "cell": [4, 4, 4]}],
    },
    "datasets": {
        "small": {
            "role": "train",
            "recipe": {
                "cells": [[3, 3, 3]],
                "anneal": ANNEAL,
                "defects": {
                    "V1": {"vacancies": 1, "trajectories": 5},
                    "VV": {"vacancies": {"V": 1}, "solutes": {"V": 1}, "shells": [1], "trajectories": 2},
                    "I1": {"interstitials": {"V": 1}, "shape": "dumbbell_110", "trajectories": 3},
                },
            },
        },
        "large": {
            "role": "test",
            "recipe": {
                "cells": [[4, 3, 3]],
                "anneal": ANNEAL,
                "defects": {"V2": {"vacancies": 2, "radius": 5.0, "trajectories": 3}},
            },
        },
    },
    "labels": {"site_entropies": True},
    "descriptors": {"pairs": {"kind": "pair_spline", "r_cut": 4.5, "spacing": 0.4, "species": ["Fe", "V"]}},
    "regressors": {"ridge": {"kind": "ridge"}},
    "evaluation": {"folds": 3},
}

pytestmark = pytest.mark.slow(minutes=3)


@pytest.fixture(scope="module")
def run(shared_runs):
    """Folder of a run that has ended well."""
    return shared_runs.made("random alloy é", lambda folder: snakemake(folder, CONFIG, "models", "maps", "data"))


def of(run, row):
    """The references of a configuration."""
    lattice = run / "results/potential/lattice.json"
    return [RandomCells.beside(lattice)(row), *ConfigurationSet.load(beside(lattice, REFERENCES)).frames]


def test_labels_are_those_of_the_library(run):
    configurations = ConfigurationSet.load(run / "results/configurations.h5")
    labelled = configurations.table["status"] == "labelled"
    assert labelled.sum() >= 15
    potential, rows = load_potential(**POTENTIAL), configurations.table.to_dict("records")
    for index in np.flatnonzero(labelled)[::4]:
        atoms, row = configurations.frames[index], rows[index]
        assert row["formation_entropy"] == pytest.approx(formation_entropy(atoms, of(run, row), potential), abs=1e-9)
        assert atoms.arrays["site_entropy"].sum() == pytest.approx(
            row["formation_entropy_per_atom_convention"], abs=1e-9
        )
    # They are those of point defects, in cells of 54 and 72 sites.
    assert configurations.table["formation_entropy"][labelled].abs().max() < 30
    # Both arrangements of the small cell, and the lattice constant of the alloy.
    small = configurations.table[configurations.table["dataset"] == "small"]
    assert set(small["seed"] % 2) == {0, 1}
    assert Crystal.load(run / "results/potential/lattice.json").a == pytest.approx(2.916, abs=0.002)


def test_models_predict_beside_the_own_cell(run):
    model = EntropyModel.load(run / "results/models/pairs/ridge.h5")
    configurations = ConfigurationSet.load(run / "results/configurations.h5")
    table = pd.read_csv(run / "results/predictions/pairs/ridge.csv").set_index(["stage", "id"])
    rows = configurations.table.to_dict("records")
    tested = [index for index, row in enumerate(rows) if ("test", row["id"]) in table.index]
    assert tested
    for index in tested:
        atoms, row = configurations.frames[index], rows[index]
        found = model.predict(atoms, reference=of(run, row))["formation_entropy"][0]
        assert found == pytest.approx(table.loc[("test", row["id"]), "prediction"], abs=1e-6)
    with pytest.raises(StructureError, match="the model is of random alloys"):
        model.predict(configurations.frames[tested[0]])


def test_archives_give_the_same_labels_features_and_models(run, tmp_path):
    datasets = {
        name: {"role": block["role"], "archive": str(run / f"results/data/{name}.h5")}
        for name, block in CONFIG["datasets"].items()
    }
    config = {key: CONFIG[key] for key in ("results", "seed", "descriptors", "regressors", "evaluation")}
    code, output = snakemake(tmp_path, config | {"datasets": datasets}, "models")
    assert code == 0, output
    made = ConfigurationSet.load(run / "results/configurations.h5").table.set_index("id")
    read = ConfigurationSet.load(tmp_path / "results/configurations.h5").table.set_index("id")
    distinct = made[(made["status"] == "labelled") & (made["duplicate_of"] == "")]
    assert sorted(read.index) == sorted(distinct.index)
    assert (read["formation_entropy"] == made.loc[read.index, "formation_entropy"]).all()
    for name in datasets:
        first, second = (
            load_by_dataset((folder / f"results/features/pairs/{name}").glob("*.h5"))[name]
            for folder in (run, tmp_path)
        )
        rows = [first.ids.index(row_id) for row_id in second.ids]
        assert rows
        np.testing.assert_allclose(second.X, first.X[rows], atol=1e-4)
    table = [pd.read_csv(folder / "results/predictions/pairs/ridge.csv") for folder in (run, tmp_path)]
    found, expected = (part[part["stage"] == "test"].set_index("id")["prediction"] for part in table)
    np.testing.assert_allclose(expected, found.loc[expected.index], atol=0.01)


def test_maps_add_up(run):
    frames = ase.io.read(run / "results/maps/pairs/ridge.extxyz", ":")
    assert len(frames) >= 3
    for atoms in frames:
        for name, total in (("site_entropy", ""), ("predicted_site_entropy", "predicted_")):
            expected = atoms.info[f"{total}formation_entropy"]
            assert atoms.arrays[name].sum() == pytest.approx(expected, abs=1e-5)
