from vibentropy.config import config_hash
from vibentropy.progress import logged
from vibentropy.published import read

with logged(snakemake.log[0]) as progress:
    configurations = read(snakemake.params.arrays, snakemake.wildcards.dataset, snakemake.wildcards.shard)
    for row in configurations.table[configurations.table["status"] == "rejected"].itertuples():
        progress.note(f"{row.id} is set aside: {row.reason}")
    configurations.attributes["config_sha256"] = config_hash(snakemake.config)
    configurations.save(snakemake.output[0])
