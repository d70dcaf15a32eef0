"""The data sets that ship are what data/README.md says: whole, distinct, and their labels those of their positions."""

import hashlib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from scipy.sparse.linalg import eigsh

from vibentropy import formation_entropy
from vibentropy.datasets.table import SITE_ENTROPY
from vibentropy.labels.determinants import relaxed_log_determinant
from vibentropy.labels.entropy import entropy_of
from vibentropy.potentials.from_config import load_potential
from vibentropy.sources import archives

ROOT = Path(__file__).resolve().parents[2]
DATA = ROOT / "data"
#: Data sets by their potential or their alloy.
FOLDERS = {
    "eam": DATA,
    "meam": DATA / "meam",
    "iron_phosphorus": DATA / "alloys/iron_phosphorus",
    "iron_aluminium": DATA / "alloys/iron_aluminium",
}
SETS = {
    "eam": ("clusters", "cells_1024", "cells_2000", "cells_3456", "cells_large", "strained", "liquid"),
    "meam": ("clusters_1", "clusters_2", "cells_1024", "cells_2000", "cells_3456", "strained", "liquid"),
    "iron_phosphorus": ("solutes", "one_vacancy", "two_vacancies", "three_vacancies", "cells_2000", "cells_3456"),
    "iron_aluminium": ("single", "pairs", "triples", "cells_2000", "cells_3456"),
}
kinds = pytest.mark.parametrize("kind", SETS)


@pytest.fixture(scope="module")
def every_set():
    return {kind: {name: archives.read_archive(archive(kind, name), name) for name in SETS[kind]} for kind in SETS}


@pytest.fixture(scope="module")
def sets(every_set):
    """Those of embedded atoms."""
    return every_set["eam"]


def archive(kind, name):
    return FOLDERS[kind] / f"{name}.h5"


@pytest.fixture(scope="module")
def meam(monkeypatch_module):
    """The potential of these sets, as their recipe names it."""
    monkeypatch_module.chdir(ROOT)
    block = yaml.safe_load((ROOT / "workflow/configs/data_meam.yaml").read_text(encoding="utf-8"))["potential"]
    return load_potential(**block)


@pytest.fixture(scope="module")
def monkeypatch_module():
    with pytest.MonkeyPatch.context() as patch:
        yield patch


@pytest.fixture(scope="module")
def potential_of(request):
    """The potential of a kind of data sets, loaded when it is first asked for."""
    return lambda kind: request.getfixturevalue({"eam": "iron", "meam": "meam"}[kind])


@pytest.fixture(scope="module")
def recomputed(every_set, potential_of):
    """Entropies per mode and per atom of a configuration as it is in the file; perfect crystals are computed once."""
    perfect = {}

    def entropies(kind, name, index):
        configurations, potential = every_set[kind][name], potential_of(kind)
        crystal = archives.read_header(archive(kind, name)).crystal
        repetitions = [int(n) for n in configurations.table["repetitions"][index].split("x")]
        atoms = configurations.frames[index]
        key = kind, crystal, atoms.cell[:].tobytes()
        if key not in perfect:
            perfect[key] = relaxed_log_determinant(crystal.filling(atoms.cell, repetitions), potential)
        return entropy_of(relaxed_log_determinant(atoms, potential), perfect[key])

    return entropies


def test_files_are_those_of_the_checksums_and_small():
    listed = dict(reversed(line.split()) for line in (DATA / "SHA256SUMS").read_text().splitlines())
    files = [*DATA.rglob("*.h5"), *DATA.rglob("*.csv"), *DATA.glob("potentials/*")]
    found = {path.relative_to(DATA).as_posix(): path for path in files}
    assert sorted(listed) == sorted(found)
    for name, path in found.items():
        assert hashlib.sha256(path.read_bytes()).hexdigest() == listed[name], name
    assert sum(path.stat().st_size for path in DATA.rglob("*")) < 90e6
    assert max(path.stat().st_size for path in DATA.rglob("*")) < 25e6


