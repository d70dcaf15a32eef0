"""Archives of the data sets of a run."""

import numpy as np
import pytest
from small_sets import config, log

from vibentropy.datasets.merge import merge
from vibentropy.datasets.store import ConfigurationSet
from vibentropy.run.steps import pack
from vibentropy.sources.archives import read_archive, read_header


@pytest.mark.parametrize(("dataset", "n_resolved"), [("train", 5), ("test", 0)])
def test_archives_hold_what_can_be_used_with_its_atoms(minima, resolved, iron, monkeypatch, dataset, n_resolved):
    monkeypatch.setattr(pack, "load_potential", lambda **block: iron)
    path = minima / f"archive of {dataset}.h5"
    progress, stream = log()
    pack.pack(
        minima / "all.h5",
        resolved[0],
        minima / "lattice.json",
        path,
        dataset=dataset,
        specification={"recipe": {}},
        potential={"file": "FeP_mm.eam.fs", "element": "Fe"},
        config=config(),
        read=[],
        progress=progress,
    )
    packed = read_archive(path, "mine")
    assert list(packed.table["trajectory"]) == [f"V1-{number}" for number in (0, 1, 3, 4, 5, 6)]
    assert sum(atoms.has("site_entropy") for atoms in packed.frames) == n_resolved
    assert "FeP_mm.eam.fs" in read_header(path).potential
    assert stream.getvalue().startswith(f"1/6 {dataset}/V1-0/0000")
    for atoms, force in zip(packed.frames, packed.table["max_force"], strict=True):
        # Of the positions that are in the file.
        _, forces = iron.energy_and_forces(atoms)
        assert force == pytest.approx(np.linalg.norm(forces, axis=1).max(), rel=1e-6)
        assert force > 1e-8


def test_repeats_are_kept_with_their_trajectories(minima, iron, monkeypatch, tmp_path):
    monkeypatch.setattr(pack, "load_potential", lambda **block: iron)
    configurations = ConfigurationSet.load(minima / "train.h5")
    columns = ["energy", "formation_entropy"]
    configurations.table.loc[5, columns] = configurations.table.loc[3, columns]
    configurations.save(tmp_path / "train.h5")
    # A test set may repeat minima of a training set, which are not in its archive.
    merge([tmp_path / "train.h5", minima / "test.h5"], tmp_path / "all.h5", {"train": "train", "test": "test"})
    for dataset, expected in (("train", ["V1-5"]), ("test", None)):
        path = tmp_path / f"archive of {dataset}.h5"
        pack.pack(
            tmp_path / "all.h5",
            [],
            minima / "lattice.json",
            path,
            dataset=dataset,
            specification={"recipe": {}},
            potential={"file": "FeP_mm.eam.fs", "element": "Fe"},
            config=config(),
            read=[],
            progress=log()[0],
        )
        packed = read_archive(path, "mine").table
        assert ("V1-5" in set(packed["trajectory"])) == (expected is None)
        if expected is None:
            assert len(read_archive(path, "mine", repeats=True)) == len(packed)
            continue
        table = read_archive(path, "mine", repeats=True).table.set_index("trajectory")
        assert table.index[table["duplicate_of"] != ""].tolist() == expected
        assert table.loc["V1-5", "duplicate_of"] == table.loc["V1-3", "id"]
        assert table.loc["V1-5", "max_force"] == table.loc["V1-3", "max_force"]
