"""What the workflow asks for, without Snakemake."""

from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from workflow_runs import snakemake

from vibentropy.data import SHIPPED as FILES
from vibentropy.errors import ConfigError
from vibentropy.run.config import validate
from vibentropy.run.plan import SHIPPED, Plan, only_looks
from vibentropy.run.settings import Config
from vibentropy.sources import archives

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def plan_of(monkeypatch):
    """Plan of a configuration that ships, with changes."""
    monkeypatch.chdir(ROOT)

    def plan_of(name, **changes):
        block = yaml.safe_load(Path(name).read_text(encoding="utf-8"))
        return Plan(Config.from_block(validate(block | changes)))

    return plan_of


@pytest.fixture
def tiny(plan_of):
    return plan_of("workflow/configs/tiny.yaml")


@pytest.fixture
def default(plan_of):
    return plan_of("config.yaml")


def test_recipes_are_computed_from_the_lattice(tiny):
    assert (tiny.training, tiny.tested) == (["train"], ["test"])
    assert tiny.generated == tiny.computed == ["train", "test"]
    assert tiny.checked == tiny.read_first == []
    assert tiny.analytic
    assert tiny.references("train") == [tiny.lattice] == ["results/tiny/potential/lattice.json"]
    assert tiny.lattice_of(tiny.training) == tiny.lattice
    assert tiny.references_of(tiny.training) == []
    assert tiny.workshop("train") == {"potential": tiny.config.potential, "seed": 7}
    assert tiny.every_shard() == [("train", "3x3x3-I2-000"), ("train", "3x3x3-V3-000"), ("test", "4x4x4-2xV2-000")]
    assert [tiny.sites(*shard) for shard in tiny.every_shard()] == [54, 54, 128]
    assert tiny.every_shard(["test"]) == tiny.every_shard()[2:]
    assert len(tiny.content("train", "3x3x3-I2-000")) == 4


def test_random_alloys_have_cells_of_their_own(plan_of, tiny):
    lattice = {
        "structure": "bcc",
        "a": 2.9,
        "composition": {"V": 0.2},
        "arrangements": 3,
        "references": [{"structure": "bcc", "element": "Fe", "a": 2.86, "cell": [4, 4, 4]}],
    }
    recipe = {"cells": [[4, 4, 4], [3, 3, 3]], "anneal": tiny.config.block["datasets"]["train"]["recipe"]["anneal"]}
    recipe["defects"] = {"V1": {"vacancies": 1, "trajectories": 2}}
    plan = plan_of(
        "workflow/configs/tiny.yaml",
        potential={"file": "VFe_mm.eam.fs", "elements": ["Fe", "V"]},
        lattice=lattice,
        datasets={"train": {"role": "train", "recipe": recipe}},
    )
    folder = plan.lattice.removesuffix("lattice.json")
    assert plan.references("train") == [plan.lattice, f"{folder}references.h5", f"{folder}random_cells.h5"]
    # Under the names by which data sets look for them.
    assert (plan.reference_cells, plan.random_cells) == (f"{folder}references.h5", f"{folder}random_cells.h5")
    assert plan.references_of(["train"]) == plan.references("train")[1:]
    assert plan.random_sizes == [[3, 3, 3], [4, 4, 4]]
    assert plan.random_alloy == {"composition": {"V": 0.2}, "arrangements": 3}
    # More arrangements do not move the lattice constant.
    assert plan.crystal["composition"] == {"V": 0.2}
    assert "arrangements" not in plan.crystal
    assert plan.about("train") == {"recipe": {"references": True, "random": True}}
    assert plan.packed() == ["train"]
    with pytest.raises(ConfigError, match="in a random alloy each site"):
        plan.in_equilibrium()
    assert tiny.in_equilibrium() == tiny.training
    assert tiny.random_sizes == []
    assert tiny.random_alloy == {}


def test_archives_are_read_and_nothing_is_computed(default, plan_of):
    assert default.generated == default.computed == []
    assert default.references("clusters") == default.references_of(["clusters"]) == ["data/clusters.h5"]
    assert default.lattice_of(default.training) == []
    assert default.workshop("clusters") == {}
    shards = default.every_shard(["clusters", "cells_3456"])
    assert {default.sites(*shard) for shard in shards} == {1024, 3456}
    datasets = {
        "clusters": {"role": "train", "archive": "data/clusters.h5"},
        "larger": {"role": "test", "archive": "data/cells_large.h5"},
    }
    plan = plan_of("config.yaml", datasets=datasets, evaluation={})
    assert [plan.sites(*shard) for shard in plan.every_shard(["larger"])] == [54_000]
    assert default.potential_files == []
    assert not default.analytic
    with pytest.raises(ConfigError, match="no data set of this configuration has a recipe"):
        default.packed()


