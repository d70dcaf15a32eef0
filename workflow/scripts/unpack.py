from vibentropy import archive
from vibentropy.config import config_hash
from vibentropy.progress import logged

with logged(snakemake.log[0]) as progress:
    specification = snakemake.params.specification
    configurations = archive.read(
        specification["archive"], snakemake.wildcards.dataset, specification["classes"], snakemake.params.rows
    )
    progress.note(f"{len(configurations)} configurations from {specification['archive']}")
    configurations.attributes["config_sha256"] = config_hash(snakemake.config)
    configurations.save(snakemake.output[0])
