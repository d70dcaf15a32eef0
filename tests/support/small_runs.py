"""A run of two data sets of made-up cells, step by step without the workflow: up to the fit."""

from small_sets import CRYSTAL, config, labelled, log

from vibentropy.datasets.merge import merge
from vibentropy.model.entropy_model import EntropyModel
from vibentropy.run.steps.features import compute_features
from vibentropy.run.steps.fit import fit
from vibentropy.run.steps.folds import divide

RECIPE = {"recipe": {}}


def describe(folder, name, output, one_in=1):
    """Compute features of the data set of this name; what was logged."""
    progress, stream = log()
    compute_features(
        folder / f"{name}.h5",
        folder / "lattice.json",
        folder / output,
        dataset=name,
        specification=RECIPE,
        descriptor=config()["descriptors"]["afs_2_3"],
        resolved=False,
        one_in=one_in,
        sections=[],
        config=config(),
        read=[folder / f"{name}.h5", folder / "lattice.json"],
        progress=progress,
    )
    return stream


def small_run(folder):
    """Make features, configurations and folds of two data sets in a folder, and give it back."""
    CRYSTAL.save(folder / "lattice.json")
    shards = {"train": labelled("train", 18), "test": labelled("test", 4, (4, 4, 4), seed=100)}
    shards["train"].table.loc[5, ["status", "reason"]] = "saddle", "a direction is not stable"
    for name, shard in shards.items():
        shard.save(folder / f"{name}.h5")
        describe(folder, name, f"features of {name}.h5")
    merge([folder / f"{name}.h5" for name in shards], folder / "all.h5", {"train": "train", "test": "test"})
    divide(
        folder / "all.h5",
        folder / "folds.csv",
        n_folds=3,
        splits=["groups"],
        seed=7,
        exclude_duplicates=True,
        progress=log()[0],
    )
    return folder


def fitted(run, features=("features of train.h5", "features of test.h5"), read=(), exclude_duplicates=True):
    """Fit to a run of `small_run`; the model, and what was logged."""
    progress, stream = log()
    fit(
        run / "all.h5",
        run / "folds.csv",
        [run / name for name in features],
        model=run / "model.h5",
        predictions=run / "predictions.csv",
        fits=run / "fit.csv",
        names={"descriptor": "afs_2_3", "regressor": "ridge"},
        descriptor=config()["descriptors"]["afs_2_3"],
        regressor={"kind": "ridge"},
        exclude_duplicates=exclude_duplicates,
        config=config(),
        read=read,
        progress=progress,
    )
    return EntropyModel.load(run / "model.h5"), stream.getvalue()
