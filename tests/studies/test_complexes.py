"""Binding from the labels of a run, against `vibentropy.binding` and by hand."""

import numpy as np
import pandas as pd
import pytest
from ase import Atoms
from ase.build import bulk

import vibentropy
from vibentropy.atoms.reference_cells import ReferenceCells
from vibentropy.labels.labelling import Labeller
from vibentropy.studies.complexes import Minimum, bindings, excess, lone_solutes, parts_of

IRON = bulk("Fe", "bcc", a=2.8553127, cubic=True).repeat(3)
B2 = bulk("FeAl", "cesiumchloride", a=2.9).repeat(3)


@pytest.mark.parametrize(
    ("name", "crystal", "expected"),
    [
        ("V1", IRON, {"V": 1}),
        ("V1+P2", IRON, {"V": 1, "P": 2}),
        ("2V_Fe+P_Fe", IRON, {"V": 2, "P": 1}),
        ("3P_Fe", IRON, {"P": 3}),
        ("I2+V1", IRON, {"I": 2, "V": 1}),
        ("2V_Fe+Fe_Al", B2, {"V_Fe": 2, "Fe_Al": 1}),
        ("V_FeI", IRON, {"V_FeI": 1}),
        *((text, IRON, {}) for text in ("dilute", "net 0", "2xV4", "Al-rich", "", "2V3", "V1+far away")),
    ],
)
def test_classes_say_what_they_are_made_of(name, crystal, expected):
    assert parts_of(name, crystal) == expected


def defect(vacancies=(), solutes=(), crystal=IRON, element="P"):
    atoms = crystal.copy()
    atoms.symbols[list(solutes)] = element
    del atoms[list(vacancies)]
    return atoms


def minimum(name, atoms, energy, entropy, identifier="a", crystal=IRON):
    row = {"id": identifier, "defect_class": name, "formation_energy": energy, "formation_entropy": entropy}
    return Minimum.of(row, atoms, crystal)


def test_runs_bind_as_vibentropy_binding_says():
    """Labels with references, to 1e-9, in 54 sites."""
    potential = vibentropy.load_potential(file="FeP_mm.eam.fs", elements=["Fe", "P"])
    atoms = {"V1": defect([0]), "V1+P1": defect([0], [1]), "P1": defect([], [1]), "V1+P2": defect([0], [1, 3])}
    cells = {name: vibentropy.relax(cell, potential) for name, cell in atoms.items()}
    labeller = Labeller(potential, others=[cells["P1"]])
    rows = {
        name: labeller.label_cell(cell, IRON)[1] | {"id": name, "defect_class": name} for name, cell in cells.items()
    }
    minima = [Minimum.of(rows[name], cells[name], IRON) for name in ("V1", "V1+P1", "V1+P2")]
    table = bindings(minima, lone_solutes(ReferenceCells.of([IRON, cells["P1"]]))).set_index("defect_class")
    for name, parts in (("V1+P1", ["V1", "P1"]), ("V1+P2", ["V1", "P1", "P1"])):
        expected = vibentropy.binding(cells[name], [cells[part] for part in parts], IRON, potential)
        assert tuple(table.loc[name, ["binding_energy", "binding_entropy"]]) == pytest.approx(expected, abs=1e-9)
    assert table.loc["V1+P2", "parts"] == "V + 2 P"
    assert table.loc["V1+P1", "binding_energy"] < -0.3
    assert set(table["convention"]) == {"complex minus parts: negative energies attract"}


def test_the_lowest_of_each_class_against_the_lowest_of_its_parts():
    pair = defect([0], [1])
    minima = [
        minimum("V1", defect([0]), 1.8, 2.0, "high"),
        minimum("V1", defect([0]), 1.7, 2.6, "low"),
        minimum("V1+P1", pair, 1.5, 2.9, "second"),
        minimum("V1+P1", pair, 1.4, 2.1, "first"),
        minimum("V2", defect([0, 5]), 3.2, 6.0, "V2"),
    ]
    lone = [minimum("P_Fe", defect([], [1]), 0.0, 0.0)]
    table = bindings(minima, lone)
    assert table["id"].tolist() == ["first", "V2"]
    np.testing.assert_allclose(table["binding_energy"], [1.4 - 1.7, 3.2 - 2 * 1.7], atol=1e-12)
    np.testing.assert_allclose(table["binding_entropy"], [2.1 - 2.6, 6.0 - 2 * 2.6], atol=1e-12)
    # A class of lone solutes goes before the reference.
    table = bindings([*minima, minimum("P1", defect([], [1]), 0.1, 0.2)], lone)
    assert table["binding_energy"][0] == pytest.approx(1.4 - 1.7 - 0.1)
    # In another cell the same vacancy is another part; without a solute there is nothing to compare with.
    larger = IRON.repeat((1, 1, 2))
    elsewhere = minimum("V1+P1", defect([0], [1], larger), 1.4, 2.1, "elsewhere", larger)
    assert bindings([*minima, elsewhere], lone)["id"].tolist() == ["first", "V2"]
    assert bindings(minima)["id"].tolist() == ["V2"]


def test_names_that_atoms_do_not_bear_out_are_left_out():
    vacancy, lone = minimum("V1", defect([0]), 1.7, 2.6), [minimum("P_Fe", defect([], [1]), 0.0, 0.0)]
    assert bindings([vacancy, minimum("V1+P1", defect([0], [1, 3]), 1.4, 2.1)], lone).empty
    # An atom of P between the sites is no lone solute on one.
    foreign = IRON + Atoms("P", [[0.7, 0.7, 1.4]])
    assert bindings([vacancy, minimum("V1+P1", foreign, 1.4, 2.1)], lone).empty


def test_references_with_one_solute_are_told_from_other_conditions():
    antisite = defect([], [0], B2, "Al")
    (found,) = lone_solutes(ReferenceCells.of([B2, antisite]))
    assert (found.parts, found.excess) == ({"Al_Fe": 1}, {"Al": 1, "Fe": -1})
    assert lone_solutes(ReferenceCells.of([B2, IRON])) == []
    small = defect([], [1], IRON)
    (found,) = lone_solutes(ReferenceCells.of([IRON.repeat(2), small]))
    assert (found.parts, len(found.crystal)) == ({"P": 1}, 54)
    assert excess(small, IRON) == {"P": 1, "Fe": -1}
    assert isinstance(bindings([]), pd.DataFrame)
