"""Keys that say which atoms go where."""

import pytest

from vibentropy.sources.species import Substitution, by_kind, total


@pytest.mark.parametrize(("text", "parsed"), [("P", ("P", None)), ("Al_Fe", ("Al", "Fe")), ("Al_FeII", ("Al", "FeII"))])
def test_substitutions_are_written_as_metallurgists_do(text, parsed):
    assert Substitution.parse(text) == parsed


def test_counts_are_of_any_kind_or_by_kind():
    assert (total(3), by_kind(3)) == (3, [(None, 3)])
    assert (total({"Fe": 2, "Al": 1}), by_kind({"Fe": 2, "Al": 1})) == (3, [("Fe", 2), ("Al", 1)])
