"""The estimate counts what data sets hold and scales as the steps do; memory is more than what was measured."""

import re
from dataclasses import replace
from math import isnan

import numpy as np
import pandas as pd
import pytest
from configurations import configuration
from workflow_runs import RULES

from vibentropy.descriptors import REGISTRY, LocalDescriptor, create, find
from vibentropy.run import cost_estimate
from vibentropy.run.cost_estimate import (
    RATES,
    Rates,
    amounts_of,
    estimate,
    infinite_seconds,
    seconds_of_jobs,
    stages,
    summary,
)
from vibentropy.run.memory import labels_memory
from vibentropy.sources import archives, user_files
from vibentropy.sources.source import source_of

GIVEN = {"key": "S", "unit": "k_B", "kind": "formation"}
MEAM = {
    "pair_style": "meam",
    "pair_coeff": ["* * library_2nn.meam Mo Co Ni V Fe Al Cr MoCoNiVFeAlCr_2nn.meam Fe"],
    "element": "Fe",
}
#: Sparse factors are never the faster ones.
NOTHING = Rates(
    start=0.0, dynamics=0.0, quench=0.0, matrix=0.0, sparse=np.inf, hessian=0.0, collect=0.0, fit=0.0, fit_start=0.0
)


class Number(LocalDescriptor):
    """A descriptor of one's own, whose cost nobody has measured."""

    feature_names = ("number",)

    def __init__(self, species=None):
        self.species = species

    def _blocks(self, atoms):
        yield slice(None), np.ones((len(atoms), 1))


def files(entropy=None):
    return source_of("mine", {"role": "test", "files": ["a.xyz"], "entropy": entropy, "reference": "b.xyz"})


def rates(**changes):
    return Rates(**{**vars(NOTHING), **changes})


def test_counts_of_the_paper():
    config = configuration("workflow/configs/paper.yaml")
    table = estimate(config, amounts_of(config))
    training = table[table["dataset"] == "train"]
    counts = training.groupby(training["shard"].str.split("-").str[1])["configurations"].sum()
    assert counts.to_dict() == {"I2": 434, "I3": 1105, "I4": 1280, "V4": 1701}
    assert set(training["sites"]) == {1024}


def test_one_row_per_shard_with_all_trajectories():
    config = configuration("workflow/configs/tiny.yaml")
    table = estimate(config, amounts_of(config))
    planned = [t for source in config.sources.values() for t in source.trajectories()]
    assert table["configurations"].sum() == sum(t.snapshots + 1 for t in planned)
    assert list(table["shard"]) == [name for of_dataset in amounts_of(config).values() for name in of_dataset]


def test_archives_are_counted_as_they_are():
    config = configuration("config.yaml")
    chosen = {name: config.sources[name] for name in ("cells_1024", "cells_3456")}
    chosen["cells_1024"] = replace(chosen["cells_1024"], classes=("4xI3", "void9"))
    config = replace(config, sources=chosen)
    table = estimate(config, amounts_of(config))
    for name, of_dataset in table.groupby("dataset"):
        frames = archives.read_archive(chosen[name].archive, name, chosen[name].classes).frames
        assert of_dataset["configurations"].sum() == len(frames)
        assert of_dataset["atoms"].sum() == sum(map(len, frames))
    assert table["sites"].max() == 3456


