"""Time and memory of one implementation at a time."""

import importlib.util
import sys

import numpy as np
import pandas as pd
import pytest
from ase.build import bulk
from measurements import AFS, missing, rows

from vibentropy import EntropyModel, load_potential
from vibentropy.atoms.reading import read_frames
from vibentropy.errors import DataError
from vibentropy.report.figures.overview import overview_figure
from vibentropy.report.figures.timing import scale_figure
from vibentropy.studies.benchmark import cells, measure, peers, programs, tables
from vibentropy.studies.benchmark import rows as regression_rows

HOMEMADE = """
import os, signal, time
import numpy as np
from vibentropy.descriptors import Descriptor

class Homemade(Descriptor):
    feature_names = ["x"]

    def __init__(self, does="", species=None):
        self.does, self.species = does, species

    def _total(self, atoms):
        if len(atoms) > 130:  # not when warming up
            exec(self.does)
        return np.ones(1)
"""


@pytest.fixture
def homemade(tmp_path, monkeypatch):
    """A descriptor that does anything."""
    (tmp_path / "homemade_for_benchmark.py").write_text(HOMEMADE)
    monkeypatch.syspath_prepend(tmp_path)
    yield lambda does: {"kind": "homemade_for_benchmark.Homemade", "does": does}
    sys.modules.pop("homemade_for_benchmark", None)


class TestMeasure:
    def test_one_row_per_cell(self):
        lines = []
        table = measure.measure("small", AFS, [4, 3], 60, 4000, lines.append)
        assert list(table.columns) == list(tables.COLUMNS)
        assert list(table["n_atoms"]) == [54, 128]
        assert set(table["status"]) == {"measured"}
        assert set(table["n_features"]) == {8}
        assert set(table["parameters"]) == {"kind=afs l_max=3 n_max=2 r_cut=4.0"}
        np.testing.assert_allclose(table["seconds"] * table["atoms_per_second"], table["n_atoms"].astype(float))
        assert len(lines) == 2

    def test_time_and_memory_are_those_of_the_measurement_on_one_thread(self, homemade):
        does = "import numba; assert numba.get_num_threads() == 1 == int(os.environ['OMP_NUM_THREADS'])"
        specification = homemade(f"{does}; time.sleep(0.3); np.ones(50 * 2**17)")
        (row,) = measure.measure("x", specification, [5], 60, 4000).to_dict("records")
        assert row["status"] == "measured"
        assert row["seconds"] >= 0.3
        assert 49 <= row["peak_memory_mb"] < 70

    @pytest.mark.slow
    def test_two_threads(self, homemade):
        does = "import numba; assert numba.get_num_threads() == 2 == int(os.environ['OMP_NUM_THREADS'])"
        (row,) = measure.measure("x", homemade(does), [5], 60, 4000, threads=[2]).to_dict("records")
        assert (row["threads"], row["status"]) == (2, "measured")

    @pytest.mark.parametrize(
        ("does", "message"),
        [
            ("raise RuntimeError('too bad')", "failed: RuntimeError: too bad"),
            ("os.kill(os.getpid(), signal.SIGKILL)", "failed: SIGKILL"),
            ("time.sleep(60)", "failed: no result after 3 s"),
        ],
    )
    def test_failure_is_a_row_and_the_last(self, homemade, monkeypatch, does, message):
        monkeypatch.setattr(measure, "PATIENCE", 3 / 60 if "sleep" in does else 10)
        table = measure.measure("x", homemade(does), [5, 6], 60, 4000)
        assert list(table["status"]) == [message]
        assert table["seconds"].isna().all()

    def test_unknown_kind_is_a_row(self):
        (status,) = measure.measure("x", {"kind": "afz"}, [3], 60, 4000)["status"]
        assert status.startswith("failed: there is no descriptor of kind 'afz' (did you mean 'afs'?)")

    @pytest.mark.parametrize(
        ("limits", "message"),
        [
            ((1.5, 4000), "stopped: 2 s predicted, limit 1.5 s"),
            ((60, 500), "stopped: 2000 MB predicted, limit 500 MB"),
        ],
    )
    def test_stops_before_it_takes_too_much(self, monkeypatch, limits, message):
        def one_cell(order, n_threads, patience):
            n_atoms = 2 * order["size"] ** 3
            return {"seconds": 1e-3 * n_atoms, "peak_memory_mb": 1.0 * n_atoms, "status": "measured"}

        monkeypatch.setattr(measure, "_in_a_process", one_cell)
        table = measure.measure("x", {"kind": "afs"}, [4, 10, 20], *limits, threads=[1, 2])
        assert list(table["status"]) == ["measured", message] * 2  # with each number of threads from small cells on
        assert list(table["threads"]) == [1, 1, 2, 2]

    def test_absent_peer_is_a_row(self, monkeypatch):
        monkeypatch.setitem(peers.ALL, "x", peers.Peer("x-dist", "no_such_module", "", {"n": 3}))
        (row,) = measure.measure("x", None, [3, 4], 60, 4000).to_dict("records")
        assert (row["source"], row["package"], row["parameters"]) == ("peer", "x-dist", "n=3")
        assert row["status"] == "not installed"

    @pytest.mark.parametrize(
        ("points", "expected"),
        [
            ([(10, 1.0)], 10),
            ([(10, 1.0), (20, 4.0)], 100),
            ([(10, 1.0), (20, 1.0)], 5),
            ([(10, 0.0), (20, 1.0)], 5),
            ([(10, 1.0), (20, 1000.0)], 1000 * 125),
        ],
    )
    def test_prediction(self, points, expected):
        assert measure._extrapolate(points, 100) == pytest.approx(expected)


