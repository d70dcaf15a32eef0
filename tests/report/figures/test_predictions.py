"""Predictions against exact entropies, drawn."""

import itertools

import numpy as np
import pandas as pd
import pytest
from drawn import CLASSES, corner, legend, points
from matplotlib.collections import LineCollection

from vibentropy.errors import DataError
from vibentropy.evaluation.metrics import error_metrics, named_tests
from vibentropy.report import figures
from vibentropy.report.figures.predictions import extrapolation_figure, parity_figure, published_figure
from vibentropy.report.figures.style import DOUBLE, SINGLE
from vibentropy.sources.reference_work import REPORTED_ERRORS

pytestmark = pytest.mark.usefixtures("unplaced")


def test_parity_of_one_model(make):
    figure = parity_figure(make())
    (axes,) = figure.axes
    assert figure.get_figwidth() == SINGLE
    entries = [f"{name} ({250 + extra} atoms)" for name, extra in CLASSES.items()]
    assert legend(axes) == entries
    assert points(axes) == dict.fromkeys(entries, 10)
    assert corner(axes) == ["RMSE 1.00$\\,k_\\mathrm{B}$\nMAE 1.00$\\,k_\\mathrm{B}$"]
    assert axes.get_xlim() == axes.get_ylim()
    (diagonal,) = axes.lines
    np.testing.assert_array_equal(diagonal.get_xdata(), diagonal.get_ydata())
    assert "exact" in axes.get_xlabel()
    assert "predicted" in axes.get_ylabel()


def test_panels_say_of_how_many_cells_they_are_where_that_differs(make):
    predictions = pd.concat([make().assign(descriptor="a"), make().assign(descriptor="b")], ignore_index=True)
    few = predictions.drop(predictions[predictions["descriptor"] == "b"].index[:3])
    assert len({len(rows) for _, rows in few[few["stage"] == "cross-validation"].groupby("descriptor")}) == 2
    counts = few[few["stage"] == "cross-validation"].groupby("descriptor").size()
    panels = [axes for axes in parity_figure(few).axes if corner(axes)]
    assert [corner(axes)[0].splitlines()[0] for axes in panels] == [f"{n} cells" for n in counts]
    assert not any("cells" in corner(axes)[0] for axes in parity_figure(predictions).axes if corner(axes))


def test_parity_draws_prediction_over_truth(make):
    predictions = make()
    (axes,) = parity_figure(predictions).axes
    drawn = np.concatenate([c.get_offsets() for c in axes.collections])
    rows = predictions[predictions["stage"] == "cross-validation"]
    np.testing.assert_array_equal(drawn, rows[["formation_entropy", "prediction"]])
    assert (drawn.min() > axes.get_xlim()[0]) & (drawn.max() < axes.get_xlim()[1])


def test_parity_of_test_cells_has_several_clusters_as_one_class(make):
    (axes,) = parity_figure(make(), stage="test").axes
    assert points(axes) == {"several clusters (430–1025 atoms)": 24}


def test_legend_with_two_sizes_and_a_class_without_a_name(make):
    predictions = make().replace({"defect_class": {"I1": "", "V1": "I2"}})
    (axes,) = parity_figure(predictions).axes
    assert legend(axes)[:2] == ["unnamed (251 atoms)", "I2 (249, 252 atoms)"]


@pytest.mark.usefixtures("placed")
@pytest.mark.parametrize(
    ("draw", "descriptors", "regressors", "shape"),
    [
        (parity_figure, "a", "rb", (1, 2)),
        (parity_figure, "abc", "rb", (2, 3)),
        (extrapolation_figure, "a", "rb", (1, 2)),
        (extrapolation_figure, "abcde", "r", (2, 3)),
    ],
)
def test_one_panel_for_each_model(make, draw, descriptors, regressors, shape):
    models = [(d, r) for d in descriptors for r in regressors]
    figure = draw(make(models))
    mains = [axes for axes in figure.axes if axes.get_title()]
    assert [axes.get_title() for axes in mains] == [f"{d}, {r}" for r in regressors for d in descriptors]
    assert len(figure.axes) == len(models) * (2 if draw is extrapolation_figure else 1)
    assert figure.get_figwidth() == DOUBLE
    boxes = [axes.get_position() for axes in mains]
    assert len({round(box.y0, 4) for box in boxes}) == shape[0]
    assert len({round(box.x0, 4) for box in boxes}) == shape[1]
    # Everything is within the figure, titles included.
    for axes in figure.axes:
        box = axes.get_tightbbox().transformed(figure.transFigure.inverted())
        assert min(box.x0, box.y0) > -0.002
        assert max(box.x1, box.y1) < 1.002
    (shared,) = figure.legends
    assert len(shared.get_texts()) == (4 if draw is extrapolation_figure else 8)
    exact = [axes for axes in figure.axes if axes.get_xlabel()]
    assert len(exact) == shape[1]


