"""The interactive page of a run: which configurations, what is cut off, what stands in it, and how large it becomes."""

import base64
import gzip
import json
import re

import numpy as np
import pandas as pd
import pytest
from ase.build import bulk

from vibentropy.atoms.surroundings import Surroundings
from vibentropy.errors import DataError
from vibentropy.evaluation.predictions import PREDICTION_COLUMNS
from vibentropy.report import explorer
from vibentropy.report.explorer import shown_configurations, write_explorer
from vibentropy.report.viewer import viewer_files

CRYSTAL = bulk("Fe", "bcc", a=2.8553, cubic=True) * 6


def vacancy(*removed):
    """Cell without some atoms, a little displaced."""
    atoms = CRYSTAL.copy()
    del atoms[list(removed)]
    atoms.rattle(0.03, seed=len(removed))
    return atoms


def predictions(**models):
    """Six held-out cells by two splits and two of a test, with the same error in each of a model."""
    rows = []
    for model, error in models.items():
        for number, (stage, split) in enumerate(
            [("cross-validation", s) for s in ("chance", "groups")] + [("test", "")]
        ):
            for cell in range(2 if stage == "test" else 6):
                exact = 2.0 * cell + 1
                rows.append(
                    dict.fromkeys(PREDICTION_COLUMNS, np.nan)
                    | {"id": f"{'b' if stage == 'test' else 'a'}/{cell}", "dataset": "b" if stage == "test" else "a"}
                    | {"defect_class": f"V{cell}", "n_atoms": 431, "formation_entropy": exact, "stage": stage}
                    | {"split": split, "prediction": exact + error * (number + 1)}
                    | {"descriptor": "afs", "regressor": model}
                )
    return pd.DataFrame(rows)


# --- Which configurations --------------------------------------------------------------------------------------------


def test_every_cell_is_there_once_with_what_models_that_have_not_seen_it_predict():
    table = shown_configurations(predictions(lasso=1.0, ridge=-0.1))
    assert table["id"].tolist() == [f"a/{k}" for k in range(6)] + ["b/0", "b/1"]
    # The better one first; errors are those of whole groups, the second of the splits.
    assert list(table)[-2:] == ["afs/ridge", "afs/lasso"]
    errors = table["afs/ridge"] - table["formation_entropy"]
    np.testing.assert_allclose(errors, [-0.2] * 6 + [-0.3] * 2, atol=1e-12)
    # Without a prediction of one model it is there all the same.
    all_rows = predictions(ridge=0.1, lasso=1.0)
    fewer = all_rows[(all_rows["regressor"] == "ridge") | (all_rows["id"] == "b/1")]
    assert shown_configurations(fewer)["afs/lasso"].notna().sum() == 1


def test_of_many_cells_some_are_taken_evenly():
    assert shown_configurations(predictions(ridge=0.1), most=3)["id"].tolist() == ["a/0", "a/4", "b/1"]
    with pytest.raises(DataError, match="nothing to explore"):
        shown_configurations(predictions(ridge=0.1).assign(stage="training"))


def test_of_too_many_atoms_the_largest_cells_lose_theirs():
    assert explorer._longest([10, 20, 30], 60) == 30
    assert explorer._longest([10, 20, 30], 50) == 20
    assert explorer._longest([10, 30, 30], 40) == 15
    assert explorer._longest([10, 10], 4) == 2


# --- The page --------------------------------------------------------------------------------------------------------


def unpacked(page, name):
    """What a page holds in one of its compressed parts."""
    (text,) = re.findall(rf'<script type="text/plain" id="{name}">([^<]*)<', page.read_text(encoding="utf-8"))
    return gzip.decompress(base64.b64decode(text)).decode("utf-8")


def page_of(path, parts, shares=None, curves=None, **changed):
    table = pd.DataFrame(
        {
            "id": [f"a/{k}" for k in range(len(parts))],
            "dataset": "a<b",
            "defect_class": "V",
            "n_atoms": 431,
            "formation_entropy": 2.0 + np.arange(len(parts)),
            "stage": "test",
            "afs/ridge": 2.5 + np.arange(len(parts)),
            "formation_energy": np.nan,
        }
    ).assign(**changed)
    write_explorer(path, table, parts, shares or {}, element="Fe", source="vibentropy 0, seed 1", curves=curves)