def test_there_is_as_much_as_promised(sets):
    clusters = sets["clusters"].table
    assert len(clusters) >= 1500
    assert set(clusters["defect_class"]) == {"I1", "I2", "I3", "I4", "V1", "V2", "V3", "V4"}
    assert set(clusters["n_sites"]) == {1024}
    assert sum(len(sets[name]) for name in ("cells_1024", "cells_2000", "cells_3456")) >= 80
    assert max(sets["cells_3456"].table["formation_entropy"]) > 240
    large = sets["cells_large"].table
    assert set(large["n_sites"]) == {16_000, 31_250, 54_000}
    assert len(large) >= 24
    assert large["formation_entropy"].max() > 2500
    assert len(sets["strained"]) >= 40
    assert len(sets["liquid"]) >= 40
    resolved = [atoms.has(SITE_ENTROPY) for atoms in sets["clusters"].frames]
    assert sum(resolved) >= 200
    assert set(clusters["defect_class"][resolved]) >= {"I2", "I3", "I4", "V3", "V4"}


def test_there_is_as_much_of_alloys_as_promised(every_set):
    assert sum(path.stat().st_size for path in (DATA / "alloys").rglob("*.h5")) < 12e6

    def contents(kind):
        """Vacancies in 1024 sites, and atoms by element, of the training cells; sites of the others."""
        sets = every_set[kind]
        frames = [atoms for name, found in sets.items() if not name.startswith("cells") for atoms in found.frames]
        tests = pd.concat([sets[name].table for name in ("cells_2000", "cells_3456")])
        return [(1024 - len(atoms), atoms.symbols.formula.count()) for atoms in frames], tests["n_sites"]

    made_of, n_sites = contents("iron_phosphorus")
    assert len(made_of) >= 400
    assert {vacancies for vacancies, _ in made_of} == {0, 1, 2, 3}
    assert max(atoms.get("P", 0) for _, atoms in made_of) == 4
    assert set(n_sites) == {2000, 3456}
    assert len(n_sites) >= 15

    made_of, n_sites = contents("iron_aluminium")
    assert len(made_of) >= 100
    # Vacancies on both sublattices, antisites both ways, pairs and triples.
    more_of_iron = {(vacancies, atoms["Fe"] - 512) for vacancies, atoms in made_of}
    assert more_of_iron >= {(1, -1), (1, 0), (0, 1), (0, -1), (0, 0), (2, -2), (2, -1), (2, 0)}
    assert set(n_sites) == {2000, 3456}
    assert len(n_sites) >= 10


@pytest.mark.parametrize(
    ("kind", "name"),
    [("iron_phosphorus", "three_vacancies"), ("iron_phosphorus", "solutes"), ("iron_aluminium", "triples")],
)
def test_labels_of_alloys_are_those_of_the_positions(every_set, kind, name):
    recipe = yaml.safe_load((ROOT / f"workflow/configs/{kind}.yaml").read_text(encoding="utf-8"))
    potential = load_potential(**recipe["potential"])
    configurations, header = every_set[kind][name], archives.read_header(archive(kind, name))
    index = len(configurations) // 2
    row, atoms = configurations.table.loc[index], configurations.frames[index]
    perfect = header.crystal.filling(atoms.cell, [int(n) for n in row["repetitions"].split("x")])
    found = formation_entropy(atoms, [perfect, *header.others], potential)
    assert found == pytest.approx(row["formation_entropy"], abs=1e-3)
    energy, forces = potential.energy_and_forces(atoms)
    assert energy == pytest.approx(row["energy"], abs=1e-6)
    assert np.linalg.norm(forces, axis=1).max() == pytest.approx(row["max_force"], rel=1e-2, abs=1e-8)


@kinds
def test_the_readme_counts_what_is_there(every_set, kind):
    text = (DATA / "README.md").read_text()
    for name, configurations in every_set[kind].items():
        table, file = configurations.table, archive(kind, name).relative_to(DATA)
        smallest, largest = table["formation_entropy"].agg(["min", "max"])
        assert (
            f"| `{file}` | {len(table)} | {table['trajectory'].nunique()} | {smallest:z.1f} to {largest:.1f} |" in text
        )


