"""Conversions against numbers from elsewhere."""

import pytest

from vibentropy.units import KB_PER_ENTROPY_UNIT, KELVIN_PER_THZ, THZ_PER_SQRT_EV_PER_A2_U


def test_conversions_are_those_of_codata():
    # Phonopy's VaspToTHz; h / k_B.
    assert pytest.approx(15.633302, rel=1e-6) == THZ_PER_SQRT_EV_PER_A2_U
    assert pytest.approx(47.9924307, rel=1e-6) == KELVIN_PER_THZ


def test_units_of_entropies():
    """The gas constant and Boltzmann's."""
    assert KB_PER_ENTROPY_UNIT["k_B"] == 1
    assert 1 / KB_PER_ENTROPY_UNIT["J/mol/K"] == pytest.approx(8.314462618, rel=1e-6)
    assert 1 / KB_PER_ENTROPY_UNIT["eV/K"] == pytest.approx(8.617333262e-5, rel=1e-6)
