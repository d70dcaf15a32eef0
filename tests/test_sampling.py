import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vibentropy.engine import MAX_SEED, LammpsEngine
from vibentropy.errors import ConfigError, StructureError
from vibentropy.sampling import Crystal, Trajectory, sample, seed_defects, shards, trajectories

IRON = Crystal("Fe", "bcc", 2.8553125)

V2 = Trajectory(
    dataset="train",
    name="3x3x3-V2-0000",
    defect_class="V2",
    repetitions=(3, 3, 3),
    interstitials=0,
    vacancies=2,
    clusters=1,
    radius=5.0,
    temperature=900.0,
    time_step=0.002,
    steps_between=60,
    snapshots=1,
    max_force=1e-6,
)


@pytest.fixture(scope="module")
def engine(fine_table):
    with LammpsEngine.on_table(fine_table, "Fe") as engine:
        yield engine


def test_lattice_constant_is_that_of_zero_pressure(iron):
    crystal = Crystal("Fe", "bcc", 2.9).relaxed(iron)
    assert crystal.a == pytest.approx(2.8553127, abs=1e-6)
    energies = [iron.energy_and_forces(dataclasses.replace(crystal, a=crystal.a + h).cell(1))[0] for h in (-1e-3, 1e-3)]
    # E'' is some 30 eV/Å², so that 1e-6 Å beside the minimum would show as 6e-8 eV.
    assert abs(energies[1] - energies[0]) < 6e-8


def test_lattice_without_minimum_is_refused(iron):
    with pytest.raises(ConfigError, match=r"no energy minimum near a = 2\.5 Å"):
        Crystal("Fe", "bcc", 2.5).relaxed(iron)


def test_crystal_survives_its_file(tmp_path):
    crystal = Crystal("Fe", "bcc", 2.855312452504538)
    crystal.save(tmp_path / "lattice.json")
    assert Crystal.load(tmp_path / "lattice.json") == crystal


def two_classes(n_interstitials):
    return {
        "cells": [[3, 3, 3], [4, 4, 5]],
        "anneal": {"temperature": 900, "time_step": 0.002, "steps_between": 10, "snapshots": 2},
        "quench": {"max_force": 1e-6},
        "defects": {
            "I1": {
                "interstitials": 1,
                "vacancies": 0,
                "radius": 3.0,
                "clusters": 1,
                "trajectories": n_interstitials,
                "anneal": {},
            },
            "V1": {
                "interstitials": 0,
                "vacancies": 1,
                "radius": None,
                "clusters": 3,
                "trajectories": 1,
                "anneal": {"temperature": 1500},
            },
        },
    }


def test_recipe_is_expanded_with_what_differs_per_class():
    planned = trajectories("train", two_classes(2))
    assert [t.name for t in planned] == [
        *("3x3x3-I1-0000", "3x3x3-I1-0001", "3x3x3-V1-0000"),
        *("4x4x5-I1-0000", "4x4x5-I1-0001", "4x4x5-V1-0000"),
    ]
    assert [t.temperature for t in planned] == [900, 900, 1500] * 2
    assert planned[-1].repetitions == (4, 4, 5)
    assert planned[-1].steps_between == 10


def test_more_trajectories_only_add_shards():
    few, many = shards("train", two_classes(4), 2), shards("train", two_classes(7), 2)
    assert few.items() <= many.items()
    assert len(many) == len(few) + 4
    for recipe, shared in ((4, few), (7, many)):
        planned = [Trajectory(**fields) for members in shared.values() for fields in members]
        assert planned == trajectories("train", two_classes(recipe))
    assert max(map(len, many.values())) == 2


@given(run_seed=st.integers(0, 2**40), name=st.text(max_size=20))
def test_seeds_are_in_the_range_of_lammps_and_depend_on_run_and_name(run_seed, name):
    trajectory = dataclasses.replace(V2, name=name)
    assert 1 <= trajectory.seed(run_seed) <= MAX_SEED
    assert trajectory.seed(run_seed) == trajectory.seed(run_seed)
    assert trajectory.seed(run_seed) != trajectory.seed(run_seed + 1)
    assert trajectory.seed(run_seed) != dataclasses.replace(trajectory, name=name + "x").seed(run_seed)