def test_a_page_has_everything_in_it(tmp_path):
    pytest.importorskip("chemiscope")
    parts = [Surroundings.of(vacancy(*range(number))) for number in (1, 2, 0)]
    shares = {"share by afs/ridge": [np.linspace(-1, 1, len(part.index)) for part in parts]}
    shares["exact share"] = [None, np.full(len(parts[1].index), 0.25), None]
    page = tmp_path / "explorer.html"
    page_of(page, parts, shares)

    text = page.read_text(encoding="utf-8")
    assert "3 cells of Fe, predicted by models that have not seen them: a&lt;b (3)." in text
    assert "vibentropy 0, seed 1" in text
    assert "MIT License" in text  # of what chemiscope is made of
    assert unpacked(page, "viewer") == viewer_files()[0].read_text(encoding="utf-8")
    data = json.loads(unpacked(page, "data"))
    dataset, views = data["dataset"], data["views"]
    assert list(views) == ["Predicted against exact", "Errors against defects", "Shares of atoms"]
    values = {name: column["values"] for name, column in dataset["properties"].items()}
    assert values["error of afs/ridge"] == [0.5, 0.5, 0.5]
    assert values["vacancies"] == [1, 2, 0]
    # What nobody knows is not offered, and what some have not is no number.
    assert "formation energy" not in values
    sizes = [len(part.index) for part in parts]
    assert values["exact share"] == [None] * sizes[0] + [0.25] * sizes[1] + [None] * sizes[2]
    assert [structure["size"] for structure in dataset["structures"]] == sizes
    assert len(dataset["environments"]) == sum(sizes)
    assert [len(of["centers"]) for of in dataset["shapes"]["empty sites"]["parameters"]["structure"]] == [1, 2, 0]
    # Views name only what there is, and white is zero.
    for view in views.values():
        axes = view["map"]
        assert {axes[axis]["property"] for axis in "xy"} | {axes["color"]["property"]} <= set(values)
        assert view["structure"][0]["color"]["min"] == -view["structure"][0]["color"]["max"] < 0
    # The same page from the same data.
    page_of(tmp_path / "again.html", parts, shares)
    assert (tmp_path / "again.html").read_bytes() == page.read_bytes()


def test_a_page_without_shares_or_a_lattice(tmp_path):
    pytest.importorskip("chemiscope")
    melt = CRYSTAL.copy()
    melt.rattle(0.6, seed=1)
    page_of(tmp_path / "explorer.html", [Surroundings.of(melt)] * 2, {"exact share": [None, None]})
    data = json.loads(unpacked(tmp_path / "explorer.html", "data"))
    assert list(data["views"]) == ["Predicted against exact"]
    assert "point defects" not in data["dataset"]["properties"]


def test_learning_curves_are_on_the_page_if_there_are_some(tmp_path):
    pytest.importorskip("chemiscope")
    parts = [Surroundings.of(vacancy(0))]
    picture = tmp_path / "learning.png"
    picture.write_bytes(b"not looked at")
    page_of(tmp_path / "with.html", parts, curves=picture)
    page_of(tmp_path / "without.html", parts)
    figures = [
        re.findall(r'<figure id="curves" hidden>(.*?)</figure>', (tmp_path / name).read_text(encoding="utf-8"))
        for name in ("with.html", "without.html")
    ]
    assert figures[1] == [""]
    (alternative, content) = re.fullmatch(
        r'<img alt="(.*?)" src="data:image/png;base64,(.*?)">', figures[0][0]
    ).groups()
    assert alternative.startswith("Mean absolute errors")
    assert base64.b64decode(content) == b"not looked at"


def test_no_page_is_larger_than_20_mb(tmp_path):
    """All of 2000 cells with as many atoms as a page has; the part that does not grow is the program."""
    pytest.importorskip("chemiscope")
    rng = np.random.default_rng(0)
    sizes = {}
    for n in (20, 40):
        parts = [Surroundings.of(vacancy(*rng.permutation(432)[:6])) for _ in range(n)]
        shares = {f"share {k}": [rng.normal(size=len(part.index)) for part in parts] for k in range(4)}
        page_of(tmp_path / "explorer.html", parts, shares)
        sizes[sum(len(part.index) for part in parts)] = (tmp_path / "explorer.html").stat().st_size
    (few, small), (many, large) = sizes.items()
    per_atom = (large - small) / (many - few)
    assert small + (explorer.MAX_ATOMS - few) * per_atom < 20e6
