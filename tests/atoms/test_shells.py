"""Shells of neighbours, against what is known of crystals."""

import numpy as np
import pytest

from vibentropy.atoms.crystal import Crystal
from vibentropy.atoms.shells import Gap, gaps, shells, widest_gap


@pytest.mark.parametrize(
    ("structure", "squares"),
    [("bcc", [3 / 4, 1, 2, 11 / 4, 3, 4]), ("fcc", [1 / 2, 1, 3 / 2, 2]), ("diamond", [3 / 16, 1 / 2, 11 / 16, 1])],
)
@pytest.mark.parametrize("repetitions", [1, 3])
def test_those_of_cubic_crystals(structure, squares, repetitions):
    radii = shells(Crystal("Fe", structure, 3.0).cell(repetitions), 3.0 * np.sqrt(squares[-1]) + 0.01)
    np.testing.assert_allclose(radii, 3.0 * np.sqrt(squares))


def test_those_of_hcp_off_its_ideal_shape_are_two():
    crystal = Crystal("Zn", "hcp", 2.66, 1.86)
    np.testing.assert_allclose(shells(crystal.cell(1), 3.0), [2.66, 2.66 * np.sqrt(1 / 3 + 1.86**2 / 4)])


def test_shells_that_a_reference_blurs_are_one():
    crystal = Crystal("Fe", "bcc", 2.86).cell(3)
    crystal.rattle(1e-4, seed=0)
    assert shells(crystal, 3.0) == pytest.approx([2.4768, 2.86], abs=1e-4)


def test_gaps():
    between = gaps([2.0, 3.0, 3.5])
    assert between == [Gap(1, 2.0, 3.0), Gap(2, 3.0, 3.5)]
    assert (between[0].middle, between[0].width) == (2.5, 1.0)
    # The wider one is outside the range.
    assert widest_gap([2.0, 3.0, 3.5, 3.7], 2.6, 4.0) == Gap(2, 3.0, 3.5)
    with pytest.raises(ValueError, match="max"):
        widest_gap([2.0, 3.0], 2.6, 4.0)