def test_one_panel_for_each_split(make):
    predictions = make([("afs", "ridge"), ("afs", "bayes")])
    held_out = predictions[predictions["stage"] == "cross-validation"]
    shuffled = held_out.assign(split="shuffled", prediction=held_out["formation_entropy"] + 0.25)
    both = pd.concat([predictions, shuffled])
    figure = parity_figure(both)
    titles = [axes.get_title() for axes in figure.axes]
    assert titles == [
        f"afs, {regressor}\n({split})"
        for regressor in ("ridge", "bayes")
        for split in ("trajectories together", "shuffled, leaky")
    ]
    errors = [corner(axes)[0].split("$")[0] for axes in figure.axes]
    assert errors == ["RMSE 1.00", "RMSE 0.25"] * 2
    assert len({round(axes.get_position().x0, 4) for axes in figure.axes}) == 2
    # Another split than the grouped one is named even if it is alone.
    (axes,) = parity_figure(shuffled[shuffled["regressor"] == "ridge"]).axes
    assert axes.get_title() == "afs, ridge\n(shuffled, leaky)"
    main, *_ = extrapolation_figure(shuffled).axes
    assert "250 sites, training (held out, shuffled, leaky)" in points(main)
    # The other figure is of grouped folds alone, whatever the order.
    for order in (both, pd.concat([shuffled, predictions])):
        main, *_ = extrapolation_figure(order).axes
        assert points(main)["250 sites, training (held out)"] == 80


def test_classes_missing_from_the_first_model_are_in_the_legend(make):
    predictions = make([("a", "r"), ("b", "r")])
    predictions = predictions[(predictions["descriptor"] == "b") | (predictions["defect_class"] != "V4")]
    (shared,) = parity_figure(predictions).legends
    assert len(shared.get_texts()) == 8


def test_extrapolation_of_one_model(make):
    predictions = make()
    main, residual = extrapolation_figure(predictions).axes
    entries = {"250 sites, training (held out)": 80, "432 sites, large_432": 12, "1024 sites, large_1024": 12}
    for axes in (main, residual):
        assert points(axes) == entries
    assert legend(main) == ["range of training", *entries]
    assert corner(main) == [
        "test cells\nRMSE 2.00$\\,k_\\mathrm{B}$\nMAE 2.00$\\,k_\\mathrm{B}$\nslope " + slope(predictions)
    ]
    shaded = main.patches[0]
    training = predictions.loc[predictions["role"] == "train", "formation_entropy"]
    np.testing.assert_allclose([shaded.get_x(), shaded.get_width()], [training.min(), np.ptp(training)])
    drawn = np.concatenate([c.get_offsets() for c in residual.collections])
    np.testing.assert_allclose(np.abs(drawn[:, 1]), [1.0] * 80 + [2.0] * 24)
    assert residual.get_ylim() == pytest.approx((-2.3, 2.3))
    assert main.get_xlim() == residual.get_xlim()


def slope(predictions):
    test = predictions[predictions["stage"] == "test"]
    x, y = test["formation_entropy"], test["prediction"]
    return f"{(x * y).sum() / (x * x).sum():.3f}"


@pytest.mark.parametrize(("std", "bars"), [(0.5, 2), (np.nan, 0)])
def test_bars_where_there_is_a_standard_deviation(make, std, bars):
    for axes in extrapolation_figure(make(std=std)).axes:
        drawn = [c for c in axes.collections if isinstance(c, LineCollection)]
        assert len(drawn) == bars
        for collection in drawn:
            np.testing.assert_allclose([np.ptp(bar[:, 1]) for bar in collection.get_segments()], 2 * 0.5)


