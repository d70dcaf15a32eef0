"""Published numbers of the reference work."""

import pandas as pd

from vibentropy.sources import reference_work


def test_published_numbers_are_ordered_and_of_iron_only():
    rows = pd.DataFrame([r for of in reference_work.reported("Fe").values() for r in of.values()])
    assert ((rows["low"] < rows["mean"]) & (rows["mean"] < rows["high"])).all()
    assert rows["count"].sum() == 4503 + 4506
    assert reference_work.reported("W") == {}


def test_a_run_has_counterparts_of_published_models_by_what_its_descriptors_are():
    blocks = {"mine": {"kind": "afs", "n_max": 3, "l_max": 10, "r_cut": 4.0}, "fine": {"kind": "afs", "n_max": 20}}
    blocks["waves"] = {"kind": "scattering", "n_scales": 7, "l_max": 5}
    found = reference_work.counterparts("MEAM", blocks)
    assert {name: errors.held_out[0] for name, errors in found.items()} == {"mine": 0.18, "waves": 0.48}
    assert reference_work.counterparts("EAM", blocks) == reference_work.counterparts(None, blocks) == {}


def test_ranges_of_published_labels():
    assert reference_work.ranges_of_labels("MEAM")["V4"] == (12.81, 27.94)
    assert reference_work.ranges_of_labels(None) == {}
