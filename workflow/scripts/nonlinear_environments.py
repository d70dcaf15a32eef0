import numpy as np

from vibentropy.datasets.store import ConfigurationSet, load_table
from vibentropy.datasets.table import usable
from vibentropy.descriptors import create
from vibentropy.features.sets import bulk_features
from vibentropy.files.logs import logged
from vibentropy.run.provenance import attributes
from vibentropy.sources.source import source_of
from vibentropy.studies.atom_kernel import Environments, enough

with logged(snakemake.log[0]) as progress:
    table = load_table(snakemake.input.configurations)
    descriptor = create(**snakemake.params.descriptor)
    training = np.flatnonzero(usable(table) & (table["role"] == "train").to_numpy())
    training = training[enough(table["n_atoms"][training], descriptor.n_features)]
    perfect = source_of("training", snakemake.params.dataset).unstrained(snakemake.input.reference[0])
    environments = Environments.choose(
        descriptor,
        ConfigurationSet.load(snakemake.input.configurations, training).frames,
        bulk_features(descriptor, perfect),
        snakemake.params.number,
        snakemake.config["seed"],
    )
    progress.note(f"{len(environments.points)} environments of atoms from {len(training)} training cells")
    environments.save(
        snakemake.output[0],
        units="origin and scale as the descriptor defines its features, points in units of the scale",
        **attributes(snakemake.config, snakemake.input, sections=["nonlinear"]),
    )
