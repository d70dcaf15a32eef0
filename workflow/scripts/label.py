from vibentropy.datasets.store import ConfigurationSet
from vibentropy.datasets.table import Status
from vibentropy.files.logs import logged
from vibentropy.labels.labelling import Labeller
from vibentropy.potentials.from_config import load_potential
from vibentropy.run.provenance import attributes
from vibentropy.sources.source import source_of

with logged(snakemake.log[0]) as progress:
    configurations = ConfigurationSet.load(snakemake.input.structures)
    waiting = configurations.table["status"] == Status.RELAXED
    progress.expect(waiting.sum())
    if waiting.any():
        labeller = Labeller(load_potential(snakemake.params.potential), **snakemake.params.settings)
        source = source_of(snakemake.wildcards.dataset, snakemake.params.dataset)
        configurations = labeller.label(configurations, source.perfect(snakemake.input.reference[0]), progress)
    configurations.attributes |= attributes(snakemake.config, snakemake.input)
    configurations.save(snakemake.output[0])
