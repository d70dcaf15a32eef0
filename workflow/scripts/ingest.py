from vibentropy.files.logs import logged
from vibentropy.run.provenance import attributes
from vibentropy.sources.user_files import ingest

with logged(snakemake.log[0]):
    configurations = ingest(snakemake.params.specification, snakemake.wildcards.dataset, snakemake.params.pieces)
    configurations.attributes |= attributes(snakemake.config, snakemake.input)
    configurations.save(snakemake.output[0])
