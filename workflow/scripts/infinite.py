from vibentropy.files.logs import logged
from vibentropy.run.steps.infinite import infinite_part

with logged(snakemake.log[0]) as progress:
    infinite_part(
        snakemake.input.configurations,
        snakemake.input.references[0],
        snakemake.output[0],
        part=int(snakemake.wildcards.part),
        progress=progress,
        mem_mb=snakemake.resources.mem_mb,
        **dict(snakemake.params.items()),
    )
