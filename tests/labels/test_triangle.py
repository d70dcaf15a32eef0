"""Triangles in slabs, against squares."""

import hypothesis.strategies as st
import numpy as np
from hypothesis import example, given

from vibentropy.labels.triangle import Triangle, slabs, triangle_elements


@given(st.integers(0, 700), st.integers(0, 9), st.integers(0, 5), st.integers(0, 2**32 - 1))
@example(256, 3, 0, 0)
@example(512, 3, 2, 0)
def test_squares_are_added(size, columns, above, seed):
    random = np.random.default_rng(seed)
    # The factor is in the middle of a larger array.
    stride = size + above
    factor = random.normal(size=(columns + 1, stride))
    triangle = Triangle(size, np.zeros(triangle_elements(size)))
    triangle.add_square(-0.5, factor.ravel(), stride + above, columns, stride)
    rows = factor[1:, above:].T
    expected = -0.5 * rows @ rows.T
    elements, starts = triangle.storage
    for j in range(size):
        np.testing.assert_allclose(elements[starts[j] + j : starts[j] + size], expected[j:, j], atol=1e-12)


@given(st.integers(0, 2000))
def test_every_element_has_a_place_of_its_own(size):
    starts = slabs(size)
    places = np.concatenate([[], *(np.arange(start + j, start + size) for j, start in enumerate(starts))])
    assert len(np.unique(places)) == size * (size + 1) // 2
    assert places.max(initial=-1) < triangle_elements(size) or size == 0
    assert triangle_elements(size) <= size * (size + 1) // 2 + 128 * size
