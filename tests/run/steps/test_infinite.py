"""Minima of a run in the infinite crystal."""

import numpy as np
import pandas as pd
import pytest
from workflow_runs import TINY

from vibentropy import read_archive
from vibentropy.atoms.crystal import Crystal
from vibentropy.datasets.store import ConfigurationSet
from vibentropy.files.logs import Progress
from vibentropy.labels.labelling import Labeller
from vibentropy.potentials.newton import newton_relax
from vibentropy.run.steps.infinite import infinite_part, pack_infinite

POTENTIAL = {"file": "FeP_mm.eam.fs", "element": "Fe"}
IRON = Crystal("Fe", "bcc", 2.8553127)


@pytest.fixture(scope="module")
def configurations(iron, tmp_path_factory):
    """A vacancy, its copy of higher energy, and two vacancies far apart, labelled in small cells."""
    cells = {"V1": (IRON.cell(4)[1:], "4x4x4"), "high": (IRON.cell(4)[1:], "4x4x4")}
    two = IRON.cell((4, 4, 8))
    apart = [
        i
        for i in range(len(two))
        if i not in (0, int(np.linalg.norm(two.positions - two.cell[2] / 2, axis=1).argmin()))
    ]
    cells["2xV1"] = (two[apart], "4x4x8")
    frames, rows = [], []
    for name, (atoms, repetitions) in cells.items():
        relaxed, *_ = newton_relax(atoms, iron, 1e-6)
        perfect = IRON.cell(tuple(map(int, repetitions.split("x"))))
        relaxed, row = Labeller(iron).label_cell(relaxed, perfect)
        frames.append(relaxed)
        rows.append(
            {
                "dataset": "d",
                "trajectory": name,
                "defect_class": name.replace("high", "V1"),
                "repetitions": repetitions,
                **row,
            }
        )
    rows[1]["formation_energy"] += 1.0
    path = tmp_path_factory.mktemp("run") / "configurations.h5"
    ConfigurationSet(frames, pd.DataFrame(rows)).save(path)
    return path


def test_the_lowest_minima_of_each_class(configurations, tmp_path):
    IRON.save(tmp_path / "lattice.json")
    parts = [tmp_path / f"{part}.h5" for part in range(3)]
    for part, path in enumerate(parts):
        with open(tmp_path / "log", "w") as log:
            infinite_part(
                configurations,
                tmp_path / "lattice.json",
                path,
                specifications={"d": {"recipe": {}}},
                lowest=1,
                sizes=[250, 432, 1024],
                part=part,
                parts=3,
                potential=POTENTIAL,
                gates={},
                progress=Progress(log),
                mem_mb=2000,
            )
    pack_infinite(
        parts,
        tmp_path / "lattice.json",
        tmp_path / "infinite.h5",
        tmp_path / "infinite.csv",
        specification={"recipe": {}},
        potential=POTENTIAL,
        config=TINY,
        read=[],
    )
    packed = read_archive(tmp_path / "infinite.h5", "mine")
    # The other vacancy is not the lowest; the pair has no label.
    assert list(packed.table["id"]) == ["mine/V1/0000"]
    (row,) = packed.table.to_dict("records")
    assert row["repetitions"] == "8x8x8"
    assert (row["n_sites"], row["n_atoms"]) == (1024, 1023)
    assert row["formation_entropy"] == pytest.approx(2.6217, abs=0.01)
    assert row["formation_entropy_1024_sites"] == pytest.approx(2.613, abs=1e-3)
    assert 0 < row["formation_entropy_infinite_uncertainty"] < 0.02
    assert row["label_source"] == "infinite"
    assert len(packed.frames[0]) == 1023
    table = pd.read_csv(tmp_path / "infinite.csv")
    assert sorted(table["defect_class"]) == ["2xV1", "V1"]
    (reason,) = table["reason"][table["defect_class"] == "2xV1"]
    assert "several defects" in reason
