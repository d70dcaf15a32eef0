"""Facts in words, and as the table of a notebook."""

import pytest

from vibentropy.files.facts import as_table, counted, in_words


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (1.23456789, "1.23457"),
        ([1020, 1028], "1020 to 1028"),
        (["a", "b"], "a, b"),
        (list("abcdefghij"), "a, b, c, d, e, f, g, h, ... (10)"),
        ({"a": 1}, '{"a": 1}'),
        ({"liquid": 0.3798822, "strained": 12.0}, "liquid 0.379882, strained 12"),
        ({}, "{}"),
        (5, "5"),
    ],
)
def test_values_are_short(value, words):
    assert in_words(value) == words


def test_one_and_several():
    counts = [counted(n, "trajectory", "trajectories") for n in (0, 1, 2.0)]
    assert counts == ["0 trajectories", "1 trajectory", "2 trajectories"]
    assert (counted(1, "job"), counted(12, "job")) == ("1 job", "12 jobs")


def test_a_table_escapes_what_it_is_given_and_leaves_out_what_is_empty():
    table = as_table("A<b", {"classes": {"V<1": 3, "I2": 1}, "shares": True, "none": [], "no": {}, "range": [0.5, 2.0]})
    rows = [line for line in table.splitlines() if line.startswith("<tr>")]
    assert "<strong>A&lt;b</strong>" in table
    assert [row.partition("</th>")[0].rpartition(">")[2] for row in rows] == ["classes", "shares", "range"]
    assert "V&lt;1: 3, I2: 1" in rows[0]
    assert ">yes<" in rows[1]
    assert ">0.5 to 2<" in rows[2]
