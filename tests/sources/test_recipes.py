import dataclasses
import json

import numpy as np
import pytest
from ase.geometry import find_mic
from hypothesis import given
from hypothesis import strategies as st
from trajectories import IRON, V2

from vibentropy import load_potential
from vibentropy.atoms.crystal import Crystal
from vibentropy.errors import ConfigError
from vibentropy.labels.labelling import Labeller
from vibentropy.potentials.lammps_engine import MAX_SEED, LammpsEngine
from vibentropy.sources.lattice import Lattice
from vibentropy.sources.perfect import filled
from vibentropy.sources.references import make_references
from vibentropy.sources.sampling import Trajectory, sample
from vibentropy.sources.seeds import Cluster
from vibentropy.sources.source import source_of


@pytest.fixture(scope="module")
def engine(fine_table):
    with LammpsEngine.on_table(fine_table, ["Fe"]) as engine:
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
        "strain": 0.0,
        "defects": {
            "I1": {
                "shape": "random",
                "interstitials": 1,
                "vacancies": 0,
                "radius": 3.0,
                "clusters": 1,
                "mixture": [],
                "separation": 0.0,
                "melt": None,
                "trajectories": n_interstitials,
                "anneal": {},
            },
            "V1": {
                "shape": "random",
                "interstitials": 0,
                "vacancies": 1,
                "radius": None,
                "clusters": 3,
                "mixture": [],
                "separation": 2.0,
                "melt": None,
                "trajectories": 1,
                "anneal": {"temperature": 1500},
            },
        },
    }


def test_recipe_is_expanded_with_what_differs_per_class():
    planned = source_of("train", {"recipe": two_classes(2)}).trajectories()
    assert [t.name for t in planned] == [
        *("3x3x3-I1-0000", "3x3x3-I1-0001", "3x3x3-V1-0000"),
        *("4x4x5-I1-0000", "4x4x5-I1-0001", "4x4x5-V1-0000"),
    ]
    assert [t.temperature for t in planned] == [900, 900, 1500] * 2
    assert planned[-1].repetitions == (4, 4, 5)
    assert planned[-1].steps_between == 10
    assert planned[-1].clusters == (Cluster("random", interstitials=0, vacancies=1, radius=None),) * 3
    assert planned[-1].separation == 2.0


def test_mixture_and_melt_of_a_class():
    recipe = two_classes(1)
    recipe["defects"]["I1"] |= {
        "interstitials": 0,
        "mixture": [
            {"shape": "void", "interstitials": 0, "vacancies": 9, "radius": None, "clusters": 1},
            {"shape": "c15", "interstitials": 2, "vacancies": 0, "radius": None, "clusters": 2},
        ],
    }
    recipe["defects"]["V1"] |= {"vacancies": 0, "melt": {"radius": 5.0, "temperature": 6000.0}}
    mixed, molten = source_of("train", {"recipe": recipe}).trajectories()[:2]
    assert [(c.shape, c.interstitials, c.vacancies) for c in mixed.clusters] == [("void", 0, 9), *[("c15", 2, 0)] * 2]
    assert mixed.melt_radius == 0
    assert molten.clusters == ()
    assert (molten.melt_radius, molten.melt_temperature) == (5.0, 6000.0)


def test_more_trajectories_only_add_shards():
    few, many = (source_of("train", {"recipe": two_classes(n)}).shards(7) for n in (4, 7))
    assert few.items() <= many.items()
    assert len(many) == len(few) + 4
    for recipe, shared in ((4, few), (7, many)):
        planned = [Trajectory(**fields) for members in shared.values() for fields in members]
        assert planned == source_of("train", {"recipe": two_classes(recipe)}).trajectories()
    assert max(map(len, many.values())) == 2


@given(run_seed=st.integers(0, 2**40), name=st.text(max_size=20))
def test_seeds_are_in_the_range_of_lammps_and_depend_on_run_and_name(run_seed, name):
    trajectory = dataclasses.replace(V2, name=name)
    assert 1 <= trajectory.seed(run_seed) <= MAX_SEED
    assert trajectory.seed(run_seed) == trajectory.seed(run_seed)
    assert trajectory.seed(run_seed) != trajectory.seed(run_seed + 1)
    assert trajectory.seed(run_seed) != dataclasses.replace(trajectory, name=name + "x").seed(run_seed)


