"""Which labels are resolved by atoms."""

import pytest

from vibentropy.datasets.store import ConfigurationSet


def test_jobs_share_what_is_spread_over_a_data_set(resolved):
    paths, text = resolved
    parts = [ConfigurationSet.load(path) for path in paths]
    # Of six, without the saddle.
    assert [list(part.table["trajectory"]) for part in parts] == [["V1-0", "V1-1", "V1-3"], ["V1-5", "V1-6"]]
    assert [line.split(" (")[0] for line in text.splitlines()] == ["1/2 train/V1-5/0000", "2/2 train/V1-6/0000"]
    for part in parts:
        for atoms, label in zip(part.frames, part.table["formation_entropy_per_atom_convention"], strict=True):
            assert atoms.arrays["site_entropy"].sum() == pytest.approx(label, abs=1e-8)
