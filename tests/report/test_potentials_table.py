"""The table of the potentials that LAMMPS ships, in Markdown."""

import numpy as np
import pandas as pd
import pytest
from pages import ROOT

from vibentropy.report.potentials_table import BEGIN, END, potentials_page

TEXT = ("file", "record", "pair_style", "element", "crystal", "lowest_crystal", "route", "note", "reason")


def row(file, element, **said):
    numbers = ("a", "c_over_a", "above_lowest", "formation_energy", "formation_entropy", "seconds")
    empty = dict.fromkeys(TEXT, "") | dict.fromkeys([*numbers, "formation_entropy_uncertainty"], np.nan)
    return empty | {"file": file, "record": element, "element": element, "seconds": 1.6, "n_sites": pd.NA} | said


@pytest.fixture
def table():
    labelled = {"crystal": "fcc", "lowest_crystal": "fcc", "above_lowest": 0.0, "a": 3.61492, "n_sites": 108}
    labelled |= {"formation_energy": 1.27530, "formation_entropy": 2.88229, "route": "analytic"}
    return pd.DataFrame(
        [
            row("a.eam", "Cu", **labelled, pair_style="eam", formation_entropy_uncertainty=0.01234),
            row("b.meam", "Ni", **labelled | {"lowest_crystal": "hcp", "above_lowest": 0.0123, "record": "Ni4"}),
            row(
                "c.sw", "Zn", **labelled | {"crystal": "hcp", "c_over_a": 1.6, "route": "finite differences"}, note="so"
            ),
            row("d.eam", "Cu", crystal="fcc", reason="too coarse; or | not; do something" + 100 * " else"),
            row("e.eam", "O", reason="no elemental crystal"),
            row("f.eam", "H", reason="no elemental crystal"),
        ]
    )


def cells(page):
    lines = [line for line in page.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]


def test_rows(table):
    page = potentials_page(table)
    header, _, copper, nickel, zinc, refused = cells(page)
    assert {len(line) for line in cells(page)} == {len(header)}
    assert copper == ["`a.eam` Cu", "eam", "fcc", "3.6149", "108", "1.275", "2.882 ± 0.01", "analytic", ""]
    assert nickel[0] == "`b.meam` Ni (`Ni4`)"
    assert (nickel[6], nickel[8]) == ("2.882", "hcp is 12 meV per atom lower")
    assert (zinc[3], zinc[8]) == ("3.6149, c/a 1.6000", "so")
    assert refused[3:8] == [""] * 5
    assert refused[8] == "too coarse; or / not"


def test_what_stands_around_them(table):
    page = potentials_page(table)
    assert page.startswith("3 of 4 potentials give a label, 2 of them with an analytic Hessian.\n")
    assert page.endswith("- no elemental crystal: `e.eam` O, `f.eam` H\n")


def test_uncertainties_have_one_digit(table):
    for uncertainty, words in ((0.0234, "0.02"), (1e-6, "0.0001"), (1.1, "1")):
        table.loc[0, "formation_entropy_uncertainty"] = uncertainty
        assert cells(potentials_page(table))[2][6] == f"2.882 ± {words}"


def test_the_page_of_potentials_has_a_place_for_it():
    lines = (ROOT / "docs/potentials.md").read_text(encoding="utf-8").splitlines()
    assert lines.count(BEGIN) == lines.count(END) == 1
    assert lines.index(BEGIN) < lines.index(END)
