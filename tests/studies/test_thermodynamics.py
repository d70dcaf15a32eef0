"""Free energies, concentrations and the numbers of orientations of defects, against closed forms and known defects."""

import numpy as np
import pandas as pd
import pytest
from ase.build import bulk
from ase.units import kB
from hypothesis import given, settings
from hypothesis import strategies as st

from vibentropy.errors import DataError
from vibentropy.labels.labelling import temperature_columns
from vibentropy.report.figures.thermodynamics import free_energy_figure
from vibentropy.studies.multiplicity import multiplicity
from vibentropy.studies.thermodynamics import (
    compensation,
    concentration,
    equilibrium,
    formation_free_energy,
    lowest_minima,
)


def perfect(structure, n=4):
    return bulk("Fe", structure, a=2.855 if structure == "bcc" else 3.6, cubic=True).repeat(n)


def breathing(atoms, centres, amplitude=0.2):
    """Push atoms away from points, as relaxed surroundings of a defect are."""
    moved = atoms.copy()
    for centre in centres:
        away = atoms.positions - centre
        away -= np.round(away @ np.linalg.inv(atoms.cell[:])) @ atoms.cell[:]
        r = np.linalg.norm(away, axis=1, keepdims=True)
        moved.positions += amplitude * away / np.maximum(r, 0.5) * np.exp(-((r / 2.5) ** 2))
    return moved


def vacancies(crystal, *offsets):
    """Take away atom 0 and those at some distances from it (Å)."""
    points = crystal.positions[0] + np.array([(0, 0, 0), *offsets], dtype=float)
    distances = crystal.get_scaled_positions()[:, None] - crystal.cell.scaled_positions(points)
    distances = np.linalg.norm((distances - np.round(distances)) @ crystal.cell[:], axis=2)
    kept = crystal.copy()
    del kept[np.flatnonzero((distances < 0.1).any(axis=1))]
    assert len(crystal) - len(kept) == len(points)
    return breathing(kept, points)


def dumbbell(crystal, direction):
    """Split atom 0 along a direction."""
    unit = np.array(direction) / np.linalg.norm(direction)
    split = crystal.copy()
    site = split.positions[0].copy()
    surrounded = breathing(split, [site])
    surrounded.positions[0] = site + 0.9 * unit
    surrounded.append(split[0])
    surrounded.positions[-1] = site - 0.9 * unit
    return surrounded


BCC, FCC = perfect("bcc"), perfect("fcc", 3)


@pytest.mark.parametrize(
    ("atoms", "crystal", "expected"),
    [
        (vacancies(BCC), BCC, 1),
        (vacancies(BCC, (1.4275, 1.4275, 1.4275)), BCC, 4),  # eight neighbours, each pair counted once
        (vacancies(BCC, (2.855, 0, 0)), BCC, 3),
        (dumbbell(BCC, (1, 1, 0)), BCC, 6),
        (dumbbell(BCC, (1, 1, 1)), BCC, 4),
        (dumbbell(BCC, (1, 0, 0)), BCC, 3),
        (dumbbell(BCC, (1, 2, 3)), BCC, 24),  # inversion alone is left
        (vacancies(FCC), FCC, 1),
        (vacancies(FCC, (1.8, 1.8, 0)), FCC, 6),
        (dumbbell(FCC, (1, 0, 0)), FCC, 3),
    ],
)
def test_orientations_of_known_defects(atoms, crystal, expected):
    assert multiplicity(atoms, crystal) == expected


def test_diamond_has_two_kinds_of_sites_and_no_pure_inversion():
    crystal = bulk("Si", "diamond", a=5.43, cubic=True).repeat(2)
    assert multiplicity(vacancies(crystal), crystal) == 1
    assert multiplicity(vacancies(crystal, (1.3575, 1.3575, 1.3575)), crystal) == 2  # four bonds, each shared by two


def test_cells_of_primitive_vectors_have_the_same_orientations():
    # Operations in units of such a cell are no orthogonal matrices.
    crystal = bulk("Fe", "bcc", a=2.855).repeat(6)
    assert multiplicity(vacancies(crystal), crystal) == 1
    assert multiplicity(dumbbell(crystal, (1, 1, 0)), crystal) == 6


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_orientations_depend_neither_on_order_nor_on_where_the_defect_is(seed):
    rng = np.random.default_rng(seed)
    atoms = dumbbell(BCC, (1, 1, 0))
    moved = atoms[rng.permutation(len(atoms))]
    moved.positions += rng.uniform(-30, 30, 3) + rng.normal(0, 1e-5, (len(atoms), 3))
    assert multiplicity(moved, BCC) == 6


