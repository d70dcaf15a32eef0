from vibentropy.files.logs import logged
from vibentropy.run.steps.pack import pack

with logged(snakemake.log[0]) as progress:
    pack(
        snakemake.input.configurations,
        snakemake.input.resolved,
        snakemake.input.lattice,
        snakemake.output[0],
        dataset=snakemake.wildcards.dataset,
        config=snakemake.config,
        read=snakemake.input,
        progress=progress,
        **dict(snakemake.params.items()),
    )
