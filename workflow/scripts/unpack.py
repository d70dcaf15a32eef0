from vibentropy.files.logs import logged
from vibentropy.run.provenance import attributes
from vibentropy.sources import archives

with logged(snakemake.log[0]) as progress:
    specification = snakemake.params.specification
    configurations = archives.read_archive(
        specification["archive"], snakemake.wildcards.dataset, specification["classes"], snakemake.params.rows
    )
    progress.note(f"{len(configurations)} configurations from {specification['archive']}")
    configurations.attributes |= attributes(snakemake.config, snakemake.input)
    configurations.save(snakemake.output[0])
