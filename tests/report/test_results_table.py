"""The table of results in Markdown, and its place in a README."""

import numpy as np
import pandas as pd
import pytest

from vibentropy.errors import DataError
from vibentropy.evaluation.coverage import coverage_table
from vibentropy.evaluation.fitting import fit_table, load_fits
from vibentropy.evaluation.metrics import load_summary, metrics_table, summary_table
from vibentropy.evaluation.predictions import load_predictions, predictions_table
from vibentropy.files.tables import save_table
from vibentropy.learning.ridge import ExtensiveRidge
from vibentropy.report.results_table import BEGIN, END, results_page, write_between
from vibentropy.studies.cost_and_error import comparison_table, load_costs

DESCRIPTORS = pd.DataFrame({"descriptor": ["moments", "afs"], "needs_potential": [True, False], "cpu_us_per_atom": 1.0})
TESTS = {"extrapolation": ["cells_1024", "cells_2000"], "strained_cells": ["strained"]}


@pytest.fixture
def summary():
    rows = pd.DataFrame({"descriptor": ["moments", "afs", "afs"], "regressor": ["ridge", "ridge", "bayes"]})
    rows["split"] = ["groups", "groups", "shuffled"]
    rows["n_features"], rows["n_selected"] = [4, 33, 33], [4, 33, 12]
    rows["cross_validation_mae"], rows["cross_validation_rmse"] = [0.0512, 0.671, 0.5], [0.0999, 0.979, np.nan]
    for name, n in {"cross_validation": 1633, "extrapolation": 122, "strained_cells": 70}.items():
        rows[f"{name}_n"] = n
    for name in TESTS:
        rows[f"{name}_mae"], rows[f"{name}_rmse"], rows[f"{name}_slope"] = 1.234, 2.0, 0.98765
    return rows


