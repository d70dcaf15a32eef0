"""Archives of the data sets of a run."""

import numpy as np
import pytest
from small_sets import config, log

from vibentropy.run.steps import pack
from vibentropy.sources.archives import read_archive, read_header


@pytest.mark.parametrize(("dataset", "n_resolved"), [("train", 5), ("test", 0)])
def test_archives_hold_what_can_be_used_with_its_atoms(minima, resolved, iron, monkeypatch, dataset, n_resolved):
    monkeypatch.setattr(pack, "load_potential", lambda block: iron)
    path = minima / f"archive of {dataset}.h5"
    progress, stream = log()
    pack.pack(
        minima / "all.h5",
        resolved[0],
        minima / "lattice.json",
        path,
        dataset=dataset,
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
