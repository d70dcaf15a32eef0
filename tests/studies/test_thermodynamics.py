"""Free energies and concentrations of defects against closed forms."""

import numpy as np
import pandas as pd
import pytest
from ase.units import kB

from vibentropy.errors import DataError
from vibentropy.labels.labelling import temperature_columns
from vibentropy.report.figures.thermodynamics import free_energy_figure
from vibentropy.studies.thermodynamics import (
    compensation,
    concentration,
    equilibrium,
    formation_free_energy,
    lowest_minima,
)


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


@pytest.mark.usefixtures("unplaced")
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
