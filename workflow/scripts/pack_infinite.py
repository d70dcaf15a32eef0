from vibentropy.files.logs import logged
from vibentropy.run.steps.infinite import pack_infinite

with logged(snakemake.log[0]):
    pack_infinite(
        snakemake.input.parts,
        snakemake.input.references[0],
        snakemake.output.archive,
        snakemake.output.table,
        config=snakemake.config,
        read=snakemake.input,
        **dict(snakemake.params.items()),
    )