def test_hours_are_those_of_the_rates(monkeypatch):
    anneal = {"temperature": 900.0, "time_step": 0.001, "steps_between": 100, "snapshots": 3}
    defects = {"V1": {"vacancies": 1, "trajectories": 5}}
    recipe = {"cells": [[2, 3, 4]], "anneal": anneal, "defects": defects}
    block = {"a": {"role": "train", "recipe": recipe}}
    config = configuration("workflow/configs/tiny.yaml", shard_size=100, datasets=block)
    n = 48

    def row(**changes):
        (only,) = estimate(config, amounts_of(config), rates(**changes)).itertuples()
        return only

    assert row(dynamics=1.0).structures == pytest.approx(5 * 3 * 100 * n / 3600)
    assert row(start=7.0).structures == row(start=7.0).labels == pytest.approx(7 / 3600)
    both = row(quench=1.0, matrix=1.0)
    assert (both.sites, both.configurations, both.atoms) == (n, 20, 20 * n)
    assert both.structures == pytest.approx(20 * n**1.5 / 3600)
    assert both.labels == pytest.approx(20 * n**3 / 3600)
    assert row(matrix=1.0, sparse=2.0, hessian=3.0).labels == pytest.approx(20 * (2 * n**2 + 3 * n) / 3600)
    config = replace(config, labels=replace(config.labels, site_entropies=True))
    assert row(matrix=1.0, sparse=2.0, vectors=5.0).labels == pytest.approx(20 * (2 * n**2 + 5 * n**3) / 3600)
    assert row(matrix=1.0, vectors=5.0).labels == pytest.approx(6 * 20 * n**3 / 3600)
    config = replace(config, sources={"a": replace(config.sources["a"], strain=0.01)})
    assert row(matrix=1.0, vectors=5.0).labels == pytest.approx(6 * 25 * n**3 / 3600)

    modified = replace(config, potential=MEAM)
    for rate in ("dynamics", "quench"):
        given = rates(**{rate: 1.0}, modified=3.0)
        embedded, other = (estimate(c, amounts_of(c), given)["structures"].sum() for c in (config, modified))
        assert other == pytest.approx(3 * embedded)
        assert embedded > 0
    # Labels take no longer, and with finite differences nobody knows.
    embedded, other = (estimate(c, amounts_of(c), rates(matrix=1.0))["labels"].sum() for c in (config, modified))
    assert other == embedded
    differences = replace(config, potential=MEAM | {"hessian": "finite_differences"})
    assert estimate(differences, amounts_of(differences))[["structures", "labels"]].isna().all(axis=None)

    union = {"kind": "union", "parts": {"x": {"kind": "afs"}, "y": {"kind": "soap"}}}
    config = replace(config, descriptors={"a": {"kind": "afs"}, "b": union})
    monkeypatch.setattr(find("afs"), "seconds_per_atom", 1.0)
    monkeypatch.setattr(find("soap"), "seconds_per_atom", 10.0)
    table = stages(config, amounts_of(config), {"a": 3, "b": 4}, rates(fit=1.0, collect=1.0)).set_index("stage")
    assert table.loc["features", ["jobs", "hours"]].tolist() == pytest.approx([2, 12 * 20 * n / 3600])
    assert table.loc["configurations", "hours"] == pytest.approx(20 * n / 3600)
    # Two regressors.
    assert table.loc["fits", ["jobs", "hours"]].tolist() == pytest.approx([4, 2 * 20 * (9 + 16) / 3600])
    assert not table[["more_jobs", "more_hours"]].any(axis=None)


def test_labels_of_the_infinite_crystal_take_all_their_cells():
    assert infinite_seconds((10, 20), rates(matrix=1.0, sparse=15.0)) == 10**3 + 15 * 20**2
    assert infinite_seconds((9,), rates(quench=1.0, hessian=2.0)) == 27 + 18
    # Two minutes were measured.
    assert 60 < infinite_seconds((3456, 8192, 16_000), RATES) < 180