class TestLabels:
    @pytest.mark.parametrize("name", sorted(set(peers.LABELS) - {tables.OUR_LABEL}))
    def test_all_ways_lead_to_one_number(self, name):
        tolerance = {"matscipy_eigenvalues": 1e-3, "lammps_eigenvalues": 0.05}.get(name, 1e-8)
        if importlib.util.find_spec(peers.LABELS[name].module) is None:
            pytest.skip(f"{name} is not installed")
        (own,), (other,) = (programs.load_program(peers.LABELS[n])(cells.crystal(3)) for n in (tables.OUR_LABEL, name))
        assert other == pytest.approx(own, abs=tolerance)

    def test_a_label_of_two_elements(self):
        atoms = cells.crystal(4)
        (found,) = programs.load_program(peers.ALLOY_LABELS["vibentropy_two_elements"])(atoms)
        assert set(atoms.symbols) == {"Fe"}
        atoms.symbols[[0, 50, 100]] = "P"
        eigenvalues = np.linalg.eigvalsh(
            load_potential(file=programs.IRON, elements=["Fe", "P"]).hessian(atoms).toarray()
        )
        assert found == pytest.approx(np.log(eigenvalues[3:]).sum(), abs=1e-8)

    @pytest.mark.slow
    def test_ours_is_measured_like_the_others(self):
        (row,) = measure.measure(tables.OUR_LABEL, None, [4], 60, 4000).to_dict("records")
        assert (row["source"], row["status"], row["n_atoms"]) == ("ours", "measured", 128)

    @pytest.mark.usefixtures("unplaced")
    def test_compared_in_each_cell(self):
        measured = [
            rows(tables.OUR_LABEL, [100, 1000], [1, 10]),
            rows(tables.OUR_LABEL, [100], [0.5], threads=2),
            rows("a", [100, 1000, 2000], [4, 70, 99], source="peer"),
            rows("a", [100, 1000], [3, 40], source="peer", threads=2),
            missing("b"),
        ]
        table = tables.compare_labels(measured).set_index(["implementation", "threads", "n_atoms"]).sort_index()
        np.testing.assert_allclose(table.loc[("a", 1), "times_as_long"], [4, 7, np.nan])
        np.testing.assert_allclose(table.loc[("a", 2), "times_as_long"], [6, np.nan])
        np.testing.assert_allclose(table.loc[(tables.OUR_LABEL, 1), "times_as_long"], 1)
        assert table.loc["b", "times_as_long"].isna().all()

    def test_slopes_are_those_of_the_largest_cells(self):
        n_atoms = np.array([100, 1000, 2000, 4000, 8000])
        seconds, memory = 1e-6 * n_atoms**2.0, 1e-3 * n_atoms**1.5
        seconds[0], memory[0] = 1, 0  # a start that is not the growth
        table = tables.compare_labels([rows(tables.OUR_LABEL, n_atoms, seconds, memory=memory)])
        assert np.isnan(table["seconds_slope"][0])
        assert table["seconds_slope"][1] == pytest.approx(0)
        assert table["memory_slope"][1:3].isna().tolist() == [True, False]
        np.testing.assert_allclose(table["seconds_slope"][3:], 2)
        np.testing.assert_allclose(table["memory_slope"][2:], 1.5)
        np.testing.assert_allclose(tables.label_cost(table, tables.OUR_LABEL, "seconds", [10_000]), [100])


