"""Extended XYZ for other programs."""

import ase.io
import numpy as np
import pytest
from random_sets import random_set


def test_extended_xyz_opens_in_ase_with_the_row(tmp_path):
    one = random_set(5, 6)
    one.table["formation_entropy"] = [3.25] + 5 * [np.nan]
    one.to_extxyz(tmp_path / "set.xyz")
    frames = ase.io.read(tmp_path / "set.xyz", ":")
    assert len(frames) == len(one)
    for frame, atoms, (_, row) in zip(frames, one.frames, one.table.iterrows(), strict=True):
        np.testing.assert_array_equal(frame.numbers, atoms.numbers)
        np.testing.assert_allclose(frame.positions, atoms.positions, atol=5.1e-9)
        np.testing.assert_allclose(frame.cell, atoms.cell, rtol=1e-12)
        np.testing.assert_array_equal(frame.pbc, atoms.pbc)
        assert frame.get_potential_energy() == pytest.approx(row["energy"], rel=1e-12)
        assert frame.info["id"] == row["id"]
        assert frame.info.get("reason", "") == row["reason"]
        assert frame.info["large"] == row["large"]
    assert frames[0].info["formation_entropy"] == 3.25
    assert "formation_entropy" not in frames[1].info
