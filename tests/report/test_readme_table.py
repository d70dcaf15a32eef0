"""The table of the README: each run writes its own columns and leaves those of others."""

import numpy as np
import pandas as pd
import pytest

from vibentropy.errors import DataError
from vibentropy.report.readme_table import errors_of_run, load_errors, side_by_side, write_table
from vibentropy.report.results_table import BEGIN, END

COSTS = pd.DataFrame(
    {"descriptor": ["afs", "waves", "moments"], "needs_potential": [False, False, True], "cpu_us_per_atom": 1.0}
)


def run(name, errors, tests=("extrapolation",), element="Fe"):
    """Errors of a run: by model its mean absolute errors, held out and tested, and the number of held-out cells."""
    rows = [
        {"descriptor": descriptor, "regressor": regressor, "split": "groups", "n_features": 33, "n_selected": 33}
        | {"cross_validation_mae": held_out, "cross_validation_rmse": 2 * held_out, "cross_validation_n": n}
        | {f"{test}_{error}": value for test in tests for error, value in [("mae", tested), ("rmse", 9.0), ("n", 122)]}
        for (descriptor, regressor), (held_out, tested, n) in errors.items()
    ]
    return errors_of_run(
        pd.DataFrame(rows), COSTS, ["extrapolation", "large"], run=name, command=f"make {name}", element=element
    )


@pytest.fixture
def embedded():
    errors = {("moments", "ridge"): (0.2, 0.9, 1633), ("afs", "ridge"): (0.67, 5.98, 1633)}
    return run("EAM", errors | {("afs", "bayes"): (0.66, 6.09, 1633)}, ["extrapolation", "large"])


@pytest.fixture
def modified():
    return run("MEAM", {("afs", "ridge"): (0.55, 6.1, 541), ("waves", "ridge"): (0.9, np.nan, 100)})


def cells(page):
    lines = [line for line in page.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def test_runs_stand_side_by_side_with_the_best_regressor_of_each(embedded, modified):
    page = side_by_side([embedded, modified], "docs/errors")
    header, rule, *rows = cells(page)
    assert header == [
        *("descriptor", "needs", "features"),
        *("EAM: held out", "extrapolation", "large", "MEAM: held out", "extrapolation"),
    ]
    assert {len(row) for row in (header, rule, *rows)} == {8}
    assert rows[0] == ["`afs`", "positions", "33", "0.66", "6.09", "6.09", "0.55", "6.10"]
    # Fewer cells are said, tests that a model does not have are left out, and so are models of other runs.
    assert rows[1] == ["`waves`", "positions", "33", "", "", "", "0.90 (n = 100)", ""]
    assert rows[2] == ["`moments`", "positions, potential", "33", "0.20", "0.90", "0.90", "", ""]
    assert "Held out: 1633 (EAM) and 541 (MEAM) training minima" in page
    assert "Extrapolation: 122 (EAM) and 122 (MEAM) cells" in page
    assert "Large: 122 (EAM) cells" in page
    assert "[EAM](docs/errors/EAM.csv) and [MEAM](docs/errors/MEAM.csv)." in page
    assert page.endswith("Printed by `make EAM` and `make MEAM`.\n")


def test_published_errors_stand_in_the_columns_of_their_potential(embedded, modified):
    rows = {row[0]: row[3:] for row in cells(side_by_side([embedded, modified], "docs/errors"))}
    assert rows["*A_{3,10}, as published*"] == ["", "", "", "*0.18*", "*0.98*"]
    assert rows["*solid harmonic scattering, as published*"] == ["", "", "", "*0.48*", ""]
    for others in ([embedded], [run("MEAM", {("afs", "ridge"): (1.0, 1.0, 5)}, element="Cu")]):
        assert "as published" not in side_by_side(others, "errors")
        assert "Lapointe" not in side_by_side(others, "errors")


def test_numbers_of_features_that_differ_are_both_said(embedded, modified):
    page = side_by_side([embedded, modified.assign(n_features=34)], "errors")
    assert cells(page)[2][2] == "33 or 34"


def test_the_honest_split_is_shown(modified):
    leaky = modified.assign(split="shuffled", cross_validation_mae=0.01)
    page = side_by_side([pd.concat([leaky, modified], ignore_index=True)], "errors")
    assert cells(page)[2][3] == "0.55"
    assert "which keep trajectories together" in page
    assert "which keep trajectories together" not in side_by_side([leaky], "errors")


def test_neither_run_destroys_what_the_other_wrote(embedded, modified, tmp_path):
    readme, folder = tmp_path / "README.md", tmp_path / "docs/errors"
    readme.write_text(f"# Mine\n\n{BEGIN}\n{END}\n\nmore\n", encoding="utf-8")
    for number, runs in enumerate(([embedded], [embedded, modified], [embedded, modified]), start=1):
        own = embedded if number != 2 else modified
        write_table(own, readme, folder)
        text = readme.read_text(encoding="utf-8")
        assert text == f"# Mine\n\n{BEGIN}\n\n{side_by_side(runs, folder)}\n{END}\n\nmore\n"
    assert sorted(path.name for path in folder.iterdir()) == ["EAM.csv", "MEAM.csv"]
    # A file holds all that the table is made of.
    pd.testing.assert_frame_equal(load_errors(folder / "EAM.csv"), embedded, check_dtype=False)


def test_nothing_is_written_where_something_is_wrong(embedded, modified, tmp_path):
    readme, folder = tmp_path / "README.md", tmp_path / "results"
    readme.write_text("# Mine\n")
    with pytest.raises(DataError, match="begin results"):
        write_table(embedded, readme, folder)
    assert not folder.exists()
    readme.write_text(f"{BEGIN}\n{END}\n")
    folder.mkdir()
    (folder / "EAM.csv").write_text("a,b\n1,2\n")
    with pytest.raises(DataError, match="not a table of the errors of a run"):
        write_table(modified, readme, folder)
    assert readme.read_text() == f"{BEGIN}\n{END}\n"
    # What it replaces itself may be broken.
    write_table(embedded, readme, folder)
    assert len(load_errors(folder / "EAM.csv")) == 3
