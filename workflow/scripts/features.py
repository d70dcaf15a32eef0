from vibentropy.datasets.store import ConfigurationSet
from vibentropy.datasets.table import Status
from vibentropy.descriptors import create
from vibentropy.features.atom_labels import site_labels
from vibentropy.features.sets import FeatureSet, bulk_features
from vibentropy.files.logs import logged
from vibentropy.run.provenance import attributes
from vibentropy.sources.source import source_of

with logged(snakemake.log[0]) as progress:
    configurations = ConfigurationSet.load(snakemake.input.labels)
    labelled = configurations.subset(configurations.table["status"] == Status.LABELLED)
    progress.expect(len(labelled))
    descriptor = create(**snakemake.params.descriptor)
    source = source_of(snakemake.wildcards.dataset, snakemake.params.dataset)
    perfect = source.perfect(snakemake.input.reference[0])
    bulk = bulk_features(descriptor, source.unstrained(snakemake.input.reference[0]))
    features = FeatureSet.compute(
        descriptor,
        labelled.table["id"],
        labelled.frames,
        bulk,
        reference=lambda index: perfect(labelled.table.iloc[index], labelled.frames[index].cell),
        site_labels=site_labels(labelled) if snakemake.params.sites else None,
        done=progress,
    )
    for name, reason in features.failures.items():
        progress.note(f"{name} has no features: {reason}")
    features.save(
        snakemake.output[0],
        units="Å; features as their descriptor defines them",
        **attributes(snakemake.config, snakemake.input, sections=snakemake.params.sections),
    )