def cells(page):
    """Table of a page as lists of text."""
    lines = [line for line in page.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def test_one_row_per_model_with_the_published_ones_below(summary):
    page = results_page(summary, DESCRIPTORS, TESTS, "Fe")
    header, rule, *rows = cells(page)
    assert {len(row) for row in (header, rule, *rows)} == {12}
    assert header[5:] == ["held out: MAE", "RMSE", "extrapolation: MAE", "RMSE", "slope", "strained cells: MAE", "RMSE"]
    # Positions alone first, then what needs a potential, then the article.
    errors = ["1.23", "2.00", "0.988", "1.23", "2.00"]
    assert rows[0] == ["`afs`", "positions", "33", "`ridge`", "trajectories together", "0.67", "0.98", *errors]
    assert rows[1] == ["`afs`", "positions", "12 of 33", "`bayes`", "shuffled, leaky", "0.50", "", *errors]
    assert rows[2][:3] == ["`moments`", "positions, potential", "4"]
    assert rows[2][5:7] == ["0.051", "0.10"]
    assert rows[3][:3] == ["*A_{3,10}, MEAM*", "*positions*", "*33*"]
    assert rows[3][4:] == ["*file order, sharing trajectories*", "*0.18*", "*0.30*", "*0.98*", "*1.53*", "", "", ""]
    assert rows[4][5:8] == ["*0.48*", "*0.70*", ""]
    for text in (
        "1633 training minima",
        "122 cells (cells_1024, cells_2000)",
        "Lapointe",
        "Strained cells: 70",
    ):
        assert text in page


def test_tests_are_told_once_where_folds_have_no_part_in_them(summary):
    twice = pd.concat([summary, summary.assign(split="file_order", cross_validation_mae=0.3)], ignore_index=True)
    # A fit that was not the same, for whatever reason.
    twice.loc[twice.index[-1], "extrapolation_mae"] = 7.0
    page = results_page(twice, DESCRIPTORS, TESTS, "Cu")
    rows = {(row[0], row[3], row[4]): row[5:] for row in cells(page)[2:]}
    errors = ["1.23", "2.00", "0.988", "1.23", "2.00"]
    assert rows["`afs`", "`ridge`", "trajectories together"] == ["0.67", "0.98", *errors]
    assert rows["`afs`", "`ridge`", "file order"] == ["0.30", "0.98", *[""] * 5]
    assert rows["`moments`", "`ridge`", "file order"] == ["0.30", "0.10", *[""] * 5]
    assert rows["`afs`", "`bayes`", "file order"] == ["0.30", "", "7.00", *errors[1:]]
    assert "are in the first row of each model" in page
    assert "are in the first row of each model" not in results_page(summary, DESCRIPTORS, TESTS, "Cu")


def test_published_models_are_of_iron(summary):
    page = results_page(summary[:2], DESCRIPTORS, TESTS, "Cu")
    assert len(cells(page)) == 2 + 2
    assert "Lapointe" not in page
    assert "near-copies" not in page


def test_too_little_data_is_said_and_the_command_of_the_readme_is_not(summary):
    page = results_page(summary, DESCRIPTORS, TESTS, "Fe")
    assert "snakemake" not in page
    assert "label more" not in page
    summary["cross_validation_n"] = [24, 24, 24]
    page = results_page(summary, DESCRIPTORS, TESTS, "Fe")
    # Once for each descriptor, before anything else that is said below the table.
    (notes,) = page.strip().split("\n\n")[1:]
    assert notes.startswith("**Too little data: `afs` has 24 distinct minima for 33 features: label more")
    assert notes.count("label more") == 1


def test_a_run_without_test_sets(summary):
    header, _, row, *_ = cells(results_page(summary.filter(regex="^(?!extra|strain)"), DESCRIPTORS, {}, "Cu"))
    assert header[-1] == "RMSE"
    assert len(row) == 7


def test_extrapolation_of_the_article_stands_where_ours_has_that_name(summary):
    renamed = summary.rename(columns=lambda name: name.replace("extrapolation", "large"))
    page = results_page(renamed, DESCRIPTORS, {"large": ["cells_1024"]}, "Fe")
    assert cells(page)[-2][5:] == ["*0.18*", "*0.30*", "", "", ""]


def test_errors_over_different_cells_are_marked(summary):
    rows = {row[0]: row for row in cells(results_page(summary, DESCRIPTORS, TESTS, "Cu"))[2:]}
    assert rows["`moments`"][5] == "0.051"
    summary.loc[0, ["cross_validation_n", "strained_cells_n"]] = [1600, 69]
    page = results_page(summary, DESCRIPTORS, TESTS, "Cu")
    rows = {(row[0], row[3]): row[5:] for row in cells(page)[2:]}
    assert rows["`moments`", "`ridge`"] == [
        "0.051 (n = 1600)",
        "0.10",
        "1.23",
        "2.00",
        "0.988",
        "1.23 (n = 69)",
        "2.00",
    ]
    assert rows["`afs`", "`ridge`"][::5] == ["0.67 (n = 1633)", "1.23 (n = 70)"]
    assert "1600 to 1633 training minima" in page
    assert "Strained cells: 69 to 70 cells" in page
    assert "Extrapolation: 122 cells" in page
    assert "not tested on the same ones" in page


def test_names_may_look_like_numbers_or_like_nothing(configurations, tmp_path):
    """From predictions and fits in files to the page, as the rules do it."""
    models = [("10", "NA"), ("10", "1e3"), ("nan", "NA"), ("nan", "1e3"), ("None", "1e3")]
    fit = ExtensiveRidge(penalties=[1e-6]).fit(np.eye(12)[:, :3], np.arange(12.0))
    paths = {kind: [tmp_path / kind / d / f"{r}.csv" for d, r in models] for kind in ("predictions", "fits")}
    for k, (descriptor, regressor) in enumerate(models):
        names = {"descriptor": descriptor, "regressor": regressor}
        predicted = pd.DataFrame({"prediction": configurations["formation_entropy"] + k + 1, "std": np.nan})
        table = predictions_table(configurations, predicted, stage="cross-validation", split="groups", **names)
        save_table(table, paths["predictions"][k])
        save_table(fit_table(fit, **names), paths["fits"][k])
        cost = pd.DataFrame({"descriptor": [descriptor], "needs_potential": False, "cpu_us_per_atom": float(k)})
        save_table(cost, tmp_path / f"{descriptor}.csv")

    predictions = load_predictions(*paths["predictions"])
    save_table(
        summary_table(metrics_table(predictions), coverage_table(predictions), load_fits(*paths["fits"])),
        tmp_path / "summary.csv",
    )
    summary = load_summary(tmp_path / "summary.csv")
    costs = load_costs(*(tmp_path / f"{descriptor}.csv" for descriptor in ("10", "nan", "None")))
    assert list(zip(summary["descriptor"], summary["regressor"], strict=True)) == models
    compared = comparison_table(summary, costs, [])
    assert list(zip(compared["descriptor"], compared["regressor"], strict=True)) == models
    assert list(compared["cpu_us_per_atom"]) == [1.0, 1.0, 3.0, 3.0, 4.0]
    rows = cells(results_page(summary, costs, {}, "Cu"))[2:]
    assert [(row[0], row[3], row[5]) for row in rows] == [
        (f"`{descriptor}`", f"`{regressor}`", f"{k + 1}.00") for k, (descriptor, regressor) in enumerate(models)
    ]


def test_text_goes_between_the_lines(tmp_path):
    readme = tmp_path / "README.md"
    readme.write_text(f"# Ünïcode\n\n{BEGIN}\nold\n{END}\n\nrest\n", encoding="utf-8")
    write_between(readme, "new\nlines\n")
    expected = f"# Ünïcode\n\n{BEGIN}\n\nnew\nlines\n\n{END}\n\nrest\n"
    assert readme.read_text(encoding="utf-8") == expected
    write_between(readme, "new\nlines\n")
    assert readme.read_text(encoding="utf-8") == expected
    assert list(tmp_path.iterdir()) == [readme]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("nothing", "0 times and .* 0 times"),
        (f"{BEGIN}\n", "1 times and .* 0 times"),
        (f"{END}\n{BEGIN}\n", "1 times and .* 1 times"),
        (f"{BEGIN}\n{END}\n{BEGIN}\n{END}\n", "2 times and .* 2 times"),
    ],
)
def test_a_readme_without_the_lines_stays_as_it_is(tmp_path, text, found):
    readme = tmp_path / "README.md"
    readme.write_text(text)
    with pytest.raises(DataError, match=f"README.md: expected the lines .* found .*{found}"):
        write_between(readme, "new")
    assert readme.read_text() == text


def test_a_readme_that_is_not_there(tmp_path):
    with pytest.raises(DataError, match="no such file"):
        write_between(tmp_path / "README.md", "new")
