from vibentropy.files.logs import logged
from vibentropy.run.steps.environments import choose_environments

with logged(snakemake.log[0]) as progress:
    choose_environments(
        snakemake.input.configurations,
        snakemake.input.reference[0],
        snakemake.output[0],
        config=snakemake.config,
        read=snakemake.input,
        progress=progress,
        **dict(snakemake.params.items()),
    )