class TestPredictions:
    NAME = "vibentropy_predict"

    def test_of_a_file_with_atoms_of_a_crystal(self):
        file = cells.crystal_file(3)
        (atoms,) = read_frames(file.name)
        assert len(atoms) == 54
        assert atoms.pbc.all()
        perfect = bulk("Fe", "bcc", a=cells.A, cubic=True) * 3
        np.testing.assert_allclose(atoms.cell[:], perfect.cell[:])
        apart = np.linalg.norm(atoms.positions[:, None] - perfect.positions, axis=-1).min(axis=1)
        assert 0.04 < np.sqrt((apart**2).mean() / 3) < 0.06
        expected = EntropyModel.load().predict(atoms)["formation_entropy"]
        assert programs.predict_file("iron")(file) == pytest.approx(expected)

    @pytest.mark.slow
    def test_measured_like_everything(self):
        table = measure.measure(self.NAME, None, [8], 60, 4000)
        assert list(table["n_atoms"]) == [1024]
        assert set(table["source"]) == {"ours"}
        assert set(table["status"]) == {"measured"}

    @pytest.mark.usefixtures("unplaced")
    def test_beside_labels(self):
        predictions = [rows(self.NAME, [1000, 10_000], [0.1, 1.0])]
        labels = [
            rows(tables.OUR_LABEL, [100, 1000], [0.36, 36], memory=[1, 10]),
            rows("lammps_eigenvalues", [100], [1], "peer"),
            missing("matscipy_eigenvalues"),
        ]
        table = tables.compare_predictions(predictions, labels)
        np.testing.assert_allclose(table["microseconds_per_atom"], [100, 100])
        np.testing.assert_allclose(table["label_hours"], [0.01, 1])
        assert tables.compare_predictions(predictions, labels[2:])["label_hours"].isna().all()
        figure = scale_figure(table, tables.compare_labels(labels))
        time, memory = ([line.get_xydata() for line in axes.lines] for axes in figure.axes)
        np.testing.assert_allclose(time[0], [[1000, 0.1], [10_000, 1]])
        np.testing.assert_allclose(time[1], [[100, 0.36], [1000, 36]])
        np.testing.assert_allclose(time[2], [[1000, 36], [10_000, 3600]])
        np.testing.assert_allclose(memory[2], [[1000, 10], [10_000, 100]])
        np.testing.assert_allclose(time[3], [[100, 1]])  # one cell has no growth
        texts = [text.get_text() for text in figure.legends[0].texts]
        assert texts == [
            "prediction, from a file",
            "exact: our sparse factor",
            "exact: LAMMPS, eigenvalues",
            "extrapolated",
        ]

    @pytest.mark.usefixtures("unplaced")
    def test_the_overview_has_test_cells_beside_what_they_cost(self):
        predicted = pd.DataFrame(
            {
                "stage": ["training"] * 2 + ["test"] * 3,
                "dataset": ["small"] * 2 + ["large", "large", "medium"],
                "n_sites": [54, 54, 250, 128, 128],
                "formation_entropy": [1.0, 2.0, 40.0, 50.0, 10.0],
                "prediction": [1.0, 2.0, 41.0, 48.0, 10.0],
            }
        )
        predicted["low_68"], predicted["high_68"] = predicted["prediction"] - 1, predicted["prediction"] + 3
        labels = [rows(tables.OUR_LABEL, [100, 1000], [0.5, 36])]
        costs = tables.compare_predictions([rows(self.NAME, [1000, 10_000], [0.1, 1.0])], labels)
        labels = tables.compare_labels(labels)
        figure = overview_figure(predicted, costs, labels)
        left, right = figure.axes
        entries = [text.get_text() for text in left.get_legend().get_texts()]
        unit = r"$\,k_\mathrm{B}$"
        assert entries == ["training: 54 sites", f"128 sites: 0.00{unit}", f"128–250 sites: 1.50{unit}"]
        assert left.texts[0].get_text().startswith("slope 0.9")
        bars = [bar for lines in left.collections if hasattr(lines, "get_segments") for bar in lines.get_segments()]
        np.testing.assert_allclose(bars, [[[10, 9], [10, 13]], [[40, 40], [40, 44]], [[50, 47], [50, 51]]])
        np.testing.assert_allclose(right.lines[0].get_xydata(), [[1000, 0.1], [10_000, 1]])
        assert right.get_legend().get_texts()[-1].get_text().startswith("extrapolated")
        assert right.get_legend().get_lines()[-1].get_linestyle() == "--" == right.lines[2].get_linestyle()
        assert left.get_xscale() == "log"
        assert left.get_xlim()[0] < 1 < 50 < left.get_xlim()[1]
        # Entropies below zero are shown as well.
        predicted.loc[4, "prediction"] = -3.0
        left, _ = overview_figure(predicted, costs, labels).axes
        assert left.get_xscale() == "linear"
        assert left.get_ylim()[0] < -3
        with pytest.raises(DataError, match="test cells"):
            overview_figure(predicted[:2], costs, labels)

    def test_nothing_to_draw(self):
        labels = tables.compare_labels([missing(tables.OUR_LABEL)])
        with pytest.raises(DataError, match="nothing was measured"):
            scale_figure(tables.compare_predictions([missing(self.NAME)], [labels]), labels)


