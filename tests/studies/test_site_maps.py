"""Maps of the entropy of atoms: which minima, fits that have not seen them, where the defect is, and the figure."""

import sys

import ase.io
import numpy as np
import pandas as pd
import pytest
from ase import Atoms
from ase.build import bulk
from matplotlib.collections import EllipseCollection

from vibentropy.datasets.export import write_extxyz
from vibentropy.datasets.store import ConfigurationSet
from vibentropy.descriptors import create
from vibentropy.errors import DataError
from vibentropy.evaluation.fitting import fit_and_predict
from vibentropy.features.extensive import bulk_features
from vibentropy.features.sets import FeatureSet
from vibentropy.learning.folds import folds_table
from vibentropy.learning.registry import create_regressor
from vibentropy.report.figures.site_maps import map_figure
from vibentropy.studies.site_maps import PREDICTED, around_defect, chosen_minima, comparison, mapped, unseen_fits

CRYSTAL = bulk("Fe", "bcc", a=2.855, cubic=True).repeat(3)


def vacancy(rng, shares=None):
    """Vacancy with displaced atoms, and entropies of its atoms."""
    atoms = CRYSTAL[1:]
    atoms.positions += rng.normal(0, 0.05, (len(atoms), 3))
    if shares is not None:
        atoms.set_array("site_entropy", shares)
    return atoms


