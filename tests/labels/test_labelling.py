"""Labels of sets and of single cells: each row ends with a label or a reason."""

import h5py
import numpy as np
import pandas as pd
import pytest
from ase import Atoms
from ase.build import bulk
from ase.units import kB
from odd_calculators import Single
from scipy.spatial.transform import Rotation

from vibentropy import formation_entropy, load_potential
from vibentropy.atoms import reference_cells
from vibentropy.atoms.crystal import Crystal
from vibentropy.datasets.store import ConfigurationSet
from vibentropy.labels.infinite import infinite_entropy
from vibentropy.labels.labelling import Labeller
from vibentropy.potentials.newton import newton_relax
from vibentropy.sources import archives
from vibentropy.sources.source import source_of


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
    labelled = Labeller(iron).label(ConfigurationSet(frames, table), lambda row, cell: perfect).table

    assert list(labelled["status"]) == ["labelled", "not converged", "saddle", "rejected", "rejected", "rejected"]
    assert labelled["formation_entropy"][0] == pytest.approx(formation_entropy(relaxed, perfect, iron), abs=1e-12)
    assert labelled["label_source"][0] == "exact"
    assert labelled["formation_entropy"][1:].isna().all()
    for row, reason in enumerate(["", "largest force", "negative eigenvalue", "Cr", "in the same cell", "not wanted"]):
        assert reason in labelled["reason"][row]
    assert (labelled["reason"][1:] != "").all()


def test_sites_and_temperatures_are_added_on_request(iron, perfect, tmp_path):
    vacancy = perfect.copy()
    del vacancy[0]
    relaxed, _, _ = newton_relax(vacancy, iron, 1e-8)
    table = pd.DataFrame({"id": ["a", "b", "c"], "status": ["relaxed", "rejected", "relaxed"]})
    table["formation_energy"] = [1.7, 1.7, 2.4]
    configurations = ConfigurationSet([relaxed, relaxed, vacancy], table)

    def labelled(**options):
        return Labeller(iron, **options).label(configurations, lambda row, cell: perfect)

    plain = labelled()
    full = labelled(site_entropies=True, temperatures=[300, 1e5])
    full.save(tmp_path / "labels.h5")
    full = ConfigurationSet.load(tmp_path / "labels.h5")
    # The labels themselves are the same to the last bit.
    pd.testing.assert_frame_equal(full.table[plain.table.columns], plain.table, check_exact=True)
    row = full.table.iloc[0]
    assert full.frames[0].arrays["site_entropy"].sum() == pytest.approx(
        row["formation_entropy_per_atom_convention"], abs=1e-9
    )
    assert row["formation_entropy_100000K"] == pytest.approx(row["formation_entropy"], abs=1e-5)
    assert 0 < row["formation_entropy_300K"] < row["formation_entropy"]
    assert full.table[["formation_entropy_300K", "formation_free_energy_300K"]][1:].isna().all(axis=None)
    # Energies are the given one and, at high temperature, what the classical entropy takes from it.
    assert row["formation_free_energy_100000K"] == pytest.approx(1.7 - kB * 1e5 * row["formation_entropy"], abs=1e-4)
    assert row["formation_free_energy_300K"] == pytest.approx(1.7 - kB * 300 * row["formation_entropy"], abs=0.01)
    configurations.table["formation_energy"] = np.nan
    unknown = labelled(temperatures=[300]).table.iloc[0]
    assert np.isnan(unknown["formation_free_energy_300K"])
    assert unknown["formation_entropy_300K"] == pytest.approx(row["formation_entropy_300K"], rel=1e-12)
    assert not any(atoms.has("site_entropy") for atoms in [*full.frames[1:], *plain.frames, *configurations.frames])
    # One diagonalisation serves both, and each can be had alone.
    assert not labelled(temperatures=[300]).frames[0].has("site_entropy")
    assert not any("300K" in name for name in labelled(site_entropies=True).table)


