"""Labels resolved by atoms, against sums over atoms written out; nothing of what is held out is learnt from."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from ase import Atoms
from ase.build import bulk
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.utils.estimator_checks import parametrize_with_checks

from vibentropy.datasets.store import ConfigurationSet
from vibentropy.descriptors import create
from vibentropy.errors import DataError
from vibentropy.evaluation.fitting import cross_predict, fit_and_predict
from vibentropy.features.atom_labels import site_factor, site_labels
from vibentropy.features.extensive import bulk_features
from vibentropy.features.sets import FeatureSet, concatenate
from vibentropy.learning.bayesian import ExtensiveBayesianRidge
from vibentropy.learning.folds import folds_table
from vibentropy.learning.ridge import ExtensiveRidge


# No labels of atoms there: that it says so is what the warning is for.
@pytest.mark.filterwarnings("ignore:site_weights without labels")
@parametrize_with_checks([ExtensiveRidge(site_weights=[0.0, 1.0])])
def test_scikit_learn_contract(estimator, check):
    check(estimator)


class Sample:
    """Cells of different sizes whose atoms have features and labels; a cell is the sum of its atoms."""

    def __init__(self, n_cells=24, n_features=6, every=2, noise=0.05, error=0.0, seed=0):
        rng = np.random.default_rng(seed)
        units = np.logspace(-2, 2, n_features)
        self.weights = rng.normal(size=n_features) / units
        self.x = [rng.normal(size=(n, n_features)) * units for n in rng.integers(3, 30, n_cells)]
        self.X = np.array([x.sum(axis=0) for x in self.x])
        self.y = self.X @ self.weights + error * rng.normal(size=n_cells)
        self.s = [x @ self.weights + noise * rng.normal(size=len(x)) for x in self.x]
        self.resolved = np.arange(n_cells) % every == 0
        self.groups = np.repeat(np.arange(n_cells // 3), 3)
        self.sites = [
            site_factor(*pair) if known else None for *pair, known in zip(self.x, self.s, self.resolved, strict=True)
        ]

    def solve(self, rows, penalty, site_weight):
        """Weights from normal equations, atom by atom, by the definition of the loss."""
        scale = np.sqrt(np.mean(self.X[rows] ** 2, axis=0))
        Z = self.X[rows] / scale
        matrix, vector = Z.T @ Z / len(rows), Z.T @ self.y[rows] / len(rows)
        known = [row for row in rows if self.resolved[row]]
        for row in known:
            for x, s in zip(self.x[row], self.s[row], strict=True):
                matrix += site_weight / len(known) * np.outer(x / scale, x / scale)
                vector += site_weight / len(known) * x / scale * s
        return np.linalg.solve(matrix + penalty * np.eye(len(scale)), vector) / scale


@pytest.mark.parametrize("n_atoms", [3, 6, 7, 50])
def test_factors_have_the_squared_error_of_the_atoms(n_atoms):
    rng = np.random.default_rng(n_atoms)
    x, s, weights = rng.normal(size=(n_atoms, 6)), rng.normal(size=n_atoms), rng.normal(size=6)
    factor = site_factor(x, s)
    assert factor.shape == (min(n_atoms, 7), 7)
    np.testing.assert_allclose(np.sum((factor @ [*weights, -1]) ** 2), np.sum((s - x @ weights) ** 2), rtol=1e-12)


def test_repeated_cells_have_as_many_times_the_atoms():
    sample = Sample()
    one, four = (
        site_factor(sample.x[0], sample.s[0]),
        site_factor(np.tile(sample.x[0], (4, 1)), np.tile(sample.s[0], 4)),
    )
    np.testing.assert_allclose(four.T @ four, 4 * one.T @ one, rtol=1e-10, atol=1e-12)


@settings(max_examples=20)
@given(st.floats(1e-6, 1e2), st.floats(1e-6, 1e1))
def test_ridge_solves_the_normal_equations_of_atoms_and_totals(site_weight, penalty):
    sample = Sample(error=0.5)
    model = ExtensiveRidge([penalty], site_weights=[site_weight]).fit(sample.X, sample.y, sites=sample.sites)
    np.testing.assert_allclose(model.coef_, sample.solve(range(24), penalty, site_weight), rtol=1e-8)
    assert model.site_weight_ == site_weight


def test_dependent_features_keep_their_digits():
    """Two features that differ by 1e-9: from Σ x xᵀ nothing is left of the difference."""
    rng = np.random.default_rng(1)
    x = rng.normal(size=(10, 50, 2)) @ [[1, 1], [0, 1e-9]]
    weights = np.array([3.0, -2.0])
    X, sites = x.sum(axis=1), [site_factor(cell, cell @ weights) for cell in x]
    model = ExtensiveRidge([1e-24], site_weights=[1.0]).fit(X, X @ weights, sites=sites)
    np.testing.assert_allclose(model.coef_, weights, atol=1e-4)


@pytest.mark.parametrize("site_weights", [None, [0.0]])
def test_without_weight_the_results_are_those_of_totals_bit_for_bit(site_weights):
    sample = Sample(error=0.5)
    plain = ExtensiveRidge().fit(sample.X, sample.y, sample.groups)
    model = ExtensiveRidge(site_weights=site_weights).fit(sample.X, sample.y, sample.groups, sites=sample.sites)
    np.testing.assert_array_equal(model.coef_, plain.coef_)
    np.testing.assert_array_equal(model.cv_rmse_, plain.cv_rmse_)
    assert (model.penalty_, model.site_weight_) == (plain.penalty_, 0.0)


def test_candidates_are_chosen_by_totals_that_were_held_out_with_their_atoms():
    sample = Sample(error=3.0, noise=1.0, every=3)
    penalties, site_weights = np.logspace(-3, 0, 4), [1.0, 0.0, 0.1]
    model = ExtensiveRidge(penalties, n_folds=8, site_weights=site_weights)
    model.fit(sample.X, sample.y, sample.groups, sites=sample.sites)
    expected = np.zeros((3, 4))
    for i, weight in enumerate(sorted(site_weights)):
        for j, penalty in enumerate(penalties[::-1]):
            for group in np.unique(sample.groups):
                train, test = (np.flatnonzero(found) for found in (sample.groups != group, sample.groups == group))
                errors = sample.X[test] @ sample.solve(train, penalty, weight) - sample.y[test]
                expected[i, j] += np.sum(errors**2) / 24
    best = np.unravel_index(expected.argmin(), expected.shape)
    np.testing.assert_allclose(model.cv_rmse_, np.sqrt(expected[best[0]]), rtol=1e-8)
    np.testing.assert_allclose(model.site_cv_rmse_, np.sqrt(expected.min(axis=1)), rtol=1e-8)
    np.testing.assert_allclose(
        [model.site_weight_, model.penalty_], [sorted(site_weights)[best[0]], penalties[3 - best[1]]]
    )
    np.testing.assert_allclose(model.coef_, sample.solve(range(24), model.penalty_, model.site_weight_), rtol=1e-8)


def test_atoms_teach_what_few_totals_cannot():
    """Fewer cells than features, but hundreds of atoms."""
    sample = Sample(n_cells=12, n_features=20, every=3)
    plain, model = ExtensiveRidge(), ExtensiveRidge(site_weights=[0.0, 0.1, 1.0])
    fresh = Sample(n_cells=100, n_features=20, seed=5).X
    truth = fresh @ sample.weights
    plain.fit(sample.X, sample.y, sample.groups)
    model.fit(sample.X, sample.y, sample.groups, sites=sample.sites)
    errors = [np.sqrt(np.mean((fitted.predict(fresh) - truth) ** 2)) for fitted in (plain, model)]
    assert errors[1] < errors[0] / 5
    assert model.site_weight_ > 0


def test_rubbish_is_given_no_weight():
    sample = Sample(n_cells=60)
    sites = [site_factor(x, 5 * s[::-1]) for x, s in zip(sample.x, sample.s, strict=True)]
    model = ExtensiveRidge(site_weights=[0.0, 1.0]).fit(sample.X, sample.y, sample.groups, sites=sites)
    assert model.site_weight_ == 0.0


def test_predictions_are_extensive():
    sample = Sample(error=0.5)
    model = ExtensiveRidge(site_weights=[1.0]).fit(sample.X, sample.y, sample.groups, sites=sample.sites)
    np.testing.assert_array_equal(model.predict(np.zeros((1, 6))), 0.0)
    np.testing.assert_allclose(model.predict(27 * sample.X), 27 * model.predict(sample.X), rtol=1e-12)


def test_units_of_the_features_do_not_matter():
    sample, units = Sample(error=0.5), np.logspace(6, -6, 6)
    one = ExtensiveRidge(site_weights=[1.0]).fit(sample.X, sample.y, sample.groups, sites=sample.sites)
    sites = [factor if factor is None else factor * [*units, 1] for factor in sample.sites]
    other = ExtensiveRidge(site_weights=[1.0]).fit(sample.X * units, sample.y, sample.groups, sites=sites)
    np.testing.assert_allclose(other.predict(sample.X * units), one.predict(sample.X), rtol=1e-8)


@pytest.mark.parametrize("site_weights", [[], [-1.0, 1.0], [[1.0]], [np.nan]])
def test_impossible_weights_are_refused(site_weights):
    sample = Sample()
    with pytest.raises((ValueError, TypeError), match=r"site_weights.*must"):
        ExtensiveRidge(site_weights=site_weights).fit(sample.X, sample.y, sites=sample.sites)


def test_sites_that_do_not_fit_are_refused():
    sample = Sample()
    model = ExtensiveRidge(site_weights=[1.0])
    with pytest.raises(ValueError, match="sites of 23 rows; X has 24"):
        model.fit(sample.X, sample.y, sites=sample.sites[1:])
    with pytest.raises(ValueError, match=r"has the shape \(3, 6\); expected 7 columns"):
        model.fit(sample.X, sample.y, sites=[np.zeros((3, 6)), *sample.sites[1:]])
    with pytest.warns(UserWarning, match="fitted to the totals alone"):
        model.fit(sample.X, sample.y, sites=[None] * 24)
    np.testing.assert_array_equal(model.site_weights_, [0.0])


def test_held_out_atoms_are_not_seen():
    sample, folds = Sample(error=0.5), np.repeat([0, 1], 12)
    model = ExtensiveRidge([1e-3], site_weights=[1.0])
    held_out = cross_predict(model, sample.X, sample.y, sample.groups, folds, sites=sample.sites)
    for number in (0, 1):
        weights = sample.solve(np.flatnonzero(folds != number), 1e-3, 1.0)
        test = folds == number
        np.testing.assert_allclose(held_out["prediction"][test], sample.X[test] @ weights, rtol=1e-8)


CRYSTAL = bulk("Fe", "bcc", a=2.8553, cubic=True) * (3, 3, 3)


def cells(n=6, crystal=CRYSTAL):
    """Cells with a vacancy, every second with labels of its atoms; labels are made up."""
    rng = np.random.default_rng(2)
    frames, rows = [], []
    for number in range(n):
        frames.append(crystal.copy())
        del frames[-1][number]
        frames[-1].rattle(0.05, seed=number)
        sites = rng.normal(0, 0.1, len(frames[-1]))
        if number % 2 == 0:
            frames[-1].set_array("site_entropy", sites)
        rows.append(
            {
                "dataset": "made",
                "trajectory": str(number),
                "status": "labelled",
                "formation_entropy": sites.sum() - 0.06,
                "formation_entropy_per_atom_convention": sites.sum(),
            }
        )
    return ConfigurationSet(frames, pd.DataFrame(rows))


def test_labels_of_atoms_add_up_to_the_label():
    configurations = cells()
    labels = site_labels(configurations)
    assert list(labels) == [f"made/{n}/0000" for n in (0, 2, 4)]
    for number, sites in zip((0, 2, 4), labels.values(), strict=True):
        assert sites.sum() == pytest.approx(configurations.table["formation_entropy"][number], abs=1e-12)
        shift = sites - configurations.frames[number].arrays["site_entropy"]
        np.testing.assert_allclose(shift, -0.06 / 53, rtol=1e-9)
    configurations.table.loc[0, "status"] = "rejected"
    configurations.table.loc[2, "formation_entropy_per_atom_convention"] = np.nan
    assert site_labels(configurations).keys() == labels.keys() - {"made/0/0000"}
    configurations.table.loc[4, "formation_entropy_per_atom_convention"] += 0.002
    with pytest.raises(DataError, match=r"made/4/0000: its site entropies add up to .* N_d/N_0 convention"):
        site_labels(configurations)


def test_shift_is_the_difference_of_what_atoms_are_compared_with():
    """Of a Hessian that is anything with three translations: S_0/N_0 and (N_d - 1)/N_d · S_0/(N_0 - 1) per atom."""
    n_bulk, n = 54, 53
    logarithm, bulk_logarithm = 300.0, 340.0
    share = np.random.default_rng(3).dirichlet(np.ones(n))  # of -1/2 ln⁺ H of the defective cell, by atom
    absolute, perfect = -0.5 * logarithm * share, -0.5 * bulk_logarithm
    frames = [Atoms("Fe" * n, positions=np.arange(3 * n).reshape(n, 3))]
    frames[0].set_array("site_entropy", absolute - perfect / n_bulk)
    row = {
        "status": "labelled",
        "formation_entropy": -0.5 * logarithm - (n - 1) / (n_bulk - 1) * perfect,
        "formation_entropy_per_atom_convention": -0.5 * logarithm - n / n_bulk * perfect,
    }
    (sites,) = site_labels(ConfigurationSet(frames, pd.DataFrame([row]))).values()
    np.testing.assert_allclose(sites, absolute - (n - 1) / n * perfect / (n_bulk - 1), rtol=1e-12)


@pytest.fixture(scope="module")
def descriptor():
    return create("afs", n_max=1, l_max=2, r_cut=4.0)


def features_of(configurations, descriptor, **options):
    return FeatureSet.compute(
        descriptor,
        configurations.table["id"],
        configurations.frames,
        bulk_features(descriptor, CRYSTAL),
        site_labels=site_labels(configurations),
        **options,
    )


def test_factors_belong_to_the_features_and_labels_of_the_cell(descriptor):
    configurations = cells()
    features, labels = features_of(configurations, descriptor), site_labels(configurations)
    assert list(features.sites) == list(labels)
    for name, factor in features.sites.items():
        number = features.ids.index(name)
        local = descriptor.local(configurations.frames[number]) - features.bulk
        rows = np.column_stack([local, labels[name]])
        np.testing.assert_allclose(factor.T @ factor, rows.T @ rows, rtol=1e-9)
        np.testing.assert_allclose(rows[:, :-1].sum(axis=0), features.X[number], rtol=1e-9)


def test_strained_cells_are_compared_with_the_strained_crystal(descriptor):
    configurations = cells(1)
    strained = CRYSTAL.copy()
    strained.set_cell(1.01 * strained.cell, scale_atoms=True)
    features = features_of(configurations, descriptor, reference=lambda index: bulk_features(descriptor, strained))
    local = descriptor.local(configurations.frames[0]) - bulk_features(descriptor, strained)
    factor = features.sites["made/0/0000"]
    np.testing.assert_allclose((factor.T @ factor)[:-1, :-1], local.T @ local, rtol=1e-9)


def test_descriptors_without_local_values_have_no_factors():
    scattering = create("scattering", n_scales=1, l_max=1)
    assert not features_of(cells(1), scattering).sites


def test_features_do_not_depend_on_labels_of_atoms(descriptor):
    configurations = cells()
    bulk = bulk_features(descriptor, CRYSTAL)
    plain = FeatureSet.compute(descriptor, configurations.table["id"], configurations.frames, bulk)
    assert not plain.sites
    np.testing.assert_array_equal(plain.X, features_of(configurations, descriptor).X)


def test_files_keep_the_factors(descriptor, tmp_path):
    configurations = cells()
    features = features_of(configurations, descriptor)
    parts = [features_of(configurations.subset(rows), descriptor) for rows in ([0, 1, 2], [3], [4, 5])]
    for number, part in enumerate(parts):
        part.save(tmp_path / f"{number}.h5")
    again = concatenate([FeatureSet.load(tmp_path / f"{number}.h5") for number in range(3)])
    assert list(again.sites) == list(features.sites)
    for name, factor in features.sites.items():
        np.testing.assert_array_equal(again.sites[name], factor)


def test_evaluation_hands_atoms_to_those_that_take_them(descriptor):
    configurations = cells(12)
    table = configurations.table.assign(role="train")
    features = features_of(configurations, descriptor)
    folds = folds_table(table, 3)
    options = {"folds": folds, "names": {"descriptor": "d", "regressor": "r"}}
    model = ExtensiveRidge([1e-3], site_weights=[1.0])
    fitted, predictions, _ = fit_and_predict(model, table, {"made": features}, **options)
    sites = [features.sites.get(name) for name in features.ids]
    expected = model.fit(features.X, table["formation_entropy"], sites=sites)
    np.testing.assert_allclose(fitted.coef_, expected.coef_, rtol=1e-10)
    held_out = predictions[predictions["stage"] == "cross-validation"]
    for number, rows in held_out.groupby("fold"):
        seen = ~np.isin(features.ids, rows["id"])
        model.fit(features.X[seen], table["formation_entropy"][seen], sites=[sites[i] for i in np.flatnonzero(seen)])
        np.testing.assert_allclose(rows["prediction"], model.predict(features.X[~seen]), rtol=1e-8, err_msg=str(number))
    fit_and_predict(ExtensiveBayesianRidge(), table, {"made": features}, **options)


ROOT = Path(__file__).parents[2]


@pytest.mark.slow
def test_a_run_keeps_labels_of_atoms_only_where_they_are_learnt_from(tmp_path):
    """On the shipped minima of two interstitials."""
    archive = str(ROOT / "data/clusters.h5")
    config = {
        "results": str(tmp_path / "results"),
        "datasets": {"pairs": {"role": "train", "archive": archive, "classes": ["I2"]}},
        "descriptors": {"afs": {"kind": "afs", "n_max": 2, "l_max": 2}},
        "evaluation": {"folds": 3},
        "shard_size": 1000,
    }
    plain, resolved = {"kind": "ridge"}, {"kind": "ridge", "site_weights": [1.0, 100.0]}
    fitted, held_out = [], []
    for number, regressors in enumerate([{"plain": plain}, {"plain": plain, "resolved": resolved}]):
        path = tmp_path / f"{number}.yaml"
        path.write_text(yaml.safe_dump(config | {"regressors": regressors}))
        targets = [f"{tmp_path}/results/predictions/afs/{name}.csv" for name in regressors]
        command = [sys.executable, "-m", "snakemake", "--snakefile", ROOT / "Snakefile", "--configfile", path]
        done = subprocess.run([*command, "--cores", "1", *targets], capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
        (features,) = (tmp_path / "results/features/afs/pairs").glob("*.h5")
        assert len(FeatureSet.load(features).sites) == (13 if "resolved" in regressors else 0)
        fitted.append(Path(targets[0]).read_bytes())
        held_out.append(pd.read_csv(targets[-1])["prediction"])
    assert fitted[0] == fitted[1]
    assert not np.allclose(held_out[0], held_out[1])
    assert "'site_weight_': " in (tmp_path / "results/logs/fit/afs/resolved.log").read_text()