def test_files_cost_as_much_as_is_counted_in_them(monkeypatch):
    config = configuration("workflow/configs/tiny.yaml")
    for entropy, seconds in [(None, 20 * 54**3), (GIVEN, 0.0)]:
        mine = files(entropy)
        config = replace(config, sources={"mine": mine})
        monkeypatch.setattr(user_files, "file_shards", lambda *_: {"files": [["a.xyz", "a.xyz"]], "large": []})
        monkeypatch.setattr(user_files, "configurations_in", lambda pieces, _: 20 if pieces else None)
        monkeypatch.setattr(user_files.Files, "_typical_sites", lambda _: 54)
        first, second = estimate(config, amounts_of(config), rates(matrix=1.0, start=7.0)).itertuples()
        assert (first.configurations, first.sites, first.atoms) == (20, 54, 20 * 54)
        # Labels that are given have no jobs.
        assert (first.structures, first.labels) == pytest.approx((7 / 3600, (seconds + 7) / 3600 if seconds else 0.0))
        assert isnan(second.configurations)
        assert isnan(second.labels) == (entropy is None)
    config = replace(config, potential=None, sources={"mine": files()})
    assert estimate(config, amounts_of(config))["labels"].isna().all()
    config = replace(config, sources={"mine": files(GIVEN)})
    table = stages(config, amounts_of(config), {"pairs_afs": 127}, rates(fit=1.0)).set_index("stage")
    assert table["hours"]["fits"] == pytest.approx(len(config.regressors) * 20 * 127**2 / 3600)
    assert table["more_hours"]["fits"]
    assert table["jobs"]["structures"] == 2
    assert "labels" not in table.index


def test_stages_of_a_run_share_its_time_as_was_estimated(tiny):
    """Not in seconds, which are those of some machine. Most of such jobs is the start of their libraries."""
    config = configuration("workflow/configs/tiny.yaml")
    n_features = {name: create(**block).n_features for name, block in config.descriptors.items()}
    table = stages(config, amounts_of(config), n_features).set_index("stage")
    measured = {}
    for stage, pattern in [("labels", "labels/*/*"), ("features", "features/*/*/*"), ("fits", "fit/*/*")]:
        jobs = [pd.read_csv(path, sep="\t") for path in tiny.glob(f"benchmarks/{pattern}.tsv")]
        assert len(jobs) == table["jobs"][stage]
        measured[stage] = pd.concat(jobs)["cpu_time"].sum()
    measured = pd.Series(measured) / sum(measured.values())
    estimated = table["hours"][measured.index] / table["hours"][measured.index].sum()
    print(f"\nshares of processor time:\n{pd.DataFrame({'measured': measured, 'estimated': estimated}).round(2)}")
    assert (measured / estimated).between(1 / 4, 4).all()


def test_what_is_not_known_is_not_made_up():
    config = configuration("config.yaml")
    config = replace(
        config,
        # There are no such files: their number is unknown.
        sources={**config.sources, "mine": files()},
        descriptors={**config.descriptors, "own": {"kind": f"{__name__}.Number"}},
    )
    features = {"afs_3_10": 33, "pairs_afs": 127, "stiffness": 5, "own": 10}
    known = amounts_of(config)
    table = stages(config, known, features).set_index("stage")
    assert table["more_hours"].all()
    assert list(table["more_jobs"]) == [True, True, True, False, False]
    only = replace(config, sources={"mine": config.sources["mine"]})
    table = stages(only, {}, features).set_index("stage")
    assert table["hours"].isna().all()
    text = summary(only, {}, features)
    assert text.startswith("Configurations that are not counted until they are read take")
    assert text.count("unknown") == 5 + 3  # core time of all stages, and how many jobs come before the table is there
    assert re.search(r"1024 to 3456 sites, and configurations that are .*, take", summary(config, known, features))
    # An array of the reference work: how many there are is not known, how many jobs is.
    named = dict.fromkeys(("configurations", "entropies", "bulk"), "no.npz")
    arrays = source_of("EAM", {"role": "train", "arrays": named | {"element": "Fe", "classes": ["I2", "V4"]}})
    published = replace(config, sources={"EAM": arrays})
    table = stages(published, amounts_of(published), features).set_index("stage")
    assert table.loc["structures", "jobs"] == 2
    assert np.isnan(table.loc["features", "hours"])


def test_a_descriptor_that_learns_from_few_minima_costs_less():
    config = configuration("config.yaml")
    config = replace(config, descriptors={"stiffness": config.descriptors["stiffness"]})
    thinned, whole = (
        stages(replace(config, evaluation=replace(config.evaluation, one_in=one_in)), amounts_of(config), {})
        .set_index("stage")
        .loc["features", "hours"]
        for one_in in ({"stiffness": 10}, {})
    )
    rate = create(**config.descriptors["stiffness"]).seconds_per_atom
    atoms = sum(amount.atoms for amount in amounts_of(config)["clusters"].values())
    assert whole - thinned == pytest.approx(0.9 * atoms * rate / 3600)


