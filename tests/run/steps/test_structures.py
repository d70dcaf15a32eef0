"""Shards as jobs make them: progress in the log, and what is set aside by name."""

import io

import pandas as pd
import pytest
from ase.build import bulk

from vibentropy.datasets.store import ConfigurationSet
from vibentropy.files.logs import Progress
from vibentropy.run.steps import structures


@pytest.mark.parametrize("made", [True, False])
def test_progress_counts_what_is_made_and_notes_what_is_set_aside(tmp_path, monkeypatch, made):
    class TwoTrajectories:
        def read(self, content, workshop, done):
            if workshop:
                for name in content:
                    done(name)
            rows = {
                "dataset": "a",
                "trajectory": content,
                "status": ["relaxed", "rejected"],
                "reason": ["", "two atoms"],
            }
            return ConfigurationSet([bulk("Fe", cubic=True)] * 2, pd.DataFrame(rows))

    monkeypatch.setattr(structures, "source_of", lambda name, block: TwoTrajectories())
    monkeypatch.setattr(structures, "attributes", lambda config, read: {"seed": 7})
    log = io.StringIO()
    structures.make_structures(
        tmp_path / "shard.h5",
        dataset="a",
        specification={},
        content=["x", "y"],
        workshop=structures.Workshop({}, "lattice.json", None, 7) if made else None,
        config={},
        read=[],
        progress=Progress(log),
    )
    lines = log.getvalue().splitlines()
    assert [line.partition(" (")[0] for line in lines[:-1]] == (["1/2 x", "2/2 y"] if made else [])
    assert lines[-1] == "a/y/0000 is set aside: two atoms"
    assert ConfigurationSet.load(tmp_path / "shard.h5").attributes["seed"] == 7
