from vibentropy.ingest import ingest
from vibentropy.progress import logged
from vibentropy.provenance import attributes

with logged(snakemake.log[0]):
    configurations = ingest(snakemake.params.specification, snakemake.wildcards.dataset, snakemake.params.pieces)
    configurations.attributes |= attributes(snakemake.config, snakemake.input)
    configurations.save(snakemake.output[0])
