"""The estimate counts what the recipes make, and scales as the steps do."""

from pathlib import Path

import pytest
import yaml

from vibentropy.config import validate
from vibentropy.cost import Rates, estimate, summary
from vibentropy.sampling import trajectories

ROOT = Path(__file__).resolve().parents[1]


def configuration(name, **changes):
    config = yaml.safe_load((ROOT / "workflow/configs" / name).read_text())
    return validate(config | changes, ROOT / "workflow/schemas/config.schema.yaml")


def test_counts_of_the_paper():
    table = estimate(configuration("paper.yaml"))
    training = table[table["dataset"] == "train"].set_index("defect_class")["configurations"]
    assert training[["I2", "I3", "I4", "V4"]].to_dict() == {"I2": 434, "I3": 1105, "I4": 1280, "V4": 1701}


def test_one_row_per_class_and_cell_with_all_trajectories():
    config = configuration("tiny.yaml")
    table = estimate(config)
    planned = [t for name, d in config["datasets"].items() for t in trajectories(name, d["recipe"])]
    assert table["trajectories"].sum() == len(planned)
    assert table["configurations"].sum() == sum(t.snapshots + 1 for t in planned)


def test_hours_are_those_of_the_rates():
    config = configuration("tiny.yaml")
    anneal = {"temperature": 900.0, "time_step": 0.001, "steps_between": 100, "snapshots": 3}
    defects = {"V1": {"vacancies": 1, "trajectories": 5}}
    config["datasets"] = {
        "a": {"role": "train", "recipe": {"cells": [[2, 3, 4]], "anneal": anneal, "defects": defects}}
    }
    config = validate(config, ROOT / "workflow/schemas/config.schema.yaml")
    n = 48
    (row,) = estimate(config, Rates(dynamics=1.0, quench=0.0, matrix=0.0, hessian=0.0)).itertuples()
    assert row.sampling == pytest.approx(5 * 3 * 100 * n / 3600)
    (row,) = estimate(config, Rates(dynamics=0.0, quench=1.0, matrix=1.0, hessian=0.0)).itertuples()
    assert (row.n_sites, row.configurations) == (n, 20)
    assert row.sampling == pytest.approx(20 * n**1.5 / 3600)
    assert row.labels == pytest.approx(20 * n**3 / 3600)
    config["labels"]["site_entropies"] = True
    (row,) = estimate(config, Rates(dynamics=0.0, quench=0.0, matrix=1.0, hessian=0.0, vectors=5.0)).itertuples()
    assert row.labels == pytest.approx(6 * 20 * n**3 / 3600)
    config["datasets"]["a"]["recipe"]["strain"] = 0.01
    (row,) = estimate(config, Rates(dynamics=0.0, quench=0.0, matrix=1.0, hessian=0.0, vectors=5.0)).itertuples()
    assert row.labels == pytest.approx(6 * 25 * n**3 / 3600)


def test_summary_names_the_totals():
    table = estimate(configuration("paper.yaml"))
    text = summary(table)
    hours = table["sampling"].sum() + table["labels"].sum()
    assert f"make {table['configurations'].sum()} configurations of 1024 to 3456 sites" in text
    assert f"in {table['trajectories'].sum()} trajectories: about {hours:.2g} h on one core" in text
    assert "The largest part is train, V4" in text
