"""Vacancies and solutes in equilibrium, against closed forms."""

import numpy as np
import pytest
from ase.build import bulk
from ase.units import kB

from vibentropy.errors import DataError
from vibentropy.studies.complexes import Minimum
from vibentropy.studies.solutes import dilute, species

IRON = bulk("Fe", "bcc", a=2.8553127, cubic=True).repeat(3)


def minimum(name, energy, entropy, vacancies=0, solutes=0, element="P", crystal=IRON):
    atoms = crystal.copy()
    atoms.symbols[10 : 10 + solutes] = element
    del atoms[:vacancies]
    row = {"id": f"{name} {energy}", "defect_class": name, "formation_energy": energy, "formation_entropy": entropy}
    return Minimum.of(row, atoms, crystal)


LONE = minimum("P_Fe", 0.0, 0.0, solutes=1)
VACANCY = minimum("V1", 1.7, 2.6, vacancies=1)
FIRST, SECOND = (minimum("V1+P1", 1.7 + e, 2.6 + s, 1, 1) for e, s in ((-0.36, -0.42), (-0.33, -0.35)))


def test_one_kind_of_pair_in_closed_form():
    """Two unknowns: x = λ (1 + K c_V), and the share of bound vacancies is K λ / (1 + K λ)."""
    content, temperatures = 2e-3, [300.0, 600.0, 1200.0]
    found = species([VACANCY, FIRST], [LONE], {"P": content})
    assert {one.id for one in found} == {VACANCY.id, FIRST.id, LONE.id}
    found = [VACANCY, FIRST, LONE]
    table = dilute(found, [1.0, 8.0, 1.0], {"P": content}, temperatures).set_index(["part", "temperature", "defect"])
    for t in temperatures:
        vacancies = np.exp(2.6 - 1.7 / (kB * t))
        constant = 8 * np.exp(0.36 / (kB * t) - 0.42)
        activity = content / (1 + constant * vacancies)
        bound = constant * activity / (1 + constant * activity)
        assert table["bound"]["V", t, "V"] == pytest.approx(bound, rel=1e-9)
        assert table["share"]["V", t, "V + P"] == pytest.approx(bound, rel=1e-9)
        assert table["concentration"]["V", t, "V"] == pytest.approx(vacancies, rel=1e-9)
        assert table["concentration"]["P", t, "P"] == pytest.approx(activity, rel=1e-9)
        assert table["bound"]["P", t, "P"] == pytest.approx(1 - activity / content, abs=1e-9)


def test_strong_pairs_of_solutes_in_closed_form():
    """Of λ + 2 K λ² = x the root is known; nearly all of it is in pairs."""
    pair = minimum("P2", -1.0, 0.0, solutes=2)
    assert species([pair], [LONE], {"P": 0.01}) == [pair, LONE]
    table = dilute([pair, LONE], [4.0, 1.0], {"P": 0.01}, [350.0])
    constant = 4 * np.exp(1.0 / (kB * 350))
    activity = (np.sqrt(1 + 8 * constant * 0.01) - 1) / (4 * constant)
    lone = table.set_index("defect").loc["P"]
    assert lone["concentration"] == pytest.approx(activity, rel=1e-9)
    assert lone["bound"] == pytest.approx(1 - activity / 0.01, rel=1e-9)
    assert lone["bound"] > 0.99


def test_minima_of_a_pair_add_up_and_repelled_ones_are_none():
    repelled = minimum("V1+P1", 1.75, 2.6, 1, 1)
    higher = minimum("V1", 1.9, 2.6, 1)
    found = species([VACANCY, higher, FIRST, SECOND, repelled], [LONE], {"P": 1e-3})
    assert {one.id for one in found} == {one.id for one in (VACANCY, FIRST, SECOND, LONE)}
    order = [VACANCY, FIRST, SECOND, LONE]
    table = dilute(order, [1.0, 8.0, 6.0, 1.0], {"P": 1e-3}, [500.0]).set_index(["part", "defect"])
    assert table["minima"]["V", "V + P"] == 2
    ratio = 8 * np.exp(0.36 / (kB * 500) - 0.42) + 6 * np.exp(0.33 / (kB * 500) - 0.35)
    found = table["concentration"]["V", "V + P"] / table["concentration"]["V", "V"]
    assert found == pytest.approx(ratio * table["concentration"]["P", "P"], rel=1e-9)


def test_contents_of_two_solutes_are_kept():
    other = minimum("Cr_Fe", 0.0, 0.0, solutes=1, element="Cr")
    pair = minimum("V1+Cr1", 1.7 - 0.1, 2.6, 1, 1, element="Cr")
    contents = {"P": 1e-3, "Cr": 5e-2}
    found = species([VACANCY, FIRST, pair], [LONE, other], contents)
    table = dilute(found, [1.0] * len(found), contents, [400.0, 1800.0])
    whole = table.groupby(["part", "temperature"])["concentration"].sum()
    for part, content in contents.items():
        np.testing.assert_allclose(whole[part], content, rtol=1e-8)
    np.testing.assert_allclose(table.groupby(["part", "temperature"])["share"].sum(), 1.0, rtol=1e-12)
    # Without chromium in the alloy there is none in its defects.
    assert {one.id for one in species([VACANCY, FIRST, pair], [LONE, other], {"P": 1e-3})} == {
        VACANCY.id,
        FIRST.id,
        LONE.id,
    }


def test_contents_of_what_is_no_solute_are_refused():
    with pytest.raises(DataError, match="names Fe, an element of the crystal"):
        species([VACANCY], [LONE], {"Fe": 1e-3})
    with pytest.raises(DataError, match="names Cr, of which no reference"):
        species([VACANCY], [LONE], {"Cr": 1e-3})