def test_a_descriptor_that_is_tested_on_few_cells_has_fewer_jobs():
    config = configuration("config.yaml")
    config = replace(config, descriptors={"stiffness": config.descriptors["stiffness"]})
    evaluation = replace(config.evaluation, tested_on={"stiffness": ("liquid",)})
    amounts = amounts_of(config)
    few, whole = (
        stages(one, amounts, {}).set_index("stage").loc["features", "jobs"]
        for one in (replace(config, evaluation=evaluation), config)
    )
    left_out = [name for name in config.with_role("test") if name != "liquid"]
    assert whole - few == sum(len(amounts[name]) for name in left_out) > 0


def test_every_descriptor_that_is_shipped_has_a_rate():
    for kind in REGISTRY:
        assert 0 < create(kind).seconds_per_atom < 0.1
    assert isnan(Number().seconds_per_atom)
    parts = {"a": {"kind": "afs"}, "b": {"kind": "quadratic", "of": {"kind": f"{__name__}.Number"}}}
    assert isnan(create("union", parts=parts).seconds_per_atom)


def test_one_configuration_takes():
    config = configuration("workflow/configs/tiny.yaml")
    alone = replace(config, sources={"train": config.sources["train"]})
    ((shard, amount), *_) = amounts_of(alone)["train"].items()
    for number, words in ((1.0, "1 configuration of 54 sites takes"), (2.0, "2 configurations of 54 sites take")):
        text = summary(alone, {"train": {shard: replace(amount, configurations=number)}}, {"afs_2_3": 8})
        assert text.startswith(f"{words}, apart")


def test_summary_is_a_line_for_each_stage():
    config = configuration("workflow/configs/paper.yaml")
    text = summary(config, amounts_of(config), {"afs_3_10": 33, "afs_20_10": 220})
    table = estimate(config, amounts_of(config))
    title, head, *lines = text.splitlines()
    number = f"{table['configurations'].sum():.0f}"
    assert title == f"{number} configurations of 1024 to 3456 sites take, apart from what exists already:"
    assert head.split() == ["stage", "jobs", "core", "time", "memory", "of", "a", "job"]
    assert [line.split()[0] for line in lines] == ["structures", "labels", "features", "configurations", "fits"]
    assert lines[0].split()[1] == str(len(table))
    assert f"{table['structures'].sum():.2g} h" in lines[0]
    largest = labels_memory(config, 3456) / 1000
    assert re.search(rf"\d\.\d to {largest:.1f} GB", lines[1])


def test_costs_are_estimated_once_for_their_summary(monkeypatch):
    calls = []
    monkeypatch.setattr(cost_estimate, "estimate", lambda *given: calls.append(1) or estimate(*given))
    config = configuration("workflow/configs/tiny.yaml")
    summary(config, amounts_of(config), {"afs_2_3": 8})
    assert calls == [1]


def test_seconds_of_a_job_are_its_share_of_those_of_its_stage():
    config = configuration("config.yaml")
    amounts = amounts_of(config)
    features = {name: create(**block).n_features for name, block in config.descriptors.items()}
    table = stages(config, amounts, features).set_index("stage")
    seconds = seconds_of_jobs(config, amounts)
    assert seconds["fit"] == pytest.approx(3600 * table.loc["fits", "hours"] / table.loc["fits", "jobs"])
    assert seconds["user_structures"] == seconds["structures"] > RATES.start * 0.99
    # All labels of the default run are given.
    assert "label" not in seconds


def test_rules_that_take_long_exist():
    assert set(cost_estimate.STAGES) <= {*RULES, "user_structures"}
    stages_of_runs = stages(configuration("workflow/configs/tiny.yaml"), {}, {"afs_2_3": 8})["stage"]
    assert set(cost_estimate.STAGES.values()) == set(stages_of_runs)
