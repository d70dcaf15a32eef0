"""data/infinite.h5: entropies in the infinite crystal, their uncertainties, and the cells that they are from."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from vibentropy import formation_entropy
from vibentropy.sources import archives

DATA = Path(__file__).resolve().parents[2] / "data"
UNCERTAINTY = "formation_entropy_infinite_uncertainty"


@pytest.fixture(scope="module")
def infinite():
    return archives.read_archive(DATA / "infinite.h5", "infinite")


def test_the_readme_counts_what_is_there(infinite):
    text, table = (DATA / "README.md").read_text(), infinite.table
    smallest, largest = table["formation_entropy"].agg(["min", "max"])
    row = f"| `infinite.h5` | {len(table)} | {table['trajectory'].nunique()} | {smallest:.1f} to {largest:.1f} |"
    assert row in text
    of_class = (table["formation_entropy"] - table["formation_entropy_of_its_cell"]).groupby(table["defect_class"])
    uncertainty = table.groupby("defect_class")[UNCERTAINTY].median()
    for name, values, form in (
        ("minima", of_class.size(), "d"),
        ("mean difference from 1024 sites (k_B)", of_class.mean(), ".3f"),
        ("largest difference (k_B)", of_class.apply(lambda values: values.abs().max()), ".3f"),
        ("median uncertainty (k_B)", uncertainty, ".4f"),
    ):
        assert f"| {name} | " + " | ".join(format(value, form) for value in values) + " |" in text
    outcomes = pd.read_csv(DATA / "infinite.csv")
    assert outcomes["reason"].notna().sum() == len(outcomes) - len(table) == 13
    assert outcomes["reason"].str.contains("several defects").sum() == 11


def test_values_are_limits_of_those_in_larger_and_larger_cells(infinite):
    table = infinite.table
    sites = np.array([3456, 8192, 16000])
    entropies = table[[f"formation_entropy_{n}_sites" for n in sites]].to_numpy()
    # Straight lines in 1/N through two sizes: the limit of the larger two, and the difference of the two limits.
    slopes = np.diff(entropies, axis=1) / np.diff(1 / sites)
    limits = entropies[:, 1:] - slopes / sites[1:]
    np.testing.assert_allclose(limits[:, 1], table["formation_entropy"], atol=1e-9)
    np.testing.assert_allclose(np.abs(np.diff(limits, axis=1))[:, 0], table[UNCERTAINTY], atol=1e-9)
    assert table[UNCERTAINTY].max() < 0.03


def test_published_and_earlier_numbers_come_out(infinite):
    lowest = infinite.table.sort_values("formation_energy").groupby("defect_class")["formation_entropy"].first()
    assert lowest["V1"] == pytest.approx(2.6217, abs=2e-4)
    assert lowest["I1"] == pytest.approx(1.7725, abs=2e-4)


def test_finite_entropies_are_those_of_the_clusters(infinite):
    clusters = archives.read_header(DATA / "clusters.h5").table.set_index("id")["formation_entropy"]
    first = clusters.index[0].partition("/")[0]
    of_clusters = infinite.table["id"].str.replace("infinite/", f"{first}/").map(clusters)
    np.testing.assert_array_equal(of_clusters, infinite.table["formation_entropy_of_its_cell"])


def test_cells_are_at_rest(infinite, iron):
    assert set(infinite.table["n_sites"]) == {16000}
    for index in np.linspace(0, len(infinite) - 1, 4).astype(int):
        _, forces = iron.energy_and_forces(infinite.frames[index])
        # Positions are rounded to 1e-7 Å.
        assert np.linalg.norm(forces, axis=1).max() < 1e-4


@pytest.mark.slow(minutes=2)
def test_the_entropy_of_a_largest_cell_is_that_of_its_positions(infinite, iron):
    index = int(np.flatnonzero(infinite.table["defect_class"] == "I4")[0])
    atoms = infinite.frames[index]
    crystal = archives.read_header(DATA / "infinite.h5").crystal.filling(atoms.cell, (20, 20, 20))
    entropy = formation_entropy(atoms, crystal, iron)
    assert entropy == pytest.approx(infinite.table["formation_entropy_16000_sites"][index], abs=1e-3)
