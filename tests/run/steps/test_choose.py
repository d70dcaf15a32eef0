"""A small training set of the minima that say most."""

import numpy as np
import pytest
from small_sets import config, log

from vibentropy.datasets.store import load_table
from vibentropy.errors import DataError
from vibentropy.features.sets import FeatureSet
from vibentropy.learning.selection import select
from vibentropy.run.steps.choose import choose
from vibentropy.sources.archives import read_archive, read_header

POTENTIAL = {"file": "FeP_mm.eam.fs", "element": "Fe"}


@pytest.fixture(scope="module")
def features(minima):
    """Random features of all configurations, and the files that they are in."""
    table, rng, paths = load_table(minima / "all.h5"), np.random.default_rng(0), []
    X = {}
    for dataset, rows in table.groupby("dataset"):
        ids = rows.loc[rows["status"] == "labelled", "id"].tolist()
        X[dataset] = rng.normal(size=(len(ids), 2))
        paths.append(minima / f"features of {dataset}.h5")
        FeatureSet(
            ids=ids,
            X=X[dataset],
            bulk=np.zeros(2),
            feature_names=["a", "b"],
            descriptor={"kind": "x", "parameters": {}},
            dataset=dataset,
        ).save(paths[-1])
    return X, paths


def test_they_are_those_of_largest_leverage_from_the_training_sets(minima, features):
    X, paths = features
    output, (progress, stream) = minima / "chosen.h5", log()
    choose(
        minima / "all.h5", paths, minima / "lattice.json", output, number=3, progress=progress, read=[],
        specification={"recipe": {}}, config=config() | {"potential": POTENTIAL},
    )  # fmt: skip
    table = load_table(minima / "all.h5")
    train = table[(table["dataset"] == "train") & (table["status"] == "labelled")]
    # The lowest of the only class is the first one.
    assert train["formation_energy"].idxmin() == train.index[0]
    expected = train.iloc[np.sort([0, *(1 + select(X["train"][1:], 2, known=X["train"][:1]))])]
    chosen = read_archive(output, "mine")
    assert chosen.table["trajectory"].tolist() == expected["trajectory"].tolist()
    np.testing.assert_array_equal(chosen.table["formation_entropy"], expected["formation_entropy"])
    assert "FeP_mm.eam.fs" in read_header(output).potential
    assert "3 of 6 minima of class V1" in stream.getvalue()

    # From an archive as well, whose potential it keeps, whatever others of the run are labelled with.
    choose(
        minima / "all.h5", paths, output, minima / "again.h5", number=3, progress=log()[0], read=[],
        specification={"archive": str(output)}, config=config() | {"potential": POTENTIAL | {"file": "Fe_mm.eam.fs"}},
    )  # fmt: skip
    assert read_header(minima / "again.h5").potential == read_header(output).potential


@pytest.mark.parametrize(
    ("number", "reference", "message"),
    [
        (7, "lattice.json", "number == 7 under `chosen`, expected from 1, .* to 6"),
        (0, "lattice.json", "number == 0 under `chosen`"),
        (3, "bulk.xyz", "bulk.xyz: the reference of these minima is a file of atoms"),
    ],
)
def test_refusals(minima, features, number, reference, message):
    with pytest.raises(DataError, match=message):
        choose(
            minima / "all.h5", features[1], minima / reference, minima / "refused.h5", number=number,
            specification={"recipe": {}}, progress=log()[0], read=[], config=config() | {"potential": POTENTIAL},
        )  # fmt: skip
    assert not (minima / "refused.h5").exists()