def test_a_perfect_crystal_without_a_label_is_not_blamed_on_the_configurations(iron, perfect):
    calls = []

    class OnlyDefects:
        mass = iron.masses[0]

        def hessian(self, atoms):
            return iron.hessian(atoms)

        def energy_and_forces(self, atoms):
            calls.append(len(atoms))
            energy, forces = iron.energy_and_forces(atoms)
            return energy, forces + (0.1 if len(atoms) == len(perfect) else 0.0)

    vacancy = perfect.copy()
    del vacancy[0]
    relaxed, _, _ = newton_relax(vacancy, iron, 1e-8)
    table = pd.DataFrame({"id": ["a/b/00", "a/b/01"], "status": "relaxed"})
    labeller = Labeller(OnlyDefects())
    labelled = labeller.label(ConfigurationSet([relaxed] * 2, table), lambda row, cell: perfect).table
    assert set(labelled["status"]) == {"rejected"}
    assert labelled["reason"].str.startswith("the perfect crystal in this cell has no label: the largest force").all()
    # It is tried once, and no defect for nothing.
    assert calls == [54]
    # The labeller remembers it.
    labeller.label(ConfigurationSet([relaxed] * 2, table), lambda row, cell: perfect)
    assert calls == [54]


def test_a_strained_vacancy_is_compared_with_the_strained_crystal(iron, tmp_path):
    crystal = Crystal("Fe", "bcc", 2.8553125)
    crystal.save(tmp_path / "lattice.json")
    strain = np.array([[0.01, 0.004, -0.002], [0.004, -0.008, 0.006], [-0.002, 0.006, 0.005]])
    cell = crystal.cell((3, 3, 3)).cell[:] @ (np.eye(3) + strain)
    strained = crystal.filling(cell, (3, 3, 3))
    vacancy = strained.copy()
    del vacancy[7]
    relaxed, _, _ = newton_relax(vacancy, iron, 1e-8)
    table = pd.DataFrame({"id": ["a/b/00"], "status": "relaxed", "repetitions": "3x3x3"})
    reference = source_of("a", {"recipe": {}}).perfect(tmp_path / "lattice.json")
    labelled = Labeller(iron).label(ConfigurationSet([relaxed], table), reference).table
    assert labelled["formation_entropy"][0] == pytest.approx(formation_entropy(relaxed, strained, iron), abs=1e-9)
    archives.write_archive(
        tmp_path / "a.h5", ConfigurationSet([relaxed], labelled.assign(n_sites=54)), crystal, potential="of a test"
    )
    assert archives.read_header(tmp_path / "a.h5").potential == "of a test"
    found = source_of("a", {"archive": tmp_path / "a.h5"}).perfect(None)(labelled.iloc[0], relaxed.cell)
    np.testing.assert_allclose(found.positions, strained.positions, atol=1e-12)
    assert len(source_of("a", {"archive": tmp_path / "a.h5"}).unstrained(None)) == 128


def test_one_cell_gets_the_label_that_a_set_gets(iron, perfect):
    vacancy = perfect.copy()
    del vacancy[0]
    labeller = Labeller(iron, site_entropies=True, temperatures=[300])
    relaxed, row = labeller.label_cell(vacancy, perfect, relax=True)
    assert row["max_force"] < 1e-6
    assert row["formation_energy"] == pytest.approx(1.7, abs=0.1)
    table = pd.DataFrame({"id": ["a"], "status": "relaxed", "formation_energy": row["formation_energy"]})
    labelled = labeller.label(ConfigurationSet([relaxed], table), lambda row, cell: perfect)
    columns = {name: value for name, value in labelled.table.iloc[0].items() if name in row}
    assert columns | {"n_sites": 54, "energy": row["energy"], "max_force": row["max_force"]} == row
    np.testing.assert_array_equal(labelled.frames[0].arrays["site_entropy"], relaxed.arrays["site_entropy"])
    # What cannot be labelled keeps its energies where there are some.
    atoms, row = labeller.label_cell(vacancy, perfect)
    assert atoms is vacancy
    assert row["status"] == "not converged"
    assert row["max_force"] > 0.1
    assert "relax it" in row["reason"]
    assert "energy" not in labeller.label_cell(vacancy, perfect * 2)[1]


def test_cells_that_lie_otherwise_in_space_have_the_same_label(iron, perfect):
    """LAMMPS turns cells into its own axes; the reference is turned with them."""
    relaxed, _, _ = newton_relax(perfect[1:], iron, 1e-8)
    turn = Rotation.from_rotvec([0.3, -1.0, 0.7]).as_matrix()
    turned = relaxed.copy()
    turned.set_cell(relaxed.cell[:] @ turn, scale_atoms=True)
    labeller = Labeller(iron)
    _, expected = labeller.label_cell(relaxed, perfect)
    _, row = labeller.label_cell(turned, perfect)
    assert row["status"] == "labelled"
    for name in ("formation_entropy", "formation_energy", "formation_entropy_uncertainty"):
        assert row[name] == pytest.approx(expected[name], abs=1e-7)
    configurations = ConfigurationSet([turned], pd.DataFrame({"id": ["a/b/00"], "status": "relaxed"}))
    labelled = labeller.label(configurations, lambda row, cell: perfect).table.iloc[0]
    assert labelled["formation_entropy"] == pytest.approx(expected["formation_entropy"], abs=1e-7)