def test_jobs_are_told_nothing_about_other_shards(plan_of):
    few = plan_of("workflow/configs/tiny.yaml")
    block = yaml.safe_load(Path("workflow/configs/tiny.yaml").read_text(encoding="utf-8"))
    block["datasets"]["train"]["recipe"]["cells"].append([5, 5, 5])
    many = Plan(Config.from_block(validate(block)))
    assert len(many.every_shard()) == len(few.every_shard()) + 2
    assert many.about("train") == few.about("train")
    assert many.content("train", "3x3x3-I2-000") == few.content("train", "3x3x3-I2-000")


def test_each_archive_is_opened_once_before_a_run(default, monkeypatch):
    from vibentropy.run.build_check import check_build
    from vibentropy.run.cost_estimate import cost_in_words

    archives._cached_header.cache_clear()
    opened = []
    monkeypatch.setattr(
        archives, "open_file", lambda path, kind, opening=archives.open_file: opened.append(path) or opening(path, kind)
    )
    check_build(default.config)
    cost_in_words(default.config)
    default.every_shard()
    assert sorted(opened) == sorted(source.archive for source in default.config.sources.values())


def test_an_archive_that_changes_is_read_again(default, tmp_path):
    path = tmp_path / "a.h5"
    first, second = ("data/liquid.h5", "data/strained.h5")
    path.write_bytes(Path(first).read_bytes())
    assert len(archives.read_header(path).table) == len(archives.read_header(first).table)
    path.write_bytes(Path(second).read_bytes())
    assert len(archives.read_header(path).table) == len(archives.read_header(second).table)


def test_what_is_tested_is_described_whole(default):
    assert default.config.one_in("stiffness", "clusters") > 1
    assert {default.config.one_in("stiffness", name) for name in default.tested} == {1}
    assert default.config.one_in("afs_3_10", "clusters") == 1
    evaluation = replace(default.config.evaluation, one_in={"stiffness": {"clusters": 7}, "afs_3_10": {"others": 3}})
    config = replace(default.config, evaluation=evaluation)
    assert [config.one_in(name, "clusters") for name in ("stiffness", "afs_3_10")] == [7, 1]


def test_what_takes_long_is_tested_on_part_of_the_cells(plan_of):
    evaluation = {"tested_on": {"afs_3_10": ["liquid"], "pairs_afs": []}}
    plan = plan_of("config.yaml", evaluation=evaluation)
    assert plan.config.described_by("afs_3_10") == [*plan.training, "liquid"]
    assert plan.config.described_by("pairs_afs") == plan.training
    assert plan.config.described_by("stiffness") == list(plan.config.sources)


def test_a_run_has_the_name_of_what_it_is_compared_with_or_of_its_folder(plan_of, default):
    assert (default.name, default.counterparts) == ("results", {})
    plan = plan_of("workflow/configs/figures_meam.yaml")
    assert plan.name == "MEAM"
    models = {"afs_3_10": "afs_3_10/bayesian_ridge", "scattering_7_5": "scattering_7_5/bayesian_ridge"}
    assert plan.counterparts == models
    without = plan_of("workflow/configs/figures_meam.yaml", regressors={"one": {"kind": "ridge"}})
    assert without.counterparts["afs_3_10"] == "afs_3_10/one"
    assert plan_of("workflow/configs/figures.yaml").name == "EAM"
    assert plan_of("workflow/configs/figures.yaml").counterparts == {}


def test_tests_without_names_are_one(tiny, default):
    assert (tiny.named_tests, tiny.tests) == ({}, {"test": ["test"]})
    assert default.named_tests == default.tests
    assert list(default.tests) == ["extrapolation", "strained", "liquid"]
    assert tiny.splits == ["groups"]


def test_models_that_are_mapped(default, tiny, plan_of):
    assert default.mapped_models() == ["afs_3_10/ridge", "pairs_afs/ridge"]
    chosen = plan_of("config.yaml", maps={"models": ["pairs_afs/bayesian_ridge"]})
    assert chosen.mapped_models() == ["pairs_afs/bayesian_ridge"]
    with pytest.raises(ConfigError, match=r"'x/ridge', of `models` under `maps`, is none of afs_3_10/ridge, "):
        plan_of("config.yaml", maps={"models": ["x/ridge"]}).mapped_models()
    with pytest.raises(ConfigError, match="set `site_entropies: true` under `labels`"):
        tiny.mapped_models()
    assert plan_of("workflow/configs/tiny.yaml", labels={"site_entropies": True}).mapped_models() == ["afs_2_3/ridge"]


