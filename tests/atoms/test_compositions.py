import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from hypothesis import given
from hypothesis import strategies as st

from vibentropy.atoms.compositions import Compositions
from vibentropy.errors import StructureError

REFERENCES = [Atoms("Fe54"), Atoms("Fe53P"), Atoms("Fe30Al24")]


@st.composite
def per_atom(draw):
    """A quantity of each element, and a cell of any numbers of atoms."""
    values = st.floats(-100, 100)
    return draw(st.tuples(values, values, values)), draw(st.tuples(*[st.integers(0, 200)] * 3))


@given(drawn=per_atom(), excess=st.floats(-50, 50))
def test_what_elements_add_up_to_cancels(drawn, excess):
    """Quantities that are sums over atoms leave nothing but the excess, translations or not."""
    of_elements, counts = np.array(drawn[0]), np.array(drawn[1])
    compositions = Compositions.of(REFERENCES)
    assert compositions.elements == ("Fe", "P", "Al")
    values = compositions.counts @ of_elements
    assert compositions.formed(counts, counts @ of_elements + excess, values) == pytest.approx(excess, abs=1e-7)
    # Every cell lacks the same translations, those of the first reference.
    missing = of_elements[0]
    found = compositions.formed_of_modes(counts, counts @ of_elements - missing + excess, values - missing)
    assert found == pytest.approx(excess, abs=1e-7)


@given(n=st.integers(2, 5000), reference=st.integers(2, 5000), value=st.floats(-1e4, 1e4), bulk=st.floats(-1e4, 1e4))
def test_one_element_is_compared_mode_by_mode(n, reference, value, bulk):
    compositions = Compositions(("Fe",), np.array([[float(reference)]]))
    expected = value - (n - 1) / (reference - 1) * bulk
    assert compositions.formed_of_modes([n], value, [bulk]) == pytest.approx(expected, rel=1e-11, abs=1e-9)
    assert compositions.formed([n], value, [bulk]) == pytest.approx(value - n / reference * bulk, rel=1e-11, abs=1e-9)


@given(counts=st.tuples(*[st.integers(0, 50)] * 3), unit=st.floats(-5, 5))
def test_units_of_modes_do_not_matter(counts, unit):
    """Three more modes for each atom, three fewer for each cell, all measured in another unit."""
    compositions = Compositions.of(REFERENCES)
    values = np.array([700.0, 650.0, 500.0])
    changed = values + unit * (3 * compositions.counts.sum(axis=1) - 3)
    value = 300.0
    before = compositions.formed_of_modes(counts, value, values)
    after = compositions.formed_of_modes(counts, value + unit * (3 * sum(counts) - 3), changed)
    assert after == pytest.approx(before, abs=1e-8)


def test_a_reference_itself_has_formed_nothing():
    compositions = Compositions.of(REFERENCES)
    values = np.arange(12.0).reshape(3, 4)
    for cell, value in zip(REFERENCES, values, strict=True):
        np.testing.assert_allclose(compositions.formed_of_modes(compositions.count(cell), value, values), 0, atol=1e-10)
        np.testing.assert_allclose(compositions.formed(compositions.count(cell), value, values), 0, atol=1e-10)


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        (REFERENCES[:2] + [Atoms("Fe2")], "3 reference cells for 2 elements .Fe54; Fe53P; Fe2., expected one for each"),
        ([Atoms("Fe53P")], "1 reference cell for 2 elements .Fe53P., expected one for each: the perfect crystal, then"),
        ([Atoms("FeP"), Atoms("Fe3P3")], "shares of Fe and P that follow from each other"),
    ],
)
def test_references_that_say_too_little_are_refused(cells, message):
    with pytest.raises(StructureError, match=message):
        Compositions.of(cells)


def test_an_element_that_no_reference_has_is_refused():
    with pytest.raises(StructureError, match="holds Cr, Ni, of which no reference cell has atoms: add one that does"):
        Compositions.of([bulk("Fe")]).count(Atoms("FeNiCr"))
