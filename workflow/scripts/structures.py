from vibentropy.files.logs import logged
from vibentropy.run.provenance import attributes
from vibentropy.sources.source import Workshop, source_of

with logged(snakemake.log[0]) as progress:
    inputs, making = snakemake.input, snakemake.params.workshop
    workshop = Workshop(**making, lattice=inputs.reference[0], table=inputs.table) if making else None
    source = source_of(snakemake.wildcards.dataset, snakemake.params.dataset)
    configurations = source.read(snakemake.params.content, workshop, progress)
    configurations.attributes |= attributes(snakemake.config, inputs)
    configurations.save(snakemake.output[0])
