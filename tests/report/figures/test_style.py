"""Figures look the same wherever they are made, and leave no trace in the process."""

import itertools

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest
from drawn import CLASSES
from matplotlib.colors import to_rgb

from vibentropy.report import figures
from vibentropy.report.figures.cost_and_error import KINDS
from vibentropy.report.figures.predictions import parity_figure
from vibentropy.report.figures.reliability import METHOD_STYLES
from vibentropy.report.figures.style import AREAS, DOUBLE, class_styles, lay_out, save_figure


def luminance(color):
    return np.dot(to_rgb(color), [0.2126, 0.7152, 0.0722])


def test_classes_have_one_style_in_all_figures():
    styles = class_styles(CLASSES)
    assert len({tuple(style.values()) for style in styles.values()}) == 8
    for kind in "IV":
        tones = [luminance(styles[f"{kind}{n}"]["color"]) for n in range(1, 5)]
        assert all(darker < 0.8 * lighter for lighter, darker in itertools.pairwise(tones))
        assert tones[0] < 0.7
    assert class_styles(["V3"]) == {"V3": styles["V3"]}
    assert class_styles(["I7"])["I7"] == styles["I4"]
    several = class_styles(["I2+V1", "V1+V1", "4xI2", "2xI2+V1", "split", "crowdion"])
    assert len({tuple(style.values()) for style in several.values()}) == 3
    assert several["I2+V1"] == several["4xI2"] == several["2xI2+V1"]


def test_classes_of_alloys_can_be_told_apart():
    names = [f"{v}V_Fe+{p}P_Fe" for v in range(1, 5) for p in range(1, 7)]
    assert len({tuple(style.values()) for style in class_styles(names).values()}) == len(names)
    assert {style["marker"] for style in class_styles(names).values()} <= set(AREAS)


@pytest.mark.usefixtures("placed")
def test_panels_lie_where_drawing_would_place_them():
    """Inside the figure, with their labels, and beside a legend."""

    def crowded():
        figure, panels = plt.subplots(1, 2, layout="constrained", figsize=(5, 2))
        for axes in panels:
            axes.plot([0, 1e6], [0, 1e7])
            axes.set_ylabel("two\nlines")
        figure.legend(["one"], loc="outside lower center")
        return figure

    laid_out, drawn = crowded(), crowded()
    before = [axes.get_position().bounds for axes in laid_out.axes]
    lay_out(laid_out)
    for axes in drawn.axes:
        axes.lines[0].set_in_layout(False)
    for _ in range(3):
        drawn.draw_without_rendering()
    places, expected = ([axes.get_position().bounds for axes in figure.axes] for figure in (laid_out, drawn))
    np.testing.assert_allclose(places, expected, atol=1e-9)
    assert np.abs(np.subtract(places, before)).max() > 0.05
    # And they stay there.
    laid_out.axes[0].set_ylabel("three\nlonger\nlines")
    laid_out.draw_without_rendering()
    assert [axes.get_position().bounds for axes in laid_out.axes] == places
    plt.close(laid_out)
    plt.close(drawn)


def test_files_are_reproducible_and_undated(make, tmp_path):
    names = ["parity.pdf", "parity.png", "parity.svg"]
    predictions = make([("afs", "ridge"), ("afs", "bayes")])
    with mpl.rc_context({"font.size": 30, "savefig.dpi": 20, "axes.grid": True}):
        save_figure(parity_figure(predictions), *[tmp_path / "a" / name for name in names])
    # In another order, and from other settings of the process.
    save_figure(parity_figure(predictions), *[tmp_path / "b" / name for name in reversed(names)])
    for name in names:
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()
    assert sorted(path.name for path in (tmp_path / "a").iterdir()) == names
    assert b"CreationDate" not in (tmp_path / "a/parity.pdf").read_bytes()
    assert b"dc:date" not in (tmp_path / "a/parity.svg").read_bytes()
    assert (tmp_path / "a/parity.pdf").read_bytes().startswith(b"%PDF")
    width = int.from_bytes((tmp_path / "a/parity.png").read_bytes()[16:20], "big")
    assert width == 300 * DOUBLE


def test_many_points_become_an_image(make, tmp_path, monkeypatch):
    predictions = make()
    save_figure(parity_figure(predictions), tmp_path / "vector.pdf")
    monkeypatch.setattr(figures.predictions, "MAX_VECTOR_POINTS", 9)
    save_figure(parity_figure(predictions), tmp_path / "image.pdf")
    assert b"/Subtype /Image" not in (tmp_path / "vector.pdf").read_bytes()
    assert b"/Subtype /Image" in (tmp_path / "image.pdf").read_bytes()


def test_settings_of_the_process_stay(make, tmp_path):
    def settings():
        return {name: mpl.rcParams[name] for name in mpl.rcParams if name != "backend"}  # looking that up chooses one

    before = settings()
    save_figure(parity_figure(make()), tmp_path / "parity.png")
    assert settings() == before


def vision(matrix):
    """Colours in CIELAB as eyes see them whose cones answer to linear RGB with a matrix."""

    def seen(color):
        value = np.array(to_rgb(color))
        linear = np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)
        linear = np.clip(np.reshape(matrix, (3, 3)) @ linear, 0, 1)
        xyz = [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]] @ linear
        f = np.cbrt(np.maximum(xyz / [0.9505, 1, 1.089], 0.008856))
        return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])

    return seen


#: Machado, Oliveira and Fernandes, IEEE Trans. Vis. Comput. Graph. 15, 1291 (2009), at full severity.
VISIONS = {
    "usual": np.eye(3),
    "protanopia": [0.152286, 1.052583, -0.204868, 0.114503, 0.786281, 0.099216, -0.003882, -0.048116, 1.051998],
    "deuteranopia": [0.367322, 0.860646, -0.227968, 0.280085, 0.672501, 0.047413, -0.011820, 0.042940, 0.968881],
    "tritanopia": [1.255528, -0.076749, -0.178779, -0.078411, 0.930809, 0.147602, 0.004733, 0.691367, 0.303900],
}


@pytest.mark.parametrize("matrix", VISIONS.values(), ids=VISIONS)
def test_colours_survive_colour_blindness(matrix):
    lab = vision(matrix)

    def nearest(colors):
        return min(np.linalg.norm(lab(a) - lab(b)) for a, b in itertools.combinations(colors, 2))

    # Ten is about where colours side by side are told apart without effort.
    assert nearest(figures.style.COLORS) > 20
    assert nearest([style["color"] for style in METHOD_STYLES.values()]) > 20
    assert nearest([style["color"] for style in KINDS.values()]) > 20
    classes = class_styles([*CLASSES, "I2+V1"])
    assert nearest([style["color"] for style in classes.values()]) > 13
    # Larger clusters are darker for everybody.
    for kind in "IV":
        lightness = [lab(classes[f"{kind}{n}"]["color"])[0] for n in range(1, 5)]
        assert lightness == sorted(lightness, reverse=True)
