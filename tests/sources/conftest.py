"""Files of defective cells, and archives of minima."""

import ase.db
import ase.io
import numpy as np
import pandas as pd
import pytest
from labelled_files import FORMATION, perfect

from vibentropy.atoms.crystal import Crystal
from vibentropy.datasets.store import ConfigurationSet
from vibentropy.sources import archives


@pytest.fixture
def write(tmp_path, monkeypatch):
    """Write frames and a reference into the current folder; return the specification of the data set."""
    monkeypatch.chdir(tmp_path)

    def write(frames, reference=None, name="a.xyz", **keys):
        reference = reference or perfect()
        ase.io.write("bulk.extxyz", reference, format="extxyz")
        ase.io.write(name, frames)
        return {"role": "train", "files": [name], "reference": "bulk.extxyz", "entropy": FORMATION} | keys

    return write


IRON = Crystal("Fe", "bcc", 2.8553125)


@pytest.fixture(scope="module")
def configurations():
    """Vacancies, interstitials, a strained cell, atoms outside the cell and a cell that is no cube."""
    rng = np.random.default_rng(1)
    frames, rows = [], []
    for number, size in enumerate([(3, 3, 3), (3, 3, 3), (2, 3, 4), (3, 3, 3)]):
        atoms = IRON.cell(size)
        atoms.rattle(0.2, rng=rng)
        if number == 1:
            atoms.set_cell(atoms.cell[:] @ (np.eye(3) + 0.05 * rng.normal(size=(3, 3))), scale_atoms=True)
        if number < 2:
            del atoms[4]
        else:
            atoms.append("Fe")
            atoms.positions[-1] = (0.3, 0.1, 0.2)
            atoms.positions += 7.0
        if number == 2:
            atoms.set_array("site_entropy", rng.normal(size=len(atoms)))
        frames.append(atoms)
        name = f"{'x'.join(map(str, size))}-X-{number // 2:04d}"
        rows.append(
            {
                "id": f"made/{name}/{number:02d}",
                "dataset": "made",
                "trajectory": name,
                "defect_class": ["V1", "V1", "I1", "I1"][number],
                "repetitions": "x".join(map(str, size)),
                "n_sites": 2 * np.prod(size),
                "status": "labelled",
                "formation_entropy": float(number),
                "energy": rng.normal(),
            }
        )
    return ConfigurationSet(frames, pd.DataFrame(rows))


@pytest.fixture
def path(configurations, tmp_path):
    archives.write_archive(tmp_path / "set.h5", configurations, IRON, seed=3)
    return tmp_path / "set.h5"


@pytest.fixture
def with_repeats(configurations, tmp_path):
    """The first minimum again in the second trajectory, and the last one again after it."""
    repeats = configurations.table.iloc[[0, 3]].assign(
        id=["made/2x3x4-X-0001/01", "made/3x3x3-X-0001/04"],
        trajectory=["2x3x4-X-0001", "3x3x3-X-0001"],
        duplicate_of=["made/3x3x3-X-0000/00", "made/3x3x3-X-0001/03"],
        energy=[1.5, 2.5],
    )
    archives.write_archive(tmp_path / "repeats.h5", configurations, IRON, repeats)
    return tmp_path / "repeats.h5"