class TestHessians:
    def test_both_are_the_same(self):
        atoms = cells.crystal(3)
        ours, lammps = (programs.load_program(peer)(atoms) for peer in peers.HESSIANS.values())
        assert len(ours) == 3 * 54
        np.testing.assert_allclose(lammps, ours, atol=1e-3)

    def test_compared_by_cells(self):
        measured = [rows(tables.OUR_HESSIAN, [54, 128], [1, 2]), rows("a", [54, 250], [200, 900], source="peer")]
        table = tables.compare_hessians(measured).set_index(["implementation", "n_atoms"])
        np.testing.assert_allclose(table.loc["a", "times_as_long"], [200, np.nan])


@pytest.mark.parametrize(
    ("seconds", "repetitions"),
    [
        ([0.001] * 9, 5),
        ([0.4] * 9, 3),
        # What is compiled first takes long once.
        ([6.0, 0.3, 0.3], 2),
        ([31.0, 30.0], 1),
    ],
)
def test_measurements_are_repeated_until_they_are_enough(monkeypatch, seconds, repetitions):
    spent = iter(seconds)
    clock = [0.0]
    calls = []

    def compute(cell):
        # The first call is the warm-up.
        if calls:
            clock[0] += next(spent)
        calls.append(cell)
        return np.zeros(1)

    monkeypatch.setattr(measure.time, "perf_counter", lambda: clock[0])
    monkeypatch.setattr(measure, "load_program", lambda peer: compute)
    row = measure.run("vesin_neighbours", None, 5)
    assert len(calls) == 1 + repetitions
    assert row["seconds"] == pytest.approx(min(seconds[:repetitions]))


class TestFits:
    @pytest.fixture
    def fewer_features(self, monkeypatch):
        monkeypatch.setattr(regression_rows, "N_FEATURES", 30)

    @pytest.mark.parametrize("name", sorted(set(peers.FITS) - {"skglm_l2"}))
    def test_all_learn_the_same(self, fewer_features, name):
        """Each by its own choice of the penalty, from rows with little noise; with one penalty, see below."""
        rows = regression_rows.draw_rows(2000)
        ours, other = (programs.load_program(peers.FITS[n])(rows) for n in (tables.OUR_FIT, name))
        scale = 1 if peers.FITS[name].package == "vibentropy" else np.sqrt(np.mean(rows.X**2, axis=0))
        errors = rows.X @ (ours - other / scale)
        assert np.sqrt(np.mean(errors**2)) < 0.01 * np.std(rows.y)

    def test_the_same_folds_give_the_same_weights(self, fewer_features):
        rows = regression_rows.draw_rows(300)
        scale = np.sqrt(np.mean(rows.X**2, axis=0))
        ours = programs.our_fit("ridge")(rows)
        found = programs.sklearn_ridge()(rows) / scale
        assert np.abs(rows.X @ (ours - found)).max() < 1e-3 * np.std(rows.y)

    def test_skglm_with_the_same_penalty(self, fewer_features):
        rows = regression_rows.draw_rows(300)
        scale = np.sqrt(np.mean(rows.X**2, axis=0))
        Z = rows.X / scale
        # Half of the mean square there.
        expected = np.linalg.solve(Z.T @ Z / 300 + 1e-2 * np.eye(30), Z.T @ rows.y / 300)
        np.testing.assert_allclose(programs.skglm_l2(1e-2)(rows), expected, atol=1e-3)

    def test_measured_in_rows(self):
        lines = []
        table = measure.measure(tables.OUR_FIT, None, [120, 60], 600, 4000, lines.append)
        assert list(table["n_atoms"]) == [60, 120]
        assert set(table["status"]) == {"measured"}
        assert set(table["n_features"]) == {2000}
        assert set(table["source"]) == {"ours"}
        assert lines[0].startswith("vibentropy_ridge, 60 rows, 1 thread: ")

    def test_compared_by_rows(self):
        measured = [
            rows(tables.OUR_FIT, [100, 1000], [1, 10]),
            rows("a", [100, 2000], [4, 70], source="peer"),
            missing("b"),
        ]
        table = tables.compare_fits(measured).set_index(["implementation", "n_rows"])
        np.testing.assert_allclose(table.loc["a", "times_as_long"], [4, np.nan])
        np.testing.assert_allclose(table.loc[tables.OUR_FIT, "times_as_long"], 1)
        assert table.loc["b", "times_as_long"].isna().all()
