"""Job of a run: features of a shard of configurations."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any
from zlib import crc32

import numpy as np

from vibentropy.datasets.store import ConfigurationSet
from vibentropy.datasets.table import Status
from vibentropy.descriptors import create
from vibentropy.features.atom_labels import site_labels
from vibentropy.features.extensive import CrystalFeatures, describe_references
from vibentropy.features.sets import FeatureSet
from vibentropy.files.logs import Progress
from vibentropy.run.provenance import attributes
from vibentropy.sources.source import source_of


def compute_features(
    labels: str | Path,
    lattice: str | Path,
    output: str | Path,
    *,
    dataset: str,
    specification: Mapping[str, Any],
    descriptor: Mapping[str, Any],
    resolved: bool,
    one_in: int,
    sections: Sequence[str],
    config: Mapping[str, Any],
    read: Iterable[str | Path],
    progress: Progress,
) -> None:
    """Compute the features of the labelled configurations of a shard, and say in the log which have none.

    Parameters
    ----------
    labels : path-like
        Labelled configurations, as written by `ConfigurationSet.save`.
    lattice : path-like
        File of the crystal that recipes start from; not read for other data sets.
    output : path-like
        For `FeatureSet.load`.
    dataset : str
        Name of the data set.
    specification : dict
        Of the data set, as in the configuration of a run.
    descriptor : dict
        ``kind`` and parameters, as in the configuration of a run.
    resolved : bool
        Whether labels resolved by atoms are learnt from.
    one_in : int
        Describe one configuration in so many. Their names decide which, so that shards do not.
    sections : sequence of str
        Of the configuration that these features depend on beside what all targets do, see
        `vibentropy.run.provenance.attributes`.
    config : dict
        Of the run, as returned by `vibentropy.run.config.validate`.
    read : iterable of path-like
        Files that the features are made from, see `vibentropy.run.provenance.attributes`.
    progress : Progress
    """
    configurations = ConfigurationSet.load(labels)
    labelled = configurations.subset(configurations.table["status"] == Status.LABELLED)
    chosen = [crc32(name.encode()) % one_in == 0 for name in labelled.table["id"]]
    if one_in > 1:
        progress.note(f"{sum(chosen)} of {len(chosen)} configurations are learnt from, about one in {one_in}")
    labelled = labelled.subset(np.array(chosen, dtype=bool))
    progress.expect(len(labelled))
    described = create(**descriptor)
    source = source_of(dataset, specification)
    crystal = source.unstrained(lattice)
    rows = labelled.table.to_dict("records")
    of_crystal = CrystalFeatures.of_source(described, source, lattice)
    features = FeatureSet.compute(
        described,
        labelled.table["id"].tolist(),
        labelled.frames,
        describe_references(described, crystal, source.others(lattice)),
        reference=lambda index: of_crystal(rows[index], labelled.frames[index].cell),
        site_labels=site_labels(labelled) if resolved else None,
        done=progress,
        dataset=dataset,
        element=crystal.get_chemical_symbols()[0],
        volume_per_atom=crystal.get_volume() / len(crystal),
    )
    for name, reason in features.failures.items():
        progress.note(f"{name} has no features: {reason}")
    features.save(
        output, units="Å; features as their descriptor defines them", **attributes(config, read, sections=sections)
    )