def test_descriptor_that_chooses(default, plan_of):
    assert default.choosing_descriptor() == "afs_3_10"
    assert plan_of("workflow/configs/chosen.yaml").choosing_descriptor() == "pairs_afs"
    with pytest.raises(ConfigError, match=r"'pair_afs' under `chosen` \(did you mean 'pairs_afs'\?\), expected one of"):
        plan_of("config.yaml", data={"chosen": {"descriptor": "pair_afs"}}).choosing_descriptor()


def test_published_labels_are_asked_for(default, plan_of):
    with pytest.raises(ConfigError, match=r"needs published labels: put entropies_MEAM.npz .* into published/"):
        default.published_labels()
    labels = plan_of("config.yaml", recurrence={"entropies": "published/entropies_MEAM.npz"}).published_labels()
    assert labels == "published/entropies_MEAM.npz"


def test_models_that_ship(default, tiny, plan_of):
    figures = plan_of("workflow/configs/figures.yaml")
    assert SHIPPED.keys() == FILES.keys()
    for model, names in SHIPPED.items():
        assert figures.shipped(model) == names
    with pytest.raises(ConfigError, match="iron that ships is of pairs_afs, which is not among the descriptors"):
        tiny.shipped("iron")
    blocks = {"pairs_afs": {"kind": "afs", "n_max": 2, "l_max": 3, "r_cut": 4.5}}
    with pytest.raises(ConfigError, match="models that ship are of archives"):
        plan_of("workflow/configs/tiny.yaml", descriptors=blocks).shipped("iron")


def test_descriptors_without_values_of_atoms(tiny):
    assert tiny.local_descriptor() == "afs_2_3"
    assert tiny.n_features("afs_2_3") == 8
    without = Plan(replace(tiny.config, descriptors={}))
    with pytest.raises(ConfigError, match="which the kernel of `nonlinear` needs"):
        without.local_descriptor()


def test_code_is_that_of_the_kinds_in_use(default, tiny):
    def names(files):
        return {Path(file).name for file in files}

    assert {"archives.py"} <= names(default.source_code("clusters"))
    assert not {"recipes.py", "sampling.py", "user_files.py"} & names(default.source_code("clusters"))
    assert {"recipes.py", "sampling.py", "seeds.py"} <= names(tiny.source_code("train"))
    assert {"union.py", "pair_spline.py", "afs.py"} <= names(default.descriptor_code("pairs_afs"))
    assert "pair_spline.py" not in names(default.descriptor_code("afs_3_10"))
    assert "ridge.py" in names(default.regressor_code("ridge"))
    assert "pair_spline.py" in names(default.shipped_descriptor_code("iron"))
    assert "hessian_stiffness.py" in names(default.shipped_descriptor_code("iron-stiffness"))


@pytest.mark.parametrize(
    "words", ["--unlock", "--lint", "--report a.html", "--report=a.html", "-S", "--dag", "--cores 2 -l"]
)
def test_looking_at_a_run_computes_nothing(words):
    assert only_looks(words.split())


@pytest.mark.parametrize("words", ["", "all --cores 2", "-n", "--dry-run readme", "--report a.html --report-after-run"])
def test_runs_and_dry_runs_are_checked(words):
    assert not only_looks(words.split())


@pytest.mark.slow
@pytest.mark.parametrize(("arguments", "says"), [(["--unlock"], False), (["--summary"], False), (["--dry-run"], True)])
def test_cost_is_said_where_something_is_planned(tmp_path, arguments, says):
    config = yaml.safe_load((ROOT / "workflow/configs/tiny.yaml").read_text(encoding="utf-8"))
    code, output = snakemake(tmp_path, config, *arguments)
    assert code == 0, output
    assert ("core time" in output) == says


def test_each_part_of_the_benchmark_has_sizes_and_limits_of_its_own(plan_of):
    plan = plan_of(
        "workflow/configs/tiny.yaml",
        benchmark={
            "cells": [2, 3],
            "label_cells": [3],
            "prediction_cells": [4, 5],
            "max_seconds": 7,
            "max_prediction_seconds": 9,
            "max_memory": 100,
            "large_labels": {"cells": [6], "max_seconds": 11, "max_memory": 200},
        },
    )
    found = {
        source: [plan.of_benchmark(key, source) for key in ("cells", "max_seconds", "max_memory")]
        for source in ("ours", "peer", "labels", "large_labels", "predictions")
    }
    assert found == {
        "ours": [[2, 3], 7, 100],
        "peer": [[2, 3], 7, 100],
        "labels": [[3], 7, 100],
        "large_labels": [[6], 11, 200],
        "predictions": [[4, 5], 9, 100],
    }
