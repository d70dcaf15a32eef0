"""Random alloys: cells of one composition at rest, trajectories that start from them, and labels compared with them."""

import numpy as np
import pytest

from vibentropy import formation_entropy, load_potential
from vibentropy.atoms.crystal import Crystal
from vibentropy.datasets.store import ConfigurationSet
from vibentropy.errors import ConfigError, DataError
from vibentropy.features.extensive import CrystalFeatures, describe_references
from vibentropy.labels.labelling import Labeller
from vibentropy.sources.archives import write_archive
from vibentropy.sources.lattice import Lattice
from vibentropy.sources.made_cells import RANDOM_CELLS, beside
from vibentropy.sources.random_alloys import RandomAlloy, RandomCells, make_random_cells
from vibentropy.sources.source import source_of

POTENTIAL = {"file": "VFe_mm.eam.fs", "elements": ["Fe", "V"]}
CRYSTAL = Crystal("Fe", "bcc", 2.916)
BLOCK = {
    "structure": "bcc",
    "a": 2.916,
    "relax": False,
    "composition": {"V": 0.2},
    "arrangements": 2,
    "seed": 3,
    "references": [{"structure": "bcc", "element": "Fe", "a": 2.8553, "cell": [3, 3, 3]}],
}
RECIPE = {
    "cells": [[3, 3, 3]],
    "anneal": {"temperature": 300, "steps_between": 2, "snapshots": 1},
    "defects": {"V1": {"vacancies": 1, "trajectories": 4}},
}


@pytest.fixture(scope="module")
def potential():
    return load_potential(**POTENTIAL)


@pytest.fixture(scope="module")
def made(potential):
    return make_random_cells(RandomAlloy({"V": 0.2}, 2, seed=3), [(3, 3, 3)], CRYSTAL, potential)


def test_arrangements_are_of_one_composition():
    alloy = RandomAlloy({"V": 0.2, "Cr": 0.1}, 3, seed=1)
    cells = [alloy.atoms(CRYSTAL, 4, number) for number in range(3)]
    for atoms in cells:
        assert atoms.symbols.formula.count() == {"Fe": 89, "V": 26, "Cr": 13}
        np.testing.assert_array_equal(atoms.positions, CRYSTAL.cell(4).positions)
    assert alloy.atoms(CRYSTAL, 4, 1) == cells[1]
    assert (cells[0].numbers != cells[1].numbers).sum() > 20
    assert (RandomAlloy({"V": 0.2, "Cr": 0.1}, 3, seed=2).atoms(CRYSTAL, 4).numbers != cells[0].numbers).sum() > 20


def test_they_are_made_at_rest(made, potential):
    assert list(made.table["id"]) == ["random/3x3x3/0", "random/3x3x3/1"]
    assert made.table["max_force"].max() < 1e-6
    for atoms in made.frames:
        assert atoms.symbols.formula.count()["V"] == 11
        displaced = atoms.positions - CRYSTAL.cell(3).positions
        assert 0.01 < np.linalg.norm(displaced, axis=1).max() < 0.3
        assert np.abs(displaced.mean(axis=0)).max() < 1e-9


def test_the_lattice_constant_is_that_of_the_alloy(potential):
    lattice = Lattice.from_block({**BLOCK, "a": 2.9, "relax": True})
    found = lattice.at_rest(potential)
    energies = [
        potential.energy_and_forces(lattice.random.at_rest(Crystal("Fe", "bcc", a), potential, 4))[0]
        for a in (found.a - 0.005, found.a, found.a + 0.005)
    ]
    assert energies[1] < min(energies[0], energies[2])
    # Iron itself has another one.
    assert found.a - Lattice("bcc", 2.86).at_rest(potential).a > 0.02
    with pytest.raises(ConfigError, match=r"lattice.a: the random alloy on bcc has no energy minimum near a = 2\.7 Å"):
        lattice.random.relaxed(Crystal("Fe", "bcc", 2.7), potential)


