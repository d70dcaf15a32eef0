"""Models side by side: cost, table, front, figure."""

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.colors import to_hex

from vibentropy.descriptors import create
from vibentropy.errors import DataError, StructureError
from vibentropy.files.tables import save_table
from vibentropy.report.figures.cost_and_error import cost_and_error_figure
from vibentropy.report.figures.style import DOUBLE
from vibentropy.studies.cost_and_error import comparison_table, describe_cost, pareto_front

TESTS = ["extrapolation", "strained"]


class Counted:
    """Takes a second for each atom, a minute more the first time, and refuses what has chromium."""

    needs_potential = False

    def __init__(self):
        self.now, self.calls = 0.0, 0

    def clock(self):
        return self.now

    def total(self, atoms):
        self.now += len(atoms) + 60 * (self.calls == 0)
        self.calls += 1
        if "Cr" in atoms.symbols:
            raise StructureError("chromium")


def test_cost_is_per_atom_and_leaves_out_start_up(iron_crystal):
    descriptor = Counted()
    (row,) = describe_cost("counted", descriptor, [iron_crystal(n) for n in (1, 2, 3)], descriptor.clock).to_dict(
        "records"
    )
    assert row == {"descriptor": "counted", "needs_potential": False, "cpu_us_per_atom": 1e6}
    assert descriptor.calls == 4


def test_cost_without_what_is_refused(iron_crystal):
    descriptor = Counted()
    bad = iron_crystal(2)
    bad.symbols[3] = "Cr"
    assert describe_cost("x", descriptor, [bad, iron_crystal(1)], descriptor.clock)["cpu_us_per_atom"].item() == 1e6
    for frames in ([bad], []):
        assert np.isnan(describe_cost("x", descriptor, frames, descriptor.clock)["cpu_us_per_atom"].item())


def test_cost_of_a_real_descriptor_in_processor_time(iron_crystal):
    row = describe_cost("moments", create("hessian_moments", max_order=2), [iron_crystal(3)]).iloc[0]
    assert row["needs_potential"]
    assert 0 < row["cpu_us_per_atom"] < 1e6


@pytest.fixture
def summary():
    """Two splits; errors of each named test."""
    rows = [
        ("soap", "ridge", 0.5, 1.2),
        ("soap", "bayes", 0.4, 1.3),
        ("hessian", "ridge", 0.1, 0.2),
        ("afs", "r", 0.3, 2),
    ]
    table = pd.DataFrame(rows, columns=["descriptor", "regressor", "cross_validation_mae", "extrapolation_mae"])
    table["cross_validation_rmse"] = 2 * table["cross_validation_mae"]
    table = table.assign(extrapolation_rmse=3.0, extrapolation_slope=1.01, strained_mae=[4.0, 3.0, 2.0, 1.0])
    # As in files, where a model may lack a test.
    table = table.assign(cross_validation_n=[1633.0, 1633.0, 1600.0, 1633.0], extrapolation_n=[122, 122, np.nan, 121])
    table["n_features"] = [252, 252, 4, 33]
    table["n_selected"] = [252, 252, 4, 12]
    leaky = table.assign(cross_validation_mae=0.01)
    return pd.concat([leaky.assign(split="shuffled"), table.assign(split="groups")], ignore_index=True)


@pytest.fixture
def descriptors():
    return pd.DataFrame(
        {
            "descriptor": ["afs", "hessian", "soap"],
            "needs_potential": [False, True, False],
            "cpu_us_per_atom": [12.0, 300.0, 80.0],
        }
    )


def test_table_is_of_grouped_folds_and_keeps_kinds_apart(summary, descriptors, tmp_path):
    table = comparison_table(summary, descriptors, TESTS)
    assert list(table["descriptor"]) == ["afs", "soap", "soap", "hessian"]
    assert list(table["regressor"]) == ["r", "bayes", "ridge", "ridge"]
    assert set(table["split"]) == {"groups"}
    assert list(table["n_features"]) == [33, 252, 252, 4]
    assert list(table["n_selected"]) == [12, 252, 252, 4]
    assert list(table["cross_validation_mae"]) == [0.3, 0.4, 0.5, 0.1]
    assert list(table.columns[-5:]) == [
        *(f"extrapolation_{name}" for name in ("n", "mae", "rmse", "slope")),
        "strained_mae",
    ]
    assert list(table["cross_validation_n"]) == [1633, 1633, 1633, 1600]
    assert list(table["extrapolation_n"].fillna(-1)) == [121, 122, 122, -1]
    save_table(table, tmp_path / "comparison.csv")
    assert "1600" in (tmp_path / "comparison.csv").read_text()
    assert "1600.0" not in (tmp_path / "comparison.csv").read_text()