def test_extrapolation_without_held_out_or_test_cells(make):
    main, _ = extrapolation_figure(make(stage="training")).axes
    assert "250 sites, training (fitted)" in points(main)
    predictions = make()
    main, _ = extrapolation_figure(predictions[predictions["stage"] != "test"]).axes
    assert corner(main)[0].startswith("training cells\nRMSE 1.00")
    assert set(points(main)) == {"250 sites, training (held out)"}


def test_a_test_set_has_the_same_colour_alone(make):
    predictions = make()
    colors = {
        tuple(tests): {c.get_label(): tuple(c.get_facecolor()[0]) for c in axes.collections if len(c.get_facecolor())}
        for tests in (["large_432", "large_1024"], ["large_1024"])
        for axes in extrapolation_figure(predictions, {"a test": tests}).axes[:1]
    }
    both, alone = colors.values()
    assert len(both) == 3
    assert alone == {name: color for name, color in both.items() if "432" not in name}


def test_many_test_sets_share_colours(make):
    predictions = make()
    test = predictions["stage"] == "test"
    predictions.loc[test, "dataset"] = [f"set {k % 12:02d}" for k in range(test.sum())]
    main, _ = extrapolation_figure(predictions).axes
    assert list(points(main).values()) == [80, *[2] * 12]


def test_unknown_sizes_are_not_named(make):
    main, _ = extrapolation_figure(make().assign(n_sites=-1)).axes
    assert points(main) == {"training (held out)": 80, "large_1024": 12, "large_432": 12}


def test_nothing_to_draw_is_refused(make):
    predictions = make()
    with pytest.raises(DataError, match="no predictions of stage 'training' to draw, but test"):
        extrapolation_figure(predictions[predictions["stage"] == "test"])
    with pytest.raises(DataError, match="no predictions of stage 'cross-validation' to draw, but none at all"):
        parity_figure(predictions[:0])


def test_of_many_models_the_best_of_each_descriptor_are_drawn(make):
    models = [(descriptor, regressor) for descriptor in "abcdefghij" for regressor in ("ridge", "bayes")]
    predictions = make(models)
    # Ridge is better but for the last two descriptors; j is the worst of all.
    off = predictions["descriptor"].map("abcdefghij".index) / 10 + 2 * (predictions["descriptor"] == "j")
    worse = (predictions["regressor"] == "ridge") == predictions["descriptor"].isin(["i", "j"])
    predictions["prediction"] = predictions["formation_entropy"] + off + worse
    expected = [(d, "bayes" if d == "i" else "ridge") for d in "abcdefghi"]
    assert figures.style.models_with_room(predictions, 9) == expected
    # Where there is room, what comes next joins them, all in the order of the table.
    assert figures.style.models_with_room(predictions, 11) == [models[0], models[1], *expected[1:], ("j", "bayes")]
    assert figures.style.models_with_room(predictions, 20) == models
    figure = parity_figure(predictions)
    assert sorted(axes.get_title() for axes in figure.axes) == sorted(", ".join(model) for model in expected)
    # A page of a journal.
    assert figure.get_figheight() < 9.5


def test_one_bad_model_does_not_hide_the_others(make):
    predictions = make([("a", "r"), ("b", "r"), ("bad", "r")])
    bad = (predictions["descriptor"] == "bad") & (predictions["stage"] == "test")
    predictions.loc[bad, "prediction"] += np.where(np.arange(bad.sum()) < 5, 5000.0, -20.0)
    figure = extrapolation_figure(predictions)
    mains, errors = figure.axes[:3], figure.axes[3:]
    # Exact entropies are between 0 and 60 k_B.
    assert np.ptp(mains[0].get_ylim()) < 120
    assert errors[0].get_ylim() == pytest.approx((-6.9, 6.9))
    # What is beyond the frame is a tick at its edge, and counted.
    assert "\n5 beyond" in corner(mains[2])[0]
    assert "beyond" not in corner(mains[0])[0]
    for axes, count in ((mains[2], 5), (errors[2], 24), (mains[0], 0)):
        ticks = np.concatenate([[], *(line.get_ydata() for line in axes.lines if line.get_marker() == "|")])
        assert len(ticks) == count
        assert set(ticks) <= set(axes.get_ylim())