def test_a_data_set_is_made_from_them_and_compared_with_them(made, potential, tmp_path):
    lattice = Lattice.from_block(BLOCK)
    assert lattice.all_elements == ("V", "Fe")
    planned = source_of("made", {"role": "train", "recipe": RECIPE}, lattice)
    # Jobs are told no more than that there are some.
    assert planned.about() == {"recipe": {"references": True, "random": True}}
    in_job = source_of("made", planned.about())
    assert in_job.own_crystals
    assert in_job.references("a/lattice.json") == ["a/lattice.json", "a/references.h5", "a/random_cells.h5"]
    made.save(beside(tmp_path / "lattice.json", RANDOM_CELLS))
    perfect = in_job.perfect(tmp_path / "lattice.json")
    np.testing.assert_array_equal(in_job.unstrained(tmp_path / "lattice.json").positions, made.frames[0].positions)
    generated = planned.generate(POTENTIAL, seed=5)
    assert (generated.table["status"] == "relaxed").all()
    assert generated.table["formation_energy"].isna().all()
    chosen = {int(seed) % 2 for seed in generated.table["seed"]}
    assert chosen == {0, 1}
    iron = Crystal("Fe", "bcc", 2.8553).cell(3)
    labelled = Labeller(potential, others=[iron]).label(generated, perfect)
    write_archive(tmp_path / "made.h5", labelled, CRYSTAL, others=[iron], random=perfect)
    archived = source_of("again", {"archive": str(tmp_path / "made.h5")})
    read, of_archive = archived.read(), archived.perfect()
    for atoms, row in zip(labelled.frames, labelled.table.to_dict("records"), strict=True):
        own, other = (made.frames[(row["seed"] + shift) % 2] for shift in (0, 1))
        assert row["reason"] == ""
        assert perfect(row, atoms.cell).symbols.formula == own.symbols.formula
        assert row["formation_entropy"] == pytest.approx(formation_entropy(atoms, [own, iron], potential), abs=1e-9)
        assert 0 < row["formation_energy"] < 4
        # And again from an archive, whose positions are rounded.
        atoms, row = next(
            (atoms, again)
            for atoms, again in zip(read.frames, read.table.to_dict("records"), strict=True)
            if again["trajectory"] == row["trajectory"]
        )
        np.testing.assert_array_equal(of_archive(row).positions, own.positions)
        found = formation_entropy(atoms, [of_archive(row), *archived.others()], potential)
        assert row["formation_entropy"] == pytest.approx(found, abs=1e-4)
        # All but one atom are where they are in that arrangement, and not in the other one.
        assert sum((atoms.symbols == "V") != 0) >= 10
        assert (own.numbers != other.numbers).sum() > 5


def test_features_are_relative_to_the_own_cell(made):
    class Counting:
        """A descriptor of cells with nothing but a count of its calls."""

        has_local, n_features, calls = True, 1, 0

        def total(self, atoms):
            self.calls += 1
            return np.array([np.square(atoms.positions).sum()])

    descriptor, iron = Counting(), Crystal("Fe", "bcc", 2.8553).cell(3)
    of_crystal = CrystalFeatures(descriptor, RandomCells.of(made), [iron], own_crystals=True)
    rows = [{"repetitions": "3x3x3", "seed": seed} for seed in (7, 8, 9, 10)]
    found = [of_crystal(row, made.frames[0].cell) for row in rows]
    assert descriptor.calls == 4
    for row, bulk in zip(rows, found, strict=True):
        expected = describe_references(Counting(), made.frames[row["seed"] % 2], [iron])
        np.testing.assert_array_equal(bulk.values, expected.values)
    assert np.abs(found[0].values - found[1].values).max() > 1e-3


def test_a_size_that_is_not_there(made, tmp_path):
    made.save(tmp_path / "random_cells.h5")
    cells = RandomCells.beside(tmp_path / "lattice.json")
    with pytest.raises(DataError, match="no random cell of 4x4x4 unit cells, only of 3x3x3"):
        cells({"repetitions": "4x4x4", "seed": 1})
    assert len(ConfigurationSet.load(tmp_path / "random_cells.h5")) == 2
