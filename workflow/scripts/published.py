from vibentropy.progress import logged
from vibentropy.provenance import attributes
from vibentropy.published import read

with logged(snakemake.log[0]) as progress:
    configurations = read(snakemake.params.arrays, snakemake.wildcards.dataset, snakemake.wildcards.shard)
    for row in configurations.table[configurations.table["status"] == "rejected"].itertuples():
        progress.note(f"{row.id} is set aside: {row.reason}")
    configurations.attributes |= attributes(snakemake.config, snakemake.input)
    configurations.save(snakemake.output[0])
