"""The walk through descriptors that are made of others."""

from vibentropy.descriptors.nesting import walk

UNION = {
    "kind": "union",
    "parts": {
        "a": {"kind": "afs", "n_max": 2},
        "b": {"kind": "quadratic", "of": {"kind": "union", "parts": {"c": {"kind": "soap"}}}, "crystal": {"a": 2.8}},
    },
}


def test_every_descriptor_comes_once_and_outer_ones_first():
    assert [part["kind"] for part in walk(UNION)] == ["union", "afs", "quadratic", "union", "soap"]
    assert next(walk(UNION)) is UNION


def test_descriptors_of_model_files_and_of_lists():
    """Compound descriptors of others name their parts as they like."""
    described = {"kind": "my.Mean", "parameters": {"members": [{"kind": "afs"}, {"of": [UNION]}], "width": 0.1}}
    assert [part["kind"] for part in walk(described)] == ["my.Mean", "afs", *(part["kind"] for part in walk(UNION))]


def test_what_has_no_kind_is_no_descriptor():
    assert list(walk({"kind": "afs", "species": ["Fe"], "potential": {"file": "x"}, "odd": {"kind": 3}})) == [
        {"kind": "afs", "species": ["Fe"], "potential": {"file": "x"}, "odd": {"kind": 3}}
    ]


def test_the_deepest_nesting_that_a_file_can_hold_is_walked_through():
    block = {"kind": "afs"}
    for _ in range(5000):
        block = {"kind": "quadratic", "of": block}
    assert sum(1 for _ in walk(block)) == 5001
