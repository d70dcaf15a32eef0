"""Sets of configurations survive files."""

import re

import ase.io
import numpy as np
import pandas as pd
from ase import Atoms
from ase.calculators.singlepoint import SinglePointCalculator
from hypothesis import given, settings
from hypothesis import strategies as st
from random_sets import assert_same, random_set, reproducible

from vibentropy.datasets.store import ConfigurationSet, load_table


@given(seed=st.integers(0, 1000), n_configurations=st.integers(0, 12))
@reproducible
def test_hdf5_round_trip_is_exact(tmp_path_factory, seed, n_configurations):
    path = tmp_path_factory.mktemp("set") / "set.h5"
    one = random_set(seed, n_configurations)
    one.save(path)
    other = ConfigurationSet.load(path)
    assert_same(one, other)
    np.testing.assert_equal(other.attributes, one.attributes)
    before = path.read_bytes()
    other.save(path)
    assert path.read_bytes() == before


def test_only_geometry_is_kept_and_atoms_are_counted():
    atoms = Atoms(
        "Fe2",
        positions=[[0, 0, 0], [0, 0, 2]],
        cell=[3, 3, 4],
        pbc=[True, False, True],
        info={"S": 3},
        velocities=np.ones((2, 3)),
    )
    atoms.calc = SinglePointCalculator(atoms, energy=1.0)
    one = ConfigurationSet([atoms], pd.DataFrame({"id": ["x"], "n_atoms": [7]}))
    assert set(one.frames[0].arrays) == {"numbers", "positions"}
    assert not one.frames[0].info
    assert one.frames[0].calc is None
    assert list(one.frames[0].pbc) == [True, False, True]
    np.testing.assert_array_equal(one.frames[0].cell, np.diag([3, 3, 4]))
    assert one.table["n_atoms"].item() == 2
    atoms.positions[0] = 1.0
    assert (one.frames[0].positions[0] == 0).all()


@given(seed=st.integers(0, 1000))
@settings(reproducible, max_examples=5)
def test_rows_of_a_file_are_those_of_the_set(tmp_path_factory, seed):
    path = tmp_path_factory.mktemp("set") / "set.h5"
    whole = random_set(seed, 9)
    whole.frames[4].set_array("site_entropy", np.ones(len(whole.frames[4])))
    whole.save(path)
    rng = np.random.default_rng(seed)
    for rows in (rng.permutation(9)[:5], rng.random(9) < 0.5, [], [3, 4, 5, 8]):
        assert_same(ConfigurationSet.load(path, rows), whole.subset(rows))
    pd.testing.assert_frame_equal(load_table(path), whole.table)


def test_site_entropies_survive_files_and_only_where_there_are_any(tmp_path):
    whole = random_set(3, 4)
    whole.frames[2].set_array("site_entropy", np.linspace(-1, 1, len(whole.frames[2])))
    whole.save(tmp_path / "set.h5")
    loaded = ConfigurationSet.load(tmp_path / "set.h5").subset([0, 2])
    assert not loaded.frames[0].has("site_entropy")
    np.testing.assert_array_equal(loaded.frames[1].arrays["site_entropy"], whole.frames[2].arrays["site_entropy"])
    loaded.to_extxyz(tmp_path / "set.extxyz")
    (_, read) = ase.io.read(tmp_path / "set.extxyz", ":")
    np.testing.assert_allclose(read.arrays["site_entropy"], whole.frames[2].arrays["site_entropy"], atol=1e-8)


def test_a_notebook_shows_what_is_in_a_set():
    frames = [Atoms("Fe2", positions=[[0, 0, 0], [0, 0, 2]], cell=[3, 3, 4], pbc=True) for _ in range(3)]
    frames[0].set_array("site_entropy", np.array([0.5, 1.0]))
    table = pd.DataFrame({"status": ["labelled", "labelled", "saddle"], "formation_entropy": [1.5, 2.0, np.nan]})
    one = ConfigurationSet(frames, table.assign(defect_class=["V1", "V<2", "V1"]))
    assert repr(one) == "<ConfigurationSet of 3 configurations, 2 of them labelled>"
    rows = [re.sub("<[^>]*>", " ", row).split() for row in one._repr_html_().splitlines()]
    assert ["configurations", "3"] in rows
    assert ["status", "labelled:", "2,", "saddle:", "1"] in rows
    assert ["formation", "entropies", "1.5", "to", "2"] in rows
    assert ["resolved", "by", "atoms", "1"] in rows
    assert "V&lt;2" in one._repr_html_()
    assert ["configurations", "0"] in [
        re.sub("<[^>]*>", " ", row).split() for row in ConfigurationSet([], pd.DataFrame())._repr_html_().splitlines()
    ]
