"""Reference cells: what they are called, and that they are at rest."""

import numpy as np
import pytest

from vibentropy import load_potential
from vibentropy.atoms.crystal import Crystal
from vibentropy.datasets.store import ConfigurationSet
from vibentropy.labels.entropy import formation_entropy
from vibentropy.sources.lattice import Lattice
from vibentropy.sources.made_cells import REFERENCES, beside
from vibentropy.sources.references import Reference, make_references
from vibentropy.sources.source import source_of

IRON = Crystal("Fe", "bcc", 2.8553127)
SOLUTE = {"defect": "P_Fe", "cell": [3, 3, 3]}


@pytest.fixture(scope="module")
def potential():
    return load_potential(file="FeP_mm.eam.fs", elements=["Fe", "P"])


def test_a_reference_has_a_name_and_an_element():
    antisite = Reference.from_block({"defect": "Al_FeII", "cell": [4, 4, 4]})
    assert (antisite.name, antisite.element) == ("Al_FeII 4x4x4", "Al")
    crystal = Reference.from_block({"structure": "fcc", "element": "Al", "a": 4.05, "cell": [3, 3, 2]})
    assert (crystal.name, crystal.element) == ("fcc Al 3x3x2", "Al")
    assert crystal.atoms(IRON).get_chemical_formula() == "Al72"


def test_defects_are_on_their_sublattice():
    compound = Crystal("Fe", "DO3", 5.8, partner="Al")
    for sublattice in ("FeI", "FeII"):
        atoms = Reference((2, 2, 2), f"Al_{sublattice}").atoms(compound)
        (changed,) = np.flatnonzero(atoms.numbers != compound.cell(2).numbers)
        assert compound.on(sublattice, len(atoms))[changed]
        assert atoms.symbols[changed] == "Al"


def test_references_are_made_at_rest_and_read_by_the_data_sets(potential, tmp_path):
    lattice = Lattice.from_block({"structure": "bcc", "a": IRON.a, "references": [SOLUTE]})
    made = make_references(lattice.references, IRON, potential)
    made.save(beside(tmp_path / "lattice.json", REFERENCES))
    assert list(made.table["id"]) == ["references/P_Fe 3x3x3"]
    assert made.table["max_force"].max() < 1e-6
    (solute,) = made.frames
    assert solute.get_chemical_formula() == "Fe53P"
    # The crystal has not moved as a whole.
    assert np.abs((solute.positions - IRON.cell(3).positions).mean(axis=0)).max() < 1e-9
    # By definition.
    assert formation_entropy(solute, [IRON.cell(3), solute], potential) == pytest.approx(0, abs=1e-9)
    recipe = {"cells": [[3, 3, 3]], "defects": {"P2": {"solutes": {"P": 2}, "trajectories": 1}}}
    planned = source_of("made", {"role": "train", "recipe": recipe}, lattice)
    # Jobs are told no more than that there are some.
    in_job = source_of("made", planned.about())
    assert planned.about() == {"recipe": {"references": True}}
    assert planned.about_smallest() == {"recipe": {"references": True, "cells": [[3, 3, 3]]}}
    assert in_job.references("potential/lattice.json") == ["potential/lattice.json", "potential/references.h5"]
    (read,) = in_job.others(tmp_path / "lattice.json")
    np.testing.assert_array_equal(read.positions, solute.positions)
    alone = source_of("made", source_of("made", {"role": "train", "recipe": recipe}, Lattice("bcc", IRON.a)).about())
    assert (alone.others(tmp_path / "lattice.json"), alone.references("lattice.json")) == ([], ["lattice.json"])


def test_another_crystal_is_at_its_own_lattice_constant(potential):
    found = Reference.from_block({"structure": "fcc", "element": "Fe", "a": 3.6, "cell": [2, 2, 2]})
    atoms = found.at_rest(IRON, potential)
    assert len(atoms) == 32
    assert atoms.cell[0, 0] / 2 == pytest.approx(Crystal("Fe", "fcc", 3.6).relaxed(potential).a)


def test_no_references_are_an_empty_set(potential):
    assert (
        make_references([], IRON, potential).frames
        == ConfigurationSet([], make_references([], IRON, potential).table).frames
        == []
    )
