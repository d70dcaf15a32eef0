"""A run with cells of two elements that a user brings: labels, features, models and predictions of an alloy."""

import ase.io
import h5py
import numpy as np
import pandas as pd
import pytest
import yaml
from ase.build import bulk
from workflow_runs import snakemake

import vibentropy
from vibentropy import EntropyModel, formation_entropy, load_potential
from vibentropy.datasets.store import ConfigurationSet
from vibentropy.errors import ConfigError, StructureError
from vibentropy.features.sets import FeatureSet
from vibentropy.run.build_check import check_build
from vibentropy.run.config import read

A = 2.8553127
POTENTIAL = {"file": "FeP_mm.eam.fs", "elements": ["Fe", "P"]}
SPECIES = POTENTIAL["elements"]

pytestmark = pytest.mark.slow(minutes=3)


def crystal(n):
    return bulk("Fe", "bcc", a=A, cubic=True).repeat(n)


def cells(n, number, seed):
    """Relaxed cells with up to two vacancies and up to two phosphorus atoms, most near each other."""
    rng, potential = np.random.default_rng(seed), load_potential(**POTENTIAL)
    frames = []
    while len(frames) < number:
        atoms = crystal(n)
        near = np.argsort(atoms.get_distances(0, range(len(atoms)), mic=True), kind="stable")[:15]
        n_solutes, n_vacancies = rng.integers(0, 3, 2)
        chosen = rng.choice(near, n_solutes + n_vacancies, replace=False)
        atoms.symbols[chosen[:n_solutes]] = "P"
        del atoms[chosen[n_solutes:]]
        if not n_solutes + n_vacancies:
            continue
        atoms.rattle(0.02, rng=rng)
        atoms = vibentropy.relax(atoms, potential)
        atoms.calc = None
        atoms.info = {"walk": f"run {len(frames) // 2}"}
        frames.append(atoms)
    return frames


@pytest.fixture(scope="module")
def run(shared_runs):
    """Folder of a run that has ended well."""
    return shared_runs.made("alloy run é", learn)


def learn(folder):
    """Make cells and run the workflow on them; status and output."""
    solute = crystal(4)
    solute.symbols[0] = "P"
    ase.io.write(folder / "solute.xyz", vibentropy.relax(solute, load_potential(**POTENTIAL)), format="extxyz")
    datasets = {}
    for name, (n, number) in {"small": (3, 14), "large": (4, 4)}.items():
        ase.io.write(folder / f"bulk_{name}.xyz", crystal(n), format="extxyz")
        ase.io.write(folder / f"{name}.xyz", cells(n, number, seed=n), format="extxyz")
        datasets[name] = {
            "role": "train" if name == "small" else "test",
            "files": [f"{name}.xyz"],
            "reference": [f"bulk_{name}.xyz", "solute.xyz"],
            "group_key": "walk",
        }
    potential = {"potential": POTENTIAL, "species": SPECIES}
    stiffness = {"kind": "hessian_stiffness", "radii": [0.0, 3.0]}
    config = {
        "results": "results",
        "seed": 1,
        "datasets": datasets,
        "potential": POTENTIAL,
        "descriptors": {
            "pairs": {"kind": "pair_spline", "r_cut": 4.5, "spacing": 0.4, "species": SPECIES},
            "stiffness": stiffness | potential,
            "both": {
                "kind": "union",
                "parts": {"afs": {"kind": "afs", "n_max": 2, "l_max": 2}, "k": stiffness | {"potential": POTENTIAL}},
                "species": SPECIES,
            },
        },
        "regressors": {"ridge": {"kind": "ridge"}},
        "evaluation": {"folds": 3},
        "labels": {"site_entropies": True},
    }
    return snakemake(folder, config, "all", "maps")


def test_labels_are_those_of_the_library(run):
    potential = load_potential(**POTENTIAL)
    configurations = ConfigurationSet.load(run / "results/configurations.h5")
    assert (configurations.table["status"] == "labelled").all()
    assert configurations.attributes["element"] == "Fe-P"
    for name, n in (("small", 3), ("large", 4)):
        references = [crystal(n), ase.io.read(run / "solute.xyz")]
        rows = np.flatnonzero(configurations.table["dataset"] == name)
        for row in rows[:2]:
            expected = formation_entropy(configurations.frames[row], references, potential)
            assert configurations.table["formation_entropy"][row] == pytest.approx(expected, abs=1e-9)
    assert any("+P" in name for name in configurations.table["defect_class"])


def test_atoms_are_compared_with_those_of_their_element(run):
    """Shares add up to what they are shares of, exact ones and those of a model."""
    configurations = ConfigurationSet.load(run / "results/configurations.h5")
    for atoms, row in zip(configurations.frames, configurations.table.itertuples(), strict=True):
        assert atoms.arrays["site_entropy"].sum() == pytest.approx(row.formation_entropy_per_atom_convention, abs=1e-9)
    frames = ase.io.read(run / "results/maps/pairs/ridge.extxyz", ":")
    assert any("P" in atoms.symbols for atoms in frames)
    for atoms in frames:
        for name, total in (("site_entropy", ""), ("predicted_site_entropy", "predicted_")):
            expected = atoms.info[f"{total}formation_entropy"]
            assert atoms.arrays[name].sum() == pytest.approx(expected, abs=1e-5)


def test_models_know_both_elements(run):
    frames = ase.io.read(run / "large.xyz", ":")
    for name in ("pairs", "stiffness", "both"):
        model = EntropyModel.load(run / f"results/models/{name}/ridge.h5")
        assert model.elements == ("Fe", "P")
        predicted = model.predict(frames)
        table = pd.read_csv(run / f"results/predictions/{name}/ridge.csv")
        told = table[(table["stage"] == "test") & (table["dataset"] == "large")].sort_values("id")
        np.testing.assert_allclose(predicted["formation_entropy"], told["prediction"], rtol=1e-6, atol=1e-6)
        stranger = frames[0].copy()
        stranger.symbols[3] = "Cu"
        with pytest.raises(StructureError, match="holds Cu; the model is of Fe and P"):
            model.predict(stranger)


def test_what_features_are_relative_to(run):
    paths = sorted((run / "results/features/stiffness").rglob("*.h5"))
    assert paths
    for path in paths:
        features = FeatureSet.load(path)
        assert features.bulk.elements == ("Fe", "P")
        with h5py.File(path) as file:
            assert file.attrs["element"] == "Fe"


def test_what_is_of_one_element_is_refused_before_anything_runs(run, monkeypatch):
    monkeypatch.chdir(run)
    config = yaml.safe_load((run / "my own.yaml").read_text())
    config["descriptors"] = {"pairs": {"kind": "pair_spline"}, "afs": {"kind": "afs", "species": ["Fe"]}}
    (run / "blind.yaml").write_text(yaml.safe_dump(config))
    with pytest.raises(ConfigError) as refused:
        check_build(read("blind.yaml"))
    for name, found in (("pairs", "None"), ("afs", "['Fe']")):
        expected = f"descriptors.{name}.species: found {found}, expected the elements of the data sets"
        assert f"{expected}: `species: [Fe, P]`" in str(refused.value)
