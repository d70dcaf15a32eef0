"""Data sets from archives."""

import numpy as np

from vibentropy.atoms.crystal import Crystal
from vibentropy.datasets.store import ConfigurationSet
from vibentropy.sources import archives
from vibentropy.sources.source import source_of

IRON = Crystal("Fe", "bcc", 2.8553125)


def test_a_data_set_with_repeats(with_repeats, path):
    source = source_of("a", {"archive": str(with_repeats), "repeats": True})
    shards = source.shards(1)
    assert shards == {"000": [0, 2], "001": [2, 4], "002": [4, 6]}
    assert sum(amount.configurations for amount in source.amounts(1).values()) == 6
    assert [row for rows in shards.values() for row in source.read(rows).table["id"]] == source.read().table[
        "id"
    ].tolist()
    assert source_of("a", source.about() | {"role": "train"}).table["id"].tolist() == source.table["id"].tolist()
    (problem,) = source_of("a", {"archive": str(path), "repeats": True}).problems_inside("Fe")
    assert problem.endswith("without the repeats of its minima, which `repeats: true` asks for: leave that out")


def test_another_entropy_may_be_learned(configurations, tmp_path):
    table = configurations.table.assign(
        formation_entropy_of_its_cell=[4.0, 3.0, 2.0, 1.0], formation_entropy_300K=[1.0, np.nan, 2.0, 3.0]
    )
    path = tmp_path / "entropies.h5"
    archives.write_archive(path, ConfigurationSet(configurations.frames, table), IRON)
    source = source_of("a", {"archive": str(path), "entropy": "formation_entropy_of_its_cell"})
    assert list(source.problems_inside("Fe")) == []
    read = source.read().table
    assert read["formation_entropy"].tolist() == [4.0, 3.0, 2.0, 1.0]
    assert read["formation_entropy_per_atom_convention"].isna().all()
    assert source_of("a", source.about()).read([1, 3]).table["formation_entropy"].tolist() == [3.0, 2.0]
    for name in ("formation_entropy_300K", "energy", "entropy"):
        (problem,) = source_of("a", {"archive": str(path), "entropy": name}).problems_inside("Fe")
        assert f"no column {name!r} with an entropy for each" in problem
        assert problem.endswith("it has formation_entropy, formation_entropy_of_its_cell")