def test_eight_models_fit_a_page(make):
    models = list(itertools.product(["a", "b", "c", "d"], ["ridge", "ard"]))
    assert extrapolation_figure(make(models)).get_figheight() < 10


def test_numbers_of_a_figure_are_those_of_the_tests_of_the_table(make):
    predictions = make()
    predictions.loc[predictions["dataset"] == "large_1024", "prediction"] += 7.0
    tests = {"extrapolation": ["large_432"], "very_large": ["large_1024"]}
    rows = named_tests(predictions, tests)
    expected = {
        name: error_metrics(*rows.loc[rows["test"] == name, ["formation_entropy", "prediction"]].to_numpy().T)
        for name in tests
    }
    main, _ = extrapolation_figure(predictions, tests).axes
    assert corner(main) == [
        "MAE, slope\n"
        + "\n".join(
            f"{name.replace('_', ' ')} {row['mae']:.2f}$\\,k_\\mathrm{{B}}$, {row['slope']:.3f}"
            for name, row in expected.items()
        )
    ]
    # One test alone: nothing of others is drawn or counted.
    main, _ = extrapolation_figure(predictions, {"extrapolation": ["large_432"]}).axes
    assert corner(main)[0].startswith("extrapolation\nRMSE 2.00")
    assert not any("large_1024" in name for name in points(main))


def test_two_bad_cells_do_not_flatten_the_axes(make):
    predictions = make()
    held_out = predictions.index[predictions["stage"] == "cross-validation"]
    predictions.loc[held_out[:2], "prediction"] = [100.0, -100.0]
    (parity,) = parity_figure(predictions).axes
    assert np.ptp(parity.get_ylim()) < 30
    assert corner(parity)[0].endswith("\n2 beyond the axes")
    ticks = np.concatenate([line.get_ydata() for line in parity.lines if line.get_marker() == "|"])
    assert sorted(ticks) == sorted(parity.get_ylim())
    main, residual = extrapolation_figure(predictions).axes
    assert main.get_ylim()[0] > -10
    assert residual.get_ylim()[1] < 10
    assert corner(main)[0].endswith("\n2 beyond the axes\n2 errors beyond the axes")
    # Words would lie on points there.
    assert corner(residual) == []
    # Errors of few cells, or of all alike, are no outliers.
    few = predictions.loc[held_out[:4]]
    assert parity_figure(few).axes[0].get_ylim()[1] > 100


def test_the_figure_of_the_article_has_its_classes_range_and_errors(make):
    predictions = make([("mine", "ridge"), ("waves", "ridge")])
    published = dict(zip(("mine", "waves"), REPORTED_ERRORS, strict=True))
    parity, larger, waves = published_figure(predictions, published, ["large_432", "large_1024"]).axes
    entries = [f"{name} ({250 + extra} atoms)" for name, extra in CLASSES.items() if name in ("I2", "I3", "I4", "V4")]
    assert list(points(parity)) == list(points(waves)) == entries
    unit = "$\\,k_\\mathrm{B}$"
    assert corner(parity) == [f"MAE 1.00{unit} (0.18)\nRMSE 1.00{unit} (0.30)\n40 cells"]
    assert corner(waves) == [f"MAE 1.00{unit} (0.48)\nRMSE 1.00{unit} (0.70)\n40 cells"]
    tested = predictions[(predictions["stage"] == "test") & (predictions["descriptor"] == "mine")]
    n = tested["formation_entropy"].between(10, 250).sum()
    assert 0 < n < len(tested)
    assert corner(larger) == [f"MAE 2.00{unit} (0.98)\nRMSE 2.00{unit} (1.53)\n{n} cells"]
    assert [axes.get_title() for axes in (parity, larger, waves)] == [
        "$A_{3,10}$\nheld out",
        "$A_{3,10}$\nextrapolation",
        "solid harmonic scattering\nheld out",
    ]
    assert parity.get_xlim() == waves.get_ylim() != larger.get_xlim()
    # Without larger cells there is no panel of them, and without the classes no figure.
    assert len(published_figure(predictions, published).axes) == 2
    with pytest.raises(DataError, match="I2, I3, I4, V4"):
        published_figure(predictions[predictions["defect_class"] == "I1"], published)
