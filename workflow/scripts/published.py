from vibentropy.datasets.table import Status
from vibentropy.files.logs import logged
from vibentropy.run.provenance import attributes
from vibentropy.sources.published_arrays import read_arrays

with logged(snakemake.log[0]) as progress:
    configurations = read_arrays(snakemake.params.arrays, snakemake.wildcards.dataset, snakemake.wildcards.shard)
    for row in configurations.table[configurations.table["status"] == Status.REJECTED].itertuples():
        progress.note(f"{row.id} is set aside: {row.reason}")
    configurations.attributes |= attributes(snakemake.config, snakemake.input)
    configurations.save(snakemake.output[0])
