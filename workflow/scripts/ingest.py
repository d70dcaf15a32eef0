from vibentropy.config import config_hash
from vibentropy.ingest import ingest
from vibentropy.progress import logged

with logged(snakemake.log[0]):
    configurations = ingest(snakemake.params.specification, snakemake.wildcards.dataset)
    configurations.attributes["config_sha256"] = config_hash(snakemake.config)
    configurations.save(snakemake.output[0])
