"""Knots and values of the splines that resolve distances, against scipy's."""

import numpy as np
import pytest
from scipy.interpolate import BSpline

from vibentropy.descriptors import create
from vibentropy.descriptors.splines import splines_at


@pytest.mark.parametrize("degree", [1, 2, 3, 5])
def test_values_are_those_of_scipy(degree):
    descriptor = create("pair_spline", r_min=1.75, r_cut=3.0, spacing=0.3, degree=degree)
    knots, values = descriptor.knots, np.empty(degree + 1)
    assert len(knots) == descriptor.n_bins + 2 * degree + 1
    assert knots[-degree - 1] == descriptor.r_cut
    assert knots[degree] <= descriptor.r_min < knots[degree + 1]
    for r in (1.81, 2.37, 2.95):  # between knots
        first = splines_at(r, knots[degree], descriptor.spacing, degree, values)
        expected = BSpline.design_matrix([r], knots, degree).toarray()[0]
        np.testing.assert_allclose(values, expected[first : first + degree + 1], rtol=0, atol=1e-14)
        assert np.count_nonzero(expected) == degree + 1
    r = np.linspace(1.8, 2.99, 500)
    largest = r[BSpline.design_matrix(r, knots, degree).toarray()[:, : descriptor.n_bins].argmax(axis=0)]
    inside = (descriptor.bin_centres > 1.9) & (descriptor.bin_centres < 2.9)
    np.testing.assert_allclose(largest[inside], descriptor.bin_centres[inside], rtol=0, atol=0.005)