@pytest.fixture(scope="module")
def run():
    """Twelve training and two test minima, the first of each pair resolved by atoms."""
    rng = np.random.default_rng(3)
    frames, rows = [], []
    for number in range(14):
        shares = rng.normal(0.05, 0.1, 53)
        frames.append(vacancy(rng, shares if number % 2 == 0 else None))
        role = "train" if number < 12 else "test"
        rows.append(
            {
                "id": f"{role}/{number:02d}/00",
                "dataset": role,
                "role": role,
                "trajectory": f"{number:02d}",
                "defect_class": "AB"[number // 2 % 2],
                "formation_energy": [3.0, 1.0, 2.0, 9.0, 2.5, 0.5][number % 6],
                "formation_entropy": shares.sum() + 0.01,
                "formation_entropy_per_atom_convention": shares.sum(),
                "status": "labelled",
            }
        )
    return ConfigurationSet(frames, pd.DataFrame(rows))


@pytest.fixture
def path(run, tmp_path):
    run.save(tmp_path / "configurations.h5")
    return tmp_path / "configurations.h5"


# --- Which minima ----------------------------------------------------------------------------------------------------


def test_the_lowest_training_minimum_of_each_class_that_is_resolved(run, path):
    chosen = chosen_minima(path, run.table)
    # Of classes A (0, 4, 8) and B (2, 6, 10) with energies 3.0, 2.5, 2.0 and 2.0, 3.0, 2.5; lower ones have no shares.
    assert chosen.table["id"].tolist() == ["train/08/00", "train/02/00"]
    for atoms, row in zip(chosen.frames, chosen.table.itertuples(), strict=True):
        assert atoms.arrays["site_entropy"].sum() == pytest.approx(row.formation_entropy, abs=1e-12)
    # Without energies, the first.
    unknown = chosen_minima(path, run.table.assign(formation_energy=np.nan))
    assert unknown.table["id"].tolist() == ["train/00/00", "train/02/00"]
    repeated = run.table.copy()
    repeated.loc[8, "duplicate_of"] = "train/00/00"
    assert chosen_minima(path, repeated).table["id"].tolist() == ["train/04/00", "train/02/00"]
    whole = chosen_minima(path, repeated, exclude_duplicates=False)
    assert whole.table["id"].tolist() == ["train/08/00", "train/02/00"]


def test_minima_are_taken_by_name_in_that_order(run, path):
    ids = ["test/12/00", "train/04/00"]
    assert chosen_minima(path, run.table, ids=ids).table["id"].tolist() == ids
    with pytest.raises(DataError, match="'train/01/00', of `minima` under `maps`, is not among the 7 distinct minima"):
        chosen_minima(path, run.table, ids=["train/00/00", "train/01/00"])


def test_nothing_to_choose_from_says_what_to_do(run, path):
    with pytest.raises(DataError, match="site_entropies: true"):
        chosen_minima(path, run.table.assign(status="saddle"))
    with pytest.raises(DataError, match="no training minimum has a label for each atom"):
        chosen_minima(path, run.table.assign(role="test"))


# --- Shares ----------------------------------------------------------------------------------------------------------


def test_shares_add_up_to_predictions_that_have_not_seen_the_minimum(run, path):
    descriptor = create("afs", n_max=2, l_max=2, r_cut=4.0)
    crystal = bulk_features(descriptor, CRYSTAL)
    features = {
        role: FeatureSet.compute(descriptor, rows.table["id"], rows.frames, crystal)
        for role in ("train", "test")
        for rows in [run.subset((run.table["role"] == role).to_numpy())]
    }
    regressor = create_regressor("ridge", penalties=[1e-3])
    folds = folds_table(run.table[run.table["role"] == "train"], 3)
    names = {"descriptor": "d", "regressor": "r"}
    _, expected, _ = fit_and_predict(regressor, run.table, features, folds, names=names)
    expected = expected[expected["stage"] != "training"].set_index("id")["prediction"]
    chosen = chosen_minima(path, run.table, ids=["train/02/00", "train/08/00", "test/12/00"])
    fit_of = unseen_fits(regressor, run.table, {"train": features["train"]}, folds)
    frames = mapped(chosen, descriptor, fit_of, lambda row, cell: crystal)
    for atoms in frames:
        name = atoms.info["id"]
        assert atoms.arrays[PREDICTED].sum() == pytest.approx(expected[name], abs=1e-9)
        assert atoms.info["predicted_formation_entropy"] == pytest.approx(expected[name], abs=1e-9)
        by_hand = (descriptor.local(atoms) - crystal) @ fit_of(name).coef_
        np.testing.assert_allclose(atoms.arrays[PREDICTED], by_hand, atol=1e-10)


def test_comparison_by_hand():
    atoms = Atoms("Fe4", [[0, 0, 0], [1, 0, 0], [0, 8, 0], [9, 9, 9]], cell=[20] * 3, pbc=True)
    exact, predicted = np.array([1.0, 0.0, 0.0, -0.1]), np.array([0.5, 0.5, 0.0, 0.1])
    atoms.set_array("site_entropy", exact)
    atoms.set_array(PREDICTED, predicted)
    atoms.info = {"id": "a", "defect_class": "V1"}
    (row,) = comparison([atoms]).to_dict("records")
    assert row["formation_entropy"] == pytest.approx(0.9)
    assert row["prediction"] == pytest.approx(1.1)
    assert row["site_rmse"] == pytest.approx(np.sqrt((0.25 + 0.25 + 0.04) / 4))
    assert row["site_correlation"] == pytest.approx(0.2425 / np.sqrt(0.8075 * 0.2075))
    assert (row["exact_near"], row["predicted_near"]) == (1.0, 1.0)


@pytest.mark.parametrize("cell", [np.diag([8.0, 9.0, 10.0]), [[8, 0, 0], [3, 9, 0], [-2, 4, 10]]])
def test_the_centre_is_found_across_the_faces_of_the_cell(cell):
    rng = np.random.default_rng(5)
    cloud = rng.normal(0, 0.8, (40, 3))
    shares = np.exp(-(cloud**2).sum(axis=1))
    expected = cloud - shares**2 @ cloud / (shares**2).sum()
    for corner in ([0, 0, 0], [4.0, 0.1, 9.9]):
        atoms = Atoms("Fe40", cloud + corner, cell=cell, pbc=True)
        atoms.wrap()
        atoms.set_array("site_entropy", shares)
        np.testing.assert_allclose(around_defect(atoms), expected, atol=1e-6)


# --- Figure ----------------------------------------------------------------------------------------------------------


def drawn(n_minima=2, scale=1.0):
    """Maps of one model, whose shares are `scale` times the exact ones."""
    rng = np.random.default_rng(8)
    frames = []
    for number in range(n_minima):
        shares = rng.normal(0.05, 0.1, 53)
        atoms = vacancy(rng, shares)
        atoms.set_array(PREDICTED, scale * shares)
        atoms.info = {"id": f"a/{number}", "defect_class": f"V{number}", "formation_entropy": shares.sum()}
        frames.append(atoms)
    return frames


def test_figure_shows_exact_and_predicted_on_one_scale():
    frames = drawn(scale=0.5)
    figure = map_figure({"afs/ridge": frames, "afs/ridge_sites": frames})
    *panels, bar = figure.axes
    rows = np.array(panels, dtype=object).reshape(4, 2)
    for column, atoms in enumerate(frames):
        discs = [axes.collections[0] for axes in rows[:3, column]]
        assert all(isinstance(one, EllipseCollection) for one in discs)
        # The same atoms in the same places, exact above predicted, and zero in the middle of one scale.
        np.testing.assert_array_equal(discs[0].get_offsets(), discs[1].get_offsets())
        np.testing.assert_allclose(discs[1].get_array(), 0.5 * discs[0].get_array())
        assert discs[0].norm is discs[1].norm is rows[0, 0].collections[0].norm
        assert discs[0].norm.vmin == -discs[0].norm.vmax
        assert 0 < len(discs[0].get_array()) < len(atoms)
        # Those that carry most are drawn last.
        assert (np.diff(np.abs(discs[0].get_array())) >= 0).all()
        exact, predicted = rows[3, column].lines[:2]
        assert exact.get_ydata()[-1] == pytest.approx(atoms.arrays["site_entropy"].sum())
        assert predicted.get_ydata()[-1] == pytest.approx(0.5 * atoms.arrays["site_entropy"].sum())
        assert rows[0, column].get_title().startswith(f"V{column}\n")
    assert rows[1, 0].get_ylabel() == "afs\nridge"
    assert "k_" in bar.get_ylabel()


def test_further_minima_are_left_to_the_files(monkeypatch):
    monkeypatch.setattr(sys.modules["vibentropy.report.figures.site_maps"], "MAX_MINIMA", 3)
    figure = map_figure({"afs/ridge": drawn(5)})
    assert len(figure.axes) == 3 * 3 + 1
    assert figure.get_figwidth() <= 7.01


def test_figure_from_files_as_the_workflow_has_them(tmp_path):
    frames = drawn()
    table = pd.DataFrame([atoms.info for atoms in frames]).assign(defect_class=["V0", ""])
    write_extxyz(tmp_path / "maps.extxyz", frames, table)
    again = ase.io.read(tmp_path / "maps.extxyz", index=":")
    for atoms, read in zip(frames, again, strict=True):
        for name in ("site_entropy", PREDICTED):
            np.testing.assert_allclose(read.arrays[name], atoms.arrays[name], atol=1e-8)
    assert comparison(again)["defect_class"].tolist() == ["V0", ""]
    assert "unnamed" in map_figure({"afs/ridge": again}).axes[1].get_title()
