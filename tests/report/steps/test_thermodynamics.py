"""Free energies of the lowest minima, written from a set of configurations: the whole step."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
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


def files_in(folder, *, solutes=False):
    """Files to write, by their names."""
    suffixes = {"page": ".html", "pdf": ".pdf", "png": ".png", "energy": ".png", "checksums": ".txt"}
    names = [name for name in Outputs.__annotations__ if solutes or not name.startswith("solutes")]
    return Files(**{name: folder / f"{name}{suffixes.get(name.split('_')[-1], '.csv')}" for name in names})


def run(folder, configurations, *, datasets=None, **settings):
    CRYSTAL.save(folder / "lattice.json")
    configurations.save(folder / "shard.h5")
    merge([folder / "shard.h5"], folder / "all.h5", {"train": "train"})
    files = files_in(folder, solutes=bool(settings.get("solutes")))
    thermodynamics(
        folder / "all.h5",
        folder / "lattice.json",
        files,
        settings={"lowest": 300.0, "highest": 1500.0, "solutes": {}} | settings,
        datasets=datasets or {"train": {"recipe": {}}},
        exclude_duplicates=True,
        config=config(),
    )
    return files


def test_the_lowest_minimum_of_each_class_has_free_energies_and_all_files_are_summed(tmp_path):
    files = run(tmp_path, defects())
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
    # A vacancy and a dumbbell are no complexes.
    assert pd.read_csv(files.binding).empty


def test_pairs_with_solutes_bind_and_hold_a_share_of_the_vacancies(tmp_path):
    crystal = CRYSTAL.cell((4, 4, 4))
    vacancy, near, next_nearest, lone = (crystal.copy() for _ in range(4))
    place = {tuple(np.round(position / CRYSTAL.a, 3)): k for k, position in enumerate(crystal.positions)}
    near.symbols[place[0.5, 0.5, 0.5]] = next_nearest.symbols[place[1, 0, 0]] = lone.symbols[0] = "P"
    for atoms in (vacancy, near, next_nearest):
        del atoms[place[0, 0, 0]]
    bound = [("a", "V_Fe", 1.7, 2.6), ("b", "V_Fe+P_Fe", 1.34, 2.2), ("c", "V_Fe+P_Fe", 1.37, 2.25)]
    table = pd.DataFrame(bound, columns=["id", "defect_class", "formation_energy", "formation_entropy"]).assign(
        dataset="train", n_sites=128, repetitions="4x4x4", status="labelled"
    )
    table["id"] = "train/" + table["id"]
    references = pd.DataFrame({"id": ["references/P_Fe 4x4x4"], "dataset": "references", "n_sites": 128})
    ConfigurationSet([lone], references, CRYSTAL.facts).save(tmp_path / "references.h5")
    files = run(
        tmp_path,
        ConfigurationSet([vacancy, near, next_nearest], table),
        datasets={"train": {"recipe": {"references": True}}},
        solutes={"P": 1e-3},
    )
    (row,) = pd.read_csv(files.binding).to_dict("records")
    assert (row["id"], row["parts"], row["n_sites"]) == ("train/b", "V + P", 128)
    assert (row["binding_energy"], row["binding_entropy"]) == pytest.approx((-0.36, -0.4), abs=1e-12)
    table = pd.read_csv(files.solutes).set_index(["part", "temperature", "defect"])
    # Eight first neighbours and six second ones.
    constant = 8 * np.exp(0.36 / (kB * 300) - 0.4) + 6 * np.exp(0.33 / (kB * 300) - 0.35)
    assert table["bound"]["V", 300, "V"] == pytest.approx(constant * 1e-3 / (1 + constant * 1e-3), rel=1e-9)
    assert table["minima"]["V", 300, "V + P"] == 2
    summed = {line.split("  ", 1)[1] for line in files.checksums.read_text(encoding="utf-8").splitlines()}
    assert {"solutes.csv", "solutes_page.html", "binding.csv"} <= summed