def test_a_broken_symmetry_counts_all_operations():
    atoms = vacancies(BCC)
    atoms.positions[[3, 10, 20]] += [[0.1, 0.05, 0.2], [0.2, 0, 0.1], [0, 0.1, -0.15]]
    assert multiplicity(atoms, BCC) == 48


def table():
    return pd.DataFrame(
        {
            "id": ["a", "b", "c", "d", "e"],
            "defect_class": ["V1", "V1", "I1", "I1", "I1"],
            "formation_energy": [1.72, 1.9, 3.5, 3.7, 3.9],
            "formation_entropy": [2.6, 3.0, 1.0, 3.0, 5.0],
        }
    )


def test_the_lowest_minimum_of_each_class_in_equilibrium():
    rows = equilibrium(lowest_minima(table()), [1.0, 6.0], [500.0, 1000.0])
    assert rows["id"].tolist() == ["a", "a", "c", "c"]
    last = rows.iloc[-1]
    assert last["free_energy"] == pytest.approx(3.5 - 1000 * 8.617333262e-5, rel=1e-7)
    assert last["concentration"] == pytest.approx(6 * np.exp(1.0) * np.exp(-3.5 / (1000 * kB)), rel=1e-12)
    # The entropy multiplies concentrations by exp(S_f / k_B) at every temperature.
    ratio = rows["concentration"] / rows["concentration_without_entropy"]
    np.testing.assert_allclose(ratio, np.exp([2.6, 2.6, 1.0, 1.0]), rtol=1e-12)


def test_quantum_free_energies_stand_at_their_temperatures():
    minima = lowest_minima(table())
    assert equilibrium(minima, [1.0, 6.0], [500.0, 1000.0])["quantum_free_energy"].isna().all()
    names = [temperature_columns(temperature)[1] for temperature in (100, 500, 1e6)]
    minima[names] = [[1.70, 1.6, -200.0], [3.49, 3.4, np.nan]]
    rows = equilibrium(minima, [1.0, 6.0], [500.0, 1000.0]).set_index(["id", "temperature"])["quantum_free_energy"]
    assert rows.index.tolist() == [(name, t) for name in "ac" for t in (100.0, 500.0, 1000.0, 1e6)]
    np.testing.assert_array_equal(rows, [1.70, 1.6, np.nan, -200.0, 3.49, 3.4, np.nan, np.nan])


def test_figure_marks_quantum_free_energies():
    minima = lowest_minima(table()).assign(**{temperature_columns(100)[1]: [1.5, 3.25]})
    figure = free_energy_figure(equilibrium(minima, [1.0, 6.0], np.linspace(300, 1800, 7)))
    energies, arrhenius = figure.axes
    marked = [line.get_xydata() for line in energies.lines if line.get_marker() == "o"]
    assert [points[np.isfinite(points[:, 1])].tolist() for points in marked] == [[[100, 1.5]], [[100, 3.25]]]
    # Nobody wants to see concentrations of 1e-200, so the axis does not reach to 100 K.
    assert arrhenius.get_xlim()[1] < 10
    assert "quantum vibrations" in [text.get_text() for text in figure.legends[0].texts]
    plain = free_energy_figure(equilibrium(lowest_minima(table()), [1.0, 6.0], [300.0, 1800.0]))
    assert "quantum vibrations" not in [text.get_text() for text in plain.legends[0].texts]


def test_concentration_obeys_van_t_hoff():
    temperature, step = 900.0, 1e-2
    free = [formation_free_energy(1.72, 2.6, t) for t in (temperature - step, temperature + step)]
    low, high = (
        np.log(concentration(f, 3, t)) for f, t in zip(free, (temperature - step, temperature + step), strict=True)
    )
    assert (high - low) / (2 * step) * kB * temperature**2 == pytest.approx(1.72, rel=1e-6)


def test_slopes_are_temperatures():
    lines = compensation(table()).set_index("defect_class")
    assert lines.loc["I1", "compensation_temperature"] == pytest.approx(0.1 / kB)
    assert lines.loc["I1", "correlation"] == pytest.approx(1.0)
    assert np.isnan(lines.loc["V1", "compensation_temperature"])


def test_without_energies_the_error_says_what_to_do():
    with pytest.raises(DataError, match="energy_key"):
        lowest_minima(table().assign(formation_energy=np.nan))