def test_sets_are_relaxed_where_that_is_asked_for(iron, perfect):
    """With energies of where atoms end, whatever the files said of where they began; saddles stay what they are."""
    vacancy = perfect[1:]
    relaxed, _, _ = newton_relax(vacancy, iron, 1e-6)
    table = pd.DataFrame({"id": ["a", "b"], "status": "relaxed", "energy": 1.0, "formation_energy": 1.0})
    configurations = ConfigurationSet([vacancy, Atoms("Fe2", cell=perfect.cell, pbc=True)], table)
    labelled = Labeller(iron).label(configurations, lambda row, cell: perfect, relax=True)
    first = labelled.table.iloc[0]
    _, expected = Labeller(iron).label_cell(relaxed, perfect)
    for name in ("formation_entropy", "energy", "formation_energy"):
        assert first[name] == pytest.approx(expected[name], abs=1e-6)
    assert first["max_force"] <= 1e-6
    np.testing.assert_allclose(labelled.frames[0].positions, relaxed.positions, atol=1e-6)
    assert labelled.table["status"].tolist() == ["labelled", "rejected"]
    left = Labeller(iron).label(configurations, lambda row, cell: perfect).table
    assert left["status"][0] == "not converged"


def test_the_cell_is_compared_with_that_of_the_crystal_once(iron, perfect, monkeypatch):
    calls = []
    check = reference_cells.crystal_in_cell
    monkeypatch.setattr(reference_cells, "crystal_in_cell", lambda *pair: calls.append(1) or check(*pair))
    Labeller(iron).label_cell(perfect, perfect)
    assert calls == [1]
    Labeller(iron).label(
        ConfigurationSet([perfect], pd.DataFrame({"id": ["a/b/00"], "status": "relaxed"})), lambda row, cell: perfect
    )
    assert calls == [1, 1]


def test_limits_of_the_infinite_crystal_are_columns_of_their_own(iron, perfect, tmp_path):
    vacancy = perfect[1:]
    relaxed, _, _ = newton_relax(vacancy, iron, 1e-8)
    table = pd.DataFrame({"id": ["a", "b", "c"], "status": "relaxed"})
    configurations = ConfigurationSet([relaxed, vacancy, perfect], table)
    said = []
    labeller = Labeller(iron, infinite=(250, 432, 686), note=said.append)
    labelled = labeller.label(configurations, lambda row, cell: perfect)
    expected = infinite_entropy(relaxed, perfect, iron, sizes=(250, 432, 686))
    rows = labelled.table
    assert rows["formation_entropy_infinite"][0] == expected.value
    assert rows["formation_entropy_infinite_uncertainty"][0] == expected.uncertainty
    assert rows["formation_entropy_infinite"][1:].isna().all()
    # What has no label in its own cell says so in its own reason.
    assert list(rows["infinite_reason"] != "") == [False, False, True]
    assert list(rows["status"]) == ["labelled", "not converged", "labelled"]
    assert said[0] == "infinite crystal: cell 1 of 3, 250 sites"
    labelled.save(tmp_path / "labels.h5")
    with h5py.File(tmp_path / "labels.h5") as file:
        units = {name: data.attrs["unit"] for name, data in file["table"].items() if "infinite" in name}
    assert units == {
        "formation_entropy_infinite": "k_B",
        "formation_entropy_infinite_uncertainty": "k_B",
        "infinite_reason": "",
    }


def test_relaxation_ends_well_below_the_force_that_labels_take():
    """A calculator in single precision reaches it where labels take more."""
    perfect = bulk("Cu", cubic=True, a=3.59) * 2
    potential = load_potential(calculator=Single(), element="Cu", step=0.03)
    row = Labeller(potential).label_cell(perfect[1:], perfect, relax=True)[1]
    assert row["status"] == "not converged"
    assert "single precision gets no further" in row["reason"]
    row = Labeller(potential, max_force=1e-2).label_cell(perfect[1:], perfect, relax=True)[1]
    assert row["status"] == "labelled"
    assert row["max_force"] <= 1e-4