@settings(max_examples=50)
@given(
    seed=st.integers(0, 10**6),
    interstitials=st.integers(0, 3),
    vacancies=st.integers(0, 3),
    clusters=st.integers(1, 3),
    radius=st.one_of(st.none(), st.floats(4.5, 6.0)),
)
def test_seeds_hold_the_defects_asked_for(seed, interstitials, vacancies, clusters, radius):
    perfect = IRON.cell((6, 6, 6))
    asked = dataclasses.replace(V2, interstitials=interstitials, vacancies=vacancies, clusters=clusters, radius=radius)
    atoms = seed_defects(perfect, asked, np.random.default_rng(seed))
    sites = {tuple(position) for position in perfect.positions}
    kept = sum(tuple(position) in sites for position in atoms.positions)
    assert len(perfect) - kept == clusters * vacancies
    assert len(atoms) - kept == clusters * interstitials
    if clusters == 1 and radius is not None:
        missing = np.array(sorted(sites - {tuple(p) for p in atoms.positions})).reshape(-1, 3)
        changed = np.concatenate([missing, atoms.positions[kept:]])
        for a in changed:
            for b in changed:
                separation = (a - b) @ np.linalg.inv(perfect.cell[:])
                separation = (separation - np.round(separation)) @ perfect.cell[:]
                assert np.linalg.norm(separation) <= 2 * radius + 1e-9


def test_interstitials_keep_their_distance():
    asked = dataclasses.replace(V2, interstitials=4, vacancies=0, radius=5.0)
    for seed in range(20):
        atoms = seed_defects(IRON.cell((5, 5, 5)), asked, np.random.default_rng(seed))
        distances = atoms.get_all_distances(mic=True)[-4:]
        assert distances[distances > 0].min() >= 1.4


def test_sphere_without_enough_sites_is_refused():
    asked = dataclasses.replace(V2, vacancies=4, radius=1.5)
    with pytest.raises(StructureError, match=r"sphere of 1\.50 Å holds . sites, too few for 4 vacancies"):
        seed_defects(IRON.cell((4, 4, 4)), asked, np.random.default_rng(0))


def test_trajectory_does_not_depend_on_the_others(iron, engine):
    planned = [
        dataclasses.replace(V2, name="a"),
        dataclasses.replace(V2, name="b", interstitials=1, vacancies=0, radius=3.0),
    ]
    together = sample(planned, IRON, iron, engine, 2020)
    alone = sample(planned[1:], IRON, iron, engine, 2020)
    assert list(together.table["status"]) == ["relaxed"] * 4
    assert list(together.table["id"]) == ["train/a/00", "train/a/01", "train/b/00", "train/b/01"]
    assert (together.table["max_force"] <= 1e-6).all()
    for one, other in zip(together.frames[2:], alone.frames, strict=True):
        np.testing.assert_array_equal(one.positions, other.positions)
    another_seed = sample(planned[:1], IRON, iron, engine, 2021)
    assert np.abs(another_seed.frames[0].positions - together.frames[0].positions).max() > 0.1
    # The energy that is stored is that of the atoms that are stored.
    energy, _ = iron.energy_and_forces(together.frames[3])
    assert together.table["energy"][3] == energy
    perfect_energy, _ = iron.energy_and_forces(IRON.cell((3, 3, 3)))
    assert together.table["formation_energy"][3] == pytest.approx(energy - 55 / 54 * perfect_energy, abs=1e-9)


def test_failing_trajectories_leave_a_row_and_stop_nothing(iron, engine):
    planned = [
        dataclasses.replace(V2, name="no room", vacancies=9, radius=1.0),
        dataclasses.replace(V2, name="exploding", temperature=1e9),
        dataclasses.replace(V2, name="fine"),
    ]
    result = sample(planned, IRON, iron, engine, 2020)
    assert list(result.table["trajectory"]) == ["no room", "exploding", "fine", "fine"]
    assert list(result.table["status"]) == ["rejected", "rejected", "relaxed", "relaxed"]
    assert "too few for 9 vacancies" in result.table["reason"][0]
    assert "LAMMPS stopped" in result.table["reason"][1]
