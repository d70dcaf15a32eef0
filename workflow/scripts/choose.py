from vibentropy.files.logs import logged
from vibentropy.run.steps.choose import choose

with logged(snakemake.log[0]) as progress:
    choose(
        snakemake.input.configurations,
        snakemake.input.features,
        snakemake.input.references[0],
        snakemake.output[0],
        config=snakemake.config,
        read=snakemake.input,
        progress=progress,
        **dict(snakemake.params.items()),
    )