@pytest.mark.parametrize(("kind", "name"), [("eam", "clusters"), ("meam", "clusters_1"), ("meam", "clusters_2")])
def test_the_readme_counts_classes(every_set, kind, name):
    text = (DATA / "README.md").read_text()
    of_class = every_set[kind][name].table.groupby("defect_class")["formation_entropy"]
    assert "| minima | " + " | ".join(str(n) for n in of_class.size()) + " |" in text
    assert "| mean entropy (k_B) | " + " | ".join(f"{mean:.2f}" for mean in of_class.mean()) + " |" in text


def test_the_readme_counts_minima_of_phosphorus_by_what_is_in_them(every_set):
    text = (DATA / "README.md").read_text()
    found = [one for name, one in every_set["iron_phosphorus"].items() if not name.startswith("cells")]
    frames = [atoms for one in found for atoms in one.frames]
    table = pd.DataFrame(
        {
            "vacancies": [1024 - len(atoms) for atoms in frames],
            "solutes": [(atoms.symbols == "P").sum() for atoms in frames],
            "entropy": pd.concat([one.table["formation_entropy"] for one in found]).to_numpy(),
        }
    )
    for vacancies, row in zip(range(4), ("no vacancy", "one vacancy", "two vacancies", "three vacancies"), strict=True):
        for solutes in range(5):
            alike = table["entropy"][(table["vacancies"] == vacancies) & (table["solutes"] == solutes)]
            row += f" | {len(alike)}: {alike.mean():z.2f}" if len(alike) else " | "
        assert f"| {row} |" in text


def test_the_readme_has_the_mean_entropies_of_defects_of_a_compound(every_set):
    text = (DATA / "README.md").read_text()
    table = pd.concat([every_set["iron_aluminium"][name].table for name in ("single", "pairs")])
    means = table.groupby("defect_class")["formation_entropy"].mean()
    kinds = ("V_Fe", "V_Al", "Al_Fe", "Fe_Al")
    assert "| mean entropy (k_B) | " + " | ".join(f"{means[one]:z.2f}" for one in kinds) + " |" in text
    for one in kinds:
        pairs = [
            next(
                name
                for name in ([f"2{one}"] if one == other else [f"{one}+{other}", f"{other}+{one}"])
                if name in means
            )
            for other in kinds
        ]
        assert f"| {', '.join(f'{means[name]:z.2f}' for name in pairs)} |" in text


@pytest.mark.parametrize("alloy", ["iron_phosphorus", "iron_aluminium"])
def test_the_readme_counts_what_was_made_of_alloys(alloy):
    made = pd.read_csv(FOLDERS[alloy] / "outcomes.csv").query("n_sites == 1024")
    assert made["labelled"].sum() == made["configurations"].sum()
    text = (DATA / "README.md").read_text().replace("\n", " ")
    assert f"All {made['configurations'].sum()} configurations made in 1024 sites have a label" in text
    assert f"{made['duplicates'].sum()} of them found a minimum again" in text


@pytest.mark.parametrize("name", ["clusters_1", "clusters_2"])
def test_the_readme_counts_what_was_found_again(name):
    minima = archives.read_archive(archive("meam", name), "x", repeats=True).table
    repeated = (minima["duplicate_of"] != "").sum()
    assert f"{repeated} times in `{name}.h5`" in (DATA / "README.md").read_text().replace("\n", " ")


@kinds
def test_minima_are_relaxed_and_distinct(every_set, kind):
    whole = pd.concat([configurations.table for configurations in every_set[kind].values()], ignore_index=True)
    assert (whole["status"] == "labelled").all()
    assert whole["max_force"].max() < 2e-5
    assert (whole["smallest_eigenvalue"] > 1e-3).all()
    # All pairs of one number of atoms and of sites, across classes and data sets.
    for _, alike in whole.groupby(["n_atoms", "n_sites"]):
        energy, entropy = alike["energy"].to_numpy(), alike["formation_entropy"].to_numpy()
        same = (np.abs(np.subtract.outer(energy, energy)) <= 1e-4) & (
            np.abs(np.subtract.outer(entropy, entropy)) <= 1e-3
        )
        assert same.sum() == len(alike), alike["id"][same.sum(axis=0) > 1].tolist()


