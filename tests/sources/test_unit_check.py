"""Entropies of a wrong unit or kind are refused, and right ones pass."""

import numpy as np
import pytest

from vibentropy.errors import DataError
from vibentropy.sources.unit_check import check_entropies
from vibentropy.units import KB_PER_ENTROPY_UNIT

#: Vacancies and their clusters in iron, k_B.
ENTROPIES = np.array([2.6, 5.0, 7.7, 9.9])
N_ATOMS, N_SITES = np.array([249, 248, 247, 246]), np.full(4, 250)
PLACES = [f"a.xyz, frame {k}" for k in range(4)]


def check(entropies, **keys):
    check_entropies(entropies, N_ATOMS, N_SITES, PLACES, **keys)


@pytest.mark.parametrize("unit", KB_PER_ENTROPY_UNIT)
def test_entropies_of_vacancies_pass_in_any_unit_that_they_are_in(unit):
    check(ENTROPIES, unit=unit)
    check(-ENTROPIES, unit=unit)


@pytest.mark.parametrize(
    ("unit", "real", "message"),
    [
        ("k_B", "J/mol/K", r"frame 3: the entropy is 82\.\d+ k_B; the median of 4 is 2\d.* Is the unit J/mol/K"),
        ("k_B", "eV/K", r"the largest of 4, expected some above 0.02 k_B. Is the unit eV/K"),
        ("eV/K", "k_B", r"the entropy is 9.9 eV/K; .* Is the unit k_B"),
    ],
)
def test_the_unit_that_would_be_usual_is_named(unit, real, message):
    numbers = ENTROPIES / KB_PER_ENTROPY_UNIT[real]
    with pytest.raises(DataError, match=message):
        check(numbers * KB_PER_ENTROPY_UNIT[unit], unit=unit)


def test_entropies_of_whole_cells_are_recognised():
    with pytest.raises(DataError, match=r"k_B per atom, expected at most 1.5.*`kind: total`\?; give it"):
        check(4.0 * N_ATOMS, remedy="; give it")


def test_single_large_ones_and_perfect_cells_pass():
    check([2.6, 5.0, 7.7, 500.0])
    check(np.zeros(4))
    check_entropies([], [], [], [])
    # Frenkel pairs have no net number of atoms to compare with.
    check_entropies([40.0] * 2, [250] * 2, [250] * 2, PLACES)
