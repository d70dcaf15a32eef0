"""Files of defective cells."""

import ase.db
import ase.io
import pytest
from labelled_files import FORMATION, perfect


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
