from vibentropy.files.logs import logged
from vibentropy.run.steps.resolve import resolve_part

with logged(snakemake.log[0]) as progress:
    resolve_part(
        snakemake.input.configurations,
        snakemake.input.lattice,
        snakemake.output[0],
        part=int(snakemake.wildcards.part),
        progress=progress,
        **dict(snakemake.params.items()),
    )