@pytest.mark.slow
@pytest.mark.parametrize("name", ["clusters", "cells_1024", "strained", "liquid"])
def test_smallest_eigenvalues_are_those_of_the_hessian(sets, iron, name):
    """Against ARPACK, from above and without the translations."""
    configurations = sets[name]
    index = len(configurations) // 3
    hessian = iron.hessian(configurations.frames[index]).tocsr()
    lowest = eigsh(hessian, 4, sigma=-0.01, return_eigenvectors=False)
    assert configurations.table["smallest_eigenvalue"][index] == pytest.approx(lowest.max(), rel=2e-3)


@pytest.mark.slow
def test_strained_cells_are_strained_and_the_others_are_not(sets):
    for name, configurations in sets.items():
        crystal = archives.read_header(archive("eam", name)).crystal
        for atoms, size in zip(configurations.frames, configurations.table["repetitions"], strict=True):
            perfect = crystal.cell([int(n) for n in size.split("x")]).cell[:]
            strain = np.linalg.solve(perfect, atoms.cell[:]) - np.eye(3)
            np.testing.assert_allclose(strain, strain.T, atol=1e-12)
            assert (0.003 < np.abs(strain).max() <= 0.02) if name == "strained" else np.abs(strain).max() < 1e-12


def test_site_entropies_add_up_to_the_label(sets):
    clusters = sets["clusters"]
    for atoms, entropy in zip(clusters.frames, clusters.table["formation_entropy_per_atom_convention"], strict=True):
        if atoms.has(SITE_ENTROPY):
            assert atoms.arrays[SITE_ENTROPY].sum() == pytest.approx(entropy, abs=1e-4)


@pytest.mark.parametrize(
    ("kind", "name", "places"),
    [
        ("eam", "clusters", (0, 0.5, 1)),
        ("eam", "strained", (0, 0.5, 1)),
        ("meam", "clusters_1", (0.5,)),
        ("meam", "clusters_2", (0.5,)),
        ("meam", "cells_1024", (0.5,)),
        ("meam", "strained", (0.5,)),
    ],
)
def test_labels_are_those_of_the_positions(every_set, potential_of, recomputed, kind, name, places):
    configurations, potential = every_set[kind][name], potential_of(kind)
    for index in (round(place * (len(configurations) - 1)) for place in places):
        row = configurations.table.loc[index]
        per_mode, per_atom = recomputed(kind, name, index)
        assert per_mode == pytest.approx(row["formation_entropy"], abs=1e-3)
        assert per_atom == pytest.approx(row["formation_entropy_per_atom_convention"], abs=1e-3)
        energy, forces = potential.energy_and_forces(configurations.frames[index])
        assert energy == pytest.approx(row["energy"], abs=1e-6)
        assert np.linalg.norm(forces, axis=1).max() == pytest.approx(row["max_force"], rel=1e-2, abs=1e-8)


def test_large_cells_are_at_rest_and_as_much_higher_as_they_say(sets, iron):
    configurations = sets["cells_large"]
    crystal = archives.read_header(archive("eam", "cells_large")).crystal
    site, _ = iron.energy_and_forces(crystal.cell(4))
    for row in configurations.table.drop_duplicates("n_sites").itertuples():
        energy, forces = iron.energy_and_forces(configurations.frames[row.Index])
        assert energy == pytest.approx(row.energy, abs=1e-5)
        assert energy - row.n_atoms * site / 128 == pytest.approx(row.formation_energy, abs=1e-5)
        assert np.linalg.norm(forces, axis=1).max() == pytest.approx(row.max_force, rel=1e-2)


@pytest.mark.slow
def test_labels_are_those_of_the_positions_in_a_larger_sample(sets, recomputed):
    rng = np.random.default_rng(7)
    worst = {}
    for name, configurations in sets.items():
        if name == "cells_large":  # A label takes from one minute to ten.
            continue
        size = {"clusters": 8, "cells_3456": 1}.get(name, 2)
        for index in rng.choice(len(configurations), size, replace=False):
            per_mode, _ = recomputed("eam", name, index)
            error = abs(per_mode - configurations.table["formation_entropy"][index])
            worst[name] = max(worst.get(name, 0.0), error)
    print("\nLargest deviation of recomputed labels (k_B): " + ", ".join(f"{k} {v:.1e}" for k, v in worst.items()))
    assert max(worst.values()) < 1e-3
