import numpy as np
import pandas as pd
import pytest
from ase import Atoms

from vibentropy import formation_entropy
from vibentropy.crystal import Crystal
from vibentropy.dataset import ConfigurationSet
from vibentropy.labels import label, perfect_crystals
from vibentropy.relaxation import newton_relax


@pytest.fixture(scope="module")
def perfect():
    return Crystal("Fe", "bcc", 2.8553125).cell((3, 3, 3))


def test_every_row_ends_with_a_label_or_a_reason(iron, perfect):
    vacancy = perfect.copy()
    del vacancy[0]
    relaxed, _, _ = newton_relax(vacancy, iron, 1e-8)
    # Two atoms share the site along <111>: at rest by symmetry, not at a minimum.
    dumbbell = perfect.copy()
    step = 0.9 * np.ones(3) / np.sqrt(3)
    dumbbell.positions[0] += step
    dumbbell += Atoms("Fe", [perfect.positions[0] - step])
    saddle, _, _ = newton_relax(dumbbell, iron, 1e-6)
    alloy = relaxed.copy()
    alloy.symbols[3] = "Cr"
    stretched = relaxed.copy()
    stretched.set_cell(relaxed.cell[:] * 1.01, scale_atoms=True)
    frames = [relaxed, vacancy, saddle, alloy, stretched, relaxed]
    table = pd.DataFrame({"id": [f"train/a/{i:02d}" for i in range(6)], "status": "relaxed", "reason": ""})
    table.loc[5, ["status", "reason"]] = "rejected", "not wanted"
    labelled = label(ConfigurationSet(frames, table), lambda row, cell: perfect, iron).table

    assert list(labelled["status"]) == ["labelled", "not converged", "saddle", "rejected", "rejected", "rejected"]
    assert labelled["formation_entropy"][0] == pytest.approx(formation_entropy(relaxed, perfect, iron), abs=1e-12)
    assert labelled["label_source"][0] == "exact"
    assert labelled["formation_entropy"][1:].isna().all()
    for row, reason in enumerate(["", "largest force", "negative eigenvalue", "Cr", "same cell", "not wanted"]):
        assert reason in labelled["reason"][row]
    assert (labelled["reason"][1:] != "").all()


def test_recipes_find_the_perfect_crystal_of_each_row(tmp_path):
    Crystal("Fe", "bcc", 2.9).save(tmp_path / "lattice.json")
    reference = perfect_crystals({"recipe": {}}, tmp_path / "lattice.json")
    found = reference({"repetitions": "2x3x4"})
    assert len(found) == 48
    np.testing.assert_allclose(found.cell.lengths(), [5.8, 8.7, 11.6])
