"""Free energies of the lowest minima, written from a set of configurations: the whole step."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
from ase import Atoms
from ase.units import kB
from small_sets import CRYSTAL, config

from vibentropy.datasets.merge import merge
from vibentropy.datasets.store import ConfigurationSet
from vibentropy.report.steps.thermodynamics import Outputs, thermodynamics


class Files(SimpleNamespace):
    def __iter__(self):
        return iter(vars(self).values())


def defects():
    """A vacancy, another of higher energy, and a <110> dumbbell, all unrelaxed."""
    vacancy, dumbbell = CRYSTAL.cell((4, 4, 4)), CRYSTAL.cell((4, 4, 4))
    del vacancy[0]
    dumbbell.positions[0] += np.array([0.6, 0.6, 0.0])
    dumbbell += Atoms("Fe", positions=dumbbell.positions[:1] - np.array([1.2, 1.2, 0.0]))
    table = pd.DataFrame(
        {
            "id": ["train/v", "train/w", "train/i"],
            "dataset": "train",
            "defect_class": ["V1", "V1", "I1"],
            "n_sites": 128,
            "repetitions": "4x4x4",
            "formation_energy": [1.7, 2.0, 3.5],
            "formation_entropy": [2.6, 2.0, 1.5],
            "status": "labelled",
        }
    )
    return ConfigurationSet([vacancy, vacancy, dumbbell], table)


def test_the_lowest_minimum_of_each_class_has_free_energies_and_all_files_are_summed(tmp_path):
    CRYSTAL.save(tmp_path / "lattice.json")
    defects().save(tmp_path / "shard.h5")
    merge([tmp_path / "shard.h5"], tmp_path / "all.h5", {"train": "train"})
    suffixes = {"page": ".html", "pdf": ".pdf", "png": ".png", "energy": ".png", "checksums": ".txt"}
    names = Outputs.__annotations__
    files = Files(**{name: tmp_path / f"{name}{suffixes.get(name.split('_')[-1], '.csv')}" for name in names})
    thermodynamics(
        tmp_path / "all.h5",
        tmp_path / "lattice.json",
        files,
        temperatures={"lowest": 300.0, "highest": 1500.0},
        datasets={"train": {"recipe": {}}},
        exclude_duplicates=True,
        config=config(),
    )
    table = pd.read_csv(files.equilibrium)
    assert list(table["id"].unique()) == ["train/v", "train/i"]
    assert table.groupby("id")["multiplicity"].first().to_dict() == {"train/v": 1.0, "train/i": 6.0}
    assert (table["temperature"].min(), table["temperature"].max()) == (300.0, 1500.0)
    vacancy = table[table["id"] == "train/v"]
    np.testing.assert_allclose(vacancy["free_energy"], 1.7 - kB * vacancy["temperature"] * 2.6, rtol=1e-12)
    lines = pd.read_csv(files.compensation).set_index("defect_class")
    assert lines["minima"].to_dict() == {"I1": 1, "V1": 2}
    summed = {line.split("  ", 1)[1] for line in files.checksums.read_text(encoding="utf-8").splitlines()}
    assert summed == {path.name for path in files} - {files.checksums.name}
    assert files.free_energy.stat().st_size > 10_000
