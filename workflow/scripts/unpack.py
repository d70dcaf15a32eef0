from vibentropy import archive
from vibentropy.progress import logged
from vibentropy.provenance import attributes

with logged(snakemake.log[0]) as progress:
    specification = snakemake.params.specification
    configurations = archive.read(
        specification["archive"], snakemake.wildcards.dataset, specification["classes"], snakemake.params.rows
    )
    progress.note(f"{len(configurations)} configurations from {specification['archive']}")
    configurations.attributes |= attributes(snakemake.config, snakemake.input)
    configurations.save(snakemake.output[0])