def test_trajectory_does_not_depend_on_the_others(iron, engine):
    planned = [
        dataclasses.replace(V2, name="a"),
        dataclasses.replace(V2, name="b", clusters=(Cluster("random", 1, 0, 3.0),)),
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


def test_the_seed_is_left_out_where_only_annealed_minima_are_wanted(iron, engine):
    seed_and_snapshot = sample([V2], IRON, iron, engine, 2020)
    (snapshot,) = sample([dataclasses.replace(V2, quench_seed=False)], IRON, iron, engine, 2020).frames
    np.testing.assert_array_equal(snapshot.positions, seed_and_snapshot.frames[1].positions)


def test_failing_trajectories_leave_a_row_and_stop_nothing(iron, engine):
    planned = [
        dataclasses.replace(V2, name="no room", clusters=(Cluster("random", 0, 9, 1.0),)),
        dataclasses.replace(V2, name="exploding", temperature=1e9),
        dataclasses.replace(V2, name="fine"),
    ]
    result = sample(planned, IRON, iron, engine, 2020)
    assert list(result.table["trajectory"]) == ["no room", "exploding", "fine", "fine"]
    assert list(result.table["status"]) == ["rejected", "rejected", "relaxed", "relaxed"]
    assert "too few for 9 vacancies" in result.table["reason"][0]
    assert "LAMMPS stopped" in result.table["reason"][1]


def test_strained_trajectory_is_compared_with_the_crystal_under_its_strain(iron, engine):
    strained = dataclasses.replace(V2, strain=0.02)
    result = sample([strained], IRON, iron, engine, 2020)
    strain = result.frames[0].cell[:] / (3 * IRON.a) - np.eye(3)
    np.testing.assert_allclose(strain, strain.T, atol=1e-12)
    assert 0.005 < np.abs(strain).max() <= 0.02
    assert np.abs(strain[np.triu_indices(3, 1)]).min() > 0
    perfect = IRON.filling(result.frames[0].cell, (3, 3, 3))
    energy, forces = iron.energy_and_forces(perfect)
    assert np.abs(forces).max() < 1e-10
    expected = result.table["energy"][0] - 52 / 54 * energy
    assert result.table["formation_energy"][0] == pytest.approx(expected, abs=1e-9)
    # Another trajectory has another strain.
    other = sample([dataclasses.replace(strained, name="other")], IRON, iron, engine, 2020)
    assert np.abs(other.frames[0].cell[:] - result.frames[0].cell[:]).max() > 0.01


SOLUTES = {
    "cells": [[3, 3, 3]],
    "anneal": {
        **{"temperature": 900, "time_step": 0.002, "steps_between": 20, "snapshots": 1},
        "swaps": {"every": 10, "attempts": 4},
    },
    "defects": {
        "V_Fe+P_Fe": {"vacancies": 1, "solutes": {"P": 1}, "shells": [1], "trajectories": 1},
        "P_Fe3": {"composition": {"P": 0.06}, "trajectories": 1, "anneal": {"swaps": None}},
        "V_Fe": {"vacancies": 1, "trajectories": 1},
    },
}


def test_solutes_are_seeded_annealed_and_quenched():
    block = {"file": "FeP_mm.eam.fs", "elements": ["Fe", "P"]}
    lattice = Lattice.from_block(
        {"structure": "bcc", "a": IRON.a, "relax": False, "references": [{"defect": "P_Fe", "cell": [3, 3, 3]}]}
    )
    recipe = source_of("train", {"role": "train", "recipe": SOLUTES}, lattice)
    planned = recipe.trajectories()
    assert [t.attempts for t in planned] == [8, 0, 8]
    # Shards are JSON to Snakemake.
    (first, *_) = recipe.shards(1).values()
    assert Trajectory(**json.loads(json.dumps(first[0]))) == planned[0]
    assert recipe.amounts(1)["3x3x3-V_Fe+P_Fe-000"].steps == 28
    made, again = recipe.generate(block, seed=1), recipe.limited(1).generate(block, seed=1)
    assert made.table["status"].eq("relaxed").all()
    assert [atoms.get_chemical_formula() for atoms in made.frames] == [
        *("Fe52P", "Fe52P", "Fe51P3", "Fe51P3", "Fe53", "Fe53")
    ]
    for one, other in zip(made.frames, again.frames, strict=True):
        np.testing.assert_array_equal(one.positions, other.positions)
        np.testing.assert_array_equal(one.numbers, other.numbers)
    # What solutes cost is known where they are labelled.
    assert made.table["formation_energy"].isna().tolist() == [True] * 4 + [False] * 2
    potential = load_potential(**block)
    crystal = Crystal.from_facts(made.attributes)
    others = make_references(lattice.references, crystal, potential).frames
    labelled = Labeller(potential, others=others).label(made, filled(crystal)).table
    assert labelled["status"].eq("labelled").all()
    energies = [potential.energy_and_forces(atoms)[0] for atoms in (crystal.cell(3), others[0])]
    solute = energies[1] - 53 / 54 * energies[0]
    expected = labelled["energy"][0] - solute - 52 / 54 * energies[0]
    assert labelled["formation_energy"][0] == pytest.approx(expected, abs=1e-9)
    assert labelled["formation_energy"][4] == made.table["formation_energy"][4]
    # A first neighbour binds to the vacancy.
    assert labelled["formation_energy"][0] < labelled["formation_energy"][4] - 0.2


def test_compounds_are_seeded_on_their_sublattices_and_relaxed():
    block = {"file": "AlFe_mm.eam.fs", "elements": ["Al", "Fe"]}
    lattice = Lattice.from_block({"structure": "B2", "a": 2.9, "elements": ["Fe", "Al"]})
    recipe = {
        "cells": [[3, 3, 3]],
        "anneal": {"temperature": 300, "time_step": 0.002, "steps_between": 10, "snapshots": 1, "quench_seed": False},
        "defects": {
            "V_Fe": {"vacancies": {"Fe": 1}, "trajectories": 1},
            "V_Al+Al_Fe": {"vacancies": {"Al": 1}, "solutes": {"Al_Fe": 1}, "trajectories": 1},
        },
    }
    made = source_of("train", {"role": "train", "recipe": recipe}, lattice).generate(block, seed=1)
    assert made.table["status"].eq("relaxed").all()
    crystal = Crystal.from_facts(made.attributes)
    assert (crystal.name, crystal.elements) == ("B2 FeAl", ("Fe", "Al"))
    assert crystal.a == pytest.approx(2.85134, abs=1e-4)
    assert [dict(zip(*np.unique(atoms.symbols, return_counts=True), strict=True)) for atoms in made.frames] == [
        {"Fe": 26, "Al": 27},
        {"Fe": 26, "Al": 27},
    ]


def test_pocket_of_melt_leaves_the_rest_of_the_crystal_alone(iron, engine):
    molten = dataclasses.replace(
        V2,
        repetitions=(5, 5, 5),
        clusters=(),
        melt_radius=4.0,
        melt_temperature=20000.0,
        temperature=10.0,
        time_step=0.001,
        steps_between=200,
    )
    perfect = IRON.cell((5, 5, 5))
    result = sample([molten], IRON, iron, engine, 2020)
    assert list(result.table["status"]) == ["relaxed"]
    moved = np.linalg.norm(find_mic(result.frames[0].positions - perfect.positions, perfect.cell, pbc=True)[0], axis=1)
    assert (moved > 1.0).sum() >= 2
    assert np.median(moved) < 0.2


def test_hcp_is_seeded_annealed_and_quenched():
    """Interstitials and vacancies in a sphere of hcp, whose cell is no cube."""
    block = {"file": "Mg_mm.eam.fs", "element": "Mg"}
    recipe = {
        "cells": [[4, 2, 3]],
        "anneal": {"temperature": 300, "time_step": 0.002, "steps_between": 20, "snapshots": 1},
        "defects": {
            "I1": {"interstitials": 1, "radius": 4.0, "trajectories": 1},
            "V9": {"shape": "void", "vacancies": 9, "trajectories": 1},
        },
    }
    lattice = Lattice("hcp", 3.2, c_over_a=1.63)
    made = source_of("train", {"role": "train", "recipe": recipe}, lattice).generate(block, seed=1)
    assert made.table["status"].eq("relaxed").all()
    assert made.table["n_sites"].eq(96).all()
    assert lattice.sites((4, 2, 3)) == 96
    assert [len(atoms) for atoms in made.frames] == [97, 97, 87, 87]
    crystal = Crystal.from_facts(made.attributes)
    assert crystal.c_over_a == pytest.approx(1.628, abs=1e-3)
    for atoms in made.frames:
        np.testing.assert_allclose(atoms.cell[:], np.diag(crystal.edges * [4, 2, 3]))
    # The void is made of the sites next to a point: all are within a sphere of their own volume, and a little.
    perfect = crystal.cell((4, 2, 3))
    nearest = [find_mic(made.frames[2].positions - site, perfect.cell, pbc=True)[1].min() for site in perfect.positions]
    gone = perfect[np.argsort(nearest)[-9:]]
    assert gone.get_all_distances(mic=True).max() < 2.5 * crystal.a
    assert made.table["formation_energy"].min() > 0.5