def test_table_of_another_split_where_none_is_grouped(summary, descriptors):
    table = comparison_table(summary[summary["split"] == "shuffled"], descriptors, [])
    assert set(table["split"]) == {"shuffled"}
    assert not [name for name in table if name.startswith("extrapolation")]


PAIRS = st.lists(st.tuples(st.integers(1, 6), st.integers(1, 6)), max_size=12)


@given(PAIRS)
def test_front_is_what_nothing_beats(pairs):
    """Against the definition, all pairs with all others."""
    front = pareto_front([cost for cost, _ in pairs], [error for _, error in pairs])
    beaten = [any(c <= cost and e <= error and (c, e) != (cost, error) for c, e in pairs) for cost, error in pairs]
    assert {pairs[k] for k in front} == {pair for pair, worse in zip(pairs, beaten, strict=True) if not worse}
    assert all(pairs[a][0] < pairs[b][0] and pairs[a][1] > pairs[b][1] for a, b in pairwise(front))


def test_front_leaves_out_what_is_not_known():
    assert list(pareto_front([1, np.nan, 2], [3, 1, np.nan])) == [0]


@pytest.mark.usefixtures("unplaced")
def test_figure_numbers_models_and_draws_a_front_for_each_kind(summary, descriptors):
    table = comparison_table(summary, descriptors, TESTS)
    # Two more of positions alone, which all others beat.
    worse = table.iloc[:2].assign(descriptor=["x", "y"], cpu_us_per_atom=1e4, n_selected=999)
    worse = worse.assign(cross_validation_mae=[7.0, 8.0], extrapolation_mae=9.0)
    table = pd.concat([table, worse], ignore_index=True)
    figure = cost_and_error_figure(table, TESTS[:1])
    assert figure.get_figwidth() == DOUBLE
    assert len(figure.axes) == 4
    # The better of two models of one descriptor, in all panels.
    for axes, errors in zip(figure.axes, [[0.3, 0.4, 7, 8, 0.1]] * 2 + [[2.0, 1.3, 9, 9, 0.2]] * 2, strict=True):
        assert [text.get_text() for text in axes.texts] == ["1", "2", "4", "5", "3"]
        np.testing.assert_allclose([c.get_offsets()[0, 1] for c in axes.collections], errors)
        assert {to_hex(line.get_color()) for line in axes.lines} == {"#1f5fa8", "#b8400c"}
    names = [text.get_text() for text in figure.legends[0].get_texts()]
    assert names == ["1  afs, r", "2  soap, bayes", "3  hessian, ridge", "4  x, r", "5  y, bayes"]
    assert [axes.get_xlabel()[:6] for axes in figure.axes] == ["", "", "number", "cost p"]
    assert [axes.get_ylabel()[:12] for axes in figure.axes[::2]] == ["MAE, held ou", "MAE, extrapo"]


@pytest.mark.usefixtures("unplaced")
def test_few_models_are_named_and_have_no_front(summary, descriptors):
    table = comparison_table(summary, descriptors, TESTS)
    figure = cost_and_error_figure(table, TESTS[:1])
    for axes, errors in zip(figure.axes, [[0.3, 0.4, 0.1]] * 2 + [[2.0, 1.3, 0.2]] * 2, strict=True):
        assert [text.get_text() for text in axes.texts] == ["afs, r", "soap, bayes", "hessian, ridge"]
        np.testing.assert_allclose([c.get_offsets()[0, 1] for c in axes.collections], errors)
        assert list(axes.lines) == []
    (kinds,) = figure.legends
    assert [text.get_text() for text in kinds.get_texts()] == ["positions alone", "positions and potential"]


def test_key_of_many_models_is_within_the_figure(descriptors):
    rng = np.random.default_rng(0)
    names = [f"a_descriptor_of_some_kind_{k}" for k in range(25)]
    table = pd.DataFrame(
        {"descriptor": names, "regressor": "bayesian_ridge", "needs_potential": [False] * 15 + [True] * 10}
    )
    table["n_selected"], table["cpu_us_per_atom"], table["cross_validation_mae"] = rng.lognormal(size=(3, 25))
    figure = cost_and_error_figure(table)
    for legend in figure.legends:
        box = legend.get_window_extent().transformed(figure.transFigure.inverted())
        assert min(box.x0, box.y0) > -0.002
        assert max(box.x1, box.y1) < 1.002


def test_nothing_to_compare_is_refused(summary, descriptors):
    table = comparison_table(summary, descriptors, [])
    with pytest.raises(DataError, match="no models"):
        cost_and_error_figure(table[:0])
    with pytest.raises(DataError, match="extrapolation_mae"):
        cost_and_error_figure(table, ["extrapolation"])
