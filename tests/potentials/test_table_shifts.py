"""What the table of one function leaves open; whole labels are in tests/labels/test_table_uncertainty.py."""

from dataclasses import replace

import numpy as np
import pytest

from vibentropy.potentials.embedded_hessian import Bonds
from vibentropy.potentials.splines import SmoothFunction
from vibentropy.potentials.table_shifts import table_shifts


class Springs:
    """Atoms that hold each other by springs of a stiffness that depends on the distance."""

    def __init__(self, stiffness, finer=None):
        self.functions, self._finer = {"stiffness": stiffness}, finer

    @property
    def finer(self):
        return Springs(self._finer)

    def with_function(self, name, function):
        return Springs(function)

    def own_blocks(self, bonds):
        held = np.add.reduceat(self.functions["stiffness"](bonds.distances)[0], bonds.first[:-1])
        return held[:, None, None] * np.eye(3)


def constant(value, at=()):
    """A constant function, with a curvature where it is asked for."""
    breaks = np.array([0.0, *at, 10.0])
    coefficients = np.zeros((len(breaks) - 1, 6))
    coefficients[:, 0] = value
    return SmoothFunction(breaks, coefficients, np.zeros(4, np.int64), 0.0, 0.0, ())


BONDS = Bonds(
    np.zeros(2, np.int64), np.array([0, 2, 3]), np.array([1, 0, 0]), np.zeros((3, 3)), np.array([2.0, 3.0, 2.5])
)


def test_entropies_change_by_the_logarithm_of_the_stiffness():
    (shift,) = table_shifts(Springs(constant(2.0), constant(2.2)), BONDS, {"stiffness": BONDS.distances})
    assert shift.function == "stiffness"
    # Two atoms, three directions, whatever the strain.
    np.testing.assert_allclose(shift.entropies, -0.5 * 6 * np.log(1.1), rtol=1e-12)


def test_representations_that_cross_at_the_distances_of_a_crystal_do_not_agree():
    at_rest = BONDS._replace(distances=np.full(3, 2.5))
    straight = constant(2.0)
    slanted = replace(straight, coefficients=np.array([[2.0 - 2.5, 1.0, 0, 0, 0, 0]]))
    (shift,) = table_shifts(Springs(straight, slanted), at_rest, {"stiffness": at_rest.distances})
    assert abs(shift.entropies[1]) < 1e-12
    assert np.abs(shift.entropies[[0, 2]]).min() > 0.01


def test_the_place_is_where_second_derivatives_differ_most():
    bent = constant(2.0, at=(2.8,))
    coefficients = bent.coefficients.copy()
    coefficients[1, 2] = 1e-3
    bent = replace(bent, coefficients=coefficients)
    (shift,) = table_shifts(Springs(constant(2.0), bent), BONDS, {"stiffness": BONDS.distances})
    assert shift.place == pytest.approx(3.0)
    assert (shift.entropies < 0).all()
